// A small pool of our own: started at first need, dropped in a forked child, never oversubscribed.
#pragma once

#include <cstddef>
#include <functional>

namespace remanence {

/// Calls task(index, worker) for every index in [0, count); worker is in [0, threads). The caller
/// works too. While the pool serves another call the work is done by the caller alone.
void parallel_for(std::size_t count, int threads,
                  const std::function<void(std::size_t index, int worker)>& task);

/// The number of workers that a call asking for `wanted` (0 = the setting) gets.
int worker_count(int wanted);

/// A question that is being answered, while it lives.
class Answering {
public:
    Answering();
    ~Answering();
    Answering(const Answering&) = delete;
    Answering& operator=(const Answering&) = delete;
};

/// The number of workers for what makes rows ready: it leaves a core to each question.
int spare_workers();

}  // namespace remanence
