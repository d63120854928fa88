// The words of the memories: a vocabulary and, per term, the rows that hold it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/postings.hpp"

namespace remanence {

/// Calls `use(term)` for every space-separated term of `terms`.
template <class Use>
void each_term(std::string_view terms, Use&& use) {
    std::size_t at = 0;
    while (at < terms.size()) {
        const std::size_t end = std::min(terms.find(' ', at), terms.size());
        if (end > at) use(terms.substr(at, end - at));
        at = end + 1;
    }
}

/// Postings of a range of rows as they stand once the rows were moved.
struct MovedPostings {
    struct Part {
        std::size_t term;
        std::size_t first;  ///< within the term's list
        std::size_t count;
    };
    std::vector<Part> parts;
    std::vector<Posting> postings;  ///< of all parts, one after the other
};

/// The vocabulary; the rows of each word are in order, so a range of rows is a range of each list.
class Lexicon {
public:
    /// Adds the lexical document of a row greater than all before; returns its number of words.
    /// A term that begins with '#' is a value that the row states: kept with it, no word.
    std::uint32_t append(std::uint32_t row, std::string_view terms);
    /// Gives a row greater than all before the document of `from`.
    void copy_row(std::uint32_t from, std::uint32_t to);
    void erase_row(std::uint32_t row);
    /// Row `first + r` goes to `first + place[r]`, for all r: made ready, then done.
    MovedPostings moved(std::uint32_t first, const std::vector<std::uint32_t>& place) const;
    void move(std::uint32_t first, const std::vector<std::uint32_t>& place,
              const MovedPostings& moved);
    /// The rows of a term, or null when no memory ever held it.
    const Postings* find(std::string_view term) const;

    /// The values of a row, separated by single spaces; empty where it states none.
    std::string_view values(std::uint32_t row) const;
    const std::map<std::uint32_t, std::string>& all_values() const { return values_; }
    void load_values(std::uint32_t row, std::string values) { values_[row] = std::move(values); }

    std::size_t terms() const { return words_.size(); }
    const std::string& word(std::size_t term) const { return *words_[term]; }
    const Postings& postings(std::size_t term) const { return postings_[term]; }
    std::size_t posting_count() const { return posting_count_; }
    void load_term(std::string_view word, Postings postings);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::uint32_t term_of(std::string_view word);
    void drop_empty_terms();

    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
    std::vector<const std::string*> words_;
    std::vector<Postings> postings_;
    std::map<std::uint32_t, std::string> values_;
    std::size_t posting_count_ = 0;
};

}  // namespace remanence
