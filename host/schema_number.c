/* schema_number.c - decimals, exactly as the text writes them. */
#include <string.h>

#include "schema.h"

#define DECIMAL_REACH 400 /* largest power of ten, either way */

bool decimal_parse(const char *text, uint32_t length, decimal *out) {
    memset(out, 0, sizeof *out);
    uint32_t at = 0;
    bool negative = length > 0 && text[0] == '-';
    at += negative;
    int64_t point = 0, exponent = 0;
    bool fraction = false;
    uint32_t zeros = 0; /* not yet known to be inside the number */
    for (; at < length && (text[at] == '.' || (text[at] >= '0' && text[at] <= '9')); at++) {
        if (text[at] == '.') {
            fraction = true;
            continue;
        }
        uint8_t digit = (uint8_t)(text[at] - '0');
        if (out->count == 0 && digit == 0) {
            if (fraction) point--;
            continue;
        }
        if (!fraction) point++;
        if (digit == 0) {
            zeros++;
            continue;
        }
        if (out->count + zeros >= sizeof out->digits) return false;
        out->count += zeros; /* the array is cleared */
        zeros = 0;
        out->digits[out->count++] = digit;
    }
    if (at < length) { /* e or E */
        at++;
        bool minus = text[at] == '-';
        if (text[at] == '-' || text[at] == '+') at++;
        for (; at < length; at++) {
            if (exponent < 100000) exponent = exponent * 10 + (text[at] - '0');
        }
        if (minus) exponent = -exponent;
    }
    if (out->count == 0) return true; /* zero, whatever its exponent */
    point += exponent;
    if (point > DECIMAL_REACH + 1 || point < -DECIMAL_REACH) return false;
    out->point = (int32_t)point;
    out->sign = negative ? -1 : 1;
    return true;
}

static int compare_magnitude(const decimal *left, const decimal *right) {
    if (left->count == 0 || right->count == 0) return (left->count != 0) - (right->count != 0);
    if (left->point != right->point) return left->point < right->point ? -1 : 1;
    return memcmp(left->digits, right->digits, sizeof left->digits);
}

int decimal_order(const decimal *left, const decimal *right) {
    if (left->sign != right->sign) return left->sign < right->sign ? -1 : 1;
    int order = compare_magnitude(left, right);
    return left->sign < 0 ? -order : order;
}

bool decimal_is_integer(const decimal *value) { return value->count == 0 || (int32_t)value->count <= value->point; }
