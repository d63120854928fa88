// The pool behind parallel_for.
#include "core/threads.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <sched.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "remanence/backend.hpp"
#include "remanence/error.hpp"

#include "core/forks.hpp"

namespace remanence {
namespace {

constexpr int most_threads = 64;
constexpr int spins = 1000;  // some 50 microseconds

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return std::clamp(CPU_COUNT(&set), 1, most_threads);
}

std::atomic<int> setting{0};
std::atomic<int> answering{0};

class Pool {
public:
    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (auto& thread : threads_) thread.join();
    }

    /// Runs `body(worker)` on `workers` - 1 pool threads and the caller, and waits for all.
    void run(int workers, const std::function<void(int)>& body) {
        {
            const std::lock_guard lock(mutex_);
            while (static_cast<int>(threads_.size()) < workers - 1) {
                const int worker = static_cast<int>(threads_.size()) + 1;
                threads_.emplace_back([this, worker, seen = job_.load()] { serve(worker, seen); });
            }
            body_ = &body;
            wanted_ = workers;
            pending_ = workers - 1;
            ++job_;
        }
        wake_.notify_all();
        body(0);
        spin_until([this] { return pending_ == 0; });
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return pending_ == 0; });
    }

    std::mutex busy;

private:
    /// Waking a thread takes longer than a short job, so both sides look out for a while first.
    template <class Done>
    static void spin_until(Done&& done) {
        for (int i = 0; i < spins && !done(); ++i) pause();
    }

    void serve(int worker, std::size_t seen) {
        std::unique_lock lock(mutex_);
        for (;;) {
            lock.unlock();
            spin_until([&] { return stop_ || job_ != seen; });
            lock.lock();
            wake_.wait(lock, [&] { return stop_ || job_ != seen; });
            if (stop_) return;
            seen = job_.load();
            if (worker >= wanted_) continue;
            const auto* body = body_;
            lock.unlock();
            (*body)(worker);
            lock.lock();
            if (--pending_ == 0) done_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<std::thread> threads_;
    const std::function<void(int)>* body_ = nullptr;
    std::atomic<std::size_t> job_{0};
    int wanted_ = 0;
    std::atomic<int> pending_{0};
    std::atomic<bool> stop_{false};
};

// Leaked on purpose: after fork the threads are gone and joining them would hang.
std::atomic<Pool*> the_pool{nullptr};
std::mutex pool_mutex;

Pool& pool() {
    const std::lock_guard lock(pool_mutex);
    if (the_pool.load() == nullptr) {
        the_pool.store(new Pool);
    }
    return *the_pool.load();
}

}  // namespace

void lock_pool() { pool_mutex.lock(); }
void unlock_pool() { pool_mutex.unlock(); }
void drop_pool() {
    the_pool.store(nullptr);
    answering.store(0);  // whoever asked did not come along
}

Answering::Answering() { ++answering; }
Answering::~Answering() { --answering; }

int spare_workers() { return std::max(1, worker_count(0) - answering.load()); }

int threads() {
    const int set = setting.load();
    return set != 0 ? set : usable_cores();
}

void set_threads(int count) {
    if (count < 0 || count > most_threads) {
        throw InvalidArgument("set_threads: count must be between 0 and 64 (got " +
                              std::to_string(count) + "; 0 means all cores)");
    }
    setting.store(count);
}

int worker_count(int wanted) { return wanted > 0 ? std::min(wanted, most_threads) : threads(); }

void parallel_for(std::size_t count, int workers,
                  const std::function<void(std::size_t, int)>& task) {
    workers = static_cast<int>(std::min<std::size_t>(count, static_cast<std::size_t>(workers)));
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    thread_local bool inside = false;  // a task's own tasks are its thread's
    const bool alone = workers <= 1 || inside;
    const std::function<void(int)> body = [&](int worker) {
        const bool before = std::exchange(inside, inside || !alone);
        try {
            for (std::size_t i = next++; i < count; i = next++) task(i, worker);
        } catch (...) {
            const std::lock_guard lock(failure_mutex);
            failure = std::current_exception();
            next = count;
        }
        inside = before;
    };
    if (alone) {
        body(0);
    } else {
        Pool& shared = pool();
        if (const std::unique_lock lock(shared.busy, std::try_to_lock); lock.owns_lock()) {
            shared.run(workers, body);
        } else {
            body(0);
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace remanence
