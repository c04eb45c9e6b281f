/* goal_scalar.c - the classes of strings and numbers: finitely many kinds of each can matter to a formula.
 *
 * Strings: the texts that const and enum name, and ranges of length for all others. Numbers: the regions between the
 * thresholds, and whether the number is an integer. */
#include <string.h>

#include "goal.h"

/* --- strings -------------------------------------------------------------------------------------------------- */

typedef struct string_context {
    uint32_t text; /* text id, or NONE for any text that is not told apart */
    uint32_t length;
} string_context;

static formula decide_string(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)c;
    const string_context *s = context;
    if (atom->atom == ATOM_TEXT) return atom->a == s->text ? FORMULA_TRUE : FORMULA_FALSE;
    if (atom->atom == ATOM_LENGTH) return s->length >= atom->a ? FORMULA_TRUE : FORMULA_FALSE;
    return self;
}

static const uint64_t STRING_BITS = 1ull << ATOM_TEXT | 1ull << ATOM_LENGTH;

static uint32_t code_points(const char *text, uint32_t length) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < length; i++) count += ((uint8_t)text[i] & 0xC0) != 0x80;
    return count;
}

typedef struct string_atoms {
    id_list texts, lengths;
} string_atoms;

static void visit_string_atom(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    string_atoms *atoms = context;
    if (atom->atom == ATOM_TEXT) PUSH(c, atoms->texts, atom->a);
    if (atom->atom == ATOM_LENGTH) id_list_insert(c, &atoms->lengths, atom->a);
}

static formula string_class(compiler *c, formula wanted, uint32_t text, uint32_t length) {
    string_context context = {text, length};
    return formula_replace(c, wanted, STRING_BITS, decide_string, &context);
}

static void add_length(string_plan *plan, uint32_t lo, uint32_t hi, formula class) {
    if (plan->length_count > 0 && plan->lengths[plan->length_count - 1].class == class) {
        plan->lengths[plan->length_count - 1].hi = hi;
        return;
    }
    plan->lengths[plan->length_count].lo = lo;
    plan->lengths[plan->length_count].hi = hi;
    plan->lengths[plan->length_count++].class = class;
}

void plan_strings(compiler *c, goal *g) {
    formula wanted = g->of_type[TYPE_STRING];
    string_atoms atoms = {{NULL, 0, 0}, {NULL, 0, 0}};
    formula_visit(c, wanted, STRING_BITS, visit_string_atom, &atoms);
    string_plan *plan = g->strings = NEW(c, string_plan);
    if ((formula_get(c, wanted)->atoms & atom_kind_bit(ATOM_PATTERN)) != 0) {
        plan->patterned = plan_texts(c, wanted);
        return;
    }
    plan->lengths = compiler_new(c, sizeof *plan->lengths * (atoms.lengths.count + 2));
    plan->members = compiler_new(c, sizeof *plan->members * (atoms.texts.count + 1));
    bool empty_named = false;
    for (uint32_t i = 0; i < atoms.texts.count; i++) {
        uint32_t size;
        schema_text(c, atoms.texts.items[i], &size);
        empty_named |= size == 0;
    }
    uint32_t lo = 0;
    if (empty_named) { /* the only string of length 0 is told apart */
        add_length(plan, 0, 0, FORMULA_FALSE);
        lo = 1;
    }
    for (uint32_t i = 0; i <= atoms.lengths.count; i++) {
        uint32_t hi = i < atoms.lengths.count ? atoms.lengths.items[i] - 1 : NONE;
        if (hi != NONE && hi < lo) continue;
        add_length(plan, lo, hi, string_class(c, wanted, NONE, lo));
        lo = hi + 1;
    }
    for (uint32_t i = 0; i < atoms.texts.count; i++) {
        uint32_t size;
        const char *text = schema_text(c, atoms.texts.items[i], &size);
        uint32_t length = code_points(text, size);
        formula class = string_class(c, wanted, atoms.texts.items[i], length);
        /* A text that is like all others of its length need not be told apart. */
        if (size != 0 && class == string_class(c, wanted, NONE, length)) continue;
        plan->members[plan->member_count].text = atoms.texts.items[i];
        plan->members[plan->member_count++].class = class;
    }
}

/* --- numbers -------------------------------------------------------------------------------------------------- */

typedef struct number_context {
    const uint32_t *rank; /* of a threshold id among the plan's */
    uint32_t region; /* 2i + 1: at thresholds[i]; 2i: between thresholds[i - 1] and thresholds[i] */
    int form;
} number_context;

static formula decide_number(compiler *c, void *context, const formula_node *atom, formula self) {
    const number_context *n = context;
    (void)c;
    if (atom->atom == ATOM_INTEGER) { /* in draft 4 the spelling counts: 1.0 is none */
        bool integer = n->form == NUMBER_INTEGER || (n->form == NUMBER_INTEGER_WITH_FRACTION && atom->a == 0);
        return integer ? FORMULA_TRUE : FORMULA_FALSE;
    }
    if (atom->atom != ATOM_AT_LEAST && atom->atom != ATOM_ABOVE) return self;
    uint32_t at = n->rank[atom->a];
    bool holds = atom->atom == ATOM_AT_LEAST ? n->region >= 2 * at + 1 : n->region > 2 * at + 1;
    return holds ? FORMULA_TRUE : FORMULA_FALSE;
}

static void visit_threshold(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    id_list *thresholds = context;
    if (atom->atom != ATOM_AT_LEAST && atom->atom != ATOM_ABOVE) return;
    uint32_t at = thresholds->count;
    const decimal *value = schema_threshold(c, atom->a);
    while (at > 0 && decimal_order(schema_threshold(c, thresholds->items[at - 1]), value) > 0) at--;
    if (at > 0 && thresholds->items[at - 1] == atom->a) return;
    PUSH(c, *thresholds, atom->a);
    memmove(thresholds->items + at + 1, thresholds->items + at,
            (thresholds->count - 1 - at) * sizeof(uint32_t));
    thresholds->items[at] = atom->a;
}

/* The digits of |value| before the point, most significant first; returns how many. */
static uint32_t whole_digits(const decimal *value, uint8_t *digits) {
    if (value->count == 0 || value->point <= 0) return 0;
    for (int32_t i = 0; i < value->point; i++) digits[i] = (uint32_t)i < value->count ? value->digits[i] : 0;
    return (uint32_t)value->point;
}

static uint32_t add_one(uint8_t *digits, uint32_t count) {
    uint32_t at = count;
    while (at > 0 && digits[at - 1] == 9) digits[--at] = 0;
    if (at > 0) {
        digits[at - 1]++;
        return count;
    }
    memmove(digits + 1, digits, count);
    digits[0] = 1;
    return count + 1;
}

/* Compares a whole number given by its digits (no leading zeros) with |value|. */
static int compare_whole(const uint8_t *digits, uint32_t count, const decimal *value) {
    uint8_t other[512];
    uint32_t other_count = whole_digits(value, other);
    if (count != other_count) return count < other_count ? -1 : 1;
    int order = count != 0 ? memcmp(digits, other, count) : 0;
    if (order != 0) return order;
    return decimal_is_integer(value) ? 0 : -1;
}

/* Whether an integer lies strictly between low and high. */
static bool integer_between(const decimal *low, const decimal *high) {
    if (low->sign < 0 && high->sign > 0) return true;
    if (low->sign < 0) { /* mirror: both are <= 0 */
        decimal from = *high, to = *low;
        from.sign = -from.sign;
        to.sign = -to.sign;
        return integer_between(&from, &to);
    }
    uint8_t digits[520];
    uint32_t count = add_one(digits, whole_digits(low, digits));
    return compare_whole(digits, count, high) < 0;
}

static bool region_has(compiler *c, const number_plan *plan, uint32_t region, int form) {
    uint32_t at = region / 2;
    if (region % 2 == 1) {
        bool integer = decimal_is_integer(schema_threshold(c, plan->thresholds[at]));
        return integer == (form != NUMBER_OTHER);
    }
    if (form == NUMBER_OTHER || at == 0 || at == plan->threshold_count) return true;
    return integer_between(schema_threshold(c, plan->thresholds[at - 1]), schema_threshold(c, plan->thresholds[at]));
}

void plan_numbers(compiler *c, goal *g) {
    formula wanted = g->of_type[TYPE_NUMBER];
    const uint64_t bits = 1ull << ATOM_INTEGER | 1ull << ATOM_AT_LEAST | 1ull << ATOM_ABOVE;
    id_list thresholds = {NULL, 0, 0};
    formula_visit(c, wanted, bits, visit_threshold, &thresholds);
    number_plan *plan = g->numbers = NEW(c, number_plan);
    plan->thresholds = thresholds.items;
    plan->threshold_count = thresholds.count;
    uint32_t regions = 2 * plan->threshold_count + 1;
    plan->classes = NEW_ARRAY(c, formula, regions * NUMBER_FORMS);
    plan->free = (formula_get(c, wanted)->atoms & bits) == 0;
    plan->exponents = (formula_get(c, wanted)->atoms & atom_kind_bit(ATOM_INTEGER)) == 0;
    uint32_t *rank = NEW_ARRAY(c, uint32_t, c->schemas->thresholds.count + 1);
    for (uint32_t i = 0; i < plan->threshold_count; i++) rank[plan->thresholds[i]] = i;
    for (uint32_t region = 0; region < regions; region++) {
        for (int form = 0; form < NUMBER_FORMS; form++) {
            number_context context = {rank, region, form};
            bool written = region_has(c, plan, region, form);
            plan->classes[region * NUMBER_FORMS + form] =
                written ? formula_replace(c, wanted, bits, decide_number, &context) : FORMULA_FALSE;
        }
        compiler_spend(c, 100);
    }
}
