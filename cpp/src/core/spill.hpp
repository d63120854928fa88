// Vectors out of memory: sealed segments move to a file without a name and are mapped back in
// place.
#pragma once

#include <cstddef>
#include <string>
#include <sys/types.h>

#include "core/columns.hpp"

namespace remanence {

/// A file that no folder lists: it ends with the process, and nothing reads it again. Its pages are
/// mapped privately, so that neither a forked child nor this process ever writes through them.
class Spill {
public:
    /// Throws Error when the folder takes no file; makes one when the first segment comes.
    explicit Spill(const std::string& folder);
    ~Spill();
    Spill(const Spill&) = delete;
    Spill& operator=(const Spill&) = delete;

    /// Moves the vectors in a full segment's rooms; the address stays, so readers go on beside it.
    /// False when the disk has no space, or in a forked child: then they stay in memory.
    bool take(Rooms& rooms);
    /// Overwrites bytes of rooms that were zeroed in memory.
    void wipe(const Rooms& rooms, std::size_t offset, std::size_t bytes);

private:
    bool open();
    bool write(const std::byte* from, std::size_t at, std::size_t bytes);

    std::string folder_;
    int file_ = -1;
    std::size_t size_ = 0;
    pid_t owner_ = 0;
};

}  // namespace remanence
