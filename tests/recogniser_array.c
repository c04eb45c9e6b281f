/* recogniser_array.c - the end of a branch of an array: how many items come, what each must satisfy, and whether they can
 * all differ.
 *
 * Where items are counted (contains) or each must satisfy one of several codes (unevaluatedItems), every item gets a part:
 * for each code yes, no, or nothing is asked. Different values are found by matching items to candidates. */
#include "recogniser_array.h"

#include <stdlib.h>

enum { MOST_CODES = 6, MOST_STATES = 4000 };

static answer simple_leaf(problem *p);
static answer planned_leaf(problem *p);

answer array_leaf(problem *p) {
    bool plain = !p->unique;
    for (uint32_t i = 0; i < p->fact_count && plain; i++)
        plain = p->facts[i].kind != FACT_COUNT && p->facts[i].kind != FACT_REST && p->facts[i].kind != FACT_SAME;
    if (!plain) return planned_leaf(p);
    answer found = simple_leaf(p);
    if (found == NO || !p->collect) return found;
    code_list codes = {NULL, 0, 0};
    problem_open_codes(p, &codes);
    answer result = found == MAYBE ? MAYBE : problem_collect(p, codes.items, codes.count);
    free(codes.items);
    return result;
}

/* No more items than necessary: a further item never helps. */
static answer simple_leaf(problem *p) {
    answer result = YES;
    uint64_t alike = p->position->item_count;
    const code_set *last = NULL;
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_ITEM && p->facts[i].n >= alike) alike = p->facts[i].n + 1;
    if (p->out && !p->frame) text_put(p->out, "[", 1);
    for (uint64_t i = written_count(p); i < p->least; i++) {
        const code_set *set = last && i > alike ? last : problem_member_set(p, NAME_OTHER, i, NULL);
        if (last == set && i > alike && !p->out) break;
        last = set;
        if (p->out && i) put_separator(p, ',');
        result = both(result, set_satisfiable(p->r, set, position_item(p->r, p->position, i), p->depth, p->out));
        if (result == NO) return NO;
    }
    if (p->out && result == YES) text_put(p->out, "]", 1);
    return result;
}

/* --- parts --- */

/* How many items satisfy a counted code: at least, and at most. */
typedef struct tally {
    uint64_t low, high;
} tally;

typedef struct code_use {
    uint32_t code;
    bool bounded; /* a count has an upper bound: each item must say yes or no */
    uint64_t least, most;
    tally tally;
} code_use;

typedef struct state {
    uint64_t index;
    uint64_t counts[2 * MOST_CODES];
} state;

typedef struct plan {
    problem *p;
    code_use codes[MOST_CODES];
    uint32_t code_count;
    uint64_t first, alike, needed, limit;
    const code_set **sets; /* [limit - first] */
    uint8_t *parts;        /* [limit - first], a bit for each code: yes */
    state *states;
    uint32_t state_count;
    bool unsure, too_large, remembers;
} plan;

static code_use *use_of(plan *plan, uint32_t code) {
    for (uint32_t i = 0; i < plan->code_count; i++)
        if (plan->codes[i].code == code) return &plan->codes[i];
    if (plan->code_count == MOST_CODES) return NULL;
    plan->codes[plan->code_count] = (code_use){.code = code, .most = UINT64_MAX};
    return &plan->codes[plan->code_count++];
}

/* What is written, and what the open item is taken for. */
static void count_written(plan *plan, code_use *use) {
    const problem *p = plan->p;
    opened_as opened = OPENED_ANY;
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before) {
        bool holds = code_holds(p->r, use->code, m->value);
        use->tally.low += holds;
        use->tally.high += holds;
    }
    if (!p->frame || !p->frame->open) return;
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_OPENED && p->facts[i].code == use->code) opened = (opened_as)p->facts[i].n;
    use->tally.low += opened == OPENED_YES;
    use->tally.high += opened != OPENED_NO;
}

/* false: too many codes. */
static bool gather(plan *plan) {
    problem *p = plan->p;
    plan->remembers = !p->unique;
    for (uint32_t i = 0; i < p->fact_count; i++) {
        const fact *f = &p->facts[i];
        code_use *use = f->kind == FACT_COUNT ? use_of(plan, f->code) : NULL;
        if (f->kind == FACT_COUNT && !use) return false;
        if (use && f->n > use->least) use->least = f->n;
        if (use && f->most < use->most) use->most = f->most, use->bounded = true;
        for (uint32_t k = 0; f->kind == FACT_REST && k < f->codes->count; k++)
            if (!use_of(plan, f->codes->codes[k])) return false;
        if (f->kind == FACT_SAME && f->most >= plan->needed) plan->needed = f->most + 1;
        plan->remembers &= f->kind != FACT_SAME;
        if (f->kind == FACT_ITEM && f->n >= plan->alike) plan->alike = f->n + 1;
        if (f->kind == FACT_REST && f->n > plan->alike) plan->alike = f->n;
    }
    for (uint32_t i = 0; i < plan->code_count; i++) count_written(plan, &plan->codes[i]);
    return true;
}

/* The item that this one is equal to; UINT64_MAX: none is asked for. */
static uint64_t twin_of(const plan *plan, uint64_t index) {
    for (uint32_t i = 0; i < plan->p->fact_count; i++)
        if (plan->p->facts[i].kind == FACT_SAME && plan->p->facts[i].most == index) return plan->p->facts[i].n;
    return UINT64_MAX;
}

static bool rest_is_covered(const plan *plan, uint64_t index, uint32_t part) {
    for (uint32_t i = 0; i < plan->p->fact_count; i++) {
        const fact *f = &plan->p->facts[i];
        bool covered = f->kind != FACT_REST || index < f->n;
        for (uint32_t k = 0; k < plan->code_count && !covered; k++)
            for (uint32_t c = 0; c < f->codes->count && part >> k & 1; c++) covered |= f->codes->codes[c] == plan->codes[k].code;
        if (!covered) return false;
    }
    return true;
}

/* What an item with this part must satisfy, and every item that is to be equal to it. */
static const code_set *item_set(plan *plan, uint64_t index, uint32_t part) {
    problem *p = plan->p;
    const code_set *set = problem_member_set(p, NAME_OTHER, index, NULL);
    for (uint32_t i = 0; i < plan->code_count; i++) {
        if (part >> i & 1)
            set = set_with(p->r, set, plan->codes[i].code);
        else if (plan->codes[i].bounded)
            set = set_with(p->r, set, plan->codes[i].code ^ CODE_POSITIVE);
    }
    for (uint32_t i = 0; i < p->fact_count; i++) {
        if (p->facts[i].kind != FACT_SAME || p->facts[i].n != index) continue;
        const code_set *twin = problem_member_set(p, NAME_OTHER, p->facts[i].most, NULL);
        for (uint32_t k = 0; k < twin->count; k++) set = set_with(p->r, set, twin->codes[k]);
    }
    return set;
}

static bool counts_hold(const plan *plan) {
    for (uint32_t i = 0; i < plan->code_count; i++)
        if (plan->codes[i].tally.low < plan->codes[i].least || plan->codes[i].tally.high > plan->codes[i].most) return false;
    return true;
}

static bool counts_exceed(const plan *plan) {
    for (uint32_t i = 0; i < plan->code_count; i++)
        if (plan->codes[i].tally.high > plan->codes[i].most) return true;
    return false;
}

static void count_item(plan *plan, uint32_t part, int64_t by) {
    for (uint32_t i = 0; i < plan->code_count; i++) {
        bool yes = part >> i & 1, may = yes || !plan->codes[i].bounded;
        plan->codes[i].tally.low += (uint64_t)(yes * by);
        plan->codes[i].tally.high += (uint64_t)(may * by);
    }
}

/* The same index with the same counts: nothing new comes of it. */
static bool met_before(plan *plan, uint64_t index) {
    state now = {.index = index};
    for (uint32_t i = 0; i < plan->code_count; i++) {
        const code_use *use = &plan->codes[i];
        now.counts[2 * i] = use->tally.low < use->least ? use->tally.low : use->least;
        now.counts[2 * i + 1] = use->bounded ? use->tally.high : 0;
    }
    for (uint32_t i = 0; i < plan->state_count; i++)
        if (!memcmp(&plan->states[i], &now, sizeof now)) return true;
    if (plan->state_count == MOST_STATES) return plan->too_large = true;
    plan->states[plan->state_count++] = now;
    return false;
}

static bool place_items(plan *plan, uint64_t index);
static answer collect_open(plan *plan);

/* All items up to `index` are placed. In the collecting search true ends it: what is asked of the open item is noted, and
 * no other plan asks for less. */
static bool finish(plan *plan, uint64_t index) {
    uint64_t limit = plan->limit;
    answer found = YES;
    plan->limit = index;
    if (plan->p->collect) {
        found = collect_open(plan);
        plan->unsure |= found == MAYBE;
        if (!plan->p->unique) return true;
    } else {
        if (plan->p->unique) found = items_can_differ(plan->p, plan->sets, plan->first, index, NULL);
        plan->unsure |= found == MAYBE;
        if (found == YES) return true;
    }
    plan->limit = limit;
    return false;
}

static bool place_item(plan *plan, uint64_t index, uint32_t part) {
    problem *p = plan->p;
    uint64_t at = index - plan->first, twin = twin_of(plan, index);
    if (!rest_is_covered(plan, index, part)) return false;
    if (twin != UINT64_MAX && twin >= plan->first && plan->parts[twin - plan->first] != part) return false;
    plan->sets[at] = twin == UINT64_MAX ? item_set(plan, index, part) : NULL;
    plan->parts[at] = (uint8_t)part;
    answer found = YES;
    if (plan->sets[at])
        found = set_satisfiable(p->r, plan->sets[at], position_item(p->r, p->position, index), p->depth, NULL);
    plan->unsure |= found == MAYBE;
    if (found != YES) return false;
    count_item(plan, part, 1);
    if (!counts_exceed(plan) && place_items(plan, index + 1)) return true;
    count_item(plan, part, -1);
    return false;
}

/* Items from this index on; with success sets and parts of all of them stay, and the limit is their end. */
static bool place_items(plan *plan, uint64_t index) {
    uint32_t wanted = 0;
    if (plan->remembers ? met_before(plan, index) : plan->state_count++ >= MOST_STATES) {
        plan->too_large |= !plan->remembers;
        return false;
    }
    if (index >= plan->needed && counts_hold(plan) && finish(plan, index)) return true;
    if (index >= plan->limit) return false;
    for (uint32_t i = 0; i < plan->code_count; i++) wanted |= (uint32_t)(plan->codes[i].tally.low < plan->codes[i].least) << i;
    for (uint32_t way = 0; way < 1u << plan->code_count; way++)
        if (place_item(plan, index, way ^ wanted)) return true;
    return false;
}

/* --- writing --- */

static answer write_items(plan *plan) {
    problem *p = plan->p;
    uint64_t count = plan->limit - plan->first;
    size_t *starts = malloc((count + 1) * sizeof *starts), *ends = malloc((count + 1) * sizeof *ends);
    const char **texts = calloc(count + 1, sizeof *texts);
    answer result = YES;
    if (!starts || !ends || !texts) recogniser_panic("out of memory");
    if (p->unique) result = items_can_differ(p, plan->sets, plan->first, plan->limit, texts);
    if (!p->frame) text_put(p->out, "[", 1);
    for (uint64_t i = 0; i < count && result == YES; i++) {
        uint64_t twin = twin_of(plan, plan->first + i);
        if (plan->first + i) put_separator(p, ',');
        starts[i] = p->out->length;
        if (twin != UINT64_MAX && twin >= plan->first) {
            size_t from = starts[twin - plan->first], length = ends[twin - plan->first] - from;
            char *copy = memcpy(region_take(&p->r->arena, length + 1), p->out->data + from, length);
            text_put(p->out, copy, length);
        } else if (texts[i]) {
            text_put(p->out, texts[i], strlen(texts[i]));
        } else {
            const position *position = position_item(p->r, p->position, plan->first + i);
            result = set_satisfiable(p->r, plan->sets[i], position, p->depth, p->out);
        }
        ends[i] = p->out->length;
    }
    text_put(p->out, "]", 1);
    free(texts);
    free(ends);
    free(starts);
    return result;
}

/* What is asked of the open item, or MAYBE. */
static answer collect_open(plan *plan) {
    problem *p = plan->p;
    code_list codes = {NULL, 0, 0};
    problem_open_codes(p, &codes);
    answer found = YES;
    if (p->unique) found = open_can_differ(p, plan->sets, plan->first, plan->limit, &codes);
    if (p->unique && plan->limit > KEPT_ITEMS && found == YES) found = MAYBE;
    if (found == YES) found = problem_collect(p, codes.items, codes.count);
    free(codes.items);
    return found;
}

static answer planned_leaf(problem *p) {
    plan plan = {.p = p, .first = written_count(p), .alike = p->position->item_count, .needed = p->least};
    if (!gather(&plan)) return MAYBE;
    uint64_t more = 0;
    for (uint32_t i = 0; i < plan.code_count; i++)
        if (plan.codes[i].least > plan.codes[i].tally.low) more += plan.codes[i].least - plan.codes[i].tally.low;
    if (plan.needed < plan.first) plan.needed = plan.first;
    plan.limit = (plan.needed > plan.alike ? plan.needed : plan.alike) + more;
    if (plan.limit > p->most) plan.limit = p->most;
    if (plan.needed > p->most) return NO;
    if (plan.limit - plan.first > MOST_STATES) return MAYBE;
    plan.sets = calloc(plan.limit - plan.first + 1, sizeof *plan.sets);
    plan.parts = calloc(plan.limit - plan.first + 1, 1);
    plan.states = malloc(MOST_STATES * sizeof *plan.states);
    if (!plan.sets || !plan.parts || !plan.states) recogniser_panic("out of memory");
    bool placed = place_items(&plan, plan.first);
    answer result = placed && !p->collect ? YES : plan.unsure || (plan.too_large && !placed) ? MAYBE : NO;
    if (result == YES && p->unique && plan.limit > KEPT_ITEMS) result = MAYBE;
    if (result == YES && p->out) result = write_items(&plan);
    free(plan.sets);
    free(plan.parts);
    free(plan.states);
    return result;
}
