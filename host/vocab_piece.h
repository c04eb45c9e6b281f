/* vocab_piece.h - the text of a token in a vocabulary file -> the bytes that the token writes. */
#ifndef WEIR_HOST_VOCAB_PIECE_H
#define WEIR_HOST_VOCAB_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of the two alphabets of vocabulary files. Byte-level: each character is a byte (GPT-2). Otherwise: text in UTF-8
 * with a mark for spaces, and, under byte_fallback, <0xNN> for the byte NN. */
typedef struct piece_alphabet {
    bool byte_level;
    bool byte_fallback;
    const char *space; /* the mark; NULL: none */
    uint32_t space_length;
    uint16_t bytes[324]; /* byte-level: code point -> byte, or 256 */
} piece_alphabet;

#define PIECE_SPACE        "\xe2\x96\x81" /* U+2581, sentencepiece's mark */
#define PIECE_SPACE_LENGTH 3u

void piece_byte_level(piece_alphabet *alphabet);
/* `space` is borrowed. */
void piece_metaspace(piece_alphabet *alphabet, const char *space, uint32_t space_length, bool byte_fallback);
/* Writes at most `length` bytes to `out`; *written says how many. False: the text has a character outside the
 * byte-level alphabet; `out` is the text itself. */
bool piece_decode(const piece_alphabet *alphabet, const char *text, size_t length, uint8_t *out, uint32_t *written);
/* Whether the text is <0xNN>, hexadecimal digits in either case. */
bool piece_is_byte(const char *text, size_t length, uint8_t *byte);

#endif
