/* small_world_lines.c - lines of the small world in, bounds of a walk and result lines out. */
#define _POSIX_C_SOURCE 200809L /* getline */
#include "small_world_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_MAX = 64 };

/* --- output --------------------------------------------------------------------------------------------------- */

void buffer_put(buffer *out, const char *bytes, size_t length) {
    if (out->length + length > out->capacity) {
        out->capacity = 2 * out->capacity + length + 4096;
        out->bytes = realloc(out->bytes, out->capacity);
        if (out->bytes == NULL) exit(1);
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

void buffer_put_text(buffer *out, const uint8_t *bytes, size_t length) {
    char escape[8];
    buffer_put(out, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = bytes[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
            buffer_put(out, (const char *)&bytes[i], 1);
        } else {
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            buffer_put(out, escape, 6);
        }
    }
    buffer_put(out, "\"", 1);
}

void buffer_add_text(buffer *out, const uint8_t *bytes, size_t length) {
    if (out->count++ != 0) buffer_put(out, ",", 1);
    buffer_put_text(out, bytes, length);
}

void buffer_add_fault(buffer *out, const char *kind, const uint8_t *bytes, size_t length) {
    if (out->count++ != 0) buffer_put(out, ",", 1);
    buffer_put(out, "{\"kind\":", 8);
    buffer_put_text(out, (const uint8_t *)kind, strlen(kind));
    buffer_put(out, ",\"text\":", 8);
    buffer_put_text(out, bytes, length);
    buffer_put(out, "}", 1);
}

void print_head(uint64_t id, const char *status, const char *message) {
    buffer quoted = {0};
    buffer_put_text(&quoted, (const uint8_t *)message, strlen(message));
    printf("{\"id\":%llu,\"status\":\"%s\",\"message\":%.*s", (unsigned long long)id, status, (int)quoted.length,
           quoted.bytes);
    free(quoted.bytes);
}

void print_list(const char *name, buffer *list) {
    printf(",\"%s\":[", name);
    if (list->length != 0) fwrite(list->bytes, 1, list->length, stdout);
    printf("]");
    free(list->bytes);
    *list = (buffer){0};
}

/* --- the walk's bounds ------------------------------------------------------------------------------------------ */

static place after(const line *line, place p, const lexeme *x) {
    uint8_t c = x->bytes[0];
    bool in_object = p.depth != 0 && (p.open >> (p.depth - 1) & 1);
    place q = p;
    q.used++;
    q.at_key = in_object && c == '"' && (p.last == '{' || p.last == ',');
    q.last = c;
    if (!line->nest || x->length > 2) return q; /* structure is one byte, or two with a space */
    if ((c == '{' || c == '[') && q.depth < STACK_MAX) {
        q.open = (q.open & ~((uint64_t)1 << q.depth)) | (uint64_t)(c == '{') << q.depth;
        q.depth++;
    }
    if ((c == '}' || c == ']') && q.depth != 0) q.depth--;
    return q;
}

/* Lexemes that every JSON text still needs from here. */
static uint32_t needed(const line *line, place p) {
    if (!line->nest) return 0;
    bool in_object = p.depth != 0 && (p.open >> (p.depth - 1) & 1);
    uint32_t more = p.last == ':' ? 1 : p.last == ',' ? (in_object ? 3 : 1) : p.at_key ? 2 : 0;
    return p.depth + more;
}

uint32_t line_ways(const line *line, way at, way out[2], bool *cut) {
    *cut = false;
    out[0] = at;
    if (at.known == 0 || line->lexemes[at.low].length != at.known) return 1;
    const lexeme *ended = &line->lexemes[at.low]; /* sorted: the complete lexeme is the first of its range */
    place p = after(line, at.place, ended);
    out[0].low++;
    *cut = p.used >= line->max || p.used + needed(line, p) > line->max || (ended->key && !p.at_key);
    if (*cut) return 1;
    out[1] = (way){0, line->lexeme_count, 0, p};
    return 2;
}

static bool in_number(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || byte == '-';
}

bool line_may_follow(const line *line, const way *way, bool new_lexeme, uint8_t byte) {
    return !(line->nest && new_lexeme && in_number(byte) && in_number(way->place.last));
}

/* --- input ------------------------------------------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b) {
    const lexeme *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->length < y->length ? x->length : y->length);
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

static bool read_lexemes(line *out, const json *list, const json *keys) {
    out->lexeme_count = list->count;
    out->lexemes = calloc(list->count, sizeof *out->lexemes);
    if (out->lexemes == NULL) exit(1);
    lexeme *x = out->lexemes;
    for (const json *i = list->child; i != NULL; i = i->next, x++) {
        for (uint32_t k = 0; k < i->length; k++) { /* code points below 256: one or two bytes of UTF-8 */
            uint8_t byte = (uint8_t)i->text[k];
            if (byte >= 0x80) byte = (uint8_t)(byte << 6 | ((uint8_t)i->text[++k] & 0x3f));
            if (x->length >= sizeof x->bytes) return false;
            x->bytes[x->length++] = byte;
        }
        if (x->length == 0) return false;
        for (const json *k = keys == NULL ? NULL : keys->child; k != NULL; k = k->next)
            x->key = x->key || (k->length == i->length && memcmp(k->text, i->text, k->length) == 0);
    }
    qsort(out->lexemes, out->lexeme_count, sizeof *out->lexemes, by_bytes);
    return true;
}

static uint64_t number(const json *object, const char *key, uint64_t otherwise) {
    const json *value = json_get(object, key);
    uint64_t out;
    return value != NULL && json_uint(value, &out) ? out : otherwise;
}

static bool is(const json *object, const char *key, const char *text) {
    const json *value = json_get(object, key);
    return value != NULL && json_string_is(value, text);
}

static void read_options(const json *options, weir_grammar_options *out) {
    static const char *const names[] = {"any", "compact", "spaced", "pretty"};
    for (uint32_t i = 0; i < 4; i++)
        if (is(options, "whitespace", names[i])) out->whitespace = (weir_whitespace)i;
    if (is(options, "objects", "closed")) out->objects = WEIR_OBJECTS_CLOSED;
    if (is(options, "order", "any")) out->order = WEIR_ORDER_ANY;
    out->indent = (uint32_t)number(options, "indent", out->indent);
    out->whitespace_run = (uint32_t)number(options, "whitespace_run", out->whitespace_run);
    out->depth_limit = (uint32_t)number(options, "depth", out->depth_limit);
}

bool line_read_schema(const json *text, line *out) {
    const json *schema = json_get(text, "schema_text"), *options = json_get(text, "options");
    *out = (line){.options = WEIR_GRAMMAR_OPTIONS_INIT};
    out->id = number(text, "id", 0);
    if (schema == NULL || options == NULL) return false;
    out->schema = schema->text;
    out->schema_length = schema->length;
    out->budget = (uint32_t)number(options, "budget", 0);
    read_options(options, &out->options);
    return true;
}

bool line_read(const json *text, line *out) {
    const json *lexemes = json_get(text, "lexemes"), *nest = json_get(text, "nest");
    if (!line_read_schema(text, out) || lexemes == NULL) return false;
    out->max = (uint32_t)number(text, "max", 0);
    out->sample = (uint32_t)number(text, "sample", 1);
    out->nest = nest != NULL && nest->kind == JSON_TRUE;
    return read_lexemes(out, lexemes, json_get(text, "keys"));
}

int each_line(const char *path, void (*run)(void *context, const json *line), void *context) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t capacity = 0;
    ssize_t length;
    int bad = 0;
    if (file == NULL) {
        fprintf(stderr, "cannot open %s\n", path);
        return 1;
    }
    while (!bad && (length = getline(&text, &capacity, file)) > 0) {
        arena arena;
        const json *line = NULL;
        weir_error error = {0};
        arena_init(&arena, NULL, 0);
        bad = json_parse(text, (size_t)length, NULL, &arena, &line, &error) != WEIR_OK;
        if (bad)
            fprintf(stderr, "line: %s\n", error.message);
        else
            run(context, line);
        arena_free(&arena);
    }
    free(text);
    fclose(file);
    return bad;
}
