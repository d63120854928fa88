// The layout of columns, block summaries, and the id table.
#include "core/columns.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "remanence/error.hpp"

#include "core/threads.hpp"

namespace remanence {
std::uint32_t IdTable::find_sparse(Id id) const {
    const auto at = sparse_.find(id);
    return at != sparse_.end() ? at->second : none;
}

void IdTable::insert(Id id, std::uint32_t number) {
    // Ids far ahead of the count would make the direct table huge; they go to the hash.
    const auto limit = static_cast<std::uint64_t>(count_++) * 4 + 65'536;
    if (id >= 0 && static_cast<std::uint64_t>(id) < limit) {
        const auto slot = static_cast<std::size_t>(id);
        if (slot >= dense_.size()) dense_.resize(std::max(slot + 1, dense_.size() * 3 / 2), none);
        dense_[slot] = number;
    } else {
        sparse_.emplace(id, number);
    }
}

void SegmentCodes::release(std::uint32_t first, std::uint32_t rows) {
    if (first + rows > encoded) return;
    pages_.release(bit_bytes(first), bit_bytes(rows));
    whole_pages.release(whole_bytes(first), whole_bytes(rows));
}

void SegmentCodes::reuse(SegmentCodes& worn) {
    pages_ = std::move(worn.pages_);
    whole_pages = std::move(worn.whole_pages);
    pages_.clear();
    whole_pages.clear();
}

void SegmentCodes::reserve(std::size_t bytes_per_row) {
    bytes = bytes_per_row;
    stride = round_up(row_code_at() + sizeof(RowCode), 64);
    if (pages_.data() == nullptr) {
        pages_ = Pages(round_up((bytes + row_bytes) * segment_rows, huge_page));
        pages_.prefer_huge();
    }
    factors = reinterpret_cast<std::uint32_t*>(pages_.data() + bit_bytes(segment_rows));
    early = factors + segment_rows;
    cell = reinterpret_cast<std::uint16_t*>(early + segment_rows);
    reach = reinterpret_cast<std::uint8_t*>(cell + segment_rows);
    if (whole_pages.data() == nullptr) {
        whole_pages = Pages(whole_bytes(segment_rows));
        whole_pages.prefer_huge();
    }
}

void SegmentCodes::summarise_strip(std::uint32_t strip) {
    const std::size_t first = std::size_t{strip} * 64;
    const auto [least, greatest] = std::minmax_element(cell + first, cell + first + 64);
    strips.least[strip] = *least;
    strips.greatest[strip] = *greatest;
    strips.reach[strip] = *std::max_element(reach + first, reach + first + 64);
}

Segment::Segment(std::size_t padded_dim) {
    lay_out();
    if (padded_dim != 0) reserve_vectors(padded_dim);
}

Segment::Segment(std::size_t padded_dim, Segment& worn)
    : pages(std::move(worn.pages)), rooms{std::move(worn.rooms.pages), not_spilled, {}} {
    pages.clear();
    rooms.pages.clear();
    codes.reuse(worn.codes);
    lay_out();
    if (padded_dim != 0 && rooms.pages.data() == nullptr) reserve_vectors(padded_dim);
}

void Segment::lay_out() {
    std::size_t bytes = 0;
    const auto place = [&]<class T>(T*& column, bool bind) {
        if (bind) column = reinterpret_cast<T*>(pages.data() + bytes);
        bytes += round_up(sizeof(T) * segment_rows, page_size);
    };
    for (const bool bind : {false, true}) {
        bytes = 0;
        place(id, bind);
        place(node, bind);
        place(previous, bind);
        place(scope, bind);
        place(author, bind);
        place(session, bind);
        place(time, bind);
        place(valid_from, bind);
        place(valid_to, bind);
        place(seq_from, bind);
        place(seq_to, bind);
        place(belief, bind);
        place(log_belief, bind);
        place(importance, bind);
        place(words, bind);
        place(length, bind);
        place(statics, bind);
        place(kind, bind);
        place(law, bind);
        place(flags, bind);
        for (auto& column : trace) place(column, bind);
        place(last_access, bind);
        place(created, bind);
        place(accesses, bind);
        place(stability, bind);
        place(difficulty, bind);
        place(used, bind);
        place(unused, bind);
        place(last_touch, bind);
        place(room, bind);
        if (!bind && pages.data() == nullptr) pages = Pages(bytes);
    }
}

void Segment::reserve_vectors(std::size_t padded_dim) {
    rooms.pages = Pages(padded_dim * sizeof(float) * segment_rows);
    rooms.pages.prefer_huge();
}

std::vector<ColumnRef> Segment::columns() const {
    std::vector<ColumnRef> out;
    const auto add = [&]<class T>(const char* name, T* column) {
        out.push_back({name, sizeof(T), reinterpret_cast<std::byte*>(column)});
    };
    add("id", id);
    add("node", node);
    add("previous", previous);
    add("scope", scope);
    add("author", author);
    add("session", session);
    add("time", time);
    add("valid_from", valid_from);
    add("valid_to", valid_to);
    add("seq_from", seq_from);
    add("seq_to", seq_to);
    add("belief", belief);
    add("log_belief", log_belief);
    add("importance", importance);
    add("words", words);
    add("length", length);
    add("statics", statics);
    add("kind", kind);
    add("law", law);
    add("flags", flags);
    for (auto* column : trace) add("trace", column);
    add("last_access", last_access);
    add("created", created);
    add("accesses", accesses);
    add("stability", stability);
    add("difficulty", difficulty);
    add("used", used);
    add("unused", unused);
    add("last_touch", last_touch);
    add("room", room);
    return out;
}

void Segment::summarise(std::uint32_t row) {
    BlockSummary& b = blocks[row / block_rows];
    const std::uint32_t first = row / block_rows * block_rows;
    b = BlockSummary{};
    for (auto& bits : live) std::fill_n(bits.begin() + first / 64, block_rows / 64, 0);
    for (std::uint32_t r = first; r < std::min(first + block_rows, count); ++r) {
        b.last_seq_from = std::max(b.last_seq_from, seq_from[r]);
        if (seq_to[r] != seq_open) {
            ++b.closed;
            b.last_seq_to = std::max(b.last_seq_to, seq_to[r]);
        } else if ((flags[r] & flag::erased) == 0) {
            live[is_node(kind[r]) ? 1 : 0][r / 64] |= std::uint64_t{1} << (r % 64);
        }
        b.erased += (flags[r] & flag::erased) != 0 ? 1 : 0;
        b.touched += (accesses[r] > 1 || used[r] != 0 || unused[r] != 0) ? 1 : 0;
        b.bounded += valid_to[r] != time_max ? 1 : 0;
        b.doubted += belief[r] < 1.0F ? 1 : 0;
        b.important += importance[r] != 0.0F ? 1 : 0;
        b.versions += previous[r] != none ? 1 : 0;
        b.vectors += (flags[r] & flag::has_vector) != 0 ? 1 : 0;
        b.laws |= static_cast<std::uint8_t>(1U << law[r]);
        b.kinds |= static_cast<std::uint8_t>(1U << kind[r]);
        b.least_scope = std::min(b.least_scope, scope[r]);
        b.greatest_scope = std::max(b.greatest_scope, scope[r]);
        b.mixed_scopes = b.least_scope != b.greatest_scope;
    }
    extent.kinds |= b.kinds;
    extent.least_scope = std::min(extent.least_scope, b.least_scope);
    extent.greatest_scope = std::max(extent.greatest_scope, b.greatest_scope);
}

void Segment::summarise_all() {
    for (std::uint32_t first = 0; first < count; first += block_rows) summarise(first);
}

std::uint32_t Segment::scattered() const {
    std::uint32_t rows = 0;
    for (std::uint32_t b = 0; b < segment_blocks; ++b) rows += dead(b) ? 0 : blocks[b].erased;
    return rows;
}

std::uint32_t Rooms::scattered() const {
    std::uint32_t rows = 0;
    for (std::uint32_t b = 0; b < segment_blocks; ++b) rows += dead(b) ? 0 : erased[b];
    return rows;
}

void Rooms::release(std::uint32_t block, std::size_t padded_dim) {
    const std::size_t bytes = block_rows * padded_dim * sizeof(float);
    pages.release(block * bytes, bytes);
}

void Columns::set_dim(std::size_t value) {
    dim = value;
    padded_dim = round_up(value, 16);
    for (auto& segment : segments) segment->reserve_vectors(padded_dim);
    ahead.clear();
}

void Columns::reserve_rows(std::size_t rows) {
    const std::size_t wanted = (count_ + rows + segment_rows - 1) / segment_rows;
    while (segments.size() + ahead.size() < wanted) {
        ahead.push_back(std::make_unique<Segment>(padded_dim));
    }
}

Segment& Columns::coming(std::uint32_t row) {
    const std::size_t index = row / segment_rows;
    return *(index < segments.size() ? segments[index] : ahead[index - segments.size()]);
}

std::uint32_t Columns::add_row() {
    if (count_ == none) throw OutOfMemory("append: the engine holds no more than 2^32 - 1 rows");
    if (count_ % segment_rows == 0 && count_ / segment_rows == segments.size()) {
        if (ahead.empty()) ahead.push_back(std::make_unique<Segment>(padded_dim));
        segments.push_back(std::move(ahead.front()));
        ahead.erase(ahead.begin());
    }
    ++at(count_).count;
    changes.row(count_);
    return count_++;
}

std::uint32_t Columns::copy_row(std::uint32_t row) {
    const std::uint32_t to = add_row();
    const std::uint32_t from_within = within(row);
    const std::uint32_t to_within = within(to);
    const auto source = at(row).columns();
    const auto target = at(to).columns();
    for (std::size_t c = 0; c < source.size(); ++c) {
        const std::size_t size = source[c].size;
        std::memcpy(target[c].data + to_within * size, source[c].data + from_within * size, size);
    }
    if (dim != 0) {
        std::copy_n(room(at(row), from_within), padded_dim,
                    at(to).vectors() + to_within * padded_dim);
    }
    at(to).room[to_within] = 0;
    at(to).previous[to_within] = row;
    newest[at(to).node[to_within]] = to;
    return to;
}

std::uint32_t Columns::add_node(Id id) {
    const auto node = static_cast<std::uint32_t>(node_ids_.size());
    node_ids_.push_back(id);
    newest.push_back(none);
    nodes_.insert(id, node);
    return node;
}

std::size_t Columns::nodes_as_of(Seq seq) const {
    if (count_ == 0) return nodes();
    const bool all = std::all_of(segments.begin(), segments.end(), [&](const auto& s) {
        return std::all_of(s->blocks.begin(), s->blocks.end(),
                           [&](const auto& b) { return b.last_seq_from <= seq; });
    });
    if (all) return nodes();
    std::size_t known = 0;
    for (std::uint32_t row = 0; row < count_; ++row) {
        const Segment& s = at(row);
        known += s.previous[within(row)] == none && s.seq_from[within(row)] <= seq ? 1 : 0;
    }
    return known;
}

bool Columns::row_visible(std::uint32_t row, Seq seq) const {
    const Segment& s = at(row);
    const std::uint32_t r = within(row);
    return s.seq_from[r] <= seq && seq < s.seq_to[r] && (s.flags[r] & flag::erased) == 0;
}

std::uint32_t Columns::visible_row(std::uint32_t node, Seq seq) const {
    for (std::uint32_t row = newest[node]; row != none; row = at(row).previous[within(row)]) {
        if (row_visible(row, seq)) return row;
    }
    return none;
}

std::uint32_t Columns::live_row(Id id) const {
    const std::uint32_t node = node_of(id);
    if (node == none || newest[node] == none) return none;
    return row_visible(newest[node], seq_now) ? newest[node] : none;
}

const float* Columns::vector(std::uint32_t row) const {
    const Segment& s = at(row);
    const std::uint32_t r = within(row);
    return (s.flags[r] & flag::has_vector) != 0 ? room(s, r) : nullptr;
}

}  // namespace remanence
