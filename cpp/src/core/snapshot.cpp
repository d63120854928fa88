// Saving an engine and bringing it back: which columns, words, codes and edges make up its state.
//
// Vectors are mapped privately, so opening reads each page once, for its checksum.
#include <cstring>
#include <mutex>

#include "core/codes.hpp"
#include "core/snapshot_file.hpp"
#include "core/state.hpp"

namespace remanence {
namespace {

using snapshot::Reader;
using snapshot::Writer;

struct Meta {
    std::uint64_t dim;
    std::uint64_t rows;
    std::int64_t seq;
    std::uint64_t terms;
};

void save_words(Writer& out, const Lexicon& lexicon) {
    std::string text;
    std::vector<std::uint32_t> lengths;
    std::vector<std::uint64_t> counts;
    std::vector<Posting> postings;
    postings.reserve(lexicon.posting_count());
    for (std::size_t term = 0; term < lexicon.terms(); ++term) {
        text += lexicon.word(term);
        lengths.push_back(static_cast<std::uint32_t>(lexicon.word(term).size()));
        counts.push_back(lexicon.postings(term).size());
        postings.insert(postings.end(), lexicon.postings(term).begin(),
                        lexicon.postings(term).end());
    }
    out.section("words.text", text.data(), text.size());
    out.section("words.length", lengths);
    out.section("words.count", counts);
    out.section("postings", postings);
    std::string values;
    std::vector<std::uint32_t> ends;  // row, length, row, length, ...
    for (const auto& [row, stated] : lexicon.all_values()) {
        values += stated;
        ends.push_back(row);
        ends.push_back(static_cast<std::uint32_t>(stated.size()));
    }
    out.section("values.text", values.data(), values.size());
    out.section("values.row", ends);
}

void load_words(Reader& in, Lexicon& lexicon, std::size_t terms, std::size_t rows) {
    const auto text = in.next("words.text");
    const auto lengths = in.values<std::uint32_t>("words.length");
    const auto counts = in.values<std::uint64_t>("words.count");
    const auto postings = in.next("postings");
    if (lengths.size() != terms || counts.size() != terms) in.refuse("holds too few words");
    std::size_t at = 0;
    std::size_t row = 0;
    for (std::size_t term = 0; term < terms; ++term) {
        const std::size_t bytes = counts[term] * sizeof(Posting);
        if (lengths[term] > text.size() - at || bytes > postings.size() - row) {
            in.refuse("holds words outside their section");
        }
        std::vector<Posting> list(counts[term]);
        if (bytes != 0) std::memcpy(list.data(), postings.data() + row, bytes);
        if (!list.empty() && list.back().row >= rows) in.refuse("names rows that it lacks");
        const auto not_after = [](const Posting& a, const Posting& b) { return a.row >= b.row; };
        if (std::adjacent_find(list.begin(), list.end(), not_after) != list.end()) {
            in.refuse("names the rows of a word out of order");
        }
        lexicon.load_term({reinterpret_cast<const char*>(text.data()) + at, lengths[term]},
                          Postings(std::move(list)));
        at += lengths[term];
        row += bytes;
    }
    const auto values = in.next("values.text");
    const auto ends = in.values<std::uint32_t>("values.row");
    at = 0;
    for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
        if (ends[i] >= rows || ends[i + 1] > values.size() - at) in.refuse("names rows it lacks");
        lexicon.load_values(ends[i],
                            {reinterpret_cast<const char*>(values.data()) + at, ends[i + 1]});
        at += ends[i + 1];
    }
}

void save_cells(Writer& out, const Cells& cells) {
    out.section("cells.step", cells.step);
    out.section("cells.steps", cells.steps);
}

std::shared_ptr<const Cells> load_cells(Reader& in, const Columns& columns) {
    auto cells = std::make_shared<Cells>();
    cells->width = code_bytes(columns.dim) * 8;
    cells->step = in.values<float>("cells.step");
    cells->steps = in.values<std::int8_t>("cells.steps");
    if (cells->count() >= 0xFFFFU || cells->steps.size() != cells->count() * cells->width) {
        in.refuse("has cells of a wrong size");
    }
    return cells;
}

/// Codes follow from the vectors; they are kept because making them takes seconds per million rows.
void save_codes(Writer& out, const Segment& s, const std::shared_ptr<const Cells>& of_group) {
    const SegmentCodes& codes = s.codes;
    const std::uint32_t encoded = codes.encoded;  // before it is known cells may be being found
    const bool own = encoded != 0 && codes.cells != of_group;
    const std::vector<std::uint64_t> sizes = {encoded, encoded != 0 ? codes.bytes : 0,
                                              own ? 1U : 0U};
    out.section("codes.size", sizes);
    if (encoded == 0) return;
    if (own) save_cells(out, *codes.cells);
    out.section("codes.cell", codes.cell, encoded * sizeof(std::uint16_t));
    out.section("codes.reach", codes.reach, encoded);
    out.section("codes.bits", codes.bits(), codes.bit_bytes(encoded));
    out.section("codes.factors", codes.factors, encoded * sizeof(std::uint32_t));
    out.section("codes.early", codes.early, encoded * sizeof(std::uint32_t));
    out.section("bytes", codes.whole(), codes.whole_bytes(encoded));
}

void load_codes(Reader& in, const Columns& columns, Segment& s,
                const std::shared_ptr<const Cells>& of_group) {
    const auto sizes = in.values<std::uint64_t>("codes.size");
    if (sizes.size() != 3 || sizes[0] > s.count || sizes[0] % block_rows != 0 ||
        (sizes[0] != 0 && sizes[1] != code_bytes(columns.dim))) {
        in.refuse("has codes of impossible sizes");
    }
    if (sizes[0] == 0) return;
    SegmentCodes& codes = s.codes;
    codes.reserve(sizes[1]);
    codes.encoded = static_cast<std::uint32_t>(sizes[0]);
    codes.cells = sizes[2] != 0 ? load_cells(in, columns) : of_group;
    if (codes.cells == nullptr) in.refuse("lacks the cells of a segment");
    in.into("codes.cell", reinterpret_cast<std::byte*>(codes.cell),
            codes.encoded * sizeof(std::uint16_t));
    in.into("codes.reach", reinterpret_cast<std::byte*>(codes.reach), codes.encoded);
    for (std::uint32_t r = 0; r < codes.encoded; ++r) {
        if (codes.cell[r] > codes.cells->count()) in.refuse("names a cell that it lacks");
    }
    for (std::uint32_t strip = 0; strip < codes.encoded / 64; ++strip) {
        codes.summarise_strip(strip);
    }
    in.into("codes.bits", reinterpret_cast<std::byte*>(codes.bits()),
            codes.bit_bytes(codes.encoded));
    in.into("codes.factors", reinterpret_cast<std::byte*>(codes.factors),
            codes.encoded * sizeof(std::uint32_t));
    in.into("codes.early", reinterpret_cast<std::byte*>(codes.early),
            codes.encoded * sizeof(std::uint32_t));
    codes.whole_pages =
        in.pages("bytes", codes.whole_bytes(codes.encoded), codes.whole_bytes(segment_rows));
    for (std::uint32_t r = 0; r < codes.encoded; ++r) {
        if (codes.row(r).cell > codes.cells->count()) in.refuse("names a cell that it lacks");
    }
}

void load_segment(Reader& in, Columns& columns, std::uint32_t rows) {
    columns.segments.push_back(std::make_unique<Segment>(0));
    Segment& s = *columns.segments.back();
    s.count = rows;
    for (const ColumnRef& c : s.columns()) in.into(c.name, c.data, c.size * rows);
    if (columns.padded_dim != 0) {
        const std::size_t row_bytes = columns.padded_dim * sizeof(float);
        s.rooms.pages = in.pages("vectors", row_bytes * rows, row_bytes * segment_rows);
    }
    load_codes(in, columns, s, columns.cells_of(columns.segments.size() - 1));
    s.summarise_all();
    for (std::uint32_t b = 0; b < segment_blocks; ++b) {
        if (s.dead(b)) s.codes.release(b * block_rows, block_rows);
    }
}

/// Whose vector lies where: no room holds two.
void find_rooms(Columns& columns, const Reader& in) {
    std::vector<bool> taken(columns.count(), false);
    for (std::uint32_t row = 0; row < columns.count(); ++row) {
        const Segment& s = columns.at(row);
        const std::uint32_t r = Columns::within(row);
        if (s.room[r] > columns.count()) in.refuse("has a vector in a room that it lacks");
        const std::uint32_t at = s.room[r] == 0 ? row : s.room[r] - 1;
        if (taken[at]) in.refuse("has two vectors in one room");
        taken[at] = true;
        if ((s.flags[r] & flag::erased) == 0) continue;
        ++columns.at(at).rooms.erased[Columns::within(at) / block_rows];
    }
    for (const auto& s : columns.segments) {
        for (std::uint32_t b = 0; b < segment_blocks; ++b) {
            if (s->rooms.dead(b)) s->rooms.release(b, columns.padded_dim);
        }
    }
}

/// The memories and their newest versions: the rows that no other names as the one before. Chains
/// of versions must hold every row once, or walking them might not end.
void find_nodes(Columns& columns, const Reader& in) {
    const std::uint32_t rows = columns.count();
    std::vector<Id> ids;
    std::vector<bool> named(rows, false);
    for (std::uint32_t row = 0; row < rows; ++row) {
        const Segment& s = columns.at(row);
        const std::uint32_t r = Columns::within(row);
        const std::uint32_t previous = s.previous[r];
        if (s.node[r] >= rows || s.id[r] <= 0) in.refuse("holds a row of no memory");
        if (s.node[r] >= ids.size()) ids.resize(s.node[r] + std::size_t{1}, 0);
        Id& id = ids[s.node[r]];
        if (id != 0 && id != s.id[r]) in.refuse("holds a memory of two ids");
        id = s.id[r];
        if (previous == none) continue;
        if (previous >= rows || named[previous]) in.refuse("holds versions out of order");
        named[previous] = true;
    }
    for (const Id id : ids) {
        if (id == 0 || columns.node_of(id) != none) in.refuse("lacks a memory that it counts");
        columns.add_node(id);
    }
    std::uint32_t reached = 0;
    for (std::uint32_t row = 0; row < rows; ++row) {
        if (named[row]) continue;
        const std::uint32_t node = columns.at(row).node[Columns::within(row)];
        if (columns.newest[node] != none) in.refuse("holds a memory with two newest versions");
        columns.newest[node] = row;
        for (std::uint32_t at = row; at != none; ++reached) {
            const Segment& s = columns.at(at);
            if (s.node[Columns::within(at)] != node) in.refuse("mixes versions of two memories");
            at = s.previous[Columns::within(at)];
        }
    }
    if (reached != rows) in.refuse("holds versions out of order");
}

/// Everything that follows from the rows: ids, newest versions, sessions, words per scope.
void rebuild(Engine::State& state, const Reader& in) {
    Columns& columns = state.columns;
    find_nodes(columns, in);
    find_rooms(columns, in);
    for (std::uint32_t row = 0; row < columns.count(); ++row) {
        const Segment& s = columns.at(row);
        const std::uint32_t r = Columns::within(row);
        if (s.kind[r] >= kind_count || s.law[r] >= law_count || s.scope[r] >= scope_limit ||
            s.statics[r] >= static_count ||
            (s.last_touch[r] != none && s.last_touch[r] >= columns.touches.size())) {
            in.refuse("holds a row that contradicts itself");
        }
        state.index_session(row);
        if (columns.row_visible(row, seq_now)) state.count_live(row, true);
    }
}

}  // namespace

void Engine::save(const std::string& path, const std::string& tag) const {
    const std::shared_lock lock(state_->mutex);
    const Columns& columns = state_->columns;
    Writer out(path);
    const std::vector<Meta> meta = {
        {columns.dim, columns.count(), state_->seq, state_->lexicon.terms()}};
    out.section("meta", meta);
    out.section("tag", tag.data(), tag.size());
    out.section("touches", columns.touches);
    std::vector<std::uint8_t> known;
    known.reserve(columns.cells.size());
    for (const auto& cells : columns.cells) known.push_back(cells != nullptr ? 1 : 0);
    out.section("cells.known", known);
    for (const auto& cells : columns.cells) {
        if (cells != nullptr) save_cells(out, *cells);
    }
    std::size_t index = 0;
    for (const auto& segment : columns.segments) {
        for (const ColumnRef& c : segment->columns()) {
            out.section(c.name, c.data, c.size * segment->count);
        }
        if (columns.padded_dim != 0) {
            out.section("vectors", segment->vectors(),
                        columns.padded_dim * sizeof(float) * segment->count);
        }
        save_codes(out, *segment, columns.cells_of(index++));
    }
    save_words(out, state_->lexicon);
    std::vector<Edge> edges;
    edges.reserve(state_->links.count());
    for (std::uint32_t e = 0; e < state_->links.count(); ++e) edges.push_back(state_->links.at(e));
    out.section("edges", edges);
    out.finish();
}

Engine Engine::load(const std::string& path, std::string_view backend) {
    Reader in(path);
    Engine engine(0, backend);
    State& state = *engine.state_;
    const auto meta = in.values<Meta>("meta");
    if (meta.size() != 1 || meta[0].dim > max_dim || meta[0].rows >= none) {
        in.refuse("has impossible sizes");
    }
    const auto tag = in.next("tag");
    state.tag.assign(reinterpret_cast<const char*>(tag.data()), tag.size());
    Columns& columns = state.columns;
    columns.dim = meta[0].dim;
    columns.padded_dim = (meta[0].dim + 15) / 16 * 16;
    columns.touches = in.values<Touch>("touches");
    for (const std::uint8_t known : in.values<std::uint8_t>("cells.known")) {
        columns.cells.push_back(known != 0 ? load_cells(in, columns) : nullptr);
        if (known != 0 &&
            (columns.cells.back()->count() < 2 || columns.cells.back()->count() % 2 != 0)) {
            in.refuse("has cells of a wrong size");
        }
    }
    for (std::uint64_t row = 0; row < meta[0].rows; row += segment_rows) {
        const std::uint64_t left = meta[0].rows - row;
        load_segment(in, columns,
                     static_cast<std::uint32_t>(std::min<std::uint64_t>(left, segment_rows)));
    }
    columns.set_count(static_cast<std::uint32_t>(meta[0].rows));
    rebuild(state, in);
    load_words(in, state.lexicon, meta[0].terms, meta[0].rows);
    for (const Edge& e : in.values<Edge>("edges")) {
        if (e.source >= columns.nodes() || e.target >= columns.nodes()) {
            in.refuse("holds an edge to a memory that it lacks");
        }
        state.links.add(e);
        state.weigh(e, true);
    }
    state.seq = meta[0].seq;
    return engine;
}

}  // namespace remanence
