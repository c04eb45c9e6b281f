/* goal_names.c - what an object asks of the names of its members: patterns and propertyNames.
 *
 * One automaton runs all questions, and the names told apart beside them. Of any other name only the answers matter: names
 * with equal answers are of one kind. */
#include <string.h>

#include "goal_build.h"

static void add_question(compiler *c, graph *object, formula question, uint32_t pattern, uint32_t schema_id) {
    for (uint32_t i = 0; i < object->question_count; i++) {
        if (object->questions[i].pattern == pattern && object->questions[i].schema == schema_id) return;
    }
    size_t size = sizeof *object->questions;
    object->questions = compiler_grow(c, object->questions, size * object->question_count, size * (object->question_count + 1));
    object->questions[object->question_count].question = question;
    object->questions[object->question_count].pattern = pattern;
    object->questions[object->question_count++].schema = schema_id;
}

static void ask_pattern(compiler *c, graph *object, uint32_t pattern) {
    add_question(c, object, formula_atom(c, ATOM_PATTERN, pattern, 0), pattern, NONE);
}

static void visit_question(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    graph *object = context;
    if (atom->atom == ATOM_PATTERN_PROPERTY) ask_pattern(c, object, atom->a);
    if (atom->atom == ATOM_NAMES) add_question(c, object, schema_formula(c, atom->a, TYPE_STRING), NONE, atom->a);
    if (atom->atom != ATOM_ADDITIONAL || atom->b == NONE) return;
    const struct interned *set = &c->schemas->key_sets.entries.items[atom->b];
    const uint32_t *ids = set->bytes;
    uint32_t count = set->size / (uint32_t)sizeof *ids;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = ((const uint32_t *)c->schemas->key_sets.entries.items[atom->b].bytes)[i];
        if (id >= PATTERN_IN_SET) ask_pattern(c, object, id - PATTERN_IN_SET);
    }
}

/* A string that propertyNames lists is a name told apart. */
static void tell_apart(compiler *c, void *context, const char *text, uint32_t length) {
    graph *object = context;
    uint32_t key = intern(c, &c->schemas->keys, text, length, NULL);
    for (uint32_t i = 0; i < object->names.count; i++) {
        if (object->names.items[i] == key) return;
    }
    PUSH(c, object->names, key);
}

static void visit_text(compiler *c, void *context, const formula_node *atom, formula self) {
    (void)self;
    uint32_t length;
    if (atom->atom != ATOM_TEXT) return;
    const char *text = schema_text(c, atom->a, &length);
    tell_apart(c, context, text, length);
}

/* The tuple of the answers and of "it is this name" for each name told apart. */
static formula all_questions(compiler *c, const graph *object) {
    formula *list = compiler_new(c, sizeof *list * (1 + (size_t)object->question_count + object->names.count));
    uint32_t count = 0;
    list[count++] = FORMULA_TRUE;
    for (uint32_t i = 0; i < object->question_count; i++) list[count++] = object->questions[i].question;
    for (uint32_t i = 0; i < object->names.count; i++) {
        uint32_t length;
        const char *name = schema_key_text(c, object->names.items[i], &length);
        list[count++] = formula_atom(c, ATOM_TEXT, intern(c, &c->schemas->texts, name, length, NULL), 0);
    }
    return formula_tuple(c, list, count);
}

static bool is_told_apart(const compiler *c, const graph *object, formula class) {
    const formula_node *node = formula_get(c, class);
    for (uint32_t i = 0; i < object->names.count; i++) {
        if (node->children[1 + object->question_count + i] == FORMULA_TRUE) return true;
    }
    return false;
}

static void find_kinds(compiler *c, graph *object);

void object_questions(compiler *c, graph *object, formula wanted) {
    uint64_t bits = atom_kind_bit(ATOM_PATTERN_PROPERTY) | atom_kind_bit(ATOM_NAMES) | atom_kind_bit(ATOM_ADDITIONAL);
    formula_visit(c, wanted, bits, visit_question, object);
    if (object->question_count == 0) {
        PUSH(c, object->kinds, FORMULA_TRUE);
        return;
    }
    for (uint32_t i = 0; i < object->question_count; i++) {
        formula_visit(c, object->questions[i].question, atom_kind_bit(ATOM_TEXT), visit_text, object);
    }
    find_kinds(c, object);
    bool counts = (formula_get(c, wanted)->atoms & atom_kind_bit(ATOM_SIZE)) != 0, more = false;
    uint32_t few = counts ? 128 : 32;
    for (uint32_t k = 0; k < object->kinds.count; k++) { /* a kind of few names can run out: so they are told apart */
        if (object->names.count > 1000 || text_supply(c, object->name_text, object->kinds.items[k], few + 1) > few) continue;
        text_enumerate(c, object->name_text, object->kinds.items[k], tell_apart, object);
        more = true;
    }
    if (more) find_kinds(c, object);
}

static void find_kinds(compiler *c, graph *object) {
    object->name_text = plan_texts(c, all_questions(c, object));
    object->kinds.count = 0;
    for (uint32_t i = 0; i < object->name_text->states.count; i++) {
        formula class = object->name_text->states.items[i].class;
        bool known = is_told_apart(c, object, class);
        for (uint32_t k = 0; k < object->kinds.count && !known; k++) known = object->kinds.items[k] == class;
        if (!known) PUSH(c, object->kinds, class);
    }
}

const formula *object_answers(compiler *c, const graph *object, uint32_t name, uint32_t kind) {
    if (object->question_count == 0) return NULL;
    if (name == NONE) return formula_get(c, object->kinds.items[kind])->children + 1;
    for (uint32_t i = 0; i < object->name_text->states.count; i++) {
        const formula_node *node = formula_get(c, object->name_text->states.items[i].class);
        if (node->children[1 + object->question_count + name] == FORMULA_TRUE) return node->children + 1;
    }
    return NULL;
}

const uint8_t *object_matches(compiler *c, const graph *object, const formula *answers) {
    uint8_t *matches = compiler_zero(c, c->schemas->patterns.count + 1);
    for (uint32_t i = 0; i < object->question_count; i++) {
        if (object->questions[i].pattern != NONE) matches[object->questions[i].pattern] = answers[i] == FORMULA_TRUE;
    }
    return matches;
}
