/* goal_supply.c - how many different values a goal has, where they are few: a unique array cannot be longer. */
#include <string.h>

#include "goal.h"

#define ENDLESS 4096u /* more values than anyone keeps */

/* The greatest integer that is not above a decimal of at most 15 digits before its point. */
static int64_t floor_of(const decimal *value) {
    int64_t whole = 0;
    for (int32_t i = 0; i < value->point; i++) whole = whole * 10 + ((uint32_t)i < value->count ? value->digits[i] : 0);
    bool exact = value->sign == 0 || (int64_t)value->count <= value->point;
    if (value->sign >= 0) return whole;
    return exact ? -whole : -whole - 1;
}

/* Integers between two decimals, both excluded. */
static uint64_t integers_between(const decimal *lo, const decimal *hi) {
    if (lo->point > 15 || hi->point > 15) return UINT64_MAX;
    int64_t first = floor_of(lo) + 1, last = decimal_is_integer(hi) ? floor_of(hi) - 1 : floor_of(hi);
    return last < first ? 0 : (uint64_t)(last - first) + 1;
}

static uint64_t numbers(const compiler *c, const number_plan *plan) {
    uint64_t total = 0;
    for (uint32_t region = 0; region <= 2 * plan->threshold_count; region++) {
        const formula *classes = plan->classes + (size_t)region * NUMBER_FORMS;
        bool integers = classes[NUMBER_INTEGER] != FORMULA_FALSE || classes[NUMBER_INTEGER_WITH_FRACTION] != FORMULA_FALSE;
        bool others = classes[NUMBER_OTHER] != FORMULA_FALSE;
        if (!integers && !others) continue;
        if (region % 2 == 1) {
            total++;
            continue;
        }
        if (others || region == 0 || region == 2 * plan->threshold_count) return UINT64_MAX;
        uint64_t between = integers_between(schema_threshold(c, plan->thresholds[region / 2 - 1]),
                                            schema_threshold(c, plan->thresholds[region / 2]));
        if (between == UINT64_MAX) return between;
        total += between;
    }
    return total;
}

/* NONE: with any class. */
static bool text_ends(const text_node *node, formula class) {
    return class == NONE ? node->class != FORMULA_FALSE : node->class == class;
}

/* Edges mostly lead to higher numbers, so few rounds. */
uint8_t *text_live(compiler *c, const text_automaton *text, const uint8_t *ends) {
    uint8_t *live = NEW_ARRAY(c, uint8_t, text->states.count + 1);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t id = text->states.count; id-- > 0;) {
            const text_node *s = &text->states.items[id];
            bool now = ends[id] != 0;
            for (uint32_t k = 0; k < s->edge_count && !now; k++) now = live[text->edges.items[s->edges + k].target];
            changed |= now && !live[id];
            live[id] |= now;
        }
        compiler_spend(c, 5 * ((uint64_t)text->states.count + text->edges.count));
    }
    return live;
}

static uint8_t *live_for(compiler *c, const text_automaton *text, formula class) {
    uint8_t *ends = compiler_new(c, text->states.count + 1);
    for (uint32_t i = 0; i < text->states.count; i++) ends[i] = text_ends(&text->states.items[i], class);
    return text_live(c, text, ends);
}

/* Texts from the start on by their length, until all have ended; a circle makes them many. */
uint32_t text_supply(compiler *c, const text_automaton *text, formula class, uint32_t most) {
    uint32_t count = text->states.count;
    uint8_t *live = live_for(c, text, class);
    uint64_t total = 0, *now = NEW_ARRAY(c, uint64_t, count), *next = NEW_ARRAY(c, uint64_t, count);
    now[0] = 1;
    for (uint32_t length = 0; length <= count; length++) {
        memset(next, 0, sizeof *next * count);
        bool any = false;
        for (uint32_t i = 0; i < count; i++) {
            const text_node *node = &text->states.items[i];
            if (now[i] == 0) continue;
            if (text_ends(node, class)) total += now[i];
            if (total >= most) return most;
            for (uint32_t k = 0; k < node->edge_count; k++) {
                regex_edge e = text->edges.items[node->edges + k];
                if (!live[e.target]) continue;
                uint64_t more = now[i] * ((uint64_t)e.hi - e.lo + 1);
                next[e.target] = next[e.target] + more > 1000000 ? 1000000 : next[e.target] + more;
                any = true;
            }
            compiler_spend(c, 10);
        }
        if (!any) return (uint32_t)total;
        uint64_t *swap = now;
        now = next;
        next = swap;
    }
    return most;
}

static uint32_t utf8_encode(uint32_t point, char *out) {
    static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    uint32_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (uint32_t i = length; i-- > 1; point >>= 6) out[i] = (char)(0x80 | (point & 63));
    out[0] = (char)(leads[length] | point);
    return length;
}

/* The texts themselves, in order of their code points. */
static void enumerate(compiler *c, const text_automaton *text, formula class, const uint8_t *live, uint32_t at, char *bytes,
                      uint32_t length, text_visit *visit, void *context) {
    const text_node *node = &text->states.items[at];
    if (text_ends(node, class)) visit(c, context, bytes, length);
    compiler_enter(c, NULL);
    for (uint32_t k = 0; k < node->edge_count; k++) {
        regex_edge e = text->edges.items[node->edges + k];
        for (uint32_t point = e.lo; point <= e.hi && live[e.target]; point++) {
            uint32_t more = utf8_encode(point, bytes + length);
            enumerate(c, text, class, live, e.target, bytes, length + more, visit, context);
        }
    }
    compiler_leave(c);
}

void text_enumerate(compiler *c, const text_automaton *text, formula class, text_visit *visit, void *context) {
    char *bytes = compiler_new(c, 4 * (size_t)text->states.count + 4);
    enumerate(c, text, class, live_for(c, text, class), 0, bytes, 0, visit, context);
}

static uint64_t strings(compiler *c, const string_plan *plan, uint64_t most) {
    if (plan->patterned != NULL) return text_supply(c, plan->patterned, NONE, (uint32_t)most);
    uint64_t total = 0;
    for (uint32_t i = 0; i < plan->member_count; i++) total += plan->members[i].class != FORMULA_FALSE;
    for (uint32_t i = 0; i < plan->length_count; i++) {
        if (plan->lengths[i].class == FORMULA_FALSE) continue;
        if (plan->lengths[i].lo != 0 || plan->lengths[i].hi != 0) return most;
        total++;
    }
    return total;
}

uint32_t goal_supply(compiler *c, goal_id id, uint32_t most) {
    const goal *g = goal_get(c, id);
    uint64_t total = 0;
    for (int type = TYPE_NULL; type <= TYPE_TRUE; type++) total += g->of_type[type] != FORMULA_FALSE;
    if (g->of_type[TYPE_ARRAY] != FORMULA_FALSE || g->of_type[TYPE_OBJECT] != FORMULA_FALSE) return most;
    if (g->numbers != NULL) {
        uint64_t more = numbers(c, g->numbers);
        total = more >= most ? most : total + more;
    }
    if (g->strings != NULL) total += strings(c, g->strings, most);
    return total < most ? (uint32_t)total : most;
}

static bool array_is_endless(compiler *c, const graph *array) {
    for (uint32_t i = 0; i < array->nodes.count; i++) {
        const graph_node *node = &array->nodes.items[i];
        for (uint32_t k = 0; k < node->takes.count; k++) {
            const take *t = &node->takes.items[k];
            if (t->targets.count != 0 && t->targets.items[0] != NONE && i == 0 && goal_is_endless(c, t->child.goal)) return true;
        }
    }
    return false;
}

/* A member of the first node that may come, of endless values, or of any name. */
static bool object_is_endless(compiler *c, const graph *object) {
    if (object->nodes.count == 0) return false;
    const graph_node *node = &object->nodes.items[0];
    for (uint32_t k = 0; k < node->takes.count; k++) {
        const take *t = &node->takes.items[k];
        bool live = t->targets.count == 1 && t->targets.items[0] != NONE;
        if (!live) continue;
        if (t->name == NONE && object->name_text == NULL) return true;
        if (goal_is_endless(c, t->child.goal)) return true;
    }
    return false;
}

bool goal_is_endless(compiler *c, goal_id id) {
    goal *g = goal_get(c, id);
    if (g->endless != 0) return g->endless == 2;
    g->endless = 1;
    if (g->classes.count != 1) return false;
    compiler_enter(c, NULL);
    bool endless = g->strings != NULL && strings(c, g->strings, ENDLESS) >= ENDLESS;
    endless = endless || (g->numbers != NULL && numbers(c, g->numbers) >= ENDLESS);
    endless = endless || (g->array != NULL && array_is_endless(c, g->array));
    endless = endless || (g->object != NULL && object_is_endless(c, g->object));
    compiler_leave(c);
    g->endless = endless ? 2 : 1;
    return endless;
}
