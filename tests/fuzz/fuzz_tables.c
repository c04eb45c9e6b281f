/* fuzz_tables.c - saved tables with any changes and a sound checksum: refused, or harmless when used.
 *
 * Input: a byte that chooses the grammar, a byte with the number of changes, the changes (where: 3 bytes, how: 1 byte, a word),
 * then the bytes of a walk. */
#include "../table_schemas.h"
#include "fuzz.h"
#include "tables_io.h"

enum { VARIANTS = 8 };

/* Compiled once each. */
static const tables *grammar_tables(uint32_t which, size_t *length) {
    static weir_grammar *grammars[TABLE_SCHEMAS * VARIANTS];
    if (grammars[which] == NULL) {
        weir_grammar_options options = fuzz_options((uint8_t)(which / TABLE_SCHEMAS));
        options.depth_limit = 6;
        const char *schema = table_schemas[which % TABLE_SCHEMAS];
        grammars[which] = fuzz_compile(fuzz_vocab(), schema, strlen(schema), &options);
        CHECK(grammars[which] != NULL);
    }
    return weir_grammar_tables(grammars[which], length);
}

static void change(fuzz_input *in, uint32_t *words, uint32_t count) {
    uint32_t where = fuzz_byte(in);
    where |= (uint32_t)fuzz_byte(in) << 8;
    where |= (uint32_t)fuzz_byte(in) << 16;
    uint8_t how = fuzz_byte(in);
    uint32_t value = fuzz_word(in), *word = &words[where % count];
    switch (how % 8) {
    case 0: *word = value; break;
    case 1: *word += value % 16; break;
    case 2: *word -= value % 16; break;
    case 3: *word ^= 1u << value % 32; break;
    case 4: *word = UINT32_MAX - value % 4; break;
    case 5: *word = words[value % count]; break; /* a number that is in use elsewhere */
    case 6: *word = value & 0xFF; break;
    default: ((uint8_t *)word)[value % 4] = (uint8_t)(value >> 8);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3 || size > 2048) return 0;
    fuzz_input in = {data, size};
    size_t length;
    const tables *from = grammar_tables(fuzz_byte(&in) % (TABLE_SCHEMAS * VARIANTS), &length);
    tables *blob = malloc(length);
    weir_grammar *loaded;
    CHECK(blob != NULL);
    memcpy(blob, from, length);
    for (uint32_t changes = fuzz_byte(&in) % 16; changes > 0; changes--) change(&in, (uint32_t *)blob, (uint32_t)(length / 4));
    if (blob->bytes == length) blob->checksum = tables_checksum(blob);
    weir_status status = weir_grammar_load(fuzz_vocab(), blob, length, NULL, &loaded, NULL);
    CHECK(status == WEIR_OK || status == WEIR_ERROR_TABLES);
    free(blob);
    if (loaded == NULL) return 0;
    weir_grammar_stats stats;
    weir_grammar_statistics(loaded, &stats);
    fuzz_walk(loaded, &in, false);
    weir_grammar_destroy(loaded);
    return 0;
}
