/* vocab_tables.c - a vocabulary and its lexicon in, one flat blob out. */
#include "vocab_tables.h"

#include <string.h>

#include "lexicon.h"
#include "vocab.h"

_Static_assert(VOCAB_LEVELS == LEXICON_LEVELS, "the levels of the lexicon");
_Static_assert(LEX_COUNT <= VOCAB_ROWS_MOST, "a row for each lexical state");

static uint32_t long_first(const lexical_row *row) {
    uint32_t first = row->inner_count;
    while (first > 0 && PACK_POINTS(row->inner[first - 1]) >= VOCAB_LEVELS) first--;
    return first;
}

/* Takes the place of `bytes` bytes at the end of the blob. */
static uint64_t place(vocab_tables *v, size_t bytes) {
    uint64_t at = v->bytes;
    v->bytes += (bytes + 7) / 8 * 8;
    return at;
}

static vocab_tables layout(const weir_vocab *vocab) {
    vocab_tables v;
    memset(&v, 0, sizeof v);
    v.bytes = sizeof v;
    v.token_count = vocab->token_count;
    v.logits_width = vocab->logits_width;
    v.mask_words = vocab->mask_words;
    v.stop_count = vocab->stop_count;
    v.bracket_most = vocab->bracket_most;
    v.stop_ids = place(&v, sizeof(uint32_t) * vocab->stop_count);
    v.offsets = place(&v, sizeof(uint32_t) * ((size_t)vocab->token_count + 1));
    size_t text = 0;
    for (uint32_t i = 0; i < vocab->token_count; i++)
        if (vocab_is_text(vocab, i)) text += vocab->offsets[i + 1] - vocab->offsets[i];
    v.text = place(&v, text);
    for (uint32_t i = 0; i < LEX_COUNT; i++) {
        const lexical_row *row = &vocab->lexicon->rows[i];
        v.rows[i].bitmaps = place(&v, sizeof(uint32_t) * (VOCAB_LEVELS + 1) * vocab->mask_words);
        v.rows[i].long_count = row->inner_count - long_first(row);
        v.rows[i].long_ones = place(&v, sizeof(uint32_t) * v.rows[i].long_count);
        v.rows[i].longest = row->longest;
    }
    return v;
}

size_t vocab_tables_bytes(const weir_vocab *vocab) {
    return (size_t)layout(vocab).bytes;
}

void vocab_tables_write(const weir_vocab *vocab, void *out) {
    vocab_tables v = layout(vocab);
    char *blob = out;
    memset(blob, 0, (size_t)v.bytes);
    memcpy(blob, &v, sizeof v);
    if (v.stop_count) memcpy(blob + v.stop_ids, vocab->stop_ids, sizeof(uint32_t) * v.stop_count);
    uint32_t *offsets = (uint32_t *)(blob + v.offsets), used = 0;
    for (uint32_t i = 0; i < v.token_count; i++) {
        uint32_t length = vocab_is_text(vocab, i) ? vocab->offsets[i + 1] - vocab->offsets[i] : 0;
        offsets[i] = used;
        if (length) memcpy(blob + v.text + used, vocab->bytes + vocab->offsets[i], length);
        used += length;
    }
    offsets[v.token_count] = used;
    for (uint32_t i = 0; i < LEX_COUNT; i++) {
        const lexical_row *row = &vocab->lexicon->rows[i];
        memcpy(blob + v.rows[i].bitmaps, row->bitmaps, sizeof(uint32_t) * (VOCAB_LEVELS + 1) * v.mask_words);
        if (v.rows[i].long_count)
            memcpy(blob + v.rows[i].long_ones, row->inner + long_first(row), sizeof(uint32_t) * v.rows[i].long_count);
    }
}
