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
constexpr int courtesy = 1000;  // naps of whoever steps back before it goes in all the same

struct Registry {
    std::mutex mutex;
    std::vector<ForkSafeMutex*> locks;
};

std::atomic<std::uint32_t> forked{0};
std::atomic<int> about_to_fork{0};
thread_local int held = 0;  ///< fork-safe locks of this thread

// Never destroyed: an engine may outlive the statics of this library.
Registry& registry() {
    static auto* const all = new Registry;
    return *all;
}

/// Takes the registry and every lock, or nothing.
bool lock_all() {
    Registry& all = registry();
    all.mutex.lock();
    for (std::size_t i = 0; i < all.locks.size(); ++i) {
        if (all.locks[i]->try_lock()) continue;
        while (i-- > 0) all.locks[i]->unlock();
        all.mutex.unlock();
        return false;
    }
    return true;
}

/// The registry is let go between tries: who holds a lock may be about to make or drop another.
void before_fork() {
    ++about_to_fork;
    while (!lock_all()) std::this_thread::sleep_for(nap);
    --about_to_fork;
    lock_pool();
}

/// Not while holding a lock, which the others may wait for.
void step_back_while(const std::atomic<int>& others) {
    for (int i = 0; i < courtesy && held == 0 && others.load(std::memory_order_relaxed) != 0; ++i) {
        std::this_thread::sleep_for(nap);
    }
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
    held = 0;
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
    step_back_while(about_to_fork);
#if defined(__SANITIZE_THREAD__)
    // The sanitizer sees no lock that is waited for by the steady clock.
    if (try_lock()) return;
#else
    if (try_lock_for(patience)) {
        ++held;
        return;
    }
#endif
    ++waited_;
    std::shared_timed_mutex::lock();
    --waited_;
    ++held;
}

bool ForkSafeMutex::try_lock() {
    const bool got = std::shared_timed_mutex::try_lock();
    held += got ? 1 : 0;
    return got;
}

void ForkSafeMutex::unlock() {
    --held;
    std::shared_timed_mutex::unlock();
}

void ForkSafeMutex::unlock_shared() {
    --held;
    std::shared_timed_mutex::unlock_shared();
}

void ForkSafeMutex::lock_shared() {
    step_back_while(about_to_fork);
    step_back_while(waited_);
    std::shared_timed_mutex::lock_shared();
    ++held;
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
