/* vocab.c - token byte strings in, an immutable weir_vocab out: bytes, flags, stop ids, trie, self-check, hash. */
#include "options.h"
#include "vocab.h"

#include "masks.h"
#include "vocab_load.h"

#include <string.h>

static weir_status copy_tokens(weir_vocab *vocab, const weir_token *tokens, weir_error *error);
static weir_status check_quotes(const weir_vocab *vocab, weir_error *error);
static weir_status set_stop_ids(weir_vocab *vocab, const uint32_t *stop_ids, uint32_t stop_count, weir_error *error);
static weir_status build_trie(weir_vocab *vocab);
static void write_report(weir_vocab *vocab);
static uint64_t hash_vocab(const weir_vocab *vocab);

weir_status weir_vocab_create(const weir_token *tokens, uint32_t token_count, const weir_vocab_options *options,
                              weir_vocab **out, weir_error *error) {
    weir_vocab_options read;
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL; expected where to put the vocabulary");
    *out = NULL;
    if (!tokens) return fail(error, WEIR_ERROR_ARGUMENT, "tokens is NULL; expected %u tokens", token_count);
    TRY(vocab_options_read(options, &read, error));
    for (uint32_t token = 0; token < token_count; ++token) {
        if (tokens[token].flags & ~(uint32_t)WEIR_TOKEN_SPECIAL)
            return fail(error, WEIR_ERROR_ARGUMENT, "token %u has flags 0x%x; expected WEIR_TOKEN_SPECIAL or 0", token,
                        tokens[token].flags);
        if (!tokens[token].bytes && tokens[token].length > 0)
            return fail(error, WEIR_ERROR_ARGUMENT, "token %u has %u bytes at NULL", token, tokens[token].length);
    }
    return vocab_build(tokens, token_count, token_count, NULL, 0, &read, out, error);
}

weir_status vocab_options_read(const weir_vocab_options *options, weir_vocab_options *out, weir_error *error) {
    *out = (weir_vocab_options)WEIR_VOCAB_OPTIONS_INIT;
    TRY(READ_OPTIONS(weir_vocab_options, size, options, out, error));
    out->size = sizeof *out;
    if (out->stop_count > 0 && !out->stop_ids)
        return fail(error, WEIR_ERROR_ARGUMENT, "options.stop_count is %u and options.stop_ids is NULL",
                    out->stop_count);
    if (out->logits_width > VOCAB_TOKEN_LIMIT)
        return fail(error, WEIR_ERROR_ARGUMENT, "options.logits_width is %u; expected at most %u", out->logits_width,
                    VOCAB_TOKEN_LIMIT);
    return WEIR_OK;
}

weir_status vocab_build(const weir_token *tokens, uint32_t token_count, uint32_t default_width,
                        const uint32_t *stop_ids, uint32_t stop_count, const weir_vocab_options *options,
                        weir_vocab **out, weir_error *error) {
    const weir_allocator allocator = allocator_or_default(options->allocator);
    *out = NULL;
    if (token_count == 0 || token_count > VOCAB_TOKEN_LIMIT)
        return fail(error, WEIR_ERROR_VOCAB, "the vocabulary has %u tokens; expected 1 to %u", token_count,
                    VOCAB_TOKEN_LIMIT);
    if (options->stop_count > 0) {
        stop_ids = options->stop_ids;
        stop_count = options->stop_count;
    }

    weir_vocab *vocab = allocate(&allocator, sizeof *vocab);
    if (!vocab) return fail(error, WEIR_ERROR_MEMORY, "no memory for a vocabulary of %u tokens", token_count);
    memset(vocab, 0, sizeof *vocab);
    vocab->allocator = allocator;
    vocab->token_count = token_count;
    vocab->logits_width = options->logits_width > 0 ? options->logits_width : default_width;
    vocab->mask_words = (vocab->logits_width + 31) / 32;

    weir_status status = copy_tokens(vocab, tokens, error);
    if (status != WEIR_OK) goto done;
    status = set_stop_ids(vocab, stop_ids, stop_count, error);
    if (status != WEIR_OK) goto done;
    status = check_quotes(vocab, error);
    if (status != WEIR_OK) goto done;
    status = build_trie(vocab);
    if (status != WEIR_OK) goto no_memory;
    write_report(vocab);
    vocab->hash = hash_vocab(vocab);
    status = lexicon_create(vocab, &vocab->lexicon);
no_memory:
    if (status != WEIR_OK) fail(error, status, "no memory for a vocabulary of %u tokens", token_count);
done:
    if (status == WEIR_OK)
        *out = vocab;
    else
        weir_vocab_destroy(vocab);
    return status;
}

void weir_vocab_destroy(weir_vocab *vocab) {
    if (!vocab || atomic_fetch_sub(&vocab->references, 1) != 0) return;
    const weir_allocator allocator = vocab->allocator;
    if (vocab->lexicon) lexicon_destroy(&allocator, vocab->lexicon);
    trie_free(&allocator, &vocab->trie);
    if (vocab->same) release(&allocator, vocab->same, vocab->token_count * sizeof *vocab->same);
    if (vocab->stop_ids) release(&allocator, vocab->stop_ids, vocab->stop_count * sizeof *vocab->stop_ids);
    if (vocab->flags) release(&allocator, vocab->flags, vocab->token_count);
    if (vocab->bytes) release(&allocator, vocab->bytes, (size_t)vocab->offsets[vocab->token_count] + 1);
    if (vocab->offsets) release(&allocator, vocab->offsets, (vocab->token_count + 1) * sizeof *vocab->offsets);
    release(&allocator, vocab, sizeof *vocab);
}

/* A vocabulary is constant for everybody but those who count its references. */
void vocab_retain(const weir_vocab *vocab) {
    atomic_fetch_add_explicit(&((weir_vocab *)vocab)->references, 1, memory_order_relaxed);
}

void vocab_release(const weir_vocab *vocab) {
    weir_vocab_destroy((weir_vocab *)vocab);
}

bool vocab_equal(const weir_vocab *a, const weir_vocab *b) {
    if (a == b) return true;
    if (a->hash != b->hash || a->token_count != b->token_count || a->logits_width != b->logits_width ||
        a->stop_count != b->stop_count)
        return false;
    const size_t offsets_size = (a->token_count + 1) * sizeof *a->offsets;
    return memcmp(a->offsets, b->offsets, offsets_size) == 0 &&
           memcmp(a->bytes, b->bytes, a->offsets[a->token_count]) == 0 &&
           memcmp(a->flags, b->flags, a->token_count) == 0 &&
           (a->stop_count == 0 || memcmp(a->stop_ids, b->stop_ids, a->stop_count * sizeof *a->stop_ids) == 0);
}

uint32_t weir_vocab_token_count(const weir_vocab *vocab) {
    return vocab ? vocab->token_count : 0;
}

uint32_t weir_vocab_logits_width(const weir_vocab *vocab) {
    return vocab ? vocab->logits_width : 0;
}

uint32_t weir_vocab_mask_words(const weir_vocab *vocab) {
    return vocab ? vocab->mask_words : 0;
}

const uint8_t *weir_vocab_token(const weir_vocab *vocab, uint32_t token, uint32_t *length) {
    const bool known = vocab && token < vocab->token_count;
    if (length) *length = known ? vocab->offsets[token + 1] - vocab->offsets[token] : 0;
    if (!vocab) return NULL;
    return known ? vocab->bytes + vocab->offsets[token] : vocab->bytes;
}

bool weir_vocab_is_special(const weir_vocab *vocab, uint32_t token) {
    return vocab && token < vocab->token_count && (vocab->flags[token] & VOCAB_SPECIAL);
}

const uint32_t *weir_vocab_stop_ids(const weir_vocab *vocab, uint32_t *count) {
    if (count) *count = vocab ? vocab->stop_count : 0;
    return vocab ? vocab->stop_ids : NULL;
}

void weir_vocab_check(const weir_vocab *vocab, weir_vocab_report *report) {
    if (report) *report = vocab ? vocab->report : (weir_vocab_report){0};
}

/* The lexicon keeps every text behind a quote: of a long token with many quotes that is its length squared. */
static weir_status check_quotes(const weir_vocab *vocab, weir_error *error) {
    uint64_t behind = 0;
    for (uint32_t token = 0; token < vocab->token_count; ++token) {
        if (!vocab_is_text(vocab, token)) continue;
        const uint32_t end = vocab->offsets[token + 1];
        for (uint32_t at = vocab->offsets[token]; at < end; ++at)
            if (vocab->bytes[at] == '"') behind += end - at - 1;
        if (behind > VOCAB_BEHIND_LIMIT)
            return fail(error, WEIR_ERROR_VOCAB, "up to token %u, %llu bytes stand behind quotes, those behind several "
                        "counted for each; expected at most %u", token, (unsigned long long)behind, VOCAB_BEHIND_LIMIT);
    }
    return WEIR_OK;
}

static bool is_long(const uint8_t *bytes, uint32_t length) {
    uint32_t points = 0;
    for (uint32_t i = 0; i < length && length <= VOCAB_TEXT_MOST; ++i) points += bytes[i] >> 6 != 2; /* begins one */
    return length > VOCAB_TEXT_MOST || points > VOCAB_POINTS_MOST;
}

static weir_status copy_tokens(weir_vocab *vocab, const weir_token *tokens, weir_error *error) {
    const weir_allocator *allocator = &vocab->allocator;
    uint64_t total = 0;
    for (uint32_t token = 0; token < vocab->token_count; ++token) {
        if (tokens[token].length > VOCAB_LENGTH_LIMIT)
            return fail(error, WEIR_ERROR_VOCAB, "token %u has %u bytes; expected at most %u", token,
                        tokens[token].length, VOCAB_LENGTH_LIMIT);
        total += tokens[token].length;
    }
    if (total > VOCAB_BYTES_LIMIT)
        return fail(error, WEIR_ERROR_VOCAB, "the tokens have %llu bytes; expected at most %u",
                    (unsigned long long)total, VOCAB_BYTES_LIMIT);

    uint8_t *bytes = NULL;
    vocab->offsets = allocate(allocator, (vocab->token_count + 1) * sizeof *vocab->offsets);
    vocab->flags = allocate(allocator, vocab->token_count);
    if (vocab->offsets && vocab->flags) bytes = allocate(allocator, (size_t)total + 1);
    if (!bytes) return fail(error, WEIR_ERROR_MEMORY, "no memory for a vocabulary of %u tokens", vocab->token_count);
    vocab->bytes = bytes;
    uint32_t offset = 0;
    for (uint32_t token = 0; token < vocab->token_count; ++token) {
        vocab->offsets[token] = offset;
        vocab->flags[token] = (uint8_t)tokens[token].flags;
        if (vocab->flags[token] == 0 && is_long(tokens[token].bytes, tokens[token].length)) vocab->flags[token] = VOCAB_LONG;
        if (tokens[token].length > 0) memcpy(bytes + offset, tokens[token].bytes, tokens[token].length);
        offset += tokens[token].length;
    }
    vocab->offsets[vocab->token_count] = offset;
    bytes[offset] = 0;
    return WEIR_OK;
}

/* Sorts the stop ids through a bitmap, and takes them out of the text: a stop token never matches as text. */
static weir_status set_stop_ids(weir_vocab *vocab, const uint32_t *stop_ids, uint32_t stop_count, weir_error *error) {
    const weir_allocator *allocator = &vocab->allocator;
    if (stop_count == 0) return WEIR_OK;
    for (uint32_t i = 0; i < stop_count; ++i)
        if (stop_ids[i] >= vocab->logits_width)
            return fail(error, WEIR_ERROR_VOCAB, "stop id %u is not below the logits width %u", stop_ids[i],
                        vocab->logits_width);

    const size_t map_size = vocab->mask_words * sizeof(uint32_t);
    uint32_t *map = allocate(allocator, map_size);
    if (!map) return fail(error, WEIR_ERROR_MEMORY, "no memory for %u stop ids", stop_count);
    memset(map, 0, map_size);
    uint32_t distinct = 0;
    for (uint32_t i = 0; i < stop_count; ++i) {
        const uint32_t id = stop_ids[i], bit = 1u << id % 32;
        if (!(map[id / 32] & bit)) ++distinct;
        map[id / 32] |= bit;
    }
    vocab->stop_ids = allocate(allocator, distinct * sizeof *vocab->stop_ids);
    if (vocab->stop_ids) {
        for (uint32_t id = 0; id < vocab->logits_width; ++id)
            if (map[id / 32] >> id % 32 & 1) {
                vocab->stop_ids[vocab->stop_count++] = id;
                if (id < vocab->token_count) vocab->flags[id] = VOCAB_SPECIAL;
            }
    }
    release(allocator, map, map_size);
    return vocab->stop_ids ? WEIR_OK : fail(error, WEIR_ERROR_MEMORY, "no memory for %u stop ids", stop_count);
}

/* The trie of all text that logits can choose, and byte_token from its first level. */
static weir_status build_trie(weir_vocab *vocab) {
    const weir_allocator *allocator = &vocab->allocator;
    const uint32_t usable = vocab->token_count < vocab->logits_width ? vocab->token_count : vocab->logits_width;
    const size_t strings_size = usable * sizeof(uint8_t *), numbers_size = 2 * (size_t)usable * sizeof(uint32_t);
    weir_status status = WEIR_ERROR_MEMORY;
    const uint8_t **strings = allocate(allocator, strings_size);
    uint32_t *lengths = strings ? allocate(allocator, numbers_size) : NULL;
    uint32_t *values = lengths ? lengths + usable : NULL;
    if (lengths) vocab->same = allocate(allocator, vocab->token_count * sizeof *vocab->same);
    if (vocab->same) {
        memset(vocab->same, 0xff, vocab->token_count * sizeof *vocab->same);
        uint32_t count = 0;
        for (uint32_t token = 0; token < usable; ++token) {
            if (!vocab_is_text(vocab, token)) continue;
            const uint32_t length = vocab->offsets[token + 1] - vocab->offsets[token];
            strings[count] = vocab->bytes + vocab->offsets[token];
            lengths[count] = length;
            values[count++] = token;
        }
        status = trie_build(allocator, strings, lengths, values, count, vocab->same, &vocab->trie);
    }
    if (lengths) release(allocator, lengths, numbers_size);
    if (strings) release(allocator, strings, strings_size);
    if (status != WEIR_OK) return status;

    const trie *trie = &vocab->trie;
    memset(vocab->byte_token, 0xff, sizeof vocab->byte_token);
    for (uint32_t node = 1; node < trie->count; node = trie->nodes[node].end)
        vocab->byte_token[trie->nodes[node].byte] = trie->nodes[node].token;
    return WEIR_OK;
}

/* Length of the well-formed UTF-8 sequence that begins here, 0 where there is none (Unicode, table 3-7). */
static uint32_t utf8_sequence(const uint8_t *bytes, uint32_t length) {
    const uint8_t first = bytes[0];
    if (first < 0x80) return 1;
    const uint32_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length < size) return 0;
    const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) return 0;
    for (uint32_t i = 2; i < size; ++i)
        if (bytes[i] >> 6 != 2) return 0;
    return size;
}

static bool is_utf8(const uint8_t *bytes, uint32_t length) {
    while (length > 0) {
        const uint32_t size = utf8_sequence(bytes, length);
        if (size == 0) return false;
        bytes += size;
        length -= size;
    }
    return true;
}

static uint32_t count_brackets(const uint8_t *bytes, uint32_t length) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < length; ++i)
        count += bytes[i] == '{' || bytes[i] == '}' || bytes[i] == '[' || bytes[i] == ']';
    return count;
}

static void write_report(weir_vocab *vocab) {
    weir_vocab_report *report = &vocab->report;
    report->token_count = vocab->token_count;
    for (uint32_t token = 0; token < vocab->token_count; ++token) {
        const uint8_t *bytes = vocab->bytes + vocab->offsets[token];
        const uint32_t length = vocab->offsets[token + 1] - vocab->offsets[token];
        if (vocab->flags[token] & VOCAB_HOLE)
            ++report->hole_count;
        else if (vocab->flags[token] & VOCAB_SPECIAL) {
            ++report->special_count;
            if (vocab->flags[token] & VOCAB_UNDECODED) ++report->undecoded_count;
        } else {
            ++report->text_count;
            if (vocab->flags[token] & VOCAB_LONG) ++report->long_count;
            if (length == 0) ++report->empty_count;
            if (length >= 2 && !is_utf8(bytes, length)) ++report->not_utf8_count;
            if (length > report->longest_token) report->longest_token = length;
            const uint32_t brackets = count_brackets(bytes, length);
            if (vocab_is_text(vocab, token) && brackets > vocab->bracket_most) vocab->bracket_most = brackets;
        }
        if (vocab->same[token] != VOCAB_NONE) ++report->duplicate_count;
    }
    for (uint32_t byte = 0; byte < 256; ++byte)
        if (vocab->byte_token[byte] == VOCAB_NONE) {
            ++report->missing_byte_count;
            report->missing_bytes[byte / 8] |= (uint8_t)(1u << byte % 8);
        }
}

/* Eight bytes a step: xor, multiply, fold (the constants are those of MurmurHash3's finaliser). */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length) {
    const uint8_t *bytes = data;
    hash ^= length * 0x9e3779b97f4a7c15u;
    while (length > 0) {
        uint64_t word = 0;
        const size_t step = length < 8 ? length : 8;
        memcpy(&word, bytes, step);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
        hash *= 0xc4ceb9fe1a85ec53u;
        hash ^= hash >> 29;
        bytes += step;
        length -= step;
    }
    return hash;
}

static uint64_t hash_vocab(const weir_vocab *vocab) {
    const uint32_t sizes[3] = {vocab->token_count, vocab->logits_width, vocab->stop_count};
    uint64_t hash = hash_bytes(0, sizes, sizeof sizes);
    hash = hash_bytes(hash, vocab->offsets, (vocab->token_count + 1) * sizeof *vocab->offsets);
    hash = hash_bytes(hash, vocab->bytes, vocab->offsets[vocab->token_count]);
    hash = hash_bytes(hash, vocab->flags, vocab->token_count);
    return hash_bytes(hash, vocab->stop_ids, vocab->stop_count * sizeof *vocab->stop_ids);
}
