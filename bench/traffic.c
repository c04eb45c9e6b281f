/* traffic.c - schemas in, traces out: documents that are cut into tokens, and random walks. */
#include "traffic.h"

#include "common.h"
#include "examples/tokens.h"

enum {
    STEPS_MOST = 512,   /* of a trace: what is longer is cut, as by a limit on tokens */
    DOCUMENTS_MOST = 2, /* of a schema */
    LEAVE = 8,          /* of the tokens of a string or a number, one in so many is one that may end it */
    LONG_LIST = 16      /* tokens; longer ones are those of numbers, patterns and keys */
};

typedef struct maker {
    const char *program;
    token_index index;
    uint32_t *mask, words, width;
    uint32_t *ends[2]; /* tokens with a '"', and with any of ",}] */
    uint32_t stop;
    uint64_t random;
    uint32_t capacity; /* of the grammars, and thrice as many traces */
    traffic *out;
} maker;

static uint64_t random_bits(maker *m)
{
    uint64_t z = (m->random += 0x9E3779B97F4A7C15u); /* splitmix64 */
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t random_below(maker *m, uint32_t limit)
{
    return (uint32_t)((random_bits(m) >> 32) * limit >> 32);
}

/* --- one trace ---------------------------------------------------------------------------------------------------- */

/* Tokens of the mask, of which `and` (NULL: all) has the bit too. */
static uint32_t count_allowed(const maker *m, const uint32_t *and)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->words; i++) count += (uint32_t)__builtin_popcount(m->mask[i] & (and ? and[i] : UINT32_MAX));
    return count;
}

/* The place-th of them. */
static uint32_t nth_allowed(const maker *m, const uint32_t *and, uint32_t place)
{
    for (uint32_t i = 0; i < m->words; i++) {
        uint32_t bits = m->mask[i] & (and ? and[i] : UINT32_MAX), count = (uint32_t)__builtin_popcount(bits);
        if (place < count) {
            for (; place > 0; place--) bits &= bits - 1;
            return 32 * i + (uint32_t)__builtin_ctz(bits);
        }
        place -= count;
    }
    return TOKEN_NONE;
}

static bool is_allowed(const maker *m, uint32_t token)
{
    return token < m->width && (m->mask[token / 32] >> token % 32 & 1) != 0;
}

static traffic_kind kind_of(const weir_matcher *matcher, uint32_t allowed, bool stop_allowed)
{
    switch (weir_matcher_row(matcher, NULL)) {
    case WEIR_ROW_EMPTY: return TRAFFIC_STOP;
    case WEIR_ROW_LIST: break;
    case WEIR_ROW_BASE: return allowed == 1 ? TRAFFIC_FORCED : TRAFFIC_BASE;
    case WEIR_ROW_BITMAP: return allowed == 1 ? TRAFFIC_FORCED : TRAFFIC_BITMAP;
    case WEIR_ROW_FULL: return TRAFFIC_FULL;
    }
    return allowed > 1 ? TRAFFIC_LIST : stop_allowed ? TRAFFIC_STOP : TRAFFIC_FORCED;
}

/* A text ends where it may, every other time; a string or a number, one token in LEAVE; else any token. */
static uint32_t choose(maker *m, uint32_t allowed, traffic_kind kind)
{
    const uint32_t *ends = m->ends[kind == TRAFFIC_LIST];
    if (is_allowed(m, m->stop) && random_below(m, 2)) return m->stop;
    uint32_t leaving = allowed > LONG_LIST && random_below(m, LEAVE) == 0 ? count_allowed(m, ends) : 0;
    if (leaving > 0) return nth_allowed(m, ends, random_below(m, leaving));
    return nth_allowed(m, NULL, random_below(m, allowed));
}

/* Text NULL: a random walk. A document ends before a token that is not allowed. False when memory is short. */
static bool add_trace(maker *m, const weir_grammar *grammar, const char *text, size_t length)
{
    weir_matcher *matcher = NULL;
    traffic_trace trace = {.grammar = grammar, .document = text != NULL};
    size_t at = 0;
    trace.steps = malloc(STEPS_MOST * sizeof *trace.steps);
    bool good = trace.steps && weir_matcher_create(grammar, NULL, &matcher, NULL) == WEIR_OK;
    while (good && trace.count < STEPS_MOST && !weir_matcher_is_stopped(matcher)) {
        if (weir_matcher_fill_mask(matcher, m->mask, m->words, NULL) != WEIR_OK) break;
        uint32_t allowed = count_allowed(m, NULL), token, written;
        if (allowed == 0) break;
        traffic_kind kind = kind_of(matcher, allowed, is_allowed(m, m->stop));
        if (text == NULL) token = choose(m, allowed, kind);
        else if (at == length) token = m->stop;
        else token = token_next(&m->index, TOKEN_CUT_GREEDY, NULL, (const uint8_t *)text + at, length - at);
        if (!is_allowed(m, token) || weir_matcher_accept(matcher, token, NULL) != WEIR_OK) break;
        trace.steps[trace.count++] = (traffic_step){token, allowed, kind};
        weir_vocab_token(m->out->vocab, token, &written);
        if (text != NULL && token != m->stop) at += written;
    }
    weir_matcher_destroy(matcher);
    if (trace.count > 0) m->out->traces[m->out->trace_count++] = trace;
    else free(trace.steps);
    return good;
}

/* --- schemas ------------------------------------------------------------------------------------------------------- */

/* A schema's traces, if it compiles; spaced as json.dumps writes, which the documents are. */
static bench_answer add_schema(maker *m, const char *schema, size_t length, weir_objects objects, const char *const *texts,
                               const size_t *lengths, uint32_t text_count)
{
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar = NULL;
    options.whitespace = WEIR_WHITESPACE_SPACED;
    options.objects = objects;
    if (m->out->grammar_count == m->capacity) return BENCH_SKIPPED;
    if (weir_grammar_from_json_schema(m->out->vocab, schema, length, &options, &grammar, NULL) != WEIR_OK ||
        !weir_grammar_satisfiable(grammar)) {
        weir_grammar_destroy(grammar);
        m->out->refused++;
        return BENCH_SKIPPED;
    }
    m->out->grammars[m->out->grammar_count++] = grammar;
    bool good = add_trace(m, grammar, NULL, 0);
    for (uint32_t i = 0; i < text_count && i < DOCUMENTS_MOST && good; i++) good = add_trace(m, grammar, texts[i], lengths[i]);
    return good ? BENCH_COUNTED : BENCH_FAILED;
}

#ifdef HAVE_LZMA
static bench_answer use_case(void *context, const bench_case *one)
{
    return add_schema(context, one->schema, one->schema_length, one->objects, one->texts, one->lengths, one->text_count);
}

static bool read_schemas(maker *m, const char *data, uint32_t schemas)
{
    static bench_options options;
    options = (bench_options){.schemas = schemas};
    if (strlen(data) >= sizeof options.data) return complain(m->program, "--data", data, "a shorter path");
    snprintf(options.data, sizeof options.data, "%s", data);
    m->out->source = "MaskBench's development half";
    return bench_each_case(m->program, &options, use_case, m);
}
#else
static bool read_schemas(maker *m, const char *data, uint32_t schemas)
{
    (void)schemas;
    return complain(m->program, "--data", data, "no data: built without liblzma");
}
#endif

/* --- schemas that are made up ---------------------------------------------------------------------------------------- */

typedef struct text {
    char bytes[1 << 14];
    size_t length;
} text;

static void put(text *to, const char *piece)
{
    size_t length = strlen(piece);
    if (to->length + length >= sizeof to->bytes) return;
    memcpy(to->bytes + to->length, piece, length);
    to->length += length;
}

static const char *const names[] = {"name", "title", "id",    "email",  "city",  "status", "amount", "tags",  "address", "items",
                                    "note", "date",  "count", "active", "price", "kind",   "query",  "limit", "parent",  "labels"};
enum { NAMES = sizeof names / sizeof *names };

/* A value of any kind: mostly strings, as in the calls of tools. */
static void put_schema(maker *m, text *to, uint32_t depth)
{
    uint32_t which = random_below(m, depth > 0 ? 10 : 7);
    if (which < 3) {
        put(to, which == 0 ? "{\"type\":\"string\",\"maxLength\":60}" : "{\"type\":\"string\"}");
    } else if (which < 4) {
        put(to, "{\"type\":\"integer\",\"minimum\":0,\"maximum\":100000}");
    } else if (which < 5) {
        put(to, "{\"type\":\"boolean\"}");
    } else if (which < 6) {
        put(to, "{\"enum\":[\"open\",\"closed\",\"pending\",null]}");
    } else if (which < 7) {
        put(to, "{\"type\":\"string\",\"pattern\":\"^[a-z][a-z0-9_-]{0,30}$\"}");
    } else if (which < 8) {
        put(to, "{\"type\":\"array\",\"minItems\":1,\"maxItems\":6,\"items\":");
        put_schema(m, to, depth - 1);
        put(to, "}");
    } else {
        uint32_t first = random_below(m, NAMES), count = 2 + random_below(m, 6);
        put(to, "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"");
        put(to, names[first]);
        put(to, "\"],\"properties\":{");
        for (uint32_t i = 0; i < count; i++) {
            put(to, i > 0 ? ",\"" : "\"");
            put(to, names[(first + i) % NAMES]);
            put(to, "\":");
            put_schema(m, to, depth - 1);
        }
        put(to, "}}");
    }
}

static bool invent_schemas(maker *m, uint32_t schemas)
{
    bench_answer answer = BENCH_COUNTED;
    m->out->source = "made up";
    for (uint32_t i = 0; i < schemas && answer != BENCH_FAILED; i++) {
        text schema = {.length = 0};
        put(&schema, "{\"type\":\"object\",\"required\":[\"call\",\"arguments\"],\"properties\":{\"call\":{\"enum\":[\"");
        put(&schema, names[random_below(m, NAMES)]);
        put(&schema, "\"]},\"arguments\":");
        put_schema(m, &schema, 3);
        put(&schema, "}}");
        answer = add_schema(m, schema.bytes, schema.length, WEIR_OBJECTS_CLOSED, NULL, NULL, 0);
    }
    return answer != BENCH_FAILED;
}

/* --- all -------------------------------------------------------------------------------------------------------------- */

static bool make(maker *m, const char *data, uint32_t schemas)
{
    const weir_vocab *vocab = m->out->vocab;
    uint32_t count = weir_vocab_token_count(vocab), stops = 0, length;
    const uint32_t *stop_ids = weir_vocab_stop_ids(vocab, &stops);
    m->width = weir_vocab_logits_width(vocab);
    m->words = weir_vocab_mask_words(vocab);
    m->stop = stops > 0 ? stop_ids[0] : TOKEN_NONE;
    m->mask = calloc(m->words, sizeof *m->mask);
    for (int i = 0; i < 2; i++) m->ends[i] = calloc(m->words, sizeof **m->ends);
    m->out->grammars = calloc(m->capacity, sizeof(weir_grammar *));
    m->out->traces = calloc(m->capacity, (1 + DOCUMENTS_MOST) * sizeof(traffic_trace));
    if (!m->mask || !m->ends[0] || !m->ends[1] || !m->out->grammars || !m->out->traces || !token_index_create(vocab, &m->index)) {
        fprintf(stderr, "%s: memory is short\n", m->program);
        return false;
    }
    for (uint32_t token = 0; token < count && token < m->width; token++) {
        const uint8_t *bytes = weir_vocab_token(vocab, token, &length);
        for (uint32_t i = 0; i < length; i++) {
            if (bytes[i] == '"') m->ends[0][token / 32] |= 1u << token % 32;
            if (memchr("\",}]", bytes[i], 4)) m->ends[1][token / 32] |= 1u << token % 32;
        }
    }
    return data ? read_schemas(m, data, schemas) : invent_schemas(m, schemas);
}

bool traffic_make(const char *program, const weir_vocab *vocab, const char *data, uint32_t schemas, traffic *out)
{
    maker m = {.program = program, .out = out, .random = 1, .capacity = schemas + 64}; /* the seed fixtures come first */
    *out = (traffic){.vocab = vocab};
    bool good = make(&m, data, schemas);
    if (good && out->trace_count == 0) {
        fprintf(stderr, "%s: no schema gave a trace\n", program);
        good = false;
    }
    token_index_free(&m.index);
    free(m.mask);
    free(m.ends[0]);
    free(m.ends[1]);
    if (!good) traffic_free(out);
    return good;
}

void traffic_free(traffic *traffic)
{
    for (uint32_t i = 0; i < traffic->trace_count; i++) free(traffic->traces[i].steps);
    for (uint32_t i = 0; i < traffic->grammar_count; i++) weir_grammar_destroy(traffic->grammars[i]);
    free(traffic->traces);
    free(traffic->grammars);
    memset(traffic, 0, sizeof *traffic);
}
