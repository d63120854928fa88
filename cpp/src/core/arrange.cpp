// Sorting the rows of full segments by scope, kind and cell, erased ones last, so that what a
// question wants lies side by side.
//
// The sorted copy is made beside readers and put in place at once. Answers do not depend on the
// order of rows; only what a question has to read does.
#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <numeric>
#include <unordered_set>

#include "core/cells.hpp"
#include "core/codes.hpp"
#include "core/side_bound.hpp"
#include "core/state.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

/// Segments whose rows are sorted together before their group is full.
std::size_t quarter_of(const Columns& columns) {
    return std::max<std::size_t>(1, group_segments(columns.padded_dim) / 4);
}

/// Full segments that lie one after the other, with the codes that their rows are sorted by.
struct Run {
    const Columns& columns;
    Weights weights;    ///< of the questions that rows are sorted for
    std::size_t first;  ///< segment
    std::size_t count;
    std::shared_ptr<const Cells> cells;                ///< null: their own
    std::vector<std::unique_ptr<SegmentCodes>> fresh;  ///< in these, where a segment has others

    std::uint32_t first_row() const { return static_cast<std::uint32_t>(first * segment_rows); }
    std::uint32_t rows() const { return static_cast<std::uint32_t>(count * segment_rows); }
    const Segment& at(std::uint32_t r) const { return *columns.segments[first + r / segment_rows]; }
    const SegmentCodes& codes(std::uint32_t r) const {
        const bool own = fresh.empty() || fresh[r / segment_rows] == nullptr;
        return own ? at(r).codes : *fresh[r / segment_rows];
    }
    bool coded() const { return codes(0).encoded != 0; }
    /// Rows of one segment among many are too few of a cell to gain from it.
    bool by_cells() const { return coded() && count >= quarter_of(columns); }
};

bool may_move(const Segment& s, std::size_t dim) {
    const std::uint32_t coded = codes_apply(dim) ? segment_rows : 0;
    return s.count == segment_rows && s.spilled_at == not_spilled && s.codes.encoded == coded;
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

/// How high each row of a run may score, apart from its cell, by the weights of the latest
/// question: 0 for the highest, in 255 steps.
std::vector<std::uint8_t> heights_of(const Run& run) {
    Request request;
    request.weights = run.weights;
    for (std::uint32_t r = 0; r < run.rows(); ++r) {
        request.now = std::max(request.now, run.at(r).last_access[r % segment_rows]);
    }
    ScanPlan plan;
    plan.columns = &run.columns;
    plan.request = &request;
    prepare_tables(plan);
    const float per_reach = request.weights.cosine * reach_unit;
    std::vector<float> sum(run.rows());
    parallel_for(run.count, spare_workers(), [&](std::size_t s, int) {
        const auto first = static_cast<std::uint32_t>(s * segment_rows);
        const std::vector<float> side = side_sums(plan, run.at(first));
        const std::uint8_t* const reach = run.codes(first).reach;
        for (std::uint32_t r = 0; r < segment_rows; ++r) {
            sum[first + r] = side[r] + per_reach * static_cast<float>(reach[r]);
        }
    });
    const auto [least, most] = std::minmax_element(sum.begin(), sum.end());
    const float unit = std::max(*most - *least, 1e-30F) / 255.0F;
    std::vector<std::uint8_t> height(sum.size());
    for (std::size_t r = 0; r < sum.size(); ++r) {
        const float steps = (*most - sum[r]) / unit;
        height[r] = steps < 255.0F ? static_cast<std::uint8_t>(steps) : 255;
    }
    return height;
}

/// Rows by how high they may score: those of a tier stand together, as else a strip of nearly every
/// cell would hold a row or two that any question wants.
struct Tiers {
    static constexpr std::array shares{0.03, 0.1, 0.25};  ///< of the rows, that lie in it or above
    std::vector<std::uint8_t> height;                     ///< [row]
    std::array<std::uint8_t, 256> tier{};                 ///< [height]
};

Tiers tiers_of(const Run& run) {
    Tiers out{heights_of(run), {}};
    std::array<std::size_t, 256> rows{};
    for (const std::uint8_t height : out.height) ++rows[height];
    std::size_t above = 0;
    for (std::size_t h = 0; h < rows.size(); ++h) {
        const double share = static_cast<double>(above) / static_cast<double>(out.height.size());
        const auto ended = std::count_if(Tiers::shares.begin(), Tiers::shares.end(),
                                         [&](double end) { return share >= end; });
        out.tier[h] = static_cast<std::uint8_t>(ended);
        above += rows[h];
    }
    return out;
}

/// What rows are sorted by: erased, scope, kind, tier, cell, height in one number.
std::uint64_t key_of(const Run& run, const Tiers& tiers, std::uint32_t r) {
    const Segment& s = run.at(r);
    const std::uint32_t w = r % segment_rows;
    std::uint64_t key = (s.flags[w] & flag::erased) != 0 ? 1 : 0;
    key = key << 24U | s.scope[w];
    key = key << 4U | s.kind[w];
    if (!run.by_cells()) return key << 26U;
    key = key << 2U | tiers.tier[tiers.height[r]];
    return key << 24U | std::uint64_t{run.codes(r).cell[w]} << 8U | tiers.height[r];
}

/// Which row comes when; empty where they stand so already.
std::vector<std::uint32_t> order_of(const Run& run) {
    std::vector<std::uint64_t> key(run.rows());
    const Tiers tiers = run.by_cells() ? tiers_of(run) : Tiers{};
    for (std::uint32_t r = 0; r < run.rows(); ++r) key[r] = key_of(run, tiers, r);
    // A segment alone moves for the sake of its scopes, not for kinds that move with it later.
    const unsigned unseen = run.by_cells() ? 0 : 30;
    if (std::is_sorted(key.begin(), key.end(), [&](std::uint64_t a, std::uint64_t b) {
            return a >> unseen < b >> unseen;
        })) {
        return {};
    }
    std::vector<std::uint32_t> order(run.rows());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return key[a] != key[b] ? key[a] < key[b] : a < b;
    });
    return order;
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

/// A segment of the run with its rows in `order` [segment_rows]. Of erased rows only the columns:
/// the rest is zeros, and pages that nobody writes cost no memory.
std::unique_ptr<Segment> sorted(const Run& run, const std::uint32_t* order) {
    const Columns& columns = run.columns;
    auto fresh = std::make_unique<Segment>(columns.padded_dim);
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
        for (std::size_t r = first; r < first + block_rows; ++r) {
            if ((fresh->flags[r] & flag::erased) != 0 || columns.dim == 0) continue;
            const std::uint32_t o = order[r];
            std::copy_n(run.at(o).vectors() + o % segment_rows * columns.padded_dim,
                        columns.padded_dim, fresh->vectors() + r * columns.padded_dim);
            if (coded) {
                copy_code(run.codes(o), o % segment_rows, fresh->codes,
                          static_cast<std::uint32_t>(r));
            }
        }
        for (std::size_t s = first / 64; coded && s < (first + block_rows) / 64; ++s) {
            fresh->codes.summarise_strip(static_cast<std::uint32_t>(s));
        }
    });
    fresh->summarise_all();
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

    void put(std::vector<std::unique_ptr<Segment>>& fresh) {
        Columns& columns = state_.columns;
        state_.lexicon.move(first_, place_, postings_);
        for (const std::uint32_t node : newest_) move(columns.newest[node]);
        for (const std::uint32_t session : sessions_) {
            for (std::uint32_t& row : state_.sessions[session]) move(row);
        }
        const std::size_t segment = first_ / segment_rows;
        for (std::size_t s = 0; s < fresh.size(); ++s) {
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
    if (order.empty() && run.fresh.empty()) return {};
    std::vector<std::uint32_t> as_it_is(order.empty() ? run.rows() : 0);
    std::iota(as_it_is.begin(), as_it_is.end(), 0U);
    const std::vector<std::uint32_t>& wanted = order.empty() ? as_it_is : order;
    std::vector<std::unique_ptr<Segment>> fresh;
    fresh.reserve(count);
    for (std::size_t s = 0; s < count; ++s) {
        fresh.push_back(sorted(run, wanted.data() + s * segment_rows));
    }
    Moved moved(*this, run, wanted);
    {
        const std::unique_lock lock(mutex);
        moved.put(fresh);
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

void Engine::State::compact() {
    if (columns.dim == 0) return;
    const std::size_t group = group_segments(columns.padded_dim);
    const std::size_t filled = columns.count() / segment_rows;
    for (std::size_t first = 0; first < filled; ++first) {
        const std::size_t end = std::min(first / group * group + group, filled);
        std::size_t last = first;
        while (last < end && may_move(*columns.segments[last], columns.dim)) ++last;
        if (last - first < quarter_of(columns)) continue;
        reuse(arrange(first, last - first));
        first = last - 1;
    }
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
