/* recogniser_set.c - conjunctions of literals: what is always true left out, equal ones made one object. */
#include "recogniser_parts.h"

#include <stdlib.h>
#include <string.h>

uint32_t code_simplify(const recogniser *r, uint32_t code) {
    if (code == CODE_ALWAYS || code == CODE_NEVER || code == CODE_DISTINCT || code & CODE_VALUE) return code;
    bool positive = code & CODE_POSITIVE;
    const schema *s = code_schema(r, code);
    while (s->bare && s->reference) s = s->reference;
    if (s->trivial) return positive ? CODE_ALWAYS : CODE_NEVER;
    if (s->never) return positive ? CODE_NEVER : CODE_ALWAYS;
    return positive ? s->code : s->code ^ CODE_POSITIVE;
}

static int compare_codes(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t *set_slot(const recogniser *r, const uint32_t *codes, uint32_t count) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < count; i++) hash = (hash ^ codes[i]) * 16777619u, hash ^= hash >> 15;
    for (;; hash++) {
        uint32_t *entry = &r->set_table[hash & (r->set_table_capacity - 1)];
        if (*entry == UINT32_MAX) return entry;
        const code_set *set = r->sets[*entry];
        if (set->count == count && !memcmp(set->codes, codes, count * sizeof *codes)) return entry;
    }
}

static void make_room(recogniser *r) {
    if (2 * r->set_count < r->set_table_capacity) return;
    r->set_table_capacity = r->set_table_capacity ? 2 * r->set_table_capacity : 256;
    r->set_table = realloc(r->set_table, r->set_table_capacity * sizeof *r->set_table);
    r->sets = realloc(r->sets, r->set_table_capacity * sizeof *r->sets);
    if (!r->set_table || !r->sets) recogniser_panic("out of memory");
    memset(r->set_table, 0xff, r->set_table_capacity * sizeof *r->set_table);
    for (uint32_t i = 0; i < r->set_count; i++) *set_slot(r, r->sets[i]->codes, r->sets[i]->count) = i;
}

const code_set *set_make(recogniser *r, const uint32_t *codes, uint32_t count) {
    uint32_t *sorted = malloc((count + 1) * sizeof *sorted), kept = 0, distinct = 0;
    if (!sorted) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = code_simplify(r, codes[i]);
        if (code != CODE_ALWAYS) sorted[kept++] = code;
    }
    qsort(sorted, kept, sizeof *sorted, compare_codes);
    for (uint32_t i = 0; i < kept; i++)
        if (!i || sorted[i] != sorted[distinct - 1]) sorted[distinct++] = sorted[i];
    if (distinct && sorted[distinct - 1] == CODE_NEVER) sorted[0] = CODE_NEVER, distinct = 1;
    make_room(r);
    uint32_t *entry = set_slot(r, sorted, distinct);
    if (*entry == UINT32_MAX) {
        code_set *set = region_take(&r->arena, sizeof *set);
        uint32_t *kept_codes = region_take(&r->arena, distinct * sizeof *kept_codes);
        if (distinct) memcpy(kept_codes, sorted, distinct * sizeof *sorted);
        *set = (code_set){r->set_count, distinct, kept_codes};
        r->sets[r->set_count] = set;
        *entry = r->set_count++;
    }
    free(sorted);
    return r->sets[*entry];
}

const code_set *set_with(recogniser *r, const code_set *set, uint32_t code) {
    uint32_t *codes = malloc((set->count + 1) * sizeof *codes);
    if (!codes) recogniser_panic("out of memory");
    if (set->count) memcpy(codes, set->codes, set->count * sizeof *codes);
    codes[set->count] = code;
    const code_set *made = set_make(r, codes, set->count + 1);
    free(codes);
    return made;
}

const code_set *set_without(recogniser *r, const code_set *set, uint32_t code) {
    uint32_t *codes = malloc((set->count + 1) * sizeof *codes), kept = 0;
    if (!codes) recogniser_panic("out of memory");
    for (uint32_t i = 0; i < set->count; i++)
        if (set->codes[i] != code) codes[kept++] = set->codes[i];
    const code_set *made = set_make(r, codes, kept);
    free(codes);
    return made;
}

bool set_has(const code_set *set, uint32_t code) {
    uint32_t i = 0;
    while (i < set->count && set->codes[i] != code) i++;
    return i < set->count;
}

/* A list keeps no set that asks more than another one in it. */
static bool set_contains(const code_set *large, const code_set *small) {
    uint32_t k = 0;
    for (uint32_t i = 0; i < large->count && k < small->count; i++) k += large->codes[i] == small->codes[k];
    return k == small->count;
}

void set_list_add(set_list *list, const code_set *set) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++)
        if (set_contains(set, list->items[i])) return;
    for (uint32_t i = 0; i < list->count; i++)
        if (!set_contains(list->items[i], set)) list->items[kept++] = list->items[i];
    list->count = kept;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 4;
        const code_set **items = realloc(list->items, list->capacity * sizeof *items);
        if (!items) recogniser_panic("out of memory");
        list->items = items;
    }
    list->items[list->count++] = set;
}

void text_put(text_buffer *text, const char *bytes, size_t length) {
    if (text->length + length + 1 > text->capacity) {
        text->capacity = 2 * (text->length + length) + 64;
        text->data = realloc(text->data, text->capacity);
        if (!text->data) recogniser_panic("out of memory");
    }
    memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = 0;
}

void text_put_escaped(text_buffer *out, const char *text, size_t length) {
    char quoted[8];
    uint32_t step;
    for (size_t i = 0; i < length; i += step)
        text_put(out, quoted, quote_character(utf8_decode(text + i, &step), quoted));
}

void text_put_string(text_buffer *out, const char *text, size_t length) {
    text_put(out, "\"", 1);
    text_put_escaped(out, text, length);
    text_put(out, "\"", 1);
}
