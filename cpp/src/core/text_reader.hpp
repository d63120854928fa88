// Reads texts word by word: their terms, what their words say, and the numbers that they state.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/characters.hpp"

namespace remanence {

/// What is known of a word: its stem, empty for a stop word, and what it says, as bits.
struct Known {
    std::string stem;
    std::uint8_t marks = 0;
};

/// What a text says.
struct Read {
    std::string terms;      ///< stems of its words of two or more characters, one space apart
    std::size_t count = 0;  ///< how many
    std::uint32_t marks = 0;
};

class TextReader {
public:
    /// Bits of Read::marks beside the words' own eight.
    static constexpr std::uint32_t decimal_mark = 256, sign_mark = 512, partial_mark = 1024;
    static constexpr std::size_t max_word = 64;  ///< characters of a word that count
    static constexpr std::size_t max_values = 32, around_before = 3, around_after = 4;

    /// What counts as a number and as its unit besides words.
    struct Rules {
        ByText<std::string> numbers;  ///< words that are numbers -> digits
        std::u32string currencies;
        std::uint8_t change_mark = 0;  ///< of a word that announces a change
        std::uint8_t number_mark = 0;  ///< of a word that is a number
        std::size_t read = 0;          ///< characters in which values are looked for
    };

    /// learn: what is known of a word that was not met before. limit: words that are remembered.
    TextReader(Characters characters, Rules rules, std::function<Known(std::string_view)> learn,
               std::size_t limit)
        : characters_(characters),
          rules_(std::move(rules)),
          learn_(std::move(learn)),
          limit_(limit) {
        for (const auto& [word, digits] : rules_.numbers) {
            longest_number_ = std::max(longest_number_, word.size());
        }
    }

    const Rules& rules() const { return rules_; }

    /// Whether a text that was read states numbers.
    bool holds_number(const Read& text) const {
        return (text.marks & (decimal_mark | rules_.number_mark)) != 0;
    }

    /// text: in lower case.
    template <class Char>
    Read read(std::span<const Char> text) {
        Read out;
        for (const Char c : text) {
            const std::uint8_t is = characters_(c);
            if ((is & kind::decimal) != 0) out.marks |= decimal_mark;
            if ((is & kind::sign) != 0) out.marks |= sign_mark;
        }
        each_word(characters_, text, [&](std::span<const Char> word) {
            if (word.size() < 2) return;
            const Known& said = known_word(word.first(std::min(word.size(), max_word)));
            out.marks |= said.marks;
            if (said.stem.empty()) return;
            if (out.count++ != 0) out.terms += ' ';
            out.terms += said.stem;
        });
        return out;
    }

    /// The numbers of a text in lower case, each as "#number:unit:stem:...", one space apart; "#!"
    /// stands before the first that is given as a new one.
    template <class Char>
    std::string values(std::span<const Char> text) {
        const std::vector<std::span<const Char>> parts = parts_of(text);
        std::vector<std::string> found;
        for (std::size_t i = 0; i < parts.size() && found.size() < max_values; ++i) {
            const std::string number = number_of(parts[i]);
            if (number.empty()) continue;
            for (std::size_t b = i - std::min(i, around_before); b < i; ++b) {
                if (announces(parts[b])) keep(found, "#!");
            }
            std::string value = "#" + number + ":";
            if (i > 0 && is_currency(parts[i - 1][0])) {
                value += utf8(parts[i - 1], buffer_);
            } else if (i + 1 < parts.size()) {
                const std::string unit = stem_of(parts[i + 1]);
                value += unit.empty() ? utf8(parts[i + 1], buffer_) : std::string_view(unit);
            }
            for (std::size_t a = i + 1; a < std::min(parts.size(), i + 1 + around_after); ++a) {
                if (const std::string stem = stem_of(parts[a]); !stem.empty()) value += ":" + stem;
            }
            keep(found, std::move(value));
        }
        std::string out;
        for (const std::string& value : found) out.append(out.empty() ? "" : " ").append(value);
        return out;
    }

private:
    static void keep(std::vector<std::string>& found, std::string value) {
        if (std::find(found.begin(), found.end(), value) == found.end()) {
            found.push_back(std::move(value));
        }
    }

    const Known& known(std::string_view word) {
        if (const auto at = known_.find(word); at != known_.end()) return at->second;
        const std::string key(word);  // learning may run anything, even this reader
        Known fresh = learn_(key);
        if (known_.size() >= limit_) known_.clear();
        return known_.insert_or_assign(key, std::move(fresh)).first->second;
    }

    template <class Char>
    const Known& known_word(std::span<const Char> word) {
        // Numbers are many and each is its own stem; only years say more.
        const auto is_digit = [](Char c) { return point(c) >= U'0' && point(c) <= U'9'; };
        if (word.size() > 4 && std::all_of(word.begin(), word.end(), is_digit)) {
            number_.stem = utf8(word, buffer_);
            return number_;
        }
        return known(utf8(word, buffer_));
    }

    /// Of a part: a number in digits, a sign of a currency or of percent, or a run of letters.
    template <class Char>
    std::string stem_of(std::span<const Char> part) {
        const auto counted = utf8(part.first(std::min(part.size(), max_word)), buffer_);
        return is_letters(part) ? known(counted).stem : std::string(counted);
    }
    template <class Char>
    bool announces(std::span<const Char> part) {
        const auto counted = part.first(std::min(part.size(), max_word));
        return is_letters(part) && (known(utf8(counted, buffer_)).marks & rules_.change_mark) != 0;
    }

    /// The digits of a part that is a number, else nothing.
    template <class Char>
    std::string number_of(std::span<const Char> part) {
        std::string number;
        if ((characters_(part[0]) & kind::digit) != 0) {
            number = utf8(part, buffer_);
            std::erase(number, ',');
        } else if (part.size() <= longest_number_ && is_letters(part)) {
            const auto word = rules_.numbers.find(utf8(part, buffer_));
            if (word != rules_.numbers.end()) number = word->second;
        }
        return number;
    }

    template <class Char>
    std::vector<std::span<const Char>> parts_of(std::span<const Char> text) const {
        std::vector<std::span<const Char>> parts;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = part_size(text.subspan(at));
            if (size > 0) parts.push_back(text.subspan(at, size));
            at += std::max<std::size_t>(size, 1);
        }
        return parts;
    }

    /// Characters of the part that the text begins with, 0 where it begins with none.
    template <class Char>
    std::size_t part_size(std::span<const Char> text) const {
        const auto decimal = [&](std::size_t at) {
            return at < text.size() && (characters_(text[at]) & kind::decimal) != 0;
        };
        std::size_t end = 0;
        if (decimal(0)) {
            while (decimal(end) ||
                   (end < text.size() && (point(text[end]) == U'.' || point(text[end]) == U',') &&
                    decimal(end + 1))) {
                ++end;
            }
            return end;
        }
        if (is_sign(text[0])) return 1;
        while (end < text.size() && point(text[end]) != U'_' &&
               (characters_(text[end]) & (kind::word | kind::decimal)) == kind::word) {
            ++end;
        }
        return end;
    }

    template <class Char>
    bool is_letters(std::span<const Char> part) const {
        return !is_sign(part[0]) && (characters_(part[0]) & kind::decimal) == 0;
    }
    template <class Char>
    bool is_currency(Char c) const {
        return rules_.currencies.find(point(c)) != std::u32string::npos;
    }
    template <class Char>
    bool is_sign(Char c) const {
        return point(c) == U'%' || is_currency(c);
    }

    Characters characters_;
    Rules rules_;
    std::function<Known(std::string_view)> learn_;
    std::size_t limit_;
    std::size_t longest_number_ = 0;  ///< characters of the longest word that is a number
    ByText<Known> known_;
    Known number_;        ///< the last word of digits
    std::string buffer_;  ///< UTF-8 of the last word that was not ASCII
};

}  // namespace remanence
