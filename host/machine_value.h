/* machine_value.h - the value of the JSON text being read, as one number: equal values have equal numbers.
 *
 * Strings count as their decoded bytes, numbers as what they are worth (1, 1.0 and 10e-1 are one), objects without order.
 * Bit 63 says that the number IS the value, a short scalar or empty container inside any arrays of one item: equal then
 * means equal. Without it two values may collide. Part of machine.h. */
#ifndef WEIR_HOST_MACHINE_VALUE_H
#define WEIR_HOST_MACHINE_VALUE_H

#define VALUE_EXACT 0x8000000000000000u

typedef struct value_reader {
    uint64_t hash;  /* of the last value, or of the scalar so far; of a number its digits without the last zeros */
    uint32_t mode;  /* value_mode and the flags below; in an escape the code units so far stand in `exponent` */
    uint32_t zeros; /* digits behind the last that is not 0; in an escape: hex digits to come */
    uint32_t fraction; /* digits behind the point */
    uint32_t exponent;
} value_reader;

enum value_mode { VALUE_NONE, VALUE_STRING, VALUE_ESCAPE, VALUE_HEX, VALUE_DIGITS, VALUE_FRACTION, VALUE_EXPONENT };
enum {
    VALUE_MODE = 7,
    VALUE_NEGATIVE = 8,
    VALUE_EXPONENT_NEGATIVE = 16,
    VALUE_WRAPPED = 32, /* the digits are known modulo 2^61 - 1 only */
    VALUE_LONG = 64,    /* a string of more than 5 bytes */
    VALUE_READ = 128    /* a value has been read that its container does not count yet */
};

/* Exact values: a tag in bits 57 to 59, how many arrays of one item stand around in bits 46 to 56, a payload. */
enum { TAG_STRING = 1, TAG_NUMBER, TAG_LITERAL, TAG_EMPTY };
#define VALUE_ARRAY ((uint64_t)1 << 46)
#define VALUE_ARRAYS ((uint64_t)0x7FF << 46)

/* Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
MACHINE uint64_t value_mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

MACHINE uint64_t value_exact(uint32_t tag, uint64_t payload) { return VALUE_EXACT | (uint64_t)tag << 57 | payload; }

MACHINE void value_done(value_reader *r, uint64_t hash) {
    r->hash = hash;
    r->mode = VALUE_NONE | VALUE_READ;
}

MACHINE void value_string_byte(value_reader *r, uint32_t byte) {
    if ((r->mode & VALUE_LONG) == 0 && r->hash >> 40 == 0) { /* a leading 1 tells lengths apart */
        r->hash = r->hash << 8 | byte;
        return;
    }
    r->mode |= VALUE_LONG;
    r->hash = value_mix(r->hash ^ byte);
}

MACHINE void value_code_point(value_reader *r, uint32_t point) {
    if (point < 0x80) {
        value_string_byte(r, point);
    } else if (point < 0x800) {
        value_string_byte(r, 0xC0 | point >> 6);
        value_string_byte(r, 0x80 | (point & 63));
    } else {
        if (point < 0x10000) {
            value_string_byte(r, 0xE0 | point >> 12);
        } else {
            value_string_byte(r, 0xF0 | point >> 18);
            value_string_byte(r, 0x80 | (point >> 12 & 63));
        }
        value_string_byte(r, 0x80 | (point >> 6 & 63));
        value_string_byte(r, 0x80 | (point & 63));
    }
}

MACHINE uint32_t value_hex(uint8_t byte) {
    return byte <= '9' ? (uint32_t)byte - '0' : ((uint32_t)byte | 0x20) - 'a' + 10;
}

/* One of the four digits behind \u; `exponent` holds a high surrogate that waits for its low one, above the digits. */
MACHINE void value_hex_digit(value_reader *r, uint8_t byte) {
    r->exponent = (r->exponent & 0xFFFF0000u) | (r->exponent << 4 & 0xFFF0u) | value_hex(byte);
    if (--r->zeros != 0) return;
    uint32_t unit = r->exponent & 0xFFFFu, high = r->exponent >> 16;
    r->mode = (r->mode & ~(uint32_t)VALUE_MODE) | VALUE_STRING;
    r->exponent = 0;
    if (unit >= 0xD800 && unit < 0xDC00) {
        r->exponent = unit << 16;
    } else {
        value_code_point(r, high != 0 ? 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00) : unit);
    }
}

MACHINE void value_escape(value_reader *r, uint8_t byte) {
    static const uint8_t letters[] = "bfnrt", points[] = {8, 12, 10, 13, 9};
    if (byte == 'u') {
        r->mode = (r->mode & ~(uint32_t)VALUE_MODE) | VALUE_HEX;
        r->zeros = 4;
        r->exponent &= 0xFFFF0000u;
        return;
    }
    r->mode = (r->mode & ~(uint32_t)VALUE_MODE) | VALUE_STRING;
    for (int i = 0; i < 5; i++) {
        if (byte == letters[i]) byte = points[i];
    }
    value_string_byte(r, byte);
}

/* digits * 10 + digit, modulo 2^61 - 1 once they are too many. */
MACHINE void value_append(value_reader *r, uint32_t digit) {
    const uint64_t prime = (1ull << 61) - 1;
    if ((r->mode & VALUE_WRAPPED) == 0 && r->hash < (1ull << 56)) {
        r->hash = r->hash * 10 + digit;
        return;
    }
    r->mode |= VALUE_WRAPPED;
    uint64_t twice = r->hash * 2 % prime, eight = twice * 4 % prime;
    r->hash = (twice + eight + digit) % prime;
}

MACHINE void value_digit(value_reader *r, uint32_t digit) {
    uint32_t mode = r->mode & VALUE_MODE;
    if (mode == VALUE_EXPONENT) {
        if (r->exponent >= 100000000u) r->mode |= VALUE_WRAPPED;
        r->exponent = r->exponent * 10 + digit;
        return;
    }
    r->fraction += mode == VALUE_FRACTION;
    if (digit == 0) {
        r->zeros += r->hash != 0;
        return;
    }
    for (; r->zeros != 0; r->zeros--) value_append(r, 0);
    value_append(r, digit);
}

MACHINE void value_number_done(value_reader *r) {
    bool negative = (r->mode & VALUE_NEGATIVE) != 0;
    uint32_t power = (r->mode & VALUE_EXPONENT_NEGATIVE) != 0 ? 0u - r->exponent : r->exponent;
    power += r->zeros - r->fraction;
    uint64_t digits = r->hash;
    if (digits == 0) {
        value_done(r, value_exact(TAG_NUMBER, 0));
    } else if ((r->mode & VALUE_WRAPPED) == 0 && digits < (1ull << 30) && power + (1u << 14) < (1u << 15)) {
        value_done(r, value_exact(TAG_NUMBER, digits << 16 | (uint64_t)(power + (1u << 14)) << 1 | negative));
    } else {
        value_done(r, value_mix(digits ^ value_mix((uint64_t)power << 1 | negative)) & ~VALUE_EXACT);
    }
}

/* A byte of the text, before the machine takes its step. Brackets, commas and colons are the machine's. */
MACHINE_CALL void value_byte(value_reader *r, uint8_t byte) {
    switch (r->mode & VALUE_MODE) {
    case VALUE_STRING:
        if (byte == '"') {
            value_done(r, (r->mode & VALUE_LONG) != 0 ? r->hash & ~VALUE_EXACT : value_exact(TAG_STRING, r->hash));
        } else if (byte == '\\') {
            r->mode = (r->mode & ~(uint32_t)VALUE_MODE) | VALUE_ESCAPE;
        } else {
            value_string_byte(r, byte);
        }
        return;
    case VALUE_ESCAPE:
        value_escape(r, byte);
        return;
    case VALUE_HEX:
        value_hex_digit(r, byte);
        return;
    case VALUE_DIGITS:
    case VALUE_FRACTION:
    case VALUE_EXPONENT:
        if (byte >= '0' && byte <= '9') {
            value_digit(r, (uint32_t)byte - '0');
        } else if (byte == '.') {
            r->mode = (r->mode & ~(uint32_t)VALUE_MODE) | VALUE_FRACTION;
        } else if (byte == 'e' || byte == 'E') {
            r->mode = (r->mode & ~(uint32_t)VALUE_MODE) | VALUE_EXPONENT;
        } else if (byte == '-') {
            r->mode |= VALUE_EXPONENT_NEGATIVE;
        } else if (byte != '+') {
            value_number_done(r);
        }
        return;
    default:
        break;
    }
    if (byte == '"') {
        r->hash = 1;
        r->mode = VALUE_STRING;
        r->exponent = 0;
    } else if (byte == '-' || (byte >= '0' && byte <= '9')) {
        r->hash = 0;
        r->zeros = r->fraction = r->exponent = 0;
        r->mode = VALUE_DIGITS | (byte == '-' ? VALUE_NEGATIVE : 0);
        if (byte != '-') value_digit(r, (uint32_t)byte - '0');
    } else if (byte == 't' || byte == 'f' || byte == 'n') { /* the first letter tells which literal it is */
        value_done(r, value_exact(TAG_LITERAL, byte));
    }
}

/* What a container's frame remembers of its members so far. */
enum value_word { MEMBERS_SUM, MEMBERS_SUM_HIGH, MEMBERS_NAME, MEMBERS_NAME_HIGH, MEMBERS_FLAGS, MEMBERS_KEPT, MEMBERS_WORDS };
#define MEMBERS_JUDGES 0x80000000u /* in KEPT, beside the number of values kept when it opened: its call has CALL_JUDGES */
enum { MEMBERS_ANY = 1, MEMBERS_NAMED = 2, MEMBERS_ONE = 4 }; /* NAMED: a name waits for its value. ONE: the sum is the only item */

MACHINE uint64_t value_pair(const uint32_t *words) { return (uint64_t)words[1] << 32 | words[0]; }

MACHINE void value_put(uint32_t *words, uint64_t value) {
    words[0] = (uint32_t)value;
    words[1] = (uint32_t)(value >> 32);
}

/* Counts the value read last, if it is not counted yet. */
MACHINE void members_add(value_reader *r, uint32_t *members) {
    if ((r->mode & VALUE_READ) == 0) return;
    r->mode &= ~(uint32_t)VALUE_READ;
    uint64_t sum = value_pair(members + MEMBERS_SUM);
    if ((members[MEMBERS_FLAGS] & MEMBERS_NAMED) != 0) {
        sum += value_mix(value_mix(value_pair(members + MEMBERS_NAME)) + 3 * r->hash);
    } else if (members[MEMBERS_FLAGS] == 0) {
        value_put(members + MEMBERS_SUM, r->hash);
        members[MEMBERS_FLAGS] = MEMBERS_ANY | MEMBERS_ONE;
        return;
    } else {
        sum = value_mix(value_mix(sum) ^ r->hash);
    }
    value_put(members + MEMBERS_SUM, sum);
    members[MEMBERS_FLAGS] = MEMBERS_ANY;
}

MACHINE void members_name(value_reader *r, uint32_t *members) {
    value_put(members + MEMBERS_NAME, r->hash);
    members[MEMBERS_FLAGS] |= MEMBERS_NAMED;
    r->mode &= ~(uint32_t)VALUE_READ;
}

/* The container closes: it is the value read last. `members` stays as it is. */
MACHINE void members_done(value_reader *r, const uint32_t *members, bool object) {
    uint32_t copy[MEMBERS_WORDS];
    for (int i = 0; i < MEMBERS_WORDS; i++) copy[i] = members[i];
    members_add(r, copy);
    if (copy[MEMBERS_FLAGS] == 0) {
        value_done(r, value_exact(TAG_EMPTY, object));
        return;
    }
    uint64_t sum = value_pair(copy + MEMBERS_SUM);
    bool exact = (copy[MEMBERS_FLAGS] & MEMBERS_ONE) != 0 && (sum & VALUE_EXACT) != 0 && (sum & VALUE_ARRAYS) != VALUE_ARRAYS;
    value_done(r, exact ? sum + VALUE_ARRAY : value_mix(sum + object) & ~VALUE_EXACT);
}

#endif
