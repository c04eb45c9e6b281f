/* schema_unevaluated.c - what unevaluatedProperties and unevaluatedItems say, as a formula.
 *
 * Every schema that applies in place evaluates names, patterns of names or items on a condition: that the schemas on
 * the way to it hold. One that the schema itself demands (allOf, $ref) needs no condition of its own: without it the
 * schema is false anyhow. What one condition allows is a share; the first share has no condition. */
#include <string.h>

#include "schema.h"

#define MOST_CHOICES 6 /* shares whose patterns, or whose `contains`, are told apart: each subset is a formula */

typedef VECTOR(formula) formula_list;

typedef struct share {
    formula condition;
    bool everything;
    id_list keys, patterns; /* of an object */
    uint32_t key_set;       /* of both */
    uint32_t prefix;        /* of an array: so many items, and those that satisfy one of these */
    id_list contains;
} share;

typedef struct evaluation {
    value_type type;
    bool of_contains; /* items found by `contains` are evaluated */
    interner conditions; /* formula -> share */
    VECTOR(share) shares;
    interner met; /* {schema, condition} */
} evaluation;

/* Conditions that add to what the first share evaluates; equal additions are one, on either condition. */
typedef struct choice {
    formula condition;
    id_list added;
} choice;
typedef VECTOR(choice) choice_list;

static void collect(compiler *c, evaluation *e, const schema *s, formula condition, bool is_asker);

/* --- shares ----------------------------------------------------------------------------------------------------- */

static share *share_of(compiler *c, evaluation *e, formula condition) {
    bool is_new;
    uint32_t at = intern(c, &e->conditions, &condition, sizeof condition, &is_new);
    if (is_new) {
        share empty = {.condition = condition};
        PUSH(c, e->shares, empty);
    }
    return &e->shares.items[at];
}

static void add_members(compiler *c, share *to, const schema *s) {
    for (uint32_t i = 0; i < s->property_count; i++) PUSH(c, to->keys, s->properties[i].key);
    for (uint32_t i = 0; i < s->pattern_count; i++) PUSH(c, to->patterns, s->pattern_properties[i].pattern);
    to->everything |= s->additional != NONE;
}

static void add_items(compiler *c, share *to, const schema *s, bool of_contains) {
    if (s->prefix_count > to->prefix) to->prefix = s->prefix_count;
    to->everything |= s->items != NONE;
    if (!of_contains || s->contains == NONE || s->draft < DRAFT_2020) return;
    uint32_t id = schema_canonical(c, s->contains);
    formula known = schema_verdict(c, id);
    to->everything |= known == FORMULA_TRUE;
    if (known == NONE) PUSH(c, to->contains, id);
}

static void collect_id(compiler *c, evaluation *e, uint32_t id, formula condition) {
    if (id == NONE || condition == FORMULA_FALSE) return;
    uint32_t key[2] = {id, condition};
    bool is_new;
    intern(c, &e->met, key, sizeof key, &is_new);
    schema s = *schema_get(c, id);
    if (!is_new || s.node->kind != JSON_OBJECT) return;
    compiler_enter(c, s.node);
    compiler_spend(c, 100);
    collect(c, e, &s, condition, false);
    compiler_leave(c);
}

static void collect_where_it_holds(compiler *c, evaluation *e, uint32_t id, formula condition) {
    collect_id(c, e, id, formula_and2(c, condition, schema_formula(c, id, e->type)));
}

static void collect(compiler *c, evaluation *e, const schema *s, formula condition, bool is_asker) {
    share *own = share_of(c, e, condition);
    if (e->type == TYPE_OBJECT) add_members(c, own, s);
    if (e->type == TYPE_ARRAY) add_items(c, own, s, e->of_contains);
    uint32_t rest = e->type == TYPE_OBJECT ? s->unevaluated_properties : s->unevaluated_items;
    own->everything |= rest != NONE && !is_asker;
    collect_id(c, e, s->reference, condition);
    collect_id(c, e, s->dynamic, condition);
    for (uint32_t i = 0; i < s->all_count; i++) collect_id(c, e, s->all_of[i], condition);
    for (uint32_t i = 0; i < s->any_count; i++) collect_where_it_holds(c, e, s->any_of[i], condition);
    for (uint32_t i = 0; i < s->one_count; i++) collect_where_it_holds(c, e, s->one_of[i], condition);
    for (uint32_t i = 0; i < s->dependent_count && e->type == TYPE_OBJECT; i++) {
        formula present = formula_atom(c, ATOM_REQUIRED, s->dependents[i].key, 0);
        collect_id(c, e, s->dependents[i].schema, formula_and2(c, condition, present));
    }
    if (s->if_schema == NONE) return;
    formula holds = schema_formula(c, s->if_schema, e->type);
    collect_id(c, e, s->if_schema, formula_and2(c, condition, holds));
    collect_id(c, e, s->then_schema, formula_and2(c, condition, holds));
    collect_id(c, e, s->else_schema, formula_and2(c, condition, formula_not(c, holds)));
}

static evaluation evaluate(compiler *c, const schema *s, value_type type) {
    evaluation e = {.type = type, .of_contains = s->draft >= DRAFT_2020};
    collect(c, &e, s, FORMULA_TRUE, true);
    return e;
}

/* The value is wholly evaluated, or `says`. */
static formula or_everything(compiler *c, const evaluation *e, formula says) {
    formula_list ways = {NULL, 0, 0};
    PUSH(c, ways, says);
    for (uint32_t i = 0; i < e->shares.count; i++) {
        if (e->shares.items[i].everything) PUSH(c, ways, e->shares.items[i].condition);
    }
    return formula_or(c, ways.items, ways.count);
}

/* --- choices ---------------------------------------------------------------------------------------------------- */

static bool contains_id(const id_list *list, uint32_t id) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i] == id) return true;
    }
    return false;
}

static bool same_ids(const id_list *a, const id_list *b) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!contains_id(b, a->items[i])) return false;
    }
    return true;
}

static void add_choice(compiler *c, choice_list *choices, formula condition, const id_list *added,
                       const id_list *known) {
    choice made = {condition, {NULL, 0, 0}};
    for (uint32_t i = 0; i < added->count; i++) {
        compiler_spend(c, 10 + known->count + made.added.count);
        uint32_t id = added->items[i];
        if (!contains_id(known, id) && !contains_id(&made.added, id)) PUSH(c, made.added, id);
    }
    if (made.added.count == 0) return;
    for (uint32_t i = 0; i < choices->count; i++) {
        choice *other = &choices->items[i];
        if (!same_ids(&other->added, &made.added)) continue;
        other->condition = formula_or(c, (formula[]){other->condition, condition}, 2);
        return;
    }
    PUSH(c, *choices, made);
}

static void limit_choices(compiler *c, const choice_list *choices, const schema *s, const char *keyword,
                          const char *beside) {
    if (choices->count <= MOST_CHOICES) return;
    compiler_fail(c, WEIR_ERROR_SCHEMA, json_get(s->node, keyword),
                  "the keyword \"%s\" is not supported beside more than %d different %s that stand under conditions",
                  keyword, MOST_CHOICES, beside);
}

/* The conditions of a subset, by bits, hold and the others do not, so that of all subsets one is left once the
 * conditions are known. What they add goes to the end of the list. */
static formula choose(compiler *c, const choice_list *choices, uint32_t subset, id_list *added) {
    formula all = FORMULA_TRUE;
    for (uint32_t i = 0; i < choices->count; i++) {
        const choice *of = &choices->items[i];
        bool chosen = (subset >> i & 1) != 0;
        all = formula_and2(c, all, chosen ? of->condition : formula_not(c, of->condition));
        for (uint32_t k = 0; k < of->added.count && chosen; k++) PUSH(c, *added, of->added.items[k]);
    }
    return all;
}

/* --- members ---------------------------------------------------------------------------------------------------- */

static void add_ids(compiler *c, id_list *to, const id_list *from, uint32_t offset) {
    for (uint32_t i = 0; i < from->count; i++) PUSH(c, *to, offset + from->items[i]);
}

static void set_keys(compiler *c, evaluation *e) {
    for (uint32_t i = 0; i < e->shares.count; i++) {
        share *of = &e->shares.items[i];
        id_list ids = {NULL, 0, 0};
        add_ids(c, &ids, &of->keys, 0);
        add_ids(c, &ids, &of->patterns, PATTERN_IN_SET);
        of->key_set = schema_key_set(c, ids.items, ids.count);
    }
}

/* Of a name that some share lists: it is evaluated, or the member satisfies the schema. */
static formula listed_member(compiler *c, const evaluation *e, uint32_t key, uint32_t id) {
    uint32_t length;
    const char *text = schema_key_text(c, key, &length);
    uint8_t *matches = compiler_zero(c, c->schemas->patterns.count + 1);
    formula_list ways = {NULL, 0, 0};
    PUSH(c, ways, schema_property_formula(c, key, id));
    for (uint32_t i = 0; i < e->shares.count; i++) {
        const share *of = &e->shares.items[i];
        for (uint32_t k = 0; k < of->patterns.count; k++) {
            compiler_spend(c, 20 + 5 * (uint64_t)length);
            uint32_t pattern = of->patterns.items[k];
            matches[pattern] = regex_accepts(c->schemas->patterns.items[pattern], text, length);
        }
        bool evaluated = schema_key_in_set(c, key, of->key_set) || schema_set_matches(c, of->key_set, matches);
        if (evaluated) PUSH(c, ways, of->condition);
        if (evaluated && of->condition == FORMULA_TRUE) return FORMULA_TRUE;
    }
    return or_everything(c, e, formula_or(c, ways.items, ways.count));
}

/* Of all other names: which patterns evaluate hangs on the conditions. */
static formula other_members(compiler *c, const evaluation *e, const schema *s, const id_list *listed, uint32_t id) {
    const share *plain = &e->shares.items[0];
    choice_list choices = {NULL, 0, 0};
    for (uint32_t i = 1; i < e->shares.count; i++) {
        const share *of = &e->shares.items[i];
        if (!of->everything) add_choice(c, &choices, of->condition, &of->patterns, &plain->patterns);
    }
    limit_choices(c, &choices, s, "unevaluatedProperties", "patternProperties");
    formula_list ways = {NULL, 0, 0};
    for (uint32_t subset = 0; subset < 1u << choices.count; subset++) {
        id_list patterns = {NULL, 0, 0}, ids = {NULL, 0, 0};
        formula hold = choose(c, &choices, subset, &patterns);
        add_ids(c, &ids, listed, 0);
        add_ids(c, &ids, &plain->patterns, PATTERN_IN_SET);
        add_ids(c, &ids, &patterns, PATTERN_IN_SET);
        uint32_t set = schema_key_set(c, ids.items, ids.count);
        PUSH(c, ways, formula_and2(c, hold, schema_additional_formula(c, id, set)));
    }
    return or_everything(c, e, formula_or(c, ways.items, ways.count));
}

formula schema_unevaluated_properties(compiler *c, const schema *s) {
    uint32_t id = s->unevaluated_properties;
    if (id == NONE || schema_verdict(c, schema_canonical(c, id)) == FORMULA_TRUE) return FORMULA_TRUE;
    evaluation e = evaluate(c, s, TYPE_OBJECT);
    if (e.shares.items[0].everything) return FORMULA_TRUE;
    set_keys(c, &e);
    id_list listed = {NULL, 0, 0};
    uint8_t *known = compiler_zero(c, c->schemas->keys.count + 1);
    formula_list parts = {NULL, 0, 0};
    for (uint32_t i = 0; i < e.shares.count; i++) {
        const share *of = &e.shares.items[i];
        for (uint32_t k = 0; k < of->keys.count; k++) {
            uint32_t key = of->keys.items[k];
            if (!known[key]) PUSH(c, listed, key);
            known[key] = 1;
        }
    }
    for (uint32_t i = 0; i < listed.count; i++) PUSH(c, parts, listed_member(c, &e, listed.items[i], id));
    PUSH(c, parts, other_members(c, &e, s, &listed, id));
    return formula_and(c, parts.items, parts.count);
}

/* --- items ------------------------------------------------------------------------------------------------------ */

/* The least prefix of a share beyond `from`, or NONE. */
static uint32_t next_prefix(const evaluation *e, uint32_t from) {
    uint32_t next = NONE;
    for (uint32_t i = 0; i < e->shares.count; i++) {
        uint32_t prefix = e->shares.items[i].prefix;
        if (prefix > from && prefix < next) next = prefix;
    }
    return next;
}

/* Items from `from` up to `to` satisfy the schema, or a share of so long a prefix holds. */
static formula prefix_items(compiler *c, const evaluation *e, uint32_t from, uint32_t to, uint32_t id) {
    formula_list items = {NULL, 0, 0}, ways = {NULL, 0, 0};
    bool none = schema_verdict(c, id) == FORMULA_FALSE; /* then the first says it of all */
    for (uint32_t i = from; i < (none ? from + 1 : to); i++) PUSH(c, items, schema_item_formula(c, i, id));
    PUSH(c, ways, formula_and(c, items.items, items.count));
    for (uint32_t i = 0; i < e->shares.count; i++) {
        if (e->shares.items[i].prefix >= to) PUSH(c, ways, e->shares.items[i].condition);
    }
    return or_everything(c, e, formula_or(c, ways.items, ways.count));
}

/* All items satisfy the schema, but for those that are evaluated by their place. */
static formula items_but_evaluated(compiler *c, const evaluation *e, uint32_t id) {
    formula_list parts = {NULL, 0, 0};
    uint32_t from = e->shares.items[0].prefix;
    for (uint32_t to = next_prefix(e, from); to != NONE; to = next_prefix(e, from)) {
        PUSH(c, parts, prefix_items(c, e, from, to, id));
        from = to;
    }
    PUSH(c, parts, or_everything(c, e, schema_items_formula(c, from, id)));
    return formula_and(c, parts.items, parts.count);
}

formula schema_unevaluated_items(compiler *c, const schema *s) {
    uint32_t id = s->unevaluated_items;
    if (id == NONE || schema_verdict(c, id = schema_canonical(c, id)) == FORMULA_TRUE) return FORMULA_TRUE;
    evaluation e = evaluate(c, s, TYPE_ARRAY);
    const share *plain = &e.shares.items[0];
    if (plain->everything) return FORMULA_TRUE;
    choice_list choices = {NULL, 0, 0};
    for (uint32_t i = 1; i < e.shares.count; i++) {
        const share *of = &e.shares.items[i];
        if (!of->everything) add_choice(c, &choices, of->condition, &of->contains, &plain->contains);
    }
    limit_choices(c, &choices, s, "unevaluatedItems", "contains");
    formula_list ways = {NULL, 0, 0};
    for (uint32_t subset = 0; subset < 1u << choices.count; subset++) {
        id_list allowed = {NULL, 0, 0}; /* an item satisfies one of these */
        add_ids(c, &allowed, &plain->contains, 0);
        formula hold = choose(c, &choices, subset, &allowed);
        if (allowed.count == 0 || schema_verdict(c, id) != FORMULA_FALSE) PUSH(c, allowed, id);
        uint32_t one = schema_union(c, json_get(s->node, "unevaluatedItems"), allowed.items, allowed.count);
        PUSH(c, ways, formula_and2(c, hold, items_but_evaluated(c, &e, one)));
    }
    return formula_or(c, ways.items, ways.count);
}
