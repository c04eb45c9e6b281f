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

static uint32_t structural_row(compiler *c, masks *m, uint32_t state_id) {
    outcome o = masks_walk(c, m, &c->vocab->trie, c->vocab->same, state_id, true);
    row r;
    memset(&r, 0, sizeof r);
    r.token = NONE;
    r.instance = o.named_count != 0 ? o.instance : NONE;
    r.named = masks_named(c, m, o.named, o.named_count);
    r.named_count = o.named_count;
    r.depth_need = o.depth_need;
    r.cost_need = o.cost_need;
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

/* The most that names can add to a cost. */
static uint32_t greatest_names(const automaton *a, const cost *e) {
    uint32_t missing = 0, first = 0;
    if (e->missing != 0) {
        const object *o = &a->objects.items[(e->missing - 1) / 2];
        const uint32_t *weights = a->weights.items + o->weights + ((e->missing - 1) % 2 != 0 ? 3 * o->name_count : 0);
        for (uint32_t leaf = 0; leaf < o->name_count; leaf++) {
            if (mask_bit(a->masks.items + o->required, leaf)) missing = cost_add(missing, weights[3 * leaf]);
        }
    }
    for (uint32_t leaf = e->leaf_lo; e->names != 0 && leaf < e->leaf_hi; leaf++) {
        uint32_t through = a->weights.items[e->names - 1 + 3 * leaf];
        if (through != COST_NEVER && through > first) first = through;
    }
    return cost_add(missing, first);
}

/* The greatest distance to finish the frame: how much one token can raise the least cost. */
static void find_finish(compiler *c, masks *m) {
    const automaton *a = c->automaton;
    bool exact = a->class_max == 1 && c->options.whitespace != WEIR_WHITESPACE_PRETTY;
    m->finish = compiler_new(c, sizeof *m->finish * (a->states.count + 1));
    for (uint32_t id = 0; id < a->states.count; id++) {
        uint32_t most = 0;
        for (uint32_t i = 0; i < a->state_costs.items[id].count; i++) {
            cost e = a->state_costs.items[id].items[i];
            uint32_t distance = cost_add(e.distance, e.length == NONE ? 0 : e.length);
            distance = cost_add(distance, greatest_names(a, &e) + (e.fresh != 0));
            if ((e.target & BOUNDARY_FLAG) != 0) {
                const boundary_plan *b = &a->boundary_costs.items[e.target & ~BOUNDARY_FLAG];
                uint32_t longest = 0;
                for (uint32_t k = 0; k < b->segments.count; k++) {
                    const segment *s = &b->segments.items[k];
                    uint32_t value = segment_value(s, s->lo);
                    if (value > longest) longest = value;
                }
                distance = cost_add(distance, longest);
            }
            if (distance > most) most = distance;
        }
        m->finish[id] = exact && !state_is_careful(a, id) ? most : NONE;
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
    m->suffix_of_state = compiler_new(c, sizeof *m->suffix_of_state * (a->states.count + 1));
    memset(m->suffix_of_state, 0xFF, sizeof *m->suffix_of_state * (a->states.count + 1));
    find_finish(c, m);
    for (uint32_t id = 0; id < a->states.count; id++) {
        const state *s = &a->states.items[id];
        uint32_t module_id = a->state_module.items[id];
        c->part = module_id != NONE ? goal_place(c, a->modules.items[module_id].goal) : NULL;
        bool free_string = s->instance != NONE && a->instances.items[s->instance].length_count != 0 &&
                           a->scalars.items[a->instance_module.items[s->instance]]->kind == SCALAR_STRING;
        uint32_t made = free_string ? masks_string_row(c, m, id) : structural_row(c, m, id);
        a->states.items[id].row = made;
    }
    return m;
}
