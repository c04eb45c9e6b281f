/* recogniser_leaf.c - the end of a branch: facts in, the questions about members that are left, and the text that
 * answers them, out. Arrays are in recogniser_array.c, finite sets in recogniser_constant.c. */
#include "recogniser_tableau.h"

#include <stdio.h>
#include <stdlib.h>

static answer object_leaf(problem *p);
static answer number_leaf(problem *p);

void code_list_put(code_list *list, uint32_t code) {
    list->items = grow(list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = code;
}

/* In the collecting search: go on looking. */
answer problem_collect(problem *p, const uint32_t *codes, uint32_t count) {
    if (p->collect->count >= 512) return MAYBE;
    set_list_add(p->collect, set_make(p->r, codes, count));
    return NO;
}

answer problem_leaf(problem *p) {
    static const char *const words[] = {"null", "false", "true"};
    if (1u << p->kind & KIND_NUMBERS) return number_leaf(p);
    if (p->kind < KIND_ARRAY) {
        if (p->out && p->kind <= KIND_TRUE) text_put(p->out, words[p->kind], strlen(words[p->kind]));
        return p->least <= p->most ? YES : NO;
    }
    size_t before = p->out ? p->out->length : 0;
    answer found = p->kind == KIND_ARRAY ? array_leaf(p) : object_leaf(p);
    if (found != YES && p->out) p->out->length = before;
    if (found == NO || !p->collect || p->kind == KIND_ARRAY) return found;
    code_list codes = {NULL, 0, 0};
    problem_open_codes(p, &codes);
    answer result = found == MAYBE ? MAYBE : problem_collect(p, codes.items, codes.count);
    free(codes.items);
    return result;
}

/* --- what is asked of members --- */

static void put_member_codes(problem *p, uint32_t name, uint64_t index, code_list *list) {
    const schema *applies;
    for (uint32_t i = 0; i < p->fact_count; i++) {
        const fact *f = &p->facts[i];
        if (p->kind == KIND_ARRAY) {
            if (f->kind == FACT_ITEM && f->n == index) code_list_put(list, f->code);
            if (f->kind == FACT_SCHEMA && schema_item(f->schema, index)) code_list_put(list, schema_item(f->schema, index)->code);
            continue;
        }
        if (f->kind == FACT_MEMBER && f->name == name) code_list_put(list, f->code);
        for (uint32_t k = 0; f->kind == FACT_SCHEMA && (applies = schema_member(p->r, f->schema, name, k)); k++)
            code_list_put(list, applies->code);
    }
}

const code_set *problem_member_set(problem *p, uint32_t name, uint64_t index, const fact *own) {
    code_list list = {NULL, 0, 0};
    put_member_codes(p, name, index, &list);
    if (own && own->code) code_list_put(&list, own->code);
    for (uint32_t i = 0; own && own->kind == FACT_OTHER && i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_SHARED && p->facts[i].n == own->n) code_list_put(&list, p->facts[i].code);
    const code_set *set = set_make(p->r, list.items, list.count);
    free(list.items);
    return set;
}

void problem_open_codes(const problem *p, code_list *out) {
    for (uint32_t i = 0; i < p->fact_count; i++) {
        const fact *f = &p->facts[i];
        if (f->kind == FACT_OPEN) code_list_put(out, f->code);
        /* What is equal to the open item asks the same of it. */
        if (f->kind == FACT_SAME && p->frame->open && f->n == p->frame->count)
            put_member_codes((problem *)p, NAME_OTHER, f->most, out);
    }
}

/* --- objects --- */

void put_separator(const problem *p, char separator) {
    bool spaced = p->r->options.whitespace == WEIR_WHITESPACE_SPACED;
    text_put(p->out, separator == ',' ? ", " : ": ", spaced ? 2 : 1);
}

static bool frame_holds(const frame *frame, const char *name, size_t length) {
    for (const member *m = frame ? frame->last : NULL; m; m = m->before)
        if (m->value->key_length == length && !memcmp(m->value->key, name, length)) return true;
    return false;
}

static language without_word(recogniser *r, language from, const char *word, size_t length) {
    return language_and(r->languages, from, language_not(r->languages, language_of_word(r->languages, word, length)));
}

/* The words of the class that are not names in the frame yet. */
language class_left(recogniser *r, const frame *frame, uint32_t name) {
    language left = r->classes[name - NAME_OTHER].words;
    for (const member *m = frame ? frame->last : NULL; m; m = m->before)
        if (m->name == name) left = without_word(r, left, m->value->key, m->value->key_length);
    return left;
}

/* The ordinal-th word of the class that is left. */
static bool put_word(recogniser *r, const frame *frame, uint32_t name, uint32_t ordinal, text_buffer *out) {
    language left = class_left(r, frame, name);
    size_t length;
    char *word = language_word(r->languages, left, &length);
    for (uint32_t i = 0; i < ordinal && word; i++) {
        left = without_word(r, left, word, length);
        free(word);
        word = language_word(r->languages, left, &length);
    }
    if (word) text_put_escaped(out, word, length);
    bool found = word;
    free(word);
    return found;
}

bool frame_other_name(recogniser *r, const frame *frame, uint32_t name, uint32_t ordinal, text_buffer *out) {
    char text[40];
    if (r->classes[name - NAME_OTHER].words != UINT32_MAX) return put_word(r, frame, name, ordinal, out);
    for (uint32_t i = 0;; i++) {
        size_t length = (size_t)snprintf(text, sizeof text, "x%u", i);
        if (!name_is_other(name_find(r, text, (uint32_t)length)) || frame_holds(frame, text, length)) continue;
        text_put(out, text, length);
        /* "x0", "x0_1", ... : "x0_" begins no other candidate */
        if (ordinal) text_put(out, text, (size_t)snprintf(text, sizeof text, "_%u", ordinal));
        return true;
    }
}

/* Members that are to be written: the known ones by rank, then others. */
typedef struct plan {
    struct planned {
        uint32_t name, ordinal;
        const fact *own;
    } *items;
    uint32_t count, capacity;
    answer result;
} plan;

static void plan_add(problem *p, plan *plan, uint32_t name, const fact *own) {
    uint32_t ordinal = 0;
    for (uint32_t i = 0; i < plan->count; i++) ordinal += name_is_other(name) && plan->items[i].name == name;
    plan->items = grow(plan->items, plan->count, &plan->capacity, sizeof *plan->items);
    plan->items[plan->count++] = (struct planned){name, ordinal, own};
    const code_set *set = problem_member_set(p, name, 0, own);
    plan->result =
        both(plan->result, set_satisfiable(p->r, set, position_child(p->r, p->position, name), p->depth, NULL));
}

/* How many more members of this class there can be, counted up to `limit`. */
static uint64_t class_room(problem *p, const plan *plan, uint32_t name, uint64_t limit) {
    uint64_t used = 0;
    if (p->r->classes[name - NAME_OTHER].words == UINT32_MAX) return limit;
    for (uint32_t i = 0; i < plan->count; i++) used += plan->items[i].name == name;
    language left = class_left(p->r, p->frame, name);
    if (is_open(p, name)) left = without_word(p->r, left, p->frame->key, p->frame->key_length);
    uint64_t words = language_count(p->r->languages, left, limit + used);
    return words < used ? 0 : words == UINT64_MAX ? words : words - used;
}

static bool may_add(const problem *p, const plan *plan, uint32_t name) {
    if (problem_has_fact(p, FACT_ABSENT, name) || !problem_can_write(p, name)) return false;
    if (name_is_other(name)) return true;
    for (uint32_t i = 0; i < plan->count; i++)
        if (plan->items[i].name == name) return false;
    return !problem_member(p, name) && !is_open(p, name);
}

/* Members that nothing asks for, up to the least number of members. */
static void plan_more(problem *p, plan *plan) {
    uint32_t name, kept = 0;
    bool unsure = false;
    for (uint32_t k = 0; problem_name(p, k, &name) && written_count(p) + plan->count < p->least; k++) {
        if (!may_add(p, plan, name)) continue;
        const code_set *set = problem_member_set(p, name, 0, NULL);
        answer found = set_satisfiable(p->r, set, position_child(p->r, p->position, name), p->depth, NULL);
        unsure |= found == MAYBE;
        if (found != YES) continue;
        uint64_t missing = p->least - written_count(p) - plan->count;
        uint64_t room = name_is_other(name) ? class_room(p, plan, name, missing) : 1;
        unsure |= room == UINT64_MAX;
        if (room > 10 * KEPT_NAMES) unsure = true;
        for (uint64_t i = 0; i < room && i < missing && i < 10 * KEPT_NAMES; i++) plan_add(p, plan, name, NULL);
    }
    for (uint32_t i = 0; i < plan->count; i++) kept += name_is_other(plan->items[i].name);
    for (const member *m = p->frame ? p->frame->last : NULL; m; m = m->before) kept += name_is_other(m->name);
    kept += p->frame && p->frame->open && name_is_other(p->frame->name);
    if (written_count(p) + plan->count < p->least) plan->result = both(plan->result, unsure ? MAYBE : NO);
    if (kept > KEPT_NAMES && p->position->disjunct) plan->result = both(plan->result, MAYBE);
}

static int64_t place_of(const problem *p, const struct planned *item) {
    if (name_is_other(item->name)) return INT64_MAX;
    int32_t rank = p->position->ranks[item->name];
    return rank == RANK_UNLISTED ? (int64_t)RANK_UNLISTED + item->name : rank;
}

static void sort_plan(const problem *p, plan *plan) {
    for (uint32_t i = 1; i < plan->count; i++) {
        struct planned item = plan->items[i];
        uint32_t at = i;
        for (; at && place_of(p, &plan->items[at - 1]) > place_of(p, &item); at--) plan->items[at] = plan->items[at - 1];
        plan->items[at] = item;
    }
}

static void write_plan(problem *p, plan *plan) {
    uint32_t written = p->frame ? p->frame->count : 0;
    if (!p->frame) text_put(p->out, "{", 1);
    for (uint32_t i = 0; i < plan->count && plan->result == YES; i++) {
        uint32_t name = plan->items[i].name;
        if (written++) put_separator(p, ',');
        text_put(p->out, "\"", 1);
        if (!name_is_other(name))
            text_put_escaped(p->out, p->r->names[name].text, p->r->names[name].text_length);
        else if (!frame_other_name(p->r, p->frame, name, plan->items[i].ordinal, p->out))
            plan->result = MAYBE;
        text_put(p->out, "\"", 1);
        put_separator(p, ':');
        const code_set *set = problem_member_set(p, name, 0, plan->items[i].own);
        plan->result =
            both(plan->result, set_satisfiable(p->r, set, position_child(p->r, p->position, name), p->depth, p->out));
    }
    text_put(p->out, "}", 1);
}

static answer object_leaf(problem *p) {
    plan plan = {.result = YES};
    for (uint32_t i = 0; i < p->fact_count && plan.result != NO; i++) {
        const fact *f = &p->facts[i];
        if (f->kind != FACT_PRESENT && f->kind != FACT_OTHER) continue;
        if (f->kind == FACT_OTHER) {
            uint64_t room = class_room(p, &plan, f->name, 1);
            plan.result = both(plan.result, room == UINT64_MAX ? MAYBE : room ? YES : NO);
        }
        plan_add(p, &plan, f->name, f);
    }
    if (plan.result != NO) plan_more(p, &plan);
    if (written_count(p) + plan.count > p->most) plan.result = NO;
    sort_plan(p, &plan);
    if (p->out && plan.result == YES) write_plan(p, &plan);
    free(plan.items);
    return plan.result;
}

/* --- numbers --- */

static answer number_leaf(problem *p) {
    number_goal goal = {.kind = p->kind};
    const json **unequal = malloc((p->fact_count + 1) * sizeof *unequal);
    if (!unequal) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < p->fact_count; i++) {
        const fact *f = &p->facts[i];
        const json **bound = f->kind == FACT_LOW ? &goal.low : &goal.high;
        bool *exclusive = f->kind == FACT_LOW ? &goal.low_exclusive : &goal.high_exclusive;
        if (f->kind == FACT_UNEQUAL) unequal[goal.unequal_count++] = f->number;
        if (f->kind != FACT_LOW && f->kind != FACT_HIGH) continue;
        int order = *bound ? decimal_compare(f->number->text, f->number->length, (*bound)->text, (*bound)->length) : 1;
        if (f->kind == FACT_HIGH && *bound) order = -order;
        if (order > 0 || (order == 0 && f->exclusive)) *bound = f->number, *exclusive = f->exclusive;
    }
    goal.unequal = unequal;
    goal.exponents = set_exponents(p->r, p->set, p->position);
    answer found = number_complete(p->prefix ? p->prefix : "", p->prefix_length, &goal, p->number);
    free(unequal);
    found = both(found, position_form(p->r, p->position, p->kind));
    if (found == YES && p->out) text_put(p->out, p->number, strlen(p->number));
    return found;
}
