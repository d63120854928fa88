// One-bit codes of the vectors: a tenth of the bytes, and a bound on what the exact cosine can be.
//
// With o = R (x - c) for a fixed random rotation R and the centre c of the row's cell, s = sign(o),
// <q, x> = <q, c> + f (<Rq, s> - <Rq, s'>), f = |o|^2 / <o, s>, s' the part of s orthogonal to o.
// Over the rotation, <Rq, s'> behaves like |q| |s'| times a coordinate of a random unit vector of
// dim - 1 dimensions, so it exceeds |q| |s'| z / sqrt(dim - 1) with the normal tail beyond z.
// The same holds for any other s made from o alone: the first half of the signs, the rest zero.
// The bytes need no probability: |<Rq, o - o'>| <= |q| |o - o'|, o' what they say of o.
// Source: Gao & Long 2024 (RaBitQ), theorem 3.2; docs/decisions/0005 derives the default z.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/cells.hpp"
#include "core/columns.hpp"

namespace remanence {

/// The normal tail beyond 5.35 is 4.4e-8, and a row is bounded twice, by half of its code and
/// by all of it: a true hit is lost with a probability below 1e-7.
inline constexpr float code_deviations = 5.35F;
inline constexpr std::size_t least_code_dim = 64;
inline constexpr std::size_t most_code_dim = 3072;  // sums of 7-bit entries stay below 2^16

/// Bytes of a row's code: bit p of byte c is the sign of dimension 8 c + p, in whole triples.
inline std::size_t code_bytes(std::size_t dim) { return (dim + 23) / 24 * 3; }
/// Bytes of the first half, by which most rows are ruled out.
inline std::size_t early_bytes(std::size_t bytes) {
    return std::max<std::size_t>(bytes / 6, 1) * 3;
}
/// Where the codes of a block's rows lie from row `first` (a multiple of 64) on: first the early
/// halves of all its strips, one after the other, since often nothing else is read; then the rest.
struct CodeStrips {
    CodeStrips(std::uint8_t* bits, std::size_t bytes, std::uint32_t first)
        : early_bytes(remanence::early_bytes(bytes)) {
        const std::size_t in_block = first % block_rows;
        std::uint8_t* const block = bits + (first - in_block) * bytes;
        early = block + in_block * early_bytes;
        later = block + block_rows * early_bytes + in_block * (bytes - early_bytes);
    }
    std::uint8_t* early;  ///< [strip][early_bytes][64]
    std::uint8_t* later;  ///< [strip][bytes - early_bytes][64]
    std::size_t early_bytes;
};
/// Groups of six dimensions that a table holds: four per triple of bytes.
inline std::size_t code_groups(std::size_t bytes) { return bytes / 3 * 4; }
/// The dimension of a group's bit: bits 0 to 5 of each byte of the triple, then the bits left over.
inline std::size_t code_dim(std::size_t group, std::size_t bit) {
    const std::size_t first = group / 4 * 24;
    const std::size_t j = group % 4;
    return j < 3 ? first + 8 * j + bit : first + 8 * (bit / 2) + 6 + bit % 2;
}
inline bool codes_apply(std::size_t dim) { return dim >= least_code_dim && dim <= most_code_dim; }

/// Rotates `vector` [dim] in place: random signs, then Hadamard transforms of the first and the
/// last 2^k dimensions, three times over. Orthogonal, the same on every machine up to rounding.
void rotate(float* vector, std::size_t dim);

/// Encodes what is ready: whole blocks, once enough rows tell the segment's centre. `finder`: of
/// the cells of the segment's group, or null where there are none yet.
void encode(const Columns& columns, Segment& segment, const CellFinder* finder);

/// Codes of a full segment in the cells of its group, in place of those it has.
void encode_again(const Columns& columns, const Segment& segment, const CellFinder& finder,
                  SegmentCodes& out);

/// Puts a row's signs beside those of the rows around it.
void write_signs(SegmentCodes& codes, std::uint32_t r);

/// Leaves nothing of a row's vector in its code.
void erase_code(Segment& segment, std::uint32_t r);

/// What a question needs to bound the cosines of one segment.
struct CodeQuery {
    std::vector<std::uint8_t> table;  ///< [groups][64] rounded up, in units of `step`
    float step = 0.0F;
    float offset = 0.0F;               ///< <Rq, s> <= step * (sum of entries) - offset
    float early_offset = 0.0F;         ///< the same of the first half
    float norm = 0.0F;                 ///< |q| times the deviations allowed for
    std::vector<std::int8_t> rounded;  ///< Rq in units of `unit`, [8 * code bytes]
    std::int32_t rounded_sum = 0;
    float unit = 0.0F;
    float rest = 0.0F;               ///< <Rq, s> <= unit * <rounded, s> + rest
    std::vector<std::int16_t> fine;  ///< Rq in units of `fine_unit`, [8 * code bytes]
    float fine_unit = 0.0F;
    float fine_rest = 0.0F;  ///< |<Rq - fine_unit * fine, o>| at most
    float length = 0.0F;     ///< |q|
};
CodeQuery make_code_query(const std::vector<float>& query, std::size_t dim);

/// The question itself, not rotated, in fine steps: what its products with centres are made of.
CodeQuery fine_query(const std::vector<float>& query, std::size_t dim);

/// What a question's score gains of a centre.
struct CellQuestion {
    const CodeQuery* fine;
    float weight;
};
/// weight * <q, c> from above, for every cell, for none, and zeros behind.
struct AlongCells {
    std::vector<float> along;  ///< [cells + 1 + cells_behind]
    float spread = 0.0F;       ///< by how much one may be too great
};
/// Those of a few questions side by side, so that centres are read once; those of cells in `some`,
/// if there are any, alone: of the others no row is wanted, and they come last.
std::vector<AlongCells> cell_products(const Cells& cells,
                                      const std::vector<CellQuestion>& questions,
                                      const std::vector<std::uint32_t>& some);

}  // namespace remanence
