// Building, searching and erasing postings.
#include "core/lexicon.hpp"

#include <algorithm>

namespace remanence {

std::uint32_t Lexicon::term_of(std::string_view word) {
    if (const auto known = numbers_.find(word); known != numbers_.end()) return known->second;
    const auto number = static_cast<std::uint32_t>(words_.size());
    const auto [at, fresh] = numbers_.emplace(std::string(word), number);
    words_.push_back(&at->first);
    postings_.emplace_back();
    return number;
}

std::uint32_t Lexicon::append(std::uint32_t row, std::string_view terms) {
    std::uint32_t words = 0;
    each_term(terms, [&](std::string_view word) {
        if (word.front() == '#') {
            std::string& values = values_[row];
            if (!values.empty()) values += ' ';
            values += word;
            return;
        }
        ++words;
        posting_count_ += postings_[term_of(word)].add(row) ? 1 : 0;
    });
    return words;
}

std::string_view Lexicon::values(std::uint32_t row) const {
    const auto at = values_.find(row);
    return at == values_.end() ? std::string_view() : std::string_view(at->second);
}

void Lexicon::copy_row(std::uint32_t from, std::uint32_t to) {
    if (const auto at = values_.find(from); at != values_.end()) {
        std::string values = at->second;
        values_.emplace(to, std::move(values));
    }
    for (auto& list : postings_) {
        const std::uint32_t count = list.count(from);
        if (count == 0) continue;
        list.append({to, count});
        ++posting_count_;
    }
}

void Lexicon::erase_row(std::uint32_t row) {
    values_.erase(row);
    for (auto& list : postings_) posting_count_ -= list.erase(row) ? 1 : 0;
    // A word that only erased memories held would outlive them in the vocabulary.
    drop_empty_terms();
}

MovedPostings Lexicon::moved(std::uint32_t first, const std::vector<std::uint32_t>& place) const {
    MovedPostings out;
    const auto end = first + static_cast<std::uint32_t>(place.size());
    for (std::size_t term = 0; term < postings_.size(); ++term) {
        const auto& list = postings_[term];
        const auto from = list.from(first);
        const auto to =
            std::find_if(from, list.end(), [&](const Posting& p) { return p.row >= end; });
        if (from == to) continue;
        const auto count = static_cast<std::size_t>(to - from);
        out.parts.push_back({term, static_cast<std::size_t>(from - list.begin()), count});
        for (auto at = from; at != to; ++at) {
            out.postings.push_back({first + place[at->row - first], at->count});
        }
        std::sort(out.postings.end() - static_cast<std::ptrdiff_t>(count), out.postings.end(),
                  [](const Posting& a, const Posting& b) { return a.row < b.row; });
    }
    return out;
}

void Lexicon::move(std::uint32_t first, const std::vector<std::uint32_t>& place,
                   const MovedPostings& moved) {
    const Posting* from = moved.postings.data();
    for (const MovedPostings::Part& part : moved.parts) {
        postings_[part.term].replace(part.first, from, part.count);
        from += part.count;
    }
    std::vector<decltype(values_)::node_type> stated;
    const auto end = first + static_cast<std::uint32_t>(place.size());
    for (auto at = values_.lower_bound(first); at != values_.end() && at->first < end;) {
        stated.push_back(values_.extract(at++));
    }
    for (auto& value : stated) {
        value.key() = first + place[value.key() - first];
        values_.insert(std::move(value));
    }
}

void Lexicon::drop_empty_terms() {
    std::vector<const std::string*> words;
    std::vector<Postings> postings;
    for (std::size_t term = 0; term < words_.size(); ++term) {
        if (postings_[term].empty()) {
            numbers_.erase(numbers_.find(*words_[term]));
            continue;
        }
        numbers_.find(*words_[term])->second = static_cast<std::uint32_t>(words.size());
        words.push_back(words_[term]);
        postings.push_back(std::move(postings_[term]));
    }
    words_ = std::move(words);
    postings_ = std::move(postings);
}

const Postings* Lexicon::find(std::string_view term) const {
    const auto known = numbers_.find(term);
    return known == numbers_.end() ? nullptr : &postings_[known->second];
}

void Lexicon::load_term(std::string_view word, Postings postings) {
    posting_count_ += postings.size();
    postings_[term_of(word)] = std::move(postings);
}

}  // namespace remanence
