// Sorting the rows of full segments by scope, kind and cell, erased ones last, so that what a
// question wants lies side by side.
//
// The sorted copy is made beside readers and put in place at once. Answers do not depend on the
// order of rows; only what a question has to read does.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>
#include <unordered_set>

#include "core/cells.hpp"
#include "core/codes.hpp"
#include "core/row_order.hpp"
#include "core/state.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

constexpr std::uint32_t most_scattered = segment_rows / 8;  // erased rows that stay among others

bool may_move(const Segment& s, std::size_t dim) {
    if (s.count != segment_rows) return false;
    return codes_apply(dim) ? s.codes.encoded == segment_rows : s.rooms.spilled_at == not_spilled;
}

/// Whether vectors move with their rows. Without codes they are scanned one after the other; else
/// they are what is dearest to move, and do it for the memory of erased ones alone.
bool gathers_vectors(const Run& run) {
    if (!run.coded()) return true;
    std::size_t scattered = 0;
    for (std::uint32_t r = 0; r < run.rows(); r += segment_rows) {
        if (run.at(r).rooms.spilled_at != not_spilled) return false;
        scattered += run.at(r).rooms.scattered();
    }
    if (scattered < std::size_t{most_scattered} * run.count) return false;
    for (std::uint32_t r = 0; r < run.rows(); ++r) {
        const std::uint32_t room = run.at(r).room[r % segment_rows];
        if (room != 0 && room - 1 - run.first_row() >= run.rows()) return false;
    }
    return true;
}

/// Finds the cells of the group where there are none yet, and codes what has others in them.
void settle_cells(Run& run) {
    if (run.at(0).codes.encoded == 0) return;
    run.cells = run.columns.cells_of(run.first);
    if (run.cells == nullptr && run.by_cells())
        run.cells = find_cells(run.columns, run.first, run.count);
    if (run.cells == nullptr) return;
    std::unique_ptr<CellFinder> finder;
    for (std::size_t s = 0; s < run.count; ++s) {
        const Segment& segment = *run.columns.segments[run.first + s];
        if (segment.codes.cells == run.cells) continue;
        if (finder == nullptr) {
            finder = std::make_unique<CellFinder>(
                CellFinder::of_halves(run.cells, run.columns.padded_dim));
        }
        run.fresh.resize(run.count);
        run.fresh[s] = std::make_unique<SegmentCodes>();
        encode_again(run.columns, segment, *finder, *run.fresh[s]);
    }
}

void copy_column(const std::vector<std::vector<ColumnRef>>& from, std::size_t c, std::byte* to,
                 const std::uint32_t* order) {
    const std::size_t size = from[0][c].size;
    const auto copy = [&]<std::size_t bytes>() {
        for (std::uint32_t r = 0; r < block_rows; ++r) {
            const std::uint32_t o = order[r];
            std::memcpy(to + r * bytes, from[o / segment_rows][c].data + o % segment_rows * bytes,
                        bytes);
        }
    };
    if (size == 1) copy.template operator()<1>();
    if (size == 2) copy.template operator()<2>();
    if (size == 4) copy.template operator()<4>();
    if (size == 8) copy.template operator()<8>();
}

void copy_code(const SegmentCodes& from, std::uint32_t o, SegmentCodes& to, std::uint32_t r) {
    to.factors[r] = from.factors[o];
    to.early[r] = from.early[o];
    to.cell[r] = from.cell[o];
    to.reach[r] = from.reach[o];
    std::memcpy(to.whole() + to.whole_bytes(r), from.whole() + from.whole_bytes(o),
                to.whole_bytes(1));
    write_signs(to, r);
}

/// Where the vector of row `r` of the new segment lies, which was row `o` of the run.
void keep_room(const Run& run, std::uint32_t o, Segment& fresh, std::uint32_t r,
               std::uint32_t row) {
    const std::uint32_t before = run.at(o).room[o % segment_rows];
    const std::uint32_t room = before != 0 ? before : run.first_row() + o + 1;
    fresh.room[r] = room != row + 1 ? room : 0;
}

/// The segment of the run that begins at its row `at`, with its rows in `order` [segment_rows]. Of
/// erased rows only the columns: the rest is zeros, and pages that nobody writes cost no memory.
std::unique_ptr<Segment> sorted(const Run& run, std::uint32_t at, const std::uint32_t* order,
                                bool vectors) {
    const Columns& columns = run.columns;
    auto fresh = std::make_unique<Segment>(vectors ? columns.padded_dim : 0);
    fresh->count = segment_rows;
    fresh->pages.prefer_huge();
    const bool coded = run.coded();
    if (coded) {
        fresh->codes.reserve(run.codes(0).bytes);
        fresh->codes.cells = run.codes(0).cells;
        fresh->codes.encoded = segment_rows;
    }
    std::vector<std::vector<ColumnRef>> from;
    from.reserve(run.count);
    for (std::size_t s = 0; s < run.count; ++s) {
        from.push_back(columns.segments[run.first + s]->columns());
    }
    const auto to = fresh->columns();
    parallel_for(segment_blocks, spare_workers(), [&](std::size_t block, int) {
        const std::size_t first = block * block_rows;
        for (std::size_t c = 0; c < to.size(); ++c) {
            copy_column(from, c, to[c].data + first * to[c].size, order + first);
        }
        for (auto r = static_cast<std::uint32_t>(first); r < first + block_rows; ++r) {
            const std::uint32_t o = order[r];
            const bool erased = (fresh->flags[r] & flag::erased) != 0;
            if (coded && !erased) copy_code(run.codes(o), o % segment_rows, fresh->codes, r);
            if (!vectors) {
                keep_room(run, o, *fresh, r, run.first_row() + at + r);
                continue;
            }
            if (columns.dim != 0 && !erased) {
                std::copy_n(columns.room(run.at(o), o % segment_rows), columns.padded_dim,
                            fresh->vectors() + r * columns.padded_dim);
            }
            fresh->room[r] = 0;
        }
        for (std::size_t s = first / 64; coded && s < (first + block_rows) / 64; ++s) {
            fresh->codes.summarise_strip(static_cast<std::uint32_t>(s));
        }
    });
    fresh->summarise_all();
    for (std::size_t b = 0; vectors && b < segment_blocks; ++b) {
        fresh->rooms.erased[b] = fresh->blocks[b].erased;
    }
    return fresh;
}

/// Tells everything that names a row of the run where it went. What can be found beside readers is
/// found when it is made; `put` needs the lock.
class Moved {
public:
    Moved(Engine::State& state, const Run& run, const std::vector<std::uint32_t>& order)
        : state_(state), first_(run.first_row()), place_(order.size()) {
        for (std::uint32_t r = 0; r < order.size(); ++r) place_[order[r]] = r;
        postings_ = state.lexicon.moved(first_, place_);
        for (std::uint32_t r = 0; r < order.size(); ++r) {
            const Segment& s = run.at(r);
            const std::uint32_t w = r % segment_rows;
            if (state_.columns.newest[s.node[w]] == first_ + r) newest_.push_back(s.node[w]);
            if (s.session[w] != 0) sessions_.insert(s.session[w]);
        }
    }

    void put(std::vector<std::unique_ptr<Segment>>& fresh, bool vectors) {
        Columns& columns = state_.columns;
        state_.lexicon.move(first_, place_, postings_);
        for (const std::uint32_t node : newest_) move(columns.newest[node]);
        for (const std::uint32_t session : sessions_) {
            for (std::uint32_t& row : state_.sessions[session]) move(row);
        }
        const std::size_t segment = first_ / segment_rows;
        for (std::size_t s = 0; s < fresh.size(); ++s) {
            if (!vectors) std::swap(columns.segments[segment + s]->rooms, fresh[s]->rooms);
            std::swap(columns.segments[segment + s], fresh[s]);
        }
        for (std::size_t s = segment; s < columns.segments.size(); ++s) {
            Segment& later = *columns.segments[s];
            for (std::uint32_t r = 0; r < later.count; ++r) move(later.previous[r]);
        }
        for (Touch& touch : columns.touches) move(touch.row);
        for (std::size_t r = 0; r < place_.size(); r += block_rows) {
            columns.changes.row(first_ + static_cast<std::uint32_t>(r));
            columns.changes.vector(first_ + static_cast<std::uint32_t>(r));
        }
    }

private:
    void move(std::uint32_t& row) const {
        if (row - first_ < place_.size()) row = first_ + place_[row - first_];
    }

    Engine::State& state_;
    std::uint32_t first_;
    std::vector<std::uint32_t> place_;  ///< where row r of the run goes
    MovedPostings postings_;
    std::vector<std::uint32_t> newest_;  ///< nodes whose newest row is one of the run's
    std::unordered_set<std::uint32_t> sessions_;
};

}  // namespace

std::vector<std::unique_ptr<Segment>> Engine::State::arrange(std::size_t first, std::size_t count) {
    for (std::size_t s = first; s < first + count; ++s) {
        if (!may_move(*columns.segments[s], columns.dim)) return {};
    }
    const auto weights = std::atomic_load(&asked);
    Run run{columns, weights != nullptr ? *weights : Weights{}, first, count, nullptr, {}};
    settle_cells(run);
    const std::vector<std::uint32_t> order = order_of(run);
    const bool vectors = gathers_vectors(run);
    if (order.empty() && run.fresh.empty() && !(vectors && run.coded())) return {};
    std::vector<std::uint32_t> as_it_is(order.empty() ? run.rows() : 0);
    std::iota(as_it_is.begin(), as_it_is.end(), 0U);
    const std::vector<std::uint32_t>& wanted = order.empty() ? as_it_is : order;
    std::vector<std::unique_ptr<Segment>> fresh;
    fresh.reserve(count);
    for (std::size_t s = 0; s < count; ++s) {
        const auto at = static_cast<std::uint32_t>(s * segment_rows);
        fresh.push_back(sorted(run, at, wanted.data() + at, vectors));
    }
    Moved moved(*this, run, wanted);
    {
        const std::unique_lock lock(mutex);
        moved.put(fresh, vectors);
        const std::size_t group = first / group_segments(columns.padded_dim);
        if (run.cells != nullptr && columns.cells.size() <= group) columns.cells.resize(group + 1);
        if (run.cells != nullptr) columns.cells[group] = run.cells;
    }
    return fresh;
}

void Engine::State::arrange_filled(std::size_t first, std::size_t filled) {
    const std::size_t group = group_segments(columns.padded_dim);
    const std::size_t step = quarter_of(columns);
    for (std::size_t s = first; s < filled; ++s) {
        // A segment alone, then with its quarter of a group, then the group: rows move three times
        // at most. What the same call will sort again is left for then.
        const std::size_t begin = s / group * group;
        const std::size_t quarter = begin + (s - begin) / step * step;
        const bool whole = begin + group <= filled;
        if (s + 1 == begin + group) {
            reuse(arrange(begin, group));
        } else if (s + 1 == quarter + step && !whole) {
            reuse(arrange(quarter, step));
        } else if (quarter + step > filled) {
            reuse(arrange(s, 1));
        }
    }
}

namespace {

/// Calls `use(first, count)` for full segments of a group that may move, as many as stand together.
template <class Use>
void each_run(const Columns& columns, const Use& use) {
    const std::size_t group = group_segments(columns.padded_dim);
    const std::size_t filled = columns.count() / segment_rows;
    for (std::size_t first = 0; first < filled; ++first) {
        const std::size_t end = std::min(first / group * group + group, filled);
        std::size_t last = first;
        while (last < end && may_move(*columns.segments[last], columns.dim)) ++last;
        if (last == first) continue;
        use(first, last - first);
        first = last - 1;
    }
}

}  // namespace

void Engine::State::compact() {
    if (columns.dim == 0) return;
    each_run(columns, [&](std::size_t first, std::size_t count) {
        if (count >= quarter_of(columns)) reuse(arrange(first, count));
    });
}

void Engine::State::gather_erased() {
    for (std::size_t s = 0; s < columns.segments.size(); ++s) {
        if (columns.segments[s]->scattered() >= most_scattered) arrange(s, 1);
    }
    each_run(columns, [&](std::size_t first, std::size_t count) {
        const Run run{columns, {}, first, count, nullptr, {}};
        if (run.coded() && gathers_vectors(run)) arrange(first, count);
    });
}

void Engine::compact() {
    const std::lock_guard turn(state_->writing);
    state_->compact();
}

void Engine::State::reuse(std::vector<std::unique_ptr<Segment>> worn) {
    const std::size_t most = quarter_of(columns);
    for (auto& segment : worn) {
        if (columns.ahead.size() >= most) return;
        columns.ahead.push_back(std::make_unique<Segment>(columns.padded_dim, *segment));
        segment.reset();
    }
}

}  // namespace remanence
