// The inner loops, compiled once per instruction set from one source, and the choice among them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "remanence/decay_math.hpp"
#include "remanence/types.hpp"

#include "core/columns.hpp"
#include "core/gate.hpp"
#include "core/postings.hpp"

namespace remanence::cpu {

/// Memory that is read soon, asked for a few lines at a time by what computes before: so memory is
/// never idle, and nothing waits for too many lines at once.
struct Ahead {
    const std::uint8_t* next = nullptr;
    const std::uint8_t* end = nullptr;

    [[gnu::always_inline]] void ask(std::size_t lines) {
        for (; lines != 0 && next < end; --lines, next += 64) __builtin_prefetch(next, 0, 2);
    }
    std::size_t lines() const { return static_cast<std::size_t>(end - next + 63) / 64; }
};

/// Columns of one block of rows and the query's share of every side term. Null means "adds
/// nothing".
struct SideBlock {
    std::uint32_t count = 0;
    const std::uint64_t* mask = nullptr;  ///< 64 rows of which none is wanted are left out
    const float* table = nullptr;         ///< [static_count] bias + length + question + when
    const std::uint16_t* statics = nullptr;
    const std::uint16_t* steps = nullptr;  ///< what is kept in their place, else null
    float least = 0.0F;
    float step = 0.0F;
    std::uint32_t one_kind = none;          ///< the kind of all rows, where it is one
    const float* lexical = nullptr;         ///< BM25 of the block's rows, already normalised
    const float* lexical_weight = nullptr;  ///< [kind_count]
    const std::uint8_t* kind = nullptr;
    const std::uint32_t* author = nullptr;
    std::uint32_t wanted_author = 0;
    float author_weight = 0.0F;
    const float* date = nullptr;        ///< weighted, per row
    const float* lift = nullptr;        ///< weighted, per row
    const float* activation = nullptr;  ///< nats, per row
    float activation_weight = 0.0F;
    const float* usefulness = nullptr;  ///< weighted, per row
    const float* importance = nullptr;
    float importance_weight = 0.0F;
    const float* log_belief = nullptr;
    Ahead* ahead = nullptr;  ///< the codes that come next
};

/// One block of one-bit codes (core/codes.hpp).
struct CodeBlock {
    std::uint32_t count = 0;                       ///< a multiple of 64
    std::size_t bytes = 0;                         ///< of code per row, a multiple of 3
    std::size_t early_bytes = 0;                   ///< of those, the first half
    const std::uint8_t* early_codes = nullptr;     ///< [strip][early_bytes][64]
    const std::uint8_t* later_codes = nullptr;     ///< [strip][bytes - early_bytes][64]
    const std::uint32_t* early_factors = nullptr;  ///< of the first half alone
    const std::uint32_t* factors = nullptr;
};

/// A question's side of the bound; fields as in CodeQuery.
struct CodeQuestion {
    const std::uint8_t* table = nullptr;  ///< [groups][64], entries at most 127
    float step = 0.0F;
    float offset = 0.0F;
    float unit = 0.0F;
    float rest = 0.0F;
    float norm = 0.0F;
    float weight = 0.0F;          ///< of the cosine
    const float* side = nullptr;  ///< what else the score holds, weight * <q, c> included
    float early_offset = 0.0F;
    float bar = 0.0F;                 ///< rows that end below it are dropped from the mask
    bool asked_ahead = false;         ///< the first half is on its way
    bool try_early = false;           ///< whether the first half is asked before the rest
    std::uint32_t strips = 0;         ///< a bit for each that holds a wanted row
    std::uint64_t* mask = nullptr;    ///< rows wanted
    std::uint32_t* spared = nullptr;  ///< grows by the strips that the first half ruled out
    float* out = nullptr;             ///< upper bounds of the scores; null = not asked
};

/// How many values behind the last cell's may be read.
inline constexpr std::size_t cells_behind = 31;

/// What the cells of a block's rows say of their scores (core/cells.hpp).
struct CellBlock {
    std::uint32_t count = 0;
    const std::uint16_t* cell = nullptr;
    const std::uint8_t* reach = nullptr;
    const float* along = nullptr;            ///< [cells + cells_behind] weight * <q, c>, at most
    float per_reach = 0.0F;                  ///< weight * |q| * reach_unit
    const float* side = nullptr;             ///< what else the score holds
    Ahead* ahead = nullptr;                  ///< the codes that come next
    const std::uint32_t* factors = nullptr;  ///< those of these codes; null: not to be asked for
};

/// What strips of 64 rows say together of their scores. Side terms with a share of the reach: the
/// greatest of lines is convex, so it lies below its chord.
struct StripBlock {
    std::uint32_t count = 0;
    const std::uint16_t* least = nullptr;  ///< cell
    const std::uint16_t* most = nullptr;   ///< cell
    const std::uint8_t* reach = nullptr;
    const float* along = nullptr;     ///< [cells + 1 + cells_behind] weight * <q, c>, at most
    const float* runs = nullptr;      ///< what runs of cells say, as cell_runs finds it
    std::uint32_t pairs = 0;          ///< of cells
    const float* greatest = nullptr;  ///< side terms
    const float* reaching = nullptr;  ///< the same with some weight of the reach
    float share = 0.0F;               ///< of that weight
    float more = 0.0F;                ///< weight of the reach beyond it
    float near = 0.0F;                ///< share of that weight that the best of a strip may have
    std::size_t apart = 16;           ///< how far each 16 of what is found lie from the next
};

/// What the bytes of a residual o say of it, and its signs s, those of the bytes.
struct ByteSums {
    float step = 0.0F;    ///< of a byte
    float left = 0.0F;    ///< |o - step * bytes|^2
    float square = 0.0F;  ///< |o|^2
    float along = 0.0F;   ///< <o, s>
    float early = 0.0F;   ///< the same of the first dimensions
};

struct CodeQuestions {
    const CodeQuestion* each;
    std::size_t count;
    /// [count / 16, up to an even number][stride / 64][16][64], for matrix units only.
    const std::int8_t* rounded;
    std::size_t stride;  ///< a multiple of 64
    std::int8_t* signs;  ///< [matrix_rows][stride] to work in, for matrix units only
};
inline constexpr std::size_t least_matrix_questions = 8;
inline constexpr std::uint32_t matrix_rows = 256;

/// What a walk of 16 questions starts from at one row.
struct PullStart {
    std::uint32_t rank;
    double extra[16];  ///< what is added to the row
};

/// Rows of a graph whose values are pulled for 16 questions at once. What a row hands on, its mass
/// over its degree, is single precision where `rounded` is there.
struct PullRows {
    const std::uint32_t* offset = nullptr;  ///< row r: [stride r] to [stride r + width]
    std::size_t stride = 1;
    std::size_t width = 1;
    const std::uint32_t* to = nullptr;
    const float* weight = nullptr;  ///< null: every weight is `one`
    float one = 1.0F;
    double damping = 0.0;
    const double* inverse = nullptr;  ///< [rows] one over the degree
    const double* value = nullptr;    ///< [rows][16] handed on in the last round
    const float* rounded = nullptr;
    double* next_value = nullptr;  ///< [rows][16] handed on in the next one
    float* next_rounded = nullptr;
    bool far = false;        ///< the values handed on are more than the second cache holds
    double* mass = nullptr;  ///< [rows][16] replaced
    const PullStart* starts = nullptr;  ///< those of the rows asked for, by rank
    std::size_t start_count = 0;
};

/// What the rows of a task add to, each [16] in units of 2^-62.
struct PullSums {
    std::uint64_t moved[16];  ///< |new - old|
    std::uint64_t lost[16];   ///< mass of rows that hand nothing on
};

/// Heads of up to head_tile rows, 16 of them side by side.
struct HeadTile {
    const float* heads = nullptr;  ///< [groups][dims][16]
    const float* tails = nullptr;  ///< [groups][16]
    std::size_t dims = 0;
    std::size_t groups = 0;
};
inline constexpr std::size_t head_tile = 256;

/// Ranks that look for a parent among their arcs.
struct ParentSearch {
    const std::uint32_t* offset = nullptr;  ///< rank r: [2r + first_row] to [2r + last_row]
    std::size_t first_row = 0;
    std::size_t last_row = 2;
    const std::uint32_t* to = nullptr;
    const std::uint64_t* passing = nullptr;  ///< a bit for each arc, and 63 more
    const std::uint32_t* gate = nullptr;     ///< where there are no bits; null: every arc passes
    GateTest test;
    const std::uint64_t* parents = nullptr;  ///< a bit for each rank
    std::int32_t* hop = nullptr;
    std::int32_t level = 0;
};

/// Rows of a base, with a word for each arc or null: every arc passes.
struct GatedRows {
    const std::uint32_t* offset = nullptr;  ///< rank r: [2r] to [2r + 2]
    const std::uint32_t* to = nullptr;
    const std::uint32_t* gate = nullptr;
    GateTest test;
};

/// Over how many places the ends that a filter hides are spread, so that none waits for another.
inline constexpr std::uint32_t hidden_places = 16;

/// Rows to be walked, and what was found by walking them.
struct RowWalk {
    const std::uint32_t* offset = nullptr;  ///< rank r: [2r + first_row] to [2r + last_row]
    std::size_t first_row = 0;
    std::size_t last_row = 2;
    std::size_t rows = 0;  ///< ranks from here on have none
    const std::uint32_t* to = nullptr;
    std::size_t arcs = 0;
    std::int32_t* mark = nullptr;    ///< of each rank; negative where it was not seen
    std::uint32_t* found = nullptr;  ///< ranks in the order found, with room for one more
};

/// Arcs of a base, and the best value so far of every rank.
struct ArcValues {
    const std::uint32_t* to = nullptr;
    const float* weight = nullptr;
    const double* best = nullptr;
    bool product = false;  ///< values are products, the greatest the best; else sums, the least
};

struct Kernels {
    const char* name;
    /// Canonical dot products of `query` [padded] with `count` consecutive rows [padded].
    void (*dot)(const float* query, const float* rows, std::size_t padded, std::size_t count,
                float* out);
    /// PowerTrace activation in nats of `count` (a multiple of 16) rows of a block.
    void (*activation)(const PowerTraceConstants& constants, const float* const* trace,
                       const float* age_s, std::size_t count, float* out);
    /// Adds every side term of a block in the order of `Term`.
    void (*side)(const SideBlock& block, float* out);
    /// Adds `once` to the rows that hold a word, 64 for each of `groups`, and `again` to those that
    /// repeat it.
    void (*add_held)(const WordBits* groups, std::size_t count, float once, float again, float* out,
                     Ahead& ahead);
    /// Hadamard transform of 2^k values in place, k at least 4; lengths grow by 2^(k/2).
    void (*hadamard)(float* x, std::size_t size);
    /// An upper bound of every row's score for every question asked, from its code.
    void (*bounds)(const CodeBlock& block, const CodeQuestions& questions);
    /// The same by products of whole matrices, for many questions; another rounding, same rigour.
    void (*matrix_bounds)(const CodeBlock& block, const CodeQuestions& questions);
    /// The greatest of what runs of 2, 4, 8, ... cells [2 * pairs] say: [bit width of
    /// pairs][pairs], by the pair that the run begins with, where it ends among them.
    void (*cell_runs)(const float* along, std::uint32_t pairs, float* runs);
    /// What the rows of strips score at most, 16 at a time, and what the best of them promise;
    /// words apart.
    void (*strip_bounds)(const StripBlock& block, float* most, float* promise);
    /// Bits of the strips, 16 at most, that reach the bar, what `words` say of each added.
    std::uint32_t (*strips_above)(const float* most, const float* words, std::uint32_t count,
                                  float bar);
    /// The same of the strips of a block for each question: their ceilings [questions][16].
    void (*each_above)(const float* most, std::uint32_t count, const float* bars,
                       std::size_t questions, std::uint16_t* out);
    /// Adds side and along into `out` for some strips of 64 rows, and clears the bits of rows that
    /// end below `bar` even so.
    void (*keep_reaching)(const CellBlock& block, std::uint32_t strips, float bar,
                          std::uint64_t* mask, float* out);
    /// For `count` (a multiple of 64) rows of codes the table [bytes / 3 * 4][64] whose entries, at
    /// most 63, sum up to most, `bias` added.
    void (*nearest)(const std::uint8_t* codes, std::size_t bytes, std::uint32_t count,
                    const std::uint8_t* tables, const std::uint16_t* bias, std::uint32_t cells,
                    std::uint16_t* best);
    /// o = x - step * steps [dim], a row less its centre; returns |o|^2. `o` goes on with zeros up
    /// to a multiple of 16.
    float (*residual)(const float* x, const std::int8_t* steps, float step, std::size_t dim,
                      float* o);
    /// Writes `o`, as above, as bytes; `early` <= dim is the end of the first dimensions,
    /// `room` twice as many values to work in.
    void (*encode_bytes)(const float* o, std::size_t dim, std::size_t early, std::int8_t* to,
                         float* room, ByteSums& out);
    /// Products of `query` [width] with the first bytes of the rows named of a matrix [][stride];
    /// the sums fit 31 bits.
    void (*byte_dots)(const std::int16_t* query, const std::int8_t* matrix, std::size_t width,
                      std::size_t stride, const std::uint32_t* rows, std::size_t count,
                      std::int32_t* out);
    /// Products of `count` queries [width] with the rows of a matrix [rows][width]: [count][rows];
    /// the sums fit 31 bits, |each of a query| <= 32,639.
    void (*products)(const std::int16_t* const* queries, std::size_t count,
                     const std::int8_t* matrix, std::size_t width, std::size_t rows,
                     std::int32_t* out);
    /// The sums of those of `query` [8 * bytes], |each| <= 127, whose bit of [bytes] is set, for
    /// the rows named of a matrix of bits [][stride].
    void (*bit_dots)(const std::int8_t* query, const std::uint8_t* bits, std::size_t bytes,
                     std::size_t stride, const std::uint32_t* rows, std::size_t count,
                     std::int32_t* out);
    /// Clears the bits of rows below `bar`; count is a multiple of 64.
    void (*keep_above)(const float* bound, float bar, std::uint32_t count, std::uint64_t* mask);
    /// Clears the bits of rows of another value; count is a multiple of 64.
    void (*keep_equal)(const std::uint32_t* value, std::uint32_t wanted, std::uint32_t count,
                       std::uint64_t* mask);
    /// Clears the bits of rows whose kind is no bit of `kinds`; count is a multiple of 64.
    void (*keep_kinds)(const std::uint8_t* kind, std::uint32_t kinds, std::uint32_t count,
                       std::uint64_t* mask);
    /// Writes the numbers of the bits of words that are not in `seen` ascending; how many. Clears
    /// the words, and with `keep` puts these bits into `seen`, which may be null otherwise. There
    /// must be room for 63 more.
    std::size_t (*take_bits)(std::uint64_t* words, std::uint64_t* seen, std::size_t count,
                             bool keep, std::uint32_t* out);
    /// Writes `first` + i for every word i that passes to `sure`, for every one whose columns must
    /// be asked to `unsure`. There must be room for 16 more.
    GateCounts (*list_gate)(const std::uint32_t* words, std::size_t count, std::uint32_t first,
                            const GateTest& test, std::uint32_t* sure, std::uint32_t* unsure);
    /// Bits of the words that pass, and of those whose columns must be asked.
    void (*gate_bits)(const std::uint32_t* words, std::size_t count, const GateTest& test,
                      std::uint64_t* sure, std::uint64_t* unsure);
    /// Copies `count` ends; those without a bit become `other`, or of arc i other + i mod
    /// hidden_places * step.
    void (*hide)(const std::uint32_t* to, const std::uint64_t* bits, std::size_t count,
                 std::uint32_t other, std::uint32_t step, std::uint32_t* out);
    /// Marks with `value` what the rows of found[first] to found[last] lead to and was not seen,
    /// appends it to found [end]; the new end.
    std::size_t (*reach)(const RowWalk& walk, std::size_t first, std::size_t last, std::size_t end,
                         std::int32_t value);
    /// Which of the arcs `first` + i, i a bit of `asked`, better their other end when they extend a
    /// path of `value`.
    std::uint64_t (*find_better)(const ArcValues& values, double value, std::size_t first,
                                 std::uint64_t asked);
    /// Gives hops to the ranks `first` + i, i a bit of `open`, that have a parent; their bits. In
    /// `unsure` those of which it depends on the columns.
    std::uint64_t (*find_parents)(const ParentSearch& search, std::uint32_t first,
                                  std::uint64_t open, std::uint64_t* unsure);
    /// The parent of each of up to 64 ranks: the first smaller rank among its arcs that pass by
    /// their words, or itself; returns the ranks that have an arc that may pass.
    std::uint64_t (*hook_ranks)(const GatedRows& rows, std::uint32_t first, std::uint32_t count,
                                std::uint32_t* parent);
    /// mass = damping * sum(weight * value) + extra; arc i of a row adds to lane i mod 4.
    void (*pull16)(const PullRows& rows, std::uint32_t first, std::uint32_t last, PullSums& sums);
    /// Products of `count` rows' heads with those of a tile, and of their tails, added up:
    /// out [count][head_tile]. The order of the sums is the lanes' own.
    void (*head_bounds)(const HeadTile& tile, const float* const* rows, const float* tails,
                        std::size_t count, float* out);
    /// Cells per group that `nearest` is fast enough for.
    std::uint32_t cells;
    /// Words that gate_bits asks at once.
    std::size_t gate_words;
};

extern const Kernels scalar_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels amx_kernels;
#elif defined(__aarch64__)
extern const Kernels neon_kernels;
#endif

/// The kernels in use; throws BackendUnavailable when REMANENCE_SIMD names none that runs here.
const Kernels& kernels();

/// Whether matrix_bounds may run; asks the operating system once, when it is first needed.
bool matrix_unit();

}  // namespace remanence::cpu
