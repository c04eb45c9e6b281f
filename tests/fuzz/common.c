/* common.c - the vocabulary, the budgets and the checked walk of the fuzz targets. */
#include "fuzz.h"

enum {
    STEPS = 48,
    STEPS_UNSOUND = 6, /* changed tables can make every token look for the end of a unique array in vain: slow, but it ends */
    WORDS_MOST = 1 << 16
};

uint8_t fuzz_byte(fuzz_input *in) {
    if (in->left == 0) return 0;
    in->left--;
    return *in->at++;
}

uint32_t fuzz_word(fuzz_input *in) {
    uint32_t word = 0;
    for (int i = 0; i < 4; i++) word |= (uint32_t)fuzz_byte(in) << 8 * i;
    return word;
}

uint32_t fuzz_below(fuzz_input *in, uint32_t limit) {
    uint32_t value = fuzz_byte(in);
    if (limit > 256) value |= (uint32_t)fuzz_byte(in) << 8;
    if (limit > 65536) value |= (uint32_t)fuzz_byte(in) << 16;
    return value % limit;
}

const weir_vocab *fuzz_vocab(void) {
    static weir_vocab *vocab;
    static const char *const longer[] = {"\": ", "\", \"", "{\"", "[[", "]]", "}, ", "12", "0.5", "abc", "ab\"", "\\u00", "null",
                                         "true", "one\"", "[1, 2", "\"]", "\n  ", "false", "-1e", "x\"", "aa", "  ", "\"a\": ",
                                         "\xc3\xa9", "\xf0\x9f\x98", "\"}", "}}", "],", "[]", "{}"};
    enum { LONGER = sizeof longer / sizeof *longer };
    if (vocab != NULL) return vocab;
    weir_token tokens[256 + LONGER + 1];
    uint8_t bytes[256];
    uint32_t stop = 256 + LONGER;
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    for (uint32_t i = 0; i < 256; i++) {
        bytes[i] = (uint8_t)i;
        tokens[i] = (weir_token){&bytes[i], 1, 0};
    }
    for (uint32_t i = 0; i < LONGER; i++) tokens[256 + i] = (weir_token){longer[i], (uint32_t)strlen(longer[i]), 0};
    tokens[stop] = (weir_token){"<end>", 5, WEIR_TOKEN_SPECIAL};
    options.stop_ids = &stop;
    options.stop_count = 1;
    options.logits_width = stop + 40; /* padded, as models have it */
    CHECK(weir_vocab_create(tokens, stop + 1, &options, &vocab, NULL) == WEIR_OK);
    return vocab;
}

weir_grammar_options fuzz_options(uint8_t bits) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.whitespace = (weir_whitespace)(bits & 3);
    options.order = (bits & 4) != 0 ? WEIR_ORDER_ANY : WEIR_ORDER_SCHEMA;
    options.objects = (bits & 8) != 0 ? WEIR_OBJECTS_CLOSED : WEIR_OBJECTS_STANDARD;
    options.strict = (bits & 16) != 0;
    options.depth_limit = (bits & 32) != 0 ? 3 : 16;
    options.work_limit = 70000000;
    options.memory_limit = (size_t)64 << 20;
    return options;
}

weir_grammar *fuzz_compile(const weir_vocab *vocab, const char *schema, size_t length, const weir_grammar_options *options) {
    weir_grammar *grammar;
    weir_error error;
    memset(&error, 0x55, sizeof error);
    weir_status status = weir_grammar_from_json_schema(vocab, schema, length, options, &grammar, &error);
    if (status == WEIR_OK) return grammar;
    CHECK(grammar == NULL);
    CHECK(error.status == status && error.row == -1 && error.byte >= -1 && error.byte <= (int64_t)length);
    CHECK(memchr(error.message, 0, sizeof error.message) != NULL && error.message[0] != 0);
    CHECK(memchr(error.pointer, 0, sizeof error.pointer) != NULL);
    CHECK(status != WEIR_ERROR_ARGUMENT && status != WEIR_ERROR_TABLES && status != WEIR_ERROR_TOKEN);
    return NULL;
}

/* --- the walk ------------------------------------------------------------------------------------------------- */

static bool bit(const uint32_t *mask, uint32_t token) { return (mask[token / 32] >> token % 32 & 1) != 0; }

/* The n-th token of the mask, counted around; UINT32_MAX: it is empty. */
static uint32_t pick(const uint32_t *mask, uint32_t words, uint32_t n) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < words; i++) count += (uint32_t)__builtin_popcount(mask[i]);
    if (count == 0) return UINT32_MAX;
    n %= count;
    for (uint32_t token = 0;; token++) {
        if (bit(mask, token) && n-- == 0) return token;
    }
}

typedef struct walker {
    weir_matcher *matcher;
    uint32_t words;
    uint32_t *mask, *other; /* [words] each */
    bool sound;
} walker;

/* One token asked for outright: taken if and only if the mask has it. */
static void ask_one(walker *w, fuzz_input *in) {
    uint32_t token = fuzz_below(in, w->words * 32), before = weir_matcher_token_count(w->matcher);
    bool accepted = weir_matcher_accept(w->matcher, token, NULL) == WEIR_OK;
    if (w->sound) CHECK(accepted == bit(w->mask, token));
    CHECK(weir_matcher_token_count(w->matcher) == before + accepted);
    if (accepted) CHECK(weir_matcher_rollback(w->matcher, 1, NULL) == WEIR_OK);
    CHECK(weir_matcher_fill_mask(w->matcher, w->other, w->words, NULL) == WEIR_OK);
    CHECK(memcmp(w->mask, w->other, sizeof *w->mask * w->words) == 0);
}

/* A copy takes a token, goes back, and is where the matcher is; the matcher has not moved. */
static void ask_copy(walker *w, uint32_t token) {
    weir_matcher *copy;
    CHECK(weir_matcher_clone(w->matcher, &copy, NULL) == WEIR_OK);
    bool accepted = weir_matcher_accept(copy, token, NULL) == WEIR_OK;
    CHECK(weir_matcher_validate(w->matcher, &token, 1) == accepted);
    if (accepted) CHECK(weir_matcher_rollback(copy, 1, NULL) == WEIR_OK);
    CHECK(weir_matcher_fill_mask(copy, w->other, w->words, NULL) == WEIR_OK);
    CHECK(memcmp(w->mask, w->other, sizeof *w->mask * w->words) == 0);
    CHECK(weir_matcher_is_accepting(copy) == weir_matcher_is_accepting(w->matcher));
    weir_matcher_destroy(copy);
}

static void ask_bytes(walker *w) {
    uint8_t forced[8];
    size_t length;
    CHECK(weir_matcher_forced_bytes(w->matcher, forced, sizeof forced, &length, NULL) == WEIR_OK && length <= sizeof forced);
    weir_matcher_least_tokens(w->matcher);
}

/* False: the walk is over. */
static bool step(walker *w, fuzz_input *in) {
    CHECK(weir_matcher_fill_mask(w->matcher, w->mask, w->words, NULL) == WEIR_OK);
    uint8_t what = fuzz_byte(in);
    uint32_t token = pick(w->mask, w->words, fuzz_below(in, 4096));
    if (token == UINT32_MAX) {
        /* Nothing may follow only where the text is over or was never possible. */
        if (w->sound) CHECK(weir_matcher_is_stopped(w->matcher) || weir_matcher_token_count(w->matcher) == 0);
        return false;
    }
    if (what % 4 == 1) ask_one(w, in);
    if (what % 8 == 2) ask_copy(w, token);
    if (what % 32 == 3) ask_bytes(w);
    if (what % 16 == 6) weir_matcher_rollback(w->matcher, fuzz_below(in, 5), NULL);
    if (what == 255) weir_matcher_reset(w->matcher);
    if (what % 16 == 6 || what == 255) return true; /* elsewhere now: the next mask tells */
    weir_error error;
    weir_status status = weir_matcher_accept(w->matcher, token, &error);
    if (w->sound && status != WEIR_OK) fprintf(stderr, "%s\n", error.message);
    if (w->sound) CHECK(status == WEIR_OK);
    return status == WEIR_OK;
}

void fuzz_walk(const weir_grammar *grammar, fuzz_input *in, bool sound) {
    weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
    uint8_t budget = fuzz_byte(in);
    walker w = {NULL, weir_vocab_mask_words(weir_grammar_vocab(grammar)), NULL, NULL, sound};
    if ((budget & 1) != 0) options.token_budget = 1 + budget / 2;
    if (w.words > WORDS_MOST || weir_matcher_create(grammar, &options, &w.matcher, NULL) != WEIR_OK) return;
    w.mask = malloc(sizeof *w.mask * w.words);
    w.other = malloc(sizeof *w.other * w.words);
    CHECK(w.mask != NULL && w.other != NULL);
    for (int i = 0; i < (sound ? STEPS : STEPS_UNSOUND) && step(&w, in); i++) continue;
    weir_matcher_destroy(w.matcher);
    free(w.mask);
    free(w.other);
}
