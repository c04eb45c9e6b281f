/* masks.c - from states to rows: which tokens may follow in each state, equal rows only once. */
#include "machine.h"
#include "masks_build.h"

#include <string.h>

#define LIST_LIMIT 4096 /* longer lists become bitmaps */

uint32_t masks_list(compiler *c, masks *m, const uint32_t *items, uint32_t count) {
    if (count == 0) return 0;
    bool is_new;
    uint32_t id = intern(c, &m->list_table, items, sizeof *items * count, &is_new);
    if (is_new) {
        PUSH(c, m->list_offsets, m->lists.count);
        for (uint32_t i = 0; i < count; i++) PUSH(c, m->lists, items[i]);
    }
    return m->list_offsets.items[id];
}

uint32_t masks_named(compiler *c, masks *m, const named_token *named, uint32_t count) {
    uint32_t *pairs = compiler_new(c, 2 * sizeof *pairs * (count + 1));
    for (uint32_t i = 0; i < count; i++) {
        pairs[2 * i] = named[i].token | (named[i].leaves.others ? NAMED_OTHERS : 0);
        pairs[2 * i + 1] = named[i].leaves.lo | (uint32_t)named[i].leaves.hi << 16;
    }
    return masks_list(c, m, pairs, 2 * count);
}

uint32_t masks_row(compiler *c, masks *m, row r) {
    bool is_new;
    uint32_t id = intern(c, &m->row_table, &r, sizeof r, &is_new);
    if (is_new) PUSH(c, m->rows, r);
    return id;
}

static uint32_t bitmap_of(compiler *c, masks *m, const uint32_t *tokens_in, uint32_t count) {
    uint32_t words = c->vocab->mask_words;
    uint32_t *bits = NEW_ARRAY(c, uint32_t, words);
    for (uint32_t i = 0; i < count; i++) bits[tokens_in[i] / 32] |= 1u << tokens_in[i] % 32;
    bool is_new;
    uint32_t id = intern(c, &m->bitmap_table, bits, sizeof *bits * words, &is_new);
    if (is_new) {
        PUSH(c, m->bitmap_offsets, m->words.count);
        for (uint32_t i = 0; i < words; i++) PUSH(c, m->words, bits[i]);
    }
    return m->bitmap_offsets.items[id];
}

uint32_t masks_patches(compiler *c, masks *m, const patch *patches, uint32_t count) {
    bool is_new;
    uint32_t id = intern(c, &m->patch_list_table, patches, sizeof *patches * count, &is_new);
    if (is_new) {
        PUSH(c, m->patch_list_offsets, m->patches.count);
        for (uint32_t i = 0; i < count; i++) PUSH(c, m->patches, patches[i]);
    }
    return m->patch_list_offsets.items[id];
}

void masks_note_needs(row *r, const needs *n) {
    r->depth_need = n->depth;
    r->cost_need = n->cost;
    r->line_need = n->lines;
}

static uint32_t structural_row(compiler *c, masks *m, uint32_t state_id, const needs *wider) {
    outcome o = masks_walk(c, m, &c->vocab->trie, c->vocab->same, state_id, true);
    needs_widen(&o.needs, wider);
    row r;
    memset(&r, 0, sizeof r);
    r.token = NONE;
    bool own = o.instance == c->automaton->states.items[state_id].instance;
    r.instance = o.named_count != 0 && !own ? o.instance : NONE;
    r.named = masks_named(c, m, o.named, o.named_count);
    r.named_count = o.named_count;
    masks_note_needs(&r, &o.needs);
    r.guarded = masks_list(c, m, o.guarded, o.guarded_count);
    r.guarded_count = o.guarded_count;
    r.closing = masks_list(c, m, o.closing, o.closing_count);
    r.closing_count = o.closing_count;
    r.object = o.closing_count != 0 ? o.object : NONE;
    if (o.spaced_count != 0) {
        patch spaced = {masks_list(c, m, o.spaced, o.spaced_count), o.spaced_count};
        r.patches = masks_patches(c, m, &spaced, 1);
        r.patch_count = 1;
    }
    r.kind = o.plain_count + o.guarded_count + o.closing_count + o.spaced_count + o.named_count == 0 ? WEIR_ROW_EMPTY
             : o.plain_count <= LIST_LIMIT                         ? WEIR_ROW_LIST
                                                                   : WEIR_ROW_BITMAP;
    if (r.kind == WEIR_ROW_BITMAP) {
        r.bitmap = bitmap_of(c, m, o.plain, o.plain_count);
        return masks_row(c, m, r);
    }
    r.plain = masks_list(c, m, o.plain, o.plain_count);
    r.plain_count = o.plain_count;
    bool stops = (c->automaton->states.items[state_id].flags & STATE_ACCEPTS) != 0;
    if (o.plain_count == 1 && o.guarded_count + o.closing_count + o.spaced_count + o.named_count == 0 && !stops) r.token = o.plain[0];
    return masks_row(c, m, r);
}

const needs *masks_needs_inside(masks *m, const automaton *a, uint32_t instance_id) {
    needs *inside = &m->uses[instance_id].inside;
    const scalar_module *s = a->scalars.items[a->instance_module.items[instance_id]];
    uint32_t base = a->instances.items[instance_id].base;
    for (uint32_t i = 0; !m->uses[instance_id].known && i < s->locals.count; i++) needs_widen(inside, &m->finish[base + i]);
    m->uses[instance_id].known = true;
    return inside;
}

/* What the rows of an instance hang on beside the place in its module: what follows each end, the object of its names, and
 * the most that its states need. Equal ids: equal in all of it. */
static uint32_t use_of(compiler *c, masks *m, uint32_t instance_id) {
    const automaton *a = c->automaton;
    const instance *in = &a->instances.items[instance_id];
    const scalar_module *s = a->scalars.items[a->instance_module.items[instance_id]];
    if (m->uses[instance_id].id != NONE) return m->uses[instance_id].id;
    const needs *inside = masks_needs_inside(m, a, instance_id);
    m->key.count = 0;
    PUSH(c, m->key, a->instance_module.items[instance_id]);
    PUSH(c, m->key, in->object);
    PUSH(c, m->key, in->hash_used != 0);
    PUSH(c, m->key, inside->depth);
    PUSH(c, m->key, inside->cost);
    PUSH(c, m->key, inside->lines);
    for (uint32_t k = 0; k < s->class_count; k++) {
        uint32_t target = a->targets.items[in->exits + k];
        PUSH(c, m->key, target == NONE ? NONE : masks_suffix_set(c, m, target));
    }
    return m->uses[instance_id].id = intern(c, &m->use_table, m->key.items, sizeof *m->key.items * m->key.count, NULL);
}

/* In a string of a finite or a patterned set: uses of one set that agree share their rows. */
static uint32_t closed_row(compiler *c, masks *m, uint32_t state_id) {
    uint32_t instance_id = c->automaton->states.items[state_id].instance;
    uint32_t key[2] = {use_of(c, m, instance_id), state_id - c->automaton->instances.items[instance_id].base};
    bool is_new;
    uint32_t memo = intern(c, &m->closed_memo, key, sizeof key, &is_new);
    if (is_new) PUSH(c, m->closed_rows, structural_row(c, m, state_id, &m->uses[instance_id].inside));
    return m->closed_rows.items[memo];
}

static uint32_t row_of(compiler *c, masks *m, uint32_t state_id) {
    const automaton *a = c->automaton;
    const state *s = &a->states.items[state_id];
    const needs none = {0, 0, 0};
    if (s->instance == NONE) return structural_row(c, m, state_id, &none);
    const scalar_module *scalar = a->scalars.items[a->instance_module.items[s->instance]];
    if (scalar->kind != SCALAR_STRING) return structural_row(c, m, state_id, &none);
    if (a->instances.items[s->instance].length_count != 0) return masks_string_row(c, m, state_id);
    return scalar->ample != NULL ? structural_row(c, m, state_id, &none) : closed_row(c, m, state_id);
}

static void widen_by_weight(needs *n, const uint32_t *weight) {
    if (weight[0] != COST_NEVER) needs_widen(n, &(needs){weight[1], weight[0], weight[2]});
}

/* The most that the name which comes first can add to a cost. */
static needs greatest_first(const automaton *a, const cost *e) {
    needs first = {0, 0, 0};
    for (uint32_t leaf = e->leaf_lo; e->names != 0 && leaf < e->leaf_hi; leaf++) {
        widen_by_weight(&first, &a->weights.items[e->names - 1 + 3 * leaf]);
    }
    return first;
}

/* What the names add that can be missing. */
static needs all_missing(const automaton *a, const cost *e) {
    needs all = {0, 0, 0};
    if (e->missing == 0) return all;
    const object *o = &a->objects.items[(e->missing - 1) / 2];
    const uint32_t *weights = a->weights.items + o->weights + ((e->missing - 1) % 2 != 0 ? 3 * o->name_count : 0);
    for (uint32_t leaf = 0; leaf < o->name_count; leaf++) {
        if (!mask_bit(a->masks.items + o->required, leaf)) continue;
        if (weights[3 * leaf + 1] > all.depth) all.depth = weights[3 * leaf + 1];
        all.cost = cost_add(all.cost, weights[3 * leaf]);
        all.lines += weights[3 * leaf + 2];
    }
    return all;
}

/* The most that an array can still need, whatever it holds. */
static needs greatest_items(const boundary_plan *b) {
    needs most = {0, 0, 0};
    for (uint32_t k = 0; k < b->segments.count; k++) {
        const segment *s = &b->segments.items[k];
        uint32_t lines = s->lines_at_hi + (s->slope != 0 ? s->lines_slope * (s->hi - s->lo) : 0);
        needs_widen(&most, &(needs){s->depth, segment_value(s, s->lo), lines});
    }
    return most;
}

/* Few different numbers, so that rows which differ in nothing else are one. */
static uint32_t round_up(uint32_t number, uint32_t least) {
    if (number == 0 || number > COST_NEVER / 2) return number;
    while (least < number) least *= 2;
    return least;
}

/* The greatest distance to finish a frame: how much one token can raise the least cost. */
static void find_finish(compiler *c, masks *m) {
    const automaton *a = c->automaton;
    m->finish = compiler_new(c, sizeof *m->finish * (a->states.count + 1));
    m->finish_inner = compiler_new(c, sizeof *m->finish_inner * (a->states.count + 1));
    for (uint32_t id = 0; id < a->states.count; id++) {
        needs most = {0, 0, 0}, inner = {0, 0, 0};
        for (uint32_t i = 0; i < a->state_costs.items[id].count; i++) {
            const cost *e = &a->state_costs.items[id].items[i];
            needs first = greatest_first(a, e), missing = all_missing(a, e), items = {0, 0, 0};
            if ((e->target & BOUNDARY_FLAG) != 0) items = greatest_items(&a->boundary_costs.items[e->target & ~BOUNDARY_FLAG]);
            uint32_t own = cost_add(e->distance, (e->length == NONE ? 0 : e->length) + (e->fresh != 0));
            needs all = {e->depth, cost_add(own, cost_add(first.cost, items.cost)), e->lines + first.lines + items.lines};
            if (first.depth > all.depth) all.depth = first.depth;
            if (items.depth > all.depth) all.depth = items.depth;
            needs_widen(&most, &all);
            needs_widen(&inner, &(needs){missing.depth, cost_add(all.cost, missing.cost), all.lines + missing.lines});
            needs_widen(&inner, &all);
        }
        if (state_is_careful(a, id)) most.cost = inner.cost = NONE;
        m->finish[id] = (needs){most.depth, round_up(most.cost, 16), round_up(most.lines, 4)};
        m->finish_inner[id] = (needs){inner.depth, round_up(inner.cost, 16), round_up(inner.lines, 4)};
    }
}

masks *masks_build(compiler *c) {
    automaton *a = c->automaton;
    masks *m = NEW(c, masks);
    uint32_t values = c->vocab->token_count > c->vocab->lexicon->suffix_count ? c->vocab->token_count
                                                                             : c->vocab->lexicon->suffix_count;
    m->found_instance = m->found_object = NONE;
    m->value_words = values / 64 + 1;
    m->plain = NEW_ARRAY(c, uint64_t, m->value_words);
    m->guarded = NEW_ARRAY(c, uint64_t, m->value_words);
    m->closing = NEW_ARRAY(c, uint64_t, m->value_words);
    m->touched = NEW_ARRAY(c, uint64_t, m->value_words / 64 + 1);
    m->found_plain = compiler_new(c, sizeof(uint32_t) * (values + 1));
    m->found_guarded = compiler_new(c, sizeof(uint32_t) * (values + 1));
    m->found_closing = compiler_new(c, sizeof(uint32_t) * (values + 1));
    m->suffix_marks = compiler_new(c, c->vocab->lexicon->suffix_count + sizeof(needs) + 8);
    m->suffix_leaves = NEW_ARRAY(c, named_leaves, c->vocab->lexicon->suffix_count + 1);
    m->suffix_of_state = compiler_new(c, sizeof *m->suffix_of_state * (a->states.count + 1));
    memset(m->suffix_of_state, 0xFF, sizeof *m->suffix_of_state * (a->states.count + 1));
    m->along.levels = compiler_new(c, sizeof *m->along.levels * ((size_t)c->vocab->trie.depth + 1));
    m->behind.levels = compiler_new(c, sizeof *m->behind.levels * ((size_t)c->vocab->trie.depth + 1));
    find_finish(c, m);
    m->uses = compiler_zero(c, sizeof *m->uses * (a->instances.count + 1));
    for (uint32_t i = 0; i < a->instances.count; i++) m->uses[i].id = NONE;
    for (uint32_t id = 0; id < a->states.count; id++) {
        uint32_t module_id = a->state_module.items[id];
        c->part = module_id != NONE ? goal_place(c, a->modules.items[module_id].goal) : NULL;
        uint32_t made = row_of(c, m, id);
        a->states.items[id].row = made;
    }
    return m;
}
