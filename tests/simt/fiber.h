/* fiber.h - a stack of its own and a switch to it: what a CUDA thread is in the emulator. */
#ifndef WEIR_TESTS_SIMT_FIBER_H
#define WEIR_TESTS_SIMT_FIBER_H

#include <stddef.h>
#include <stdint.h>

/* How this build is watched. gcc says it with a macro of its own, clang with a feature. simt's own files are compiled
 * without ThreadSanitizer's instrumentation and told of it by SIMT_THREAD_SANITIZER. */
#if defined(__SANITIZE_ADDRESS__)
#define SIMT_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIMT_ADDRESS_SANITIZER 1
#endif
#endif
#if !defined(SIMT_THREAD_SANITIZER) && defined(__SANITIZE_THREAD__)
#define SIMT_THREAD_SANITIZER 1
#elif !defined(SIMT_THREAD_SANITIZER) && defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SIMT_THREAD_SANITIZER 1
#endif
#endif
#ifndef SIMT_ADDRESS_SANITIZER
#define SIMT_ADDRESS_SANITIZER 0
#endif
#ifndef SIMT_THREAD_SANITIZER
#define SIMT_THREAD_SANITIZER 0
#endif

struct fiber {
    void *place;          /* its stack pointer, or its context, while it is not running */
    unsigned char *stack; /* lowest byte */
    size_t size;
    void (*run)(void *); /* must never return */
    void *argument;
    void *fake_stack; /* AddressSanitizer's */
    void *thread;     /* ThreadSanitizer's */
};

/* A fiber that has not started. Stacks live as long as the program. `index` colours the stack, so that the tops of many
 * do not share one set of the cache. */
void fiber_create(fiber *f, uint32_t index, void (*run)(void *), void *argument);
/* Makes it stand for the stack that calls; zeros at first. */
void fiber_adopt(fiber *f);
/* Leaves `from`, which is running, for `to`; returns when someone switches back. Orders no memory. */
void fiber_switch(fiber *from, fiber *to);

#endif
