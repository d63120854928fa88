// Keeps engines usable in a forked child, which has none of the threads that might hold a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <shared_mutex>

namespace remanence {

/// A reader-writer lock that fork waits for, so that no child inherits it held by another thread.
/// The system's lock lets readers in while a writer waits, for ever if they overlap: a writer that
/// waited for a while makes new readers step back, who do so for a bounded time only. Before a fork
/// everybody does who holds no such lock.
class ForkSafeMutex : private std::shared_timed_mutex {
public:
    ForkSafeMutex();
    ~ForkSafeMutex();
    ForkSafeMutex(const ForkSafeMutex&) = delete;
    ForkSafeMutex& operator=(const ForkSafeMutex&) = delete;
    void lock();
    bool try_lock();
    void unlock();
    void lock_shared();
    void unlock_shared();
    /// In a forked child: nobody holds it or waits for it.
    void renew();

private:
    std::atomic<int> waited_{0};  ///< writers that waited long
};

/// How many forks this process comes from: threads that were started before the last are not here.
std::uint32_t forks();

/// The pool's own part of a fork; threads.cpp.
void lock_pool();
void unlock_pool();
void drop_pool();

}  // namespace remanence
