// The rows of one engine on the device, brought up to date block by block.
#pragma once

#include <vector>

#include "cuda/launch.hpp"

namespace remanence::cuda {

/// Vectors that the device has no room for are staged this many rows at a time.
inline constexpr std::uint32_t stage_rows = 4 * block_rows;

class Mirror {
public:
    Mirror();
    /// Copies what changed, and encodes the blocks that are full.
    void follow(const Columns& columns, const Stream& stream);
    const Rows& rows() const { return rows_; }
    /// Whether every vector is on the device.
    bool holds_vectors() const { return holds_vectors_; }
    bool holds_vectors(std::size_t segment) const { return segments_[segment].on_device; }
    /// Gives the vectors of one segment back to the host; false when no more are on the device.
    bool give_back(const Stream& stream);
    std::uint32_t encoded(std::size_t segment) const { return segments_[segment].view.encoded; }
    /// Makes the bytes of rows that have none; the table of segments has changed afterwards.
    void follow_bytes(const Columns& columns, const Stream& stream);
    /// Copies vectors [first, first + count) of a segment to the staging memory and lets the
    /// segment's columns point there.
    void stage(const Columns& columns, std::size_t segment, std::uint32_t first,
               std::uint32_t count, const Stream& stream);
    /// Vectors of single rows, one after another; rows without one get zeros.
    const float* gather(const Columns& columns, const std::vector<std::uint32_t>& rows,
                        const Stream& stream);

private:
    struct Piece {
        Buffer<std::byte> columns;
        Buffer<float> vectors;
        Buffer<std::uint32_t> code;
        Buffer<float> code_numbers;  ///< scale, error, centre
        Buffer<std::uint32_t> bytes;
        Buffer<float> byte_numbers;  ///< step, lost
        SegmentColumns view{};
        std::uint32_t bytes_made = 0;  ///< rows
        std::uint32_t capacity = 0;
        std::uint32_t count = 0;
        bool on_device = true;
    };

    void follow_segment(const Columns& columns, std::size_t index, const Stream& stream);
    Piece made(const Columns& columns, const Segment& s, std::uint32_t capacity) const;
    void grow(const Columns& columns, std::size_t index, const Stream& stream);
    void keep_rows(const Columns& columns, const Segment& s, const Piece& old, Piece& piece,
                   const Stream& stream);
    void copy_rows(const Segment& s, Piece& piece, std::uint32_t first, std::uint32_t end,
                   const Stream& stream);
    void copy_vectors(const Columns& columns, const Segment& s, Piece& piece, std::uint32_t first,
                      std::uint32_t end, const Stream& stream);
    void encode(const Columns& columns, std::size_t index, std::uint32_t first, std::uint32_t end,
                const Stream& stream);
    void make_bytes(const Columns& columns, std::size_t index, const Stream& stream);
    void put_view(std::size_t index, const Stream& stream);

    std::vector<Piece> segments_;
    Buffer<SegmentColumns> table_;
    Buffer<float> stage_;
    Buffer<float> gathered_;
    Rows rows_;
    std::uint64_t seen_ = 0;  ///< the newest change that is mirrored
    std::size_t limit_ = 0;   ///< bytes of vectors that the device may hold
    std::size_t vector_bytes_ = 0;
    bool holds_vectors_ = true;
};

}  // namespace remanence::cuda
