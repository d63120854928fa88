// The file under a snapshot: a header, named sections with checksums, sections that can be mapped.
//
// header  | magic "RMNSNAP\n", version, section count, directory checksum, file size
// section | name, offset (page-aligned), size, checksum
// A reader checks the magic, the version, the size, the directory and every section before it
// believes a byte.
#pragma once

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "remanence/error.hpp"

#include "core/columns.hpp"
#include "core/crc32c.hpp"
#include "core/threads.hpp"

namespace remanence::snapshot {

inline constexpr std::array<char, 8> magic = {'R', 'M', 'N', 'S', 'N', 'A', 'P', '\n'};
inline constexpr std::uint32_t format_version = 6;
inline constexpr std::size_t page = 4096;
inline constexpr std::size_t chunk = std::size_t{8} << 20U;  // one checksum task

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

/// One checksum over chunks, so that threads can share a large section.
inline std::uint32_t chunked_crc(const std::byte* data, std::size_t size) {
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
    /// Writes beside `path` and takes its place only when whole: a reader may have it mapped.
    explicit Writer(const std::string& path)
        : path_(path),
          partial_(path + ".partial"),
          file_(partial_, O_CREAT | O_TRUNC | O_WRONLY, "save") {
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
        Header h{magic,
                 format_version,
                 static_cast<std::uint32_t>(directory_.size()),
                 at + bytes,
                 crc32c(0, directory_.data(), bytes),
                 0};
        h.header_crc = crc32c(0, &h, offsetof(Header, header_crc));
        if (::pwrite(file_.descriptor, &h, sizeof h, 0) != static_cast<ssize_t>(sizeof h)) {
            file_.fail("cannot be written");
        }
        file_.sync();
        if (::rename(partial_.c_str(), path_.c_str()) != 0) file_.fail("cannot be put in place");
        placed_ = true;
        const auto folder = std::filesystem::absolute(path_).parent_path();
        File(folder.string(), O_RDONLY | O_DIRECTORY, "save").sync();
    }
    ~Writer() {
        if (!placed_) ::unlink(partial_.c_str());
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

private:
    std::string path_;
    std::string partial_;
    File file_;
    std::vector<Section> directory_;
    bool placed_ = false;
};

class Reader {
public:
    explicit Reader(const std::string& path) : file_(path, O_RDONLY, "load"), path_(path) {
        struct stat info{};
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
        if (h.version < format_version) {
            refuse("is of the older format " + std::to_string(h.version) + " (this library reads " +
                   std::to_string(format_version) + ")");
        }
        const std::size_t bytes = h.sections * sizeof(Section);
        if (h.file_size != size) refuse("is truncated or has bytes added");
        if (bytes > size || crc32c(0, map_.data() + size - bytes, bytes) != h.directory_crc) {
            refuse("has a damaged directory");
        }
        directory_.resize(h.sections);
        if (bytes != 0) std::memcpy(directory_.data(), map_.data() + size - bytes, bytes);
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
        if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
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

}  // namespace remanence::snapshot
