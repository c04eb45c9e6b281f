/* compiler.c - budgets, memory and interning shared by the passes of a compile. */
#include "compiler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NESTING_LIMIT 2000 /* recursive calls; about 1 MB of C stack */
#define PROGRESS_EVERY 1000000

void compiler_fail(compiler *c, weir_status status, const json *place, const char *format, ...) {
    if (place == NULL && status == WEIR_ERROR_LIMIT) place = c->part != NULL ? c->part : c->root;
    if (c->error != NULL) {
        char message[sizeof c->error->message];
        char pointer[sizeof c->error->pointer] = "";
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        if (place != NULL) json_pointer(place, pointer, sizeof pointer);
        fail_at_pointer(c->error, status, pointer, place != NULL ? (int64_t)place->byte : -1, "%s", message);
    }
    c->status = status;
    longjmp(c->exit, 1);
}

void compiler_spend(compiler *c, uint64_t units) {
    c->work += units;
    if (c->work > c->options.work_limit) {
        compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "the compile needs more than %llu units of work",
                      (unsigned long long)c->options.work_limit);
    }
    if (c->options.progress != NULL && c->work >= c->next_progress) {
        c->next_progress = c->work + PROGRESS_EVERY;
        if (c->options.progress(c->options.progress_context, c->work)) {
            compiler_fail(c, WEIR_ERROR_CANCELLED, NULL, "the compile was cancelled");
        }
    }
}

void *compiler_new(compiler *c, size_t size) {
    void *memory = arena_allocate(&c->arena, size != 0 ? size : 1);
    if (memory != NULL) return memory;
    if (c->arena.over_limit) {
        compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "the compile needs more than %zu bytes of memory", c->arena.limit);
    }
    compiler_fail(c, WEIR_ERROR_MEMORY, NULL, "out of memory while compiling");
}

void *compiler_zero(compiler *c, size_t size) {
    void *memory = compiler_new(c, size);
    memset(memory, 0, size);
    return memory;
}

void *compiler_grow(compiler *c, const void *old, size_t old_size, size_t size) {
    void *memory = compiler_new(c, size);
    if (old_size != 0) memcpy(memory, old, old_size);
    return memory;
}

void compiler_enter(compiler *c, const json *place) {
    if (++c->nesting > NESTING_LIMIT) {
        compiler_fail(c, WEIR_ERROR_LIMIT, place, "schemas refer to each other more than %d levels deep", NESTING_LIMIT);
    }
}

void compiler_leave(compiler *c) { c->nesting--; }

int order_ids(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

uint32_t hash_bytes(const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    uint64_t hash = 0x9E3779B97F4A7C15u ^ size;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
    }
    uint64_t tail = 0;
    if (size != 0) memcpy(&tail, at, size);
    hash = (hash ^ tail) * 0xC4CEB9FE1A85EC53u;
    return (uint32_t)(hash ^ (hash >> 29) ^ (hash >> 43));
}

static uint32_t probe(const interner *table, const void *bytes, size_t size, uint32_t hash) {
    uint32_t slot = hash & (table->slot_count - 1);
    for (;; slot = (slot + 1) & (table->slot_count - 1)) {
        uint32_t id = table->slots[slot];
        if (id == 0) return slot;
        const struct interned *entry = &table->entries.items[id - 1];
        if (entry->hash == hash && entry->size == size && (size == 0 || memcmp(entry->bytes, bytes, size) == 0)) {
            return slot;
        }
    }
}

static void rehash(compiler *c, interner *table) {
    uint32_t slot_count = table->slot_count != 0 ? 2 * table->slot_count : 64;
    table->slots = NEW_ARRAY(c, uint32_t, slot_count);
    table->slot_count = slot_count;
    for (uint32_t id = 0; id < table->entries.count; id++) {
        uint32_t slot = table->entries.items[id].hash & (slot_count - 1);
        while (table->slots[slot] != 0) slot = (slot + 1) & (slot_count - 1);
        table->slots[slot] = id + 1;
    }
}

uint32_t intern(compiler *c, interner *table, const void *bytes, size_t size, bool *is_new) {
    if (2 * (table->count + 1) > table->slot_count) rehash(c, table);
    uint32_t hash = hash_bytes(bytes, size);
    uint32_t slot = probe(table, bytes, size, hash);
    compiler_spend(c, 20 + size / 4);
    if (is_new != NULL) *is_new = table->slots[slot] == 0;
    if (table->slots[slot] != 0) return table->slots[slot] - 1;
    void *copy = compiler_new(c, size);
    if (size != 0) memcpy(copy, bytes, size);
    struct interned entry = {copy, (uint32_t)size, hash};
    PUSH(c, table->entries, entry);
    table->slots[slot] = ++table->count;
    return table->count - 1;
}

uint32_t intern_find(const interner *table, const void *bytes, size_t size) {
    if (table->slot_count == 0) return NONE;
    uint32_t id = table->slots[probe(table, bytes, size, hash_bytes(bytes, size))];
    return id == 0 ? NONE : id - 1;
}
