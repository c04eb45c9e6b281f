/* common.c - cases from the data folder, clocks, percentiles, JSON lines. */
#define _POSIX_C_SOURCE 200809L

#include "common.h"

#include <lzma.h>
#include <time.h>
#include <unistd.h>

/* --- flags ------------------------------------------------------------------------------------------------------ */

bool bench_read_options(const char *program, int count, char **texts, bench_options *out)
{
    uint64_t number;
    const char *data = getenv("WEIR_DATA");
    *out = (bench_options){.schemas = 500, .repeat = 1};
    for (int i = 1; i < count; i += 2) {
        const char *flag = texts[i], *value = i + 1 < count ? texts[i + 1] : "";
        bool good = i + 1 < count;
        if (strcmp(flag, "--data") == 0) {
            data = value;
        } else if (strcmp(flag, "--vocab") == 0) {
            out->vocab.file = value;
        } else if (strcmp(flag, "--schemas") == 0) {
            good = good && read_unsigned(value, 0, UINT32_MAX, &number);
            if (good) out->schemas = (uint32_t)number;
        } else if (strcmp(flag, "--repeat") == 0) {
            good = good && read_unsigned(value, 1, 1000, &number);
            if (good) out->repeat = (uint32_t)number;
        } else {
            good = false;
        }
        if (!good) return complain(program, flag, value, "--data DIR, --vocab FILE, --schemas N or --repeat N");
    }
    if (data == NULL || strlen(data) >= sizeof out->data) {
        fprintf(stderr, "%s: --data DIR or WEIR_DATA must name the data folder\n", program);
        return false;
    }
    snprintf(out->data, sizeof out->data, "%s", data);
    snprintf(out->vocab_path, sizeof out->vocab_path, "%s/tokenizers/llama3.tiktoken.gz", data);
    if (out->vocab.file == NULL) out->vocab.file = out->vocab_path;
    return true;
}

/* --- texts ------------------------------------------------------------------------------------------------------ */

typedef struct buffer {
    char *bytes;
    size_t length, capacity;
    bool failed;
} buffer;

static char *reserve(buffer *to, size_t length)
{
    if (to->failed) return NULL;
    if (to->length + length > to->capacity) {
        size_t capacity = 2 * to->capacity + length + 1024;
        char *larger = realloc(to->bytes, capacity);
        if ((to->failed = larger == NULL)) return NULL;
        to->bytes = larger;
        to->capacity = capacity;
    }
    return to->bytes + to->length;
}

static void put(buffer *to, const char *bytes, size_t length)
{
    char *at = reserve(to, length);
    if (at == NULL) return;
    memcpy(at, bytes, length);
    to->length += length;
}

static void put_quoted(buffer *to, const char *text, size_t length)
{
    size_t needed = 6 * length + 2;
    char *at = reserve(to, needed);
    if (at != NULL) to->length += json_quote(text, length, at, needed);
}

/* As json.dumps(value, ensure_ascii=False), numbers as they stand in the source. */
static void put_value(buffer *to, const json *value)
{
    static const char *const words[] = {[JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
    switch (value->kind) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: put(to, words[value->kind], strlen(words[value->kind])); return;
    case JSON_NUMBER: put(to, value->text, value->length); return;
    case JSON_STRING: put_quoted(to, value->text, value->length); return;
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    put(to, value->kind == JSON_ARRAY ? "[" : "{", 1);
    for (const json *child = value->child; child; child = child->next) {
        if (child != value->child) put(to, ", ", 2);
        if (child->key) put_quoted(to, child->key, child->key_length);
        if (child->key) put(to, ": ", 2);
        put_value(to, child);
    }
    put(to, value->kind == JSON_ARRAY ? "]" : "}", 1);
}

/* --- lines of a file, .xz or plain --------------------------------------------------------------------------------- */

typedef struct lines {
    FILE *file;
    lzma_stream stream;
    bool packed, over, failed;
    uint8_t in[1 << 16];
    buffer text;  /* unpacked, from `next` on */
    size_t next;
} lines;

static bool lines_open(lines *lines, const char *path)
{
    size_t length = strlen(path);
    memset(lines, 0, sizeof *lines);
    lines->stream = (lzma_stream)LZMA_STREAM_INIT;
    lines->packed = length > 3 && strcmp(path + length - 3, ".xz") == 0;
    lines->file = fopen(path, "rb");
    if (lines->file == NULL) return false;
    return !lines->packed || lzma_stream_decoder(&lines->stream, UINT64_MAX, LZMA_CONCATENATED) == LZMA_OK;
}

static void lines_close(lines *lines)
{
    if (lines->packed) lzma_end(&lines->stream);
    if (lines->file) fclose(lines->file);
    free(lines->text.bytes);
}

/* More unpacked text behind what there is. */
static void lines_fill(lines *lines)
{
    size_t got = 0;
    memmove(lines->text.bytes, lines->text.bytes + lines->next, lines->text.length - lines->next);
    lines->text.length -= lines->next;
    lines->next = 0;
    char *at = reserve(&lines->text, 1 << 16);
    if (at == NULL) {
        lines->failed = true;
    } else if (!lines->packed) {
        got = fread(at, 1, 1 << 16, lines->file);
        lines->text.length += got;
        lines->over = got == 0;
    } else {
        if (lines->stream.avail_in == 0) {
            lines->stream.next_in = lines->in;
            lines->stream.avail_in = fread(lines->in, 1, sizeof lines->in, lines->file);
        }
        lines->stream.next_out = (uint8_t *)at;
        lines->stream.avail_out = 1 << 16;
        lzma_ret result = lzma_code(&lines->stream, lines->stream.avail_in ? LZMA_RUN : LZMA_FINISH);
        lines->text.length += (1 << 16) - lines->stream.avail_out;
        lines->over = result == LZMA_STREAM_END;
        lines->failed = result != LZMA_OK && result != LZMA_STREAM_END;
    }
}

/* The next line without its end, or NULL; it stays until the next call. */
static const char *lines_next(lines *lines, size_t *length)
{
    size_t searched = 0;
    for (;;) {
        char *begin = lines->text.length > lines->next ? lines->text.bytes + lines->next : NULL;
        size_t left = lines->text.length - lines->next;
        char *end = begin ? memchr(begin + searched, '\n', left - searched) : NULL;
        if (end != NULL || ((lines->over || lines->failed) && left > 0)) {
            *length = end ? (size_t)(end - begin) : left;
            lines->next += *length + (end != NULL);
            return begin;
        }
        if (lines->over || lines->failed) return NULL;
        searched = left;
        if (lines->text.bytes == NULL && reserve(&lines->text, 1) == NULL) return NULL;
        lines_fill(lines);
    }
}

/* --- cases ------------------------------------------------------------------------------------------------------ */

enum { TEXTS_MAX = 4096 };

typedef struct case_texts {
    buffer bytes;
    size_t starts[TEXTS_MAX], lengths[TEXTS_MAX];
    const char *texts[TEXTS_MAX];
    uint32_t count;
} case_texts;

static void add_case_text(case_texts *texts, const json *value, bool ready)
{
    if (texts->count == TEXTS_MAX) return;
    size_t start = texts->bytes.length;
    if (ready) put(&texts->bytes, value->text, value->length);
    else put_value(&texts->bytes, value);
    texts->starts[texts->count] = start;
    texts->lengths[texts->count++] = texts->bytes.length - start;
}

static bench_answer use_case(const char *source, size_t length, const json *root, weir_objects objects,
                             case_texts *texts, bench_use *use, void *context)
{
    const json *id = json_get(root, "id"), *schema = json_get(root, "schema");
    if (id == NULL || schema == NULL || texts->bytes.failed) return BENCH_SKIPPED;
    for (uint32_t i = 0; i < texts->count; i++) texts->texts[i] = texts->bytes.bytes + texts->starts[i];
    bench_case one = {.id = id->text, .schema = source + schema->byte, .objects = objects,
                      .texts = texts->texts, .lengths = texts->lengths, .text_count = texts->count};
    one.schema_length = json_text_end(source, length, schema->byte) - schema->byte;
    return use(context, &one);
}

/* The seed fixtures: objects closed, as their policy says; texts that flexible white space accepts. */
static bool each_seed(const char *program, const bench_options *options, case_texts *texts, bench_use *use, void *context)
{
    char path[1200];
    size_t length;
    arena arena;
    weir_error error = {.byte = -1};
    const json *root = NULL;
    snprintf(path, sizeof path, "%s/fixtures/seed_fixtures.json", options->data);
    char *source = read_file(program, path, &length);
    if (source == NULL) return false;
    arena_init(&arena, NULL, 0);
    bool good = json_parse(source, length, NULL, &arena, &root, &error) == WEIR_OK;
    if (!good) report_failure(program, path, &error);
    for (const json *one = good ? root->child : NULL; one && good; one = one->next) {
        const json *accept = json_get(one, "accept");
        texts->count = 0;
        texts->bytes.length = 0;
        for (const json *entry = accept ? accept->child : NULL; entry; entry = entry->next) {
            const json *text = json_get(entry, "text"), *flexible = json_get(entry, "flex");
            if (text && flexible && json_string_is(flexible, "accept")) add_case_text(texts, text, true);
        }
        good = use_case(source, length, one, WEIR_OBJECTS_CLOSED, texts, use, context) != BENCH_FAILED;
    }
    arena_free(&arena);
    free(source);
    return good;
}

static bool each_dev(const char *program, const bench_options *options, case_texts *texts, bench_use *use, void *context)
{
    char path[1200];
    static lines lines;
    size_t length;
    const char *line = NULL;
    bool good = true;
    snprintf(path, sizeof path, "%s/maskbench/dev.jsonl.xz", options->data);
    if (!lines_open(&lines, path)) {
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
        return false;
    }
    for (uint32_t counted = 0; counted < options->schemas && good && (line = lines_next(&lines, &length));) {
        arena arena;
        const json *root = NULL;
        arena_init(&arena, NULL, 0);
        if (json_parse(line, length, NULL, &arena, &root, NULL) == WEIR_OK) {
            const json *tests = json_get(root, "tests");
            texts->count = 0;
            texts->bytes.length = 0;
            for (const json *test = tests ? tests->child : NULL; test; test = test->next) {
                const json *valid = json_get(test, "valid"), *data = json_get(test, "data");
                if (valid && data && valid->kind == JSON_TRUE) add_case_text(texts, data, false);
            }
            bench_answer answer = use_case(line, length, root, WEIR_OBJECTS_STANDARD, texts, use, context);
            counted += answer == BENCH_COUNTED;
            good = answer != BENCH_FAILED;
        }
        arena_free(&arena);
    }
    if (lines.failed) {
        fprintf(stderr, "%s: %s: not a whole .xz file\n", program, path);
        good = false;
    }
    lines_close(&lines);
    return good;
}

bool bench_each_case(const char *program, const bench_options *options, bench_use *use, void *context)
{
    case_texts *texts = calloc(1, sizeof *texts);
    bool good = texts && each_seed(program, options, texts, use, context) &&
                each_dev(program, options, texts, use, context);
    if (texts) free(texts->bytes.bytes);
    free(texts);
    return good;
}

/* --- clocks and numbers ------------------------------------------------------------------------------------------ */

double bench_now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

bool bench_add(bench_series *series, double value)
{
    if (series->count == series->capacity) {
        size_t capacity = 2 * series->capacity + 1024;
        double *larger = realloc(series->values, capacity * sizeof *larger);
        if (larger == NULL) return false;
        series->values = larger;
        series->capacity = capacity;
    }
    series->values[series->count++] = value;
    return true;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double bench_percentile(bench_series *series, double share)
{
    if (series->count == 0) return 0;
    bool sorted = true;
    for (size_t i = 1; i < series->count && sorted; i++) sorted = series->values[i - 1] <= series->values[i];
    if (!sorted) qsort(series->values, series->count, sizeof *series->values, compare_doubles);
    double rank = share * (double)series->count;
    size_t index = (size_t)rank;
    if (index > 0 && rank == (double)index) index--;
    return series->values[index < series->count ? index : series->count - 1];
}

void bench_free(bench_series *series)
{
    free(series->values);
    *series = (bench_series){0};
}

void bench_print_summary(const char *name, bench_series *series, const char *extra)
{
    printf("{\"summary\": \"%s\", \"n\": %zu, \"p50\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f, \"max\": %.3f%s}\n", name,
           series->count, bench_percentile(series, 0.5), bench_percentile(series, 0.99),
           bench_percentile(series, 0.999), bench_percentile(series, 1), extra);
}

double bench_memcpy_gb_s(size_t bytes)
{
    uint8_t *from = malloc(bytes), *to = malloc(bytes);
    double best = 0;
    size_t rounds = ((size_t)64 << 20) / bytes + 1;
    if (from && to) {
        memset(from, 1, bytes);
        memset(to, 2, bytes);
        for (int trial = 0; trial < 5; trial++) {
            double begin = bench_now_us();
            for (size_t round = 0; round < rounds; round++) {
                memcpy(to, from, bytes);
                __asm__ volatile("" ::"r"(to), "r"(from) : "memory"); /* every copy happens */
            }
            double speed = (double)bytes * (double)rounds / (bench_now_us() - begin) * 1e-3;
            if (speed > best) best = speed;
        }
    }
    free(from);
    free(to);
    return best;
}

void bench_print_quoted(const char *text)
{
    buffer quoted = {0};
    put_quoted(&quoted, text, strlen(text));
    if (!quoted.failed) fwrite(quoted.bytes, 1, quoted.length, stdout);
    free(quoted.bytes);
}

void bench_print_machine(void)
{
    char line[256], name[200] = "unknown";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (colon == NULL || strncmp(line, "model name", 10) != 0) continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (file) fclose(file);
    printf("{\"machine\": ");
    bench_print_quoted(name);
    printf(", \"cores\": %ld, \"compiler\": ", sysconf(_SC_NPROCESSORS_ONLN));
    bench_print_quoted(__VERSION__);
    printf(", \"weir\": \"%s\", \"memcpy_16k_gb_s\": %.1f, \"memcpy_64m_gb_s\": %.1f}\n", weir_version(),
           bench_memcpy_gb_s(16 << 10), bench_memcpy_gb_s((size_t)64 << 20));
}
