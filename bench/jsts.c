/* jsts.c - over a folder of the JSON Schema Test Suite: how many of its tests are judged right?
 *
 * In: the folder of one draft (tests/draft2020-12, tests/draft7, ...). Out: with --each one line for every test that
 * does not pass; the reasons of refusals, one line a file, the sums of optional/format and of the required tests (the
 * files directly in the folder). The schema goes to the library as it stands in the file, behind a "$schema" of the
 * folder's draft where it has none; an instance as Python's json.dumps(data, ensure_ascii=False) writes it, numbers as
 * they stand. Documents under --remotes answer for http://localhost:1234/. Every test is an item of its own: one that
 * kills its process takes no other along. */
#include "suite.h"

static const char program[] = "jsts";

static const char usage[] =
    "usage: jsts [options] DIR\n"
    "\n"
    "  --vocab FILE         tiktoken, tokenizer.json, vocab.json, sentencepiece, GGUF, also .gz, or a meta file\n"
    "                       (default: the embedded vocabulary)\n"
    "  --remotes DIR        documents that answer for http://localhost:1234/ (default: DIR/../../remotes)\n"
    "  --order schema|any   order of the keys (schema); valid instances whose keys only stand in another order pass,\n"
    "                       and are counted apart\n"
    "  --each               one line a test that does not pass: file, schema, test, what happened, between tabs\n"
    "\n"
    "exit: 0 it ran; 1 usage or file; 3 the vocabulary\n";

enum { PATH_MAX_LENGTH = 1024, FILES_MAX = 1024, REMOTES_MAX = 256, TEST_SEED = 20240902 };

typedef struct arguments {
    vocab_choice vocab;
    weir_grammar_options grammar;
    bool each;
    const char *directory, *remotes, *draft;
    char remotes_path[PATH_MAX_LENGTH];
} arguments;

/* Documents that were asked for; they stay as long as the worker. */
typedef struct remotes {
    const char *directory;
    char *names[REMOTES_MAX], *texts[REMOTES_MAX];
    size_t lengths[REMOTES_MAX];
    uint32_t count;
} remotes;

typedef struct run {
    const arguments *arguments;
    suite_tools tools;
    remotes remotes;
    char *files[FILES_MAX]; /* below the folder; the required ones first, then optional, then optional/format */
    uint32_t file_count;
} run;

/* What a worker finds out about one test. */
typedef struct outcome {
    uint32_t class, file, other_order;
    uint64_t byte;
    char message[800];
} outcome;

/* --- the draft and the remote documents -----------------------------------------------------------------------------
 */

/* The "$schema" of a folder's name, or NULL. */
static const char *draft_uri(const char *folder, size_t length) {
    static const char *const drafts[][2] = {
        {"draft3", "http://json-schema.org/draft-03/schema#"},
        {"draft4", "http://json-schema.org/draft-04/schema#"},
        {"draft6", "http://json-schema.org/draft-06/schema#"},
        {"draft7", "http://json-schema.org/draft-07/schema#"},
        {"draft2019-09", "https://json-schema.org/draft/2019-09/schema"},
        {"draft2020-12", "https://json-schema.org/draft/2020-12/schema"},
    };
    for (size_t i = 0; i < sizeof drafts / sizeof *drafts; i++) {
        if (strlen(drafts[i][0]) == length && memcmp(drafts[i][0], folder, length) == 0) return drafts[i][1];
    }
    return NULL;
}

/* weir_grammar_options.resolve. */
static const char *resolve(void *context, const char *uri, size_t uri_length, size_t *length) {
    static const char base[] = "http://localhost:1234/";
    remotes *remotes = context;
    char path[2 * PATH_MAX_LENGTH];
    const char *name = uri + sizeof base - 1;
    *length = 0;
    if (uri_length < sizeof base || memcmp(uri, base, sizeof base - 1) != 0 || strlen(uri) != uri_length) return NULL;
    for (uint32_t i = 0; i < remotes->count; i++) {
        if (strcmp(remotes->names[i], name) != 0) continue;
        *length = remotes->lengths[i];
        return remotes->texts[i];
    }
    int needed = snprintf(path, sizeof path, "%s/%s", remotes->directory, name);
    if (strstr(name, "..") || needed < 0 || (size_t)needed >= sizeof path || remotes->count == REMOTES_MAX) return NULL;
    FILE *file = fopen(path, "rb"); /* an unknown document is no error of this program */
    if (file == NULL) return NULL;
    fclose(file);
    char *text = read_file(program, path, length), *copy = malloc(strlen(name) + 1);
    if (text == NULL || copy == NULL) {
        free(text);
        free(copy);
        return NULL;
    }
    strcpy(copy, name);
    remotes->names[remotes->count] = copy;
    remotes->lengths[remotes->count] = *length;
    return remotes->texts[remotes->count++] = text;
}

/* --- a group: one schema and its tests ------------------------------------------------------------------------------
 */

/* The schema as it stands, or behind a "$schema". */
static void put_schema(suite_text *to, const char *draft, const char *source, size_t length, const json *schema) {
    size_t end = json_text_end(source, length, schema->byte);
    bool named = schema->kind != JSON_OBJECT || json_get(schema, "$schema") != NULL;
    if (!named) suite_put_format(to, "{\"$schema\": \"%s\"%s", draft, schema->count > 0 ? ", " : "");
    suite_put(to, source + schema->byte + !named, end - schema->byte - !named);
}

typedef struct group {
    const char *source;
    size_t length;
    const json *description, *schema, *tests;
    suite_text schema_text, text;
    suite_machine machine;
    weir_grammar_options options;
} group;

static void judge_test(run *run, group *group, uint64_t item, const json *test, outcome *out) {
    const json *valid = json_get(test, "valid"), *data = json_get(test, "data");
    if (group->schema_text.length == 0) {
        put_schema(&group->schema_text, run->arguments->draft, group->source, group->length, group->schema);
        suite_machine_create(&run->tools, group->schema_text.bytes, group->schema_text.length, &group->options, NULL,
                             &group->machine);
    }
    out->class = group->machine.state;
    snprintf(out->message, sizeof out->message, "%s", group->machine.message);
    if (group->machine.state != SUITE_PASSING) return;
    suite_finding finding;
    bool other_order;
    group->text.length = 0;
    suite_put_value(&group->text, group->source, group->length, data, NULL);
    out->class = suite_classify(&run->tools, &group->machine, group->options.order == WEIR_ORDER_SCHEMA,
                                &group->text, valid->kind == JSON_TRUE, suite_seed(TEST_SEED, item, 0), NULL,
                                &other_order, &finding);
    out->other_order = other_order;
    out->byte = finding.byte;
    snprintf(out->message, sizeof out->message, "%s", finding.message);
    if (out->class == SUITE_VALID_REJECTED) {
        snprintf(out->message, sizeof out->message, "byte %" PRIu64 " of %.*s", finding.byte,
                 (int)(group->text.length < 200 ? group->text.length : 200), group->text.bytes);
    }
}

static bool is_test(const json *test) {
    const json *valid = json_get(test, "valid"), *description = json_get(test, "description");
    return valid && (valid->kind == JSON_TRUE || valid->kind == JSON_FALSE) && json_get(test, "data") && description &&
           description->kind == JSON_STRING;
}

static void work_group(run *run, suite_worker *worker, uint32_t file, group *group, uint64_t *item) {
    for (const json *test = group->tests->child; test; test = test->next, (*item)++) {
        suite_text name = {0}, result = {0};
        outcome outcome = {.file = file};
        if (!is_test(test)) suite_worker_fail(worker, "a test lacks its description, data or valid");
        if (!suite_worker_takes(worker, *item)) continue;
        suite_put_format(&name, "%s\t", run->files[file]);
        suite_put(&name, group->description->text, group->description->length);
        suite_put(&name, "\t", 1);
        suite_put(&name, json_get(test, "description")->text, json_get(test, "description")->length + 1);
        suite_worker_begin(worker, name.failed ? "" : name.bytes);
        judge_test(run, group, *item, test, &outcome);
        suite_put(&result, &outcome, sizeof outcome);
        suite_worker_end(worker, &result);
        free(name.bytes);
        free(result.bytes);
    }
}

static void work_file(run *run, suite_worker *worker, uint32_t file, uint64_t *item) {
    char path[2 * PATH_MAX_LENGTH], line[2 * PATH_MAX_LENGTH + 900], message[800];
    arena arena;
    const json *root = NULL;
    weir_error error = {.byte = -1};
    size_t length;
    snprintf(path, sizeof path, "%s/%s", run->arguments->directory, run->files[file]);
    char *source = read_file(program, path, &length);
    if (source == NULL) suite_worker_fail(worker, "a file cannot be read");
    arena_init(&arena, NULL, 0);
    if (suite_parse(source, length, &arena, &root, &error) != WEIR_OK) {
        describe_error(&error, message, sizeof message);
        snprintf(line, sizeof line, "%s: %s", path, message);
        suite_worker_fail(worker, line);
    }
    for (const json *child = root->kind == JSON_ARRAY ? root->child : NULL; child; child = child->next) {
        group group = {.source = source, .length = length, .options = run->arguments->grammar};
        group.description = json_get(child, "description");
        group.schema = json_get(child, "schema");
        group.tests = json_get(child, "tests");
        group.options.resolve = resolve;
        group.options.resolve_context = &run->remotes;
        bool good = group.description && group.description->kind == JSON_STRING && group.schema && group.tests;
        if (!good) suite_worker_fail(worker, "a group lacks its description, schema or tests");
        work_group(run, worker, file, &group, item);
        suite_machine_free(&group.machine);
        free(group.schema_text.bytes);
        free(group.text.bytes);
    }
    arena_free(&arena);
    free(source);
}

static void work(void *context, suite_worker *worker) {
    run *run = context;
    uint64_t item = 0;
    for (uint32_t file = 0; file < run->file_count; file++) work_file(run, worker, file, &item);
}

/* --- the files ------------------------------------------------------------------------------------------------------
 */

static int rank_of(const char *file) {
    return strncmp(file, "optional/format/", 16) == 0 ? 2 : strchr(file, '/') != NULL;
}

static int compare_files(const void *a, const void *b) {
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    int order = rank_of(left) - rank_of(right);
    return order ? order : strcmp(left, right);
}

/* Names all *.json of the folder; false after a message. The folder's name reaches the shell as a variable only. */
static bool list_files(run *run) {
    char line[2 * PATH_MAX_LENGTH];
    const char *directory = run->arguments->directory;
    size_t skip = strlen(directory) + 1;
    bool good = setenv("JSTS_DIRECTORY", directory, 1) == 0;
    fflush(stdout);
    FILE *list = good ? popen("find \"$JSTS_DIRECTORY/\" -name '*.json'", "r") : NULL;
    while (list && good && fgets(line, sizeof line, list)) {
        size_t length = strcspn(line, "\n");
        line[length] = '\0';
        good =
            run->file_count < FILES_MAX && length > skip && (run->files[run->file_count] = malloc(length - skip + 1));
        if (good) strcpy(run->files[run->file_count++], line + skip);
    }
    good = list && pclose(list) == 0 && good;
    if (!good || run->file_count == 0) return complain(program, "DIR", directory, "a folder with *.json files");
    qsort(run->files, run->file_count, sizeof *run->files, compare_files);
    return true;
}

/* --- all of them ----------------------------------------------------------------------------------------------------
 */

typedef struct totals {
    uint64_t files[FILES_MAX][SUITE_CLASSES];
    uint64_t other_order; /* of the required tests */
    suite_reasons reasons;
} totals;

static void put_line(suite_text *to, const char *name, char separator, const uint64_t counts[SUITE_CLASSES]) {
    uint64_t tests = 0;
    for (uint32_t i = 0; i < SUITE_MALFORMED; i++) tests += counts[i];
    suite_put(to, name, strlen(name));
    if (separator == '=')
        suite_put_format(to, "=%" PRIu64 " ", tests);
    else
        suite_put_format(to, " tests=%" PRIu64 " ", tests);
    suite_put_classes(to, counts);
    suite_put(to, "\n", 1);
}

static bool print_totals(const run *run, const totals *totals) {
    suite_text out = {0};
    uint64_t sums[3][SUITE_CLASSES] = {{0}};
    for (size_t i = 0; i < totals->reasons.count; i++) {
        suite_put_format(&out, "refused %" PRIu64 ": %s\n", totals->reasons.items[i].count,
                         totals->reasons.items[i].text);
    }
    for (uint32_t file = 0; file < run->file_count; file++) {
        put_line(&out, run->files[file], ' ', totals->files[file]);
        for (uint32_t i = 0; i < SUITE_CLASSES; i++) sums[rank_of(run->files[file])][i] += totals->files[file][i];
    }
    put_line(&out, "format_tests", '=', sums[2]);
    suite_put_format(&out, "other_order=%" PRIu64 "\n", totals->other_order);
    put_line(&out, "tests", '=', sums[0]);
    bool good = !out.failed && fwrite(out.bytes, 1, out.length, stdout) == out.length && fflush(stdout) == 0;
    free(out.bytes);
    return good;
}

/* False after a message. Which file a dead test belongs to, its name says. */
static bool take_item(const run *run, const suite_answer *answer, totals *totals) {
    outcome outcome = {.class = SUITE_CRASHED};
    if (answer->kind == SUITE_DEAD) {
        size_t length = strcspn(answer->name, "\t");
        while (outcome.file < run->file_count && (strlen(run->files[outcome.file]) != length ||
                                                  memcmp(run->files[outcome.file], answer->name, length) != 0)) {
            outcome.file++;
        }
        snprintf(outcome.message, sizeof outcome.message, "%s", answer->reason);
    } else if (answer->length == sizeof outcome) {
        memcpy(&outcome, answer->result, sizeof outcome);
    }
    if (outcome.file >= run->file_count || outcome.class >= SUITE_CLASSES) {
        fprintf(stderr, "%s: %s: the answer cannot be read\n", program, answer->name);
        return false;
    }
    totals->files[outcome.file][outcome.class]++;
    totals->other_order += outcome.other_order && rank_of(run->files[outcome.file]) == 0;
    if ((run->arguments->each && outcome.class != SUITE_PASSING) || outcome.class == SUITE_CRASHED) {
        printf("%s\t%s%s", answer->name, suite_class_names[outcome.class], outcome.message[0] ? ": " : "");
        for (const char *at = outcome.message; *at; at++) putchar((uint8_t)*at < 0x20 ? ' ' : *at);
        putchar('\n');
    }
    if (outcome.class != SUITE_REFUSED) return true;
    const char *colon = outcome.message[0] == '#' ? strstr(outcome.message, ": ") : NULL;
    return suite_reasons_add(&totals->reasons, colon ? colon + 2 : outcome.message);
}

static int run_all(run *run) {
    totals *totals = calloc(1, sizeof *totals);
    suite_pool *pool = totals ? suite_pool_create(program, 1, work, run) : NULL;
    bool good = pool != NULL;
    while (good) {
        suite_answer answer = suite_pool_next(pool);
        if (answer.kind == SUITE_OVER) break;
        good = answer.kind != SUITE_FAILED && take_item(run, &answer, totals);
        if (answer.kind == SUITE_FAILED) fprintf(stderr, "%s: %s\n", program, answer.reason);
    }
    suite_pool_destroy(pool);
    if (totals) suite_reasons_sort(&totals->reasons);
    good = good && print_totals(run, totals);
    if (totals) free(totals->reasons.items);
    free(totals);
    return good ? EXIT_DONE : EXIT_USAGE;
}

/* --- the program ----------------------------------------------------------------------------------------------------
 */

static bool read_arguments(int count, char **texts, arguments *out) {
    *out = (arguments){.grammar = WEIR_GRAMMAR_OPTIONS_INIT};
    for (int i = 1; i < count; i++) {
        const char *flag = texts[i], *value = i + 1 < count ? texts[i + 1] : "";
        if (strcmp(flag, "--each") == 0) {
            out->each = true;
            continue;
        }
        if (strncmp(flag, "--", 2) != 0 && out->directory == NULL) {
            out->directory = flag;
            continue;
        }
        bool good = i + 1 < count;
        if (strcmp(flag, "--vocab") == 0)
            out->vocab.file = value;
        else if (strcmp(flag, "--remotes") == 0)
            out->remotes = value;
        else
            good = good && strcmp(flag, "--order") == 0 && read_order(value, &out->grammar);
        if (!good)
            return complain(program, flag, value, "--vocab FILE, --remotes DIR, --order schema|any, --each or DIR");
        i++;
    }
    return out->directory != NULL || complain(program, "DIR", "", "the folder of a draft; --help explains");
}

/* What follows from the folder's name; its slashes at the end go. False after a message. */
static bool read_folder(arguments *arguments, char *directory, size_t capacity) {
    size_t length = strlen(arguments->directory), begin;
    while (length > 1 && arguments->directory[length - 1] == '/') length--;
    if (length >= capacity - 20) return complain(program, "DIR", arguments->directory, "a shorter path");
    snprintf(directory, capacity, "%.*s", (int)length, arguments->directory);
    for (begin = length; begin > 0 && directory[begin - 1] != '/';) begin--;
    arguments->directory = directory;
    arguments->draft = draft_uri(directory + begin, length - begin);
    if (arguments->draft == NULL)
        return complain(program, "DIR", directory, "a folder that has the name of a draft, as draft2020-12");
    snprintf(arguments->remotes_path, sizeof arguments->remotes_path, "%s/../../remotes", directory);
    if (arguments->remotes == NULL) arguments->remotes = arguments->remotes_path;
    return true;
}

int main(int count, char **texts) {
    static run run; /* the names of many files */
    arguments arguments;
    char directory[PATH_MAX_LENGTH];
    weir_vocab *vocab = NULL;
    if (count == 2 && strcmp(texts[1], "--help") == 0) return fputs(usage, stdout) < 0;
    if (!read_arguments(count, texts, &arguments) || !read_folder(&arguments, directory, sizeof directory))
        return EXIT_USAGE;
    run.arguments = &arguments;
    run.remotes.directory = arguments.remotes;
    if (!list_files(&run)) return EXIT_USAGE;
    int code = load_vocab(program, &arguments.vocab, &vocab);
    if (code == EXIT_DONE) {
        bool good = suite_tools_create(vocab, &run.tools);
        if (!good) fprintf(stderr, "%s: memory is short\n", program);
        code = good ? run_all(&run) : EXIT_USAGE;
        suite_tools_free(&run.tools);
    }
    for (uint32_t i = 0; i < run.file_count; i++) free(run.files[i]);
    return code;
}
