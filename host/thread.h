/* thread.h - a lock, a condition and a thread: the only place that knows how the system spells them. */
#ifndef WEIR_HOST_THREAD_H
#define WEIR_HOST_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef pthread_mutex_t thread_lock;
typedef pthread_cond_t thread_condition;
typedef pthread_t thread;

/* false: the system has none left. */
bool lock_create(thread_lock *lock);
void lock_destroy(thread_lock *lock);
void lock_take(thread_lock *lock);
void lock_give(thread_lock *lock);

/* All waits are with the lock held, and may end for no reason: ask again what was waited for. */
bool condition_create(thread_condition *condition);
void condition_destroy(thread_condition *condition);
void condition_wake_one(thread_condition *condition);
void condition_wake_all(thread_condition *condition);
void condition_wait(thread_condition *condition, thread_lock *lock);
/* false: the deadline has passed. */
bool condition_wait_until(thread_condition *condition, thread_lock *lock, struct timespec deadline);
/* So many milliseconds from now, on the clock that no one sets. */
struct timespec deadline_after(uint64_t milliseconds);

/* The thread takes no signals: those are the program's. false: the system has none left. */
bool thread_start(void *(*run)(void *context), void *context, thread *out);
void thread_join(thread started);

#endif
