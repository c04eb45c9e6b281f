/* automaton_text.c - literals and finite sets of strings: tries whose tails are shared. */
#include <stdlib.h>
#include <string.h>

#include "automaton.h"

uint32_t text_add(compiler *c, const char *bytes, size_t length) {
    return intern(c, &c->automaton->text_table, bytes, length, NULL);
}

uint32_t text_quoted(compiler *c, const char *content, uint32_t length) {
    char *quoted = compiler_new(c, 6 * (size_t)length + 2);
    size_t size = json_quote(content, length, quoted, 6 * (size_t)length + 2);
    return text_add(c, quoted + 1, size - 1);
}

static const struct interned *text_of(const compiler *c, uint32_t text) {
    return &c->automaton->text_table.entries.items[text];
}

/* The state from which exactly the rest of one text leads to the target. Built from the end. */
static uint32_t chain(compiler *c, uint32_t text, uint32_t offset, uint32_t target) {
    automaton *a = c->automaton;
    uint32_t key[4] = {text, offset, target, a->current};
    uint32_t known = intern_find(&a->chain_table, key, sizeof key);
    if (known != NONE) return a->chain_ids.items[known];
    const struct interned *bytes = text_of(c, text);
    uint32_t at = target;
    for (uint32_t i = bytes->size; i-- > offset;) {
        uint8_t byte = ((const uint8_t *)bytes->bytes)[i];
        at = state_intern(c, &(edge){byte, byte, EDGE_GO, 0, at}, 1, NONE, 0);
        uint32_t step[4] = {text, i, target, a->current};
        bool is_new;
        intern(c, &a->chain_table, step, sizeof step, &is_new);
        if (is_new) PUSH(c, a->chain_ids, at);
    }
    return at;
}

typedef struct text_item {
    const uint8_t *bytes;
    uint32_t size, text, target;
} text_item;

static int by_text(const void *left, const void *right) {
    const text_item *a = left, *b = right;
    uint32_t common = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->bytes, b->bytes, common);
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* No text is a prefix of another: each ends with its closing quote. */
static uint32_t branch(compiler *c, const text_item *items, uint32_t count, uint32_t offset) {
    if (count == 1) return chain(c, items[0].text, offset, items[0].target);
    uint32_t split = offset; /* sorted: what the first and the last share, all share */
    while (items[0].bytes[split] == items[count - 1].bytes[split]) split++;
    edge edges[256];
    uint32_t edge_count = 0;
    compiler_enter(c, NULL);
    for (uint32_t from = 0, to; from < count; from = to) {
        uint8_t byte = items[from].bytes[split];
        for (to = from + 1; to < count && items[to].bytes[split] == byte;) to++;
        uint32_t target = split + 1 == items[from].size ? items[from].target
                                                        : branch(c, items + from, to - from, split + 1);
        edges[edge_count++] = (edge){byte, byte, EDGE_GO, 0, target};
    }
    compiler_leave(c);
    uint32_t at = state_intern(c, edges, edge_count, NONE, 0);
    while (split-- > offset) at = state_intern(c, &(edge){items[0].bytes[split], items[0].bytes[split], EDGE_GO, 0, at}, 1, NONE, 0);
    return at;
}

uint32_t text_state(compiler *c, text_target *list, uint32_t count) {
    text_item *items = compiler_new(c, sizeof *items * (count + 1));
    for (uint32_t i = 0; i < count; i++) {
        const struct interned *text = text_of(c, list[i].text);
        items[i] = (text_item){text->bytes, text->size, list[i].text, list[i].target};
    }
    qsort(items, count, sizeof *items, by_text);
    compiler_spend(c, 50 * (uint64_t)count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) { /* the same text twice (enum with a repeated value) is one */
        if (kept == 0 || items[kept - 1].text != items[i].text) items[kept++] = items[i];
    }
    return branch(c, items, kept, 0);
}

uint32_t literal_state(compiler *c, const char *bytes, uint32_t target) {
    return chain(c, text_add(c, bytes, strlen(bytes)), 0, target);
}
