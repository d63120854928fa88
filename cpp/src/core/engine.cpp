// The writes of the engine: each is checked whole before anything changes.
#include "remanence/engine.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "remanence/canonical.hpp"

#include "core/activation.hpp"
#include "core/check.hpp"
#include "core/codes.hpp"
#include "core/state.hpp"
#include "cpu/kernels.hpp"

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

void check_lengths(const MemoryBatch& b) {
    const std::size_t n = b.id.size();
    check_length("append", "scope", b.scope.size(), n);
    check_length("append", "kind", b.kind.size(), n);
    check_length("append", "law", b.law.size(), n);
    check_length("append", "flags", b.flags.size(), n);
    check_length("append", "author", b.author.size(), n);
    check_length("append", "session", b.session.size(), n);
    check_length("append", "length", b.length.size(), n);
    check_length("append", "time", b.time.size(), n);
    check_length("append", "valid_from", b.valid_from.size(), n);
    check_length("append", "valid_to", b.valid_to.size(), n);
    check_length("append", "belief", b.belief.size(), n);
    check_length("append", "importance", b.importance.size(), n);
    check_length("append", "terms", b.terms.size(), n);
    check_length("append", "vector_row", b.vector_row.empty() ? n : b.vector_row.size(), n);
}

void check_vectors(const Columns& columns, const MemoryBatch& b) {
    if (b.dim == 0) {
        check(b.vectors.empty(), "append", [] { return std::string("vectors need a dimension"); });
        return;
    }
    check(b.dim <= max_dim && (columns.dim == 0 || b.dim == columns.dim), "append", [&] {
        return "vectors have the wrong dimension (got " + std::to_string(b.dim) + ", want " +
               (columns.dim != 0 ? std::to_string(columns.dim)
                                 : "at most " + std::to_string(max_dim)) +
               ")";
    });
    const std::size_t rows = b.vectors.size() / b.dim;
    if (b.vector_row.empty()) check_length("append", "vectors", rows, b.id.size());
    for (const std::int32_t row : b.vector_row) {
        check(row >= -1 && row < static_cast<std::int64_t>(rows), "append", [&] {
            return "vector_row points outside vectors (got " + std::to_string(row) +
                   ", want -1 to " + std::to_string(rows) + " - 1)";
        });
    }
    for (std::size_t r = 0; r < rows; ++r) {
        check_vector("append", b.vectors.subspan(r * b.dim, b.dim), r);
    }
}

void check_law_kept(const MemoryBatch& b, std::size_t i, std::uint8_t law) {
    check(b.law[i] == law, "append", [&] {
        return "memory " + std::to_string(b.id[i]) + " keeps its decay law (got " +
               std::to_string(b.law[i]) + ", want " + std::to_string(law) + ")";
    });
}

void check_rows(const Columns& columns, const MemoryBatch& b) {
    std::unordered_map<Id, std::uint8_t> fresh;  // laws of the memories that the batch makes
    for (std::size_t i = 0; i < b.id.size(); ++i) {
        check(b.id[i] > 0, "append",
              [&] { return "ids must be positive (got " + std::to_string(b.id[i]) + ")"; });
        check(b.kind[i] < kind_count, "append",
              [&] { return "kind must be below 6 (got " + std::to_string(b.kind[i]) + ")"; });
        check(b.law[i] < law_count, "append",
              [&] { return "law must be below 3 (got " + std::to_string(b.law[i]) + ")"; });
        check((b.flags[i] & ~flag::user_bits) == 0, "append", [&] {
            return "flags may hold bits 0 to 5 (got " + std::to_string(b.flags[i]) + ")";
        });
        check(b.scope[i] < scope_limit, "append",
              [&] { return "scope must be below 2^24 (got " + std::to_string(b.scope[i]) + ")"; });
        check_interval("append", b.valid_from[i], b.valid_to[i]);
        check_unit_interval("append", "belief", b.belief[i]);
        check(std::fabs(b.importance[i]) <= 100.0F, "append", [&] {
            return "importance must be within 100 nats of 0 (got " +
                   std::to_string(b.importance[i]) + ")";
        });
        const std::uint32_t node = columns.node_of(b.id[i]);
        if (node == none) {
            const std::uint8_t law = fresh.emplace(b.id[i], b.law[i]).first->second;
            check_law_kept(b, i, law);
            continue;
        }
        const std::uint32_t row = columns.newest[node];
        const Segment& s = columns.at(row);
        const std::uint32_t r = Columns::within(row);
        check((s.flags[r] & flag::erased) == 0, "append",
              [&] { return "memory " + std::to_string(b.id[i]) + " was erased"; });
        check_law_kept(b, i, s.law[r]);
    }
}

/// Copies `from` at length one; division and square root are exact roundings on every machine.
void store_unit(View<const float> from, float* to, std::size_t padded) {
    std::copy(from.begin(), from.end(), to);
    float squares = 0.0F;
    cpu::kernels().dot(to, to, padded, 1, &squares);
    const float norm = std::sqrt(squares);
    for (std::size_t j = 0; j < from.size(); ++j) to[j] = to[j] / norm;
}

View<const float> vector_of(const MemoryBatch& b, std::size_t i) {
    if (b.dim == 0) return {};
    const std::int64_t row = b.vector_row.empty() ? static_cast<std::int64_t>(i) : b.vector_row[i];
    return row < 0 ? View<const float>{}
                   : b.vectors.subspan(static_cast<std::size_t>(row) * b.dim, b.dim);
}

void append_row(Engine::State& state, const MemoryBatch& b, std::size_t i, Seq seq) {
    Columns& columns = state.columns;
    const std::uint32_t known = columns.node_of(b.id[i]);
    const std::uint32_t previous = known == none ? none : columns.newest[known];
    if (previous != none && columns.row_visible(previous, seq_now)) state.close_row(previous, seq);
    const std::uint32_t row = columns.add_row();
    Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    const std::uint32_t node = known == none ? columns.add_node(b.id[i]) : known;
    columns.newest[node] = row;
    s.id[r] = b.id[i];
    s.node[r] = node;
    s.previous[r] = previous;
    s.scope[r] = b.scope[i];
    s.author[r] = b.author[i];
    s.session[r] = b.session[i];
    s.time[r] = b.time[i];
    s.valid_from[r] = b.valid_from[i];
    s.valid_to[r] = b.valid_to[i];
    s.seq_from[r] = seq;
    s.seq_to[r] = seq_open;
    s.belief[r] = b.belief[i];
    s.log_belief[r] = static_cast<float>(canonical_log(static_cast<double>(b.belief[i])));
    s.importance[r] = b.importance[i];
    s.words[r] = state.lexicon.append(row, b.terms[i]);
    s.length[r] = b.length[i];
    s.kind[r] = b.kind[i];
    s.law[r] = b.law[i];
    s.flags[r] = b.flags[i];
    s.statics[r] = static_index(b.kind[i], b.flags[i], b.length[i]);
    if (previous == none) {
        s.created[r] = b.time[i];
        s.last_touch[r] = none;
        write_access(s, r, first_access(static_cast<Law>(b.law[i]), b.time[i]));
    } else {
        const Segment& old = columns.at(previous);
        const std::uint32_t o = Columns::within(previous);
        s.created[r] = old.created[o];
        s.last_touch[r] = old.last_touch[o];
        write_access(s, r, read_access(old, o));
    }
    if (const auto vector = vector_of(b, i); !vector.empty()) {
        store_unit(vector, s.vectors() + r * columns.padded_dim, columns.padded_dim);
        s.flags[r] |= flag::has_vector;
    }
    state.index_session(row);
    state.count_live(row, true);
}

}  // namespace

void Engine::State::count_live(std::uint32_t row, bool added) {
    const Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    const std::size_t node = is_node(s.kind[r]) ? 1 : 0;
    scopes[s.scope[r]][node].add(columns, row, added);
    all[node].add(columns, row, added);
}

void Engine::State::close_row(std::uint32_t row, Seq at) {
    Segment& s = columns.at(row);
    s.seq_to[Columns::within(row)] = at;
    columns.changes.row(row);
    ++s.blocks[Columns::within(row) / block_rows].closed;
    count_live(row, false);
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

void Engine::append(View<const Seq> seq, const MemoryBatch& batch, bool check_only) {
    if (batch.id.empty()) return;
    const std::uint32_t first = append_rows(seq, batch, check_only);
    if (check_only) return;
    // Questions go on while the new rows are encoded; until then they are scored exactly.
    const std::shared_lock lock(state_->mutex);
    const std::lock_guard encoding(state_->encoding);
    const auto& segments = state_->columns.segments;
    for (std::size_t s = first / segment_rows; s < segments.size(); ++s) {
        encode(state_->columns, *segments[s]);
    }
}

std::uint32_t Engine::append_rows(View<const Seq> seq, const MemoryBatch& batch, bool check_only) {
    const std::unique_lock lock(state_->mutex);
    Columns& columns = state_->columns;
    check_lengths(batch);
    check_seq("append", seq, batch.id.size(), state_->seq);
    check_vectors(columns, batch);
    check_rows(columns, batch);
    const std::uint32_t first = columns.count();
    if (check_only) return first;
    if (columns.dim == 0 && batch.dim != 0) columns.set_dim(batch.dim);
    for (std::size_t i = 0; i < batch.id.size(); ++i) {
        append_row(*state_, batch, i, seq_of(seq, i));
    }
    for (std::uint32_t row = first / block_rows * block_rows; row < columns.count();
         row += block_rows) {
        columns.at(row).summarise(Columns::within(row));
    }
    state_->seq = seq.back();
    return first;
}

void Engine::close(View<const Seq> seq, View<const Id> ids, bool check_only) {
    const std::unique_lock lock(state_->mutex);
    if (ids.empty()) return;
    check_seq("close", seq, ids.size(), state_->seq);
    check_distinct("close", ids);
    check_live("close", state_->columns, ids);
    if (check_only) return;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        state_->close_row(state_->columns.live_row(ids[i]), seq_of(seq, i));
    }
    state_->seq = seq.back();
}

void Engine::restore(View<const Seq> seq, View<const Id> ids, bool check_only) {
    const std::unique_lock lock(state_->mutex);
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
        s.summarise(Columns::within(row));
    }
    state_->seq = seq.back();
}

void Engine::erase(View<const Seq> seq, View<const Id> ids, bool check_only) {
    const std::unique_lock lock(state_->mutex);
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
        state_->links.close_node(node, seq_of(seq, i));
        const std::uint32_t live = columns.live_row(ids[i]);
        if (live != none) state_->close_row(live, seq_of(seq, i));
        for (std::uint32_t row = columns.newest[node]; row != none;
             row = columns.at(row).previous[Columns::within(row)]) {
            Segment& s = columns.at(row);
            const std::uint32_t r = Columns::within(row);
            state_->lexicon.erase_row(row);
            if (columns.dim != 0) {
                std::fill_n(s.vectors() + r * columns.padded_dim, columns.padded_dim, 0.0F);
            }
            erase_code(s, r);
            columns.changes.row(row);
            columns.changes.vector(row);
            s.flags[r] = flag::erased;
            s.length[r] = 0;
            s.words[r] = 0;
            s.statics[r] = static_index(s.kind[r], 0, 0);
            s.summarise(r);
        }
    }
    state_->seq = seq.back();
}

void Engine::touch(View<const Seq> seq, const TouchBatch& batch, bool check_only) {
    const std::unique_lock lock(state_->mutex);
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
        raise_bound(s, r);
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
