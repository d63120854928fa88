// Everything an engine holds, and the lock that keeps writers from readers.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "remanence/engine.hpp"

#include "core/cells.hpp"
#include "core/columns.hpp"
#include "core/device.hpp"
#include "core/forks.hpp"
#include "core/lexicon.hpp"
#include "core/links.hpp"
#include "core/scan.hpp"
#include "core/spill.hpp"

namespace remanence {

inline constexpr std::uint32_t scope_limit = 1U << 24U;

/// What a question needs to know of all live rows of a scope: sums that are exact in any order.
struct Totals {
    std::uint64_t rows = 0;
    std::uint64_t words = 0;
    std::uint64_t vectors = 0;
    std::vector<std::int64_t> vector_sum;  ///< [dim] in units of 2^-30; empty = none yet

    void add(const Segment& s, std::uint32_t r, const Columns& columns, bool added);
    void add(const Totals& other);
};

struct Engine::State {
    /// Of the one writer, taken before `mutex`: it may prepare while readers go on.
    mutable ForkSafeMutex writing;
    mutable ForkSafeMutex mutex;
    Columns columns;
    Lexicon lexicon;
    Links links;
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> sessions;  ///< rows of each
    /// Of the live memories, then of the live nodes, of each scope and of all.
    std::unordered_map<std::uint32_t, std::array<Totals, 2>> scopes;
    std::array<Totals, 2> all;
    Seq seq = 0;
    std::string tag;
    std::string backend = "cpu";
    std::unique_ptr<Spill> spill;        ///< null: all vectors stay in memory
    std::size_t kept_vector_bytes = 0;   ///< in memory before the spill begins
    std::unique_ptr<DeviceRows> device;  ///< null: this processor scans
    std::unique_ptr<CellFinder> finder;  ///< of the latest cells; guarded by `encoding`
    /// Of the latest question with a vector, in memory only: what rows are sorted for. Read and
    /// written with std::atomic_load and _store.
    mutable std::shared_ptr<const Weights> asked;
    std::mutex encoding;  ///< taken with the shared lock held, so that no fork finds it taken

    /// Chooses the backend by name, "auto" included.
    void use(std::string_view name);
    void count_live(std::uint32_t row, bool added);
    void close_row(std::uint32_t row, Seq at);
    void index_session(std::uint32_t row);
    /// Counts an edge, or no longer, in the sums of what is seen now, if it and its ends are.
    void weigh(const Edge& edge, bool counts);
    /// All edges of a node, which is live when this is called.
    void weigh_links(std::uint32_t node, bool counts);
    /// Questions go on while new rows are encoded; until then they are scored exactly.
    void encode_from(std::size_t segment);
    /// Sorts the rows of full segments; `writing` is held and `mutex` is not. Vectors stay where
    /// they lie, but for what `gathers_vectors` says. Returns the segments that others took the
    /// place of.
    std::vector<std::unique_ptr<Segment>> arrange(std::size_t first, std::size_t count);
    /// Keeps the memory of a few for rows to come: its first touch costs more than sorting does.
    void reuse(std::vector<std::unique_ptr<Segment>> worn);
    /// Sorts segments that became full: each alone, then by quarters of a group, then the group.
    void arrange_filled(std::size_t first, std::size_t filled);
    /// Sorts the full segments of each group together, but for those whose vectors lie in a file.
    void compact();
    /// Moves the oldest full segments to the spill file while too much is in memory.
    void spill_vectors();
    /// Makes an erased row's vector zeros, wherever it lies.
    void erase_vector(std::uint32_t row);
    /// Sorts segments, and moves the vectors of groups, with many erased rows among others.
    void gather_erased();
};

/// Held by a writer while it changes what readers see.
class WriteLock {
public:
    explicit WriteLock(const Engine::State& state) : turn_(state.writing), lock_(state.mutex) {}

    /// Readers may go on; no other writer yet.
    void show() { lock_.unlock(); }

private:
    std::unique_lock<ForkSafeMutex> turn_;
    std::unique_lock<ForkSafeMutex> lock_;
};

/// Sums over the visible memories, or nodes, of the scopes that a question may see.
Totals corpus(const Engine::State& state, Seq seq, const ScopeSet& scopes, bool nodes);

}  // namespace remanence
