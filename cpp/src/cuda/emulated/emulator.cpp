// The scheduler of the emulator: fibers, barriers, warp collectives, shared memory, faults.
#include "cuda/emulated/emulator.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <sys/mman.h>
#include <vector>

#include "remanence/error.hpp"

#include "cuda/emulated/fiber.hpp"
#include "cuda/emulated/recording.hpp"

namespace remanence::emu {
namespace {

enum class State : std::uint8_t { ready, waiting, done };
enum class Order : std::uint8_t { forward, reverse, shuffled };

constexpr unsigned most_threads = 1024;
constexpr unsigned most_grid_yz = 65'535;
constexpr std::size_t most_shared = 227U * 1024;
constexpr std::size_t free_shared = 48U * 1024;  // of dynamic memory, without having asked

struct Thread {
    Fiber fiber;
    Dim3 id;
    State state = State::done;
    Op op = Op::none;
    int line = 0;
    unsigned mask = 0;
    unsigned source = 0;
    std::uint64_t given = 0;
    std::uint64_t got = 0;
    char* tag = nullptr;
};

struct SharedArray {
    const void* key;
    std::unique_ptr<char[]> data;
};

/// All that one OS thread needs to run grids, block after block.
struct Machine {
    std::vector<Thread> threads[2];  ///< two sets: races between successive blocks stay visible
    std::vector<Thread>* set = nullptr;
    Fiber scheduler;
    Thread* running = nullptr;
    Place place;
    const std::function<void()>* body = nullptr;
    const char* kernel = "";
    std::vector<SharedArray> arrays;
    std::vector<SharedArray> retired;  ///< freed after the grid: a reused address would hide races
    std::size_t shared_bytes = 0;
    std::size_t dynamic_bytes = 0;
    std::vector<unsigned> here;  ///< [warp] lanes that wait in a collective
    unsigned count = 0;
    unsigned alive = 0;
    unsigned at_barrier = 0;
    char* barrier_tag = nullptr;
    std::string fault;
    char launch_tag = 0;
    char end_tag = 0;
    char dynamic_key = 0;
    Tags tags;
};

Machine& machine() {
    thread_local Machine m;
    return m;
}

Order& order() {
    static Order value = [] {
        const char* const name = std::getenv("REMANENCE_EMULATED_ORDER");
        const std::string wanted = name == nullptr ? "" : name;
        return wanted == "reverse"    ? Order::reverse
               : wanted == "shuffled" ? Order::shuffled
                                      : Order::forward;
    }();
    return value;
}

void put_in_order(std::vector<unsigned>& numbers, std::mt19937& random) {
    std::iota(numbers.begin(), numbers.end(), 0U);
    if (order() == Order::reverse) std::reverse(numbers.begin(), numbers.end());
    if (order() == Order::shuffled) std::shuffle(numbers.begin(), numbers.end(), random);
}

std::string where(const Machine& m, const Thread& t) {
    return std::string(m.kernel) + ", block " + std::to_string(m.place.block.x) + ", thread " +
           std::to_string(t.id.x) + ", line " + std::to_string(t.line);
}

/// The first fault ends the grid.
void fail(Machine& m, const std::string& what) {
    if (m.fault.empty()) m.fault = what;
}

void leave(Machine& m) {
    Thread& me = *m.running;
    switch_fiber(me.fiber, m.scheduler, me.state == State::done);
}

/// Never comes back where the grid has failed: its fibers are dropped.
void leave_or_stop(Machine& m) {
    leave(m);
    while (!m.fault.empty()) leave(m);
}

void release_block(Machine& m) {
    const Thread* first = nullptr;
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < m.count; ++i) {
        const Thread& t = (*m.set)[i];
        if (t.state == State::done) continue;
        if (first == nullptr) first = &t;
        if (t.line != first->line) {
            fail(m, "divergent barrier (" + where(m, *first) + " and " + where(m, t) + ")");
            return;
        }
        sum += t.given;
    }
    for (unsigned i = 0; i < m.count; ++i) {
        Thread& t = (*m.set)[i];
        if (t.state == State::done) continue;
        t.got = sum;
        t.state = State::ready;
    }
    m.at_barrier = 0;
    m.barrier_tag = m.tags.fresh();
}

/// The lanes' operands lie on their stacks; false where a lane is missing.
bool multiply_group(Machine& m, unsigned warp, unsigned lanes) {
    const Thread* const first = m.set->data() + warp * 32;
    if (lanes != ~0U) {
        fail(m, "matrix product without all lanes (" + where(m, first[__builtin_ctz(lanes)]) + ")");
        return false;
    }
    MatrixLane* held[32];
    for (unsigned l = 0; l < 32; ++l) held[l] = reinterpret_cast<MatrixLane*>(first[l].given);
    multiply(held);
    return true;
}

/// Checks one complete group of lanes and hands out its results.
void release_group(Machine& m, unsigned warp, unsigned lanes) {
    const unsigned first = static_cast<unsigned>(__builtin_ctz(lanes));
    const auto lane = [&](unsigned l) -> Thread& { return (*m.set)[warp * 32 + l]; };
    const Thread& a = lane(first);
    unsigned votes = 0;
    for (unsigned rest = lanes; rest != 0; rest &= rest - 1) {
        const auto l = static_cast<unsigned>(__builtin_ctz(rest));
        const Thread& t = lane(l);
        if (t.op != a.op || t.mask != a.mask || t.line != a.line) {
            fail(m, "warp collective mismatch (" + where(m, a) + " and " + where(m, t) + ")");
            return;
        }
        if (t.op == Op::shuffle && (lanes >> t.source & 1U) == 0) {
            fail(m, "shuffle from lane " + std::to_string(t.source) + ", which is not there (" +
                        where(m, t) + ")");
            return;
        }
        votes |= (t.given != 0 ? 1U : 0U) << l;
    }
    if (a.op == Op::matrix && !multiply_group(m, warp, lanes)) return;
    for (unsigned rest = lanes; rest != 0; rest &= rest - 1) {
        Thread& t = lane(static_cast<unsigned>(__builtin_ctz(rest)));
        t.got = t.op == Op::shuffle ? lane(t.source).given : votes;
        t.state = State::ready;
    }
    m.here[warp] &= ~lanes;
}

void release_warp(Machine& m, unsigned warp) {
    unsigned gone = 0;
    for (unsigned l = 0; l < 32; ++l) {
        const unsigned i = warp * 32 + l;
        if (i >= m.count || (*m.set)[i].state == State::done) gone |= 1U << l;
    }
    unsigned rest = m.here[warp];
    while (rest != 0 && m.fault.empty()) {
        const Thread& a = (*m.set)[warp * 32 + static_cast<unsigned>(__builtin_ctz(rest))];
        rest &= ~a.mask;
        if ((a.mask & ~(m.here[warp] | gone)) == 0) release_group(m, warp, a.mask & m.here[warp]);
    }
}

void run_fiber() {
    Machine& m = machine();
    arrived(m.scheduler);
    acquire(&m.launch_tag);
    (*m.body)();
    release(&m.end_tag);
    m.running->state = State::done;
    leave(m);
    std::abort();
}

void start_block(Machine& m, unsigned parity, Dim3 threads) {
    m.set = &m.threads[parity];
    m.count = threads.x * threads.y * threads.z;
    if (m.set->size() < m.count) m.set->resize(m.count);
    m.alive = m.count;
    m.at_barrier = 0;
    m.here.assign((m.count + 31) / 32, 0);
    m.barrier_tag = m.tags.fresh();
    for (auto& array : m.arrays) m.retired.push_back(std::move(array));
    m.arrays.clear();
    m.arrays.reserve(64);  // a vector that grew inside a fiber would be reported as a race
    m.shared_bytes = 0;
    for (unsigned i = 0; i < m.count; ++i) {
        Thread& t = (*m.set)[i];
        t.id = Dim3(i % threads.x, i / threads.x % threads.y, i / (threads.x * threads.y));
        t.state = State::ready;
        start_fiber(t.fiber, &run_fiber);
    }
}

void deadlock(Machine& m) {
    std::string waiting;
    for (unsigned i = 0; i < m.count && waiting.size() < 300; ++i) {
        const Thread& t = (*m.set)[i];
        if (t.state == State::waiting) waiting += (waiting.empty() ? "" : "; ") + where(m, t);
    }
    fail(m, "deadlock (" + waiting + ")");
}

void run_thread(Machine& m, Thread& t, unsigned number) {
    m.running = &t;
    m.place.thread = t.id;
    m.place.lane = number % 32;
    switch_fiber(m.scheduler, t.fiber, false);
    if (t.state != State::done || !m.fault.empty()) return;
    --m.alive;
    if (m.alive != 0 && m.at_barrier == m.alive) {
        release_block(m);
    } else if (m.here[number / 32] != 0) {
        release_warp(m, number / 32);
    }
}

void run_block(Machine& m, std::mt19937& random) {
    std::vector<unsigned> numbers(m.count);
    while (m.alive != 0 && m.fault.empty()) {
        put_in_order(numbers, random);
        bool ran = false;
        for (const unsigned i : numbers) {
            Thread& t = (*m.set)[i];
            if (t.state != State::ready) continue;
            ran = true;
            run_thread(m, t, i);
            if (!m.fault.empty()) return;
        }
        if (!ran) deadlock(m);
    }
}

/// [kernel] bytes of dynamic shared memory that it may have.
std::map<std::string, std::size_t>& allowed() {
    thread_local std::map<std::string, std::size_t> bytes;
    return bytes;
}

void check_launch(const char* kernel, Dim3 blocks, Dim3 threads, std::size_t dynamic_bytes) {
    const std::size_t count = std::size_t{threads.x} * threads.y * threads.z;
    const bool fits = count != 0 && count <= most_threads && threads.z <= 64 && blocks.x != 0 &&
                      blocks.y != 0 && blocks.z != 0 && blocks.y <= most_grid_yz &&
                      blocks.z <= most_grid_yz &&
                      dynamic_bytes <= std::max(free_shared, allowed()[kernel]);
    if (!fits) throw DeviceError(std::string("emulator: impossible launch of ") + kernel);
}

}  // namespace

Place& place() { return machine().place; }

void allow_shared(const char* kernel, std::size_t bytes) {
    if (bytes > most_shared) {
        throw DeviceError(std::string("emulator: too much shared memory for ") + kernel);
    }
    allowed()[kernel] = bytes;
}

void set_order(const char* name) {
    const std::string wanted = name;
    order() = wanted == "reverse"    ? Order::reverse
              : wanted == "shuffled" ? Order::shuffled
                                     : Order::forward;
}

std::uint64_t block_barrier(std::uint64_t given, int line) {
    Machine& m = machine();
    Thread& me = *m.running;
    me.line = line;
    me.given = given;
    me.state = State::waiting;
    me.tag = m.barrier_tag;
    release(me.tag);
    if (++m.at_barrier == m.alive) release_block(m);
    leave_or_stop(m);
    acquire(me.tag);
    return me.got;
}

std::uint64_t warp_collective(Op op, unsigned mask, std::uint64_t given, unsigned source,
                              int line) {
    Machine& m = machine();
    Thread& me = *m.running;
    const auto number = static_cast<unsigned>(m.running - m.set->data());
    const unsigned warp = number / 32;
    const unsigned bit = 1U << number % 32;
    me.op = op;
    me.mask = mask;
    me.given = given;
    me.source = source;
    me.line = line;
    me.state = State::waiting;
    if ((mask & bit) == 0) fail(m, "a lane outside its own mask (" + where(m, me) + ")");
    if (op == Op::sync) {
        me.tag = nullptr;
        for (unsigned rest = m.here[warp] & mask; rest != 0 && me.tag == nullptr;
             rest &= rest - 1) {
            const Thread& t = (*m.set)[warp * 32 + static_cast<unsigned>(__builtin_ctz(rest))];
            if (t.op == Op::sync && t.mask == mask) me.tag = t.tag;
        }
        if (me.tag == nullptr) me.tag = m.tags.fresh();
        release(me.tag);
    }
    m.here[warp] |= bit;
    if ((mask & ~m.here[warp]) == 0 || m.alive < m.count) release_warp(m, warp);
    if (me.state == State::waiting || !m.fault.empty()) leave_or_stop(m);
    if (op == Op::sync) acquire(me.tag);  // shuffles and ballots order no memory, as on a device
    return me.got;
}

void* shared(const void* key, std::size_t bytes) {
    Machine& m = machine();
    for (const SharedArray& array : m.arrays) {
        if (array.key != key) continue;
        acquire(array.data.get());
        return array.data.get();
    }
    m.shared_bytes += bytes;
    if (m.shared_bytes > most_shared || m.arrays.size() == m.arrays.capacity()) {
        fail(m, "more shared memory than a device has (" + std::string(m.kernel) + ")");
        leave_or_stop(m);
    }
    m.arrays.push_back({key, std::make_unique<char[]>(bytes)});
    char* const data = m.arrays.back().data.get();
    std::memset(data, 0x7F, bytes);
    release(data);
    return data;
}

void* dynamic_shared() {
    Machine& m = machine();
    return shared(&m.dynamic_key, m.dynamic_bytes);
}

void launch(const char* kernel, Dim3 blocks, Dim3 threads, std::size_t dynamic_bytes,
            const std::function<void()>& body) {
    check_launch(kernel, blocks, threads, dynamic_bytes);
    if (recording()) {
        recording()->emplace_back([=] { launch(kernel, blocks, threads, dynamic_bytes, body); });
        return;
    }
    Machine& m = machine();
    m.kernel = kernel;
    m.body = &body;
    m.dynamic_bytes = dynamic_bytes;
    m.fault.clear();
    m.tags.reset();
    m.place.threads = threads;
    m.place.blocks = blocks;
    std::mt19937 random(blocks.x);
    std::vector<unsigned> numbers(std::size_t{blocks.x} * blocks.y * blocks.z);
    put_in_order(numbers, random);
    release(&m.launch_tag);
    unsigned parity = 0;
    for (const unsigned b : numbers) {
        m.place.block = Dim3(b % blocks.x, b / blocks.x % blocks.y, b / (blocks.x * blocks.y));
        start_block(m, parity, threads);
        parity ^= 1U;
        run_block(m, random);
        if (!m.fault.empty()) break;
    }
    acquire(&m.end_tag);
    m.arrays.clear();
    m.retired.clear();
    if (!m.fault.empty()) throw DeviceError("emulator: " + m.fault);
}

}  // namespace remanence::emu
