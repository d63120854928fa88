// The handlers around fork: engines first, then the pool that their calls may be about to ask for.
#include "core/forks.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <pthread.h>
#include <vector>

namespace remanence {
namespace {

struct Registry {
    std::mutex mutex;
    std::vector<ForkSafeMutex*> locks;
};

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
    drop_pool();
    unlock_pool();
    for (ForkSafeMutex* lock : registry().locks) {
        new (static_cast<std::shared_mutex*>(lock)) std::shared_mutex;
    }
    registry().mutex.unlock();
}

}  // namespace

ForkSafeMutex::ForkSafeMutex() {
    static const int registered = pthread_atfork(before_fork, after_fork, after_fork_in_child);
    (void)registered;
    const std::lock_guard lock(registry().mutex);
    registry().locks.push_back(this);
}

ForkSafeMutex::~ForkSafeMutex() {
    const std::lock_guard lock(registry().mutex);
    std::erase(registry().locks, this);
}

}  // namespace remanence
