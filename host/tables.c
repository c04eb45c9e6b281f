/* tables.c - one compile's result as a flat blob: written, and checked when it comes from outside. */
#include <stddef.h>
#include <string.h>

#include "machine.h"
#include "tables_io.h"

#define KEPT_SLOTS 1024u /* values of unique arrays, in all open ones together */

typedef struct source {
    const void *items;
    uint32_t count;
    size_t size;
} source;

static uint64_t checksum_of(const tables *t) {
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
    size_t bytes = (sizeof(tables) + 7) / 8 * 8;
    for (int i = 0; i < SECTION_COUNT; i++) bytes += (sections[i].count * sections[i].size + 7) / 8 * 8;
    if (bytes > c->arena.limit - c->arena.total) {
        compiler_fail(c, WEIR_ERROR_LIMIT, NULL, "the compile needs more than %zu bytes of memory", c->arena.limit);
    }
    tables *t = allocate(allocator, bytes);
    if (t == NULL) compiler_fail(c, WEIR_ERROR_MEMORY, NULL, "out of memory for %zu bytes of tables", bytes);
    memset(t, 0, bytes);
    t->magic = TABLES_MAGIC;
    t->abi = TABLES_ABI;
    t->bytes = bytes;
    t->vocab_hash = c->vocab->hash;
    t->start = a->start;
    t->hash_slots = a->hash_slots;
    t->class_max = a->class_max;
    t->name_words = a->name_words;
    for (uint32_t i = 0; i < a->modules.count; i++) {
        if (a->modules.items[i].careful) t->kept_slots = KEPT_SLOTS;
        if (a->modules.items[i].keeps_kinds && t->kept_slots == 0) t->kept_slots = 1;
    }
    t->frame_words = FRAME_NAMES + a->name_words + 2 * a->hash_slots + a->class_max + (t->kept_slots != 0 ? MEMBERS_WORDS : 0);
    t->depth_limit = c->options.depth_limit;
    t->space_run = c->options.whitespace_run;
    t->indent = c->options.indent;
    t->module_count = a->modules.count;
    t->work = c->work;
    for (uint32_t i = 0; i < m->rows.count; i++) {
        uint32_t guarded = m->rows.items[i].guarded_count + m->rows.items[i].closing_count;
        t->guarded_sum += guarded;
        if (guarded > t->guarded_max) t->guarded_max = guarded;
    }
    size_t at = (sizeof(tables) + 7) / 8 * 8;
    for (int i = 0; i < SECTION_COUNT; i++) {
        t->counts[i] = sections[i].count;
        t->offsets[i] = at;
        if (sections[i].count != 0) memcpy((char *)t + at, sections[i].items, sections[i].count * sections[i].size);
        at += (sections[i].count * sections[i].size + 7) / 8 * 8;
    }
    t->least_tokens = COST_NEVER;
    if (t->start != STATE_DEAD) {
        uint32_t frame[515];
        memset(frame, 0, sizeof frame);
        uint32_t *root = t->frame_words <= 515 ? frame : NEW_ARRAY(c, uint32_t, t->frame_words);
        machine opened = machine_open(t);
        t->least_tokens = machine_cost(&opened, t->start, 0, 0, root, 0);
        if (t->least_tokens == COST_NEVER) t->start = STATE_DEAD; /* every document nests too deep */
    }
    t->checksum = checksum_of(t);
    *out = t;
    *size = bytes;
    return WEIR_OK;
}

/* --- tables from outside -------------------------------------------------------------------------------------- */

static bool inside(uint64_t first, uint64_t count, uint64_t total) { return first <= total && count <= total - first; }

static bool sections_fit(const tables *t, size_t length) {
    static const size_t sizes[SECTION_COUNT] = {sizeof(state),  sizeof(edge),          sizeof(instance), 4,
                                                sizeof(length_case), sizeof(count_case), sizeof(call),
                                                sizeof(return_symbol), sizeof(cost),   sizeof(boundary),
                                                sizeof(segment), 4, sizeof(object), 4, sizeof(row), 4,
                                                sizeof(patch), 4};
    for (int i = 0; i < SECTION_COUNT; i++) {
        if (t->offsets[i] % 8 != 0 || !inside(t->offsets[i], (uint64_t)t->counts[i] * sizes[i], length)) return false;
    }
    return true;
}

static bool cases_end(const machine *m, uint32_t first) {
    for (uint32_t i = first; i < m->t->counts[SECTION_COUNTS]; i++) {
        if (m->counts[i].upto == TABLES_NONE) return true;
    }
    return false;
}

static bool pair_fits(const machine *m, uint32_t first) { return inside(first, 2, m->t->counts[SECTION_TARGETS]); }

static bool is_name(const machine *m, uint32_t instance_id) {
    return instance_id < m->t->counts[SECTION_INSTANCES] && m->instances[instance_id].object != TABLES_NONE;
}

static bool object_fits(const machine *m, const object *o) {
    uint32_t masks = m->t->counts[SECTION_MASKS];
    if (o->name_count > 65000 || o->words != o->name_count / 32 + 1 || o->words > m->t->name_words) return false;
    if (!inside(o->ample, o->words, masks)) return false;
    if (!inside(o->required, o->words, masks) || !inside(o->order, o->order_count, masks)) return false;
    if (!inside(o->reads, (uint64_t)o->words * (o->name_count + 1), masks)) return false;
    if (!inside(o->beyond, (uint64_t)o->words * o->order_count, masks)) return false;
    if (!inside(o->weights, 6 * (uint64_t)o->name_count, m->t->counts[SECTION_WEIGHTS])) return false;
    for (uint32_t k = 0; k < o->order_count; k++) {
        if (m->masks[o->order + k] >= o->name_count) return false;
    }
    return !mask_bit(m->masks + o->required, o->name_count);
}

static bool names_fit(const machine *m) {
    const uint32_t *counts = m->t->counts;
    for (uint32_t i = 0; i < counts[SECTION_OBJECTS]; i++) {
        if (!object_fits(m, &m->objects[i])) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_INSTANCES]; i++) {
        const instance *in = &m->instances[i];
        if (in->object == TABLES_NONE) continue;
        if (in->object >= counts[SECTION_OBJECTS]) return false;
        if (!inside(in->dead, m->objects[in->object].words, counts[SECTION_MASKS])) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_STATES]; i++) {
        const state *s = &m->states[i];
        if ((s->flags & STATE_NAMED) == 0) continue;
        if (s->instance == TABLES_NONE || s->instance >= counts[SECTION_INSTANCES] || !is_name(m, s->instance)) return false;
        if (s->leaf_hi > m->objects[m->instances[s->instance].object].name_count) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_COSTS]; i++) {
        const cost *e = &m->costs[i];
        if (e->fresh > m->t->hash_slots) return false;
        if (e->missing != 0 && (e->missing - 1) / 2 >= counts[SECTION_OBJECTS]) return false;
        if (e->ordered > counts[SECTION_OBJECTS]) return false;
        if (e->names == 0) continue;
        if (!is_name(m, e->instance)) return false;
        uint32_t names = m->objects[m->instances[e->instance].object].name_count;
        if (e->leaf_hi > names || !inside(e->names - 1, 3 * ((uint64_t)names + 1), counts[SECTION_WEIGHTS])) return false;
    }
    return true;
}

static bool edge_fits(const machine *m, const state *s, const edge *e) {
    const tables *t = m->t;
    uint32_t states = t->counts[SECTION_STATES];
    const instance *in = s->instance != TABLES_NONE ? &m->instances[s->instance] : NULL;
    switch (e->op) {
    case EDGE_GO:
    case EDGE_OPEN:
    case EDGE_SPACE_FIRST:
    case EDGE_SPACE:
    case EDGE_INDENT_FIRST:
    case EDGE_INDENT_END:
    case EDGE_NEW:
    case EDGE_REPEATED:
        return e->target < states;
    case EDGE_NAMED:
        return pair_fits(m, e->target) && is_name(m, m->targets[e->target + 1]);
    case EDGE_CLOSE_NAMED:
        return pair_fits(m, e->target) && m->targets[e->target] < t->counts[SECTION_OBJECTS] &&
               m->targets[e->target + 1] < t->class_max;
    case EDGE_CLOSE_LINE:
        return pair_fits(m, e->target) && m->targets[e->target] < t->counts[SECTION_OBJECTS] &&
               m->targets[e->target + 1] < states;
    case EDGE_LOCAL:
    case EDGE_CHAR:
    case EDGE_CHAR_FREE:
        return in != NULL && (uint64_t)in->base + e->target < states;
    case EDGE_PUSH:
        return e->target < t->counts[SECTION_CALLS];
    case EDGE_POP:
        return e->target < t->class_max;
    case EDGE_EXIT:
    case EDGE_ELSE:
        return in != NULL && (uint64_t)in->exits + e->target < t->counts[SECTION_TARGETS];
    case EDGE_EXIT_LENGTH:
        return in != NULL;
    case EDGE_INDENT:
        return true;
    case EDGE_COMMA:
    case EDGE_CLOSE:
        return cases_end(m, e->target);
    default:
        return false;
    }
}

static bool machine_fits(const machine *m) {
    const tables *t = m->t;
    const uint32_t *counts = t->counts;
    uint32_t states = counts[SECTION_STATES];
    uint64_t words = FRAME_NAMES + (uint64_t)t->name_words + 2 * (uint64_t)t->hash_slots + t->class_max;
    if (t->frame_words != words + (t->kept_slots != 0 ? MEMBERS_WORDS : 0) || t->kept_slots > KEPT_SLOTS) return false;
    if (!names_fit(m)) return false;
    if (t->depth_limit < 1 || t->depth_limit > 1024 || t->indent > 16 || t->class_max < 1) return false;
    if (t->start != STATE_DEAD && t->start >= states) return false;
    for (uint32_t i = 0; i < counts[SECTION_INSTANCES]; i++) {
        const instance *in = &m->instances[i];
        if (!inside(in->lengths, in->length_count, counts[SECTION_LENGTHS])) return false;
        if (!inside(in->exits, in->exit_count, counts[SECTION_TARGETS])) return false;
        if ((uint64_t)in->hash_used + in->hash_keep > t->hash_slots || in->hash_keep > 1) return false;
    }
    for (uint32_t i = 0; i < states; i++) {
        const state *s = &m->states[i];
        if (!inside(s->edges, s->edge_count, counts[SECTION_EDGES])) return false;
        if (!inside(s->costs, s->cost_count, counts[SECTION_COSTS])) return false;
        if (s->row >= counts[SECTION_ROWS]) return false;
        if (s->instance != TABLES_NONE && s->instance >= counts[SECTION_INSTANCES]) return false;
        if ((s->flags & (STATE_HASHES | STATE_ROOMY)) != 0 && s->instance == TABLES_NONE) return false;
        for (uint32_t k = 0; k < s->edge_count; k++) {
            if (!edge_fits(m, s, &m->edges[s->edges + k])) return false;
        }
    }
    for (uint32_t i = 0; i < counts[SECTION_TARGETS]; i++) {
        if (m->targets[i] != STATE_DEAD && m->targets[i] >= states) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_LENGTHS]; i++) {
        if (m->lengths[i].target != STATE_DEAD && m->lengths[i].target >= states) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_CALLS]; i++) {
        if ((m->calls[i].flags & CALL_CAREFUL) != 0 && t->kept_slots == 0) return false;
        if (m->calls[i].start >= states || m->calls[i].ret >= counts[SECTION_RETURNS]) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_RETURNS]; i++) {
        if (!inside(m->returns[i].targets, m->returns[i].class_count, counts[SECTION_TARGETS])) return false;
        if (m->returns[i].class_count > t->class_max) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_COUNTS]; i++) { /* states or classes: whichever is used must fit both */
        uint32_t target = m->counts[i].target;
        if (target != TABLES_NONE && target >= states) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_COSTS]; i++) {
        uint32_t target = m->costs[i].target;
        if ((target & BOUNDARY_FLAG) != 0 ? (target & ~BOUNDARY_FLAG) >= counts[SECTION_BOUNDARIES]
                                          : target >= t->class_max) {
            return false;
        }
    }
    for (uint32_t i = 0; i < counts[SECTION_BOUNDARIES]; i++) {
        if (!inside(m->boundaries[i].segments, m->boundaries[i].segment_count, counts[SECTION_SEGMENTS])) return false;
    }
    for (uint32_t i = 0; i < counts[SECTION_SEGMENTS]; i++) {
        if (m->segments[i].class >= t->class_max) return false;
    }
    return true;
}

static bool list_fits(const machine *m, uint64_t first, uint64_t count, uint32_t token_count) {
    if (!inside(first, count, m->t->counts[SECTION_LISTS])) return false;
    for (uint64_t i = first; i < first + count; i++) {
        if (PACK_TOKEN(m->lists[i]) >= token_count) return false;
    }
    return true;
}

static bool named_fit(const machine *m, const row *r, uint32_t token_count) {
    if (!inside(r->named, 2 * (uint64_t)r->named_count, m->t->counts[SECTION_LISTS])) return false;
    if (r->instance != TABLES_NONE && !is_name(m, r->instance)) return false;
    for (uint32_t i = 0; i < r->named_count; i++) {
        const uint32_t *pair = m->lists + r->named + 2 * i;
        if ((pair[0] & ~NAMED_OTHERS) >= token_count || pair[1] >> 16 > 32 * m->t->name_words) return false;
    }
    return true;
}

static bool rows_fit(const machine *m, const weir_vocab *vocab) {
    uint32_t token_count = vocab->token_count < vocab->logits_width ? vocab->token_count : vocab->logits_width;
    for (uint32_t i = 0; i < m->t->counts[SECTION_ROWS]; i++) {
        const row *r = &m->rows[i];
        if (r->kind > WEIR_ROW_FULL || (r->kind == WEIR_ROW_BASE && r->lexical >= LEX_COUNT)) return false;
        if (r->kind == WEIR_ROW_BITMAP && !inside(r->bitmap, vocab->mask_words, m->t->counts[SECTION_WORDS])) return false;
        if (!list_fits(m, r->plain, r->plain_count, token_count)) return false;
        if (!list_fits(m, r->minus, r->minus_count, token_count)) return false;
        if (!list_fits(m, r->guarded, r->guarded_count, token_count)) return false;
        if (!list_fits(m, r->closing, r->closing_count, token_count) || !named_fit(m, r, token_count)) return false;
        if (r->closing_count != 0 && r->object >= m->t->counts[SECTION_OBJECTS]) return false;
        if (!inside(r->patches, r->patch_count, m->t->counts[SECTION_PATCHES])) return false;
        if (r->token != TABLES_NONE && r->token >= token_count) return false;
    }
    for (uint32_t i = 0; i < m->t->counts[SECTION_PATCHES]; i++) {
        if (!list_fits(m, m->patches[i].list, m->patches[i].count, token_count)) return false;
    }
    for (uint32_t i = 0; i < m->t->counts[SECTION_STATES]; i++) {
        const state *s = &m->states[i];
        const row *r = &m->rows[s->row];
        bool own = r->instance == TABLES_NONE && (r->named_count != 0 || (r->flags & ROW_OTHERS) != 0);
        if (own && (s->instance == TABLES_NONE || !is_name(m, s->instance))) return false;
        if (r->kind != WEIR_ROW_BASE) continue;
        if (s->instance == TABLES_NONE || m->instances[s->instance].length_count < r->patch_count) return false;
    }
    return true;
}

weir_status tables_check(const void *blob, size_t length, const weir_vocab *vocab, weir_error *error) {
    const tables *t = blob;
    if (length < sizeof *t || t->magic != TABLES_MAGIC) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 0, "these bytes are not weir tables");
    }
    if (t->abi != TABLES_ABI) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 4, "the tables have version %u; this library reads %u", t->abi,
                            TABLES_ABI);
    }
    if (t->bytes != length || length % 8 != 0) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 8, "the tables say %llu bytes, %zu were given",
                            (unsigned long long)t->bytes, length);
    }
    if (t->checksum != checksum_of(t)) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 16, "the tables are damaged: the checksum differs");
    }
    if (t->vocab_hash != vocab->hash) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 24, "the tables were built for another vocabulary");
    }
    machine m;
    if (!sections_fit(t, length) || (m = machine_open(t), !machine_fits(&m) || !rows_fit(&m, vocab))) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 32, "the tables are damaged: an index lies outside");
    }
    return WEIR_OK;
}
