/* tables.c - one compile's result as a flat blob. */
#include <stddef.h>
#include <string.h>

#include "machine.h"
#include "tables_io.h"

typedef struct source {
    const void *items;
    uint32_t count;
    size_t size;
} source;

uint64_t tables_checksum(const tables *t) {
    const uint8_t *at = (const uint8_t *)t;
    uint64_t hash = 0xCBF29CE484222325u;
    size_t from = offsetof(tables, checksum) + sizeof t->checksum;
    for (size_t i = from; i + 8 <= t->bytes; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, 8);
        hash = (hash ^ word) * 0x100000001B3u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* Costs and boundaries lie in lists of their own while compiling; here they become sections. */
typedef struct flat {
    VECTOR(cost) costs;
    VECTOR(boundary) boundaries;
    VECTOR(segment) segments;
    interner table;
    VECTOR(uint32_t) offsets;
} flat;

static void flatten(compiler *c, flat *f) {
    automaton *a = c->automaton;
    for (uint32_t id = 0; id < a->states.count; id++) {
        uint32_t count = a->state_costs.items[id].count;
        bool is_new;
        uint32_t key = intern(c, &f->table, a->state_costs.items[id].items, sizeof(cost) * count, &is_new);
        if (is_new) {
            PUSH(c, f->offsets, f->costs.count);
            for (uint32_t i = 0; i < count; i++) PUSH(c, f->costs, a->state_costs.items[id].items[i]);
        }
        a->states.items[id].costs = f->offsets.items[key];
        a->states.items[id].cost_count = (uint8_t)count;
    }
    for (uint32_t i = 0; i < a->boundary_costs.count; i++) {
        const boundary_plan *b = &a->boundary_costs.items[i];
        PUSH(c, f->boundaries, ((boundary){f->segments.count, b->segments.count}));
        for (uint32_t k = 0; k < b->segments.count; k++) PUSH(c, f->segments, b->segments.items[k]);
    }
}

/* Everything in front of the sections' places. */
static tables header_of(compiler *c, const masks *m) {
    const automaton *a = c->automaton;
    tables t;
    memset(&t, 0, sizeof t);
    t.magic = TABLES_MAGIC;
    t.abi = TABLES_ABI;
    t.vocab_hash = c->vocab->hash;
    t.start = a->start;
    t.hash_slots = a->hash_slots;
    t.class_max = a->class_max;
    t.name_words = a->name_words;
    for (uint32_t i = 0; i < a->modules.count; i++) {
        if (a->modules.items[i].careful) t.kept_slots = TABLES_KEPT_SLOTS;
        if (a->modules.items[i].keeps_kinds && t.kept_slots == 0) t.kept_slots = 1;
    }
    t.frame_words = FRAME_NAMES + a->name_words + 2 * a->hash_slots + a->class_max + (t.kept_slots != 0 ? MEMBERS_WORDS : 0);
    t.depth_limit = c->options.depth_limit;
    t.space_run = c->options.whitespace_run;
    t.indent = c->options.indent;
    t.module_count = a->modules.count;
    t.work = c->work;
    for (uint32_t i = 0; i < m->rows.count; i++) {
        uint32_t guarded = m->rows.items[i].guarded_count + m->rows.items[i].closing_count;
        t.guarded_sum += guarded;
        if (guarded > t.guarded_max) t.guarded_max = guarded;
    }
    if (machine_sequence_words(&t) > TABLES_SEQUENCE_WORDS) {
        compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "a sequence would need %zu words of memory, more than %u",
                      machine_sequence_words(&t), TABLES_SEQUENCE_WORDS);
    }
    return t;
}

weir_status tables_write(compiler *c, const masks *m, const weir_allocator *allocator, tables **out, size_t *size) {
    automaton *a = c->automaton;
    flat f;
    memset(&f, 0, sizeof f);
    flatten(c, &f);
    const source sections[SECTION_COUNT] = {
        [SECTION_STATES] = {a->states.items, a->states.count, sizeof(state)},
        [SECTION_EDGES] = {a->edges.items, a->edges.count, sizeof(edge)},
        [SECTION_INSTANCES] = {a->instances.items, a->instances.count, sizeof(instance)},
        [SECTION_TARGETS] = {a->targets.items, a->targets.count, sizeof(uint32_t)},
        [SECTION_LENGTHS] = {a->lengths.items, a->lengths.count, sizeof(length_case)},
        [SECTION_COUNTS] = {a->counts.items, a->counts.count, sizeof(count_case)},
        [SECTION_CALLS] = {a->calls.items, a->calls.count, sizeof(call)},
        [SECTION_RETURNS] = {a->returns.items, a->returns.count, sizeof(return_symbol)},
        [SECTION_COSTS] = {f.costs.items, f.costs.count, sizeof(cost)},
        [SECTION_BOUNDARIES] = {f.boundaries.items, f.boundaries.count, sizeof(boundary)},
        [SECTION_SEGMENTS] = {f.segments.items, f.segments.count, sizeof(segment)},
        [SECTION_WEIGHTS] = {a->weights.items, a->weights.count, sizeof(uint32_t)},
        [SECTION_OBJECTS] = {a->objects.items, a->objects.count, sizeof(object)},
        [SECTION_MASKS] = {a->masks.items, a->masks.count, sizeof(uint32_t)},
        [SECTION_ROWS] = {m->rows.items, m->rows.count, sizeof(row)},
        [SECTION_LISTS] = {m->lists.items, m->lists.count, sizeof(uint32_t)},
        [SECTION_PATCHES] = {m->patches.items, m->patches.count, sizeof(patch)},
        [SECTION_WORDS] = {m->words.items, m->words.count, sizeof(uint32_t)}};
    tables head = header_of(c, m);
    uint32_t *root = NEW_ARRAY(c, uint32_t, head.frame_words); /* nothing of the arena is asked for behind allocate */
    size_t bytes = (sizeof(tables) + 7) / 8 * 8;
    for (int i = 0; i < SECTION_COUNT; i++) bytes += (sections[i].count * sections[i].size + 7) / 8 * 8;
    if (bytes > c->arena.limit - c->arena.total) {
        compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "the compile needs more than %zu bytes of memory", c->arena.limit);
    }
    tables *t = allocate(allocator, bytes);
    if (t == NULL) compiler_fail(c, WEIR_ERROR_MEMORY, NULL, "out of memory for %zu bytes of tables", bytes);
    memset(t, 0, bytes);
    *t = head;
    t->bytes = bytes;
    size_t at = (sizeof(tables) + 7) / 8 * 8;
    for (int i = 0; i < SECTION_COUNT; i++) {
        t->counts[i] = sections[i].count;
        t->offsets[i] = at;
        if (sections[i].count != 0) memcpy((char *)t + at, sections[i].items, sections[i].count * sections[i].size);
        at += (sections[i].count * sections[i].size + 7) / 8 * 8;
    }
    t->least_tokens = COST_NEVER;
    if (t->start != STATE_DEAD) {
        machine opened = machine_open(t);
        t->least_tokens = machine_cost(&opened, t->start, 0, 0, root, 0);
        if (t->least_tokens == COST_NEVER) t->start = STATE_DEAD; /* every document nests too deep */
    }
    t->checksum = tables_checksum(t);
    *out = t;
    *size = bytes;
    return WEIR_OK;
}
