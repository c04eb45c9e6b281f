/* recogniser_solve.c - a conjunction of literals and what is written of a value in, "can it be completed?" out.
 *
 * A tableau. The kind of the value is chosen first; then literals state facts and leave choices. When every choice is
 * made, what remains are independent questions about members, asked in the same way, one level deeper. "No" means that
 * every choice ends in a contradiction. Strings and names that the schema mentions are looked at one by one, so that in
 * the tableau a string is always some other string. */
#include "recogniser_tableau.h"

#include <stdlib.h>
#include <string.h>

static answer solve(problem *p);
static answer search(problem *p);

/* --- questions --- */

enum { NEVER = 30000 };

typedef struct set_memo {
    const code_set *set;
    const position *position;
    int32_t below, above; /* unsatisfiable within depth <= below, satisfiable within depth >= above */
} set_memo;

static set_memo *memo_slot(recogniser *r, const code_set *set, const position *position) {
    if (2 * r->memo_count >= r->memo_capacity) {
        set_memo *old = r->memo;
        uint32_t old_capacity = r->memo_capacity;
        r->memo_capacity = old_capacity ? 2 * old_capacity : 256;
        r->memo = calloc(r->memo_capacity, sizeof *r->memo);
        if (!r->memo) recogniser_panic("out of memory");
        r->memo_count = 0;
        for (uint32_t i = 0; i < old_capacity; i++)
            if (old[i].set) *memo_slot(r, old[i].set, old[i].position) = old[i];
        free(old);
    }
    for (uint32_t i = set->id * 2654435761u + position->id * 40503u;; i++) {
        set_memo *memo = &r->memo[i & (r->memo_capacity - 1)];
        if (memo->set == set && memo->position == position) return memo;
        if (memo->set) continue;
        r->memo_count++;
        *memo = (set_memo){set, position, -1, NEVER};
        return memo;
    }
}

static answer string_anew(problem *p);

/* One depth, every kind of value. */
static answer attempt(recogniser *r, const code_set *set, const position *position, uint32_t depth, const member *others,
                      text_buffer *out) {
    answer best = NO;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        problem p = {.r = r, .set = set, .position = position, .kind = kind, .others = others, .out = out};
        if (kind == KIND_WHOLE && r->draft != 4) continue; /* as KIND_INTEGER */
        if (kind == KIND_ARRAY || kind == KIND_OBJECT) {
            if (!depth) {
                r->depth_hit = true;
                continue;
            }
            p.depth = depth - 1;
        }
        answer found = kind == KIND_STRING ? string_anew(&p) : solve(&p);
        if (found == YES) return YES;
        if (found == MAYBE) best = MAYBE;
    }
    return best;
}

answer set_satisfiable(recogniser *r, const code_set *set, const position *position, uint32_t depth, text_buffer *out) {
    set_memo *memo = memo_slot(r, set, position);
    while (memo->above == NEVER && memo->below < (int32_t)depth) {
        int32_t try = memo->below + 1;
        bool hit = r->depth_hit;
        r->depth_hit = false;
        answer found = attempt(r, set, position, (uint32_t)try, NULL, NULL);
        bool deeper = r->depth_hit;
        r->depth_hit = hit;
        if (found == MAYBE) return MAYBE;
        memo = memo_slot(r, set, position);
        if (found == YES)
            memo->above = try;
        else
            memo->below = deeper ? try : NEVER;
    }
    if (memo->above > (int32_t)depth) {
        r->depth_hit |= memo->below < NEVER;
        return NO;
    }
    return out ? attempt(r, set, position, (uint32_t)memo->above, NULL, out) : YES;
}

answer set_another(recogniser *r, const code_set *set, const position *position, uint32_t depth, const member *others,
                   text_buffer *out) {
    answer found = others ? NO : set_satisfiable(r, set, position, depth, out);
    return others ? attempt(r, set_with(r, set, CODE_DISTINCT), position, depth, others, out) : found;
}

/* The items before the container, when it is one of an array. */
static const member *earlier(const frame *frame) {
    return frame->parent && frame->parent->kind == KIND_ARRAY ? frame->parent->last : NULL;
}

answer frame_finishable(recogniser *r, frame *frame, text_buffer *out) {
    answer best = frame->unsure ? MAYBE : NO;
    for (uint32_t i = 0; i < frame->sets.count; i++) {
        problem p = {.r = r,
                     .set = frame->sets.items[i],
                     .position = frame->position,
                     .depth = frame->depth,
                     .kind = frame->kind,
                     .frame = frame,
                     .others = earlier(frame),
                     .out = out};
        answer found = solve(&p);
        if (found == YES) return YES;
        if (found == MAYBE) best = MAYBE;
    }
    return best;
}

void frame_children(recogniser *r, frame *frame) {
    set_list found = {0, 0, NULL};
    frame->child_ready = true;
    frame->child_unsure = frame->unsure;
    r->work = 0; /* a question of its own: what is found must not hang on what was asked before */
    if (!frame->parent) { /* the document itself */
        frame->child_position = frame->position;
        frame->child_sets = frame->sets;
        return;
    }
    frame->child_position = frame->kind == KIND_OBJECT ? position_child(r, frame->position, frame->name)
                                                       : position_item(r, frame->position, frame->count);
    for (uint32_t i = 0; i < frame->sets.count; i++) {
        problem p = {.r = r,
                     .set = frame->sets.items[i],
                     .position = frame->position,
                     .depth = frame->depth,
                     .kind = frame->kind,
                     .frame = frame,
                     .others = earlier(frame),
                     .collect = &found};
        if (solve(&p) == MAYBE) frame->child_unsure = true;
    }
    frame->child_sets =
        (set_list){found.count, found.count, region_take(frame->home, found.count * sizeof *found.items)};
    if (found.count) memcpy(frame->child_sets.items, found.items, found.count * sizeof *found.items);
    free(found.items);
}

answer set_string(recogniser *r, const code_set *set, const position *position, uint64_t least, uint64_t *length) {
    problem p = {.r = r, .set = set, .position = position, .kind = KIND_STRING, .least = least};
    answer found = solve(&p);
    *length = p.least;
    return found;
}

answer set_number(recogniser *r, const code_set *set, const position *position, const member *others, const char *prefix,
                  uint32_t length, char out[NUMBER_CAPACITY]) {
    answer best = NO;
    for (int kind = KIND_INTEGER; kind <= KIND_FRACTION; kind++) {
        problem p = {.r = r,
                     .set = set,
                     .position = position,
                     .kind = kind,
                     .others = others,
                     .prefix = prefix,
                     .prefix_length = length};
        answer found = solve(&p);
        if (found == YES) return strcpy(out, p.number), YES;
        if (found == MAYBE) best = MAYBE;
    }
    return best;
}

/* A whole string where patterns have a say, or where it must differ from others. */
static answer string_of_language(problem *p) {
    language_pool *pool = p->r->languages;
    language words = set_strings(p->r, p->set);
    size_t length;
    for (const member *m = set_has(p->set, CODE_DISTINCT) ? p->others : NULL; m; m = m->before)
        if (m->value->kind == JSON_STRING)
            words = language_and(pool, words,
                                 language_not(pool, language_of_word(pool, m->value->text, m->value->length)));
    int lives = language_lives(pool, words);
    if (lives != 1 || !p->out) return lives == 1 ? YES : lives == 0 ? NO : MAYBE;
    char *text = language_word(pool, words, &length);
    if (text) text_put_string(p->out, text, length);
    answer found = text ? YES : MAYBE;
    free(text);
    return found;
}

/* A whole string: each one that is mentioned, then any other. */
static answer string_anew(problem *p) {
    const known_list *strings = &p->position->strings;
    if (p->others || set_is_patterned(p->r, p->set)) return string_of_language(p);
    for (uint32_t i = 0; i < strings->count; i++) {
        if (!set_holds(p->r, p->set, strings->items[i].value)) continue;
        if (p->out) text_put_string(p->out, strings->items[i].text, strings->items[i].text_length);
        return YES;
    }
    p->least = strings->count && !strings->items[0].length;
    answer found = solve(p);
    if (found != YES || !p->out) return found;
    /* A character that no string begins with makes it another string. */
    char filler = 'a';
    for (uint32_t i = 0; i < strings->count; i++)
        if (strings->items[i].length && strings->items[i].quoted[0] == filler && filler < 'z') filler++, i = UINT32_MAX;
    text_put(p->out, "\"", 1);
    for (uint64_t i = 0; i < p->least; i++) text_put(p->out, &filler, 1);
    text_put(p->out, "\"", 1);
    return YES;
}

/* --- the tableau --- */

static answer solve(problem *p) {
    bool holds = true;
    answer found = NO;
    if (p->kind == KIND_OBJECT && p->position->vague) return MAYBE;
    p->most = UINT64_MAX;
    for (uint32_t i = 0; i < p->set->count && holds; i++) holds = problem_literal(p, p->set->codes[i]);
    if (holds) found = search(p);
    free(p->facts);
    free(p->literals);
    free(p->choices);
    return found;
}

static mark save(const problem *p) {
    return (mark){p->fact_count, p->literal_count, p->choice_count, p->among, p->least, p->most,
                  p->is_limited, p->unique};
}

static void undo(problem *p, mark mark) {
    p->fact_count = mark.fact_count;
    p->literal_count = mark.literal_count;
    p->choice_count = mark.choice_count;
    p->among = mark.among;
    p->least = mark.least;
    p->most = mark.most;
    p->is_limited = mark.is_limited;
    p->unique = mark.unique;
}

/* Some collected set asks no more of the open member than this branch does already. */
static bool is_covered(const problem *p) {
    for (uint32_t i = 0; i < p->collect->count; i++) {
        const code_set *set = p->collect->items[i];
        uint32_t found = 0;
        for (uint32_t k = 0; k < set->count; k++)
            for (uint32_t f = 0; f < p->fact_count; f++)
                if (p->facts[f].kind == FACT_OPEN && p->facts[f].code == set->codes[k]) {
                    found++;
                    break;
                }
        if (found == set->count) return true;
    }
    return false;
}

/* How many options do not contradict what is known, counted up to 2; UINT32_MAX: one of them is known to hold. */
static uint32_t viable_options(problem *p, uint32_t index) {
    uint32_t viable = 0;
    for (uint32_t option = 0; viable < 2; option++) {
        mark before = save(p);
        uint64_t news = p->news;
        choice copy = p->choices[index];
        outcome outcome = problem_apply(p, &copy, option);
        undo(p, before);
        if (outcome == END) break;
        if (outcome == TAKEN && p->news == news) return UINT32_MAX;
        viable += outcome == TAKEN;
    }
    return viable;
}

static answer search(problem *p) {
    uint32_t chosen = UINT32_MAX, fewest = 3;
    answer best = NO;
    if (++p->r->work > p->r->options.work_limit) return MAYBE;
    if (p->collect && is_covered(p)) return NO;
    if (p->is_limited) return problem_finite_leaf(p);
    uint8_t *made = malloc(p->choice_count + 1);
    if (!made) recogniser_panic("out of memory");
    uint32_t choice_count = p->choice_count;
    for (uint32_t i = 0; i < choice_count; i++) made[i] = p->choices[i].made;
    for (uint32_t i = 0; i < choice_count && fewest > 1; i++) {
        if (p->choices[i].made) continue;
        uint32_t viable = viable_options(p, i);
        if (viable == UINT32_MAX)
            p->choices[i].made = true;
        else if (viable < fewest)
            fewest = viable, chosen = i;
    }
    if (chosen == UINT32_MAX) {
        best = problem_leaf(p);
    } else if (fewest) {
        choice copy = p->choices[chosen];
        p->choices[chosen].made = true;
        for (uint32_t option = 0;; option++) {
            mark before = save(p);
            outcome outcome = problem_apply(p, &copy, option);
            if (outcome == END) break;
            answer found = outcome == TAKEN ? search(p) : NO;
            if (found == YES && !p->collect) {
                best = YES;
                break;
            } /* p->least and p->number stay */
            undo(p, before);
            if (found == MAYBE) best = MAYBE;
            if (p->collect && is_covered(p)) break;
        }
    }
    for (uint32_t i = 0; i < choice_count; i++) p->choices[i].made = made[i];
    free(made);
    return best;
}
