/* vocab_piece.c - the text of a token in a vocabulary file in, the bytes that the token writes out. */
#include "vocab_piece.h"

#include <string.h>

enum { NOT_A_BYTE = 256 };

/* GPT-2's alphabet: printable Latin-1 stands for itself, the other bytes for U+0100, U+0101, ... in order. */
void piece_byte_level(piece_alphabet *alphabet) {
    uint32_t next = 256;
    *alphabet = (piece_alphabet){.byte_level = true};
    for (uint32_t i = 0; i < 324; ++i) alphabet->bytes[i] = NOT_A_BYTE;
    for (uint32_t byte = 0; byte < 256; ++byte) {
        const bool itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
        alphabet->bytes[itself ? byte : next++] = (uint16_t)byte;
    }
}

void piece_metaspace(piece_alphabet *alphabet, const char *space, uint32_t space_length, bool byte_fallback) {
    *alphabet = (piece_alphabet){.byte_fallback = byte_fallback, .space = space, .space_length = space_length};
}

static bool decode_byte_level(const uint16_t bytes[324], const char *text, size_t length, uint8_t *out,
                              uint32_t *written) {
    const uint8_t *source = (const uint8_t *)text;
    *written = 0;
    for (size_t i = 0; i < length; ++i) {
        uint32_t point = source[i];
        if (point >= 0xc2 && point <= 0xc5 && i + 1 < length && source[i + 1] >> 6 == 2)
            point = (point & 0x1f) << 6 | (source[++i] & 0x3f);
        else if (point >= 0x80)
            point = 0; /* above the alphabet; U+0000 is not in it either */
        if (point >= 324 || bytes[point] == NOT_A_BYTE) {
            memcpy(out, text, length);
            *written = (uint32_t)length;
            return false;
        }
        out[(*written)++] = (uint8_t)bytes[point];
    }
    return true;
}

bool piece_decode(const piece_alphabet *alphabet, const char *text, size_t length, uint8_t *out, uint32_t *written) {
    if (alphabet->byte_level) return decode_byte_level(alphabet->bytes, text, length, out, written);
    *written = 1;
    if (alphabet->byte_fallback && piece_is_byte(text, length, out)) return true;
    *written = 0;
    for (size_t i = 0; i < length;) {
        const bool space = alphabet->space && length - i >= alphabet->space_length &&
                           memcmp(text + i, alphabet->space, alphabet->space_length) == 0;
        out[(*written)++] = space ? ' ' : (uint8_t)text[i];
        i += space ? alphabet->space_length : 1;
    }
    return true;
}

static uint32_t hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return (uint32_t)(digit - '0');
    if (digit >= 'A' && digit <= 'F') return (uint32_t)(digit - 'A' + 10);
    if (digit >= 'a' && digit <= 'f') return (uint32_t)(digit - 'a' + 10);
    return 16;
}

bool piece_is_byte(const char *text, size_t length, uint8_t *byte) {
    if (length != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>') return false;
    const uint32_t high = hex_value(text[3]), low = hex_value(text[4]);
    if (high > 15 || low > 15) return false;
    *byte = (uint8_t)(high << 4 | low);
    return true;
}
