/* unwritable.c - a machine and a vocabulary that lacks bytes in, an error that names them out.
 *
 * Costs prune what cannot be finished: a string goes without the characters that no token writes, a choice without the
 * values. Names of objects, items that must differ, commas and brackets are promised to be writable: guards count on
 * them while a text is made. A container that the vocabulary can open and not keep these promises for is refused here,
 * so that no mask is ever empty. Vocabularies with a token for every byte pass at once. */
#include <stdio.h>
#include <string.h>

#include "least_build.h"
#include "unwritable.h"

typedef struct byte_set {
    bool has[256];
    uint32_t count;
} byte_set;

/* What the vocabulary lacks of a module's promises. */
typedef struct lack {
    bool matters; /* it can be opened */
    byte_set structure, names, items;
} lack;

static void add_state(compiler *c, uint32_t state_id, lack *lack);
static void check_lack(compiler *c, const module *m, const lack *lack);
static void check_text(compiler *c);

/* No byte is missing, and yet no cost is known. */
_Noreturn static void fail_long(compiler *c) {
    compiler_fail(c, WEIR_ERROR_LIMIT, goal_place(c, c->goals->root), "every document takes more than %u tokens",
                  COST_NEVER - 1);
}

void refuse_unwritable(compiler *c) {
    const automaton *a = c->automaton;
    if (a->start == STATE_DEAD) return;
    const bool writable = entries_of(c, a->start)->count != 0;
    if (c->vocab->report.missing_byte_count == 0) {
        if (!writable) fail_long(c);
        return;
    }
    lack *lacks = NEW_ARRAY(c, lack, a->modules.count + 1);
    for (uint32_t i = 0; i < a->modules.count; i++) {
        const module *m = &a->modules.items[i];
        const bool opens = c->vocab->byte_token[m->type == TYPE_OBJECT ? '{' : '['] != VOCAB_NONE;
        lacks[i].matters = m->start != NONE && entries_of(c, m->start)->count != 0 && opens;
    }
    for (uint32_t id = 0; id < a->states.count; id++) {
        const uint32_t index = a->state_module.items[id];
        if (index != NONE && lacks[index].matters) add_state(c, id, &lacks[index]);
    }
    for (uint32_t i = 0; i < a->modules.count; i++) check_lack(c, &a->modules.items[i], &lacks[i]);
    if (!writable) check_text(c);
}

/* " for the bytes 0x5C ('\'), 0x7B ('{') and 3 more" */
static const char *describe(const byte_set *bytes, char *text, size_t capacity) {
    enum { SHOWN = 8 };
    uint32_t shown = 0;
    size_t used = (size_t)snprintf(text, capacity, bytes->count == 1 ? " for the byte" : " for the bytes");
    for (uint32_t byte = 0; byte < 256 && shown < SHOWN; byte++) {
        if (!bytes->has[byte]) continue;
        const char *before = shown == 0 ? " " : shown + 1 == bytes->count ? " and " : ", ";
        used += (size_t)snprintf(text + used, capacity - used, "%s0x%02X", before, byte);
        if (byte > ' ' && byte < 0x7f) used += (size_t)snprintf(text + used, capacity - used, " ('%c')", (int)byte);
        shown++;
    }
    if (bytes->count > shown) snprintf(text + used, capacity - used, " and %u more", bytes->count - shown);
    return text;
}

_Noreturn static void fail_bytes(compiler *c, goal_id goal, const byte_set *bytes, const char *what) {
    char text[256];
    compiler_fail(c, WEIR_ERROR_VOCAB, goal_place(c, goal), "%s: the vocabulary has no token%s", what,
                  describe(bytes, text, sizeof text));
}

/* Adds the bytes of a range when the vocabulary has a token for none of them. */
static void add_missing(const compiler *c, uint32_t lo, uint32_t hi, byte_set *bytes) {
    for (uint32_t byte = lo; byte <= hi; byte++) {
        if (c->vocab->byte_token[byte] != VOCAB_NONE) return;
    }
    for (uint32_t byte = lo; byte <= hi; byte++) {
        bytes->count += !bytes->has[byte];
        bytes->has[byte] = true;
    }
}

static void add_scalar(compiler *c, uint32_t instance_id, byte_set *bytes) {
    const automaton *a = c->automaton;
    const scalar_module *s = a->scalars.items[a->instance_module.items[instance_id]];
    compiler_spend(c, 4 * (uint64_t)s->locals.count);
    for (uint32_t i = 0; i < s->locals.count; i++) {
        const local_state *local = &s->locals.items[i];
        for (uint32_t k = 0; k < local->edge_count; k++) {
            const edge *e = &a->edges.items[local->edges + k];
            if (e->op != EDGE_ELSE) add_missing(c, e->lo, e->hi, bytes);
        }
    }
}

/* Items that must differ are counted: each byte of a range, but not of the many ranges of characters beyond ASCII. */
static void add_each(const compiler *c, const edge *e, byte_set *bytes) {
    if (e->lo >= 0x80) {
        add_missing(c, e->lo, e->hi, bytes);
        return;
    }
    for (uint32_t byte = e->lo; byte <= e->hi; byte++) add_missing(c, byte, byte, bytes);
}

static void add_items(compiler *c, uint32_t instance_id, byte_set *bytes) {
    const automaton *a = c->automaton;
    const scalar_module *s = a->scalars.items[a->instance_module.items[instance_id]];
    compiler_spend(c, 16 * (uint64_t)s->locals.count);
    for (uint32_t i = 0; i < s->locals.count; i++) {
        const local_state *local = &s->locals.items[i];
        for (uint32_t k = 0; k < local->edge_count; k++) {
            if (a->edges.items[local->edges + k].op != EDGE_ELSE) add_each(c, &a->edges.items[local->edges + k], bytes);
        }
    }
}

/* Of the names: those told apart, and whatever a name can run into and not leave. Other characters a name goes without.
 */
static void add_name_bytes(compiler *c, const module *m, uint32_t instance_id, byte_set *bytes) {
    const automaton *a = c->automaton;
    const scalar_module *s = a->scalars.items[a->instance_module.items[instance_id]];
    if (goal_get(c, m->goal)->object->name_text != NULL) { /* the names of a pattern are counted: all or none */
        add_scalar(c, instance_id, bytes);
        return;
    }
    uint8_t *reached = compiler_zero(c, s->locals.count);
    uint32_t *queue = compiler_new(c, s->locals.count * sizeof *queue), count = 1;
    reached[queue[0] = s->root] = 1;
    for (uint32_t at = 0; at < count; at++) {
        const local_state *local = &s->locals.items[queue[at]];
        bool stuck = true;
        for (uint32_t x = 0; x <= s->class_count; x++) stuck = stuck && local->distances[x] == NONE;
        for (uint32_t k = 0; k < local->edge_count; k++) {
            const edge *e = &a->edges.items[local->edges + k];
            const bool goes = e->op != EDGE_EXIT && e->op != EDGE_EXIT_LENGTH && e->op != EDGE_ELSE;
            const bool told_apart = local->on_trie && (!goes || s->locals.items[e->target].on_trie);
            byte_set range = {0};
            if (e->op == EDGE_ELSE) continue;
            add_missing(c, e->lo, e->hi, &range);
            if (range.count != 0 && (stuck || told_apart)) add_missing(c, e->lo, e->hi, bytes);
            if (range.count != 0 || !goes || reached[e->target]) continue;
            reached[e->target] = 1;
            queue[count++] = e->target;
        }
        compiler_spend(c, 10 * (uint64_t)local->edge_count + s->class_count);
    }
}

/* What stands between the parts of a container, and the white space that is not free. */
static bool is_structure(const compiler *c, const edge *e) {
    if (e->lo != e->hi) return false;
    if (e->lo == ',' || e->lo == ':' || e->lo == ']' || e->lo == '}') return true;
    return c->options.whitespace >= WEIR_WHITESPACE_SPACED && (e->lo == ' ' || e->lo == '\n');
}

static bool is_free_space(const edge *e) {
    return e->op == EDGE_SPACE_FIRST || e->op == EDGE_SPACE;
}

/* A member whose value cannot be written stands behind its name all the same. */
static void check_values(compiler *c, const module *m, uint32_t instance_id) {
    const automaton *a = c->automaton;
    const instance *in = &a->instances.items[instance_id];
    for (uint32_t i = 0; i < in->exit_count; i++) {
        const uint32_t target = a->targets.items[in->exits + i];
        if (target == NONE || entries_of(c, target)->count != 0) continue;
        compiler_fail(c, WEIR_ERROR_VOCAB, goal_place(c, m->goal),
                      "no value of one of the properties can be written: the vocabulary lacks tokens for its bytes");
    }
}

static void add_state(compiler *c, uint32_t state_id, lack *lack) {
    const automaton *a = c->automaton;
    const module *m = &a->modules.items[a->state_module.items[state_id]];
    const state *s = &a->states.items[state_id];
    compiler_spend(c, 4 + 4 * (uint64_t)s->edge_count);
    if (s->instance != NONE) {
        const instance *in = &a->instances.items[s->instance];
        if (in->base != state_id) return; /* once for all its states */
        if (m->type == TYPE_OBJECT && in->object != NONE) {
            add_name_bytes(c, m, s->instance, &lack->names);
            check_values(c, m, s->instance);
        } else if (m->careful) {
            add_items(c, s->instance, &lack->items);
        }
    }
    for (uint32_t k = 0; k < s->edge_count; k++) {
        const edge *e = &a->edges.items[s->edges + k];
        if (is_structure(c, e)) add_missing(c, e->lo, e->hi, &lack->structure);
        if (m->careful && !is_free_space(e)) add_each(c, e, &lack->items);
    }
}

static void check_lack(compiler *c, const module *m, const lack *lack) {
    if (lack->structure.count != 0) fail_bytes(c, m->goal, &lack->structure, "containers cannot be written");
    if (lack->names.count != 0) fail_bytes(c, m->goal, &lack->names, "names of properties cannot be written");
    if (lack->items.count != 0) fail_bytes(c, m->goal, &lack->items, "items that must differ cannot be written");
}

/* No document at all: what its containers and then its texts would need. */
static void check_text(compiler *c) {
    const automaton *a = c->automaton;
    byte_set bytes = {0};
    for (uint32_t id = 0; id < a->states.count; id++) {
        const state *s = &a->states.items[id];
        for (uint32_t k = 0; s->instance == NONE && k < s->edge_count; k++) {
            const edge *e = &a->edges.items[s->edges + k];
            if (!is_free_space(e)) add_missing(c, e->lo, e->hi, &bytes);
        }
    }
    for (uint32_t i = 0; i < a->instances.count && bytes.count == 0; i++) add_scalar(c, i, &bytes);
    if (bytes.count == 0) fail_long(c);
    fail_bytes(c, c->goals->root, &bytes, "no document can be written");
}
