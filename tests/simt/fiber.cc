/* fiber.cc - stacks and the switch between them: a few lines of assembly on x86-64, ucontext elsewhere. */
#include "fiber.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if !defined(__x86_64__) || defined(SIMT_UCONTEXT)
#define FIBER_UCONTEXT 1
#include <ucontext.h>
#endif
#if SIMT_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif
#if SIMT_THREAD_SANITIZER
extern "C" {
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
}
enum { NO_SYNC = 1 };
#endif

static const size_t GUARD = 4096;
static const size_t STACK = SIMT_ADDRESS_SANITIZER || SIMT_THREAD_SANITIZER ? 256 << 10 : 128 << 10;

static fiber *left, *entered; /* of the last switch */

/* --- on the other side of a switch ------------------------------------------------------------------------ */

static void arrived(fiber *f) {
#if SIMT_ADDRESS_SANITIZER
    const void *stack;
    __sanitizer_finish_switch_fiber(f->fake_stack, &stack, &left->size); /* tells where the host's stack is, too */
    left->stack = static_cast<unsigned char *>(const_cast<void *>(stack));
#else
    (void)f;
#endif
}

static void enter() {
    fiber *f = entered;
    arrived(f);
    f->run(f->argument);
    abort();
}

/* --- the machine's part ----------------------------------------------------------------------------------- */

#ifdef FIBER_UCONTEXT

static ucontext_t *context_of(fiber *f) {
    return static_cast<ucontext_t *>(f->place);
}

static void place_at_start(fiber *f, size_t colour) {
    ucontext_t *context = context_of(f);
    if (getcontext(context) != 0) abort();
    context->uc_stack.ss_sp = f->stack;
    context->uc_stack.ss_size = f->size - colour;
    context->uc_link = nullptr;
    makecontext(context, enter, 0);
}

static void make_place(fiber *f) {
    f->place = calloc(1, sizeof(ucontext_t));
    if (!f->place) abort();
}

static void change_stacks(fiber *from, fiber *to) {
    swapcontext(context_of(from), context_of(to));
}

#else

extern "C" void simt_change_stacks(void **from, void *to);
asm(".text\n"
    ".p2align 4\n"
    ".globl simt_change_stacks\n"
    ".hidden simt_change_stacks\n"
    ".type simt_change_stacks, @function\n"
    "simt_change_stacks:\n" /* what the ABI lets a callee keep, on the stack that is left */
    "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
    "movq %rsp, (%rdi)\n"
    "movq %rsi, %rsp\n"
    "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n"
    "ret\n"
    ".size simt_change_stacks, .-simt_change_stacks\n");

/* As though `enter` had been called by address 0 and had switched away: six registers, where to return, who called. */
static void place_at_start(fiber *f, size_t colour) {
    void **top = reinterpret_cast<void **>(f->stack + f->size - colour);
    *--top = nullptr;
    *--top = reinterpret_cast<void *>(enter);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    f->place = top;
}

static void make_place(fiber *f) {
    f->place = nullptr;
}

static void change_stacks(fiber *from, fiber *to) {
    simt_change_stacks(&from->place, to->place);
}

#endif

/* --- fibers ----------------------------------------------------------------------------------------------- */

void fiber_create(fiber *f, uint32_t index, void (*run)(void *), void *argument) {
    void *memory =
        mmap(nullptr, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "simt: no memory for a stack\n");
        abort();
    }
    (void)mprotect(memory, GUARD, PROT_NONE); /* an overflow ends there; without it the rest still works */
    *f = fiber{};
    f->stack = static_cast<unsigned char *>(memory) + GUARD;
    f->size = STACK;
    f->run = run;
    f->argument = argument;
#if SIMT_THREAD_SANITIZER
    f->thread = __tsan_create_fiber(0);
#endif
    make_place(f);
    place_at_start(f, index % 32 * 256);
}

void fiber_adopt(fiber *f) {
#if SIMT_THREAD_SANITIZER
    f->thread = __tsan_get_current_fiber();
#endif
    if (!f->place) make_place(f);
}

void fiber_switch(fiber *from, fiber *to) {
    left = from;
    entered = to;
#if SIMT_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->size);
#endif
#if SIMT_THREAD_SANITIZER
    __tsan_switch_to_fiber(to->thread, NO_SYNC);
#endif
    change_stacks(from, to);
    arrived(from);
}
