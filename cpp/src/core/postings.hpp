// The rows that hold a word; of a frequent word also which they are, as bits.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace remanence {

struct Posting {
    std::uint32_t row;
    std::uint32_t count;  ///< occurrences of the term in the row's lexical document
};

/// Which of 64 rows hold a word: what the word adds at most is added to many rows at once, and the
/// posting of one row is found at once.
struct WordBits {
    std::uint64_t held = 0;
    std::uint64_t repeated = 0;  ///< held more than once
    std::uint32_t first = 0;     ///< posting of the first row that holds it
};

/// Postings of one word in row order, so a range of rows is a range of the list.
class Postings {
public:
    Postings() = default;
    explicit Postings(std::vector<Posting> list);

    auto begin() const { return list_.begin(); }
    auto end() const { return list_.end(); }
    std::size_t size() const { return list_.size(); }
    bool empty() const { return list_.empty(); }
    const Posting& operator[](std::size_t at) const { return list_[at]; }
    /// The first posting at or after `row`.
    std::vector<Posting>::const_iterator from(std::uint32_t row) const;
    /// Occurrences in a row.
    std::uint32_t count(std::uint32_t row) const;
    bool holds(std::uint32_t row) const { return count(row) != 0; }

    /// By 64 rows, up to the last that holds the word; empty where the word is not frequent.
    const std::vector<WordBits>& bits() const { return bits_; }
    /// No row holds the word more often.
    std::uint32_t most() const { return most_; }

    /// One more occurrence in a row not before any other; whether it is the row's first.
    bool add(std::uint32_t row);
    /// A row after all others.
    void append(Posting posting);
    /// Whether the row held the word.
    bool erase(std::uint32_t row);
    /// Puts postings, in order, in place of as many from `first` on: their rows changed places.
    void replace(std::size_t first, const Posting* from, std::size_t count);

private:
    void mark(std::size_t at);
    void mark_all(std::size_t first);
    void mark_if_frequent();

    std::vector<Posting> list_;
    std::vector<WordBits> bits_;
    std::uint32_t most_ = 1;
};

}  // namespace remanence
