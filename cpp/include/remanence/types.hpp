// The small vocabulary that every header shares: ids, times, kinds, flags, edge types, views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

namespace remanence {

using Id = std::int64_t;      ///< a memory, as the log numbers it (positive)
using EdgeId = std::int64_t;  ///< an edge, as the log numbers it (positive)
using Seq = std::int64_t;     ///< a commit of the log (1, 2, ...); the order of transactions
using TimeNs = std::int64_t;  ///< nanoseconds since 1970-01-01 UTC

inline constexpr TimeNs time_min = std::numeric_limits<TimeNs>::min();  ///< open start
inline constexpr TimeNs time_max = std::numeric_limits<TimeNs>::max();  ///< open end
inline constexpr Seq seq_now = std::numeric_limits<Seq>::max() - 1;     ///< "as of now"
inline constexpr Seq seq_open = std::numeric_limits<Seq>::max();        ///< not closed

/// Whether an interval that ends at `end` is still open at `t`; time_max never ends.
constexpr bool open_at(TimeNs end, TimeNs t) { return t < end || end == time_max; }

/// What a memory is. The kind picks the default weights of a question.
enum class Kind : std::uint8_t {
    episodic = 0,
    semantic = 1,
    document = 2,
    procedural = 3,
    entity = 4,
    statement = 5
};
inline constexpr int kind_count = 6;

/// Entities and statements are nodes of the graph: they lead to memories and count for nothing in
/// the statistics of words and vectors.
inline constexpr std::uint32_t node_kinds = 1U << 4U | 1U << 5U;
constexpr bool is_node(std::uint8_t kind) { return (node_kinds >> kind & 1U) != 0; }

/// How a memory's activation decays.
enum class Law : std::uint8_t { power_trace = 0, fsrs6 = 1, half_life = 2 };
inline constexpr int law_count = 3;

/// The commit that an answer sees; nothing, or anything after the newest, means now.
constexpr Seq seq_seen(std::optional<Seq> as_of) {
    return as_of && *as_of < seq_now ? *as_of : seq_now;
}

/// Bits of the flags column. `question`: the text ends with a question mark. `time_expression`: it
/// says when. `pinned`: never forgotten. `update`: it announces a change. `dated`: it names a day
/// or an hour. `subject`: an entity that memories are about. The upper two belong to the engine.
namespace flag {
inline constexpr std::uint8_t question = 1;
inline constexpr std::uint8_t time_expression = 2;
inline constexpr std::uint8_t pinned = 4;
inline constexpr std::uint8_t update = 8;
inline constexpr std::uint8_t dated = 16;
inline constexpr std::uint8_t subject = 32;
inline constexpr std::uint8_t erased = 64;
inline constexpr std::uint8_t has_vector = 128;
inline constexpr std::uint8_t user_bits =
    question | time_expression | pinned | update | dated | subject;
}  // namespace flag

/// Edge types that the engine itself gives a meaning to; a caller's own start at `first_free`.
namespace edge_type {
inline constexpr std::uint16_t next = 1;          ///< turn -> the turn after it, same session
inline constexpr std::uint16_t answers = 2;       ///< answer -> its question
inline constexpr std::uint16_t mentions = 3;      ///< memory -> entity
inline constexpr std::uint16_t supersedes = 4;    ///< newer -> older
inline constexpr std::uint16_t derived_from = 5;  ///< general -> premise
inline constexpr std::uint16_t related = 6;
inline constexpr std::uint16_t about = 7;   ///< memory -> entity that is its subject
inline constexpr std::uint16_t states = 8;  ///< memory -> statement that it makes
inline constexpr std::uint16_t first_free = 16;
}  // namespace edge_type

inline constexpr std::size_t max_k = 1'000'000;
inline constexpr std::size_t max_dim = 65'536;

template <class T>
using View = std::span<T>;

}  // namespace remanence
