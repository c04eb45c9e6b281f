/* recogniser_string.c - strings that are being written, byte by byte: lexical rules and the policy of spelling.
 *
 * A known string has one spelling. So as long as the text agrees with a known string, a character is written as that
 * spelling has it; an escape that makes the text differ from every known string is allowed when it is a short one (\n)
 * or stands for a control character or U+0080 and above. After the text differs, anything goes. */
#include "recogniser_parts.h"

#include <string.h>

typedef enum character_status { CHARACTER_BAD, CHARACTER_OPEN, CHARACTER_DONE } character_status;

static void narrow(const known_list *known, uint32_t *low, uint32_t *high, uint32_t offset, const char *bytes,
                   uint32_t length) {
    for (uint32_t i = 0; i < length; i++) {
        while (*low < *high &&
               (known->items[*low].length <= offset + i || known->items[*low].quoted[offset + i] != bytes[i]))
            ++*low;
        uint32_t end = *low;
        while (end < *high && known->items[end].length > offset + i && known->items[end].quoted[offset + i] == bytes[i])
            end++;
        *high = end;
    }
}

/* Is there a known string that goes on with this character? */
static bool goes_on(const string_state *state, const known_list *known, uint32_t character) {
    char quoted[8];
    uint32_t low = state->low, high = state->high, length = quote_character(character, quoted);
    narrow(known, &low, &high, state->matched, quoted, length);
    return low < high;
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static uint32_t hex_value(const char *digits, uint32_t count) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++)
        value = value << 4 | (uint32_t)(digits[i] <= '9' ? digits[i] - '0' : (digits[i] | 32) - 'a' + 10);
    return value;
}

/* The code points, or the 16-bit value of the escape, that these bytes of an unfinished character leave open. For
 * escapes `escape` is the offset of the four digits being written. */
static character_status look(const char *text, uint32_t length, uint32_t *least, uint32_t *most, uint32_t *escape) {
    *escape = 0;
    if (text[0] != '\\') {
        unsigned char lead = (unsigned char)text[0];
        uint32_t total = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
        if (!total) return CHARACTER_BAD;
        *least = *most = lead & (0x7fu >> total);
        for (uint32_t i = 1; i < total; i++) {
            if (i < length && ((unsigned char)text[i] & 0xc0) != 0x80) return CHARACTER_BAD;
            *least = *least << 6 | (i < length ? (unsigned char)text[i] & 0x3fu : 0);
            *most = *most << 6 | (i < length ? (unsigned char)text[i] & 0x3fu : 0x3f);
        }
        if (total == 3 && *least < 0x800) *least = 0x800;
        if (total == 4 && *least < 0x10000) *least = 0x10000;
        if (*most > 0x10ffff) *most = 0x10ffff;
        if (*least >= 0xd800 && *most <= 0xdfff) return CHARACTER_BAD;
        return *least > *most ? CHARACTER_BAD : length < total ? CHARACTER_OPEN : CHARACTER_DONE;
    }
    *least = 0;
    *most = 0x10ffff;
    if (length == 1) return CHARACTER_OPEN;
    if (text[1] != 'u') {
        static const char shorts[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        const char *found = text[1] ? strchr(shorts, text[1]) : NULL;
        if (!found) return CHARACTER_BAD;
        *least = *most = (unsigned char)meant[found - shorts];
        return CHARACTER_DONE;
    }
    uint32_t digits = length < 6 ? length - 2 : 4, rest = 4 * (4 - digits), high;
    for (uint32_t i = 0; i < digits; i++)
        if (!is_hex(text[2 + i])) return CHARACTER_BAD;
    *least = hex_value(text + 2, digits) << rest;
    *most = *least | ((1u << rest) - 1);
    *escape = 2;
    if (*least >= 0xdc00 && *most <= 0xdfff) return CHARACTER_BAD;
    if (digits < 4) return CHARACTER_OPEN;
    if (*least < 0xd800 || *least > 0xdbff) return CHARACTER_DONE;
    high = *least;
    digits = length > 8 ? length - 8 : 0;
    rest = 4 * (4 - digits);
    if ((length > 6 && text[6] != '\\') || (length > 7 && text[7] != 'u')) return CHARACTER_BAD;
    for (uint32_t i = 0; i < digits; i++)
        if (!is_hex(text[8 + i])) return CHARACTER_BAD;
    *least = hex_value(text + 8, digits) << rest;
    *most = *least | ((1u << rest) - 1);
    *escape = 8;
    if (*most < 0xdc00 || *least > 0xdfff) return CHARACTER_BAD;
    *least = 0x10000 + ((high & 0x3ff) << 10) + (*least < 0xdc00 ? 0 : *least & 0x3ff);
    *most = 0x10000 + ((high & 0x3ff) << 10) + (*most > 0xdfff ? 0x3ff : *most & 0x3ff);
    return digits < 4 ? CHARACTER_OPEN : CHARACTER_DONE;
}

string_state string_begin(const known_list *known) {
    return (string_state){.high = known->count};
}

/* Printable ASCII: as long as the text agrees with a known string, no \u stands for it. */
static bool is_plain(uint32_t character) {
    return character >= 0x20 && character < 0x80;
}

static bool finish_character(string_state *state, const known_list *known, uint32_t character) {
    char quoted[8];
    uint32_t length = quote_character(character, quoted), low = state->low, high = state->high;
    narrow(known, &low, &high, state->matched, quoted, length);
    bool same = length == state->pending_length && !memcmp(quoted, state->pending, length);
    if (low < high && !same) return false; /* another spelling of a known string */
    bool long_escape = state->pending_length > 2 && state->pending[0] == '\\';
    if (low == high && state->low < state->high && long_escape && is_plain(character)) return false;
    state->low = low;
    state->high = high;
    state->matched += length;
    state->count++;
    state->last = character;
    state->usual = same;
    state->pending_length = 0;
    return true;
}

bool string_step(string_state *state, const known_list *known, char byte) {
    uint32_t least, most, escape;
    if (!state->pending_length && (unsigned char)byte < 0x20) return false;
    state->pending[state->pending_length++] = byte;
    if (state->pending_length == 1 && byte != '\\' && (unsigned char)byte < 0x80)
        return finish_character(state, known, (unsigned char)byte);
    switch (look(state->pending, state->pending_length, &least, &most, &escape)) {
    case CHARACTER_BAD: return false;
    case CHARACTER_DONE: return finish_character(state, known, least);
    default: return state->low == state->high || string_least_other(state, known) < UINT64_MAX;
    }
}

void string_range(const string_state *state, uint32_t *least, uint32_t *most) {
    uint32_t escape;
    look(state->pending, state->pending_length, least, most, &escape);
}

const known *string_known(const string_state *state, const known_list *known) {
    bool written = state->low < state->high && known->items[state->low].length == state->matched;
    return written && !state->pending_length ? &known->items[state->low] : NULL;
}

bool string_extends(const string_state *state, const known_list *known, uint32_t index) {
    const struct known *item = &known->items[index];
    return index >= state->low && index < state->high && item->length >= state->matched + state->pending_length &&
           !memcmp(item->quoted + state->matched, state->pending, state->pending_length);
}

/* A character, or the high half of one, that the pending bytes can become so that the text differs from all that is
 * known; UINT32_MAX: none. Known strings are few, so a few tries find it. */
static uint32_t differing(const string_state *state, const known_list *known) {
    uint32_t least, most, escape;
    look(state->pending, state->pending_length, &least, &most, &escape);
    bool escaped = state->pending[0] == '\\', any = state->low == state->high;
    for (uint64_t c = least, tries = 0; c <= most && tries < known->count + 2u; c++) {
        if (c >= 0xd800 && c <= 0xdfff) { /* an escape: the high half stands for what may follow */
            if (escape == 2 && c <= 0xdbff) return (uint32_t)c;
            continue;
        }
        if (escaped && !any && state->pending_length > 1 && is_plain((uint32_t)c)) continue;
        if (!goes_on(state, known, (uint32_t)c)) return (uint32_t)c;
        tries++;
    }
    return UINT32_MAX;
}

uint64_t string_least_other(const string_state *state, const known_list *known) {
    if (!state->pending_length) return state->count + (string_known(state, known) != NULL);
    if (differing(state, known) != UINT32_MAX) return state->count + 1ull;
    /* The character must be one of a known string; the text can differ after it. */
    uint64_t best = UINT64_MAX;
    for (uint32_t i = state->low; i < state->high; i++) {
        if (!string_extends(state, known, i)) continue;
        string_state after = *state;
        while (after.pending_length)
            string_step(&after, known, known->items[i].quoted[after.matched + after.pending_length]);
        uint64_t length = string_least_other(&after, known);
        if (length < best) best = length;
    }
    return best;
}

void string_continue_other(const string_state *state, const known_list *known, uint64_t length, text_buffer *out) {
    uint32_t least, most, escape;
    char filler = 'a';
    if (!state->pending_length) {
        while (filler < 'z' && goes_on(state, known, (unsigned char)filler)) filler++;
        for (uint64_t i = state->count; i < length; i++) text_put(out, &filler, 1);
        return;
    }
    uint32_t character = differing(state, known);
    if (character == UINT32_MAX) { /* as the known string has it */
        for (uint32_t i = state->low; i < state->high; i++) {
            if (!string_extends(state, known, i)) continue;
            text_put(out, &known->items[i].quoted[state->matched + state->pending_length], 1);
            return;
        }
    }
    look(state->pending, state->pending_length, &least, &most, &escape);
    if (state->pending[0] != '\\') {
        char bytes[4];
        uint32_t total = utf8_encode(character, bytes);
        text_put(out, bytes + state->pending_length, total - state->pending_length);
    } else if (state->pending_length == 1) {
        text_put(out, "u", 1);
    } else if (state->pending_length == 6 || state->pending_length == 7) {
        text_put(out, state->pending_length == 6 ? "\\" : "u", 1);
    } else {
        char digits[5];
        uint32_t value = escape == 2 ? character : 0xdc00 + (character & 0x3ff);
        for (int i = 0; i < 4; i++) digits[i] = "0123456789abcdef"[value >> (12 - 4 * i) & 15];
        uint32_t written = state->pending_length - escape;
        text_put(out, digits + written, 4 - written);
    }
}

char *string_decode(arena *arena, const char *raw, size_t raw_length, uint32_t *length) {
    char *text = region_take(arena, raw_length + 1);
    uint32_t used = 0, least, most, escape;
    for (size_t i = 0; i < raw_length;) {
        uint32_t step = 1;
        if (raw[i] != '\\') {
            text[used++] = raw[i++];
            continue;
        }
        while (look(raw + i, step, &least, &most, &escape) == CHARACTER_OPEN && i + step < raw_length) step++;
        used += utf8_encode(least, text + used);
        i += step;
    }
    *length = used;
    return text;
}
