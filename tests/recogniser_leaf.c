/* recogniser_leaf.c - the end of a branch: facts in, the questions about members that are left, and the text that
 * answers them, out. */
#include "recogniser_tableau.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- leaves: every choice is made --- */

typedef struct code_list {
    uint32_t *items, count, capacity;
} code_list;

static void put_code(code_list *list, uint32_t code) {
    list->items = grow(list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = code;
}

const code_set *problem_member_set(problem *p, uint32_t name, uint64_t index, const fact *own) {
    code_list list = {NULL, 0, 0};
    for (uint32_t i = 0; i < p->fact_count; i++) {
        const fact *f = &p->facts[i];
        const schema *applies = NULL;
        if (f->kind == FACT_SCHEMA)
            applies = p->kind == KIND_ARRAY ? schema_item(f->schema, index) : schema_member(f->schema, name);
        if (applies) put_code(&list, applies->code);
        if (p->kind == KIND_ARRAY ? f->kind == FACT_ITEM && f->n == index : f->kind == FACT_MEMBER && f->name == name)
            put_code(&list, f->code);
    }
    if (own && own->code) put_code(&list, own->code);
    const code_set *set = set_make(p->r, list.items, list.count);
    free(list.items);
    return set;
}

static answer both(answer a, answer b) {
    return a == NO || b == NO ? NO : a == YES && b == YES ? YES : MAYBE;
}

static void put_separator(const problem *p, char separator) {
    bool spaced = p->r->options.whitespace == WEIR_WHITESPACE_SPACED;
    text_put(p->out, separator == ',' ? ", " : ": ", spaced ? 2 : 1);
}

static void put_key(problem *p, const char *quoted, uint32_t length, uint32_t *written) {
    if ((*written)++) put_separator(p, ',');
    text_put(p->out, "\"", 1);
    text_put(p->out, quoted, length);
    text_put(p->out, "\"", 1);
    put_separator(p, ':');
}

void frame_other_name(const recogniser *r, const frame *frame, char *name, size_t capacity) {
    bool taken_already = true;
    for (uint32_t i = 0; taken_already; i++) {
        snprintf(name, capacity, "x%u", i);
        taken_already = name_find(r, name, (uint32_t)strlen(name)) != NAME_OTHER;
        for (const member *m = frame ? frame->last : NULL; m && !taken_already; m = m->before)
            taken_already = m->name == NAME_OTHER && m->value->key_length == strlen(name) &&
                            !memcmp(m->value->key, name, strlen(name));
    }
}

static answer put_other(problem *p, const fact *f, uint32_t ordinal, uint32_t *written) {
    const position *child = position_child(p->r, p->position, NAME_OTHER);
    if (p->out) {
        char name[40];
        frame_other_name(p->r, p->frame, name, 24);
        size_t used = strlen(name);
        /* "x0", "x0_1", ... : "x0_" begins no other candidate */
        if (ordinal) snprintf(name + used, sizeof name - used, "_%u", ordinal);
        put_key(p, name, (uint32_t)strlen(name), written);
    }
    return set_satisfiable(p->r, problem_member_set(p, NAME_OTHER, 0, f), child, p->depth, p->out);
}

static answer object_leaf(problem *p) {
    answer result = YES;
    uint32_t written = p->frame ? p->frame->count : 0, others = 0;
    int64_t rank = -1;
    if (p->out && !p->frame) text_put(p->out, "{", 1);
    for (;;) { /* names by rank; those of no rank by number */
        const fact *next = NULL;
        int64_t next_rank = INT64_MAX;
        for (uint32_t i = 0; i < p->fact_count; i++) {
            if (p->facts[i].kind != FACT_PRESENT) continue;
            int32_t listed = p->position->ranks[p->facts[i].name];
            int64_t own = listed == RANK_UNLISTED ? (int64_t)RANK_UNLISTED + p->facts[i].name : listed;
            if (own > rank && own < next_rank) next = &p->facts[i], next_rank = own;
        }
        if (!next) break;
        rank = next_rank;
        const known *name = &p->r->names[next->name];
        const code_set *set = problem_member_set(p, name->name, 0, NULL);
        if (p->out) put_key(p, name->quoted, name->length, &written);
        result =
            both(result, set_satisfiable(p->r, set, position_child(p->r, p->position, name->name), p->depth, p->out));
        if (result == NO) return NO;
    }
    for (uint32_t i = 0; i < p->fact_count && result != NO; i++)
        if (p->facts[i].kind == FACT_OTHER) result = both(result, put_other(p, &p->facts[i], others++, &written));
    if (p->out && result == YES) text_put(p->out, "}", 1);
    return result;
}

/* No more items than necessary: a further item never helps. */
static answer array_leaf(problem *p) {
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

static answer number_leaf(problem *p, const json *only) {
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
    if (only) goal = (number_goal){.kind = p->kind, .low = only, .high = only};
    goal.exponents = !set_tells_integers(p->r, p->set);
    answer found = number_complete(p->prefix ? p->prefix : "", p->prefix_length, &goal, p->number);
    free(unequal);
    if (found == YES && p->out) text_put(p->out, p->number, strlen(p->number));
    return found;
}

/* In the collecting search: what is asked of the open member is one more possibility. */
static answer collected(problem *p, const uint32_t *codes, uint32_t count) {
    if (p->collect->count >= 512) return MAYBE;
    set_list_add(p->collect, set_make(p->r, codes, count));
    return NO; /* go on looking */
}

answer problem_leaf(problem *p) {
    if (1u << p->kind & KIND_NUMBERS) return number_leaf(p, NULL);
    if (p->kind < KIND_ARRAY) {
        static const char *const words[] = {"null", "false", "true"};
        if (p->out && p->kind <= KIND_TRUE) text_put(p->out, words[p->kind], strlen(words[p->kind]));
        return p->least <= p->most ? YES : NO;
    }
    size_t before = p->out ? p->out->length : 0;
    answer found = p->kind == KIND_ARRAY ? array_leaf(p) : object_leaf(p);
    if (found != YES && p->out) p->out->length = before;
    if (found == NO || !p->collect) return found;
    code_list codes = {NULL, 0, 0};
    for (uint32_t i = 0; i < p->fact_count; i++)
        if (p->facts[i].kind == FACT_OPEN) put_code(&codes, p->facts[i].code);
    answer result = found == MAYBE ? MAYBE : collected(p, codes.items, codes.count);
    free(codes.items);
    return result;
}

/* --- constants --- */

static void put_value(const problem *p, const json *value, const json *after);

/* Does what is written of the container agree with this constant, which then can be completed in the order of the
 * policy? `open`: the constant's member where the open one is. */
static bool frame_agrees(const problem *p, const json *value, const json **open) {
    const frame *frame = p->frame;
    const member *m = frame->last;
    uint32_t index = frame->count;
    *open = NULL;
    if (p->kind == KIND_ARRAY) {
        if (value->count < written_count(p)) return false;
        const json **items = malloc((value->count + 1) * sizeof *items);
        if (!items) recogniser_panic("out of memory");
        uint32_t count = 0;
        for (const json *item = value->child; item; item = item->next) items[count++] = item;
        bool agrees = true;
        for (; m && agrees; m = m->before) agrees = values_equal(m->value, items[--index]);
        if (frame->open) *open = items[frame->count];
        free(items);
        return agrees;
    }
    uint32_t written = written_count(p);
    for (; m; m = m->before) {
        const json *same = m->name == NAME_OTHER ? NULL : json_get_n(value, m->value->key, m->value->key_length);
        if (!same || !values_equal(m->value, same)) return false;
    }
    for (const json *member = value->child; member; member = member->next) {
        uint32_t name = name_find(p->r, member->key, member->key_length);
        if (is_open(p, name))
            *open = member;
        else if (!problem_member(p, name) && !problem_can_write(p, name))
            return false;
        else if (!problem_member(p, name))
            written++;
    }
    return written == value->count && (!frame->open || *open);
}

/* In draft 4 the spelling decides whether it is an integer. */
static answer constant_number(problem *p, const json *value) {
    size_t before = p->out ? p->out->length : 0;
    answer found = number_leaf(p, value);
    json number = {.kind = JSON_NUMBER, .text = p->number};
    if (found != YES) return found;
    number.length = (uint32_t)strlen(p->number);
    if (set_holds(p->r, p->set, &number)) return YES;
    if (p->out) p->out->length = before;
    return NO;
}

static answer try_constant(problem *p, const json *value) {
    const json *open = NULL;
    int kind = value_kind(value);
    if (1u << kind & KIND_NUMBERS && 1u << p->kind & KIND_NUMBERS) return constant_number(p, value);
    if (kind != p->kind || !set_holds(p->r, p->set, value)) return NO;
    if (value_depth(value) > p->depth + 1) {
        p->r->depth_hit = true;
        return NO;
    }
    if (p->frame && !frame_agrees(p, value, &open)) return NO;
    if (p->collect) {
        uint32_t code = node_code(open) | CODE_VALUE | CODE_POSITIVE;
        return collected(p, &code, 1);
    }
    if (p->out) put_value(p, value, p->frame ? value : NULL);
    return YES;
}

answer problem_finite_leaf(problem *p) {
    const json *node = p->r->nodes[p->among >> 1];
    answer best = NO;
    if (!(p->among & 1)) return try_constant(p, node);
    for (const json *value = node->child; value && best != YES; value = value->next) {
        answer found = try_constant(p, value);
        if (found != NO) best = found;
    }
    return best;
}

static void put_quoted(text_buffer *out, const char *text, uint32_t length) {
    uint32_t step;
    char quoted[8];
    text_put(out, "\"", 1);
    for (uint32_t i = 0; i < length; i += step)
        text_put(out, quoted, quote_character(utf8_decode(text + i, &step), quoted));
    text_put(out, "\"", 1);
}

/* Without an exponent. */
static void put_number(const problem *p, const json *value) {
    number_goal goal = {.kind = value_kind(value), .low = value, .high = value};
    char text[NUMBER_CAPACITY];
    if (number_complete("", 0, &goal, text) == YES) text_put(p->out, text, strlen(text));
}

/* Writes a constant; objects in the order of the position. `partial`: of this one, only what the frame lacks. */
static void put_container(const problem *p, const json *value, const position *position, bool partial) {
    uint32_t written = partial ? p->frame->count : 0, index = 0;
    bool array = value->kind == JSON_ARRAY;
    problem inner = *p;
    inner.frame = NULL;
    inner.position = position;
    if (!partial) text_put(p->out, array ? "[" : "{", 1);
    if (array) {
        for (const json *item = value->child; item; item = item->next, index++) {
            if (index < written) continue;
            if (index) put_separator(p, ',');
            inner.position = position_item(p->r, position, index);
            put_value(&inner, item, NULL);
        }
    } else {
        for (int64_t rank = 0; rank < RANK_UNLISTED && written < value->count; rank++)
            for (const json *member = value->child; member; member = member->next) {
                uint32_t name = name_find(p->r, member->key, member->key_length);
                if (position->ranks[name] != rank || (partial && problem_member(p, name))) continue;
                if (written++) put_separator(p, ',');
                put_quoted(p->out, member->key, member->key_length);
                put_separator(p, ':');
                inner.position = position_child(p->r, position, name);
                put_value(&inner, member, NULL);
            }
    }
    text_put(p->out, array ? "]" : "}", 1);
}

static void put_value(const problem *p, const json *value, const json *partial) {
    if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT)
        put_container(p, value, p->position, partial);
    else if (value->kind == JSON_STRING)
        put_quoted(p->out, value->text, value->length);
    else if (value->kind == JSON_NUMBER)
        put_number(p, value);
    else
        text_put(p->out,
                 value->kind == JSON_NULL   ? "null"
                 : value->kind == JSON_TRUE ? "true"
                                            : "false",
                 value->kind == JSON_FALSE ? 5 : 4);
}
