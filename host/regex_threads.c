/* regex_threads.c - sets of threads in, sets of threads out: what is left to match before and after a code point.
 *
 * A thread stands at an op that takes a code point, or at one that waits to know the next code point ($ and \b).
 * Looking ahead adds to its `unless`: (?!x) the threads of x, (?=x) one that matches unless x does. Looking behind asks
 * sets that have run along since the start of the text. So no position is visited twice and nothing is tried in vain. */
#include <stdlib.h>
#include <string.h>

#include "regex_build.h"

enum { WAITS_END = 1, WAITS_MORE = 2 }; /* for the end of the text only; for more than that */
enum { COMPARE_LIMIT = 64 };            /* threads with an `unless` that are compared pairwise */

typedef struct thread {
    uint32_t op, unless;
} thread;

static uint32_t op_count(const regex_run *run) {
    return run->program->ops.count;
}

static const regex_op *op_get(const regex_run *run, uint32_t op) {
    return &run->program->ops.items[op];
}

static thread thread_get(const regex_run *run, uint32_t id) {
    if (id < op_count(run)) return (thread){id, THREADS_NONE};
    return *(const thread *)run->conditional.entries.items[id - op_count(run)].bytes;
}

static uint32_t thread_id(regex_run *run, uint32_t op, uint32_t unless) {
    if (unless == THREADS_NONE) return op;
    thread key = {op, unless};
    bool is_new;
    uint32_t id = intern(run->c, &run->conditional, &key, sizeof key, &is_new);
    if (is_new) PUSH(run->c, run->marks, 0);
    if (id >= REGEX_UNLESS_LIMIT) {
        compiler_fail(run->c, WEIR_ERROR_LIMIT, run->place,
                      "the pattern's lookarounds meet in more than %u combinations", REGEX_UNLESS_LIMIT);
    }
    return op_count(run) + id;
}

static const uint32_t *set_get(const regex_run *run, uint32_t set, uint32_t *count) {
    const struct interned *entry = &run->sets.entries.items[set];
    *count = entry->size / (uint32_t)sizeof(uint32_t);
    return entry->bytes;
}

static uint32_t set_add(regex_run *run, const uint32_t *threads, uint32_t count);

regex_run *regex_run_new(compiler *c, const json *place, const regex_program *program, const regex_alphabet *alphabet) {
    regex_run *run = NEW(c, regex_run);
    run->c = c;
    run->place = place;
    run->program = program;
    run->alphabet = alphabet;
    run->marks.items = NEW_ARRAY(c, uint32_t, op_count(run));
    run->marks.count = run->marks.capacity = op_count(run);
    run->behind = NEW_ARRAY(c, uint32_t, program->behinds.count);
    uint32_t match = 0;
    set_add(run, NULL, 0);
    set_add(run, &match, 1);
    return run;
}

/* --- building sets -------------------------------------------------------------------------------------------- */

static uint8_t waits_of(const regex_run *run, uint32_t id) {
    thread t = thread_get(run, id);
    regex_op_kind kind = op_get(run, t.op)->kind;
    uint8_t waits = t.unless != THREADS_NONE ? run->waits.items[t.unless] : 0;
    if (kind == OP_END) waits |= WAITS_END;
    if (kind == OP_BOUNDARY || kind == OP_BEHIND) waits |= WAITS_MORE;
    return waits;
}

static uint32_t set_add(regex_run *run, const uint32_t *threads, uint32_t count) {
    bool is_new;
    uint32_t set = intern(run->c, &run->sets, threads, count * sizeof *threads, &is_new);
    if (!is_new) return set;
    uint8_t waits = 0;
    for (uint32_t i = 0; i < count; i++) waits |= waits_of(run, threads[i]);
    PUSH(run->c, run->waits, waits);
    run->total += count;
    if (run->total > REGEX_THREAD_LIMIT) {
        compiler_fail(run->c, WEIR_ERROR_LIMIT, run->place,
                      "the pattern can be at more than %u combinations of its parts", REGEX_THREAD_LIMIT);
    }
    return set;
}

/* Threads come nearly in order, as the ops of a set's successors mostly do. */
static void sort_threads(uint32_t *list, uint32_t count) {
    uint64_t moves = 0;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t id = list[i], at = i;
        for (; at > 0 && list[at - 1] > id; at--) list[at] = list[at - 1];
        list[at] = id;
        moves += i - at;
        if (moves > 16 * (uint64_t)count) {
            qsort(list, count, sizeof *list, order_ids);
            return;
        }
    }
}

static bool is_subset(const regex_run *run, uint32_t inner, uint32_t outer) {
    uint32_t inner_count, outer_count, at = 0;
    const uint32_t *a = set_get(run, inner, &inner_count), *b = set_get(run, outer, &outer_count);
    for (uint32_t i = 0; i < inner_count; i++) {
        while (at < outer_count && b[at] < a[i]) at++;
        if (at == outer_count || b[at] != a[i]) return false;
    }
    return true;
}

/* Whether another thread of the list matches all that this one does. */
static bool is_covered(regex_run *run, const uint32_t *list, uint32_t count, uint32_t conditional, uint32_t id) {
    thread t = thread_get(run, id);
    if (bsearch(&t.op, list, conditional, sizeof *list, order_ids) != NULL) return true;
    if (count - conditional > COMPARE_LIMIT) return false;
    for (uint32_t i = conditional; i < count; i++) {
        thread other = thread_get(run, list[i]);
        if (list[i] != id && other.op == t.op && is_subset(run, other.unless, t.unless)) return true;
    }
    return false;
}

/* Of each group only the thread that matches most; returns how many are left. */
static uint32_t drop_grouped(const regex_run *run, uint32_t *list, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = i + 1 < count && list[i + 1] < op_count(run) ? op_get(run, list[i + 1])->group : 0;
        if (next == 0 || op_get(run, list[i])->group != next) list[kept++] = list[i];
    }
    return kept;
}

/* The set of the threads found since `base`, which are taken off the stack. */
static uint32_t set_found(regex_run *run, uint32_t base) {
    uint32_t *list = run->found.items + base, count = run->found.count - base, kept = 0, conditional = 0;
    run->found.count = base;
    compiler_spend(run->c, 10 + 4 * (uint64_t)count);
    sort_threads(list, count);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || list[kept - 1] != list[i]) list[kept++] = list[i];
    }
    if (kept != 0 && list[0] == 0) return THREADS_ALL; /* at OP_MATCH, with nothing to forbid it */
    if (run->program->group_count != 0) kept = drop_grouped(run, list, kept);
    while (conditional < kept && list[conditional] < op_count(run)) conditional++;
    if (conditional == kept) return set_add(run, list, kept);
    count = conditional;
    compiler_spend(run->c, 4 * COMPARE_LIMIT * (uint64_t)(kept - conditional));
    uint32_t *reduced = compiler_new(run->c, sizeof *reduced * kept);
    memcpy(reduced, list, sizeof *list * conditional);
    for (uint32_t i = conditional; i < kept; i++) {
        if (!is_covered(run, list, kept, conditional, list[i])) reduced[count++] = list[i];
    }
    return set_add(run, reduced, count);
}

static uint32_t set_union(regex_run *run, uint32_t a, uint32_t b) {
    if (a == b || b == THREADS_NONE) return a;
    if (a == THREADS_NONE) return b;
    if (a == THREADS_ALL || b == THREADS_ALL) return THREADS_ALL;
    uint32_t base = run->found.count, count;
    const uint32_t *threads = set_get(run, a, &count);
    for (uint32_t i = 0; i < count; i++) PUSH(run->c, run->found, threads[i]);
    threads = set_get(run, b, &count);
    for (uint32_t i = 0; i < count; i++) PUSH(run->c, run->found, threads[i]);
    return set_found(run, base);
}

/* The set that matches where `set` does not. */
static uint32_t set_not(regex_run *run, uint32_t set) {
    if (set <= THREADS_ALL) return THREADS_ALL - set;
    uint32_t id = thread_id(run, 0, set);
    return set_add(run, &id, 1);
}

/* --- following ops that take no code point -------------------------------------------------------------------- */

static void push(regex_run *run, uint32_t op, uint32_t unless) {
    if (unless == THREADS_ALL) return;
    uint32_t id = thread_id(run, op, unless);
    PUSH(run->c, run->todo, id);
}

static void follow_ahead(regex_run *run, const regex_op *op, uint32_t unless) {
    uint32_t ahead = regex_threads_start(run, op->other);
    push(run, op->next, set_union(run, unless, op->negative ? ahead : set_not(run, ahead)));
}

/* False: it has to wait for the next code point. The lookbehind may end here under conditions of its own. */
static bool follow_behind(regex_run *run, const regex_op *op, uint32_t unless) {
    uint32_t set = run->behind[op->other], count;
    if (run->waits.items[set] != 0) {
        if (run->next == NEXT_UNKNOWN) return false;
        set = regex_threads_decide(run, set);
    }
    const uint32_t *threads = set_get(run, set, &count);
    for (uint32_t i = 0; i < count; i++) {
        thread t = thread_get(run, threads[i]);
        if (op_get(run, t.op)->kind != OP_BEHIND_END) continue;
        if (!op->negative)
            push(run, op->next, set_union(run, unless, t.unless));
        else
            unless = set_union(run, unless, set_not(run, t.unless));
    }
    if (op->negative) push(run, op->next, unless);
    return true;
}

static bool boundary_holds(const regex_run *run, const regex_op *op) {
    return (run->after_word != (run->next == NEXT_WORD)) != op->negative;
}

/* Finds the threads that a thread becomes without taking a code point. */
static void follow(regex_run *run, uint32_t first, uint32_t round) {
    uint32_t base = run->todo.count;
    PUSH(run->c, run->todo, first);
    for (uint64_t steps = 1; run->todo.count > base; steps++) {
        uint32_t id = run->todo.items[--run->todo.count];
        if (steps % 64 == 0) compiler_spend(run->c, 64 * 4);
        if (run->marks.items[id] == round) continue;
        run->marks.items[id] = round;
        thread t = thread_get(run, id);
        const regex_op *op = op_get(run, t.op);
        bool known = run->next != NEXT_UNKNOWN, waits = false;
        switch (op->kind) {
        case OP_FORK:
            push(run, op->other, t.unless);
            push(run, op->next, t.unless);
            continue;
        case OP_START:
            if (run->at_start) push(run, op->next, t.unless);
            continue;
        case OP_END:
            waits = !known;
            if (run->next == NEXT_NOTHING) push(run, op->next, t.unless);
            break;
        case OP_BOUNDARY:
            waits = !known;
            if (known && boundary_holds(run, op)) push(run, op->next, t.unless);
            break;
        case OP_AHEAD: follow_ahead(run, op, t.unless); continue;
        case OP_BEHIND: waits = !follow_behind(run, op, t.unless); break;
        default: waits = true; break;
        }
        if (waits) PUSH(run->c, run->found, id);
    }
}

uint32_t regex_threads_start(regex_run *run, uint32_t op) {
    uint32_t base = run->found.count;
    follow(run, op, ++run->round);
    return set_found(run, base);
}

/* --- one code point ------------------------------------------------------------------------------------------- */

uint32_t regex_threads_decide(regex_run *run, uint32_t set) {
    uint8_t waits = run->waits.items[set];
    if (waits == 0 || (waits == WAITS_END && run->next != NEXT_NOTHING)) return set; /* $ takes no code point */
    uint32_t base = run->found.count, round = ++run->round, count;
    const uint32_t *threads = set_get(run, set, &count);
    for (uint32_t i = 0; i < count; i++) {
        thread t = thread_get(run, threads[i]);
        uint32_t unless = regex_threads_decide(run, t.unless);
        if (unless != THREADS_ALL) follow(run, thread_id(run, t.op, unless), round);
    }
    return set_found(run, base);
}

uint32_t regex_threads_step(regex_run *run, uint32_t set, uint32_t class) {
    if (set <= THREADS_ALL) return set;
    uint32_t base = run->found.count, round = ++run->round, count;
    const uint32_t *threads = set_get(run, set, &count);
    compiler_spend(run->c, 4 * (uint64_t)count);
    for (uint32_t i = 0; i < count; i++) {
        thread t = thread_get(run, threads[i]);
        const regex_op *op = op_get(run, t.op);
        if (op->kind != OP_MATCH && (op->kind != OP_CHARS || !regex_class_in(run->alphabet, class, op->other)))
            continue;
        uint32_t unless = regex_threads_step(run, t.unless, class);
        if (unless != THREADS_ALL) follow(run, thread_id(run, op->next, unless), round);
    }
    return set_found(run, base);
}

bool regex_threads_accept(regex_run *run, uint32_t set) {
    uint32_t count;
    set = regex_threads_decide(run, set);
    const uint32_t *threads = set_get(run, set, &count);
    for (uint32_t i = 0; i < count; i++) {
        thread t = thread_get(run, threads[i]);
        if (t.op == 0 && !regex_threads_accept(run, t.unless)) return true;
    }
    return false;
}
