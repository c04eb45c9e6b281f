/* masks_string.c - rows inside strings: a base row of the vocabulary, and the tokens that close the string or could
 * still become a text told apart.
 *
 * Nearly every token stays inside the string; those are the base. A token with a quote is decided by the state behind
 * the string, once for each distinct suffix. Only along the trie of texts told apart does a state differ from the plain
 * string, and there the vocabulary is walked exactly as far as that trie goes. */
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "masks_build.h"

/* Suffixes that a name of the object around the string allows. */
static const named_leaves *suffix_names(compiler *c, const masks *m, uint32_t count, const uint8_t *marks) {
    named_leaves *named = NEW_ARRAY(c, named_leaves, count);
    for (uint32_t i = 0; i < count; i++) {
        if (marks[i] == MARK_NAMED) named[i] = m->suffix_leaves[i];
    }
    return named;
}

/* The suffixes allowed from a state; equal sets have equal ids. */
uint32_t masks_suffix_set(compiler *c, masks *m, uint32_t state_id) {
    if (m->suffix_of_state[state_id] != NONE) return m->suffix_of_state[state_id];
    const lexicon *l = c->vocab->lexicon;
    outcome o = masks_walk(c, m, &l->suffixes, NULL, state_id, false);
    size_t size = l->suffix_count + sizeof o.needs + 8;
    uint8_t *marks = m->suffix_marks;
    memset(marks, MARK_NO, size);
    for (uint32_t i = 0; i < o.plain_count; i++) marks[o.plain[i]] = MARK_PLAIN;
    for (uint32_t i = 0; i < o.guarded_count; i++) marks[o.guarded[i]] = MARK_GUARDED;
    for (uint32_t i = 0; i < o.closing_count; i++) marks[o.closing[i]] = MARK_CLOSING;
    for (uint32_t i = 0; i < o.named_count; i++) {
        marks[o.named[i].token] = MARK_NAMED;
        m->suffix_leaves[o.named[i].token] = o.named[i].leaves;
    }
    uint32_t instance_id = o.named_count != 0 ? o.instance : NONE;
    /* The empty suffix: the token ends with the quote. */
    bool careful = (c->automaton->states.items[state_id].flags & (STATE_CAREFUL | STATE_JUDGES)) != 0;
    marks[0] = c->automaton->state_costs.items[state_id].count == 0 ? MARK_NO : careful ? MARK_GUARDED : MARK_PLAIN;
    needs_widen(&o.needs, &m->finish[state_id]);
    memcpy(marks + l->suffix_count, &instance_id, 4);
    memcpy(marks + l->suffix_count + 4, &o.object, 4);
    memcpy(marks + l->suffix_count + 8, &o.needs, sizeof o.needs);
    bool is_new;
    uint32_t id = intern(c, &m->suffix_table, marks, size, &is_new); /* the names follow from the instance and the marks */
    if (is_new) {
        const named_leaves *named = o.named_count != 0 ? suffix_names(c, m, l->suffix_count, marks) : NULL;
        const uint8_t *kept = m->suffix_table.entries.items[id].bytes;
        PUSH(c, m->suffix_sets, ((suffix_set){kept, named, instance_id, o.object, o.needs}));
    }
    return m->suffix_of_state[state_id] = id;
}

/* Tokens that close a free string from a lexical state, given the suffixes allowed behind it. */
static uint32_t quote_patch(compiler *c, masks *m, uint32_t lexical, uint32_t set, bool all_guarded) {
    uint32_t key[3] = {lexical, set, all_guarded};
    bool is_new;
    uint32_t id = intern(c, &m->patch_table, key, sizeof key, &is_new);
    if (!is_new) return id;
    const lexical_row *row_of = &c->vocab->lexicon->rows[lexical];
    const suffix_set *s = &m->suffix_sets.items[set];
    uint32_t *list = compiler_new(c, sizeof *list * (row_of->quote_count + 1));
    uint32_t *guarded = compiler_new(c, sizeof *guarded * (row_of->quote_count + 1));
    named_token *named = compiler_new(c, sizeof *named * (s->named != NULL ? row_of->quote_count + 1 : 1));
    uint32_t *closing = compiler_new(c, sizeof *closing * (s->object != NONE ? row_of->quote_count + 1 : 1));
    uint32_t count = 0, guarded_count = 0, named_count = 0, closing_count = 0;
    for (uint32_t i = 0; i < row_of->quote_count; i++) {
        const quote_token *q = &row_of->quotes[i];
        if (s->marks[q->suffix] == MARK_NO) continue;
        if (s->marks[q->suffix] == MARK_GUARDED || all_guarded) {
            guarded[guarded_count++] = q->token;
        } else if (s->marks[q->suffix] == MARK_CLOSING) {
            closing[closing_count++] = q->token;
        } else if (s->marks[q->suffix] == MARK_NAMED) {
            named[named_count++] = (named_token){q->token, s->named[q->suffix]};
        } else {
            list[count++] = PACK(q->token, q->points, false);
        }
    }
    compiler_spend(c, row_of->quote_count);
    if (guarded_count != 0) qsort(guarded, guarded_count, sizeof *guarded, order_ids);
    uint32_t first = masks_list(c, m, list, count), first_guarded = masks_list(c, m, guarded, guarded_count);
    __typeof__(*m->quote_patches.items) made = {first, count, first_guarded, guarded_count, named, named_count, closing, closing_count};
    PUSH(c, m->quote_patches, made);
    return id;
}

/* --- along the trie of texts ---------------------------------------------------------------------------------- */

typedef struct differences {
    VECTOR(uint32_t) plus, minus, guarded;
    VECTOR(named_token) named;
    VECTOR(uint32_t) closing;
    needs needs;
} differences;

typedef struct text_walk {
    compiler *c;
    masks *m;
    const instance *in;
    const scalar_module *scalar;
    bool bounded;
    bool careful;
    bool others_wait; /* a name: other names cannot always follow */
    differences *out;
} text_walk;

static void minus_subtree(text_walk *w, uint32_t node) {
    const weir_vocab *v = w->c->vocab;
    for (uint32_t k = node; k < v->trie.nodes[node].end; k++) {
        for (uint32_t t = v->trie.nodes[k].token; t != VOCAB_NONE; t = v->same[t]) PUSH(w->c, w->out->minus, t);
    }
}

static uint32_t suffix_child(const trie *t, uint32_t node, uint8_t byte) {
    for (uint32_t k = node + 1; k < t->nodes[node].end; k = t->nodes[k].end) {
        if (t->nodes[k].byte == byte) return k;
    }
    return NONE;
}

static void add_named(text_walk *w, uint32_t token, uint32_t lo, uint32_t hi, bool others) {
    PUSH(w->c, w->out->named, ((named_token){token, {NONE, (uint16_t)lo, (uint16_t)hi, others, false}}));
}

/* What the tokens at a node do that close a text told apart and go on with a suffix. */
static void leave_at(text_walk *w, uint32_t node, uint32_t suffix_node, uint32_t set, uint32_t text) {
    const weir_vocab *v = w->c->vocab;
    for (uint32_t t = v->trie.nodes[node].token; t != VOCAB_NONE; t = v->same[t]) {
        uint8_t mark = w->m->suffix_sets.items[set].marks[v->lexicon->suffixes.nodes[suffix_node].token];
        if (mark == MARK_PLAIN && w->in->object != NONE) add_named(w, t, text, text + 1, false);
        if (mark == MARK_PLAIN && w->in->object == NONE) PUSH(w->c, w->out->plus, t);
        if (mark == MARK_GUARDED || mark == MARK_NAMED || mark == MARK_CLOSING) PUSH(w->c, w->out->guarded, t);
    }
}

/* Tokens from `child` on, which stands behind the quote that ends a text. A node's value: where its suffix stands. */
static void leave_text(text_walk *w, uint32_t child, uint32_t class_index) {
    automaton *a = w->c->automaton;
    const trie *tree = &w->c->vocab->trie, *suffixes = &w->c->vocab->lexicon->suffixes;
    minus_subtree(w, child);
    uint32_t target = a->targets.items[w->in->exits + class_index];
    if (target == NONE) return;
    uint32_t set = masks_suffix_set(w->c, w->m, target);
    needs_widen(&w->out->needs, &w->m->suffix_sets.items[set].needs);
    leave_at(w, child, 0, set, class_index);
    trie_path *path = &w->m->behind;
    path->count = 0;
    trie_enter(path, tree, child, 0);
    for (uint32_t node = child + 1; node < tree->nodes[child].end; node++) {
        uint32_t suffix = suffix_child(suffixes, trie_above(path, node), tree->nodes[node].byte);
        leave_at(w, node, suffix, set, class_index);
        trie_enter(path, tree, node, suffix);
    }
}

static const edge *local_edge(const automaton *a, const local_state *local, uint8_t byte) {
    for (uint32_t i = 0; i < local->edge_count; i++) {
        const edge *e = &a->edges.items[local->edges + i];
        if (byte >= e->lo && byte <= e->hi) return e;
    }
    return NULL;
}

static bool lexically_alive(uint32_t lexical, uint8_t byte) {
    edge edges[16];
    uint32_t count = lexical_edges(lexical, edges);
    for (uint32_t i = 0; i < count; i++) {
        if (byte >= edges[i].lo && byte <= edges[i].hi) return true;
    }
    return false;
}

/* What the tokens at a node do that stay on the texts told apart. */
static void stay_at(text_walk *w, uint32_t node, uint32_t local_id) {
    const weir_vocab *v = w->c->vocab;
    const local_state *to = &w->scalar->locals.items[local_id];
    bool careful = w->careful && (w->c->automaton->states.items[w->in->base + local_id].flags & STATE_CAREFUL) != 0;
    for (uint32_t t = v->trie.nodes[node].token; t != VOCAB_NONE && (w->bounded || careful); t = v->same[t]) {
        PUSH(w->c, w->out->minus, t); /* the bound does not hold along the texts */
        PUSH(w->c, w->out->guarded, t);
    }
    for (uint32_t t = v->trie.nodes[node].token; t != VOCAB_NONE && w->others_wait && to->leaf_hi != 0; t = v->same[t]) {
        add_named(w, t, to->leaf_lo, to->leaf_hi, true);
    }
}

/* Tokens that begin on the texts told apart. A node's value: its local state. */
static void walk_text(text_walk *w, uint32_t start) {
    const trie *tree = &w->c->vocab->trie;
    trie_path *path = &w->m->along;
    path->count = 0;
    trie_enter(path, tree, 0, start);
    compiler_spend(w->c, 20);
    for (uint32_t node = 1, next; node < tree->count; node = next) {
        const local_state *local = &w->scalar->locals.items[trie_above(path, node)];
        uint8_t byte = tree->nodes[node].byte;
        const edge *e = local_edge(w->c->automaton, local, byte);
        next = tree->nodes[node].end;
        if (e == NULL) {
            if (lexically_alive(local->lexical, byte)) minus_subtree(w, node);
        } else if (e->op == EDGE_EXIT) {
            leave_text(w, node, e->target);
        } else if (e->op != EDGE_EXIT_LENGTH && w->scalar->locals.items[e->target].on_trie) {
            stay_at(w, node, e->target);
            trie_enter(path, tree, node, e->target);
            compiler_spend(w->c, 20);
            next = node + 1;
        }
    }
}

static void check_backslashes(text_walk *w, uint32_t state_id) {
    const weir_vocab *v = w->c->vocab;
    for (uint32_t i = 0; i < v->lexicon->backslash_count; i++) {
        uint32_t t = v->lexicon->backslash[i];
        uint32_t length = v->offsets[t + 1] - v->offsets[t];
        if (masks_walk_one(w->c, w->m, state_id, v->bytes + v->offsets[t], length) == MARK_NO) {
            PUSH(w->c, w->out->minus, t);
        }
    }
}

static uint32_t sort_distinct(compiler *c, uint32_t *items, uint32_t count) {
    uint32_t kept = 0;
    compiler_spend(c, 20 * (uint64_t)count);
    if (count != 0) qsort(items, count, sizeof *items, order_ids);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || items[kept - 1] != items[i]) items[kept++] = items[i];
    }
    return kept;
}

static bool has_any_length(const automaton *a, const instance *in) {
    return in->length_count == 1 && in->longest == NONE && a->lengths.items[in->lengths].lo == 0;
}

/* Tokens that close the string and go on with a name: left to the guard in a name itself, where lengths are bounded, and
 * where another instance is asked already. */
static void add_quote_names(text_walk *w, uint32_t patch_id, uint32_t instance_id, uint32_t object_id, row *r) {
    const __typeof__(*w->m->quote_patches.items) *q = &w->m->quote_patches.items[patch_id];
    bool any_length = has_any_length(w->c->automaton, w->in);
    bool plain = w->in->object == NONE && any_length && (r->instance == NONE || r->instance == instance_id);
    if (q->named_count != 0 && plain) r->instance = instance_id;
    for (uint32_t i = 0; i < q->named_count; i++) {
        if (plain) PUSH(w->c, w->out->named, q->named[i]);
        if (!plain) PUSH(w->c, w->out->guarded, q->named[i].token);
    }
    bool same = w->in->object == NONE && (r->object == NONE || r->object == object_id);
    if (q->closing_count != 0 && same) r->object = object_id;
    for (uint32_t i = 0; i < q->closing_count; i++) {
        if (same) PUSH(w->c, w->out->closing, q->closing[i]);
        if (!same) PUSH(w->c, w->out->guarded, q->closing[i]);
    }
}

/* Of the tokens that close the string and go on with a name, those that end a text told apart are the text's affair: what
 * stands behind it may be nothing. */
static void drop_ended(const text_walk *w, uint32_t minus_count) {
    differences *d = w->out;
    uint32_t kept = 0;
    if (w->in->object != NONE) return; /* names of names: they are those of the texts themselves */
    for (uint32_t i = 0; i < d->named.count; i++) {
        const uint32_t *token = &d->named.items[i].token;
        compiler_spend(w->c, 20);
        if (minus_count != 0 && bsearch(token, d->minus.items, minus_count, sizeof *token, order_ids) != NULL) continue;
        d->named.items[kept++] = d->named.items[i];
    }
    d->named.count = kept;
}

/* --- the row -------------------------------------------------------------------------------------------------- */

uint32_t masks_string_row(compiler *c, masks *m, uint32_t state_id) {
    automaton *a = c->automaton;
    uint32_t instance_id = a->states.items[state_id].instance;
    const instance *in = &a->instances.items[instance_id];
    const scalar_module *scalar = a->scalars.items[a->instance_module.items[instance_id]];
    uint32_t local_id = state_id - in->base;
    const local_state *local = &scalar->locals.items[local_id];
    bool special = local->on_trie || scalar->hashes;
    bool others_wait = in->object != NONE && a->objects.items[in->object].order_count != 0;
    bool careful = state_is_careful(a, state_id);
    m->key.count = 0;
    PUSH(c, m->key, a->instance_module.items[instance_id]);
    PUSH(c, m->key, special ? local_id : local->lexical);
    PUSH(c, m->key, in->longest != NONE);
    PUSH(c, m->key, has_any_length(a, in));
    PUSH(c, m->key, in->hash_used != 0);
    /* Texts told apart can need more than the shallowest of them, which is what the state knows. */
    uint32_t depth = special ? masks_needs_inside(m, a, instance_id)->depth : m->finish[state_id].depth;
    PUSH(c, m->key, depth);
    PUSH(c, m->key, m->finish[state_id].cost);
    PUSH(c, m->key, m->finish[state_id].lines);
    for (uint32_t i = 0; i < in->length_count; i++) {
        uint32_t target = a->lengths.items[in->lengths + i].target;
        PUSH(c, m->key, target == NONE ? NONE : masks_suffix_set(c, m, target));
    }
    uint32_t from = in->object != NONE ? local->leaf_lo : 0;
    uint32_t to = !special ? 0 : in->object != NONE ? local->leaf_hi : scalar->class_count;
    PUSH(c, m->key, others_wait);
    PUSH(c, m->key, careful);
    for (uint32_t i = from; i < to; i++) {
        uint32_t target = a->targets.items[in->exits + i];
        PUSH(c, m->key, target == NONE ? NONE : masks_suffix_set(c, m, target));
    }
    if (!special) m->key.items[0] = NONE; /* the same in every module */
    bool is_new;
    uint32_t memo = intern(c, &m->row_memo, m->key.items, sizeof *m->key.items * m->key.count, &is_new);
    if (!is_new) return m->row_memo_rows.items[memo];
    differences d;
    memset(&d, 0, sizeof d);
    text_walk w = {c, m, in, scalar, in->longest != NONE, careful, others_wait, &d};
    if (local->on_trie) walk_text(&w, local_id);
    if (scalar->hashes) check_backslashes(&w, state_id);
    row r;
    memset(&r, 0, sizeof r);
    r.kind = WEIR_ROW_BASE;
    r.token = NONE;
    r.lexical = local->lexical;
    r.flags = (uint8_t)((special ? ROW_ON_TRIE : 0) | (others_wait ? ROW_OTHERS : 0));
    r.instance = NONE; /* the state's own */
    r.object = NONE;
    r.patch_count = in->length_count;
    patch *patches = NEW_ARRAY(c, patch, in->length_count + 1);
    for (uint32_t i = 0; i < in->length_count; i++) {
        uint32_t target = a->lengths.items[in->lengths + i].target;
        if (target == NONE) continue;
        uint32_t set = masks_suffix_set(c, m, target);
        uint32_t found = quote_patch(c, m, local->lexical, set, in->hash_used != 0);
        patches[i] = (patch){m->quote_patches.items[found].list, m->quote_patches.items[found].count};
        for (uint32_t k = 0; k < m->quote_patches.items[found].guarded_count; k++) {
            PUSH(c, d.guarded, m->lists.items[m->quote_patches.items[found].guarded + k]);
        }
        add_quote_names(&w, found, m->suffix_sets.items[set].instance, m->suffix_sets.items[set].object, &r);
        needs_widen(&d.needs, &m->suffix_sets.items[set].needs);
    }
    needs stay = m->finish[state_id]; /* and a few bytes: of an escape or a code point that is not complete */
    needs_widen(&d.needs, &(needs){depth, cost_add(stay.cost, 16), stay.lines});
    masks_note_needs(&r, &d.needs);
    r.patches = masks_patches(c, m, patches, in->length_count);
    uint32_t plus_count = sort_distinct(c, d.plus.items, d.plus.count);
    uint32_t minus_count = sort_distinct(c, d.minus.items, d.minus.count);
    uint32_t guarded_count = sort_distinct(c, d.guarded.items, d.guarded.count);
    drop_ended(&w, minus_count);
    /* A guarded token of a text or of the free part alike is decided by its walk. */
    r.plain = masks_list(c, m, d.plus.items, plus_count);
    r.plain_count = plus_count;
    r.minus = masks_list(c, m, d.minus.items, minus_count);
    r.minus_count = minus_count;
    r.guarded = masks_list(c, m, d.guarded.items, guarded_count);
    r.guarded_count = guarded_count;
    r.closing_count = sort_distinct(c, d.closing.items, d.closing.count);
    r.closing = masks_list(c, m, d.closing.items, r.closing_count);
    r.named = masks_named(c, m, d.named.items, d.named.count);
    r.named_count = d.named.count;
    uint32_t made = masks_row(c, m, r);
    PUSH(c, m->row_memo_rows, made);
    return made;
}
