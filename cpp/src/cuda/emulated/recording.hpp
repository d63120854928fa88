// Work that a stream records instead of doing it, to be done again later.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "remanence/error.hpp"

namespace remanence::emu {

using Work = std::vector<std::function<void()>>;

/// What this thread records; null where it works at once.
inline std::unique_ptr<Work>& recording() {
    thread_local std::unique_ptr<Work> work;
    return work;
}

/// Does a piece of work, or records it.
template <class Piece>
void do_or_record(Piece&& piece) {
    if (recording()) {
        recording()->emplace_back(std::forward<Piece>(piece));
    } else {
        piece();
    }
}

/// As on a device: what waits, or changes memory, cannot be recorded.
inline void refuse_recording(const char* what) {
    if (recording()) throw DeviceError(std::string("emulator: ") + what + " while recording");
}

}  // namespace remanence::emu
