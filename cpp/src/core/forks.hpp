// Keeps engines usable in a forked child, which has none of the threads that might hold a lock.
#pragma once

#include <shared_mutex>

namespace remanence {

/// A reader-writer lock that fork waits for, so that no child inherits it held by another thread.
class ForkSafeMutex : public std::shared_mutex {
public:
    ForkSafeMutex();
    ~ForkSafeMutex();
    ForkSafeMutex(const ForkSafeMutex&) = delete;
    ForkSafeMutex& operator=(const ForkSafeMutex&) = delete;
};

/// The pool's own part of a fork; threads.cpp.
void lock_pool();
void unlock_pool();
void drop_pool();

}  // namespace remanence
