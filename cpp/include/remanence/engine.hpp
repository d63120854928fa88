// The engine: memories, their words and their links as columns, written by commit, recalled in one
// call.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remanence/export.hpp"
#include "remanence/graph.hpp"
#include "remanence/graph_store.hpp"
#include "remanence/recall.hpp"
#include "remanence/types.hpp"

namespace remanence {

/// New memories (or new versions of live ones) as columns of one length n.
struct MemoryBatch {
    View<const Id> id;
    View<const std::uint32_t> scope;
    View<const std::uint8_t> kind;
    View<const std::uint8_t> law;
    View<const std::uint8_t> flags;
    View<const std::uint32_t> author;   ///< 0 = none
    View<const std::uint32_t> session;  ///< 0 = none
    View<const std::uint16_t> length;   ///< tokens of the memory's own text
    View<const TimeNs> time;            ///< when it happened; also the first access
    View<const TimeNs> valid_from;
    View<const TimeNs> valid_to;
    View<const float> belief;  ///< P(valid) in (0, 1]
    View<const float> importance;
    View<const std::string_view> terms;   ///< stems separated by single spaces
    View<const float> vectors;            ///< [m, dim] row-major, any length but zero
    View<const std::int32_t> vector_row;  ///< [n] row of `vectors` or -1; empty = in order
    std::size_t dim = 0;                  ///< columns of `vectors`
};

struct TouchBatch {
    View<const Id> id;
    View<const TimeNs> time;
    View<const float> weight;      ///< in (0, 100]
    View<const std::int8_t> used;  ///< 1 used, 0 shown but not used, -1 not known
};

/// What is known of one memory's activation and counts.
struct REMANENCE_API MemoryState {
    std::uint8_t law = 0;
    std::array<float, 12> trace{};
    TimeNs created = 0;
    TimeNs last_access = 0;
    std::uint32_t accesses = 0;
    float stability = 0.0F;
    float difficulty = 0.0F;
    std::uint32_t used = 0;
    std::uint32_t unused = 0;
    float belief = 1.0F;
};

struct REMANENCE_API EngineStats {
    std::size_t rows = 0;  ///< versions held, closed ones included
    std::size_t live = 0;
    std::size_t edges = 0;
    std::size_t live_edges = 0;
    std::size_t touches = 0;
    std::size_t terms = 0;
    std::size_t postings = 0;
    std::size_t segments = 0;
    std::size_t dim = 0;
    std::size_t column_bytes = 0;
    std::size_t vector_bytes = 0;
    std::size_t code_bytes = 0;  ///< one bit and one byte per dimension, for bounds
    std::size_t posting_bytes = 0;
    std::size_t edge_bytes = 0;
    std::size_t mapped = 0;           ///< bytes of vectors and codes that lie in a file
    std::size_t mapped_resident = 0;  ///< of these, in memory at the moment
    Seq seq = 0;
};

/// The engine's edges as a graph: node i is memory id[i], edge i is edge[i].
struct REMANENCE_API EngineGraph {
    Graph graph;
    std::vector<Id> id;
    std::vector<EdgeId> edge;
};

/// Thread-safe: any number of readers, one writer at a time. Every write names the commit it
/// belongs to; commits only grow. With `check_only` a write is validated and nothing changes.
class REMANENCE_API Engine {
public:
    /// `backend` runs the scans: "cpu", another of available_backends(), or "auto" for the best
    /// one. Answers are the same bits. Throws BackendUnavailable with the reason.
    explicit Engine(std::size_t dim = 0, std::string_view backend = "cpu");
    ~Engine();
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;

    std::size_t dim() const;
    Seq seq() const;
    /// The backend in use.
    const std::string& backend() const;

    /// `seq` holds one commit for all rows, or one per row, ascending.
    void append(View<const Seq> seq, const MemoryBatch& batch, bool check_only = false);
    void close(View<const Seq> seq, View<const Id> ids, bool check_only = false);
    void restore(View<const Seq> seq, View<const Id> ids, bool check_only = false);
    void erase(View<const Seq> seq, View<const Id> ids, bool check_only = false);
    void touch(View<const Seq> seq, const TouchBatch& batch, bool check_only = false);
    void link(View<const Seq> seq, const EdgeBatch& batch, bool check_only = false);
    void unlink(View<const Seq> seq, View<const EdgeId> edges, bool check_only = false);

    std::vector<std::uint8_t> contains(View<const Id> ids, std::optional<Seq> as_of = {}) const;
    /// Live memories of a scope whose words hold all of `terms`, ascending by row; none where they
    /// are more than `limit`, and none for no terms.
    std::vector<Id> holding(std::string_view terms, std::uint32_t scope, std::size_t limit) const;
    Hits recall(const Request& request) const;
    /// The same answers for many requests of one moment; they share the reading of the store. The
    /// first request's `threads` counts.
    std::vector<Hits> recall_many(View<const Request> requests) const;
    /// The best memories of many vectors by their own evidence, without words, names and links:
    /// filters, weights and moment are those of `like`, which holds neither vector nor words.
    void search(const Request& like, const VectorQuestions& questions) const;
    Neighbours neighbours(Id id, const EdgeFilter& filter) const;
    Reached khop(View<const Id> seeds, int hops, const EdgeFilter& filter, std::size_t limit) const;
    Mass propagate(const WalkRequest& request) const;
    /// ln((pi + d) / (prior + d)), d = 1e-3/N, clipped to +-4: how much more the walk visits a
    /// memory than it would in the long run, when its share is its share of all edge weight.
    Mass spread(const WalkRequest& request) const;
    /// Activation at `now` in nats, [n].
    std::vector<float> activation(View<const Id> ids, TimeNs now,
                                  std::optional<Seq> as_of = {}) const;
    MemoryState state(Id id) const;
    /// The unit vector [dim] of a memory, empty when it has none.
    std::vector<float> vector(Id id, std::optional<Seq> as_of = {}) const;

    /// Every edge ever linked, with its commits, as a graph of its own. It does not know which
    /// memories are hidden: pass `contains` as the filter's `allow`.
    EngineGraph graph() const;

    /// From now on, vectors beyond the first `kept_bytes` live in a file without a name in
    /// `folder`, mapped into memory, a full segment of 65,536 rows at a time. Answers stay the
    /// same; a full disk or a forked child keeps them in memory. Throws Error for a bad folder.
    void spill(const std::string& folder, std::size_t kept_bytes = std::size_t{4} << 30U);

    /// Sorts what was added last among what was there before, a million rows at a time, for the
    /// weights of the latest question with a vector, so that questions read less. Answers stay the
    /// same; readers go on and writers wait.
    void compact();

    EngineStats stats() const;
    /// 128 bits over everything that answers depend on; equal state, equal digest.
    std::string digest() const;
    /// Writes a snapshot with checksums; `tag` is the caller's own note, read back by `tag()`.
    void save(const std::string& path, const std::string& tag = {}) const;
    /// Throws CorruptData with the reason when the file is foreign, newer, truncated or damaged.
    static Engine load(const std::string& path, std::string_view backend = "cpu");
    const std::string& tag() const;

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace remanence
