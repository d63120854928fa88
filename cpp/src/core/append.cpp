// Adding rows: checked, then prepared where no reader looks, then shown to all at once.
#include <algorithm>
#include <cmath>
#include <mutex>
#include <unordered_map>

#include "remanence/canonical.hpp"

#include "core/activation.hpp"
#include "core/check.hpp"
#include "core/codes.hpp"
#include "core/state.hpp"
#include "core/threads.hpp"
#include "cpu/kernels.hpp"

namespace remanence {
namespace {

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

std::uint32_t count_words(std::string_view terms) {
    std::uint32_t words = 0;
    each_term(terms, [&](std::string_view word) { words += word.front() != '#' ? 1 : 0; });
    return words;
}

using ScopeTotals = std::unordered_map<std::uint32_t, std::array<Totals, 2>>;

/// Fills a row beyond the count, as if its memory were new.
void prepare_row(Columns& columns, const MemoryBatch& b, std::size_t i, Seq seq, ScopeTotals& sum) {
    const std::uint32_t row = columns.count() + static_cast<std::uint32_t>(i);
    Segment& s = columns.coming(row);
    const std::uint32_t r = Columns::within(row);
    s.id[r] = b.id[i];
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
    s.words[r] = count_words(b.terms[i]);
    s.length[r] = b.length[i];
    s.kind[r] = b.kind[i];
    s.law[r] = b.law[i];
    s.flags[r] = b.flags[i];
    s.statics[r] = static_index(b.kind[i], b.flags[i], b.length[i]);
    s.created[r] = b.time[i];
    s.last_touch[r] = none;
    write_access(s, r, first_access(static_cast<Law>(b.law[i]), b.time[i]));
    if (const auto vector = vector_of(b, i); !vector.empty()) {
        store_unit(vector, s.vectors() + r * columns.padded_dim, columns.padded_dim);
        s.flags[r] |= flag::has_vector;
    }
    sum[b.scope[i]][is_node(b.kind[i]) ? 1 : 0].add(s, r, columns, true);
}

/// Prepares all rows, many of them with all threads: fresh pages cost more than what is written.
ScopeTotals prepare(Columns& columns, View<const Seq> seq, const MemoryBatch& b) {
    const std::size_t rows = b.id.size();
    const std::size_t tasks = (rows + block_rows - 1) / block_rows;
    const int workers = tasks < bulk_blocks ? 1 : spare_workers();
    std::vector<ScopeTotals> sums(static_cast<std::size_t>(workers));
    parallel_for(tasks, workers, [&](std::size_t task, int worker) {
        const std::size_t end = std::min(rows, (task + 1) * block_rows);
        for (std::size_t i = task * block_rows; i < end; ++i) {
            prepare_row(columns, b, i, seq_of(seq, i), sums[static_cast<std::size_t>(worker)]);
        }
    });
    for (std::size_t w = 1; w < sums.size(); ++w) {
        for (const auto& [scope, totals] : sums[w]) {
            for (std::size_t which = 0; which < totals.size(); ++which) {
                sums[0][scope][which].add(totals[which]);
            }
        }
    }
    return std::move(sums[0]);
}

/// Makes the next prepared row one of the store's.
void publish_row(Engine::State& state, Id id, std::string_view terms, Seq seq) {
    Columns& columns = state.columns;
    const std::uint32_t known = columns.node_of(id);
    const std::uint32_t previous = known == none ? none : columns.newest[known];
    const bool live = previous != none && columns.row_visible(previous, seq_now);
    if (live) state.close_row(previous, seq);
    const std::uint32_t row = columns.add_row();
    Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    const std::uint32_t node = known == none ? columns.add_node(id) : known;
    columns.newest[node] = row;
    s.node[r] = node;
    s.previous[r] = previous;
    state.lexicon.append(row, terms);
    if (previous != none) {
        const Segment& old = columns.at(previous);
        const std::uint32_t o = Columns::within(previous);
        s.created[r] = old.created[o];
        s.last_touch[r] = old.last_touch[o];
        write_access(s, r, read_access(old, o));
        if (!live) state.weigh_links(node, true);
    }
    state.index_session(row);
}

void publish(Engine::State& state, View<const Seq> seq, const MemoryBatch& b,
             const ScopeTotals& sum) {
    Columns& columns = state.columns;
    for (const auto& [scope, totals] : sum) {
        for (std::size_t which = 0; which < totals.size(); ++which) {
            state.scopes[scope][which].add(totals[which]);
            state.all[which].add(totals[which]);
        }
    }
    const std::uint32_t first = columns.count();
    for (std::size_t i = 0; i < b.id.size(); ++i) {
        publish_row(state, b.id[i], b.terms[i], seq_of(seq, i));
    }
    for (std::uint32_t row = first / block_rows * block_rows; row < columns.count();
         row += block_rows) {
        columns.at(row).summarise(Columns::within(row));
    }
    state.seq = seq.back();
}

}  // namespace

void Engine::append(View<const Seq> seq, const MemoryBatch& batch, bool check_only) {
    if (batch.id.empty()) return;
    Columns& columns = state_->columns;
    std::unique_lock turn(state_->writing);
    check_lengths(batch);
    check_seq("append", seq, batch.id.size(), state_->seq);
    check_vectors(columns, batch);
    check_rows(columns, batch);
    if (check_only) return;
    if (columns.dim == 0 && batch.dim != 0) {
        const std::unique_lock lock(state_->mutex);
        columns.set_dim(batch.dim);
    }
    const std::uint32_t first = columns.count();
    columns.reserve_rows(batch.id.size());
    const ScopeTotals sum = prepare(columns, seq, batch);
    {
        const std::unique_lock lock(state_->mutex);
        publish(*state_, seq, batch, sum);
    }
    const std::size_t filled = columns.count() / segment_rows;
    if (first / segment_rows == filled) turn.unlock();
    state_->encode_from(first / segment_rows);
    state_->arrange_filled(first / segment_rows, filled);
    const std::shared_lock lock(state_->mutex);
    const std::lock_guard encoding(state_->encoding);
    state_->spill_vectors();
}

void Engine::State::encode_from(std::size_t segment) {
    const std::shared_lock lock(mutex);
    const std::lock_guard only(encoding);
    for (; segment < columns.segments.size(); ++segment) {
        const auto& cells = columns.cells_of(segment);
        if (cells != nullptr && (finder == nullptr || finder->cells() != cells)) {
            finder = std::make_unique<CellFinder>(CellFinder::of_halves(cells, columns.padded_dim));
        }
        encode(columns, *columns.segments[segment], cells != nullptr ? finder.get() : nullptr);
    }
}

void Engine::State::spill_vectors() {
    if (spill == nullptr) return;
    std::size_t kept = 0;
    for (const auto& s : columns.segments)
        kept += s->rooms.pages.filed() ? 0 : s->rooms.pages.bytes();
    for (const auto& s : columns.segments) {
        if (kept <= kept_vector_bytes) return;
        if (s->count != segment_rows || s->rooms.pages.filed()) continue;
        if (!spill->take(s->rooms)) return;
        kept -= s->rooms.pages.bytes();
    }
}

void Engine::spill(const std::string& folder, std::size_t kept_bytes) {
    auto spill = std::make_unique<Spill>(folder);
    const WriteLock lock(*state_);
    if (state_->spill == nullptr) state_->spill = std::move(spill);
    state_->kept_vector_bytes = kept_bytes;
    state_->spill_vectors();
}

}  // namespace remanence
