// Which columns a device holds, and copying what changed.
#include "cuda/mirror.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "remanence/error.hpp"

namespace remanence::cuda {
namespace {

/// Calls use(host column, place in the device's view) for every column that the device holds.
template <class Use>
void each_column(const Segment& s, SegmentColumns& view, Use&& use) {
    use(s.scope, view.scope);
    use(s.author, view.author);
    use(s.time, view.time);
    use(s.valid_from, view.valid_from);
    use(s.valid_to, view.valid_to);
    use(s.seq_from, view.seq_from);
    use(s.seq_to, view.seq_to);
    use(s.belief, view.belief);
    use(s.log_belief, view.log_belief);
    use(s.importance, view.importance);
    use(s.words, view.words);
    use(s.statics, view.statics);
    use(s.kind, view.kind);
    use(s.law, view.law);
    use(s.flags, view.flags);
    for (std::size_t k = 0; k < trace_count; ++k) use(s.trace[k], view.trace[k]);
    use(s.last_access, view.last_access);
    use(s.created, view.created);
    use(s.accesses, view.accesses);
    use(s.stability, view.stability);
    use(s.used, view.used);
    use(s.unused, view.unused);
    use(s.id, view.id);
}

std::uint32_t full_blocks(std::uint32_t count) { return count / block_rows * block_rows; }

/// Bytes of vectors the device may hold: REMANENCE_DEVICE_BYTES, else most of what is free.
std::size_t vector_limit() {
    const char* const wanted = std::getenv("REMANENCE_DEVICE_BYTES");
    if (wanted == nullptr || *wanted == '\0') return free_bytes() / 10 * 8;
    char* end = nullptr;
    const unsigned long long bytes = std::strtoull(wanted, &end, 10);
    if (*end != '\0' || *wanted < '0' || *wanted > '9') {
        throw InvalidArgument("REMANENCE_DEVICE_BYTES: want a number of bytes (got '" +
                              std::string(wanted) + "')");
    }
    return static_cast<std::size_t>(bytes);
}

bool codes_apply(std::size_t dim) { return dim >= least_code_dim && dim <= most_code_dim; }

}  // namespace

Mirror::Mirror() : limit_(vector_limit()) {}

void Mirror::follow(const Columns& columns, const Stream& stream) {
    if (rows_.dim != columns.dim) {  // the first vectors came: start again
        segments_.clear();
        vector_bytes_ = 0;
    }
    rows_.dim = static_cast<std::uint32_t>(columns.dim);
    rows_.padded = static_cast<std::uint32_t>(columns.padded_dim);
    rows_.code_words = (rows_.dim + 31) / 32;
    rows_.chunks = (rows_.padded + chunk_dims - 1) / chunk_dims;
    rows_.count = columns.count();
    rows_.segment_count = (rows_.count + segment_rows - 1) / segment_rows;
    if (segments_.size() < rows_.segment_count) segments_.resize(rows_.segment_count);
    if (table_.size() < rows_.segment_count) {
        table_.reserve(2 * std::size_t{rows_.segment_count});
        for (std::size_t i = 0; i < rows_.segment_count; ++i) put_view(i, stream);
    }
    rows_.segments = table_.data();
    for (std::size_t i = 0; i < rows_.segment_count; ++i) follow_segment(columns, i, stream);
    seen_ = columns.changes.now();
    holds_vectors_ = std::all_of(segments_.begin(), segments_.end(),
                                 [](const Piece& piece) { return piece.on_device; });
}

void Mirror::follow_segment(const Columns& columns, std::size_t index, const Stream& stream) {
    const Segment& s = *columns.segments[index];
    bool changed = s.count > segments_[index].capacity;
    if (changed) grow(columns, index, stream);
    Piece& piece = segments_[index];
    for (std::uint32_t first = 0; first < s.count; first += block_rows) {
        const std::size_t block = index * segment_blocks + first / block_rows;
        const std::uint32_t end = std::min(first + block_rows, s.count);
        const bool fresh = end > piece.count;
        if (fresh || columns.changes.of_rows(block) > seen_) {
            copy_rows(s, piece, first, end, stream);
            changed = true;
        }
        const bool again = columns.changes.of_vectors(block) > seen_;
        if (again) piece.bytes_made = std::min(piece.bytes_made, first);
        const std::uint32_t from = again ? first : std::max(first, piece.count);
        if (from < end) copy_vectors(columns, s, piece, from, end, stream);
        if (again && first < piece.view.encoded) {
            encode(columns, index, first, first + block_rows, stream);
        }
    }
    if (!changed) return;
    piece.count = s.count;
    upload(const_cast<BlockSummary*>(piece.view.blocks), s.blocks.data(), sizeof s.blocks, stream);
    if (codes_apply(columns.dim) && piece.view.encoded < full_blocks(s.count)) {
        encode(columns, index, piece.view.encoded, full_blocks(s.count), stream);
    }
    put_view(index, stream);
}

/// Memory for a segment, without content.
Mirror::Piece Mirror::made(const Columns& columns, const Segment& s, std::uint32_t capacity) const {
    Piece made;
    made.capacity = capacity;
    std::size_t bytes = 0;
    const auto room = [&](std::size_t wanted) {
        const std::size_t at = bytes;
        bytes += (wanted + 255) / 256 * 256;
        return at;
    };
    SegmentColumns& view = made.view;
    const std::size_t blocks = room(sizeof s.blocks);
    each_column(s, view, [&](auto* host, auto&) { room(sizeof *host * capacity); });
    made.columns.reserve(bytes);
    bytes = 0;
    view.blocks = reinterpret_cast<BlockSummary*>(made.columns.data() + blocks);
    room(sizeof s.blocks);
    each_column(s, view, [&](auto* host, auto& place) {
        using Device = std::remove_reference_t<decltype(place)>;
        place = reinterpret_cast<Device>(made.columns.data() + room(sizeof *host * capacity));
    });
    if (codes_apply(columns.dim)) {
        made.code.reserve(std::size_t{capacity} * rows_.code_words);
        made.code_numbers.reserve(2 * std::size_t{capacity} + columns.padded_dim);
        view.code = made.code.data();
        view.scale = made.code_numbers.data();
        view.error = view.scale + capacity;
        view.centre = view.error + capacity;
    }
    const std::size_t vectors = columns.padded_dim * capacity;
    made.on_device = vector_bytes_ + vectors * sizeof(float) <= limit_;
    if (made.on_device && vectors != 0) {
        made.vectors.reserve(vectors);
        view.vectors = made.vectors.data();
    }
    return made;
}

/// New memory for a segment, at least twice as much as before. What the old one holds is copied on
/// the device, unless both together are more than it has: then everything comes from the host.
void Mirror::grow(const Columns& columns, std::size_t index, const Stream& stream) {
    const Segment& s = *columns.segments[index];
    Piece& piece = segments_[index];
    std::uint32_t capacity = std::max(piece.capacity, block_rows);
    while (capacity < s.count) capacity *= 2;
    stream.synchronize();  // nothing may still read what is freed here
    vector_bytes_ -= piece.vectors.size() * sizeof(float);
    Piece next;
    try {
        next = made(columns, s, capacity);
        keep_rows(columns, s, piece, next, stream);
    } catch (const OutOfMemory&) {
        if (piece.capacity == 0) throw;
        next = Piece{};
        piece = Piece{};
        next = made(columns, s, capacity);
    }
    vector_bytes_ += next.vectors.size() * sizeof(float);
    piece = std::move(next);
    stream.synchronize();  // before the old one, now in `next`, is freed
}

void Mirror::keep_rows(const Columns& columns, const Segment& s, const Piece& old, Piece& piece,
                       const Stream& stream) {
    float* const vectors = piece.vectors.data();
    if (old.count == 0 || (vectors != nullptr && old.vectors.data() == nullptr)) return;
    SegmentColumns from = old.view;
    std::vector<std::pair<const void*, std::size_t>> held;  // columns and their bytes
    each_column(s, from, [&](auto* host, auto& place) {
        held.emplace_back(place, sizeof *host * old.count);
    });
    auto next = held.begin();
    each_column(s, piece.view, [&](auto*, auto& place) {
        auto* const to = const_cast<void*>(static_cast<const void*>(place));
        copy_within(to, next->first, next->second, stream);
        ++next;
    });
    if (vectors != nullptr) {
        copy_within(vectors, old.vectors.data(), columns.padded_dim * old.count * sizeof(float),
                    stream);
    }
    piece.count = old.count;
}

void Mirror::copy_rows(const Segment& s, Piece& piece, std::uint32_t first, std::uint32_t end,
                       const Stream& stream) {
    each_column(s, piece.view, [&](auto* host, auto& place) {
        using Value = std::remove_cvref_t<decltype(*place)>;
        static_assert(sizeof(Value) == sizeof *host);
        upload(const_cast<Value*>(place) + first, host + first, (end - first) * sizeof *host,
               stream);
    });
}

void Mirror::copy_vectors(const Columns& columns, const Segment& s, Piece& piece,
                          std::uint32_t first, std::uint32_t end, const Stream& stream) {
    if (piece.vectors.data() == nullptr || columns.padded_dim == 0) return;
    std::vector<float> copied;
    upload(piece.vectors.data() + first * columns.padded_dim,
           columns.side_by_side(s, first, end - first, copied),
           (end - first) * columns.padded_dim * sizeof(float), stream);
}

void Mirror::encode(const Columns& columns, std::size_t index, std::uint32_t first,
                    std::uint32_t end, const Stream& stream) {
    Piece& piece = segments_[index];
    for (std::uint32_t at = first; at < end; at += stage_rows) {
        const std::uint32_t count = std::min(stage_rows, end - at);
        if (!piece.on_device) stage(columns, index, at, count, stream);
        const std::uint32_t last = piece.on_device ? end : at + count;
        if (piece.view.encoded == 0 && at == 0) {
            run_make_centre(piece.view, 0, last, rows_.padded, stream);
        }
        run_encode_rows(piece.view, at, at + count, rows_, stream);
    }
    piece.view.encoded = std::max(piece.view.encoded, end);
}

bool Mirror::give_back(const Stream& stream) {
    const auto last = std::find_if(segments_.rbegin(), segments_.rend(), [](const Piece& piece) {
        return piece.vectors.data() != nullptr;
    });
    if (last == segments_.rend()) return false;
    stream.synchronize();  // nothing may still read them
    vector_bytes_ -= last->vectors.size() * sizeof(float);
    limit_ = std::min(limit_, vector_bytes_);
    last->vectors.clear();
    last->view.vectors = nullptr;
    last->on_device = false;
    holds_vectors_ = false;
    put_view(static_cast<std::size_t>(segments_.rend() - last) - 1, stream);
    return true;
}

void Mirror::follow_bytes(const Columns& columns, const Stream& stream) {
    for (std::size_t i = 0; i < rows_.segment_count; ++i) {
        if (segments_[i].bytes_made < segments_[i].count) make_bytes(columns, i, stream);
    }
}

void Mirror::make_bytes(const Columns& columns, std::size_t index, const Stream& stream) {
    Piece& piece = segments_[index];
    if (piece.view.bytes == nullptr) {
        piece.bytes.reserve(std::size_t{piece.capacity} * rows_.chunks * (chunk_dims / 4));
        piece.byte_numbers.reserve(2 * std::size_t{piece.capacity});
        // Rows to come are multiplied with those that are there, and then left out.
        fill(piece.bytes.data(), 0, piece.bytes.size() * sizeof(std::uint32_t), stream);
        fill(piece.byte_numbers.data(), 0, piece.byte_numbers.size() * sizeof(float), stream);
        piece.view.bytes = piece.bytes.data();
        piece.view.byte_step = piece.byte_numbers.data();
        piece.view.byte_lost = piece.view.byte_step + piece.capacity;
    }
    for (std::uint32_t at = piece.bytes_made; at < piece.count; at += stage_rows) {
        const std::uint32_t end = std::min(at + stage_rows, piece.count);
        if (!piece.on_device) stage(columns, index, at, end - at, stream);
        run_encode_bytes(piece.view, at, end, rows_, stream);
    }
    piece.bytes_made = piece.count;
    put_view(index, stream);
}

void Mirror::put_view(std::size_t index, const Stream& stream) {
    upload(table_.data() + index, &segments_[index].view, sizeof(SegmentColumns), stream);
}

void Mirror::stage(const Columns& columns, std::size_t segment, std::uint32_t first,
                   std::uint32_t count, const Stream& stream) {
    if (columns.padded_dim == 0) return;
    if (stage_.size() < count * columns.padded_dim) stream.synchronize();
    stage_.reserve(count * columns.padded_dim);
    std::vector<float> copied;
    upload(stage_.data(), columns.side_by_side(*columns.segments[segment], first, count, copied),
           count * columns.padded_dim * sizeof(float), stream);
    SegmentColumns& view = segments_[segment].view;
    view.vectors = stage_.data();
    view.first_vector = first;
    put_view(segment, stream);
}

const float* Mirror::gather(const Columns& columns, const std::vector<std::uint32_t>& rows,
                            const Stream& stream) {
    std::vector<float> host(rows.size() * columns.padded_dim, 0.0F);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Segment& s = columns.at(rows[i]);
        const std::uint32_t r = Columns::within(rows[i]);
        if ((s.flags[r] & flag::has_vector) == 0) continue;
        std::copy_n(columns.room(s, r), columns.padded_dim, host.data() + i * columns.padded_dim);
    }
    return gathered_.put(host, stream);
}

}  // namespace remanence::cuda
