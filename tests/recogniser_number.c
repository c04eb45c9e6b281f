/* recogniser_number.c - exact decimals, and open numbers: which texts that begin so are numbers in a given range?
 *
 * Everything works on the digits as they are written; nothing is ever rounded. */
#include "recogniser_parts.h"

#include <stdio.h>
#include <string.h>

/* A number is sign x 0.DIGITS x 10^exponent; DIGITS neither begins nor ends with 0; none: zero. */
typedef struct decimal {
    int sign;
    int64_t exponent;
    uint32_t count;
    char digits[2048];
} decimal;

static void decimal_read(const char *text, uint32_t length, decimal *out) {
    const char *end = text + length;
    bool after_point = false;
    int64_t written = 0;
    out->sign = 1;
    out->exponent = 0;
    out->count = 0;
    if (text < end && *text == '-') out->sign = -1, text++;
    for (; text < end && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            after_point = true;
            continue;
        }
        if (*text == '0' && !out->count) {
            out->exponent -= after_point;
            continue;
        }
        if (out->count == sizeof out->digits) recogniser_panic("a number of more than 2048 digits");
        out->exponent += !after_point;
        out->digits[out->count++] = *text;
    }
    if (text < end) {
        bool negative = *++text == '-';
        if (*text == '-' || *text == '+') text++;
        for (; text < end; text++)
            if (written < 1000000000000) written = 10 * written + (*text - '0');
        out->exponent += negative ? -written : written;
    }
    while (out->count && out->digits[out->count - 1] == '0') out->count--;
    if (!out->count) out->sign = 0, out->exponent = 0;
}

int decimal_compare(const char *a, uint32_t a_length, const char *b, uint32_t b_length) {
    decimal x, y;
    decimal_read(a, a_length, &x);
    decimal_read(b, b_length, &y);
    if (x.sign != y.sign) return x.sign < y.sign ? -1 : 1;
    if (x.exponent != y.exponent) return x.exponent < y.exponent ? -x.sign : x.sign;
    int order = memcmp(x.digits, y.digits, x.count < y.count ? x.count : y.count);
    if (!order) order = (x.count > y.count) - (x.count < y.count);
    return order < 0 ? -x.sign : order > 0 ? x.sign : 0;
}

bool decimal_is_whole(const char *text, uint32_t length) {
    decimal x;
    decimal_read(text, length, &x);
    return x.exponent >= (int64_t)x.count;
}

int number_status(const char *text, uint32_t length) {
    const char *c = text, *end = text + length;
    if (c < end && *c == '-') c++;
    if (c == end) return 0;
    if (*c < '0' || *c > '9') return -1;
    if (*c++ != '0')
        while (c < end && *c >= '0' && *c <= '9') c++;
    if (c == end) return 1;
    if (*c == '.') {
        if (++c == end) return 0;
        if (*c < '0' || *c > '9') return -1;
        while (c < end && *c >= '0' && *c <= '9') c++;
        if (c == end) return 1;
    }
    if (*c != 'e' && *c != 'E') return -1;
    if (++c < end && (*c == '-' || *c == '+')) c++;
    if (c == end) return 0;
    while (c < end && *c >= '0' && *c <= '9') c++;
    return c == end ? 1 : -1;
}

/* --- open numbers --- */

/* One whole digit that is not 0, and perhaps a fraction. */
bool may_take_exponent(const char *text, uint32_t length) {
    if (length && *text == '-') text++, length--;
    return length && *text >= '1' && *text <= '9' && (length == 1 || text[1] == '.');
}

typedef struct search {
    const number_goal *goal;
    char *text;
    uint32_t whole_limit, fraction_limit; /* digits that a solution needs at most */
    uint32_t work;
} search;

static uint32_t digits_before_point(const json *number) {
    decimal x;
    decimal_read(number->text, number->length, &x);
    return x.exponent > 0 ? (uint32_t)(x.exponent < 100000 ? x.exponent : 100000) : 1;
}

static uint32_t digits_after_point(const json *number) {
    decimal x;
    decimal_read(number->text, number->length, &x);
    int64_t after = (int64_t)x.count - x.exponent;
    return after > 0 ? (uint32_t)(after < 100000 ? after : 100000) : 0;
}

static bool goal_met(const search *s, uint32_t length) {
    const number_goal *goal = s->goal;
    json number = {.kind = JSON_NUMBER, .text = s->text, .length = length};
    s->text[length] = 0;
    if (value_kind(&number) != goal->kind) return false;
    if (goal->low && decimal_compare(s->text, length, goal->low->text, goal->low->length) < goal->low_exclusive)
        return false;
    if (goal->high && decimal_compare(goal->high->text, goal->high->length, s->text, length) < goal->high_exclusive)
        return false;
    for (uint32_t i = 0; i < goal->unequal_count; i++)
        if (values_equal(goal->unequal[i], &number)) return false;
    return true;
}

/* Does some number with these first digits, then `more` digits before the point and any after it, lie between the
 * bounds, ends included? */
static bool reaches(const search *s, uint32_t length, uint32_t more, bool has_point) {
    const number_goal *goal = s->goal;
    char least[2 * NUMBER_CAPACITY], most[2 * NUMBER_CAPACITY];
    uint32_t at = length, nines = s->fraction_limit + 2;
    memcpy(least, s->text, length);
    memcpy(most, s->text, length);
    memset(least + at, '0', more);
    memset(most + at, '9', more);
    at += more;
    if (!has_point) least[at] = most[at] = '.', at++;
    memset(least + at, '0', nines);
    memset(most + at, '9', nines);
    at += nines;
    const char *low = s->text[0] == '-' ? most : least, *high = s->text[0] == '-' ? least : most;
    return !(goal->low && decimal_compare(high, at, goal->low->text, goal->low->length) < 0) &&
           !(goal->high && decimal_compare(low, at, goal->high->text, goal->high->length) > 0);
}

static answer extend(search *s, uint32_t length) {
    const char *point = memchr(s->text, '.', length);
    uint32_t sign = length && s->text[0] == '-';
    uint32_t whole = (point ? (uint32_t)(point - s->text) : length) - sign;
    uint32_t fraction = point ? length - whole - sign - 1 : 0;
    bool zero = whole && s->text[sign] == '0', unsure = false, possible = !whole;
    if (point && s->goal->kind == KIND_INTEGER) return NO;
    for (uint32_t i = 0; i < fraction && s->goal->kind == KIND_WHOLE; i++)
        if (point[1 + i] != '0') return NO;
    if (++s->work > 20000) return MAYBE;
    if (number_status(s->text, length) == 1 && goal_met(s, length)) return YES;
    uint32_t room = point || zero || whole >= s->whole_limit ? 0 : s->whole_limit - whole;
    for (uint32_t more = 0; more <= room && !possible; more++) possible = reaches(s, length, more, point);
    if (!possible) return NO;
    for (const char *c = ".0123456789-"; *c; c++) {
        bool follows = *c == '-'   ? !length
                       : *c == '.' ? !point && whole && s->goal->kind != KIND_INTEGER
                       : point     ? fraction < s->fraction_limit && (*c == '0' || s->goal->kind != KIND_WHOLE)
                                   : !whole || room;
        if (!follows) continue;
        s->text[length] = *c;
        answer found = extend(s, length + 1);
        if (found == YES) return YES;
        unsure |= found == MAYBE;
    }
    return unsure ? MAYBE : NO;
}

/* The same where only one number will do: its own digits, then zeros. */
static answer point_with_exponent(search *s, const char *prefix, uint32_t length) {
    decimal x;
    decimal_read(s->goal->low->text, s->goal->low->length, &x);
    if (!x.sign || x.count + length + 16 > NUMBER_CAPACITY) return x.sign ? MAYBE : NO;
    int size = snprintf(s->text, NUMBER_CAPACITY, "%s%c.%.*s", x.sign < 0 ? "-" : "", x.digits[0], (int)x.count - 1, x.digits + 1);
    while ((uint32_t)size < length || s->text[size - 1] == '.') s->text[size++] = '0';
    sprintf(s->text + size, "e%d", (int)x.exponent - 1);
    return !strncmp(prefix, s->text, length) && goal_met(s, (uint32_t)strlen(s->text)) ? YES : NO;
}

/* A mantissa that begins so, at some exponent: NO where its whole range misses that of the bounds. */
static answer with_exponent(search *s, uint32_t length) {
    const number_goal *goal = s->goal;
    char prefix[NUMBER_CAPACITY];
    char least[NUMBER_CAPACITY], most[NUMBER_CAPACITY];
    memcpy(prefix, s->text, length);
    prefix[length] = 0;
    if (goal->low && goal->high && !decimal_compare(goal->low->text, goal->low->length, goal->high->text, goal->high->length))
        return point_with_exponent(s, prefix, length);
    bool negative = *prefix == '-', has_point = memchr(prefix, '.', length), reached = false;
    for (int exponent = -400; exponent <= 400; exponent++) {
        int low_length = snprintf(least, sizeof least, "%.*s%s0e%d", (int)length, prefix, has_point ? "" : ".", exponent);
        int high_length = snprintf(most, sizeof most, "%.*s%s%0*de%d", (int)length, prefix, has_point ? "" : ".", 90, 0, exponent);
        for (int i = (int)length + !has_point; most[i] == '0'; i++) most[i] = '9';
        const char *low = negative ? most : least, *high = negative ? least : most;
        uint32_t low_size = (uint32_t)(negative ? high_length : low_length);
        uint32_t high_size = (uint32_t)(negative ? low_length : high_length);
        if (!(goal->low && decimal_compare(high, high_size, goal->low->text, goal->low->length) < 0) &&
            !(goal->high && decimal_compare(low, low_size, goal->high->text, goal->high->length) > 0)) {
            reached = true;
            for (const char *more = "05"; *more; more++) {
                int size = snprintf(s->text, NUMBER_CAPACITY, "%.*s%s%ce%d", (int)length, prefix, has_point ? "" : ".", *more,
                                    exponent);
                if (goal_met(s, (uint32_t)size)) return YES;
            }
        }
    }
    return reached ? MAYBE : NO;
}

answer number_complete(const char *prefix, uint32_t length, const number_goal *goal, char out[NUMBER_CAPACITY]) {
    search s = {.goal = goal, .text = out, .whole_limit = 1, .fraction_limit = 0};
    const json *numbers[] = {goal->low, goal->high};
    for (uint32_t i = 0; i < 2 + goal->unequal_count; i++) {
        const json *number = i < 2 ? numbers[i] : goal->unequal[i - 2];
        uint32_t before = number ? digits_before_point(number) : 0, after = number ? digits_after_point(number) : 0;
        if (before > s.whole_limit) s.whole_limit = before;
        if (after > s.fraction_limit) s.fraction_limit = after;
    }
    if (length > NUMBER_CAPACITY / 3) return MAYBE;
    memcpy(out, prefix, length);
    out[length] = 0;
    /* Between two different numbers of f decimals there are 99 of f + 2; and one digit more than any bound has always
     * leaves the range of the bounds. */
    const char *point = memchr(prefix, '.', length);
    uint32_t whole = point ? (uint32_t)(point - prefix) : length;
    if (whole > s.whole_limit) s.whole_limit = whole;
    if (length - whole > s.fraction_limit) s.fraction_limit = length - whole;
    s.whole_limit += 2;
    s.fraction_limit += 2;
    if (s.whole_limit + s.fraction_limit > NUMBER_CAPACITY / 3) return MAYBE;
    answer found = extend(&s, length);
    if (found != NO || goal->exponents == NO || goal->kind == KIND_INTEGER || !may_take_exponent(out, length)) return found;
    found = with_exponent(&s, length);
    return found == YES ? goal->exponents : found;
}
