/* suite_pool.c - items in, their answers in order out, through forked processes that may crash, hang or be killed.
 *
 * Every worker reads the input by itself and works on each jobs-th item; nothing is sent to it. What it finds comes
 * back as messages through a pipe. When a pipe ends before the answer, the item that the worker was on has killed it,
 * and a new worker goes on behind it. The limit of time is an alarm inside the worker. */
#define _XOPEN_SOURCE 700 /* sigaltstack */

#include "suite.h"

#include <signal.h>
#include <unistd.h>

enum { MESSAGE_BEGIN = 1, MESSAGE_NAME, MESSAGE_END, MESSAGE_SIGNAL, MESSAGE_OVER, MESSAGE_FAILED };

typedef struct message {
    uint32_t kind, mark, number; /* number: of a signal */
    uint64_t length;             /* bytes that follow */
} message;

/* --- the worker -----------------------------------------------------------------------------------------------------
 */

/* What the handler of a signal needs: where to write, and the test that the worker is on. */
static volatile sig_atomic_t signal_pipe = -1, signal_mark = -1;

static bool write_all(int pipe, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(pipe, at, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        at += written;
        length -= (size_t)written;
    }
    return true;
}

/* Without a reader the worker has nothing to do any more. */
static void say(const suite_worker *worker, uint32_t kind, const void *bytes, size_t length) {
    message message = {.kind = kind, .length = length};
    if (!write_all(worker->pipe, &message, sizeof message) || !write_all(worker->pipe, bytes, length)) _exit(1);
}

static void on_signal(int number) {
    message message = {.kind = MESSAGE_SIGNAL, .mark = (uint32_t)signal_mark, .number = (uint32_t)number};
    write_all((int)signal_pipe, &message, sizeof message);
    _exit(1);
}

/* A sanitizer that has taken a signal keeps it: its report says more. */
static void catch_signals(int pipe) {
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
    static char overflow_stack[1 << 16]; /* for a worker that has used up its own */
    stack_t stack = {.ss_sp = overflow_stack, .ss_size = sizeof overflow_stack};
    struct sigaction caught = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK}, before;
    signal_pipe = pipe;
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(numbers[i], &caught, NULL);
    }
}

bool suite_worker_takes(const suite_worker *worker, uint64_t item) {
    return item >= worker->first && item % worker->jobs == worker->number;
}

void suite_worker_begin(suite_worker *worker, const char *name) {
    say(worker, MESSAGE_BEGIN, name, strlen(name));
    signal_mark = -1;
    alarm(SUITE_SECONDS);
}

void suite_worker_rename(suite_worker *worker, const char *name, size_t length) {
    alarm(0); /* the pipe may be full for as long as another worker is slow */
    say(worker, MESSAGE_NAME, name, length);
    alarm(SUITE_SECONDS);
}

void suite_worker_mark(uint32_t test) {
    signal_mark = (sig_atomic_t)test;
}

void suite_worker_end(suite_worker *worker, const suite_text *result) {
    alarm(0);
    if (result->failed)
        suite_worker_fail(worker, "memory is short");
    else
        say(worker, MESSAGE_END, result->bytes, result->length);
}

void suite_worker_fail(suite_worker *worker, const char *message) {
    alarm(0);
    say(worker, MESSAGE_FAILED, message, strlen(message));
    _exit(1);
}

/* --- the pool -------------------------------------------------------------------------------------------------------
 */

struct suite_pool {
    const char *program;
    suite_work *work;
    void *context;
    uint32_t jobs;
    uint64_t next; /* item whose answer comes next */
    int pipes[SUITE_JOBS_MAX];
    suite_text name, result;
    char reason[80];
};

static bool start(suite_pool *pool, uint32_t number) {
    int ends[2];
    fflush(stdout);
    fflush(stderr);
    if (pipe(ends) != 0) return complain(pool->program, "worker", strerror(errno), "a pipe");
    pid_t child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return complain(pool->program, "worker", strerror(errno), "a process");
    }
    if (child == 0) {
        suite_worker worker = {.pipe = ends[1], .number = number, .jobs = pool->jobs, .first = pool->next};
        for (uint32_t i = 0; i < pool->jobs; i++) {
            if (pool->pipes[i] >= 0) close(pool->pipes[i]);
        }
        close(ends[0]);
        catch_signals(ends[1]);
        pool->work(pool->context, &worker);
        say(&worker, MESSAGE_OVER, "", 0);
        _exit(0);
    }
    close(ends[1]);
    pool->pipes[number] = ends[0];
    return true;
}

suite_pool *suite_pool_create(const char *program, uint32_t jobs, suite_work *work, void *context) {
    suite_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL || jobs == 0 || jobs > SUITE_JOBS_MAX) {
        free(pool);
        complain(program, "--jobs", "", "memory and 1 to 64 processes");
        return NULL;
    }
    *pool = (suite_pool){.program = program, .work = work, .context = context, .jobs = jobs};
    for (uint32_t i = 0; i < SUITE_JOBS_MAX; i++) pool->pipes[i] = -1;
    signal(SIGCHLD, SIG_IGN); /* the pipes say all that is to be known of a worker's end */
    for (uint32_t i = 0; i < jobs; i++) {
        if (start(pool, i)) continue;
        suite_pool_destroy(pool);
        return NULL;
    }
    return pool;
}

/* Workers that still run end when they find nobody who reads. */
void suite_pool_destroy(suite_pool *pool) {
    if (pool == NULL) return;
    for (uint32_t i = 0; i < pool->jobs; i++) {
        if (pool->pipes[i] >= 0) close(pool->pipes[i]);
    }
    free(pool->name.bytes);
    free(pool->result.bytes);
    free(pool);
}

static bool read_all(int pipe, void *bytes, size_t length) {
    char *at = bytes;
    while (length > 0) {
        ssize_t count = read(pipe, at, length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += count;
        length -= (size_t)count;
    }
    return true;
}

/* One message; what follows it goes to the name or the result, with a NUL behind it. False where the pipe ends. */
static bool hear(suite_pool *pool, int pipe, message *message) {
    char bytes[4096];
    if (!read_all(pipe, message, sizeof *message)) return false;
    suite_text *to = message->kind == MESSAGE_BEGIN || message->kind == MESSAGE_NAME ? &pool->name : &pool->result;
    to->length = 0;
    for (uint64_t left = message->length; left > 0;) {
        size_t count = left < sizeof bytes ? (size_t)left : sizeof bytes;
        if (!read_all(pipe, bytes, count)) return false;
        suite_put(to, bytes, count);
        left -= count;
    }
    suite_put(to, "", 1);
    if (!to->failed) to->length--;
    return !to->failed;
}

/* The item has ended its worker: a new one goes on behind it. */
static suite_answer bury(suite_pool *pool, uint32_t number, const message *last) {
    suite_answer answer = {.kind = SUITE_DEAD, .name = pool->name.bytes, .mark = UINT32_MAX, .reason = pool->reason};
    snprintf(pool->reason, sizeof pool->reason, "the process ended without an answer");
    if (last->kind == MESSAGE_SIGNAL) {
        answer.mark = last->mark;
        if (last->number == SIGALRM)
            snprintf(pool->reason, sizeof pool->reason, "more than %d seconds", SUITE_SECONDS);
        else
            snprintf(pool->reason, sizeof pool->reason, "signal %d", (int)last->number);
    }
    close(pool->pipes[number]);
    pool->pipes[number] = -1;
    pool->next++;
    if (start(pool, number)) return answer;
    return (suite_answer){.kind = SUITE_FAILED, .reason = "no new process can be started"};
}

suite_answer suite_pool_next(suite_pool *pool) {
    uint32_t number = (uint32_t)(pool->next % pool->jobs);
    bool begun = false;
    for (;;) {
        message message = {0};
        bool heard = hear(pool, pool->pipes[number], &message);
        if (!heard || message.kind == MESSAGE_SIGNAL) {
            /* A worker that dies between items would be replaced for ever. */
            if (begun) return bury(pool, number, &message);
            return (suite_answer){.kind = SUITE_FAILED, .reason = "a process died while it read the input"};
        }
        begun = begun || message.kind == MESSAGE_BEGIN;
        if (message.kind == MESSAGE_OVER) return (suite_answer){.kind = SUITE_OVER};
        if (message.kind == MESSAGE_FAILED) return (suite_answer){.kind = SUITE_FAILED, .reason = pool->result.bytes};
        if (message.kind != MESSAGE_END) continue;
        pool->next++;
        return (suite_answer){
            .kind = SUITE_ITEM, .name = pool->name.bytes, .result = pool->result.bytes, .length = pool->result.length};
    }
}
