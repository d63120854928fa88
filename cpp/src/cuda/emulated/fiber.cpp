// Switching stacks on x86-64: six registers and a return address.
#include "cuda/emulated/fiber.hpp"

#include <cstdint>
#include <cstdlib>

asm(".text\n"
    ".globl remanence_switch_stack\n"
    ".hidden remanence_switch_stack\n"
    ".type remanence_switch_stack, @function\n"
    "remanence_switch_stack:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size remanence_switch_stack, .-remanence_switch_stack\n");

namespace remanence::emu {

void start_fiber(Fiber& fiber, void (*entry)()) {
    if (fiber.stack == nullptr) {
        void* const at = mmap(nullptr, Fiber::stack_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) std::abort();
        fiber.stack = static_cast<char*>(at);
#if defined(REMANENCE_EMULATED_TSAN)
        fiber.sanitizer = __tsan_create_fiber(0);
#endif
    }
#if defined(__SANITIZE_ADDRESS__)
    fiber.sanitizer = nullptr;
#endif
    // Six registers, the entry, and one word that stands where a return address would.
    auto** top = reinterpret_cast<void**>(fiber.stack + Fiber::stack_bytes);
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    fiber.stack_pointer = static_cast<void*>(top);
}

void arrived([[maybe_unused]] Fiber& from) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &from.bottom, &from.bottom_bytes);
#endif
}

void switch_fiber(Fiber& from, Fiber& to, [[maybe_unused]] bool last) {
#if defined(__SANITIZE_ADDRESS__)
    const void* const bottom = to.stack != nullptr ? to.stack : to.bottom;
    const std::size_t bytes = to.stack != nullptr ? Fiber::stack_bytes : to.bottom_bytes;
    __sanitizer_start_switch_fiber(last ? nullptr : &from.sanitizer, bottom, bytes);
#elif defined(REMANENCE_EMULATED_TSAN)
    if (from.stack == nullptr) from.sanitizer = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to.sanitizer, 1);
#endif
    remanence_switch_stack(&from.stack_pointer, to.stack_pointer);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(from.sanitizer, nullptr, nullptr);
#endif
}

}  // namespace remanence::emu
