// What a scan keeps of the rows it has seen: the best by score, and those that may still be.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "core/scan.hpp"

namespace remanence::cpu {

inline constexpr float lowest = -std::numeric_limits<float>::infinity();

/// The best `keep` rows seen so far, worst on top.
class Best {
public:
    explicit Best(std::size_t keep) : keep_(keep) {}
    void offer(const Scored& s) {
        if (heap_.size() < keep_) {
            heap_.push_back(s);
            std::push_heap(heap_.begin(), heap_.end(), better);
        } else if (better(s, heap_.front())) {
            std::pop_heap(heap_.begin(), heap_.end(), better);
            heap_.back() = s;
            std::push_heap(heap_.begin(), heap_.end(), better);
        }
    }
    float bar() const { return heap_.size() < keep_ ? lowest : heap_.front().score; }
    std::vector<Scored>& rows() { return heap_; }

private:
    std::size_t keep_;
    std::vector<Scored> heap_;
};

/// The least of the best `keep` scores that rows reach for certain.
class Sure {
public:
    explicit Sure(std::size_t keep) : keep_(keep) {}
    void offer(float score) {
        if (heap_.size() < keep_) {
            heap_.push_back(score);
        } else if (score > heap_.front()) {
            std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
            heap_.back() = score;
        } else {
            return;
        }
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
    float bar() const { return heap_.size() < keep_ ? lowest : heap_.front(); }

private:
    std::size_t keep_;
    std::vector<float> heap_;
};

/// A row whose score is at most `bound`.
struct Candidate {
    float bound;
    float side;  ///< upper bound of everything but the cosine
    std::uint32_t row;
};

[[gnu::always_inline]] inline void prefetch(const void* at, std::size_t bytes) {
    for (std::size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(static_cast<const char*>(at) + line);
    }
}

/// Into the second cache, which waits for more lines at a time than the first.
[[gnu::always_inline]] inline void ask_for(const void* at, std::size_t bytes) {
    for (std::size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(static_cast<const char*>(at) + line, 0, 2);
    }
}

/// Moves the `count` candidates of the greatest bounds to the front.
inline void greatest_first(std::vector<Candidate>& all, std::size_t count) {
    if (count >= all.size()) return;
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                     [](const Candidate& a, const Candidate& b) { return a.bound > b.bound; });
}

inline void drop_below(std::vector<Candidate>& all, float bar) {
    std::erase_if(all, [bar](const Candidate& c) { return c.bound < bar; });
}

}  // namespace remanence::cpu
