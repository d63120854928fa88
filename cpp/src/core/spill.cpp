// Writing segments to the file without a name.
#include "core/spill.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remanence/error.hpp"

namespace remanence {

Spill::Spill(const std::string& folder) : folder_(folder), owner_(getpid()) {
    struct stat info{};
    errno = 0;
    if (::stat(folder.c_str(), &info) != 0 || ::access(folder.c_str(), W_OK | X_OK) != 0 ||
        !S_ISDIR(info.st_mode)) {
        throw Error("spill: no file can be made in " + folder + " (" +
                    std::strerror(errno != 0 ? errno : ENOTDIR) + ")");
    }
}

Spill::~Spill() {
    if (file_ >= 0) ::close(file_);
}

bool Spill::open() {
    if (file_ >= 0) return true;
    file_ = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file_ >= 0) return true;  // not every file system makes files without names
    std::string name = folder_ + "/.remanence-spill-XXXXXX";
    file_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (file_ >= 0) ::unlink(name.c_str());
    return file_ >= 0;
}

bool Spill::write(const std::byte* from, std::size_t at, std::size_t bytes) {
    while (bytes != 0) {
        const ssize_t done = ::pwrite(file_, from, bytes, static_cast<off_t>(at));
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        from += done;
        at += static_cast<std::size_t>(done);
        bytes -= static_cast<std::size_t>(done);
    }
    return true;
}

bool Spill::take(Rooms& rooms) {
    const Pages& pages = rooms.pages;
    if (getpid() != owner_ || !open() || !write(pages.data(), size_, pages.bytes())) return false;
    if (!rooms.pages.refile(file_, size_)) return false;
    rooms.spilled_at = size_;
    size_ += pages.bytes();
    return true;
}

void Spill::wipe(const Rooms& rooms, std::size_t offset, std::size_t bytes) {
    if (rooms.spilled_at == not_spilled || getpid() != owner_) return;
    static constexpr std::array<std::byte, 4096> zeros{};
    for (std::size_t done = 0; done < bytes;) {
        const std::size_t part = std::min(bytes - done, zeros.size());
        if (!write(zeros.data(), rooms.spilled_at + offset + done, part)) return;
        done += part;
    }
}

}  // namespace remanence
