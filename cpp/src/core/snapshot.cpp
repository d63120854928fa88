// The snapshot file: a header, named sections with checksums, vectors that can be mapped.
//
// header  | magic "RMNSNAP\n", version, section count, directory checksum, file size
// section | name, offset (page-aligned), size, checksum
// A reader checks the magic, the version, the size, the directory and every section before it
// believes a byte. Vectors are mapped privately, so opening reads each page once, for its checksum.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "core/codes.hpp"
#include "core/crc32c.hpp"
#include "core/state.hpp"
#include "core/threads.hpp"
#include "remanence/error.hpp"

namespace remanence {
namespace {

constexpr std::array<char, 8> magic = {'R', 'M', 'N', 'S', 'N', 'A', 'P', '\n'};
constexpr std::uint32_t format_version = 1;
constexpr std::size_t page = 4096;
constexpr std::size_t chunk = std::size_t{8} << 20U;  // one checksum task

struct Header {
    std::array<char, 8> magic;
    std::uint32_t version;
    std::uint32_t sections;
    std::uint64_t file_size;
    std::uint32_t directory_crc;
    std::uint32_t header_crc;  ///< of the bytes before it
};

struct Section {
    std::array<char, 24> name;
    std::uint64_t offset;
    std::uint64_t size;
    std::uint32_t crc;  ///< of the checksums of its chunks
    std::uint32_t padding;
};

struct Meta {
    std::uint64_t dim;
    std::uint64_t rows;
    std::int64_t seq;
    std::uint64_t terms;
};

/// One checksum over chunks, so that threads can share a large section.
std::uint32_t chunked_crc(const std::byte* data, std::size_t size) {
    const std::size_t chunks = (size + chunk - 1) / chunk;
    std::vector<std::uint32_t> parts(chunks);
    parallel_for(chunks, worker_count(0), [&](std::size_t i, int) {
        parts[i] = crc32c(0, data + i * chunk, std::min(chunk, size - i * chunk));
    });
    return crc32c(0, parts.data(), parts.size() * sizeof(std::uint32_t));
}

class File {
public:
    File(const std::string& path, int flags, const char* verb) : path_(path), verb_(verb) {
        descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
        if (descriptor < 0) fail("cannot be opened");
    }
    ~File() { ::close(descriptor); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void write(const void* data, std::size_t size) {
        const auto* at = static_cast<const char*>(data);
        while (size != 0) {
            const ssize_t done = ::write(descriptor, at, std::min(size, std::size_t{1} << 30U));
            if (done < 0 && errno == EINTR) continue;
            if (done <= 0) fail("cannot be written");
            at += done;
            size -= static_cast<std::size_t>(done);
            written += static_cast<std::size_t>(done);
        }
    }
    void pad() {
        static constexpr std::array<char, page> zeros{};
        if (written % page != 0) write(zeros.data(), page - written % page);
    }
    void sync() {
        if (::fsync(descriptor) != 0) fail("cannot be made durable");
    }
    [[noreturn]] void fail(const char* what) const {
        throw Error(std::string(verb_) + ": the snapshot " + path_ + " " + what + " (" +
                    std::strerror(errno) + ")");
    }

    int descriptor = -1;
    std::size_t written = 0;

private:
    std::string path_;
    const char* verb_;
};

class Writer {
public:
    explicit Writer(const std::string& path) : file_(path, O_CREAT | O_TRUNC | O_WRONLY, "save") {
        const std::array<char, page> zeros{};
        file_.write(zeros.data(), zeros.size());  // the header is written last
    }
    void section(const std::string& name, const void* data, std::size_t size) {
        file_.pad();
        Section s{};
        std::memcpy(s.name.data(), name.data(), std::min(name.size(), s.name.size() - 1));
        s.offset = file_.written;
        s.size = size;
        s.crc = chunked_crc(static_cast<const std::byte*>(data), size);
        directory_.push_back(s);
        file_.write(data, size);
    }
    template <class T>
    void section(const std::string& name, const std::vector<T>& values) {
        section(name, values.data(), values.size() * sizeof(T));
    }
    void finish() {
        file_.pad();
        const std::size_t bytes = directory_.size() * sizeof(Section);
        const std::uint64_t at = file_.written;
        file_.write(directory_.data(), bytes);
        Header h{magic, format_version, static_cast<std::uint32_t>(directory_.size()), at + bytes,
                 crc32c(0, directory_.data(), bytes), 0};
        h.header_crc = crc32c(0, &h, offsetof(Header, header_crc));
        if (::pwrite(file_.descriptor, &h, sizeof h, 0) != static_cast<ssize_t>(sizeof h)) {
            file_.fail("cannot be written");
        }
        file_.sync();
    }

private:
    File file_;
    std::vector<Section> directory_;
};

class Reader {
public:
    explicit Reader(const std::string& path) : file_(path, O_RDONLY, "load"), path_(path) {
        struct stat info {};
        if (::fstat(file_.descriptor, &info) != 0) file_.fail("cannot be read");
        const auto size = static_cast<std::size_t>(info.st_size);
        if (size < sizeof(Header)) refuse("is too short to be one");
        map_ = Pages(file_.descriptor, 0, size);
        Header h{};
        std::memcpy(&h, map_.data(), sizeof h);
        if (h.magic != magic) refuse("is not a snapshot of remanence");
        if (h.version > format_version) {
            refuse("is of the newer format " + std::to_string(h.version) +
                   " (this library reads up to " + std::to_string(format_version) + ")");
        }
        if (h.header_crc != crc32c(0, &h, offsetof(Header, header_crc))) {
            refuse("has a damaged header");
        }
        const std::size_t bytes = h.sections * sizeof(Section);
        if (h.file_size != size) refuse("is truncated or has bytes added");
        if (bytes > size || crc32c(0, map_.data() + size - bytes, bytes) != h.directory_crc) {
            refuse("has a damaged directory");
        }
        directory_.resize(h.sections);
        std::memcpy(directory_.data(), map_.data() + size - bytes, bytes);
    }

    /// The next section, which must have this name; its content is checked.
    View<const std::byte> next(const std::string& name) {
        const Section& s = take(name);
        return {map_.data() + s.offset, s.size};
    }
    template <class T>
    std::vector<T> values(const std::string& name) {
        const auto bytes = next(name);
        std::vector<T> out(bytes.size() / sizeof(T));
        if (bytes.size() % sizeof(T) != 0) refuse("holds a section of a wrong size: " + name);
        std::memcpy(out.data(), bytes.data(), bytes.size());
        return out;
    }
    void into(const std::string& name, std::byte* to, std::size_t size) {
        const auto bytes = next(name);
        if (bytes.size() != size) refuse("holds a section of a wrong size: " + name);
        std::memcpy(to, bytes.data(), size);
    }
    /// The next section as pages of its own, private to this process.
    Pages pages(const std::string& name, std::size_t size, std::size_t reserve) {
        const Section& s = take(name);
        if (s.size != size) refuse("holds a section of a wrong size: " + name);
        if (size == reserve) return Pages(file_.descriptor, s.offset, size);
        Pages out(reserve);
        std::memcpy(out.data(), map_.data() + s.offset, size);
        return out;
    }
    [[noreturn]] void refuse(const std::string& why) const {
        throw CorruptData("load: the file " + path_ + " " + why);
    }

private:
    const Section& take(const std::string& name) {
        if (at_ == directory_.size() || name != directory_[at_].name.data()) {
            refuse("lacks the section " + name);
        }
        const Section& s = directory_[at_++];
        if (s.offset > map_.bytes() || s.size > map_.bytes() - s.offset) {
            refuse("has a section outside itself: " + name);
        }
        if (chunked_crc(map_.data() + s.offset, s.size) != s.crc) {
            refuse("has a damaged section: " + name);
        }
        return s;
    }

    File file_;
    std::string path_;
    Pages map_;
    std::vector<Section> directory_;
    std::size_t at_ = 0;
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
        std::memcpy(list.data(), postings.data() + row, bytes);
        if (!list.empty() && list.back().row >= rows) in.refuse("names rows that it lacks");
        lexicon.load_term({reinterpret_cast<const char*>(text.data()) + at, lengths[term]},
                          std::move(list));
        at += lengths[term];
        row += bytes;
    }
}

/// Codes follow from the vectors; they are kept because making them takes seconds per million rows.
void save_codes(Writer& out, const Segment& s) {
    const SegmentCodes& codes = s.codes;
    const std::vector<std::uint64_t> sizes = {codes.encoded, codes.groups};
    out.section("codes.size", sizes);
    if (codes.encoded == 0) return;
    out.section("codes.bits", codes.bits(), codes.bit_bytes(codes.encoded));
    out.section("codes.scale", codes.scale, codes.encoded * sizeof(float));
    out.section("codes.error", codes.error, codes.encoded * sizeof(float));
    out.section("codes.centre", codes.centre);
}

void load_codes(Reader& in, const Columns& columns, Segment& s) {
    const auto sizes = in.values<std::uint64_t>("codes.size");
    if (sizes.size() != 2 || sizes[0] > s.count || sizes[0] % block_rows != 0 ||
        (sizes[0] != 0 && sizes[1] != code_groups(columns.dim))) {
        in.refuse("has codes of impossible sizes");
    }
    if (sizes[0] == 0) return;
    SegmentCodes& codes = s.codes;
    codes.reserve(sizes[1]);
    codes.encoded = static_cast<std::uint32_t>(sizes[0]);
    in.into("codes.bits", reinterpret_cast<std::byte*>(codes.bits()),
            codes.bit_bytes(codes.encoded));
    in.into("codes.scale", reinterpret_cast<std::byte*>(codes.scale),
            codes.encoded * sizeof(float));
    in.into("codes.error", reinterpret_cast<std::byte*>(codes.error),
            codes.encoded * sizeof(float));
    codes.centre = in.values<float>("codes.centre");
    if (codes.centre.size() != columns.padded_dim) in.refuse("has a centre of a wrong size");
}

void load_segment(Reader& in, Columns& columns, std::uint32_t rows) {
    columns.segments.push_back(std::make_unique<Segment>(0));
    Segment& s = *columns.segments.back();
    s.count = rows;
    for (const ColumnRef& c : s.columns()) in.into(c.name, c.data, c.size * rows);
    if (columns.padded_dim != 0) {
        const std::size_t row_bytes = columns.padded_dim * sizeof(float);
        s.vector_pages = in.pages("vectors", row_bytes * rows, row_bytes * segment_rows);
    }
    load_codes(in, columns, s);
    s.summarise_all();
}

/// Everything that follows from the rows: ids, newest versions, sessions, words per scope.
void rebuild(Engine::State& state, const Reader& in) {
    Columns& columns = state.columns;
    for (std::uint32_t row = 0; row < columns.count(); ++row) {
        const Segment& s = columns.at(row);
        const std::uint32_t r = Columns::within(row);
        if (s.node[r] == columns.nodes()) columns.add_node(s.id[r]);
        const bool older = s.previous[r] == none || s.previous[r] < row;
        if (s.node[r] >= columns.nodes() || !older || s.kind[r] >= kind_count ||
            s.law[r] >= law_count || s.scope[r] >= scope_limit ||
            s.statics[r] >= static_count ||
            (s.last_touch[r] != none && s.last_touch[r] >= columns.touches.size())) {
            in.refuse("holds a row that contradicts itself");
        }
        columns.newest[s.node[r]] = row;
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
    for (const auto& segment : columns.segments) {
        for (const ColumnRef& c : segment->columns()) {
            out.section(c.name, c.data, c.size * segment->count);
        }
        if (columns.padded_dim != 0) {
            out.section("vectors", segment->vectors(),
                        columns.padded_dim * sizeof(float) * segment->count);
        }
        save_codes(out, *segment);
    }
    save_words(out, state_->lexicon);
    std::vector<Edge> edges;
    for (std::uint32_t e = 0; e < state_->links.count(); ++e) edges.push_back(state_->links.at(e));
    out.section("edges", edges);
    out.finish();
}

Engine Engine::load(const std::string& path) {
    Reader in(path);
    Engine engine;
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
    }
    state.seq = meta[0].seq;
    return engine;
}

}  // namespace remanence
