// Finds known names of one or more words in texts, however many are known.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/characters.hpp"

namespace remanence {

/// The names that a text holds, each a run of whole words, in order and without repetition.
struct NamesFound {
    std::vector<std::string> several;  ///< of several words
    bool single = false;               ///< whether there is any of one word
};

class NameFinder {
public:
    explicit NameFinder(Characters characters) : characters_(characters) {}

    std::size_t size() const { return names_.size(); }

    /// name: words in folded case with single spaces between them.
    void add(std::string_view name) {
        if (name.empty() || !names_.emplace(name).second) return;
        const auto words = static_cast<std::size_t>(std::count(name.begin(), name.end(), ' ')) + 1;
        std::vector<std::size_t>& sizes =
            sizes_[std::string(name.substr(0, std::min(name.find(' '), name.size())))];
        if (std::find(sizes.begin(), sizes.end(), words) == sizes.end()) sizes.push_back(words);
    }

    /// text: in folded case.
    template <class Char>
    NamesFound find(std::span<const Char> text) {
        words_.clear();
        each_word(characters_, text, [&](std::span<const Char> word) { words_.push(word); });
        NamesFound out;
        for (std::size_t first = 0; first < words_.size(); ++first) {
            const auto at = sizes_.find(words_[first]);
            if (at == sizes_.end()) continue;
            for (const std::size_t size : at->second) {
                if (size == 1) {
                    out.single = true;
                } else if (first + size <= words_.size()) {
                    const auto name = names_.find(words_.joined(first, size));
                    if (name != names_.end()) out.several.push_back(*name);
                }
            }
        }
        std::sort(out.several.begin(), out.several.end());
        out.several.erase(std::unique(out.several.begin(), out.several.end()), out.several.end());
        return out;
    }

private:
    /// The words of a text one after the other, a space between them.
    class Words {
    public:
        void clear() {
            text_.clear();
            ends_.clear();
        }
        template <class Char>
        void push(std::span<const Char> word) {
            if (!ends_.empty()) text_ += ' ';
            text_ += utf8(word, buffer_);
            ends_.push_back(text_.size());
        }
        std::size_t size() const { return ends_.size(); }
        std::string_view operator[](std::size_t word) const { return joined(word, 1); }
        std::string_view joined(std::size_t first, std::size_t count) const {
            const std::size_t start = first == 0 ? 0 : ends_[first - 1] + 1;
            return std::string_view(text_).substr(start, ends_[first + count - 1] - start);
        }

    private:
        std::string text_;
        std::vector<std::size_t> ends_;
        std::string buffer_;
    };

    Characters characters_;
    ByText<std::vector<std::size_t>> sizes_;  ///< first word of a name -> sizes in words
    std::unordered_set<std::string, ViewHash, std::equal_to<>> names_;
    Words words_;
};

}  // namespace remanence
