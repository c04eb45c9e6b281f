/* explain.c - weir-explain: why was this text accepted or refused?
 *
 * In: a schema, a vocabulary and a text. Out: for people, each token with what was allowed there; with --lines, one
 * JSON line per case. explain_walk.h takes the text through the masks. */
#define _POSIX_C_SOURCE 200809L

#include <sys/types.h>

#include "explain_walk.h"
#include "host/json.h"
#include "program.h"

static const char program[] = "weir-explain";

static const char usage[] =
    "usage: weir-explain (--schema FILE | --schema-text JSON) [options] TEXT\n"
    "       weir-explain --lines FILE.jsonl [--vocab FILE] [--cut C]\n"
    "\n"
    "Tells why a schema accepts or refuses a text, token by token.\n"
    "\n"
    "  --vocab FILE      tiktoken, tokenizer.json, vocab.json, sentencepiece, GGUF, also .gz, or a meta file\n"
    "                    (default: the embedded vocabulary)\n"
    "  --stop ID[,ID]    stop tokens, in place of those that the vocabulary's files name\n"
    "  --cut C           how the text is cut into tokens: greedy, bytes or random:SEED (greedy)\n"
    "  --whitespace W    any, spaced, compact or pretty[:N] (any)\n"
    "  --order schema|any  order of the keys\n"
    "  --objects O       standard (open) or closed (standard)\n"
    "  --lines FILE      one case a line: {\"id\",\"schema\"|\"schema_text\",\"options\":{\"whitespace\",\"order\",\"objects\"},\n"
    "                    \"text\"|\"text_base64\"}; gives one line each: {\"id\",\"verdict\",\"byte\",\"recorded\",\"message\"}\n"
    "\n"
    "exit: 0 done; 1 usage or file; 2 the schema is refused; 3 the vocabulary; 4 nothing satisfies the schema\n";

typedef struct arguments {
    const char *schema_file, *schema_text, *lines_file, *text;
    vocab_choice vocab;
    token_cut cut;
    uint64_t cut_seed;
    weir_grammar_options grammar;
} arguments;

/* --- for people ------------------------------------------------------------------------------------------------- */

/* Bytes of a token as a JSON-like string, with the bytes that are not whole UTF-8 as \xNN. */
static void print_token_text(const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        if (bytes[i] == '\\') printf("\\\\");
        else if (bytes[i] == '\n') printf("\\n");
        else if (bytes[i] >= 0x20 && bytes[i] < 0x7f) putchar(bytes[i]);
        else if (bytes[i] >= 0xc2 && i + 1 < length && bytes[i + 1] >= 0x80) {
            uint32_t more = bytes[i] >= 0xf0 ? 3 : bytes[i] >= 0xe0 ? 2 : 1;
            if (i + more < length) printf("%.*s", (int)more + 1, (const char *)bytes + i);
            else for (uint32_t k = i; k < length; k++) printf("\\x%02x", bytes[k]);
            i += more;
        } else printf("\\x%02x", bytes[i]);
    }
}

static void print_token(const tools *tools, const weir_matcher *matcher, size_t byte, uint32_t token)
{
    static const char *const kinds[] = {"empty", "list", "base", "bitmap", "full"};
    uint32_t guarded = 0, length;
    weir_row_kind kind = weir_matcher_row(matcher, &guarded);
    const uint8_t *bytes = weir_vocab_token(tools->vocab, token, &length);
    printf("%6zu %8" PRIu32 " %8" PRIu32 "  %-6s", byte, token, count_allowed(tools), kinds[kind]);
    if (guarded > 0) printf(" %3" PRIu32 "  ", guarded);
    else printf("      ");
    printf("%s ", is_allowed(tools, token) ? "  " : "X ");
    print_token_text(bytes, length);
    putchar('\n');
}

static void print_finding(const finding *finding, const uint8_t *text, size_t length)
{
    if (finding->verdict == ACCEPTED) {
        printf("accepted: %zu bytes, and the text may end here\n", length);
        return;
    }
    printf("%s: %s\n", verdict_names[finding->verdict], finding->message);
    size_t begin = finding->byte > 48 ? finding->byte - 48 : 0, end = finding->byte + 16 < length ? finding->byte + 16 : length;
    while (begin > 0 && begin < length && (text[begin] & 0xc0) == 0x80) begin--;
    printf("    ");
    size_t column = 0;
    for (size_t i = begin; i < end; i++) {
        column += i < finding->byte && (text[i] & 0xc0) != 0x80;
        putchar(text[i] < 0x20 ? ' ' : text[i]);
    }
    printf("\n    %*s^\n", (int)column, "");
}

/* --- for machines ----------------------------------------------------------------------------------------------- */

/* The last grammars that were compiled; cases of one schema usually come together. */
enum { CACHE_SIZE = 8 };

typedef struct cached {
    char *key; /* options and schema text */
    size_t key_length;
    weir_grammar *grammar; /* NULL: refused */
    weir_error error;
    uint64_t used;
} cached;

typedef struct cache {
    cached entries[CACHE_SIZE];
    uint64_t clock;
} cache;

static void cached_drop(cached *entry)
{
    weir_grammar_destroy(entry->grammar);
    free(entry->key);
    *entry = (cached){0};
}

static const cached *cache_get(cache *cache, const tools *tools, const weir_grammar_options *options, const char *schema,
                               size_t length)
{
    uint32_t choice[4] = {options->whitespace, options->indent, options->objects, options->order};
    cached *oldest = &cache->entries[0];
    for (cached *entry = cache->entries; entry < cache->entries + CACHE_SIZE; entry++) {
        if (entry->used < oldest->used) oldest = entry;
        if (entry->key_length != sizeof choice + length || entry->key == NULL) continue;
        if (memcmp(entry->key, choice, sizeof choice) != 0) continue;
        if (memcmp(entry->key + sizeof choice, schema, length) != 0) continue;
        entry->used = ++cache->clock;
        return entry;
    }
    cached_drop(oldest);
    oldest->key_length = sizeof choice + length;
    if ((oldest->key = malloc(oldest->key_length)) == NULL) return NULL;
    memcpy(oldest->key, choice, sizeof choice);
    memcpy(oldest->key + sizeof choice, schema, length);
    oldest->used = ++cache->clock;
    weir_grammar_from_json_schema(tools->vocab, schema, length, options, &oldest->grammar, &oldest->error);
    return oldest;
}

/* The options of a line; NULL or what is wrong. */
static const char *read_options(const json *from, weir_grammar_options *out)
{
    if (from == NULL) return NULL;
    if (from->kind != JSON_OBJECT) return "\"options\" is not an object";
    for (const json *member = from->child; member; member = member->next) {
        bool text = member->kind == JSON_STRING;
        if (strcmp(member->key, "whitespace") == 0) {
            if (!text || !read_whitespace(member->text, out)) return "\"whitespace\": expected any, spaced, compact or pretty[:N]";
        } else if (strcmp(member->key, "order") == 0) {
            if (!text || !read_order(member->text, out)) return "\"order\": expected schema or any";
        } else if (strcmp(member->key, "objects") == 0) {
            if (!text || !read_objects(member->text, out)) return "\"objects\": expected standard or closed";
        } else {
            return "\"options\" holds an unknown member";
        }
    }
    return NULL;
}

/* RFC 4648 text in place; SIZE_MAX when it is not. */
static size_t decode_base64(const char *text, size_t length, uint8_t *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t count = 0;
    uint32_t bits = 0, held = 0;
    if (length % 4 != 0) return SIZE_MAX;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '=' && (i == length - 1 || (i == length - 2 && text[i + 1] == '='))) break;
        const char *digit = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (digit == NULL) return SIZE_MAX;
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        held += 6;
        if (held >= 8) out[count++] = (uint8_t)(bits >> (held -= 8));
    }
    return count;
}

typedef struct line_case {
    const char *schema;
    size_t schema_length;
    const uint8_t *text;
    size_t text_length;
    weir_grammar_options options;
    const char *id;
    size_t id_length;
} line_case;

/* Takes a parsed line apart; NULL or what is wrong. */
static const char *read_case(const char *line, size_t length, const json *root, arena *arena, line_case *out)
{
    const json *id, *schema, *schema_text, *text, *base64;
    if (root->kind != JSON_OBJECT) return "the line is not an object";
    if ((id = json_get(root, "id"))) {
        out->id = line + id->byte;
        out->id_length = json_text_end(line, length, id->byte) - id->byte;
    }
    schema = json_get(root, "schema");
    schema_text = json_get(root, "schema_text");
    text = json_get(root, "text");
    base64 = json_get(root, "text_base64");
    if ((schema != NULL) == (schema_text != NULL)) return "expected one of \"schema\" and \"schema_text\"";
    if ((text != NULL) == (base64 != NULL)) return "expected one of \"text\" and \"text_base64\"";
    if (schema_text && schema_text->kind != JSON_STRING) return "\"schema_text\" is not a string";
    if ((text ? text : base64)->kind != JSON_STRING) return "the text is not a string";
    out->schema = schema ? line + schema->byte : schema_text->text;
    out->schema_length = schema ? json_text_end(line, length, schema->byte) - schema->byte : schema_text->length;
    out->text = (const uint8_t *)(text ? text->text : "");
    out->text_length = text ? text->length : 0;
    if (base64) {
        uint8_t *bytes = arena_allocate(arena, base64->length + 4);
        if (bytes == NULL) return "memory is short";
        out->text_length = decode_base64(base64->text, base64->length, bytes);
        out->text = bytes;
        if (out->text_length == SIZE_MAX) return "\"text_base64\" is not base64";
    }
    return read_options(json_get(root, "options"), &out->options);
}

static void set_message(finding *out, verdict verdict, const weir_error *error)
{
    out->verdict = verdict;
    describe_error(error, out->message, sizeof out->message);
}

static finding judge_line(tools *tools, cache *cache, const char *line, size_t length, arena *arena, line_case *out)
{
    finding finding = {.verdict = MALFORMED};
    weir_error error = {.byte = -1};
    const json *root = NULL;
    if (json_parse(line, length, NULL, arena, &root, &error) != WEIR_OK) {
        set_message(&finding, MALFORMED, &error);
        return finding;
    }
    const char *wrong = read_case(line, length, root, arena, out);
    if (wrong) {
        snprintf(finding.message, sizeof finding.message, "%s", wrong);
        return finding;
    }
    const cached *cached = cache_get(cache, tools, &out->options, out->schema, out->schema_length);
    if (cached == NULL) {
        snprintf(finding.message, sizeof finding.message, "memory is short");
    } else if (cached->grammar == NULL) {
        set_message(&finding, REFUSED, &cached->error);
    } else if (judge(tools, cached->grammar, out->text, out->text_length, NULL, &finding, &error) != WEIR_OK) {
        set_message(&finding, MALFORMED, &error);
    }
    return finding;
}

static void print_line(const line_case *line, const finding *finding)
{
    char message[6 * sizeof finding->message + 2];
    size_t kept = strlen(finding->message), place = kept;
    while (place > 0 && ((uint8_t)finding->message[place - 1] & 0xc0) == 0x80) place--; /* do not end in mid-character */
    if (place > 0 && (uint8_t)finding->message[place - 1] >= 0xc0) {
        uint8_t lead = (uint8_t)finding->message[place - 1];
        size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (kept - (place - 1) < whole) kept = place - 1;
    }
    size_t length = json_quote(finding->message, kept, message, sizeof message);
    bool placed = finding->verdict <= INCOMPLETE;
    printf("{\"id\":%.*s,\"verdict\":\"%s\",\"byte\":%lld,\"recorded\":%" PRIu32 ",\"message\":%.*s}\n",
           line->id ? (int)line->id_length : 4, line->id ? line->id : "null", verdict_names[finding->verdict],
           placed ? (long long)finding->byte : -1, finding->recorded, (int)length, message);
}

static int explain_lines(tools *tools, const arguments *arguments)
{
    FILE *file = fopen(arguments->lines_file, "rb");
    cache cache = {0};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    if (file == NULL) {
        fprintf(stderr, "%s: %s: %s\n", program, arguments->lines_file, strerror(errno));
        return EXIT_USAGE;
    }
    while ((length = getline(&line, &capacity, file)) >= 0) {
        line_case found = {.options = arguments->grammar};
        arena arena;
        arena_init(&arena, NULL, 0);
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) length--;
        finding finding = judge_line(tools, &cache, line, (size_t)length, &arena, &found);
        print_line(&found, &finding);
        arena_free(&arena);
    }
    bool failed = ferror(file) != 0;
    if (failed) fprintf(stderr, "%s: %s: %s\n", program, arguments->lines_file, strerror(errno));
    for (uint32_t i = 0; i < CACHE_SIZE; i++) cached_drop(&cache.entries[i]);
    free(line);
    fclose(file);
    return failed || fflush(stdout) != 0 ? EXIT_USAGE : EXIT_DONE;
}

/* --- the program ------------------------------------------------------------------------------------------------ */

static bool read_cut(const char *text, arguments *out)
{
    out->cut = TOKEN_CUT_RANDOM;
    if (strncmp(text, "random:", 7) == 0) return read_unsigned(text + 7, 0, UINT64_MAX, &out->cut_seed);
    out->cut = strcmp(text, "bytes") == 0 ? TOKEN_CUT_BYTES : TOKEN_CUT_GREEDY;
    return out->cut == TOKEN_CUT_BYTES || strcmp(text, "greedy") == 0;
}

/* NULL, or what the flag expects. */
static const char *read_flag(const char *flag, const char *value, arguments *out)
{
    if (strcmp(flag, "--schema") == 0) {
        out->schema_file = value;
    } else if (strcmp(flag, "--schema-text") == 0) {
        out->schema_text = value;
    } else if (strcmp(flag, "--vocab") == 0) {
        out->vocab.file = value;
    } else if (strcmp(flag, "--lines") == 0) {
        out->lines_file = value;
    } else if (strcmp(flag, "--stop") == 0) {
        return read_stops(value, &out->vocab) ? NULL : "ids separated by commas, 64 at most";
    } else if (strcmp(flag, "--cut") == 0) {
        return read_cut(value, out) ? NULL : "greedy, bytes or random:SEED";
    } else if (strcmp(flag, "--whitespace") == 0) {
        return read_whitespace(value, &out->grammar) ? NULL : "any, spaced, compact, pretty or pretty:N";
    } else if (strcmp(flag, "--order") == 0) {
        return read_order(value, &out->grammar) ? NULL : "schema or any";
    } else if (strcmp(flag, "--objects") == 0) {
        return read_objects(value, &out->grammar) ? NULL : "standard or closed";
    } else {
        return "a flag that --help lists";
    }
    return NULL;
}

static bool read_arguments(int count, char **texts, arguments *out)
{
    bool only_text = false;
    *out = (arguments){.grammar = WEIR_GRAMMAR_OPTIONS_INIT};
    for (int i = 1; i < count; i++) {
        if (!only_text && strcmp(texts[i], "--") == 0) {
            only_text = true;
        } else if (!only_text && strncmp(texts[i], "--", 2) == 0) {
            const char *value = i + 1 < count ? texts[i + 1] : NULL;
            const char *expected = value ? read_flag(texts[i], value, out) : "a flag of --help and its value";
            if (expected) return complain(program, texts[i], value ? value : "", expected);
            i++;
        } else if (out->text == NULL) {
            out->text = texts[i];
        } else {
            return complain(program, "TEXT", texts[i], "one text");
        }
    }
    bool one_schema = (out->schema_file != NULL) != (out->schema_text != NULL);
    bool people = one_schema && out->text && !out->lines_file;
    bool lines = out->lines_file && !out->schema_file && !out->schema_text && !out->text;
    if (!people && !lines) fprintf(stderr, "%s: a schema and a TEXT, or --lines, are needed; --help explains\n", program);
    return people || lines;
}

static int explain_text(tools *tools, const arguments *arguments)
{
    weir_grammar *grammar = NULL;
    weir_error error = {.byte = -1};
    finding finding;
    char *file = NULL;
    size_t length = 0, text_length = strlen(arguments->text);
    if (arguments->schema_file && (file = read_file(program, arguments->schema_file, &length)) == NULL) return EXIT_USAGE;
    const char *schema = file ? file : arguments->schema_text, *name = file ? arguments->schema_file : "--schema-text";
    if (!file) length = strlen(schema);
    int code = EXIT_DONE;
    if (weir_grammar_from_json_schema(tools->vocab, schema, length, &arguments->grammar, &grammar, &error) != WEIR_OK) {
        code = report_failure(program, name, &error);
    } else if (!weir_grammar_satisfiable(grammar)) {
        fprintf(stderr, "%s: %s: nothing satisfies this schema\n", program, name);
        code = EXIT_NOTHING;
    } else {
        printf("  byte    token  allowed  row    guarded  text\n");
        if (judge(tools, grammar, (const uint8_t *)arguments->text, text_length, print_token, &finding, &error) != WEIR_OK) {
            code = report_failure(program, "matcher", &error);
        } else {
            print_finding(&finding, (const uint8_t *)arguments->text, text_length);
        }
    }
    weir_grammar_destroy(grammar);
    free(file);
    return code;
}

int main(int count, char **texts)
{
    arguments arguments;
    tools tools = {0};
    int code = EXIT_USAGE;
    if (count == 2 && strcmp(texts[1], "--help") == 0) return fputs(usage, stdout) < 0;
    if (!read_arguments(count, texts, &arguments)) return EXIT_USAGE;
    if ((code = load_vocab(program, &arguments.vocab, &tools.vocab)) != EXIT_DONE) return code;
    code = EXIT_USAGE;
    tools.cut = arguments.cut;
    tools.cut_seed = arguments.cut_seed;
    tools.words = weir_vocab_mask_words(tools.vocab);
    tools.mask = calloc(tools.words ? tools.words : 1, sizeof *tools.mask);
    if (tools.mask && token_index_create(tools.vocab, &tools.index)) {
        code = arguments.lines_file ? explain_lines(&tools, &arguments) : explain_text(&tools, &arguments);
    } else {
        fprintf(stderr, "%s: memory is short\n", program);
    }
    token_index_free(&tools.index);
    free(tools.mask);
    weir_vocab_destroy(tools.vocab);
    return code;
}
