/* fault.cc - what a kernel did wrong, in one line; and why nobody can go on. */
#include "grid.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *meeting_name(simt_meeting meeting) {
    static const char *const names[] = {
        "warp_sync", "warp_ballot", "warp_shuffle", "warp_shuffle_up", "warp_shuffle_xor", "warp_max", "warp_min",
        "warp_add",  "block_sync",  "cluster_sync", "grid_wait",       "no barrier",       "its end"};
    return names[meeting];
}

const char *place_file(simt_place at) {
    const char *start = at.file;
    int folders = 0;
    for (const char *c = at.file + strlen(at.file); c > at.file; c--) {
        if (c[-1] == '/' && ++folders == 3) {
            start = c;
            break;
        }
    }
    return start;
}

/* The kernel's name where the program exports its symbols, without its arguments. */
static void kernel_name(simt_kernel kernel, char *out, size_t capacity) {
    Dl_info found;
    memset(&found, 0, sizeof found);
    if (!dladdr(reinterpret_cast<void *>(kernel), &found) || found.dli_saddr != reinterpret_cast<void *>(kernel)) {
        snprintf(out, capacity, "%p", reinterpret_cast<void *>(kernel));
        return;
    }
    int status = 0;
    char *name = abi::__cxa_demangle(found.dli_sname, nullptr, nullptr, &status);
    snprintf(out, capacity, "%s", name ? name : found.dli_sname);
    free(name);
    char *parameters = strrchr(out, '(');
    if (parameters) *parameters = '\0';
}

void simt_fault(const thread *who, const char *format, ...) {
    char line[1024];
    int length = snprintf(line, sizeof line, "simt: ");
    if (who && grid_now) {
        char name[256];
        kernel_name(grid_now->work.kernel, name, sizeof name);
        length += snprintf(line + length, sizeof line - static_cast<size_t>(length), "kernel %s, block %u, thread %u ",
                           name, who->cluster_index * who->cluster + who->rank, who->index);
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - static_cast<size_t>(length), format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s\n", line);
    fflush(stderr);
    abort();
}

/* --- nobody can go on ------------------------------------------------------------------------------------- */

/* A thread among `count` that does not wait where `waiting` does; NULL: all do. */
static const thread *one_elsewhere(thread *const *threads, uint32_t count, const thread *waiting) {
    const thread *found = nullptr;
    for (uint32_t i = 0; i < count; i++) {
        if (threads[i]->waits == waiting->waits) continue;
        if (threads[i]->waits == SIMT_ENDED) return threads[i]; /* the plainest reason */
        if (!found) found = threads[i];
    }
    return found;
}

[[noreturn]] static void fault_apart(const thread *elsewhere, const thread *waiting) {
    const char *file = place_file(waiting->at);
    if (elsewhere->waits == SIMT_ENDED) {
        simt_fault(elsewhere, "returned before %s at %s:%d, where thread %u of block %u of the cluster waits",
                   meeting_name(waiting->waits), file, waiting->at.line, waiting->index, waiting->rank);
    }
    simt_fault(elsewhere, "waits at %s at %s:%d while thread %u of block %u of the cluster waits at %s at %s:%d",
               meeting_name(elsewhere->waits), place_file(elsewhere->at), elsewhere->at.line, waiting->index,
               waiting->rank, meeting_name(waiting->waits), file, waiting->at.line);
}

void fault_stuck(grid *g) {
    for (uint32_t i = 0; i < g->thread_count; i++) { /* the narrowest meeting first */
        const thread *t = g->threads[i];
        if (t->waits >= SIMT_BLOCK_SYNC) continue;
        const thread *other = one_elsewhere(t->home->lanes, WARP, t);
        if (other) fault_apart(other, t);
    }
    for (uint32_t i = 0; i < g->thread_count; i++) {
        const thread *t = g->threads[i];
        if (t->waits != SIMT_BLOCK_SYNC) continue;
        const thread *other = one_elsewhere(g->threads + t->rank * t->threads, t->threads, t);
        if (other) fault_apart(other, t);
    }
    for (uint32_t i = 0; i < g->thread_count; i++) {
        const thread *t = g->threads[i];
        if (t->waits != SIMT_CLUSTER_SYNC) continue;
        const thread *other = one_elsewhere(g->threads, g->thread_count, t);
        if (other) fault_apart(other, t);
    }
    simt_fault(g->threads[0], "and all others wait, for nothing that the emulator knows");
}
