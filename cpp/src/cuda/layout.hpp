// What kernels read: rows as plain columns, and a question as numbers and lists. Device pointers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/columns.hpp"
#include "core/scan.hpp"

namespace remanence::cuda {

inline constexpr unsigned code_planes = 6;       ///< bits of a rotated question's coordinate
inline constexpr std::uint32_t group_rows = 32;  ///< rows whose code words lie side by side
inline constexpr std::uint32_t chunk_dims = 32;  ///< dimensions that tensor cores take at a time
inline constexpr std::uint32_t question_group = 64;  ///< questions of a batch that a warp takes
inline constexpr std::size_t least_code_dim = 64;
inline constexpr std::size_t most_code_dim = 3072;  ///< what four warps can rotate at a time

using Key = unsigned long long;  ///< ordered score << 32 | row; 0 = nothing

/// The columns of one segment, [capacity] each.
struct SegmentColumns {
    const std::uint32_t* scope;
    const std::uint32_t* author;
    const TimeNs* time;
    const TimeNs* valid_from;
    const TimeNs* valid_to;
    const Seq* seq_from;
    const Seq* seq_to;
    const float* belief;
    const float* log_belief;
    const float* importance;
    const std::uint32_t* words;
    const std::uint16_t* statics;
    const std::uint8_t* kind;
    const std::uint8_t* law;
    const std::uint8_t* flags;
    const float* trace[trace_count];
    const TimeNs* last_access;
    const TimeNs* created;
    const std::uint32_t* accesses;
    const float* stability;
    const std::uint16_t* used;
    const std::uint16_t* unused;
    const BlockSummary* blocks;  ///< [segment_blocks]
    const float* vectors;        ///< [.., padded]; null: they stay on the host
    std::uint32_t first_vector;  ///< the row of vectors[0]
    std::uint32_t encoded;       ///< rows that have a code, whole blocks
    std::uint32_t* code;         ///< [rows / 32][code words][32]
    float* scale;
    float* error;
    float* centre;         ///< [padded]
    std::uint32_t* bytes;  ///< a byte for each dimension, see bytes.cuh; null: not made
    float* byte_step;
    float* byte_lost;  ///< the length of what the bytes leave out
    const Id* id;
};

struct Rows {
    const SegmentColumns* segments = nullptr;
    std::uint32_t count = 0;
    std::uint32_t segment_count = 0;
    std::uint32_t dim = 0;
    std::uint32_t padded = 0;
    std::uint32_t code_words = 0;  ///< 32 dimensions each
    std::uint32_t chunks = 0;      ///< of the bytes, 32 dimensions each
    bool operator==(const Rows&) const = default;
};

/// One question. Null lists add or exclude nothing.
struct Question {
    TimeNs now;
    Seq seq;
    TimeNs valid_at;
    std::uint32_t has_valid_at;
    std::uint32_t kinds;
    float min_belief;
    std::uint32_t scope_count;  ///< 0 = all scopes
    const std::uint8_t* scopes;
    const std::uint64_t* allowed;
    const std::uint32_t* excluded;  ///< ascending
    std::uint32_t excluded_count;
    std::uint32_t past_count;
    const PastState* past;  ///< ascending by row
    const float* lexical;   ///< [rows]
    const TimeNs* dates;    ///< [date_count, 2]
    std::uint32_t date_count;
    std::uint32_t author;
    float author_weight;
    float date;
    float lift;
    float activation;
    float usefulness;
    float importance;
    float cosine;
    float lexical_weight[kind_count];
    float table[static_count];
    PowerTraceConstants trace;
    const float* query;  ///< [padded]; null = no vector cue
    float slack;         ///< what rounding may add to a bound; 0 = values are exact
};

/// A question's side of the code bounds, made on the device.
struct CodeQuestion {
    std::uint32_t* planes;  ///< [code words][code_planes] two's complement, least bit first
    float* centre;          ///< [segment] <q, c>
    float* numbers;         ///< step, -(sum of the coordinates), norm times the deviations, slack
};

/// A question of a batch against the bytes: score = side + factor <a, b> step, and at most
/// fixed + along lost away from it.
struct ByteQuestion {
    float factor, along, fixed;
    float level;  ///< the least score + along lost that counts
};

/// A word of a question: the rows that hold it, ascending and on the device.
struct Word {
    const Posting* list;
    std::uint32_t count;
    float weight;
};

/// The words of a question of a batch. Each posting has a place; a row that several words hold
/// counts at the first of them.
struct QuestionWords {
    const Word* words;
    std::uint32_t count;
    std::uint32_t first;   ///< its places
    std::uint32_t places;  ///< as many as its words have postings
    float base, slope;     ///< BM25, as in ScanPlan
};

/// Questions that share everything but the vector and the words, [count] each. Device pointers.
struct Batch {
    std::uint32_t count;
    std::uint32_t keep;
    std::uint32_t rows, padded, chunks;
    std::uint32_t room;       ///< candidates that a question may have
    std::uint32_t kept_room;  ///< of these, such that may be among the best
    std::uint32_t best_room;  ///< and such that are
    std::uint32_t stride;     ///< of the tiles of 32 rows that the sample takes
    std::uint32_t sampled;    ///< rows in the sample
    const float* queries;     ///< [padded]
    std::uint32_t* bytes;     ///< in whole groups, see bytes.cuh
    ByteQuestion* numbers;    ///< in whole groups
    float* slack;             ///< what rounding may add
    float* side;  ///< [rows, in whole blocks] all but words and cosine; -inf = does not pass
    std::uint32_t* sample;  ///< [sampled] ordered lower bounds
    std::uint32_t* counts;  ///< candidates; more than `room` = too many
    Key* keys;              ///< [room] upper bounds
    std::uint32_t* lows;    ///< [room] ordered lower bounds
    std::uint32_t* kept_counts;
    Key* kept;  ///< [kept_room] exact scores
    std::uint32_t* best_counts;
    Key* best;                             ///< [best_room]
    const Question* question = nullptr;    ///< what the questions share
    const QuestionWords* words = nullptr;  ///< null: no question has words
    Key* word_keys = nullptr;              ///< [places] upper bounds; 0 = not counted here
    std::uint32_t* word_lows = nullptr;    ///< [places] ordered lower bounds
    std::uint32_t most_places = 0;         ///< that a question has
};
inline constexpr std::uint32_t too_many = 0xFFFF'FFFFU;  ///< a count that the room did not hold

/// What a scan counts, in one piece so that one copy brings it home.
struct Counters {
    unsigned long long scanned;
    std::uint32_t candidates;
    std::uint32_t kept;
    std::uint32_t bar;       ///< ordered bits of the least score that may be among the best
    std::uint32_t seed_bar;  ///< ordered bits of the k-th best bound of a group
};

}  // namespace remanence::cuda
