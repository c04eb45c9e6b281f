/* recogniser_differ.c - different values: the values that satisfy a set, one after the other, and a choice of one for each
 * item so that all differ (Kuhn's matching). */
#include "recogniser_array.h"

#include <stdlib.h>

/* The first values of a set; `complete`: it has no others. */
typedef struct value_memo {
    const code_set *set;
    const position *position;
    uint32_t depth, count, capacity;
    bool complete, unsure, deeper; /* deeper: it may have others that nest deeper */
    struct candidate {
        const json *value;
        const char *text;
    } *items;
} value_memo;

static value_memo *memo_of(recogniser *r, const code_set *set, const position *position, uint32_t depth) {
    for (uint32_t i = 0; i < r->value_list_count; i++) {
        value_memo *memo = &r->value_lists[i];
        if (memo->set == set && memo->position == position && memo->depth == depth) return memo;
    }
    r->value_lists = grow(r->value_lists, r->value_list_count, &r->value_list_capacity, sizeof *r->value_lists);
    r->value_lists[r->value_list_count] = (value_memo){.set = set, .position = position, .depth = depth};
    return &r->value_lists[r->value_list_count++];
}

void value_list_free(recogniser *r, uint32_t index) {
    free(r->value_lists[index].items);
}

/* One value more, different from those that are known. */
static bool next_value(recogniser *r, value_memo *memo) {
    text_buffer text = {NULL, 0, 0};
    member *others = malloc((memo->count + 1) * sizeof *others);
    const json *value;
    if (!others) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < memo->count; i++)
        others[i] = (member){i ? &others[i - 1] : NULL, NAME_OTHER, memo->items[i].value};
    const member *last = memo->count ? &others[memo->count - 1] : NULL;
    bool hit = r->depth_hit;
    r->depth_hit = false;
    answer found = set_another(r, memo->set, memo->position, memo->depth, last, &text);
    memo->deeper |= r->depth_hit;
    r->depth_hit = hit;
    memo->complete = found == NO;
    memo->unsure = found == MAYBE;
    if (found == YES) {
        char *kept = memcpy(region_take(&r->arena, text.length + 1), text.data, text.length);
        if (json_parse(kept, text.length, NULL, &r->arena, &value, NULL) != WEIR_OK) recogniser_panic("a text that is no JSON");
        if (memo->count == memo->capacity) {
            memo->capacity = memo->capacity ? 2 * memo->capacity : 8;
            memo->items = realloc(memo->items, memo->capacity * sizeof *memo->items);
            if (!memo->items) recogniser_panic("out of memory");
        }
        memo->items[memo->count++] = (struct candidate){value, kept};
    }
    free(others);
    free(text.data);
    return found == YES;
}

/* At least `wanted` values where there are so many. A copy: lists move when others are made. */
static value_memo values_of(recogniser *r, const code_set *set, const position *position, uint32_t depth, uint32_t wanted) {
    value_memo memo = *memo_of(r, set, position, depth);
    while (memo.count < wanted && !memo.complete && !memo.unsure && next_value(r, &memo)) {
    }
    *memo_of(r, set, position, depth) = memo;
    r->depth_hit |= memo.deeper && memo.count < wanted;
    return memo;
}

/* --- matching --- */

typedef struct matching {
    problem *p;
    uint32_t count;      /* items that need a value */
    value_memo *lists;   /* [count] */
    uint32_t *chosen;    /* [count] index into the list; UINT32_MAX: none yet */
    const json *avoided; /* and this value is not to be had */
    bool unsure;
} matching;

static bool is_free(const matching *m, const json *value) {
    if (m->avoided && values_equal(m->avoided, value)) return false;
    for (const member *w = m->p->frame ? m->p->frame->last : NULL; w; w = w->before)
        if (values_equal(w->value, value)) return false;
    return true;
}

/* Who has this value already; UINT32_MAX: nobody. */
static uint32_t holder(const matching *m, const json *value) {
    for (uint32_t i = 0; i < m->count; i++)
        if (m->chosen[i] != UINT32_MAX && values_equal(m->lists[i].items[m->chosen[i]].value, value)) return i;
    return UINT32_MAX;
}

/* A value for the item, others moving away if they can. */
static bool augment(matching *m, uint32_t item, uint8_t *visited) {
    visited[item] = 1;
    for (uint32_t k = 0; k < m->lists[item].count; k++) {
        const json *value = m->lists[item].items[k].value;
        if (!is_free(m, value)) continue;
        uint32_t other = holder(m, value);
        if (other != UINT32_MAX && (visited[other] || !augment(m, other, visited))) continue;
        m->chosen[item] = k;
        return true;
    }
    return false;
}

static bool match(matching *m) {
    uint8_t *visited = malloc(m->count + 1);
    bool all = true;
    if (!visited) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < m->count; i++) m->chosen[i] = UINT32_MAX;
    for (uint32_t i = 0; i < m->count && all; i++) {
        memset(visited, 0, m->count);
        all = augment(m, i, visited);
    }
    free(visited);
    return all;
}

static void matching_begin(matching *m, problem *p, const code_set *const *sets, uint64_t first, uint64_t end) {
    uint32_t wanted = (uint32_t)(end - first) + written_count(p) + 2;
    *m = (matching){.p = p, .count = (uint32_t)(end - first)};
    m->lists = calloc(m->count + 1, sizeof *m->lists);
    m->chosen = calloc(m->count + 1, sizeof *m->chosen);
    if (!m->lists || !m->chosen) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < m->count; i++) {
        m->lists[i] = values_of(p->r, sets[i], position_item(p->r, p->position, first + i), p->depth, wanted);
        m->unsure |= m->lists[i].unsure;
    }
}

static void matching_end(matching *m) {
    free(m->lists);
    free(m->chosen);
}

answer items_can_differ(problem *p, const code_set *const *sets, uint64_t first, uint64_t end, const char **texts) {
    matching m;
    matching_begin(&m, p, sets, first, end);
    answer found = match(&m) ? YES : m.unsure ? MAYBE : NO;
    for (uint32_t i = 0; found == YES && texts && i < m.count; i++) texts[i] = m.lists[i].items[m.chosen[i]].text;
    matching_end(&m);
    return found;
}

answer open_can_differ(problem *p, const code_set *const *sets, uint64_t first, uint64_t end, code_list *codes) {
    matching m;
    const code_set *set = set_make(p->r, codes->items, codes->count);
    uint32_t wanted = (uint32_t)(end - first) + written_count(p) + 2;
    value_memo own = values_of(p->r, set_without(p->r, set, CODE_DISTINCT), p->frame->child_position, p->depth, wanted);
    answer found = own.unsure ? MAYBE : NO;
    matching_begin(&m, p, sets, first, end);
    for (uint32_t i = 0; i < own.count; i++) {
        m.avoided = NULL;
        if (!is_free(&m, own.items[i].value)) continue;
        m.avoided = own.items[i].value;
        if (match(&m)) found = YES;
    }
    /* Values that the others cannot do without. */
    for (uint32_t i = 0; i < m.count && found == YES; i++)
        for (uint32_t k = 0; k < m.lists[i].count && m.lists[i].count < wanted; k++) {
            m.avoided = m.lists[i].items[k].value;
            if (!match(&m)) code_list_put(codes, node_code(value_keep(p->r, m.avoided)) | CODE_VALUE);
        }
    if (found == NO && m.unsure) found = MAYBE;
    matching_end(&m);
    return found;
}
