/* thread.c - a lock, a condition and a thread, on POSIX. */
#define _POSIX_C_SOURCE 200809L
#include "thread.h"

#include <signal.h>

/* A compile recurses up to about 1 MB deep, several times that under sanitizers; some systems give a thread 128 kB. */
#define STACK_BYTES ((size_t)8 << 20)

bool lock_create(thread_lock *lock) {
    return pthread_mutex_init(lock, NULL) == 0;
}

void lock_destroy(thread_lock *lock) {
    pthread_mutex_destroy(lock);
}

void lock_take(thread_lock *lock) {
    pthread_mutex_lock(lock);
}

void lock_give(thread_lock *lock) {
    pthread_mutex_unlock(lock);
}

bool condition_create(thread_condition *condition) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    bool made =
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

void condition_destroy(thread_condition *condition) {
    pthread_cond_destroy(condition);
}

void condition_wake_one(thread_condition *condition) {
    pthread_cond_signal(condition);
}

void condition_wake_all(thread_condition *condition) {
    pthread_cond_broadcast(condition);
}

void condition_wait(thread_condition *condition, thread_lock *lock) {
    pthread_cond_wait(condition, lock);
}

bool condition_wait_until(thread_condition *condition, thread_lock *lock, struct timespec deadline) {
    return pthread_cond_timedwait(condition, lock, &deadline) == 0;
}

struct timespec deadline_after(uint64_t milliseconds) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(milliseconds / 1000);
    at.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

bool thread_start(void *(*run)(void *context), void *context, thread *out) {
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0) return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* a thread begins with the mask of the one that starts it */
    bool started =
        pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 && pthread_create(out, &attributes, run, context) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

void thread_join(thread started) {
    pthread_join(started, NULL);
}
