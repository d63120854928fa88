// The kernels as ordinary functions: host code calls these, and only kernels.inl launches.
#pragma once

#include "remanence/decay.hpp"

#include "core/cover.hpp"
#include "core/device.hpp"
#include "cuda/layout.hpp"
#include "cuda/runtime.hpp"

namespace remanence::cuda {

/// What a scan writes: a value for each row, the greatest of each group and block as keys.
struct Values {
    std::uint32_t* value;  ///< [rows] ordered; 0 = does not pass
    Key* group;            ///< [rows / 32]
    Key* block;            ///< [rows / 1024]
    Counters* counters;
};

/// Keys on the device: `count` of them, or as many as `counted` says there.
struct KeyList {
    Key* keys;
    std::uint32_t count;
    const std::uint32_t* counted;
};

/// Unsigned integers in the order of the floats, and back.
float score_of(Key key);

/// Columns of a decay law on the device; those that it does not read are null.
template <class T>
struct DecayPointers {
    const TimeNs* access_times = nullptr;
    const std::int64_t* offsets = nullptr;
    const std::uint32_t* accesses = nullptr;
    const TimeNs* created = nullptr;
    const TimeNs* last_access = nullptr;
    const T* trace = nullptr;
    const T* stability = nullptr;
    double* scratch = nullptr;  ///< one for each access time
    Key* wrong = nullptr;       ///< the first memory out of range; null: columns were checked
};

/// The first memory whose history does not ascend within the access times goes to `wrong`.
void run_check_histories(const TimeNs* times, std::size_t time_count, const std::int64_t* offsets,
                         std::size_t count, Key* wrong, const Stream& stream);

void run_decay(const DecayLaw& law, const DecayPointers<float>& columns, TimeNs now,
               std::size_t count, float* out, const Stream& stream);
void run_decay(const DecayLaw& law, const DecayPointers<double>& columns, TimeNs now,
               std::size_t count, double* out, const Stream& stream);

/// A cover under way, all on the device; columns as in CoverPlan.
struct CoverColumns {
    std::uint32_t rows, padded, head;
    float cosine, least;  ///< bounds below `least` cannot reach the cosine
    const float* unit;
    const float* tail;
    const std::uint8_t* pinned;
    const std::uint32_t* group;
    std::uint32_t* stands;  ///< [rows] no_place at first
    std::uint32_t* kept;    ///< [rows] places, ascending
    std::uint32_t* held;    ///< how many of them
    std::uint32_t* near;    ///< [cover_block][cover_block / 32] bits
};
inline constexpr std::uint32_t cover_block = 1024;

/// The places from first on, `count` of them: who stands for each, and which are kept.
void run_cover_block(const CoverColumns& c, std::uint32_t first, std::uint32_t count,
                     const Stream& stream);

/// Rows of arcs on the device: those of rank r from offset[stride * r + low] to
/// offset[stride * r + high].
struct PlainRows {
    std::uint32_t ranks, active;  ///< ranks from `active` on have no arcs
    std::uint32_t stride, low, high;
    const std::uint32_t* offset;
    const std::uint32_t* to;
    const float* weight;  ///< null = every weight is `one`
    float one;
    const std::uint32_t* hubs;  ///< how many ranks have rows of more than hub_row arcs, then they
};
inline constexpr std::uint32_t hub_row = 1024;  ///< arcs: a row of more is summed by a block

/// The ranks of hubs into rows.hubs, whose first word is zero before.
void run_find_hubs(const PlainRows& rows, std::uint32_t* hubs, const Stream& stream);

/// Summed weights of the rows, one over them (0 = no arcs), and the bits of the greatest of those.
void run_sum_degrees(const PlainRows& rows, double* degree, double* inverse, Key* greatest,
                     const Stream& stream);

/// The state of up to 16 walks over one graph, all on the device.
struct WalkColumns {
    PlainRows rows;
    std::uint32_t ranks, width;
    const double* inverse;  ///< [ranks]
    std::uint32_t* place;   ///< [ranks] 1 + where its shares stand; 0 = no walk starts here
    const double* share;
    double* mass;         ///< [ranks][width]
    Key* lost;            ///< [width] mass of nodes without arcs, in units of 2^-62
    Key* moved;           ///< [width] change of the masses, likewise
    std::uint32_t* open;  ///< [width] walks that go on, and their number
    double damping, change;
};

/// Masses and places of the ranks where walks start; all others are zero.
void run_start_walks(const WalkColumns& c, const std::uint32_t* ranks, std::uint32_t count,
                     const Stream& stream);
/// One round of every walk that is open; `scaled` [ranks][width] is what nodes hand over.
void run_walk_round(const WalkColumns& c, float* scaled, const Stream& stream);
void run_walk_round(const WalkColumns& c, double* scaled, const Stream& stream);

void run_add_word(const Rows& rows, const Word& word, float base, float slope, float* lexical,
                  const Stream& stream);
void run_clear_word(const Word& word, float* lexical, const Stream& stream);
void run_make_centre(const SegmentColumns& s, std::uint32_t first, std::uint32_t end,
                     std::uint32_t padded, const Stream& stream);
void run_encode_rows(const SegmentColumns& s, std::uint32_t first, std::uint32_t end,
                     const Rows& rows, const Stream& stream);
void run_encode_question(const float* query, const Rows& rows, const CodeQuestion& out,
                         const Stream& stream);
void run_scan(bool coded, const Rows& rows, const Question* question, const CodeQuestion& codes,
              std::uint32_t first_block, std::uint32_t blocks, const Values& out,
              const Stream& stream);
void run_select_bar(const KeyList& list, std::uint32_t keep, std::uint32_t* bar,
                    const Stream& stream);
void run_start_bar(Counters* counters, bool exact, const Stream& stream);
void run_refine(const Rows& rows, const Question* question, const KeyList& list,
                const float* gathered, Counters* counters, bool seeds, const Stream& stream);
void run_collect(std::uint32_t rows, const Values& values, const Question* question,
                 Key* candidates, const Stream& stream);
void run_keep_best(const Key* candidates, Counters* counters, Key* kept, const Stream& stream);

void run_encode_bytes(const SegmentColumns& s, std::uint32_t first, std::uint32_t end,
                      const Rows& rows, const Stream& stream);
/// Unit vectors without the centre, [count][padded]; a vector without a direction leaves its number
/// plus one in `fault`.
void run_prepare_queries(const float* raw, const VectorQuestions& questions, std::uint32_t padded,
                         const float* centre, float* queries, std::uint32_t* fault,
                         const Stream& stream);
/// Whether the bytes of one group of questions fit the shared memory of a block.
bool batch_fits(std::uint32_t chunks);
void run_find_sides(const Rows& rows, const Question* question, float* side, Counters* counters,
                    const Stream& stream);
/// From the questions' vectors to what may be among the best, by upper bound.
void run_bounds(const Rows& rows, const Batch& batch, float cosine, bool vectors_here,
                const Stream& stream);
/// Exact scores of what was kept, by the device's vectors or by those gathered, see batch.cuh.
void run_score_kept(const Rows& rows, const Batch& batch, float cosine, const float* gathered,
                    const std::uint32_t* offset, const Stream& stream);
/// The best of them.
void run_choose(const Batch& batch, const Stream& stream);
void run_put_in_order(const Rows& rows, const Batch& batch, std::uint32_t k, Id* ids, float* scores,
                      const Stream& stream);

}  // namespace remanence::cuda
