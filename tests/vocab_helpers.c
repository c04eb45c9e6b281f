/* vocab_helpers.c - what the tests of vocabularies share: small inputs, invariants by brute force, folders, gzip. */
#define _POSIX_C_SOURCE 200809L
#include "vocab_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

const char small_tiktoken[] = "YQ== 0\nYmM= 2\r\nIn0s 1\n\n 4\n//79 6";
const char small_meta[] = "{\"vocab_size\": 9, \"eos_ids\": [7], \"special_tokens\": {\"<e>\": 7, \"<f>\": 6}}";

const char byte_level[] =
    "{\"added_tokens\": [{\"id\": 4, \"content\": \"<e>\", \"special\": true}, {\"id\": 6, \"content\": \" "
    "\xc4\xa0\"}],"
    "\"decoder\": {\"type\": \"ByteLevel\"}, \"model\": {\"type\": \"BPE\", \"vocab\": {\"\xc4\xa0"
    "a\": 0, \"\xc4\x8a\": 1, \"\xc3\xbf\": 2, \"\xc5\x83\xc4\x80\": 3, \"<e>\": 4}, \"merges\": []}}";
const char stop_is_e[] = "{\"eos_token\": \"<e>\"}";

weir_vocab_options with_stop(const uint32_t *stop_ids, uint32_t stop_count) {
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.stop_ids = stop_ids;
    options.stop_count = stop_count;
    return options;
}

bool token_is(const weir_vocab *vocab, uint32_t token, const char *bytes, uint32_t length) {
    uint32_t found;
    const uint8_t *at = weir_vocab_token(vocab, token, &found);
    return found == length && memcmp(at, bytes, length) == 0;
}

static uint32_t count_characters(const uint8_t *bytes, uint32_t length) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < length; ++i) count += (bytes[i] & 0xc0) != 0x80;
    return count;
}

/* May this id be chosen as text? The rule, written a second time. */
static bool is_text(const weir_vocab *vocab, uint32_t token) {
    uint32_t stop_count;
    const uint32_t *stop_ids = weir_vocab_stop_ids(vocab, &stop_count);
    for (uint32_t i = 0; i < stop_count; ++i)
        if (stop_ids[i] == token) return false;
    return token < vocab->token_count && token < vocab->logits_width &&
           !(vocab->flags[token] & (VOCAB_SPECIAL | VOCAB_HOLE)) && vocab->offsets[token + 1] > vocab->offsets[token] &&
           count_characters(vocab->bytes + vocab->offsets[token], vocab->offsets[token + 1] - vocab->offsets[token]) <= 255 &&
           vocab->offsets[token + 1] - vocab->offsets[token] <= 1020;
}

/* The node of a text, by looking at every sibling; 0 where there is none. */
uint32_t find_node(const trie *trie, const uint8_t *bytes, uint32_t length) {
    uint32_t node = 0;
    for (uint32_t i = 0; i < length; ++i) {
        uint32_t child = node + 1;
        while (child < trie->nodes[node].end && trie->nodes[child].byte != bytes[i]) child = trie->nodes[child].end;
        if (child >= trie->nodes[node].end) return 0;
        node = child;
    }
    return node;
}

/* Subtrees tile their parent, siblings ascend, and no leaf is without a token. */
static uint32_t count_shape_faults(const trie *trie) {
    uint32_t faults = trie->nodes[0].end != trie->count || trie->nodes[0].token != VOCAB_NONE;
    for (uint32_t node = 0; node < trie->count; ++node) {
        const uint32_t end = trie->nodes[node].end;
        if (end <= node || end > trie->count) return faults + 1;
        faults += end == node + 1 && node > 0 && trie->nodes[node].token == VOCAB_NONE;
        int before = -1;
        uint32_t child = node + 1;
        while (child < end) {
            faults += trie->nodes[child].byte <= before;
            before = trie->nodes[child].byte;
            if (trie->nodes[child].end > end || trie->nodes[child].end <= child) return faults + 1;
            child = trie->nodes[child].end;
        }
        faults += child != end;
    }
    return faults;
}

/* Every text token hangs at its node, in ascending order behind the lowest; nothing else hangs anywhere. */
uint32_t count_trie_faults(const weir_vocab *vocab) {
    const trie *trie = &vocab->trie;
    uint32_t faults = count_shape_faults(trie), text_count = 0, hanging = 0, same_count = 0;
    for (uint32_t token = 0; token < vocab->token_count; ++token) {
        same_count += vocab->same[token] != VOCAB_NONE;
        if (!is_text(vocab, token)) continue;
        ++text_count;
        uint32_t length;
        const uint8_t *bytes = weir_vocab_token(vocab, token, &length);
        const uint32_t node = find_node(trie, bytes, length);
        uint32_t at = trie->nodes[node].token;
        while (at != VOCAB_NONE && at < token) at = vocab->same[at];
        faults += node == 0 || at != token;
    }
    for (uint32_t node = 0; node < trie->count; ++node)
        for (uint32_t token = trie->nodes[node].token; token != VOCAB_NONE; token = vocab->same[token]) {
            ++hanging;
            faults += vocab->same[token] != VOCAB_NONE && vocab->same[token] <= token;
        }
    for (uint32_t byte = 0; byte < 256; ++byte) {
        const uint8_t text = (uint8_t)byte;
        const uint32_t node = find_node(trie, &text, 1);
        faults += vocab->byte_token[byte] != (node ? trie->nodes[node].token : VOCAB_NONE);
    }
    return faults + (hanging != text_count) + (same_count != vocab->report.duplicate_count);
}

weir_status from_text(const char *text, const char *meta, const weir_vocab_options *options, weir_vocab **out,
                      weir_error *error) {
    return weir_vocab_from_memory(text, strlen(text), meta, meta ? strlen(meta) : 0, options, out, error);
}

/* --- a folder of files ---------------------------------------------------------------------------------------- */

void folder_make(folder *folder) {
    const char *parent = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%.80s/weir-vocab-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder->path)) FAIL("no memory, or no temporary folder");
}

const char *file_in(folder *folder, const char *name) {
    snprintf(folder->file, sizeof folder->file, "%s/%s", folder->path, name);
    return folder->file;
}

void put(folder *folder, const char *name, const void *bytes, size_t length) {
    FILE *file = fopen(file_in(folder, name), "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        FAIL("no memory, or no temporary folder");
}

void put_text(folder *folder, const char *name, const char *text) {
    put(folder, name, text, strlen(text));
}

void folder_remove(folder *folder, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) unlink(file_in(folder, names[i]));
    rmdir(folder->path);
}

/* gzip of `length` bytes; the caller frees. */
uint8_t *pack(const void *bytes, size_t length, size_t *packed_length) {
    z_stream stream = {0};
    if (deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        FAIL("no memory, or no temporary folder");
    const size_t bound = deflateBound(&stream, length);
    uint8_t *packed = malloc(bound);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (unsigned)length;
    stream.next_out = packed;
    stream.avail_out = (unsigned)bound;
    if (!packed || deflate(&stream, Z_FINISH) != Z_STREAM_END) FAIL("no memory, or no temporary folder");
    *packed_length = stream.total_out;
    deflateEnd(&stream);
    return packed;
}
