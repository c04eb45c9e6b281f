/* step_rows.cuh - what steps are timed on: a vocabulary, grammars, kinds of rows, settings and logits, all made up.
 *
 * Kinds of rows: "free" has no constraint; "dense" stands in a string that never ends (most tokens may follow); "sparse" in a
 * word of six letters only (some hundreds of 128,256 tokens may follow); "forced" has one token left; "mixed" is of twenty
 * rows one forced, 15 sparse and 4 dense: as the documents of `bench-traffic --schemas 500` with llama3, of whose rows 5 %
 * have one token or nothing but a stop, 76 % a list, 19 % most of the vocabulary. */
#ifndef WEIR_BENCH_STEP_ROWS_CUH
#define WEIR_BENCH_STEP_ROWS_CUH

#include "timing.cuh"

enum row_kind { ROWS_FREE, ROWS_DENSE, ROWS_SPARSE, ROWS_FORCED, ROWS_MIXED, KINDS };
static const char *const kind_names[KINDS] = {"free", "dense", "sparse", "forced", "mixed"};

enum { MIXED_OF = 20, MIXED_FORCED = 1, MIXED_SPARSE = 15 };

enum { SETTING_GREEDY, SETTING_TEMPERATURE, SETTING_TOP_P, SETTING_TOP_K_TOP_P, SETTING_ALL, SETTINGS };
static const char *const setting_names[SETTINGS] = {"greedy", "temperature", "top_p", "top_k_top_p", "all"};
static const weir_sampling settings[SETTINGS] = {
    {0.0f, 1.0f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0},
    {0.8f, 1.0f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0},
    {0.8f, 0.95f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0},
    {0.8f, 0.95f, 0.0f, 50, 1.0f, 0.0f, 0.0f, 0},
    {0.8f, 0.95f, 0.05f, 50, 1.1f, 0.1f, 0.1f, 0},
};
enum { PROMPT_MOST = 1000, BIASES = 20 }; /* of "all" */

enum { DTYPES = 3 };
static const char *const dtype_names[DTYPES] = {"f32", "f16", "bf16"};
static inline size_t logit_bytes(weir_dtype dtype) { return dtype == WEIR_DTYPE_F32 ? 4 : 2; }

static uint64_t random_state = 1;
static inline uint64_t random_bits() { /* splitmix64 */
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Tokens: the 256 bytes, then words of 2 to 9 letters, half of them behind a space; the last one stops. */
static inline weir_vocab *make_vocab(uint32_t count) {
    weir_token *tokens = host_array<weir_token>(count);
    char *text = host_array<char>(count * static_cast<size_t>(16)), *at = text;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t bits = random_bits();
        uint32_t length = i < 256 ? 1 : 2 + static_cast<uint32_t>(bits % 8), used = 0;
        tokens[i].bytes = at;
        if (i >= 256 && bits >> 63) at[used++] = ' ';
        for (; used < length; used++) at[used] = i < 256 ? static_cast<char>(i) : static_cast<char>('a' + (bits >> (8 + 5 * used)) % 26);
        tokens[i].length = length;
        at += length;
    }
    tokens[count - 1].flags = WEIR_TOKEN_SPECIAL;
    uint32_t stop = count - 1;
    weir_vocab_options options = WEIR_VOCAB_OPTIONS_INIT;
    options.stop_ids = &stop;
    options.stop_count = 1;
    weir_vocab *vocab;
    weir_error error;
    must_weir(weir_vocab_create(tokens, count, &options, &vocab, &error), &error);
    free(tokens);
    free(text);
    return vocab;
}

/* `count` random logits of a type, nearly normal. */
static inline void make_logits(void *out, size_t count, weir_dtype dtype, float deviation) {
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = random_bits();
        float sum = 0.0f;
        for (int k = 0; k < 4; k++) sum += static_cast<float>(bits >> 16 * k & 0xFFFF) / 65536.0f - 0.5f;
        uint32_t value;
        sum *= 1.7320508f * deviation; /* each part has a variance of 1/12 */
        memcpy(&value, &sum, sizeof value);
        if (dtype == WEIR_DTYPE_F32) {
            memcpy(static_cast<float *>(out) + i, &value, sizeof value);
            continue;
        }
        int32_t exponent = static_cast<int32_t>(value >> 23 & 0xFF) - 112; /* of a half; below 1: nothing is left of it */
        uint32_t half = (value >> 16 & 0x8000u) | (exponent < 1 ? 0 : static_cast<uint32_t>(exponent) << 10 | (value >> 13 & 0x3FFu));
        static_cast<uint16_t *>(out)[i] = static_cast<uint16_t>(dtype == WEIR_DTYPE_BF16 ? value >> 16 : half);
    }
}

/* --- grammars ------------------------------------------------------------------------------------------------------- */

struct row_grammars {
    weir_vocab *vocab;
    weir_grammar *of[ROWS_MIXED]; /* by kind; free: NULL */
};

static inline row_grammars make_grammars(uint32_t width) {
    static const char *const schemas[ROWS_MIXED] = {
        nullptr,
        "{\"type\":\"string\",\"minLength\":100000000}",
        "{\"type\":\"array\",\"minItems\":100000000,\"items\":{\"type\":\"string\",\"pattern\":\"^[a-f]+$\"}}",
        "{\"type\":\"array\",\"minItems\":100000000,\"items\":{\"const\":\"0123456789\"}}", /* no token has two digits */
    };
    row_grammars g = {};
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_error error;
    options.whitespace = WEIR_WHITESPACE_COMPACT;
    g.vocab = make_vocab(width);
    for (int kind = ROWS_DENSE; kind < ROWS_MIXED; kind++)
        must_weir(weir_grammar_from_json_schema(g.vocab, schemas[kind], strlen(schemas[kind]), &options, &g.of[kind], &error), &error);
    return g;
}

static inline void free_grammars(row_grammars *g) {
    for (weir_grammar *grammar : g->of) weir_grammar_destroy(grammar);
    weir_vocab_destroy(g->vocab);
}

/* Of one row of a batch. */
static inline row_kind kind_of_row(int kind, uint32_t row) {
    if (kind != ROWS_MIXED) return static_cast<row_kind>(kind);
    uint32_t place = MIXED_OF - 1 - row * 7 % MIXED_OF; /* so that few rows are of all kinds too, the first one dense */
    return place < MIXED_FORCED ? ROWS_FORCED : place < MIXED_FORCED + MIXED_SPARSE ? ROWS_SPARSE : ROWS_DENSE;
}

/* Tokens that bring a row to where its kind begins. */
static inline uint32_t opening_of(row_kind kind, uint32_t (&tokens)[2]) {
    uint32_t count = kind == ROWS_DENSE ? 1 : kind == ROWS_SPARSE ? 2 : 0;
    tokens[0] = kind == ROWS_DENSE ? '"' : '[';
    tokens[1] = '"';
    return count;
}

static inline weir_matcher *make_matcher(const row_grammars *g, row_kind kind) {
    weir_matcher *matcher = nullptr;
    weir_error error;
    uint32_t tokens[2], count = opening_of(kind, tokens);
    if (kind == ROWS_FREE) return nullptr;
    must_weir(weir_matcher_create(g->of[kind], nullptr, &matcher, &error), &error);
    for (uint32_t i = 0; i < count; i++) must_weir(weir_matcher_accept(matcher, tokens[i], &error), &error);
    return matcher;
}

/* --- penalties of "all" ----------------------------------------------------------------------------------------------- */

struct patches {
    uint32_t prompt[PROMPT_MOST], prompt_count;
    weir_logit_bias bias[BIASES];
};

static inline void make_patches(patches *out, uint32_t width) {
    const uint32_t most = PROMPT_MOST;
    out->prompt_count = width / 8 < most ? width / 8 : most;
    for (uint32_t i = 0; i < out->prompt_count; i++) out->prompt[i] = static_cast<uint32_t>(i * UINT64_C(7919) % width);
    for (uint32_t i = 0; i < BIASES; i++) out->bias[i] = {static_cast<uint32_t>(i * UINT64_C(104729) % width), 0.5f};
}

/* Binds a slot to a row's kind. A free row has no stop token, for it must not end. */
static inline void bind_row(weir_sampler *sampler, const row_grammars *g, uint32_t slot, row_kind kind, const patches *patches) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    uint32_t tokens[2];
    weir_error error;
    options.grammar = g->of[kind];
    options.seed = slot;
    options.tokens = tokens;
    options.token_count = opening_of(kind, tokens);
    if (kind == ROWS_FREE) options.stop_ids = tokens;
    if (patches != nullptr) {
        options.count_tokens = true;
        options.prompt_tokens = patches->prompt;
        options.prompt_count = patches->prompt_count;
        options.bias = patches->bias;
        options.bias_count = BIASES;
    }
    must_weir(weir_sampler_bind(sampler, slot, &options, &error), &error);
}

#endif
