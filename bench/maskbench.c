/* maskbench.c - over a file of real schemas with instances: how many are judged right, and in what time?
 *
 * In: lines {"id", "schema", "tests": [{"valid", "data"}]}, plain or .xz. Out: with --each one line a schema; the times
 * of compiling, of filling a mask and of accepting a token, the reasons of refusals, and the number of schemas in each
 * class. A schema stands in the worst class that one of its instances puts it in. It passes when it compiles and every
 * instance is judged right; valid instances whose keys only stand in another order than --order schema asks for do not
 * keep it from that and are counted apart. The text of the schema goes to the library as it stands in the file, an
 * instance as Python's json.dumps(data, ensure_ascii=False) writes it, numbers as they stand. Times
 * are of every call, in both cuts of a text into tokens; those of a second trial in another order of keys do not count. */
#include "suite.h"

static const char program[] = "maskbench";

static const char usage[] =
    "usage: maskbench [options] FILE.jsonl[.xz]...\n"
    "\n"
    "  --vocab FILE         tiktoken, tokenizer.json, vocab.json, sentencepiece, GGUF, also .gz, or a meta file\n"
    "                       (default: the embedded vocabulary)\n"
    "  --order schema|any   order of the keys (schema)\n"
    "  --shuffle-keys SEED  permutes the keys of every object of the instances first\n"
    "  --jobs N             processes, 1 to 64 (1)\n"
    "  --json OUT           writes all numbers as one JSON object\n"
    "  --each               one line a schema: id, tab, verdict, for faults the first test and the byte\n"
    "\n"
    "times are in microseconds, percentiles to 0.4 %; exit: 0 it ran; 1 usage or file; 3 the vocabulary\n";

enum { INSTANCE_SEED = 20240901 };

typedef struct arguments {
    vocab_choice vocab;
    weir_grammar_options grammar;
    bool shuffle, each;
    uint64_t shuffle_seed, jobs;
    const char *json;
    char **files; /* at the end of argv's own array */
    int file_count;
} arguments;

typedef struct run {
    const arguments *arguments;
    suite_tools tools;
    suite_series series; /* of one schema */
} run;

/* --- one schema -----------------------------------------------------------------------------------------------------
 */

/* What a worker finds; the times follow it. */
typedef struct outcome {
    uint32_t class, test; /* test: the first one of this class */
    uint64_t byte;
    uint64_t tests, tests_by_class[SUITE_CLASSES],
        other_order; /* instances; those of refused schemas only in `tests` */
    char message[800];
} outcome;

static void note(outcome *out, suite_class class, uint32_t test, uint64_t byte, const char *message) {
    if ((uint32_t) class <= out->class) return;
    out->class = class;
    out->test = test;
    out->byte = byte;
    snprintf(out->message, sizeof out->message, "%s", message);
}

static void judge_tests(run *run, const char *line, size_t length, uint64_t item, const json *root,
                        suite_machine *machine, outcome *out) {
    const json *tests = json_get(root, "tests");
    bool ordered = run->arguments->grammar.order == WEIR_ORDER_SCHEMA;
    suite_text text = {0};
    uint32_t index = 0;
    for (const json *test = tests ? tests->child : NULL; test; test = test->next, index++) {
        const json *valid = json_get(test, "valid"), *data = json_get(test, "data");
        uint64_t shuffle = suite_seed(run->arguments->shuffle_seed, item, index);
        suite_finding finding;
        bool other_order;
        suite_worker_mark(index);
        text.length = 0;
        suite_put_value(&text, line, length, data, run->arguments->shuffle ? &shuffle : NULL);
        if (text.failed) note(out, SUITE_MALFORMED, index, 0, "memory is short");
        if (text.failed) break;
        suite_class class = suite_classify(&run->tools, machine, ordered, &text, valid->kind == JSON_TRUE,
                                           suite_seed(INSTANCE_SEED, item, index), &run->series, &other_order,
                                           &finding);
        out->tests_by_class[class]++;
        out->other_order += other_order;
        note(out, class, index, finding.byte, finding.message);
    }
    free(text.bytes);
}

/* NULL, or what is wrong with the line. */
static const char *check_line(const json *root) {
    const json *tests = json_get(root, "tests");
    if (root->kind != JSON_OBJECT) return "expected an object";
    if (json_get(root, "schema") == NULL) return "expected a member \"schema\"";
    if (tests && tests->kind != JSON_ARRAY) return "\"tests\" is not an array";
    for (const json *test = tests ? tests->child : NULL; test; test = test->next) {
        const json *valid = json_get(test, "valid");
        bool good = valid && (valid->kind == JSON_TRUE || valid->kind == JSON_FALSE) && json_get(test, "data");
        if (!good) return "expected {\"valid\": true or false, \"data\": any} as every test";
    }
    return NULL;
}

static void judge_line(run *run, suite_worker *worker, const char *line, size_t length, uint64_t item, outcome *out) {
    arena arena;
    const json *root = NULL;
    weir_error error = {.byte = -1};
    arena_init(&arena, NULL, 0);
    const char *wrong = NULL;
    if (suite_parse(line, length, &arena, &root, &error) != WEIR_OK) {
        describe_error(&error, out->message, sizeof out->message);
        out->class = SUITE_MALFORMED;
    } else if ((wrong = check_line(root)) != NULL) {
        note(out, SUITE_MALFORMED, 0, 0, wrong);
    } else {
        const json *id = json_get(root, "id"), *schema = json_get(root, "schema"), *tests = json_get(root, "tests");
        suite_machine machine;
        if (id && id->kind == JSON_STRING) suite_worker_rename(worker, id->text, id->length);
        size_t schema_length = json_text_end(line, length, schema->byte) - schema->byte;
        suite_machine_create(&run->tools, line + schema->byte, schema_length, &run->arguments->grammar, &run->series,
                             &machine);
        out->tests = tests ? tests->count : 0;
        note(out, machine.state, UINT32_MAX, 0, machine.message);
        if (machine.state == SUITE_PASSING) judge_tests(run, line, length, item, root, &machine, out);
        suite_machine_free(&machine);
    }
    arena_free(&arena);
}

/* --- a worker -------------------------------------------------------------------------------------------------------
 */

static bool is_blank(const char *line, size_t length) {
    while (length > 0 && strchr(" \t\r", line[length - 1])) length--;
    return length == 0;
}

static void work_on(run *run, suite_worker *worker, const char *line, size_t length, uint64_t item, const char *place) {
    suite_text result = {0};
    outcome outcome = {.test = UINT32_MAX};
    memset(&run->series, 0, sizeof run->series);
    suite_worker_begin(worker, place);
    judge_line(run, worker, line, length, item, &outcome);
    suite_put(&result, &outcome, sizeof outcome);
    suite_times_pack(&run->series.compile, &result);
    suite_times_pack(&run->series.refuse, &result);
    suite_times_pack(&run->series.mask, &result);
    suite_times_pack(&run->series.accept, &result);
    suite_worker_end(worker, &result);
    free(result.bytes);
}

static void work(void *context, suite_worker *worker) {
    run *run = context;
    uint64_t item = 0;
    char place[1100];
    for (int i = 0; i < run->arguments->file_count; i++) {
        const char *path = run->arguments->files[i], *line;
        suite_lines *lines = suite_lines_open(path);
        size_t length;
        if (lines == NULL) {
            snprintf(place, sizeof place, "%s: %s", path, strerror(errno));
            suite_worker_fail(worker, place);
        }
        for (uint64_t number = 1; (line = suite_lines_next(lines, &length)); number++) {
            if (is_blank(line, length)) continue;
            snprintf(place, sizeof place, "%s:%" PRIu64, path, number);
            if (suite_worker_takes(worker, item)) work_on(run, worker, line, length, item, place);
            item++;
        }
        if (suite_lines_error(lines)) {
            snprintf(place, sizeof place, "%s: %s", path, suite_lines_error(lines));
            suite_worker_fail(worker, place);
        }
        suite_lines_close(lines);
    }
}

/* --- all of them ----------------------------------------------------------------------------------------------------
 */

typedef struct totals {
    uint64_t schemas, classes[SUITE_CLASSES], other_order;
    uint64_t tests, tests_by_class[SUITE_CLASSES], other_order_tests;
    suite_series series;
    suite_reasons reasons;
} totals;

/* One line of --each; crashes are told in any case, and malformed lines on stderr. */
static void tell(const arguments *arguments, const char *name, const outcome *outcome) {
    FILE *to = outcome->class == SUITE_MALFORMED ? stderr : stdout;
    if (!arguments->each && outcome->class < SUITE_CRASHED) return;
    if (to == stderr) fprintf(to, "%s: ", program);
    for (; *name; name++) fputc((uint8_t)*name < 0x20 ? ' ' : *name, to);
    fprintf(to, "\t%s", suite_class_names[outcome->class]);
    if (outcome->class > SUITE_REFUSED && outcome->test != UINT32_MAX) fprintf(to, " test=%" PRIu32, outcome->test);
    if (outcome->class == SUITE_VALID_REJECTED) fprintf(to, " byte=%" PRIu64, outcome->byte);
    if (outcome->message[0]) fputs(": ", to);
    for (const char *at = outcome->message; *at; at++) fputc((uint8_t)*at < 0x20 ? ' ' : *at, to);
    fputc('\n', to);
}

static bool add(totals *totals, const outcome *outcome) {
    if (outcome->class == SUITE_MALFORMED) return true;
    totals->schemas++;
    totals->classes[outcome->class]++;
    totals->other_order += outcome->other_order > 0;
    totals->tests += outcome->tests;
    totals->other_order_tests += outcome->other_order;
    for (uint32_t i = 0; i < SUITE_CLASSES; i++) totals->tests_by_class[i] += outcome->tests_by_class[i];
    if (outcome->class != SUITE_REFUSED) return true;
    const char *reason = outcome->message; /* behind the pointer that describe_error wrote */
    const char *colon = reason[0] == '#' ? strstr(reason, ": ") : NULL;
    return suite_reasons_add(&totals->reasons, colon ? colon + 2 : reason);
}

/* False after a message. */
static bool take_item(const arguments *arguments, const suite_answer *answer, totals *totals) {
    outcome outcome = {.class = SUITE_CRASHED, .test = answer->mark};
    size_t at = sizeof outcome;
    bool good = true;
    if (answer->kind == SUITE_DEAD) {
        snprintf(outcome.message, sizeof outcome.message, "%s", answer->reason);
    } else if ((good = answer->length >= sizeof outcome)) {
        memcpy(&outcome, answer->result, sizeof outcome);
        good = suite_times_unpack(&totals->series.compile, answer->result, answer->length, &at) &&
               suite_times_unpack(&totals->series.refuse, answer->result, answer->length, &at) &&
               suite_times_unpack(&totals->series.mask, answer->result, answer->length, &at) &&
               suite_times_unpack(&totals->series.accept, answer->result, answer->length, &at);
    }
    good = good && outcome.class < SUITE_CLASSES && add(totals, &outcome);
    if (good)
        tell(arguments, answer->name, &outcome);
    else
        fprintf(stderr, "%s: %s: the answer cannot be read\n", program, answer->name);
    totals->tests_by_class[SUITE_MALFORMED] += good && outcome.class == SUITE_MALFORMED;
    return good;
}

static bool write_json(FILE *file, const arguments *arguments, const totals *totals) {
    const suite_series *series = &totals->series;
    const suite_times *all[] = {&series->compile, &series->refuse, &series->mask, &series->accept};
    static const char *const names[] = {"compile_us", "refuse_us", "mask_us", "accept_us"};
    static const char *const order_names[] = {"schema", "any"};
    suite_text out = {0};
    suite_put_format(&out, "{\"weir\": \"%s\", \"order\": \"%s\", \"shuffle_keys\": ", weir_version(),
                     order_names[arguments->grammar.order]);
    if (arguments->shuffle)
        suite_put_format(&out, "%" PRIu64, arguments->shuffle_seed);
    else
        suite_put_format(&out, "null");
    suite_put_format(&out, ", \"schemas\": %" PRIu64, totals->schemas);
    for (uint32_t i = 0; i < SUITE_MALFORMED; i++) {
        suite_put_format(&out, ", \"%s\": %" PRIu64, i == SUITE_CRASHED ? "crashes" : suite_class_names[i],
                         totals->classes[i]);
    }
    suite_put_format(&out, ", \"other_order\": %" PRIu64 ", \"instances\": {\"tests\": %" PRIu64, totals->other_order,
                     totals->tests);
    for (uint32_t i = 0; i < SUITE_MALFORMED; i++) {
        if (i == SUITE_REFUSED) continue; /* instances of refused schemas are not judged */
        suite_put_format(&out, ", \"%s\": %" PRIu64, i == SUITE_CRASHED ? "crashes" : suite_class_names[i],
                         totals->tests_by_class[i]);
    }
    suite_put_format(&out, ", \"other_order\": %" PRIu64 "}", totals->other_order_tests);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        suite_put_format(&out, ", \"%s\": ", names[i]);
        suite_times_put(all[i], true, &out);
    }
    suite_put_format(&out, ", \"refusals\": [");
    for (size_t i = 0; i < totals->reasons.count; i++) {
        suite_put_format(&out, "%s{\"count\": %" PRIu64 ", \"reason\": ", i > 0 ? ", " : "",
                         totals->reasons.items[i].count);
        suite_put_quoted(&out, totals->reasons.items[i].text);
        suite_put(&out, "}", 1);
    }
    suite_put_format(&out, "]}\n");
    bool good = !out.failed && fwrite(out.bytes, 1, out.length, file) == out.length && fflush(file) == 0;
    free(out.bytes);
    return good;
}

static bool print_totals(const totals *totals) {
    const suite_series *series = &totals->series;
    const suite_times *all[] = {&series->compile, &series->refuse, &series->mask, &series->accept};
    static const char *const names[] = {"compile_us", "refuse_us", "mask_us", "accept_us"};
    suite_text out = {0};
    for (size_t i = 0; i < totals->reasons.count; i++) {
        suite_put_format(&out, "refused %" PRIu64 ": %s\n", totals->reasons.items[i].count,
                         totals->reasons.items[i].text);
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        suite_put_format(&out, "%s: ", names[i]);
        suite_times_put(all[i], false, &out);
        suite_put(&out, "\n", 1);
    }
    suite_put_format(&out, "instances=%" PRIu64 " judged_right=%" PRIu64 "\n", totals->tests,
                     totals->tests_by_class[SUITE_PASSING]);
    suite_put_format(&out, "other_order=%" PRIu64 "\n", totals->other_order);
    suite_put_format(&out, "schemas=%" PRIu64 " ", totals->schemas);
    suite_put_classes(&out, totals->classes);
    bool good = !out.failed && fwrite(out.bytes, 1, out.length, stdout) == out.length;
    good = putchar('\n') != EOF && fflush(stdout) == 0 && good;
    free(out.bytes);
    return good;
}

static int run_all(run *run, FILE *json_file) {
    totals *totals = calloc(1, sizeof *totals);
    suite_pool *pool = totals ? suite_pool_create(program, (uint32_t)run->arguments->jobs, work, run) : NULL;
    bool good = pool != NULL;
    while (good) {
        suite_answer answer = suite_pool_next(pool);
        if (answer.kind == SUITE_OVER) break;
        good = answer.kind != SUITE_FAILED && take_item(run->arguments, &answer, totals);
        if (answer.kind == SUITE_FAILED) fprintf(stderr, "%s: %s\n", program, answer.reason);
    }
    suite_pool_destroy(pool);
    if (good) {
        suite_reasons_sort(&totals->reasons);
        if (json_file && !write_json(json_file, run->arguments, totals)) {
            good = complain(program, "--json", run->arguments->json, "a file that can be written");
        }
        good = print_totals(totals) && good && totals->tests_by_class[SUITE_MALFORMED] == 0;
    }
    if (totals) free(totals->reasons.items);
    free(totals);
    return good ? EXIT_DONE : EXIT_USAGE;
}

/* --- the program ----------------------------------------------------------------------------------------------------
 */

/* NULL, or what the flag expects. */
static const char *read_flag(const char *flag, const char *value, arguments *out) {
    if (strcmp(flag, "--vocab") == 0) {
        out->vocab.file = value;
    } else if (strcmp(flag, "--order") == 0) {
        return read_order(value, &out->grammar) ? NULL : "schema or any";
    } else if (strcmp(flag, "--shuffle-keys") == 0) {
        out->shuffle = true;
        return read_unsigned(value, 0, UINT64_MAX, &out->shuffle_seed) ? NULL : "a number";
    } else if (strcmp(flag, "--jobs") == 0) {
        return read_unsigned(value, 1, SUITE_JOBS_MAX, &out->jobs) ? NULL : "1 to 64";
    } else if (strcmp(flag, "--json") == 0) {
        out->json = value;
    } else {
        return "a flag that --help lists";
    }
    return NULL;
}

static bool read_arguments(int count, char **texts, arguments *out) {
    *out = (arguments){.grammar = WEIR_GRAMMAR_OPTIONS_INIT, .jobs = 1, .files = texts};
    for (int i = 1; i < count; i++) {
        if (strcmp(texts[i], "--each") == 0) {
            out->each = true;
        } else if (strncmp(texts[i], "--", 2) == 0) {
            const char *value = i + 1 < count ? texts[i + 1] : NULL;
            const char *expected = value ? read_flag(texts[i], value, out) : "a flag of --help and its value";
            if (expected) return complain(program, texts[i], value ? value : "", expected);
            i++;
        } else {
            out->files[out->file_count++] = texts[i];
        }
    }
    return out->file_count > 0 || complain(program, "FILE", "", "one file or more; --help explains");
}

int main(int count, char **texts) {
    arguments arguments;
    weir_vocab *vocab = NULL;
    if (count == 2 && strcmp(texts[1], "--help") == 0) return fputs(usage, stdout) < 0;
    if (!read_arguments(count, texts, &arguments)) return EXIT_USAGE;
    FILE *json_file = arguments.json ? fopen(arguments.json, "wb") : NULL;
    if (arguments.json && json_file == NULL) {
        complain(program, arguments.json, strerror(errno), "a file that can be written");
        return EXIT_USAGE;
    }
    int code = load_vocab(program, &arguments.vocab, &vocab);
    if (code == EXIT_DONE) {
        static run run; /* its times are large */
        run.arguments = &arguments;
        bool good = suite_tools_create(vocab, &run.tools);
        if (!good) fprintf(stderr, "%s: memory is short\n", program);
        code = good ? run_all(&run, json_file) : EXIT_USAGE;
        suite_tools_free(&run.tools);
    }
    if (json_file) fclose(json_file);
    return code;
}
