// The handlers around fork: engines first, then the pool that their calls may be about to ask for.
#include "core/forks.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <new>
#include <pthread.h>
#include <thread>
#include <vector>

namespace remanence {
namespace {

constexpr std::chrono::microseconds nap{50};
constexpr std::chrono::milliseconds patience{10};  // of a writer, before it insists
constexpr int courtesy = 1000;  // naps of a reader before it goes in all the same

struct Registry {
    std::mutex mutex;
    std::vector<ForkSafeMutex*> locks;
};

std::atomic<std::uint32_t> forked{0};

// Never destroyed: an engine may outlive the statics of this library.
Registry& registry() {
    static auto* const all = new Registry;
    return *all;
}

void before_fork() {
    registry().mutex.lock();
    for (ForkSafeMutex* lock : registry().locks) lock->lock();
    lock_pool();
}

void after_fork() {
    unlock_pool();
    for (ForkSafeMutex* lock : registry().locks) lock->unlock();
    registry().mutex.unlock();
}

/// In the child the forking thread has another number, by which its write locks are no longer its
/// own to release: they are made anew.
void after_fork_in_child() {
    ++forked;
    drop_pool();
    unlock_pool();
    for (ForkSafeMutex* lock : registry().locks) {
        lock->renew();
    }
    registry().mutex.unlock();
}

}  // namespace

std::uint32_t forks() { return forked.load(std::memory_order_relaxed); }

ForkSafeMutex::ForkSafeMutex() {
    static const int registered = pthread_atfork(before_fork, after_fork, after_fork_in_child);
    (void)registered;
    const std::lock_guard lock(registry().mutex);
    registry().locks.push_back(this);
}

void ForkSafeMutex::lock() {
#if defined(__SANITIZE_THREAD__)
    // The sanitizer sees no lock that is waited for by the steady clock.
    if (try_lock()) return;
#else
    if (try_lock_for(patience)) return;
#endif
    ++waited_;
    std::shared_timed_mutex::lock();
    --waited_;
}

void ForkSafeMutex::lock_shared() {
    // Bounded, because the caller's thread may hold the lock already.
    for (int i = 0; i < courtesy && waited_.load(std::memory_order_relaxed) != 0; ++i) {
        std::this_thread::sleep_for(nap);
    }
    std::shared_timed_mutex::lock_shared();
}

void ForkSafeMutex::renew() {
    new (static_cast<std::shared_timed_mutex*>(this)) std::shared_timed_mutex;
    waited_ = 0;
}

ForkSafeMutex::~ForkSafeMutex() {
    const std::lock_guard lock(registry().mutex);
    std::erase(registry().locks, this);
}

}  // namespace remanence
