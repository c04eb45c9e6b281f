/* recogniser_constant.c - the end of a branch in which the value is one of finitely many: each is looked at. */
#include "recogniser_tableau.h"

#include <stdlib.h>

static void put_value(const problem *p, const json *value, const json *after);
static answer try_constant(problem *p, const json *value);

answer problem_finite_leaf(problem *p) {
    const json *node = node_at(p->r, p->among >> 1);
    answer best = NO;
    if (!(p->among & 1)) return try_constant(p, node);
    for (const json *value = node->child; value && best != YES; value = value->next) {
        answer found = try_constant(p, value);
        if (found != NO) best = found;
    }
    return best;
}

static bool array_can_become(const problem *p, const json *value, const json **open) {
    uint32_t index = p->frame->count, count = 0;
    const json **items = malloc((value->count + 1) * sizeof *items);
    bool agrees = value->count >= written_count(p);
    if (!items) recogniser_panic("out of memory");
    for (const json *item = value->child; item; item = item->next) items[count++] = item;
    for (const member *m = p->frame->last; m && agrees; m = m->before) agrees = values_equal(m->value, items[--index]);
    if (agrees && p->frame->open) *open = items[p->frame->count];
    free(items);
    return agrees;
}

/* In the order of the policy. */
bool problem_can_become(const problem *p, const json *value, const json **open) {
    uint32_t found = 0;
    *open = NULL;
    if (p->kind == KIND_ARRAY) return array_can_become(p, value, open);
    for (const member *m = p->frame->last; m; m = m->before) {
        const json *same = json_get_n(value, m->value->key, m->value->key_length);
        if (!same || !values_equal(m->value, same)) return false;
    }
    for (const json *member = value->child; member; member = member->next) {
        uint32_t name = name_at(p->r, p->position, member->key, member->key_length);
        found++;
        if (open_has_key(p, member->key, member->key_length))
            *open = member;
        else if (problem_keyed(p, member->key, member->key_length))
            continue;
        else if (!problem_can_write(p, name))
            return false;
    }
    return found == value->count && (!p->frame->open || *open);
}

/* In draft 4 the spelling decides whether it is an integer. */
static answer constant_number(problem *p, const json *value) {
    const number_goal goal = {
        .kind = p->kind, .low = value, .high = value, .exponents = set_exponents(p->r, p->set, p->position)};
    answer found = number_complete(p->prefix ? p->prefix : "", p->prefix_length, &goal, p->number);
    json number = {.kind = JSON_NUMBER, .text = p->number};
    if (found == MAYBE && p->r->draft != 4 && !set_holds(p->r, p->set, value)) return NO;
    if (found != YES) return found;
    number.length = (uint32_t)strlen(p->number);
    if (!set_holds(p->r, p->set, &number)) return NO;
    found = position_form(p->r, p->position, p->kind);
    if (p->out && found == YES) text_put(p->out, p->number, number.length);
    return found;
}

static bool is_taken(const problem *p, const json *value) {
    for (const member *m = set_has(p->set, CODE_DISTINCT) ? p->others : NULL; m; m = m->before)
        if (values_equal(m->value, value)) return true;
    return false;
}

static answer try_constant(problem *p, const json *value) {
    const json *open = NULL;
    int kind = value_kind(value);
    if (is_taken(p, value)) return NO;
    if (1u << kind & KIND_NUMBERS && 1u << p->kind & KIND_NUMBERS) return constant_number(p, value);
    if (kind != p->kind || !set_holds(p->r, p->set, value)) return NO;
    if (value_depth(value) > p->depth + 1) {
        p->r->depth_hit = true;
        return NO;
    }
    if (p->frame && !problem_can_become(p, value, &open)) return NO;
    if (p->collect) {
        uint32_t code = node_code(open) | CODE_VALUE | CODE_POSITIVE;
        return problem_collect(p, &code, 1);
    }
    if (p->out) put_value(p, value, p->frame ? value : NULL);
    return YES;
}

/* --- writing --- */

/* Without an exponent. */
static void put_number(const problem *p, const json *value) {
    number_goal goal = {.kind = value_kind(value), .low = value, .high = value};
    char text[NUMBER_CAPACITY];
    if (number_complete("", 0, &goal, text) == YES) text_put(p->out, text, strlen(text));
}

static void put_members(const problem *p, const json *value, const position *position, uint32_t written, bool partial) {
    problem inner = *p;
    inner.frame = NULL;
    for (int64_t rank = 0; written < value->count && rank <= RANK_UNLISTED; rank++) {
        if (rank == p->r->name_count) rank = RANK_UNLISTED; /* ranks are fewer than names */
        for (const json *member = value->child; member; member = member->next) {
            uint32_t name = name_at(p->r, position, member->key, member->key_length);
            int32_t own = name_is_other(name) ? RANK_UNLISTED : position->ranks[name];
            if (own != rank || (partial && problem_keyed(p, member->key, member->key_length))) continue;
            if (written++) put_separator(p, ',');
            text_put_string(p->out, member->key, member->key_length);
            put_separator(p, ':');
            inner.position = position_child(p->r, position, name);
            put_value(&inner, member, NULL);
        }
    }
}

/* Writes a constant; objects in the order of the position. `partial`: of this one, only what the frame lacks. */
static void put_container(const problem *p, const json *value, const position *position, bool partial) {
    uint32_t written = partial ? p->frame->count : 0, index = 0;
    bool array = value->kind == JSON_ARRAY;
    problem inner = *p;
    inner.frame = NULL;
    if (!partial) text_put(p->out, array ? "[" : "{", 1);
    if (!array) put_members(p, value, position, written, partial);
    for (const json *item = array ? value->child : NULL; item; item = item->next, index++) {
        if (index < written) continue;
        if (index) put_separator(p, ',');
        inner.position = position_item(p->r, position, index);
        put_value(&inner, item, NULL);
    }
    text_put(p->out, array ? "]" : "}", 1);
}

static void put_value(const problem *p, const json *value, const json *partial) {
    if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT)
        put_container(p, value, p->position, partial);
    else if (value->kind == JSON_STRING)
        text_put_string(p->out, value->text, value->length);
    else if (value->kind == JSON_NUMBER)
        put_number(p, value);
    else
        text_put(p->out,
                 value->kind == JSON_NULL   ? "null"
                 : value->kind == JSON_TRUE ? "true"
                                            : "false",
                 value->kind == JSON_FALSE ? 5 : 4);
}
