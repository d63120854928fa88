// Rotating, encoding and querying the one-bit codes.
#include "core/codes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/threads.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

constexpr std::uint32_t ready_rows = 4096;  // enough to tell a centre; fewer are scanned exactly
constexpr int rounds = 3;

/// A fixed stream of random bits (SplitMix64; Steele, Lea & Flood 2014).
std::uint64_t random_bits(std::uint64_t index) {
    std::uint64_t z = (index + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ z >> 30U) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27U) * 0x94D049BB133111EBULL;
    return z ^ z >> 31U;
}

const std::vector<float>& signs(int round) {
    static const auto all = [] {
        std::array<std::vector<float>, rounds> out;
        for (std::size_t r = 0; r < rounds; ++r) {
            for (std::size_t j = 0; j < most_code_dim; ++j) {
                const std::uint64_t bits = random_bits(r * most_code_dim + j);
                out[r].push_back((bits & 1U) != 0 ? 1.0F : -1.0F);
            }
        }
        return out;
    }();
    return all[static_cast<std::size_t>(round)];
}

/// The orthogonal Hadamard transform of 2^k values.
void turn(float* x, std::size_t size) {
    cpu::kernels().hadamard(x, size);
    const float scale = 1.0F / std::sqrt(static_cast<float>(size));
    for (std::size_t j = 0; j < size; ++j) x[j] *= scale;
}

/// Two bfloat16 numbers: the first rounded to nearest, the second upwards.
std::uint32_t as_factors(double scale, double error) {
    const std::uint32_t nearest = std::bit_cast<std::uint32_t>(static_cast<float>(scale)) + 0x8000U;
    const std::uint32_t above =
        (std::bit_cast<std::uint32_t>(static_cast<float>(error * 1.000001)) >> 16U) + 1U;
    return (nearest & 0xFFFF'0000U) | above;
}

/// f and the error per deviation of a code of `signs` dimensions: square = |o|^2, along = <o, s>.
/// Zero where the code says nothing: then the row's reach is its error.
std::uint32_t factors_of(double square, double along, std::size_t signs, std::size_t dim) {
    if (along < 1e-12) return square < 1e-20 ? 0 : as_factors(0.0, std::sqrt(square));
    const auto n = static_cast<double>(dim);
    // Sums in single precision are off by a few millionths.
    const double all = static_cast<double>(signs);
    const double across = std::max(0.0, all - along * along / square) + 1e-5 * all;
    const double scale = square / along;
    // The scale is off by a 510th at most, and |<Rq, s>| <= |q| sqrt(signs): the error takes that
    // in.
    const double rounding = scale * std::sqrt(all) / (510.0 * static_cast<double>(code_deviations));
    return as_factors(scale, scale * std::sqrt(across / (n - 1.0)) * 1.0001 + rounding);
}

/// A value below 2^22 to the nearest whole number: as std::nearbyint, but several at a time.
float to_nearest(float x) {
    constexpr float whole = 0x1.8p23F;
    return (x + whole) - whole;
}

/// Calls use(byte) for every byte of a row's code, in order.
template <class Use>
void each_code_byte(const SegmentCodes& codes, std::uint32_t r, Use&& use) {
    const CodeStrips strips(codes.bits(), codes.bytes, r / 64 * 64);
    std::uint8_t* const early = strips.early + r % 64;
    std::uint8_t* const later = strips.later + r % 64;
    for (std::size_t c = 0; c < strips.early_bytes; ++c) use(early[c * 64]);
    for (std::size_t c = 0; c < codes.bytes - strips.early_bytes; ++c) use(later[c * 64]);
}

}  // namespace

void write_signs(SegmentCodes& codes, std::uint32_t r) {
    const std::uint8_t* from = codes.signs(r);
    each_code_byte(codes, r, [&](std::uint8_t& byte) { byte = *from++; });
}

namespace {

/// A row's signs from its bytes.
void find_signs(const SegmentCodes& codes, std::uint32_t r) {
    const std::int8_t* const from = codes.whole() + codes.whole_bytes(r);
    std::uint8_t* const to = codes.signs(r);
    for (std::size_t c = 0; c < codes.bytes; ++c) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, from + 8 * c, 8);
        // The product moves the top bit of byte i to bit 56 + i.
        to[c] = static_cast<std::uint8_t>(
            (~eight & 0x8080808080808080ULL) * 0x0002040810204081ULL >> 56U);
    }
}

void encode_row(const Columns& columns, const Segment& s, SegmentCodes& codes, std::uint32_t r,
                std::vector<float>& o) {
    const std::size_t dim = columns.dim;
    const Cells& cells = *codes.cells;
    codes.factors[r] = 0;
    codes.early[r] = 0;
    codes.reach[r] = 0;
    if ((s.flags[r] & flag::has_vector) == 0) {
        codes.cell[r] = static_cast<std::uint16_t>(cells.nowhere());
        codes.row(r) = {.cell = codes.cell[r]};
        return;
    }
    const float* const x = columns.room(s, r);
    const std::int8_t* const steps = cells.steps.data() + codes.cell[r] * cells.width;
    const float step = cells.step[codes.cell[r]];
    const cpu::Kernels& kernels = cpu::kernels();
    const float length = kernels.residual(x, steps, step, dim, o.data());
    const float reach = std::sqrt(length) * (1.00001F / reach_unit);
    codes.reach[r] = static_cast<std::uint8_t>(std::min(std::floor(reach) + 1.0F, 255.0F));
    rotate(o.data(), dim);
    // Signs are those of the bytes, so that a row that moves has them from there.
    const std::size_t first = std::min(8 * early_bytes(codes.bytes), dim);
    cpu::ByteSums sums;
    kernels.encode_bytes(o.data(), dim, first, codes.whole() + codes.whole_bytes(r),
                         o.data() + columns.padded_dim, sums);
    find_signs(codes, r);
    write_signs(codes, r);
    codes.factors[r] = factors_of(sums.square, sums.along, dim, dim);
    codes.row(r) = {.scale = sums.step,
                    .error = std::sqrt(sums.left) * 1.0001F + 1e-6F,
                    .factors = codes.factors[r],
                    .cell = codes.cell[r],
                    .reach = codes.reach[r]};
    codes.early[r] = factors_of(sums.square, sums.early, first, dim);
}

}  // namespace

void rotate(float* vector, std::size_t dim) {
    const std::size_t window = std::bit_floor(dim);
    for (int round = 0; round < rounds; ++round) {
        const float* const sign = signs(round).data();
        for (std::size_t j = 0; j < dim; ++j) vector[j] *= sign[j];
        turn(vector, window);
        if (window != dim) turn(vector + (dim - window), window);
    }
}

namespace {

/// Codes of whole blocks, each row centred at its cell.
void encode_blocks(const Columns& columns, const Segment& segment, SegmentCodes& codes,
                   std::uint32_t first, std::uint32_t last, const CellFinder* finder) {
    // A stream of small appends leaves the other cores to its readers.
    const int workers = last - first < bulk_blocks ? 1 : spare_workers();
    parallel_for(last - first, workers, [&](std::size_t task, int) {
        std::vector<float> work(3 * columns.padded_dim);
        std::vector<std::uint8_t> room;
        const std::uint32_t from = (first + static_cast<std::uint32_t>(task)) * block_rows;
        std::uint16_t* const cell = codes.cell + from;
        std::fill_n(cell, block_rows, std::uint16_t{0});
        if (finder != nullptr) {
            std::vector<float> copied;
            finder->find(columns.side_by_side(segment, from, block_rows, copied),
                         columns.padded_dim, columns.dim, block_rows, room, cell);
        }
        for (std::uint32_t r = from; r < from + block_rows; ++r) {
            encode_row(columns, segment, codes, r, work);
        }
        for (std::uint32_t s = from / 64; s < (from + block_rows) / 64; ++s) {
            codes.summarise_strip(s);
        }
    });
}

}  // namespace

void encode(const Columns& columns, Segment& segment, const CellFinder* finder) {
    SegmentCodes& codes = segment.codes;
    const bool full = segment.count == segment_rows;
    const std::uint32_t waiting = segment.count - codes.encoded.load();
    if (!codes_apply(columns.dim) || (waiting < ready_rows && !(full && waiting != 0))) return;
    if (codes.encoded == 0) {
        codes.reserve(code_bytes(columns.dim));
        codes.cells = finder != nullptr ? finder->cells() : one_cell(columns, segment);
    }
    if (finder != nullptr && codes.cells != finder->cells()) finder = nullptr;
    const std::uint32_t last = segment.count / block_rows;
    encode_blocks(columns, segment, codes, codes.encoded / block_rows, last, finder);
    codes.encoded = last * block_rows;
}

void encode_again(const Columns& columns, const Segment& segment, const CellFinder& finder,
                  SegmentCodes& out) {
    out.reserve(code_bytes(columns.dim));
    out.cells = finder.cells();
    encode_blocks(columns, segment, out, 0, segment_blocks, &finder);
    out.encoded = segment_rows;
}

void erase_code(Segment& segment, std::uint32_t r) {
    SegmentCodes& codes = segment.codes;
    if (r >= codes.encoded) return;
    each_code_byte(codes, r, [](std::uint8_t& byte) { byte = 0; });
    codes.factors[r] = 0;
    codes.early[r] = 0;
    codes.cell[r] = static_cast<std::uint16_t>(codes.cells->nowhere());
    codes.reach[r] = 0;
    std::fill_n(codes.whole() + codes.whole_bytes(r), codes.whole_bytes(1), std::int8_t{0});
    codes.row(r).cell = codes.cell[r];
}

namespace {

/// Sums of six dimensions for every pattern of their signs, shifted to start at 0 and rounded up.
void fill_table(const std::vector<float>& u, std::size_t groups, CodeQuery& out) {
    std::vector<float> reach(groups, 0.0F);
    double offset = 0.0;
    for (std::size_t g = 0; g < groups; ++g) {
        for (std::size_t b = 0; b < 6; ++b) reach[g] += std::fabs(u[code_dim(g, b)]);
        offset += static_cast<double>(reach[g]);
        if (g + 1 == code_groups(early_bytes(groups / 4 * 3))) {
            out.early_offset = static_cast<float>(offset);
        }
    }
    const float widest = *std::max_element(reach.begin(), reach.end());
    out.step = std::max(2.0F * widest / 126.0F, 1e-30F);
    out.offset = static_cast<float>(offset);
    out.table.resize(groups * 64);
    std::uint8_t* const table = out.table.data();
    const float steps_per = 1.0F / out.step;
    std::array<float, 64> sums{};
    for (std::size_t g = 0; g < groups; ++g) {
        sums[0] = reach[g];
        for (std::size_t b = 0; b < 6; ++b) sums[0] -= u[code_dim(g, b)];
        for (std::size_t b = 0, known = 1; b < 6; ++b, known *= 2) {
            const float flip = 2.0F * u[code_dim(g, b)];
            for (std::size_t code = 0; code < known; ++code) sums[known + code] = sums[code] + flip;
        }
        // Above what rounding may have cost, and one for the fraction cut off.
        for (std::size_t code = 0; code < 64; ++code) {
            const auto steps = static_cast<std::int32_t>(sums[code] * steps_per + 1e-3F);
            table[g * 64 + code] = static_cast<std::uint8_t>(std::max(steps, 0) + 1);
        }
    }
}

/// The sum of term(0) to term(count - 1): eight side by side, so that none waits for the one
/// before.
template <class Term>
double sum_of(std::size_t count, Term&& term) {
    std::array<double, 8> sums{};
    const std::size_t whole = count / sums.size() * sums.size();
    for (std::size_t i = 0; i < whole; i += sums.size()) {
        for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += term(i + j);
    }
    for (std::size_t i = whole; i < count; ++i) sums[0] += term(i);
    return std::accumulate(sums.begin(), sums.end(), 0.0);
}

/// The rotated question in steps so fine that what they leave out hardly counts, yet so few that
/// the sum of its products with bytes fits 31 bits.
void refine_query(const std::vector<float>& u, float widest, CodeQuery& out) {
    const auto most =
        static_cast<float>(std::min<std::size_t>(32'000, 0x7FFF'FFFFU / 128 / u.size()));
    out.fine_unit = std::max(widest / most, 1e-30F);
    out.fine.resize(u.size());
    std::int16_t* const fine = out.fine.data();
    const float unit = out.fine_unit;
    const double left = sum_of(u.size(), [&](std::size_t j) {
        const float steps = to_nearest(u[j] / unit);
        fine[j] = static_cast<std::int16_t>(steps);
        const double rest = static_cast<double>(u[j]) - static_cast<double>(steps) * unit;
        return rest * rest;
    });
    // A residual is the difference of two vectors of length one at most.
    out.fine_rest = 2.0F * static_cast<float>(std::sqrt(left)) * 1.0001F + 4e-6F * out.length;
}

/// The rotated question in whole steps, and all that the steps can leave out.
void round_query(const std::vector<float>& u, CodeQuery& out) {
    float widest = 0.0F;
    for (const float x : u) widest = std::max(widest, std::fabs(x));
    refine_query(u, widest, out);
    out.unit = std::max(widest / 127.0F, 1e-30F);
    out.rounded.resize(u.size());
    std::int8_t* const rounded = out.rounded.data();
    const float unit = out.unit;
    const double rest = sum_of(u.size(), [&](std::size_t j) {
        const float steps = to_nearest(u[j] / unit);
        rounded[j] = static_cast<std::int8_t>(steps);
        return std::fabs(static_cast<double>(u[j]) - static_cast<double>(steps) * unit);
    });
    out.rest = static_cast<float>(rest * 1.000001);
    out.rounded_sum = std::accumulate(out.rounded.begin(), out.rounded.end(), 0);
}

}  // namespace

CodeQuery make_code_query(const std::vector<float>& query, std::size_t dim) {
    std::vector<float> u(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(dim));
    rotate(u.data(), dim);
    u.resize(code_bytes(dim) * 8, 0.0F);
    const double square = sum_of(u.size(), [&](std::size_t j) {
        return static_cast<double>(u[j]) * static_cast<double>(u[j]);
    });
    CodeQuery out;
    out.length = static_cast<float>(std::sqrt(square)) * 1.00001F;
    out.norm = out.length * code_deviations;
    fill_table(u, code_groups(code_bytes(dim)), out);
    round_query(u, out);
    return out;
}

CodeQuery fine_query(const std::vector<float>& query, std::size_t dim) {
    std::vector<float> u(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(dim));
    u.resize(code_bytes(dim) * 8, 0.0F);
    float widest = 0.0F;
    float square = 0.0F;
    for (const float x : u) {
        widest = std::max(widest, std::fabs(x));
        square += x * x;
    }
    CodeQuery out;
    out.length = std::sqrt(square);
    refine_query(u, widest, out);
    return out;
}

std::vector<AlongCells> cell_products(const Cells& cells,
                                      const std::vector<CellQuestion>& questions,
                                      const std::vector<std::uint32_t>& some) {
    constexpr float least = -1e30F;  // less than any product, of a cell of which no row is wanted
    const std::size_t count = some.empty() ? cells.count() : some.size();
    std::vector<std::int32_t> product(questions.size() * count);
    if (some.empty()) {
        std::vector<const std::int16_t*> steps;
        steps.reserve(questions.size());
        for (const CellQuestion& q : questions) steps.push_back(q.fine->fine.data());
        cpu::kernels().products(steps.data(), steps.size(), cells.steps.data(), cells.width, count,
                                product.data());
    }
    std::vector<AlongCells> out(questions.size());
    for (std::size_t q = 0; q < questions.size(); ++q) {
        const auto& [fine, weight] = questions[q];
        out[q].spread = weight * 2.0F * fine->fine_rest;
        out[q].along.reserve(cells.count() + 1 + cpu::cells_behind);
        out[q].along.assign(cells.count(), least);
        out[q].along.resize(out[q].along.capacity(), 0.0F);
        std::int32_t* const of = product.data() + q * count;
        if (!some.empty()) {
            cpu::kernels().byte_dots(fine->fine.data(), cells.steps.data(), cells.width,
                                     cells.width, some.data(), count, of);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t k = some.empty() ? i : some[i];
            const float along = static_cast<float>(of[i]) * fine->fine_unit * cells.step[k];
            out[q].along[k] = weight * (along + fine->fine_rest);
        }
    }
    return out;
}

}  // namespace remanence
