// Characters of a text in one width, what kind each is of, and runs of one kind as UTF-8.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

namespace remanence {

/// A character as a code point.
template <class Char>
constexpr char32_t point(Char c) {
    return static_cast<char32_t>(static_cast<std::make_unsigned_t<Char>>(c));
}

/// Kinds of a character, as bits.
namespace kind {
inline constexpr std::uint8_t word = 1, decimal = 2, digit = 4, sign = 8;
}

/// Tells kinds apart. A text is a span of `char` (ASCII) or of code points of 1, 2 or 4 bytes.
class Characters {
public:
    /// kind_of: word, decimal and digit of any code point. signs: ASCII characters to be noted.
    Characters(std::uint8_t (*kind_of)(char32_t), std::string_view signs) : kind_of_(kind_of) {
        for (std::size_t c = 0; c < latin_.size(); ++c) {
            latin_[c] = kind_of(static_cast<char32_t>(c));
        }
        for (const char c : signs) latin_[static_cast<unsigned char>(c)] |= kind::sign;
    }

    template <class Char>
    std::uint8_t operator()(Char c) const {
        return point(c) < latin_.size() ? latin_[point(c)] : kind_of_(point(c));
    }

private:
    std::uint8_t (*kind_of_)(char32_t);
    std::array<std::uint8_t, 256> latin_{};
};

inline void append_utf8(std::string& out, char32_t c) {
    const auto byte = [&](char32_t bits) { out += static_cast<char>(bits); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xC0 | (c >> 6U));
        byte(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        byte(0xE0 | (c >> 12U));
        byte(0x80 | ((c >> 6U) & 0x3F));
        byte(0x80 | (c & 0x3F));
    } else {
        byte(0xF0 | (c >> 18U));
        byte(0x80 | ((c >> 12U) & 0x3F));
        byte(0x80 | ((c >> 6U) & 0x3F));
        byte(0x80 | (c & 0x3F));
    }
}

/// Looks strings up by views.
struct ViewHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};
template <class Value>
using ByText = std::unordered_map<std::string, Value, ViewHash, std::equal_to<>>;

/// The text in UTF-8: itself where it is ASCII, else written to `buffer`.
template <class Char>
std::string_view utf8(std::span<const Char> text, std::string& buffer) {
    if constexpr (std::is_same_v<Char, char>) {
        return {text.data(), text.size()};
    } else {
        buffer.clear();
        for (const Char c : text) append_utf8(buffer, point(c));
        return buffer;
    }
}

/// Calls use(run) for every longest run of word characters, from left to right.
template <class Char, class Use>
void each_word(const Characters& characters, std::span<const Char> text, Use&& use) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::size_t first = at;
        while (at < text.size() && (characters(text[at]) & kind::word) != 0) ++at;
        if (at > first) use(text.subspan(first, at - first));
    }
}

}  // namespace remanence
