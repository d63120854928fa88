// Memories as columns in segments of 64 Ki rows, each column at an address that never moves.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "remanence/types.hpp"

#include "core/pages.hpp"

namespace remanence {

inline constexpr std::uint32_t segment_rows = 65'536;
inline constexpr std::uint32_t block_rows = 1'024;
inline constexpr std::uint32_t segment_blocks = segment_rows / block_rows;
/// From so many blocks on a write takes all threads; a smaller one leaves them to the readers.
inline constexpr std::uint32_t bulk_blocks = 32;
inline constexpr std::uint32_t none = 0xFFFF'FFFFU;
inline constexpr int trace_count = 12;
inline constexpr std::uint32_t static_lengths = 21;

/// From an id to a dense number: a direct table for ids that the log numbers, a hash for others.
class IdTable {
public:
    std::uint32_t find(Id id) const {
        const auto slot = static_cast<std::uint64_t>(id);
        const std::uint32_t number = slot < dense_.size() ? dense_[slot] : none;
        return number != none ? number : find_sparse(id);
    }
    void insert(Id id, std::uint32_t number);

private:
    std::uint32_t find_sparse(Id id) const;
    std::uint32_t count_ = 0;
    std::vector<std::uint32_t> dense_;
    std::unordered_map<Id, std::uint32_t> sparse_;
};

/// The name, element size and place of one column; the list is what a snapshot writes.
struct ColumnRef {
    const char* name;
    std::size_t size;
    std::byte* data;
};

/// What a block of rows can be spared: facts that let a filter skip its test or the whole block.
struct BlockSummary {
    Seq last_seq_from = 0;     ///< greatest seq_from
    Seq last_seq_to = 0;       ///< greatest seq_to of the closed rows
    std::uint32_t closed = 0;  ///< rows with a seq_to
    std::uint32_t erased = 0;
    std::uint32_t touched = 0;    ///< rows accessed after their creation, or with feedback
    std::uint32_t bounded = 0;    ///< rows with a valid_to
    std::uint32_t doubted = 0;    ///< rows with belief < 1
    std::uint32_t important = 0;  ///< rows whose importance is not 0
    std::uint32_t vectors = 0;
    std::uint32_t versions = 0;  ///< rows with a version before
    std::uint32_t least_scope = none;
    std::uint32_t greatest_scope = 0;
    bool mixed_scopes = false;
    std::uint8_t kinds = 0;  ///< bit per kind present
    std::uint8_t laws = 0;   ///< bit per decay law present
};

/// Kinds and scopes of all rows that a segment ever had.
struct Extent {
    std::uint32_t least_scope = none;
    std::uint32_t greatest_scope = 0;
    std::uint8_t kinds = 0;
};

struct Cells;

/// What each 64 rows of a segment say together of their cells.
struct StripCells {
    std::array<std::uint16_t, segment_rows / 64> least{};  ///< cell
    std::array<std::uint16_t, segment_rows / 64> greatest{};
    std::array<std::uint8_t, segment_rows / 64> reach{};  ///< greatest
};

/// What a row's bytes and signs are bounded with; it lies behind them, in one line with the signs.
struct RowCode {
    float scale = 0.0F;         ///< one step of a byte
    float error = 0.0F;         ///< |o - what the bytes say of it|
    std::uint32_t factors = 0;  ///< as SegmentCodes::factors
    std::uint16_t cell = 0;
    std::uint8_t reach = 0;
};

/// The one-bit codes of a segment (codes.hpp), made from its vectors block by block.
struct SegmentCodes {
    std::atomic<std::uint32_t> encoded{0};  ///< rows that have a code, whole blocks
    std::size_t bytes = 0;                  ///< of code per row
    std::shared_ptr<const Cells> cells;     ///< what rows are centred at (cells.hpp)
    std::uint16_t* cell = nullptr;          ///< [segment_rows]
    std::uint8_t* reach = nullptr;          ///< [segment_rows] |x - c| in reach_unit, rounded up
    StripCells strips;
    std::uint32_t* factors = nullptr;  ///< [segment_rows] f and f |s'| / sqrt(dim - 1), bfloat16
    std::uint32_t* early = nullptr;    ///< [segment_rows] the same of the first half alone

    /// The same eight dimensions of 64 rows lie side by side, as CodeStrips (codes.hpp) has them.
    std::uint8_t* bits() const { return reinterpret_cast<std::uint8_t*>(pages_.data()); }
    std::size_t bit_bytes(std::uint32_t rows) const { return std::size_t{rows} * bytes; }
    /// [segment_rows][stride]: o itself, a byte per dimension; its signs, a bit per dimension; a
    /// RowCode. All of a row lies together, for questions that want few rows.
    std::int8_t* whole() const { return reinterpret_cast<std::int8_t*>(whole_pages.data()); }
    std::size_t whole_bytes(std::uint32_t rows) const { return stride * rows; }
    std::size_t width() const { return 8 * bytes; }
    std::uint8_t* signs(std::uint32_t r) const {
        return reinterpret_cast<std::uint8_t*>(whole() + r * stride + width());
    }
    RowCode& row(std::uint32_t r) const {
        return *reinterpret_cast<RowCode*>(whole() + r * stride + row_code_at());
    }
    void reserve(std::size_t bytes_per_row);
    /// Bytes of a row beside its bits and what lies together.
    static constexpr std::size_t row_bytes = 2 * sizeof(float) + sizeof(std::uint16_t) + 1;
    void summarise_strip(std::uint32_t strip);
    /// Takes over the memory of others, emptied.
    void reuse(SegmentCodes& worn);
    /// Gives back the memory of codes that are zeros.
    void release(std::uint32_t first, std::uint32_t rows);
    Pages whole_pages;
    std::size_t stride = 0;  ///< a multiple of 64

private:
    std::size_t row_code_at() const { return (9 * bytes + 3) / 4 * 4; }
    Pages pages_;
};

/// Activations of a segment at one time: upper bounds at any later one, since without an access
/// activation only falls. An access raises its row's bound in place.
struct ActivationBound {
    TimeNs made_at = 0;
    TimeNs newest_access = time_min;  ///< at the time it was made
    std::uint32_t count = 0;          ///< rows that it covers
    std::vector<float> nats;          ///< [segment_rows]
};

struct SideBound;

inline constexpr std::size_t not_spilled = ~std::size_t{0};

/// Room for the vectors of a segment's rows. A row that is moved leaves its vector where it lies.
struct Rooms {
    Pages pages;
    std::size_t spilled_at = not_spilled;                ///< of the pages in the spill file
    std::array<std::uint32_t, segment_blocks> erased{};  ///< of each block's rooms: of erased rows

    /// Whether every row that has its vector in a block was erased: zeros for good.
    bool dead(std::uint32_t block) const { return erased[block] == block_rows; }
    /// Rooms of erased rows among others: their memory is not given back.
    std::uint32_t scattered() const;
    /// Gives back the memory of a dead block.
    void release(std::uint32_t block, std::size_t padded_dim);
};

struct Segment {
    explicit Segment(std::size_t padded_dim);
    /// An empty one in the memory of another, which nobody reads any more.
    Segment(std::size_t padded_dim, Segment& worn);

    std::uint32_t count = 0;
    Id* id = nullptr;
    std::uint32_t* node = nullptr;      ///< dense number of the id
    std::uint32_t* previous = nullptr;  ///< row of the version before, or none
    std::uint32_t* scope = nullptr;
    std::uint32_t* author = nullptr;
    std::uint32_t* session = nullptr;
    TimeNs* time = nullptr;
    TimeNs* valid_from = nullptr;
    TimeNs* valid_to = nullptr;
    Seq* seq_from = nullptr;
    Seq* seq_to = nullptr;
    float* belief = nullptr;
    float* log_belief = nullptr;
    float* importance = nullptr;
    std::uint32_t* words = nullptr;  ///< tokens of the lexical document
    std::uint16_t* length = nullptr;
    std::uint16_t* statics = nullptr;  ///< (kind, flags, length) as one table index
    std::uint8_t* kind = nullptr;
    std::uint8_t* law = nullptr;
    std::uint8_t* flags = nullptr;
    std::array<float*, trace_count> trace{};
    TimeNs* last_access = nullptr;
    TimeNs* created = nullptr;
    std::uint32_t* accesses = nullptr;
    float* stability = nullptr;
    float* difficulty = nullptr;
    std::uint16_t* used = nullptr;
    std::uint16_t* unused = nullptr;
    std::uint32_t* last_touch = nullptr;  ///< newest entry of the touch list, or none
    std::uint32_t* room = nullptr;        ///< 1 + row in whose room the vector lies; 0: its own
    std::array<BlockSummary, segment_blocks> blocks{};
    Extent extent;
    /// A bit for each live memory, then for each live node.
    std::array<std::array<std::uint64_t, segment_rows / 64>, 2> live{};

    /// The first room; `Columns::room` says which one is a row's.
    float* vectors() const { return reinterpret_cast<float*>(rooms.pages.data()); }
    /// Gives the segment room for vectors once the dimension is known.
    void reserve_vectors(std::size_t padded_dim);
    std::vector<ColumnRef> columns() const;
    /// Makes the summary of a row's block anew.
    void summarise(std::uint32_t row);
    void summarise_all();
    /// Whether every row of a block was erased: its codes are zeros for good.
    bool dead(std::uint32_t block) const { return blocks[block].erased == block_rows; }
    /// Erased rows among others: their memory is not given back.
    std::uint32_t scattered() const;

    Pages pages;
    Rooms rooms;
    SegmentCodes codes;
    /// Replaced as a whole by readers; read and written with std::atomic_load and _store.
    mutable std::shared_ptr<ActivationBound> activation_bound;
    mutable std::array<std::shared_ptr<SideBound>, 2> side_bounds;  ///< in the same way

private:
    void lay_out();
};

/// One access, kept so that an answer "as of" can leave out the later ones.
struct Touch {
    TimeNs time;
    Seq seq;
    std::uint32_t row;
    std::uint32_t previous;  ///< older touch of the same memory, or none
    float weight;
    std::int8_t used;
    std::array<std::int8_t, 3> padding{};
};

inline std::uint16_t static_index(std::uint8_t kind, std::uint8_t flags, std::uint16_t length) {
    const std::uint32_t capped = length < static_lengths ? length : static_lengths - 1;
    return static_cast<std::uint16_t>((kind * 4U + (flags & 3U)) * static_lengths + capped);
}
inline constexpr std::size_t static_count = kind_count * 4 * static_lengths;

/// Which blocks of rows changed: each keeps the number of its latest change, so that a mirror on a
/// device copies what is newer than its last look.
class Changes {
public:
    void row(std::uint32_t row) { set(rows_, row); }
    void vector(std::uint32_t row) { set(vectors_, row); }
    std::uint64_t now() const { return now_; }
    std::uint64_t of_rows(std::size_t block) const { return at(rows_, block); }
    std::uint64_t of_vectors(std::size_t block) const { return at(vectors_, block); }

private:
    using Numbers = std::vector<std::uint64_t>;
    void set(Numbers& numbers, std::uint32_t row) {
        if (numbers.size() <= row / block_rows) numbers.resize(row / block_rows + 1, 0);
        numbers[row / block_rows] = ++now_;
    }
    static std::uint64_t at(const Numbers& numbers, std::size_t block) {
        return block < numbers.size() ? numbers[block] : 0;
    }

    Numbers rows_;
    Numbers vectors_;
    std::uint64_t now_ = 0;
};

/// All segments, and the way from an id to its newest row.
class Columns {
public:
    std::uint32_t count() const { return count_; }
    Changes changes;
    std::size_t dim = 0;
    std::size_t padded_dim = 0;
    std::vector<std::unique_ptr<Segment>> segments;
    /// Segments that no reader sees yet; the writer's alone.
    std::vector<std::unique_ptr<Segment>> ahead;
    /// [group] null while no segment of it was ever full.
    std::vector<std::shared_ptr<const Cells>> cells;
    std::vector<Touch> touches;
    std::vector<std::uint32_t> newest;  ///< [node] newest row

    void set_dim(std::size_t value);
    Segment& at(std::uint32_t row) { return *segments[row / segment_rows]; }
    const Segment& at(std::uint32_t row) const { return *segments[row / segment_rows]; }
    /// The cells of a segment's group, or null.
    const std::shared_ptr<const Cells>& cells_of(std::size_t segment) const;
    static std::uint32_t within(std::uint32_t row) { return row % segment_rows; }
    const BlockSummary& block_of(std::uint32_t row) const {
        return at(row).blocks[within(row) / block_rows];
    }
    /// Makes room for rows to come, and the segment of one that may not be there yet.
    void reserve_rows(std::size_t rows);
    Segment& coming(std::uint32_t row);
    /// A fresh zeroed row; its summary is made by `summarise` once it is filled.
    std::uint32_t add_row();
    /// A new version of `row`'s memory with the same content.
    std::uint32_t copy_row(std::uint32_t row);
    void set_count(std::uint32_t count) { count_ = count; }

    std::uint32_t node_of(Id id) const { return nodes_.find(id); }  ///< none when unknown
    std::uint32_t add_node(Id id);
    Id id_of(std::uint32_t node) const { return node_ids_[node]; }
    std::size_t nodes() const { return node_ids_.size(); }
    /// Memories that commit `seq` had heard of.
    std::size_t nodes_as_of(Seq seq) const;
    /// The version of a node that commit `seq` saw, or none.
    std::uint32_t visible_row(std::uint32_t node, Seq seq) const;
    std::uint32_t live_row(Id id) const;
    bool row_visible(std::uint32_t row, Seq seq) const;
    const float* vector(std::uint32_t row) const;
    /// Where a row's vector lies, zeros where it has none.
    float* room(const Segment& s, std::uint32_t r) const {
        const std::uint32_t other = s.room[r];
        if (other == 0) return s.vectors() + r * padded_dim;
        return at(other - 1).vectors() + within(other - 1) * padded_dim;
    }
    /// Whether each of these rows has its vector in its own room.
    static bool at_home(const Segment& s, std::uint32_t first, std::uint32_t count) {
        return std::all_of(s.room + first, s.room + first + count,
                           [](std::uint32_t other) { return other == 0; });
    }
    /// The vectors of rows side by side: where they lie so, or else copied.
    const float* side_by_side(const Segment& s, std::uint32_t first, std::uint32_t count,
                              std::vector<float>& copied) const {
        if (at_home(s, first, count)) return s.vectors() + first * padded_dim;
        copied.resize(count * padded_dim);
        for (std::uint32_t i = 0; i < count; ++i) {
            std::copy_n(room(s, first + i), padded_dim, copied.data() + i * padded_dim);
        }
        return copied.data();
    }

private:
    std::uint32_t count_ = 0;
    std::vector<Id> node_ids_;
    IdTable nodes_;
};

}  // namespace remanence
