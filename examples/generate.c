/* generate.c - weir-generate: JSON documents that a schema accepts, written token by token.
 *
 * In: a schema and a vocabulary. Out: one document a line. The logits come from standin.h, a small stand-in for a
 * model; everything else is what a serving program does with weir: load a vocabulary, compile the schema, bind a slot
 * with a token budget, and step until the stop token. No document is discarded or begun again. */
#define _POSIX_C_SOURCE 200809L

#include <time.h>

#include "program.h"
#include "standin.h"

static const char program[] = "weir-generate";

static const char usage[] =
    "usage: weir-generate (--schema FILE | --schema-text JSON) [options]\n"
    "\n"
    "Writes JSON documents that the schema accepts, one a line.\n"
    "\n"
    "  --schema FILE         the JSON Schema\n"
    "  --schema-text JSON    the same as an argument\n"
    "  --vocab FILE          tiktoken, tokenizer.json, vocab.json, sentencepiece, GGUF, also .gz, or a meta file\n"
    "                        (default: the embedded vocabulary)\n"
    "  --stop ID[,ID]        stop tokens, in place of those that the vocabulary's files name\n"
    "  --count N             documents (1)\n"
    "  --seed S              of the draws and of the stand-in model (0)\n"
    "  --temperature T       0 takes the best token (1)\n"
    "  --top-p P             (1)\n"
    "  --max-tokens M        token budget of a document: every one is complete inside it (256)\n"
    "  --whitespace W        spaced, compact, pretty[:N] or any (spaced); under pretty and any each document is\n"
    "                        preceded by the byte RS, as in RFC 7464\n"
    "  --order schema|any    order of the keys\n"
    "  --objects O           standard (open) or closed (standard)\n"
    "  --report              what became of each keyword, as JSON lines on stderr\n"
    "  --stats               counts and times, as a JSON line on stderr\n"
    "\n"
    "The logits are those of a small stand-in for a model: it likes short words and what it has not written yet.\n"
    "exit: 0 done; 1 usage or file; 2 the schema is refused; 3 the vocabulary; 4 nothing satisfies the schema, or\n"
    "not inside the budget\n";

typedef struct arguments {
    const char *schema_file, *schema_text;
    vocab_choice vocab;
    uint64_t count, seed;
    weir_sampling sampling;
    uint32_t max_tokens;
    weir_grammar_options grammar;
    bool report, stats;
} arguments;

typedef struct tally {
    uint64_t started, printed, tokens, longest;
    double load_us, compile_us, generate_us;
} tally;

/* --- arguments ------------------------------------------------------------------------------------------------ */

static bool read_real(const char *text, float least, float most, float *out)
{
    char *end = NULL;
    *out = strtof(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

/* NULL, or what the flag expects. */
static const char *read_flag(const char *flag, const char *value, arguments *out)
{
    uint64_t number = 0;
    if (strcmp(flag, "--schema") == 0) {
        out->schema_file = value;
    } else if (strcmp(flag, "--schema-text") == 0) {
        out->schema_text = value;
    } else if (strcmp(flag, "--vocab") == 0) {
        out->vocab.file = value;
    } else if (strcmp(flag, "--stop") == 0) {
        return read_stops(value, &out->vocab) ? NULL : "ids separated by commas, 64 at most";
    } else if (strcmp(flag, "--count") == 0) {
        return read_unsigned(value, 0, UINT64_MAX, &out->count) ? NULL : "a whole number";
    } else if (strcmp(flag, "--seed") == 0) {
        return read_unsigned(value, 0, UINT64_MAX, &out->seed) ? NULL : "a whole number";
    } else if (strcmp(flag, "--temperature") == 0) {
        return read_real(value, 0, INFINITY, &out->sampling.temperature) ? NULL : "a number of at least 0";
    } else if (strcmp(flag, "--top-p") == 0) {
        return read_real(value, 1e-6f, 1, &out->sampling.top_p) ? NULL : "a number above 0 and at most 1";
    } else if (strcmp(flag, "--max-tokens") == 0) {
        bool good = read_unsigned(value, 1, UINT32_MAX - 1, &number);
        out->max_tokens = (uint32_t)number;
        return good ? NULL : "a whole number above 0";
    } else if (strcmp(flag, "--whitespace") == 0) {
        return read_whitespace(value, &out->grammar) ? NULL : "spaced, compact, pretty, pretty:N or any";
    } else if (strcmp(flag, "--order") == 0) {
        return read_order(value, &out->grammar) ? NULL : "schema or any";
    } else if (strcmp(flag, "--objects") == 0) {
        return read_objects(value, &out->grammar) ? NULL : "standard or closed";
    } else {
        return "a flag that --help lists";
    }
    return NULL;
}

static bool read_arguments(int argument_count, char **texts, arguments *out)
{
    *out = (arguments){.count = 1, .sampling = WEIR_SAMPLING_INIT, .max_tokens = 256};
    out->grammar = (weir_grammar_options)WEIR_GRAMMAR_OPTIONS_INIT;
    out->grammar.whitespace = WEIR_WHITESPACE_SPACED;
    for (int i = 1; i < argument_count; i++) {
        if (strcmp(texts[i], "--report") == 0) {
            out->report = true;
        } else if (strcmp(texts[i], "--stats") == 0) {
            out->stats = true;
        } else {
            const char *value = i + 1 < argument_count ? texts[i + 1] : NULL;
            const char *expected = value ? read_flag(texts[i], value, out) : "a flag of --help and its value";
            if (expected) return complain(program, texts[i], value ? value : "", expected);
            i++;
        }
    }
    if ((out->schema_file != NULL) == (out->schema_text != NULL)) {
        fprintf(stderr, "weir-generate: one of --schema and --schema-text is needed; --help explains\n");
        return false;
    }
    return true;
}

/* --- what goes in ----------------------------------------------------------------------------------------------- */

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static int compile(const arguments *arguments, const weir_vocab *vocab, const char *schema, size_t length,
                   weir_grammar **out)
{
    weir_error error = {.byte = -1};
    const char *name = arguments->schema_file ? arguments->schema_file : "--schema-text";
    weir_status status = weir_grammar_from_json_schema(vocab, schema, length, &arguments->grammar, out, &error);
    if (status != WEIR_OK) return report_failure(program, name, &error);
    if (weir_grammar_satisfiable(*out)) return EXIT_DONE;
    fprintf(stderr, "weir-generate: %s: nothing satisfies this schema\n", name);
    return EXIT_NOTHING;
}

/* --- what comes out --------------------------------------------------------------------------------------------- */

static void print_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20) fprintf(out, "\\u%04x", (unsigned)*text);
        else fputc(*text, out);
    }
    fputc('"', out);
}

static void print_report(const weir_grammar *grammar)
{
    static const char *const fates[] = {"enforced", "recorded", "noted"};
    for (uint32_t i = 0; i < weir_grammar_report_count(grammar); i++) {
        const weir_keyword_report *entry = weir_grammar_report(grammar, i);
        fprintf(stderr, "{\"report\": \"%s\", \"pointer\": ", fates[entry->fate]);
        print_quoted(stderr, entry->pointer);
        fprintf(stderr, ", \"keyword\": ");
        print_quoted(stderr, entry->keyword);
        fprintf(stderr, ", \"why\": ");
        print_quoted(stderr, entry->why);
        fprintf(stderr, "}\n");
    }
}

static void print_stats(const arguments *arguments, const weir_grammar *grammar, const tally *tally)
{
    weir_grammar_stats stats;
    weir_grammar_statistics(grammar, &stats);
    fprintf(stderr,
            "{\"stats\": \"generate\", \"started\": %" PRIu64 ", \"printed\": %" PRIu64 ", \"tokens\": %" PRIu64
            ", \"longest\": %" PRIu64 ", \"budget\": %" PRIu32 ", \"least_tokens\": %" PRIu32 ", \"vocab_tokens\": %" PRIu32
            ", \"states\": %" PRIu32 ", \"modules\": %" PRIu32 ", \"rows\": %" PRIu32 ", \"guarded_max\": %" PRIu32
            ", \"rows_built_late\": %" PRIu64 ", \"blob_bytes\": %" PRIu64
            ", \"vocab_us\": %.0f, \"compile_us\": %.0f, \"generate_us\": %.0f}\n",
            tally->started, tally->printed, tally->tokens, tally->longest, arguments->max_tokens,
            weir_grammar_least_tokens(grammar), weir_vocab_token_count(weir_grammar_vocab(grammar)), stats.state_count,
            stats.module_count, stats.row_count, stats.guarded_max, stats.rows_built_late, stats.blob_bytes,
            tally->load_us, tally->compile_us, tally->generate_us);
}

typedef struct text {
    char *bytes;
    size_t length, capacity;
} text;

static bool append(text *to, const void *bytes, size_t length)
{
    if (to->length + length > to->capacity) {
        size_t capacity = 2 * to->capacity + length + 256;
        char *larger = realloc(to->bytes, capacity);
        if (larger == NULL) return false;
        to->bytes = larger;
        to->capacity = capacity;
    }
    if (length > 0) memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
    return true;
}

/* --- the loop --------------------------------------------------------------------------------------------------- */

/* One document into `to`: logits, step, accept, until the sampler says that the stop token was taken. */
static int write_document(const arguments *arguments, weir_sampler *sampler, const weir_grammar *grammar,
                          standin *model, uint64_t number, text *to, tally *tally)
{
    weir_error error = {.byte = -1};
    weir_slot_options slot = WEIR_SLOT_OPTIONS_INIT;
    slot.grammar = grammar;
    slot.token_budget = arguments->max_tokens;
    slot.seed = standin_mix(arguments->seed, number);
    if (weir_sampler_bind(sampler, 0, &slot, &error) != WEIR_OK) return report_failure(program, "--max-tokens", &error);
    standin_begin(model);
    tally->started++;
    to->length = 0;
    for (uint64_t position = 0;; position++) {
        int32_t slots[1] = {0}, tokens[1] = {-1};
        uint32_t statuses[1] = {0}, length;
        weir_step step = WEIR_STEP_INIT;
        step.row_count = 1;
        step.slots = slots;
        step.logits = standin_logits(model);
        step.logits_stride = weir_vocab_logits_width(weir_grammar_vocab(grammar));
        step.sampling = &arguments->sampling;
        step.tokens = tokens;
        step.statuses = statuses;
        if (weir_sampler_step(sampler, &step, &error) != WEIR_OK) return report_failure(program, "step", &error);
        if (statuses[0] & WEIR_ROW_STATUS_STOPPED) {
            if (tally->longest < position) tally->longest = position;
            return EXIT_DONE;
        }
        if (statuses[0] != WEIR_ROW_STATUS_OK || tokens[0] < 0 || position >= arguments->max_tokens) {
            fprintf(stderr, "%s: document %" PRIu64 " has no stop token after %" PRIu64 " tokens: %.*s\n", program,
                    number, position, (int)to->length, to->length ? to->bytes : "");
            return EXIT_USAGE;
        }
        const uint8_t *bytes = weir_vocab_token(weir_grammar_vocab(grammar), (uint32_t)tokens[0], &length);
        if (!append(to, bytes, length)) return EXIT_USAGE;
        standin_accept(model, (uint32_t)tokens[0]);
        tally->tokens++;
    }
}

static int write_documents(const arguments *arguments, const weir_grammar *grammar, standin *model, tally *tally)
{
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    weir_sampler *sampler = NULL;
    weir_error error = {.byte = -1};
    bool separated = arguments->grammar.whitespace == WEIR_WHITESPACE_PRETTY ||
                     arguments->grammar.whitespace == WEIR_WHITESPACE_ANY;
    text document = {0};
    int code = EXIT_DONE;
    options.slot_count = 1;
    options.logits_width = weir_vocab_logits_width(weir_grammar_vocab(grammar));
    if (weir_sampler_create(&options, &sampler, &error) != WEIR_OK) return report_failure(program, "sampler", &error);
    for (uint64_t number = 0; number < arguments->count && code == EXIT_DONE; number++) {
        code = write_document(arguments, sampler, grammar, model, number, &document, tally);
        if (code != EXIT_DONE) break;
        standin_end(model);
        if (separated) putchar(0x1e);
        fwrite(document.bytes, 1, document.length, stdout);
        putchar('\n');
        tally->printed++;
    }
    if (fflush(stdout) != 0 && code == EXIT_DONE) {
        fprintf(stderr, "weir-generate: stdout: %s\n", strerror(errno));
        code = EXIT_USAGE;
    }
    free(document.bytes);
    weir_sampler_destroy(sampler);
    return code;
}

int main(int argument_count, char **texts)
{
    arguments arguments;
    tally tally = {0};
    weir_vocab *vocab = NULL;
    weir_grammar *grammar = NULL;
    standin *model = NULL;
    token_index index = {0};
    char *file = NULL;
    size_t length = 0;
    double begin = now_us();
    int code = EXIT_USAGE;
    if (argument_count == 2 && strcmp(texts[1], "--help") == 0) return fputs(usage, stdout) < 0;
    if (!read_arguments(argument_count, texts, &arguments)) return EXIT_USAGE;
    if (arguments.schema_file && (file = read_file(program, arguments.schema_file, &length)) == NULL) return EXIT_USAGE;
    const char *schema = file ? file : arguments.schema_text;
    if (!file) length = strlen(schema);
    if ((code = load_vocab(program, &arguments.vocab, &vocab)) != EXIT_DONE) goto done;
    tally.load_us = now_us() - begin;
    begin = now_us();
    if ((code = compile(&arguments, vocab, schema, length, &grammar)) != EXIT_DONE) goto done;
    tally.compile_us = now_us() - begin;
    if (arguments.report) print_report(grammar);
    code = EXIT_USAGE;
    if (!token_index_create(vocab, &index)) goto done;
    if ((model = standin_create(&index, schema, length, arguments.seed)) == NULL) goto done;
    begin = now_us();
    code = write_documents(&arguments, grammar, model, &tally);
    tally.generate_us = now_us() - begin;
    if (arguments.stats) print_stats(&arguments, grammar, &tally);
done:
    standin_destroy(model);
    token_index_free(&index);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
    free(file);
    return code;
}
