/* vocab_helpers.h - what the tests of vocabularies share: small inputs, invariants by brute force, folders, gzip. */
#ifndef WEIR_TESTS_VOCAB_HELPERS_H
#define WEIR_TESTS_VOCAB_HELPERS_H

#include "harness.h"
#include "vocab.h"

#define TOKEN(text)                                                                                                    \
    { text, sizeof text - 1, 0 }
#define CONTROL(text)                                                                                                  \
    { text, sizeof text - 1, WEIR_TOKEN_SPECIAL }
#define COUNT(array)                 ((uint32_t)(sizeof(array) / sizeof *(array)))
#define TOKEN_IS(vocab, token, text) token_is(vocab, token, text, sizeof text - 1)

extern const char small_tiktoken[], small_meta[]; /* ids 0 1 2 4 6; 7 stops, width 9 */
extern const char byte_level[], stop_is_e[];      /* a tokenizer.json; its tokenizer_config.json */

weir_vocab_options with_stop(const uint32_t *stop_ids, uint32_t stop_count);
bool token_is(const weir_vocab *vocab, uint32_t token, const char *bytes, uint32_t length);
weir_status from_text(const char *text, const char *meta, const weir_vocab_options *options, weir_vocab **out,
                      weir_error *error);
/* The node of a text, by looking at every sibling; 0 where there is none. */
uint32_t find_node(const trie *trie, const uint8_t *bytes, uint32_t length);
/* Where the trie, `same` or byte_token say anything but what the tokens say. */
uint32_t count_trie_faults(const weir_vocab *vocab);

typedef struct folder {
    char path[128];
    char file[256]; /* the last name asked for */
} folder;

void folder_make(folder *folder);
const char *file_in(folder *folder, const char *name);
void put(folder *folder, const char *name, const void *bytes, size_t length);
void put_text(folder *folder, const char *name, const char *text);
void folder_remove(folder *folder, const char *const *names, uint32_t count);
/* gzip of `length` bytes; the caller frees. */
uint8_t *pack(const void *bytes, size_t length, size_t *packed_length);

#endif
