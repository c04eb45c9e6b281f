/* automaton_number.c - numbers: RFC 8259's form, and digit by digit comparison with thresholds, exactly.
 *
 * A state knows how the magnitude so far compares with each threshold's digits. Length decides between whole parts, so a
 * prefix is compared digit by digit and the verdict waits for the end of the whole part. An exponent is written after
 * one digit that is not 0 and any fraction, the form of Python and JavaScript, up to 400; then the digits are compared
 * as a mantissa, and the exponent with the place of each threshold's point. Where integers are told from other numbers
 * there is none. */
#include <stdlib.h>
#include <string.h>

#include "automaton.h"

enum phase { PHASE_START, PHASE_MINUS, PHASE_WHOLE, PHASE_POINT, PHASE_FRACTION, PHASE_E, PHASE_E_SIGN, PHASE_EXPONENT };

/* What can follow: a digit, or one of these. */
enum { MOVE_POINT = 10, MOVE_E, MOVE_PLUS, MOVE_MINUS, MOVE_COUNT };

enum { EXPONENT_MAX = 400, EXPONENT_DIGITS = 3 };

/* One state. A comparison is 0 less, 1 equal, 2 greater. */
typedef struct number_state {
    uint8_t phase, negative;
    uint8_t zeros;  /* all digits of the fraction are 0; or a leading zero */
    uint8_t normal; /* an exponent may come: one whole digit, not 0 */
    uint8_t exponent_negative, exponent_digits;
    uint16_t exponent;
    uint32_t digits;   /* read in this part, no more than can matter */
    uint8_t compare[]; /* with each threshold, by place; while normal, then as a mantissa */
} number_state;

typedef struct number_builder {
    const goal *g;
    const uint32_t *conts;
    const decimal **thresholds;
    uint32_t count, whole_max, fraction_max, mantissa_max;
    size_t state_size;
    interner states;
    VECTOR(uint32_t) moves;   /* [state * MOVE_COUNT] */
    VECTOR(uint32_t) classes; /* [state] class when the number ends here, or NONE */
} number_builder;

static uint32_t whole_length(const decimal *t) { return t->count != 0 && t->point > 0 ? (uint32_t)t->point : 0; }

static uint8_t digit_at(const decimal *t, int32_t index) {
    return index >= 0 && index < (int32_t)t->count ? t->digits[index] : 0;
}

/* Digits of the fraction of a threshold. */
static uint32_t fraction_length(const decimal *t) {
    return (int32_t)t->count > t->point ? (uint32_t)((int32_t)t->count - t->point) : 0;
}

static uint8_t compare_digit(uint8_t so_far, uint8_t digit, uint8_t other) {
    return so_far != 1 ? so_far : digit < other ? 0 : digit > other ? 2 : 1;
}

static uint32_t number_state_id(compiler *c, number_builder *b, const number_state *s) {
    bool is_new;
    uint32_t id = intern(c, &b->states, s, b->state_size, &is_new);
    if (is_new) {
        for (int i = 0; i < MOVE_COUNT; i++) PUSH(c, b->moves, NONE);
        PUSH(c, b->classes, NONE);
    }
    return id;
}

static const number_state *number_state_get(const number_builder *b, uint32_t id) {
    return b->states.entries.items[id].bytes;
}

/* How the whole part, now complete, compares with each threshold's. */
static void finish_whole(const number_builder *b, const number_state *s, uint8_t *compare) {
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t length = whole_length(b->thresholds[i]);
        compare[i] = s->digits < length ? 0 : s->digits > length ? 2 : s->compare[i];
    }
}

/* The comparisons as a mantissa after one more digit; equal, all of them, where no exponent can come. */
static void compare_mantissa(const number_builder *b, const number_state *s, uint8_t digit, int32_t index,
                             number_state *next) {
    for (uint32_t i = 0; i < b->count; i++) {
        uint8_t *compare = &next->compare[b->count + i];
        *compare = next->normal ? compare_digit(s->compare[b->count + i], digit, digit_at(b->thresholds[i], index)) : 1;
    }
}

static uint32_t whole_move(compiler *c, number_builder *b, const number_state *s, uint8_t digit, number_state *next) {
    bool zero = s->phase != PHASE_WHOLE && digit == 0;
    memcpy(next, s, b->state_size);
    next->phase = PHASE_WHOLE;
    next->zeros = zero; /* a leading zero takes no further digit */
    if (zero) return number_state_id(c, b, next);
    next->normal = s->phase != PHASE_WHOLE && b->g->numbers->exponents;
    compare_mantissa(b, s, digit, 0, next);
    for (uint32_t i = 0; i < b->count; i++) {
        const decimal *t = b->thresholds[i];
        uint32_t length = whole_length(t);
        next->compare[i] = s->digits < length ? compare_digit(s->compare[i], digit, digit_at(t, (int32_t)s->digits)) : 2;
    }
    if (next->digits <= b->whole_max) next->digits++;
    return number_state_id(c, b, next);
}

static uint32_t fraction_move(compiler *c, number_builder *b, const number_state *s, uint8_t digit, number_state *next) {
    memcpy(next, s, b->state_size);
    next->phase = PHASE_FRACTION;
    next->zeros = (s->phase == PHASE_POINT || s->zeros) && digit == 0;
    compare_mantissa(b, s, digit, (int32_t)s->digits + 1, next);
    for (uint32_t i = 0; i < b->count; i++) {
        const decimal *t = b->thresholds[i];
        next->compare[i] = compare_digit(s->compare[i], digit, digit_at(t, t->point + (int32_t)s->digits));
    }
    if (next->digits <= (s->normal ? b->mantissa_max : b->fraction_max)) next->digits++;
    return number_state_id(c, b, next);
}

static uint32_t point_move(compiler *c, number_builder *b, const number_state *s, number_state *next) {
    memcpy(next, s, b->state_size);
    finish_whole(b, s, next->compare);
    next->phase = PHASE_POINT;
    next->digits = 0;
    next->zeros = 0;
    return number_state_id(c, b, next);
}

/* After the e: the mantissa is complete. */
static uint32_t exponent_move(compiler *c, number_builder *b, const number_state *s, number_state *next) {
    uint32_t read = 1 + (s->phase == PHASE_FRACTION ? s->digits : 0);
    memcpy(next, s, b->state_size);
    next->phase = PHASE_E;
    next->normal = next->zeros = 0;
    next->digits = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        uint8_t order = s->compare[b->count + i];
        next->compare[i] = order == 1 && read < b->thresholds[i]->count ? 0 : order;
        next->compare[b->count + i] = 1;
    }
    return number_state_id(c, b, next);
}

/* How the number compares with a threshold that is not 0 when this is its exponent. */
static uint8_t compare_exponent(const decimal *t, const number_state *s, uint8_t mantissa, int32_t exponent) {
    int32_t point = (s->exponent_negative ? -exponent : exponent) + 1;
    return point < t->point ? 0 : point > t->point ? 2 : mantissa;
}

/* A value after which as many digits may follow. */
static uint16_t forget_exponent(uint32_t exponent, uint32_t digits) {
    static const uint16_t edges[EXPONENT_DIGITS + 1] = {0, EXPONENT_MAX / 100, EXPONENT_MAX / 10, EXPONENT_MAX};
    if (digits == EXPONENT_DIGITS || exponent < edges[digits]) return 0;
    return (uint16_t)(exponent == edges[digits] ? exponent : edges[digits] + 1u);
}

/* Where every way to go on compares alike with all thresholds, the exponent's value is forgotten; only which digits may
 * follow is kept. */
static void settle(const number_builder *b, number_state *s) {
    bool settled = true;
    int32_t low = s->exponent, high = low, step = 1;
    for (uint32_t n = s->exponent_digits; n < EXPONENT_DIGITS && low * step * 10 <= EXPONENT_MAX; n++) {
        step *= 10;
        high = low * step + step - 1;
    }
    if (high > EXPONENT_MAX) high = EXPONENT_MAX;
    for (uint32_t i = 0; i < b->count && settled; i++) {
        const decimal *t = b->thresholds[i];
        if (t->count == 0) continue;
        uint8_t at_low = compare_exponent(t, s, 3, low), at_high = compare_exponent(t, s, 3, high);
        settled = low == high || (at_low == at_high && at_low != 3);
    }
    if (!settled) return;
    for (uint32_t i = 0; i < b->count; i++) {
        const decimal *t = b->thresholds[i];
        s->compare[i] = t->count == 0 ? 2 : compare_exponent(t, s, s->compare[i], low);
    }
    s->digits = 1; /* settled */
    s->exponent_negative = 0;
    s->exponent = forget_exponent(s->exponent, s->exponent_digits);
}

static uint32_t exponent_digit_move(compiler *c, number_builder *b, const number_state *s, uint8_t digit,
                                    number_state *next) {
    uint32_t exponent = 10u * s->exponent + digit;
    if (s->exponent_digits == EXPONENT_DIGITS || exponent > EXPONENT_MAX) return NONE;
    memcpy(next, s, b->state_size);
    next->phase = PHASE_EXPONENT;
    next->exponent = (uint16_t)exponent;
    next->exponent_digits++;
    if (next->digits == 0) settle(b, next);
    return number_state_id(c, b, next);
}

static uint32_t sign_move(compiler *c, number_builder *b, const number_state *s, bool negative, number_state *next) {
    memcpy(next, s, b->state_size);
    next->phase = PHASE_E_SIGN;
    next->exponent_negative = negative;
    return number_state_id(c, b, next);
}

/* The magnitude's place among the thresholds' when the number ends in this state: compare[i]. */
static void final_compare(const number_builder *b, const number_state *s, uint8_t *compare) {
    memcpy(compare, s->compare, b->count);
    if (s->phase == PHASE_WHOLE) finish_whole(b, s, compare);
    for (uint32_t i = 0; i < b->count; i++) {
        const decimal *t = b->thresholds[i];
        uint32_t read = s->phase == PHASE_FRACTION ? s->digits : 0;
        if (s->phase == PHASE_EXPONENT) {
            if (s->digits == 0) compare[i] = t->count == 0 ? 2 : compare_exponent(t, s, compare[i], s->exponent);
        } else if (compare[i] == 1 && read < fraction_length(t)) {
            compare[i] = 0; /* the threshold has more digits, the last not 0 */
        }
    }
}

/* The class of the numbers of a region that are written so. */
static formula class_of(const number_builder *b, const number_state *s, uint32_t region) {
    const formula *classes = b->g->numbers->classes + region * NUMBER_FORMS;
    if (s->phase == PHASE_WHOLE) return classes[NUMBER_INTEGER];
    if (s->phase == PHASE_FRACTION) return classes[s->zeros ? NUMBER_INTEGER_WITH_FRACTION : NUMBER_OTHER];
    return classes[NUMBER_OTHER] != FORMULA_FALSE ? classes[NUMBER_OTHER] : classes[NUMBER_INTEGER]; /* told apart by none */
}

/* The class of a number that ends in this state. */
static uint32_t final_class(const number_builder *b, const number_state *s, uint8_t *compare) {
    if (s->phase != PHASE_WHOLE && s->phase != PHASE_FRACTION && s->phase != PHASE_EXPONENT) return NONE;
    final_compare(b, s, compare);
    uint32_t region = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const decimal *t = b->thresholds[i];
        int order = (int)compare[i] - 1;
        if (s->negative) order = t->sign > 0 ? -1 : -order;
        if (!s->negative && t->sign < 0) order = 1;
        if (order >= 0) region = 2 * i + 1 + (order > 0);
    }
    formula class = class_of(b, s, region);
    uint32_t index = class == FORMULA_FALSE ? NONE : goal_class(b->g, class);
    return index != NONE && b->conts[index] != NONE ? index : NONE;
}

static void find_moves(compiler *c, number_builder *b, uint32_t id, const number_state *s, number_state *next) {
    uint32_t moves[MOVE_COUNT];
    bool leading_zero = s->phase == PHASE_WHOLE && s->zeros;
    memset(moves, 0xff, sizeof moves);
    for (uint8_t digit = 0; digit < 10; digit++) {
        if (s->phase <= PHASE_WHOLE && !leading_zero) moves[digit] = whole_move(c, b, s, digit, next);
        if (s->phase == PHASE_POINT || s->phase == PHASE_FRACTION) moves[digit] = fraction_move(c, b, s, digit, next);
        if (s->phase >= PHASE_E) moves[digit] = exponent_digit_move(c, b, s, digit, next);
    }
    if (s->phase == PHASE_WHOLE) moves[MOVE_POINT] = point_move(c, b, s, next);
    if (s->normal && s->phase != PHASE_POINT) moves[MOVE_E] = exponent_move(c, b, s, next);
    if (s->phase == PHASE_E) moves[MOVE_PLUS] = sign_move(c, b, s, false, next);
    if (s->phase == PHASE_E) moves[MOVE_MINUS] = sign_move(c, b, s, true, next);
    if (s->phase == PHASE_START) {
        memcpy(next, s, b->state_size);
        next->phase = PHASE_MINUS;
        next->negative = 1;
        moves[MOVE_MINUS] = number_state_id(c, b, next);
    }
    memcpy(b->moves.items + (size_t)MOVE_COUNT * id, moves, sizeof moves);
}

static void explore(compiler *c, number_builder *b) {
    number_state *s = compiler_zero(c, b->state_size), *next = compiler_zero(c, b->state_size);
    uint8_t *compare = compiler_new(c, b->count + 1);
    memset(s->compare, 1, 2 * b->count);
    number_state_id(c, b, s);
    for (uint32_t id = 0; id < b->states.count; id++) {
        memcpy(s, number_state_get(b, id), b->state_size);
        compiler_spend(c, 30 * (uint64_t)(b->count + 2));
        b->classes.items[id] = final_class(b, s, compare);
        find_moves(c, b, id, s, next);
    }
}

/* States from which a number can end usefully. */
static uint8_t *find_useful(compiler *c, const number_builder *b) {
    uint32_t count = b->states.count;
    uint8_t *useful = NEW_ARRAY(c, uint8_t, count);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t id = count; id-- > 0;) {
            bool now = b->classes.items[id] != NONE;
            for (uint32_t i = 0; i < MOVE_COUNT && !now; i++) {
                uint32_t target = b->moves.items[MOVE_COUNT * id + i];
                now = target != NONE && useful[target];
            }
            changed |= now && !useful[id];
            useful[id] |= now;
        }
        compiler_spend(c, 20 * (uint64_t)count);
    }
    return useful;
}

/* Moore's algorithm: blocks[state], equal for states with the same future; NONE: useless. */
static uint32_t *merge_states(compiler *c, const number_builder *b, const uint8_t *useful, uint32_t *block_count) {
    uint32_t count = b->states.count;
    uint32_t *blocks = NEW_ARRAY(c, uint32_t, count), *next = NEW_ARRAY(c, uint32_t, count);
    for (uint32_t id = 0; id < count; id++) blocks[id] = useful[id] ? 0 : NONE;
    for (*block_count = 1;;) {
        interner signatures;
        memset(&signatures, 0, sizeof signatures);
        for (uint32_t id = 0; id < count; id++) {
            uint32_t signature[2 + MOVE_COUNT] = {blocks[id], b->classes.items[id]};
            for (uint32_t i = 0; i < MOVE_COUNT; i++) {
                uint32_t target = b->moves.items[MOVE_COUNT * id + i];
                signature[2 + i] = target == NONE ? NONE : blocks[target];
            }
            next[id] = blocks[id] == NONE ? NONE : intern(c, &signatures, signature, sizeof signature, NULL);
        }
        bool same = signatures.count == *block_count;
        *block_count = signatures.count;
        memcpy(blocks, next, sizeof *blocks * count);
        if (same) return blocks;
    }
}

static void add_locals(compiler *c, const number_builder *b, const uint32_t *blocks, uint32_t block_count,
                       scalar_module *module) {
    module->locals.items = NEW_ARRAY(c, local_state, block_count);
    module->locals.count = module->locals.capacity = block_count;
    uint8_t *done = NEW_ARRAY(c, uint8_t, block_count);
    for (uint32_t id = 0; id < b->states.count; id++) {
        if (blocks[id] == NONE || done[blocks[id]]) continue;
        done[blocks[id]] = 1;
        static const struct { char byte; uint8_t move; } order[] = {
            {'+', MOVE_PLUS}, {'-', MOVE_MINUS}, {'.', MOVE_POINT}, {'0', 0}, {'1', 1}, {'2', 2}, {'3', 3}, {'4', 4},
            {'5', 5}, {'6', 6}, {'7', 7}, {'8', 8}, {'9', 9}, {'E', MOVE_E}, {'e', MOVE_E}};
        edge edges[16];
        uint32_t count = 0;
        for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
            uint32_t target = b->moves.items[MOVE_COUNT * id + order[i].move];
            if (target == NONE || blocks[target] == NONE) continue;
            uint8_t byte = (uint8_t)order[i].byte;
            if (count > 0 && edges[count - 1].hi + 1 == byte && edges[count - 1].target == blocks[target] &&
                edges[count - 1].lo >= '0') {
                edges[count - 1].hi = byte;
            } else {
                edges[count++] = (edge){byte, byte, EDGE_LOCAL, 0, blocks[target]};
            }
        }
        if (b->classes.items[id] != NONE) edges[count++] = (edge){0, 255, EDGE_ELSE, 0, b->classes.items[id]};
        local_state *local = &module->locals.items[blocks[id]];
        local->edges = edge_list(c, edges, count);
        local->edge_count = count;
    }
    module->root = blocks[0];
}

/* Every number: RFC 8259 with exponents. */
static void add_free_locals(compiler *c, uint32_t class_index, scalar_module *module) {
    enum { START, MINUS, ZERO, WHOLE, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS, FREE_COUNT };
    static const struct { uint8_t from, lo, hi, to; } moves[] = {
        {START, '-', '-', MINUS},       {START, '0', '0', ZERO},        {START, '1', '9', WHOLE},
        {MINUS, '0', '0', ZERO},        {MINUS, '1', '9', WHOLE},       {ZERO, '.', '.', POINT},
        {ZERO, 'E', 'E', EXPONENT},     {ZERO, 'e', 'e', EXPONENT},     {WHOLE, '.', '.', POINT},
        {WHOLE, '0', '9', WHOLE},       {WHOLE, 'E', 'E', EXPONENT},    {WHOLE, 'e', 'e', EXPONENT},
        {POINT, '0', '9', FRACTION},    {FRACTION, '0', '9', FRACTION}, {FRACTION, 'E', 'E', EXPONENT},
        {FRACTION, 'e', 'e', EXPONENT}, {EXPONENT, '+', '+', EXPONENT_SIGN}, {EXPONENT, '-', '-', EXPONENT_SIGN},
        {EXPONENT, '0', '9', EXPONENT_DIGITS}, {EXPONENT_SIGN, '0', '9', EXPONENT_DIGITS},
        {EXPONENT_DIGITS, '0', '9', EXPONENT_DIGITS}};
    module->locals.items = NEW_ARRAY(c, local_state, FREE_COUNT);
    module->locals.count = module->locals.capacity = FREE_COUNT;
    for (uint32_t id = 0; id < FREE_COUNT; id++) {
        edge edges[8];
        uint32_t count = 0;
        for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
            if (moves[i].from == id) edges[count++] = (edge){moves[i].lo, moves[i].hi, EDGE_LOCAL, 0, moves[i].to};
        }
        bool ends = id == ZERO || id == WHOLE || id == FRACTION || id == EXPONENT_DIGITS;
        if (ends) edges[count++] = (edge){0, 255, EDGE_ELSE, 0, class_index};
        module->locals.items[id].edges = edge_list(c, edges, count);
        module->locals.items[id].edge_count = count;
    }
    module->root = START;
}

uint32_t number_module(compiler *c, const goal *g, const uint32_t *conts) {
    automaton *a = c->automaton;
    const number_plan *plan = g->numbers;
    VECTOR(uint32_t) key = {NULL, 0, 0};
    PUSH(c, key, 2); /* strings begin with 0 or 1 */
    PUSH(c, key, plan->free);
    PUSH(c, key, plan->exponents);
    PUSH(c, key, g->classes.count);
    bool any = false;
    uint32_t free_class = NONE;
    for (uint32_t i = 0; i < (2 * plan->threshold_count + 1) * NUMBER_FORMS; i++) {
        uint32_t index = plan->classes[i] == FORMULA_FALSE ? NONE : goal_class(g, plan->classes[i]);
        if (index != NONE && conts[index] == NONE) index = NONE;
        PUSH(c, key, index);
        any |= index != NONE;
        if (index != NONE) free_class = index;
    }
    if (!any) return NONE;
    for (uint32_t i = 0; i < plan->threshold_count; i++) PUSH(c, key, plan->thresholds[i]);
    bool is_new;
    uint32_t id = intern(c, &a->scalar_table, key.items, sizeof *key.items * key.count, &is_new);
    if (!is_new) return a->scalar_ids.items[id];
    scalar_module *module = NEW(c, scalar_module);
    module->kind = SCALAR_NUMBER;
    module->class_count = g->classes.count;
    if (plan->free) {
        add_free_locals(c, free_class, module);
    } else {
        number_builder b;
        memset(&b, 0, sizeof b);
        b.g = g;
        b.conts = conts;
        b.count = plan->threshold_count;
        b.thresholds = compiler_new(c, sizeof *b.thresholds * (b.count + 1));
        for (uint32_t i = 0; i < b.count; i++) {
            b.thresholds[i] = schema_threshold(c, plan->thresholds[i]);
            uint32_t whole = whole_length(b.thresholds[i]), fraction = fraction_length(b.thresholds[i]);
            if (whole > b.whole_max) b.whole_max = whole;
            if (fraction > b.fraction_max) b.fraction_max = fraction;
            if (b.thresholds[i]->count > b.mantissa_max) b.mantissa_max = b.thresholds[i]->count;
        }
        if (b.fraction_max > b.mantissa_max) b.mantissa_max = b.fraction_max;
        b.state_size = sizeof(number_state) + 2 * b.count;
        explore(c, &b);
        uint8_t *useful = find_useful(c, &b);
        uint32_t block_count, *blocks = merge_states(c, &b, useful, &block_count);
        add_locals(c, &b, blocks, block_count, module);
    }
    PUSH(c, a->scalars, module);
    PUSH(c, a->scalar_ids, a->scalars.count - 1);
    return a->scalars.count - 1;
}
