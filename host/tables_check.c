/* tables_check.c - a blob from outside: refused where it is damaged, harmless where somebody damaged it with care.
 *
 * The checksum finds accidents. It cannot find intent, so everything that machine.h and matcher_mask.c follow is checked
 * here once, and they check nothing: each index, each range, each token, the names that masks speak of, that a move which
 * reads no byte is followed by one that does, and that a sequence has a size. Linear in the blob but for a constant. */
#include <string.h>

#include "machine.h"
#include "tables_io.h"

#define EDGES_MOST 300u /* of a state: one for each byte, and a few that match none */

typedef struct check {
    machine m;
    const uint32_t *counts;
    const weir_vocab *vocab;
    uint32_t token_count; /* ids that can be a token of text are below */
    uint32_t *scratch;    /* [lists + 2 or states] */
} check;

static bool sections_fit(const tables *t, size_t length);
static bool numbers_fit(const check *k);
static bool names_fit(const check *k);
static bool machine_fits(const check *k);
static bool moves_end(const check *k);
static bool costs_fit(const check *k);
static bool rows_fit(const check *k);

static weir_status check_header(const tables *t, size_t length, const weir_vocab *vocab, weir_error *error) {
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
    if (t->checksum != tables_checksum(t)) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 16, "the tables are damaged: the checksum differs");
    }
    if (t->vocab_hash != vocab->hash) {
        return fail_at_byte(error, WEIR_ERROR_TABLES, 24, "the tables were built for another vocabulary");
    }
    return WEIR_OK;
}

weir_status tables_check(const void *blob, size_t length, const weir_vocab *vocab, const weir_allocator *allocator,
                         weir_error *error) {
    const tables *t = blob;
    TRY(check_header(t, length, vocab, error));
    bool fits = sections_fit(t, length);
    if (fits) {
        uint32_t tokens = vocab->token_count < vocab->logits_width ? vocab->token_count : vocab->logits_width;
        check k = {machine_open(t), t->counts, vocab, tokens, NULL};
        size_t size = sizeof(uint32_t) * ((size_t)t->counts[SECTION_LISTS] + t->counts[SECTION_STATES] + 2);
        k.scratch = allocate(allocator, size);
        if (k.scratch == NULL) return fail(error, WEIR_ERROR_MEMORY, "out of memory for checking %zu bytes of tables", length);
        fits = numbers_fit(&k) && names_fit(&k) && machine_fits(&k) && moves_end(&k) && costs_fit(&k) && rows_fit(&k);
        release(allocator, k.scratch, size);
    }
    if (fits) return WEIR_OK;
    return fail_at_byte(error, WEIR_ERROR_TABLES, 32, "the tables are damaged: an index lies outside");
}

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

/* The sizes that a sequence is made of. */
static bool numbers_fit(const check *k) {
    const tables *t = k->m.t;
    uint64_t words = FRAME_NAMES + (uint64_t)t->name_words + 2 * (uint64_t)t->hash_slots + t->class_max;
    if (t->frame_words != words + (t->kept_slots != 0 ? MEMBERS_WORDS : 0)) return false;
    if (t->kept_slots > TABLES_KEPT_SLOTS || t->depth_limit < 1 || t->depth_limit > 1024) return false;
    if (t->indent > 16 || t->space_run > 1024 || t->class_max < 1) return false;
    return machine_sequence_words(t) <= TABLES_SEQUENCE_WORDS;
}

/* --- names of objects ----------------------------------------------------------------------------------------- */

static bool is_name(const check *k, uint32_t instance_id) {
    return instance_id < k->counts[SECTION_INSTANCES] && k->m.instances[instance_id].object != TABLES_NONE;
}

static bool object_fits(const check *k, const object *o) {
    uint32_t masks = k->counts[SECTION_MASKS];
    if (o->name_count > 65000 || o->words != o->name_count / 32 + 1 || o->words > k->m.t->name_words) return false;
    if (!inside(o->ample, o->words, masks) || !inside(o->required, o->words, masks)) return false;
    if (o->order_count > o->name_count || !inside(o->order, o->order_count, masks)) return false;
    if (!inside(o->reads, (uint64_t)o->words * (o->name_count + 1), masks)) return false;
    if (!inside(o->beyond, (uint64_t)o->words * o->order_count, masks)) return false;
    if (!inside(o->weights, 6 * (uint64_t)o->name_count, k->counts[SECTION_WEIGHTS])) return false;
    for (uint32_t i = 0; i < o->order_count; i++) {
        if (k->m.masks[o->order + i] >= o->name_count) return false;
    }
    uint32_t last = k->m.masks[o->required + o->words - 1];
    return last >> o->name_count % 32 == 0; /* each required name has a weight */
}

static bool names_fit(const check *k) {
    uint64_t words = 0; /* no two objects share a mask: checking them all is linear */
    for (uint32_t i = 0; i < k->counts[SECTION_OBJECTS]; i++) {
        const object *o = &k->m.objects[i];
        words += (uint64_t)o->words + o->order_count;
        if (words > k->counts[SECTION_MASKS] || !object_fits(k, o)) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_INSTANCES]; i++) {
        const instance *in = &k->m.instances[i];
        if (in->object == TABLES_NONE) continue;
        if (in->object >= k->counts[SECTION_OBJECTS]) return false;
        if (!inside(in->dead, k->m.objects[in->object].words, k->counts[SECTION_MASKS])) return false;
    }
    return true;
}

/* --- states --------------------------------------------------------------------------------------------------- */

static bool pair_fits(const check *k, uint32_t first) { return inside(first, 2, k->counts[SECTION_TARGETS]); }

static bool closes_object(const check *k, uint32_t first) {
    return pair_fits(k, first) && k->m.targets[first] < k->counts[SECTION_OBJECTS];
}

/* A state inside an instance; one that asks for names only where the instance is one. */
static bool local_fits(const check *k, const instance *in, uint32_t local) {
    if (in == NULL || (uint64_t)in->base + local >= k->counts[SECTION_STATES]) return false;
    return (k->m.states[in->base + local].flags & STATE_NAMED) == 0 || in->object != TABLES_NONE;
}

/* last_case: the last count_case that holds for all counts is before this one. */
static bool edge_fits(const check *k, const instance *in, const edge *e, uint32_t last_case) {
    const tables *t = k->m.t;
    switch (e->op) {
    case EDGE_GO:
    case EDGE_OPEN:
    case EDGE_SPACE_FIRST:
    case EDGE_SPACE:
    case EDGE_INDENT_FIRST:
    case EDGE_INDENT_END:
    case EDGE_NEW:
    case EDGE_REPEATED:
        return e->target < k->counts[SECTION_STATES];
    case EDGE_NAMED:
        return pair_fits(k, e->target) && is_name(k, k->m.targets[e->target + 1]);
    case EDGE_CLOSE_NAMED:
        return closes_object(k, e->target) && k->m.targets[e->target + 1] < t->class_max;
    case EDGE_CLOSE_LINE:
        return closes_object(k, e->target) && k->m.targets[e->target + 1] < k->counts[SECTION_STATES];
    case EDGE_LOCAL:
    case EDGE_CHAR:
    case EDGE_CHAR_FREE:
        return local_fits(k, in, e->target);
    case EDGE_PUSH:
        return e->target < k->counts[SECTION_CALLS];
    case EDGE_POP:
        return e->target < t->class_max;
    case EDGE_EXIT:
    case EDGE_ELSE:
        return in != NULL && e->target < in->exit_count;
    case EDGE_EXIT_LENGTH:
        return in != NULL;
    case EDGE_INDENT:
        return true;
    case EDGE_COMMA:
    case EDGE_CLOSE:
        return e->target < last_case;
    default:
        return false;
    }
}

static bool state_fits(const check *k, const state *s, uint32_t last_case) {
    if (s->instance != TABLES_NONE && s->instance >= k->counts[SECTION_INSTANCES]) return false;
    const instance *in = s->instance != TABLES_NONE ? &k->m.instances[s->instance] : NULL;
    if ((s->flags & (STATE_HASHES | STATE_ROOMY | STATE_NAMED)) != 0 && in == NULL) return false;
    if ((s->flags & STATE_NAMED) != 0) {
        if (in->object == TABLES_NONE || s->leaf_hi > k->m.objects[in->object].name_count) return false;
    }
    if (s->edge_count > EDGES_MOST || !inside(s->edges, s->edge_count, k->counts[SECTION_EDGES])) return false;
    if (!inside(s->costs, s->cost_count, k->counts[SECTION_COSTS]) || s->row >= k->counts[SECTION_ROWS]) return false;
    for (uint32_t i = 0; i < s->edge_count; i++) {
        if (!edge_fits(k, in, &k->m.edges[s->edges + i], last_case)) return false;
    }
    return true;
}

static bool instance_fits(const check *k, const instance *in) {
    return inside(in->lengths, in->length_count, k->counts[SECTION_LENGTHS]) &&
           inside(in->exits, in->exit_count, k->counts[SECTION_TARGETS]) &&
           (uint64_t)in->hash_used + in->hash_keep <= k->m.t->hash_slots && in->hash_keep <= 1;
}

static bool state_or_none(const check *k, uint32_t target) {
    return target == TABLES_NONE || target < k->counts[SECTION_STATES];
}

static bool machine_fits(const check *k) {
    const machine *m = &k->m;
    uint32_t last_case = 0;
    if (!state_or_none(k, m->t->start)) return false;
    for (uint32_t i = 0; i < k->counts[SECTION_INSTANCES]; i++) {
        if (!instance_fits(k, &m->instances[i])) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_COUNTS]; i++) { /* states or classes: whichever is used must fit both */
        if (!state_or_none(k, m->counts[i].target)) return false;
        if (m->counts[i].upto == TABLES_NONE) last_case = i + 1;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_TARGETS]; i++) {
        if (!state_or_none(k, m->targets[i])) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_STATES]; i++) {
        if (!state_fits(k, &m->states[i], last_case)) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_LENGTHS]; i++) {
        if (!state_or_none(k, m->lengths[i].target)) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_CALLS]; i++) {
        if ((m->calls[i].flags & CALL_CAREFUL) != 0 && m->t->kept_slots == 0) return false;
        if (m->calls[i].start >= k->counts[SECTION_STATES] || m->calls[i].ret >= k->counts[SECTION_RETURNS]) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_RETURNS]; i++) {
        const return_symbol *r = &m->returns[i];
        if (!inside(r->targets, r->class_count, k->counts[SECTION_TARGETS]) || r->class_count > m->t->class_max) return false;
    }
    return true;
}

static bool is_silent(const edge *e) { return e->op == EDGE_ELSE || e->op == EDGE_INDENT_END; }

/* Behind a move that reads no byte, and behind a judgement, stands a state without such moves: no byte is read for ever. */
static bool moves_end(const check *k) {
    const machine *m = &k->m;
    uint32_t *moves = k->scratch; /* by state: SILENT or JUDGES */
    enum { SILENT = 1, JUDGES = 2 };
    for (uint32_t i = 0; i < k->counts[SECTION_STATES]; i++) {
        const state *s = &m->states[i];
        moves[i] = (s->flags & STATE_JUDGES) != 0 ? JUDGES : 0;
        for (uint32_t e = s->edges; e < s->edges + s->edge_count; e++) moves[i] |= is_silent(&m->edges[e]) ? SILENT : 0;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_STATES]; i++) {
        const state *s = &m->states[i];
        for (uint32_t n = 0; n < s->edge_count; n++) {
            const edge *e = &m->edges[s->edges + n];
            uint32_t target = e->target;
            if (e->op == EDGE_ELSE) target = m->targets[m->instances[s->instance].exits + e->target];
            bool judged = e->op == EDGE_NEW || e->op == EDGE_REPEATED;
            if ((!judged && !is_silent(e)) || target == STATE_DEAD) continue;
            if ((moves[target] & SILENT) != 0 || (judged && (moves[target] & JUDGES) != 0)) return false;
        }
    }
    return true;
}

static bool cost_fits(const check *k, const cost *e) {
    uint32_t boundary_id = e->target & ~BOUNDARY_FLAG;
    if ((e->target & BOUNDARY_FLAG) != 0 ? boundary_id >= k->counts[SECTION_BOUNDARIES] : e->target >= k->m.t->class_max) {
        return false;
    }
    if (e->fresh > k->m.t->hash_slots || e->ordered > k->counts[SECTION_OBJECTS]) return false;
    if (e->missing != 0 && (e->missing - 1) / 2 >= k->counts[SECTION_OBJECTS]) return false;
    if (e->names == 0) return true;
    if (!is_name(k, e->instance)) return false;
    uint32_t names = k->m.objects[k->m.instances[e->instance].object].name_count;
    /* What is missing is weighed with the weights of the name's own object. */
    return e->leaf_hi <= names && inside(e->names - 1, 3 * ((uint64_t)names + 1), k->counts[SECTION_WEIGHTS]);
}

static bool costs_fit(const check *k) {
    for (uint32_t i = 0; i < k->counts[SECTION_COSTS]; i++) {
        if (!cost_fits(k, &k->m.costs[i])) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_BOUNDARIES]; i++) {
        const boundary *b = &k->m.boundaries[i];
        if (!inside(b->segments, b->segment_count, k->counts[SECTION_SEGMENTS])) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_SEGMENTS]; i++) {
        if (k->m.segments[i].target >= k->m.t->class_max) return false;
    }
    return true;
}

/* --- rows ----------------------------------------------------------------------------------------------------- */

enum list_kind { LIST_TOKENS, LIST_PACKED, LIST_PAIRS };

static bool entry_fits(const check *k, enum list_kind kind, uint32_t i) {
    const uint32_t *entry = k->m.lists + i;
    if (kind == LIST_TOKENS) return entry[0] < k->token_count;
    if (kind == LIST_PACKED) return PACK_TOKEN(entry[0]) < k->token_count;
    return i + 1 < k->counts[SECTION_LISTS] && (entry[0] & ~NAMED_OTHERS) < k->token_count &&
           entry[1] >> 16 <= 32 * k->m.t->name_words;
}

/* For each place the first entry from there on that does not fit: rows share lists, and each entry is looked at once. */
static void find_misfits(const check *k, enum list_kind kind) {
    uint32_t count = k->counts[SECTION_LISTS], stride = kind == LIST_PAIRS ? 2 : 1;
    k->scratch[count] = k->scratch[count + 1] = count;
    for (uint32_t i = count; i-- > 0;) k->scratch[i] = entry_fits(k, kind, i) ? k->scratch[i + stride] : i;
}

/* A list of tokens has none twice, so it has no more than there are. */
static bool list_fits(const check *k, enum list_kind kind, uint32_t first, uint32_t count) {
    uint64_t length = (uint64_t)count * (kind == LIST_PAIRS ? 2 : 1);
    if (count > k->token_count || !inside(first, length, k->counts[SECTION_LISTS])) return false;
    return count == 0 || k->scratch[first] >= first + length;
}

/* No bit beyond the last token. */
static bool bitmap_fits(const check *k, uint32_t first) {
    if (!inside(first, k->vocab->mask_words, k->counts[SECTION_WORDS])) return false;
    for (uint32_t word = k->token_count / 32; word < k->vocab->mask_words; word++) {
        uint32_t beyond = word == k->token_count / 32 ? TABLES_NONE << k->token_count % 32 : TABLES_NONE;
        if ((k->m.words[first + word] & beyond) != 0) return false;
    }
    return true;
}

static bool row_fits(const check *k, const row *r) {
    if (r->kind > WEIR_ROW_FULL || r->lexical >= LEX_COUNT) return false;
    if (r->kind == WEIR_ROW_BITMAP && !bitmap_fits(k, r->bitmap)) return false;
    if (!list_fits(k, LIST_TOKENS, r->plain, r->plain_count) || !list_fits(k, LIST_TOKENS, r->minus, r->minus_count)) return false;
    if (!list_fits(k, LIST_TOKENS, r->guarded, r->guarded_count)) return false;
    if (!list_fits(k, LIST_TOKENS, r->closing, r->closing_count)) return false;
    if (r->closing_count != 0 && r->object >= k->counts[SECTION_OBJECTS]) return false;
    if (r->instance != TABLES_NONE && !is_name(k, r->instance)) return false;
    if (!inside(r->patches, r->patch_count, k->counts[SECTION_PATCHES])) return false;
    return r->token == TABLES_NONE || r->token < k->token_count;
}

/* A state's row: what it takes from the state's instance must be there. */
static bool row_fits_state(const check *k, const state *s, const row *r) {
    bool own = r->instance == TABLES_NONE && (r->named_count != 0 || (r->flags & ROW_OTHERS) != 0);
    if (own && !is_name(k, s->instance)) return false;
    if (r->kind != WEIR_ROW_BASE) return true;
    return s->instance != TABLES_NONE && k->m.instances[s->instance].length_count >= r->patch_count;
}

static bool rows_fit(const check *k) {
    find_misfits(k, LIST_TOKENS);
    for (uint32_t i = 0; i < k->counts[SECTION_ROWS]; i++) {
        if (!row_fits(k, &k->m.rows[i])) return false;
    }
    find_misfits(k, LIST_PAIRS);
    for (uint32_t i = 0; i < k->counts[SECTION_ROWS]; i++) {
        if (!list_fits(k, LIST_PAIRS, k->m.rows[i].named, k->m.rows[i].named_count)) return false;
    }
    find_misfits(k, LIST_PACKED);
    for (uint32_t i = 0; i < k->counts[SECTION_PATCHES]; i++) {
        if (!list_fits(k, LIST_PACKED, k->m.patches[i].list, k->m.patches[i].count)) return false;
    }
    for (uint32_t i = 0; i < k->counts[SECTION_STATES]; i++) {
        const state *s = &k->m.states[i];
        if (!row_fits_state(k, s, &k->m.rows[s->row])) return false;
    }
    return true;
}
