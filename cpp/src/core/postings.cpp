// Adding, erasing and finding the rows that hold a word.
#include "core/postings.hpp"

namespace remanence {
namespace {

constexpr std::size_t frequent_rows = 1024;   // fewer are found quickly as they are
constexpr std::uint32_t frequent_share = 32;  // a word of one row in so many is frequent

}  // namespace

Postings::Postings(std::vector<Posting> list) : list_(std::move(list)) {
    for (const Posting& p : list_) most_ = std::max(most_, p.count);
    mark_if_frequent();
}

std::vector<Posting>::const_iterator Postings::from(std::uint32_t row) const {
    auto first = list_.begin();
    auto last = list_.end();
    if (!bits_.empty()) {
        const std::uint32_t group = row / 64;
        if (group >= bits_.size()) return last;
        first += bits_[group].first;
        if (group + 1 < bits_.size()) last = list_.begin() + bits_[group + 1].first;
    }
    return std::lower_bound(first, last, row,
                            [](const Posting& p, std::uint32_t r) { return p.row < r; });
}

std::uint32_t Postings::count(std::uint32_t row) const {
    if (bits_.empty()) {
        const auto at = from(row);
        return at == list_.end() || at->row != row ? 0 : at->count;
    }
    if (row / 64 >= bits_.size()) return 0;
    const WordBits& group = bits_[row / 64];
    const std::uint64_t bit = 1ULL << (row % 64);
    if ((group.held & bit) == 0) return 0;
    if ((group.repeated & bit) == 0) return 1;
    const auto before = static_cast<std::uint32_t>(std::popcount(group.held & (bit - 1)));
    return list_[group.first + before].count;
}

bool Postings::add(std::uint32_t row) {
    if (list_.empty() || list_.back().row != row) {
        append({row, 1});
        return true;
    }
    most_ = std::max(most_, ++list_.back().count);
    if (!bits_.empty()) bits_[row / 64].repeated |= 1ULL << (row % 64);
    return false;
}

void Postings::append(Posting posting) {
    most_ = std::max(most_, posting.count);
    list_.push_back(posting);
    if (!bits_.empty()) {
        mark(list_.size() - 1);
    } else if (list_.size() % frequent_rows == 0) {
        mark_if_frequent();
    }
}

bool Postings::erase(std::uint32_t row) {
    const auto at = from(row);
    if (at == list_.end() || at->row != row) return false;
    list_.erase(at);
    if (bits_.empty()) return true;
    const std::uint64_t bit = 1ULL << (row % 64);
    bits_[row / 64].held &= ~bit;
    bits_[row / 64].repeated &= ~bit;
    for (std::size_t group = row / 64 + 1; group < bits_.size(); ++group) --bits_[group].first;
    return true;
}

void Postings::replace(std::size_t first, const Posting* from, std::size_t count) {
    if (count == 0) return;
    std::uint32_t least = list_[first].row / 64;
    std::copy_n(from, count, list_.begin() + static_cast<std::ptrdiff_t>(first));
    if (bits_.empty()) return;
    least = std::min(least, list_[first].row / 64);
    while (first > 0 && list_[first - 1].row / 64 >= least) --first;
    bits_.resize(std::min<std::size_t>(bits_.size(), least));
    for (std::size_t at = first; at < list_.size(); ++at) mark(at);
}

/// Sets the bits of one posting; those of all rows after it are not yet set.
void Postings::mark(std::size_t at) {
    const Posting& p = list_[at];
    while (bits_.size() <= p.row / 64) {
        bits_.push_back({0, 0, static_cast<std::uint32_t>(at)});
    }
    const std::uint64_t bit = 1ULL << (p.row % 64);
    bits_[p.row / 64].held |= bit;
    if (p.count > 1) bits_[p.row / 64].repeated |= bit;
}

void Postings::mark_if_frequent() {
    if (list_.size() < frequent_rows || list_.size() < list_.back().row / frequent_share) return;
    for (std::size_t at = 0; at < list_.size(); ++at) mark(at);
}

}  // namespace remanence
