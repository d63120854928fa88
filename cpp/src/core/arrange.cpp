// Sorting the rows of a full segment, so that a scope's rows lie side by side and erased ones last.
//
// The sorted copy is made beside readers and put in place at once. Answers do not depend on the
// order of rows; only what a question has to read does.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>
#include <unordered_set>

#include "core/state.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

bool erased(const Segment& s, std::uint32_t r) { return (s.flags[r] & flag::erased) != 0; }

/// Which row comes when; empty where they stand so already.
std::vector<std::uint32_t> order_of(const Segment& s) {
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
        return erased(s, a) != erased(s, b) ? erased(s, b) : s.scope[a] < s.scope[b];
    };
    std::vector<std::uint32_t> order(s.count);
    std::iota(order.begin(), order.end(), 0U);
    if (std::is_sorted(order.begin(), order.end(), before)) return {};
    std::stable_sort(order.begin(), order.end(), before);
    return order;
}

template <class T>
void permute(const std::byte* from, std::byte* to, const std::vector<std::uint32_t>& order) {
    for (std::size_t r = 0; r < order.size(); ++r) {
        std::memcpy(to + r * sizeof(T), from + order[r] * sizeof(T), sizeof(T));
    }
}

void permute_column(const ColumnRef& from, const ColumnRef& to,
                    const std::vector<std::uint32_t>& order) {
    if (from.size == 1) permute<std::uint8_t>(from.data, to.data, order);
    if (from.size == 2) permute<std::uint16_t>(from.data, to.data, order);
    if (from.size == 4) permute<std::uint32_t>(from.data, to.data, order);
    if (from.size == 8) permute<std::uint64_t>(from.data, to.data, order);
}

void copy_code(const SegmentCodes& from, std::uint32_t o, SegmentCodes& to, std::uint32_t r) {
    const std::uint8_t* const old = from.bits() + (o / 64) * from.bytes * 64 + o % 64;
    std::uint8_t* const fresh = to.bits() + (r / 64) * to.bytes * 64 + r % 64;
    for (std::size_t c = 0; c < to.bytes; ++c) fresh[c * 64] = old[c * 64];
    to.factors[r] = from.factors[o];
    to.byte_scale[r] = from.byte_scale[o];
    to.byte_error[r] = from.byte_error[o];
    std::memcpy(to.whole() + to.whole_bytes(r), from.whole() + from.whole_bytes(o),
                to.whole_bytes(1));
}

/// A copy with its rows in `order`. Of erased rows only the columns: the rest is zeros, and pages
/// that nobody writes cost no memory.
std::unique_ptr<Segment> sorted(const Columns& columns, const Segment& s,
                                const std::vector<std::uint32_t>& order) {
    auto fresh = std::make_unique<Segment>(columns.padded_dim);
    fresh->count = s.count;
    const bool coded = s.codes.encoded != 0;
    if (coded) {
        fresh->codes.reserve(s.codes.bytes);
        fresh->codes.centre = s.codes.centre;
        fresh->codes.encoded = s.codes.encoded.load();
    }
    const auto from = s.columns();
    const auto to = fresh->columns();
    for (std::size_t c = 0; c < from.size(); ++c) permute_column(from[c], to[c], order);
    for (std::uint32_t r = 0; r < s.count; ++r) {
        if (erased(*fresh, r) || columns.dim == 0) continue;
        std::copy_n(s.vectors() + order[r] * columns.padded_dim, columns.padded_dim,
                    fresh->vectors() + r * columns.padded_dim);
        if (coded) copy_code(s.codes, order[r], fresh->codes, r);
    }
    fresh->summarise_all();
    return fresh;
}

/// Tells everything that names a row of the segment where it went. What can be found beside readers
/// is found when it is made; `put` needs the lock.
class Moved {
public:
    Moved(Engine::State& state, std::size_t segment, const std::vector<std::uint32_t>& order)
        : state_(state),
          segment_(segment),
          first_(static_cast<std::uint32_t>(segment) * segment_rows),
          place_(order.size()) {
        for (std::uint32_t r = 0; r < order.size(); ++r) place_[order[r]] = r;
        postings_ = state.lexicon.moved(first_, place_);
        find_newest(*state.columns.segments[segment]);
        find_sessions(*state.columns.segments[segment]);
    }

    void put(std::unique_ptr<Segment> fresh) {
        Columns& columns = state_.columns;
        state_.lexicon.move(first_, place_, postings_);
        for (const std::uint32_t node : newest_) move(columns.newest[node]);
        for (const std::uint32_t session : sessions_) {
            for (std::uint32_t& row : state_.sessions[session]) move(row);
        }
        std::swap(columns.segments[segment_], fresh);
        for (std::size_t s = segment_; s < columns.segments.size(); ++s) {
            Segment& later = *columns.segments[s];
            for (std::uint32_t r = 0; r < later.count; ++r) move(later.previous[r]);
        }
        for (Touch& touch : columns.touches) move(touch.row);
        for (std::uint32_t row = first_; row < first_ + segment_rows; row += block_rows) {
            columns.changes.row(row);
            columns.changes.vector(row);
        }
    }

private:
    void move(std::uint32_t& row) const {
        if (row - first_ < place_.size()) row = first_ + place_[row - first_];
    }
    void find_newest(const Segment& old) {
        for (std::uint32_t r = 0; r < old.count; ++r) {
            if (state_.columns.newest[old.node[r]] == first_ + r) newest_.push_back(old.node[r]);
        }
    }
    void find_sessions(const Segment& old) {
        sessions_.insert(old.session, old.session + old.count);
        sessions_.erase(0);
    }

    Engine::State& state_;
    std::size_t segment_;
    std::uint32_t first_;
    std::vector<std::uint32_t> place_;  ///< where row r of the segment goes
    MovedPostings postings_;
    std::vector<std::uint32_t> newest_;  ///< nodes whose newest row is one of the segment's
    std::unordered_set<std::uint32_t> sessions_;
};

}  // namespace

void Engine::State::arrange(std::size_t segment) {
    const Segment& s = *columns.segments[segment];
    const bool coded = s.codes.encoded == 0 || s.codes.encoded == segment_rows;
    if (s.count != segment_rows || s.spilled_at != not_spilled || !coded) return;
    const std::vector<std::uint32_t> order = order_of(s);
    if (order.empty()) return;
    std::unique_ptr<Segment> fresh = sorted(columns, s, order);
    Moved moved(*this, segment, order);
    const std::unique_lock lock(mutex);
    moved.put(std::move(fresh));
}

}  // namespace remanence
