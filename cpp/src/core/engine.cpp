// The writes of the engine: each is checked whole before anything changes.
#include "remanence/engine.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_set>

#include "core/activation.hpp"
#include "core/check.hpp"
#include "core/codes.hpp"
#include "core/side_bound.hpp"
#include "core/state.hpp"

namespace remanence {
namespace {

std::uint32_t live_row(const char* verb, const Columns& columns, Id id) {
    const std::uint32_t row = columns.live_row(id);
    if (row == none) {
        throw NotFound(std::string(verb) + ": there is no memory " + std::to_string(id));
    }
    return row;
}

void check_live(const char* verb, const Columns& columns, View<const Id> ids) {
    for (const Id id : ids) live_row(verb, columns, id);
}

/// Refuses an id that occurs twice: the second change would act on a memory already changed.
void check_distinct(const char* verb, View<const Id> ids) {
    std::unordered_set<Id> seen;
    for (const Id id : ids) {
        check(seen.insert(id).second, verb,
              [&] { return "id " + std::to_string(id) + " occurs twice"; });
    }
}

}  // namespace

void Engine::State::count_live(std::uint32_t row, bool added) {
    const Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    const std::size_t node = is_node(s.kind[r]) ? 1 : 0;
    scopes[s.scope[r]][node].add(s, r, columns, added);
    all[node].add(s, r, columns, added);
}

void Engine::State::close_row(std::uint32_t row, Seq at) {
    Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    s.seq_to[r] = at;
    for (auto& bits : s.live) bits[r / 64] &= ~(std::uint64_t{1} << (r % 64));
    columns.changes.row(row);
    BlockSummary& block = s.blocks[r / block_rows];
    ++block.closed;
    block.last_seq_to = std::max(block.last_seq_to, at);
    count_live(row, false);
}

void Engine::State::weigh(const Edge& edge, bool counts) {
    if (edge.seq_to == seq_open && columns.visible_row(edge.source, seq_now) != none &&
        columns.visible_row(edge.target, seq_now) != none) {
        links.weigh(edge, counts);
    }
}

void Engine::State::weigh_links(std::uint32_t node, bool counts) {
    links.each(node, [&](const Edge& e, bool) { weigh(e, counts); });
}

void Engine::State::index_session(std::uint32_t row) {
    const std::uint32_t session = columns.at(row).session[Columns::within(row)];
    if (session != 0) sessions[session].push_back(row);
}

Engine::Engine(std::size_t dim, std::string_view backend) : state_(std::make_unique<State>()) {
    state_->use(backend);
    check(dim <= max_dim, "Engine", [&] {
        return "dim must be at most " + std::to_string(max_dim) + " (got " + std::to_string(dim) +
               ")";
    });
    if (dim != 0) state_->columns.set_dim(dim);
}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::close(View<const Seq> seq, View<const Id> ids, bool check_only) {
    const WriteLock lock(*state_);
    if (ids.empty()) return;
    check_seq("close", seq, ids.size(), state_->seq);
    check_distinct("close", ids);
    check_live("close", state_->columns, ids);
    if (check_only) return;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        state_->weigh_links(state_->columns.node_of(ids[i]), false);
        state_->close_row(state_->columns.live_row(ids[i]), seq_of(seq, i));
    }
    state_->seq = seq.back();
}

void Engine::restore(View<const Seq> seq, View<const Id> ids, bool check_only) {
    const WriteLock lock(*state_);
    if (ids.empty()) return;
    Columns& columns = state_->columns;
    check_seq("restore", seq, ids.size(), state_->seq);
    check_distinct("restore", ids);
    for (const Id id : ids) {
        const std::uint32_t node = columns.node_of(id);
        if (node == none) throw NotFound("restore: there is no memory " + std::to_string(id));
        check(columns.live_row(id) == none, "restore",
              [&] { return "memory " + std::to_string(id) + " is not forgotten"; });
        const std::uint32_t row = columns.newest[node];
        check((columns.at(row).flags[Columns::within(row)] & flag::erased) == 0, "restore",
              [&] { return "memory " + std::to_string(id) + " was erased"; });
    }
    if (check_only) return;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::uint32_t old = columns.newest[columns.node_of(ids[i])];
        const std::uint32_t row = columns.copy_row(old);
        Segment& s = columns.at(row);
        s.seq_from[Columns::within(row)] = seq_of(seq, i);
        s.seq_to[Columns::within(row)] = seq_open;
        state_->lexicon.copy_row(old, row);
        state_->index_session(row);
        state_->count_live(row, true);
        state_->weigh_links(s.node[Columns::within(row)], true);
        s.summarise(Columns::within(row));
    }
    state_->seq = seq.back();
}

void Engine::State::erase_vector(std::uint32_t row) {
    const std::uint32_t other = columns.at(row).room[Columns::within(row)];
    const std::uint32_t at = other != 0 ? other - 1 : row;
    Segment& s = columns.at(at);
    const std::uint32_t r = Columns::within(at);
    const std::size_t bytes = columns.padded_dim * sizeof(float);
    if (columns.dim != 0) std::memset(s.vectors() + r * columns.padded_dim, 0, bytes);
    if (columns.dim != 0 && spill != nullptr) spill->wipe(s.rooms, r * bytes, bytes);
    if (++s.rooms.erased[r / block_rows] == block_rows) {
        s.rooms.release(r / block_rows, columns.padded_dim);
    }
}

void Engine::erase(View<const Seq> seq, View<const Id> ids, bool check_only) {
    WriteLock lock(*state_);
    if (ids.empty()) return;
    Columns& columns = state_->columns;
    check_seq("erase", seq, ids.size(), state_->seq);
    check_distinct("erase", ids);
    for (const Id id : ids) {
        const std::uint32_t node = columns.node_of(id);
        if (node == none) throw NotFound("erase: there is no memory " + std::to_string(id));
    }
    if (check_only) return;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const std::uint32_t node = columns.node_of(ids[i]);
        const std::uint32_t live = columns.live_row(ids[i]);
        if (live != none) {
            state_->weigh_links(node, false);
            state_->close_row(live, seq_of(seq, i));
        }
        state_->links.close_node(node, seq_of(seq, i));
        for (std::uint32_t row = columns.newest[node]; row != none;
             row = columns.at(row).previous[Columns::within(row)]) {
            Segment& s = columns.at(row);
            const std::uint32_t r = Columns::within(row);
            state_->lexicon.erase_row(row);
            if ((s.flags[r] & flag::erased) != 0) continue;
            state_->erase_vector(row);
            erase_code(s, r);
            columns.changes.row(row);
            columns.changes.vector(row);
            s.flags[r] = flag::erased;
            s.length[r] = 0;
            s.words[r] = 0;
            s.statics[r] = static_index(s.kind[r], 0, 0);
            s.summarise(r);
            if (s.dead(r / block_rows)) s.codes.release(r / block_rows * block_rows, block_rows);
        }
    }
    state_->seq = seq.back();
    lock.show();
    state_->gather_erased();
}

void Engine::touch(View<const Seq> seq, const TouchBatch& batch, bool check_only) {
    const WriteLock lock(*state_);
    const std::size_t n = batch.id.size();
    if (n == 0) return;
    Columns& columns = state_->columns;
    check_seq("touch", seq, n, state_->seq);
    check_length("touch", "time", batch.time.size(), n);
    check_length("touch", "weight", batch.weight.size(), n);
    check_length("touch", "used", batch.used.size(), n);
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t row = live_row("touch", columns, batch.id[i]);
        const TimeNs created = columns.at(row).created[Columns::within(row)];
        check(batch.time[i] >= created, "touch", [&] {
            return "the access is earlier than memory " + std::to_string(batch.id[i]) + " (got " +
                   std::to_string(batch.time[i]) + " ns, want at least " + std::to_string(created) +
                   ")";
        });
        check(batch.weight[i] > 0.0F && batch.weight[i] <= 100.0F, "touch", [&] {
            return "weight must be in (0, 100] (got " + std::to_string(batch.weight[i]) + ")";
        });
        check(batch.used[i] >= -1 && batch.used[i] <= 1, "touch", [&] {
            return "used must be 1, 0 or -1 (got " + std::to_string(batch.used[i]) + ")";
        });
    }
    if (check_only) return;
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint32_t row = columns.live_row(batch.id[i]);
        Segment& s = columns.at(row);
        const std::uint32_t r = Columns::within(row);
        AccessState access = read_access(s, r);
        const bool untouched = access.accesses <= 1 && access.used == 0 && access.unused == 0;
        add_access(access, static_cast<Law>(s.law[r]), batch.time[i], batch.weight[i],
                   batch.used[i]);
        write_access(s, r, access);
        columns.changes.row(row);
        raise_bounds(s, r);
        s.blocks[r / block_rows].touched += untouched ? 1 : 0;
        columns.touches.push_back({batch.time[i],
                                   seq_of(seq, i),
                                   row,
                                   s.last_touch[r],
                                   batch.weight[i],
                                   batch.used[i],
                                   {}});
        s.last_touch[r] = static_cast<std::uint32_t>(columns.touches.size() - 1);
    }
    state_->seq = seq.back();
}

}  // namespace remanence
