// Values by row, or by node, for the few that a question touches.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace remanence {

/// A hash table of rows; walked in the order in which the rows came first.
template <class Value>
class RowMap {
public:
    using Item = std::pair<std::uint32_t, Value>;

    Value& operator[](std::uint32_t row) { return items_[place(row)].second; }
    /// How many came before the row, which now has a value.
    std::uint32_t place(std::uint32_t row) {
        if (items_.size() * 2 >= slots_.size()) grow();
        std::uint32_t& slot = slots_[slot_of(row)];
        if (slot == empty_slot) {
            slot = static_cast<std::uint32_t>(items_.size());
            items_.emplace_back(row, Value{});
        }
        return slot;
    }
    /// Ask memory for where the row would be, and, when that is there, for its value.
    [[gnu::always_inline]] void fetch(std::uint32_t row) const {
        if (!slots_.empty()) __builtin_prefetch(&slots_[first_slot(row)]);
    }
    [[gnu::always_inline]] void fetch_value(std::uint32_t row) const {
        if (slots_.empty()) return;
        const std::uint32_t slot = slots_[first_slot(row)];
        if (slot != empty_slot) __builtin_prefetch(&items_[slot]);
    }
    Item& at(std::uint32_t place) { return items_[place]; }
    /// Null where the row has no value.
    const Value* find(std::uint32_t row) const {
        if (slots_.empty()) return nullptr;
        const std::uint32_t slot = slots_[slot_of(row)];
        return slot == empty_slot ? nullptr : &items_[slot].second;
    }
    bool empty() const { return items_.empty(); }
    std::size_t size() const { return items_.size(); }
    auto begin() const { return items_.begin(); }
    auto end() const { return items_.end(); }

private:
    static constexpr std::uint32_t empty_slot = 0xFFFFFFFF;
    static constexpr std::size_t first_slots = 256;

    std::size_t first_slot(std::uint32_t row) const {
        return (row * 0x9E3779B1U) >> (32 - std::bit_width(slots_.size() - 1));
    }
    /// Where the row is, or where it belongs.
    std::size_t slot_of(std::uint32_t row) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = first_slot(row);
        while (slots_[at] != empty_slot && items_[slots_[at]].first != row) at = (at + 1) & mask;
        return at;
    }
    void grow() {
        slots_.assign(slots_.empty() ? first_slots : slots_.size() * 2, empty_slot);
        for (std::size_t i = 0; i < items_.size(); ++i) {
            slots_[slot_of(items_[i].first)] = static_cast<std::uint32_t>(i);
        }
    }

    std::vector<Item> items_;
    std::vector<std::uint32_t> slots_;  ///< a power of two
};

}  // namespace remanence
