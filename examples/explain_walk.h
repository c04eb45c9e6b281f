/* explain_walk.h - a text through the masks, token by token: the verdict, the byte and the sentence.
 *
 * In: a grammar, a text and a way to cut it into tokens. The mask is filled, the token's bit is tested, the token is
 * accepted. There is no other path to a verdict. Where a token is refused, its bytes are tried through shorter tokens and
 * the same masks, so that the first byte after which no completion exists can be named. */
#ifndef WEIR_EXAMPLES_EXPLAIN_WALK_H
#define WEIR_EXAMPLES_EXPLAIN_WALK_H

#include <inttypes.h>
#include <stdio.h>

#include "tokens.h"

#define TRY_STATUS(call)                                                                                               \
    do {                                                                                                               \
        weir_status try_status_ = (call);                                                                              \
        if (try_status_ != WEIR_OK) return try_status_;                                                                \
    } while (0)

typedef struct tools {
    weir_vocab *vocab;
    token_index index;
    uint32_t *mask; /* [mask words] of the vocabulary */
    uint32_t words;
    token_cut cut;
    uint64_t cut_seed;
} tools;

typedef enum verdict { ACCEPTED, REJECTED, INCOMPLETE, REFUSED, MALFORMED } verdict;

static const char *const verdict_names[] = {"accepted", "rejected", "incomplete", "refused", "error"};

/* What became of a text. `mask` of the tools holds what was expected at the end or at the refused token's first byte
 * that no completion follows. */
typedef struct finding {
    verdict verdict;
    size_t byte;
    uint32_t recorded;
    char message[640];
} finding;

/* --- masks ------------------------------------------------------------------------------------------------------ */

static inline bool is_allowed(const tools *tools, uint32_t token)
{
    return token / 32 < tools->words && (tools->mask[token / 32] >> token % 32 & 1) != 0;
}

static inline bool is_end_allowed(const tools *tools)
{
    uint32_t count;
    const uint32_t *stops = weir_vocab_stop_ids(tools->vocab, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_allowed(tools, stops[i])) return true;
    }
    return false;
}

static inline uint32_t count_allowed(const tools *tools)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tools->words; i++) count += (uint32_t)__builtin_popcount(tools->mask[i]);
    return count;
}

/* Which bytes the allowed tokens begin with. */
static inline void collect_first_bytes(const tools *tools, bool first[256])
{
    memset(first, 0, 256 * sizeof *first);
    for (uint32_t token = 0; token < tools->words * 32; token++) {
        uint32_t length;
        if (!is_allowed(tools, token) || weir_vocab_is_special(tools->vocab, token)) continue;
        const uint8_t *bytes = weir_vocab_token(tools->vocab, token, &length);
        if (length > 0) first[bytes[0]] = true;
    }
}

static inline void add_text(char *out, size_t capacity, const char *format, const char *value)
{
    size_t length = strlen(out);
    if (length + 1 < capacity) snprintf(out + length, capacity - length, format, value);
}

/* A byte as people read it. */
static inline const char *show_byte(uint8_t byte, char out[16])
{
    static const char *const escapes[] = {['\t'] = "tab", ['\n'] = "line feed", ['\r'] = "carriage return"};
    if (byte == ' ') return "space";
    if (byte < sizeof escapes / sizeof *escapes && escapes[byte]) return escapes[byte];
    if (byte > 0x20 && byte < 0x7f) snprintf(out, 16, "'%c'", byte);
    else snprintf(out, 16, "byte 0x%02x", byte);
    return out;
}

/* "one of '\"', '-', '0'..'9' or the end", from a mask. */
static inline void describe_expected(const tools *tools, char *out, size_t capacity)
{
    bool first[256], end = is_end_allowed(tools);
    uint32_t printable = 0, high = 0;
    char begin[16], last[16];
    out[0] = '\0';
    collect_first_bytes(tools, first);
    for (uint32_t byte = 0; byte < 256; byte++) {
        printable += byte >= 0x20 && byte < 0x7f && first[byte];
        high += byte >= 0x80 && first[byte];
    }
    if (printable > 90) {
        add_text(out, capacity, "%s", "any character of a string");
    } else {
        for (uint32_t byte = 0; byte < 0x80; byte++) {
            if (!first[byte]) continue;
            uint32_t stop = byte;
            while (stop < 0x7f && byte > 0x20 && first[stop + 1]) stop++;
            add_text(out, capacity, "%s", out[0] ? ", " : "");
            add_text(out, capacity, "%s", show_byte((uint8_t)byte, begin));
            if (stop > byte + 1) add_text(out, capacity, "..%s", show_byte((uint8_t)stop, last));
            if (stop > byte + 1) byte = stop;
        }
        if (high > 0) add_text(out, capacity, "%s", out[0] ? ", bytes above 0x7f" : "bytes above 0x7f");
    }
    if (end) add_text(out, capacity, "%s", out[0] ? " or the end" : "the end");
    if (out[0] == '\0') add_text(out, capacity, "%s", "nothing");
}

/* --- the walk --------------------------------------------------------------------------------------------------- */

/* How many of these bytes can be written from here by shorter tokens, through the same masks; the matcher comes back
 * to where it was, and the mask of the tools is that of the furthest place. */
typedef struct reach {
    const uint8_t *text;
    uint32_t length;
    uint32_t best;
    bool seen[256];
    weir_status status;
} reach;

static inline void reach_from(tools *tools, weir_matcher *matcher, reach *reach, uint32_t from, weir_error *error)
{
    uint32_t tokens[256];
    reach->seen[from] = true;
    if (from > reach->best) reach->best = from;
    uint32_t count = token_matches(&tools->index, reach->text + from, reach->length - from, tokens, 256);
    for (uint32_t i = 0; i < count && reach->status == WEIR_OK; i++) {
        uint32_t length;
        weir_vocab_token(tools->vocab, tokens[i], &length);
        if (reach->seen[from + length]) continue;
        reach->status = weir_matcher_fill_mask(matcher, tools->mask, tools->words, error);
        if (reach->status != WEIR_OK || !is_allowed(tools, tokens[i])) continue;
        if (weir_matcher_accept(matcher, tokens[i], error) != WEIR_OK) continue;
        reach_from(tools, matcher, reach, from + length, error);
        if (reach->status == WEIR_OK) reach->status = weir_matcher_rollback(matcher, 1, error);
    }
}

/* Walks once more to `best` along any tokens and leaves the mask there. */
static inline bool mask_at(tools *tools, weir_matcher *matcher, reach *reach, uint32_t from, weir_error *error)
{
    uint32_t tokens[256];
    reach->seen[from] = true;
    if (weir_matcher_fill_mask(matcher, tools->mask, tools->words, error) != WEIR_OK) return false;
    if (from == reach->best) return true;
    uint32_t count = token_matches(&tools->index, reach->text + from, reach->best - from, tokens, 256);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length;
        weir_vocab_token(tools->vocab, tokens[i], &length);
        if (reach->seen[from + length] || weir_matcher_accept(matcher, tokens[i], error) != WEIR_OK) continue;
        if (mask_at(tools, matcher, reach, from + length, error)) return true;
        if (weir_matcher_rollback(matcher, 1, error) != WEIR_OK) return false;
    }
    return false;
}

/* Names the byte at which a refused token leaves the language. */
static inline weir_status find_byte(tools *tools, weir_matcher *matcher, const uint8_t *text, size_t at, uint32_t token,
                             finding *out, weir_error *error)
{
    reach reach = {.text = text + at};
    char expected[400], shown[16];
    weir_vocab_token(tools->vocab, token, &reach.length);
    reach_from(tools, matcher, &reach, 0, error);
    TRY_STATUS(reach.status);
    out->verdict = REJECTED;
    if (reach.best == reach.length) {
        out->byte = at;
        snprintf(out->message, sizeof out->message,
                 "token %" PRIu32 " is refused though shorter tokens may write the same bytes", token);
        return WEIR_OK;
    }
    out->byte = at + reach.best;
    memset(reach.seen, 0, sizeof reach.seen);
    if (!mask_at(tools, matcher, &reach, 0, error)) memset(tools->mask, 0, tools->words * sizeof *tools->mask);
    describe_expected(tools, expected, sizeof expected);
    snprintf(out->message, sizeof out->message, "byte %zu: found %s, expected %s", out->byte,
             show_byte(text[out->byte], shown), expected);
    return WEIR_OK;
}

/* Called for each token before it is accepted; NULL: nobody watches. */
typedef void token_watcher(const tools *tools, const weir_matcher *matcher, size_t byte, uint32_t token);

static inline weir_status walk(tools *tools, weir_matcher *matcher, const uint8_t *text, size_t length, token_watcher *watch,
                        finding *out, weir_error *error)
{
    uint64_t random = tools->cut_seed;
    char expected[400];
    for (size_t at = 0; at < length;) {
        uint32_t token = token_next(&tools->index, tools->cut, &random, text + at, length - at), written;
        TRY_STATUS(weir_matcher_fill_mask(matcher, tools->mask, tools->words, error));
        if (token == TOKEN_NONE) {
            *out = (finding){REJECTED, at, out->recorded, ""};
            snprintf(out->message, sizeof out->message, "byte %zu: no token of the vocabulary begins with 0x%02x", at, text[at]);
            return WEIR_OK;
        }
        if (watch) watch(tools, matcher, at, token);
        if (!is_allowed(tools, token)) return find_byte(tools, matcher, text, at, token, out, error);
        TRY_STATUS(weir_matcher_accept(matcher, token, error));
        weir_vocab_token(tools->vocab, token, &written);
        at += written;
    }
    TRY_STATUS(weir_matcher_fill_mask(matcher, tools->mask, tools->words, error));
    out->byte = length;
    out->verdict = is_end_allowed(tools) ? ACCEPTED : count_allowed(tools) > 0 ? INCOMPLETE : REJECTED;
    if (out->verdict == ACCEPTED) return WEIR_OK;
    describe_expected(tools, expected, sizeof expected);
    snprintf(out->message, sizeof out->message, "byte %zu: found the end, expected %s", length, expected);
    return WEIR_OK;
}

static inline weir_status judge(tools *tools, const weir_grammar *grammar, const uint8_t *text, size_t length,
                         token_watcher *watch, finding *out, weir_error *error)
{
    weir_matcher *matcher = NULL;
    *out = (finding){REJECTED, 0, weir_grammar_keyword_count(grammar, WEIR_KEYWORD_RECORDED), ""};
    if (!weir_grammar_satisfiable(grammar)) {
        snprintf(out->message, sizeof out->message, "byte 0: nothing satisfies the schema");
        return WEIR_OK;
    }
    TRY_STATUS(weir_matcher_create(grammar, NULL, &matcher, error));
    weir_status status = walk(tools, matcher, text, length, watch, out, error);
    weir_matcher_destroy(matcher);
    return status;
}

#endif
