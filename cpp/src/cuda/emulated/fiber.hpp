// Fibers with stacks of their own, and what the sanitizers must be told of them.
#pragma once

#include <cstddef>
#include <sys/mman.h>
#include <utility>

#if !defined(__x86_64__)
#error "the emulator of the CUDA backend switches stacks on x86-64 only"
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
// The scheduler itself is compiled without the thread sanitizer, so that its own state, which the
// fibers hand to each other by switching, is not taken for a race.
#if defined(REMANENCE_EMULATED_TSAN)
extern "C" {
void* __tsan_create_fiber(unsigned flags);
void* __tsan_get_current_fiber();
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* at);
void __tsan_release(void* at);
}
#endif

extern "C" void remanence_switch_stack(void** save, void* load);

namespace remanence::emu {

/// Orders memory for the thread sanitizer; nothing else does, not even a switch.
inline void acquire([[maybe_unused]] void* tag) {
#if defined(REMANENCE_EMULATED_TSAN)
    __tsan_acquire(tag);
#endif
}
inline void release([[maybe_unused]] void* tag) {
#if defined(REMANENCE_EMULATED_TSAN)
    __tsan_release(tag);
#endif
}

/// Addresses that were never used before in this grid: every barrier has a tag of its own.
class Tags {
public:
    char* fresh() {
#if defined(REMANENCE_EMULATED_TSAN)
        if (first_ == nullptr) {
            void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            first_ = static_cast<char*>(at);
        }
        used_ = used_ + 8 < size ? used_ + 8 : 8;
        return first_ + used_;
#else
        return &none_;
#endif
    }
    void reset() { used_ = 0; }
    Tags() = default;
    Tags(const Tags&) = delete;
    Tags& operator=(const Tags&) = delete;
    ~Tags() {
        if (first_ != nullptr) munmap(first_, size);
    }

private:
    static constexpr std::size_t size = std::size_t{64} << 20U;
    char* first_ = nullptr;
    std::size_t used_ = 0;
    [[maybe_unused]] char none_ = 0;
};

struct Fiber {
    static constexpr std::size_t stack_bytes = std::size_t{64} << 10U;
    Fiber() = default;
    Fiber(Fiber&& other) noexcept
        : stack_pointer(std::exchange(other.stack_pointer, nullptr)),
          stack(std::exchange(other.stack, nullptr)),
          sanitizer(std::exchange(other.sanitizer, nullptr)) {}
    Fiber& operator=(Fiber&&) = delete;
    ~Fiber() {
        if (stack != nullptr) munmap(stack, stack_bytes);
#if defined(REMANENCE_EMULATED_TSAN)
        if (stack != nullptr && sanitizer != nullptr) __tsan_destroy_fiber(sanitizer);
#endif
    }

    void* stack_pointer = nullptr;
    char* stack = nullptr;      ///< null: the stack of the OS thread
    void* sanitizer = nullptr;  ///< ASan: the fake stack; TSan: the fiber
    const void* bottom = nullptr;
    std::size_t bottom_bytes = 0;
};

/// Makes `fiber` ready to run `entry` from its start.
void start_fiber(Fiber& fiber, void (*entry)());

/// To be called first in a fiber's entry: learns the stack it came from.
void arrived(Fiber& from);

/// Runs `to` until it switches back; `last` when `from` never runs again.
void switch_fiber(Fiber& from, Fiber& to, bool last);

}  // namespace remanence::emu
