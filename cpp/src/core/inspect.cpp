// The reads that are not recall: what is here, in which state, and a digest of it all.
#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <numeric>

#include "remanence/error.hpp"

#include "core/activation.hpp"
#include "core/state.hpp"
#include "core/threads.hpp"

namespace remanence {
namespace {

std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 32U;
    x *= 0xD6E8FEB86659FD93ULL;
    x ^= x >> 32U;
    x *= 0xD6E8FEB86659FD93ULL;
    return x ^ x >> 32U;
}

/// Two running 64-bit sums over words of 8 bytes; four lanes keep the multiplier busy.
class Digest {
public:
    void bytes(const void* data, std::size_t size) {
        const auto* at = static_cast<const std::byte*>(data);
        std::array<std::uint64_t, 4> lane{state_[0], state_[1], ~state_[0], ~state_[1]};
        for (; size >= 32; size -= 32, at += 32) {
            std::array<std::uint64_t, 4> word{};
            std::memcpy(word.data(), at, 32);
            for (std::size_t l = 0; l < 4; ++l) {
                lane[l] = (lane[l] ^ word[l]) * 0x9E3779B97F4A7C15ULL;
                lane[l] ^= lane[l] >> 29U;
            }
        }
        std::array<std::uint64_t, 4> rest{};
        if (size != 0) std::memcpy(rest.data(), at, size);
        for (std::size_t l = 0; l < 4; ++l) lane[l] = mix(lane[l] ^ rest[l]) + size;
        state_[0] = mix(lane[0] + mix(lane[1]));
        state_[1] = mix(lane[2] + mix(lane[3]));
    }
    void number(std::uint64_t value) { bytes(&value, sizeof value); }
    std::uint64_t value() const { return state_[0] ^ state_[1]; }
    std::string hex() const {
        static constexpr char digits[] = "0123456789abcdef";
        std::string out;
        for (const std::uint64_t word : state_) {
            for (int shift = 60; shift >= 0; shift -= 4) out += digits[word >> shift & 15U];
        }
        return out;
    }

private:
    std::array<std::uint64_t, 2> state_{0x243F6A8885A308D3ULL, 0x13198A2E03707344ULL};
};

/// What a row is known by wherever it stands: its memory and its place among that one's versions.
std::vector<std::uint64_t> identities(const Columns& columns) {
    std::vector<std::uint64_t> out(columns.count());
    std::vector<std::uint32_t> versions;
    for (std::size_t node = 0; node < columns.nodes(); ++node) {
        versions.clear();
        for (std::uint32_t row = columns.newest[node]; row != none;
             row = columns.at(row).previous[Columns::within(row)]) {
            versions.push_back(row);
        }
        for (std::size_t v = 0; v < versions.size(); ++v) {
            out[versions[v]] =
                mix(static_cast<std::uint64_t>(columns.id_of(static_cast<std::uint32_t>(node))) *
                        0x9E3779B97F4A7C15ULL +
                    (versions.size() - v));
        }
    }
    return out;
}

/// Rows move and terms are numbered by first use, which an erasure changes; sums see neither.
std::uint64_t digest_words(const Lexicon& lexicon, const std::vector<std::uint64_t>& identity) {
    std::uint64_t sum = 0;
    for (std::size_t term = 0; term < lexicon.terms(); ++term) {
        std::uint64_t word = 0xCBF29CE484222325ULL;
        for (const char c : lexicon.word(term)) {
            word = (word ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
        }
        for (const Posting& p : lexicon.postings(term)) {
            sum += mix(word ^ mix(identity[p.row] + p.count));
        }
    }
    for (const auto& [row, values] : lexicon.all_values()) {
        std::uint64_t text = 0xCBF29CE484222325ULL ^ identity[row];
        for (const char c : values) {
            text = (text ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
        }
        sum += mix(text);
    }
    return sum;
}

/// A row with its vector, without what names other rows by their place.
std::uint64_t digest_row(const Columns& columns, std::uint32_t row, std::uint64_t identity) {
    const Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    std::array<std::byte, 512> packed{};
    std::size_t size = 0;
    for (const ColumnRef& c : s.columns()) {
        if (c.data == reinterpret_cast<const std::byte*>(s.previous) ||
            c.data == reinterpret_cast<const std::byte*>(s.room)) {
            continue;
        }
        std::memcpy(packed.data() + size, c.data + r * c.size, c.size);
        size += c.size;
    }
    Digest digest;
    digest.number(identity);
    digest.bytes(packed.data(), size);
    // A dimension that only erased memories had is not part of what answers depend on.
    const float* const vector = columns.vector(row);
    if (vector != nullptr) digest.bytes(vector, columns.padded_dim * sizeof(float));
    return digest.value();
}

}  // namespace

std::size_t Engine::dim() const {
    const std::shared_lock lock(state_->mutex);
    return state_->columns.dim;
}

Seq Engine::seq() const {
    const std::shared_lock lock(state_->mutex);
    return state_->seq;
}

const std::string& Engine::tag() const { return state_->tag; }

const std::string& Engine::backend() const { return state_->backend; }

std::vector<std::uint8_t> Engine::contains(View<const Id> ids, std::optional<Seq> as_of) const {
    const std::shared_lock lock(state_->mutex);
    std::vector<std::uint8_t> out;
    for (const Id id : ids) {
        const std::uint32_t node = state_->columns.node_of(id);
        out.push_back(
            node != none && state_->columns.visible_row(node, seq_seen(as_of)) != none ? 1 : 0);
    }
    return out;
}

std::vector<Id> Engine::holding(std::string_view terms, std::uint32_t scope,
                                std::size_t limit) const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    std::vector<const Postings*> lists;
    bool known = true;
    each_term(terms, [&](std::string_view term) {
        lists.push_back(state_->lexicon.find(term));
        known &= lists.back() != nullptr;
    });
    std::vector<Id> out;
    if (lists.empty() || !known) return out;
    std::sort(lists.begin(), lists.end(),
              [](const auto* a, const auto* b) { return a->size() < b->size(); });
    for (const Posting& p : *lists[0]) {
        const Segment& s = columns.at(p.row);
        const std::uint32_t r = Columns::within(p.row);
        if (s.scope[r] != scope || is_node(s.kind[r]) || !columns.row_visible(p.row, seq_now)) {
            continue;
        }
        const bool all = std::all_of(lists.begin() + 1, lists.end(),
                                     [&](const auto* list) { return list->holds(p.row); });
        if (!all) continue;
        if (out.size() == limit) return {};
        out.push_back(s.id[r]);
    }
    return out;
}

std::vector<float> Engine::activation(View<const Id> ids, TimeNs now,
                                      std::optional<Seq> as_of) const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    const Seq seq = seq_seen(as_of);
    std::vector<float> out;
    for (const Id id : ids) {
        const std::uint32_t node = columns.node_of(id);
        const std::uint32_t row = node == none ? none : columns.visible_row(node, seq);
        if (row == none) throw NotFound("activation: there is no memory " + std::to_string(id));
        const auto law = static_cast<Law>(columns.at(row).law[Columns::within(row)]);
        out.push_back(activation_of(access_as_of(columns, row, seq), law, now));
    }
    return out;
}

MemoryState Engine::state(Id id) const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    const std::uint32_t row = columns.live_row(id);
    if (row == none) throw NotFound("state: there is no memory " + std::to_string(id));
    const Segment& s = columns.at(row);
    const std::uint32_t r = Columns::within(row);
    const AccessState access = read_access(s, r);
    MemoryState out;
    out.law = s.law[r];
    out.trace = access.trace;
    out.created = s.created[r];
    out.last_access = access.last_access;
    out.accesses = access.accesses;
    out.stability = access.stability;
    out.difficulty = access.difficulty;
    out.used = access.used;
    out.unused = access.unused;
    out.belief = s.belief[r];
    return out;
}

std::vector<float> Engine::vector(Id id, std::optional<Seq> as_of) const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    const std::uint32_t node = columns.node_of(id);
    const std::uint32_t row = node == none ? none : columns.visible_row(node, seq_seen(as_of));
    if (row == none) throw NotFound("vector: there is no memory " + std::to_string(id));
    const float* const at = columns.vector(row);
    return at == nullptr ? std::vector<float>{} : std::vector<float>(at, at + columns.dim);
}

EngineStats Engine::stats() const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    EngineStats out;
    out.rows = columns.count();
    out.live = state_->all[0].rows + state_->all[1].rows;
    out.edges = state_->links.count();
    out.live_edges = state_->links.live();
    out.touches = columns.touches.size();
    out.terms = state_->lexicon.terms();
    out.postings = state_->lexicon.posting_count();
    out.segments = columns.segments.size();
    out.dim = columns.dim;
    std::size_t row_bytes = 0;
    if (!columns.segments.empty()) {
        for (const ColumnRef& c : columns.segments[0]->columns()) row_bytes += c.size;
    }
    out.column_bytes = row_bytes * columns.count();
    out.vector_bytes = columns.padded_dim * sizeof(float) * columns.count();
    for (const auto& segment : columns.segments) {
        const SegmentCodes& codes = segment->codes;
        const std::size_t paged = codes.bytes + codes.stride;  // given back where all is erased
        out.code_bytes += codes.encoded * (paged + SegmentCodes::row_bytes);
        for (std::uint32_t b = 0; b < segment_blocks; ++b) {
            const bool coded = (b + 1) * block_rows <= codes.encoded;
            out.code_bytes -= segment->dead(b) && coded ? block_rows * paged : 0;
            const std::size_t room_bytes = columns.padded_dim * sizeof(float);
            out.vector_bytes -= segment->rooms.dead(b) ? block_rows * room_bytes : 0;
        }
        for (const auto* pages :
             std::array<const Pages*, 2>{&segment->rooms.pages, &codes.whole_pages}) {
            if (!pages->filed()) continue;
            out.mapped += pages->bytes();
            out.mapped_resident += pages->resident();
        }
    }
    out.posting_bytes = out.postings * sizeof(Posting);
    out.edge_bytes = state_->links.bytes();
    out.seq = state_->seq;
    return out;
}

std::string Engine::digest() const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    Digest digest;
    digest.number(columns.count());
    const std::vector<std::uint64_t> identity = identities(columns);
    const std::size_t blocks = (columns.count() + block_rows - 1) / block_rows;
    std::vector<std::uint64_t> sums(blocks, 0);
    parallel_for(blocks, worker_count(0), [&](std::size_t b, int) {
        const auto first = static_cast<std::uint32_t>(b * block_rows);
        for (std::uint32_t row = first; row < std::min(first + block_rows, columns.count());
             ++row) {
            sums[b] += digest_row(columns, row, identity[row]);
        }
    });
    digest.number(std::accumulate(sums.begin(), sums.end(), std::uint64_t{0}));
    digest.number(digest_words(state_->lexicon, identity));
    for (Touch touch : columns.touches) {
        digest.number(identity[touch.row]);
        touch.row = 0;
        digest.bytes(&touch, sizeof touch);
    }
    for (std::uint32_t e = 0; e < state_->links.count(); ++e) {
        digest.bytes(&state_->links.at(e), sizeof(Edge));
    }
    return digest.hex();
}

}  // namespace remanence
