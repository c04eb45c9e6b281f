/* lexicon.c - walks the vocabulary's trie through the lexical states of a string, once a vocabulary. */
#include "lexicon.h"

#include <stdlib.h>
#include <string.h>

typedef struct list {
    uint64_t *items; /* sort key in the upper bits */
    uint32_t count, capacity;
} list;

typedef struct builder {
    const weir_vocab *vocab;
    lexicon *out;
    uint8_t next[LEX_COUNT][256];  /* lexical state, or 0xFF */
    uint8_t begins[LEX_COUNT][256];
    bool ends[LEX_COUNT];          /* tokens of one byte lead back to the body */
    list inner;
    list quotes;                   /* token, points, bytes up to the quote and with it */
    trie_path path;
    bool failed;
} builder;

enum { DEAD = 0xFF, QUOTE = 0xFE };

static void list_push(builder *b, list *l, uint64_t value) {
    if (l->count == l->capacity) {
        uint32_t capacity = l->capacity != 0 ? 2 * l->capacity : 4096;
        uint64_t *items = reallocate(&b->vocab->allocator, l->items, sizeof *items * l->capacity, sizeof *items * capacity);
        if (items == NULL) {
            b->failed = true;
            return;
        }
        l->items = items;
        l->capacity = capacity;
    }
    l->items[l->count++] = value;
}

static void build_steps(builder *b) {
    memset(b->next, DEAD, sizeof b->next);
    for (uint32_t lexical = 0; lexical < LEX_COUNT; lexical++) {
        edge edges[16];
        uint32_t count = lexical_edges(lexical, edges);
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t byte = edges[i].lo; byte <= edges[i].hi; byte++) {
                b->next[lexical][byte] = edges[i].op == EDGE_EXIT_LENGTH ? QUOTE : (uint8_t)edges[i].target;
                b->begins[lexical][byte] = edges[i].op == EDGE_CHAR_FREE;
            }
        }
    }
    b->ends[LEX_BODY] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t lexical = 0; lexical < LEX_COUNT; lexical++) {
            for (uint32_t byte = 0; byte < 256 && !b->ends[lexical]; byte++) {
                uint8_t to = b->next[lexical][byte];
                b->ends[lexical] = to < LEX_COUNT && b->ends[to] && b->vocab->byte_token[byte] != VOCAB_NONE;
                changed |= b->ends[lexical];
            }
        }
    }
}

/* The suffix behind the first quote that closes a string begun in any lexical state is the same text whenever the
 * quote's place is the same; the place differs only with escapes (\"), so it is found per walk. */
static uint32_t suffix_id(const lexicon *l, const uint8_t *bytes, uint32_t length) {
    uint32_t node = 0;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t child = node + 1;
        while (child < l->suffixes.nodes[node].end && l->suffixes.nodes[child].byte != bytes[i]) {
            child = l->suffixes.nodes[child].end;
        }
        node = child;
    }
    return l->suffixes.nodes[node].token;
}

static int by_value(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Walks every token from a lexical state. A node's value: code points begun, and the lexical state behind it. */
static void walk(builder *b, uint8_t from) {
    const weir_vocab *v = b->vocab;
    const trie_node *nodes = v->trie.nodes;
    trie_path *path = &b->path;
    path->count = 0;
    trie_enter(path, &v->trie, 0, from);
    for (uint32_t node = 1, next; node < v->trie.count; node = next) {
        uint32_t above = trie_above(path, node), points = above >> 8;
        uint8_t lexical = above & 0xFF, to = b->next[lexical][nodes[node].byte];
        next = nodes[node].end;
        if (to == DEAD) continue;
        points += to != QUOTE && b->begins[lexical][nodes[node].byte];
        if (to == QUOTE) { /* every token of this subtree closes the string here */
            for (uint32_t k = node; k < next; k++) {
                for (uint32_t token = nodes[k].token; token != VOCAB_NONE; token = v->same[token]) {
                    list_push(b, &b->quotes, (uint64_t)points << 48 | (uint64_t)token << 16 | path->count);
                }
            }
            continue;
        }
        for (uint32_t token = nodes[node].token; token != VOCAB_NONE && b->ends[to]; token = v->same[token]) {
            list_push(b, &b->inner, (uint64_t)points << 32 | PACK(token, points, to != LEX_BODY));
        }
        trie_enter(path, &v->trie, node, points << 8 | to);
        next = node + 1;
    }
}

static weir_status keep_row(builder *b, lexical_row *row) {
    const weir_allocator *allocator = &b->vocab->allocator;
    lexicon *l = b->out;
    if (b->inner.count != 0) qsort(b->inner.items, b->inner.count, sizeof *b->inner.items, by_value);
    if (b->quotes.count != 0) qsort(b->quotes.items, b->quotes.count, sizeof *b->quotes.items, by_value);
    row->inner_count = b->inner.count;
    row->quote_count = b->quotes.count;
    row->inner = allocate(allocator, sizeof *row->inner * (b->inner.count + 1));
    row->quotes = allocate(allocator, sizeof *row->quotes * (b->quotes.count + 1));
    size_t words = (size_t)l->mask_words * (LEXICON_LEVELS + 1);
    row->bitmaps = allocate(allocator, sizeof *row->bitmaps * (words + 1));
    if (row->inner == NULL || row->quotes == NULL || row->bitmaps == NULL) return WEIR_ERROR_MEMORY;
    memset(row->bitmaps, 0, sizeof *row->bitmaps * words);
    for (uint32_t i = 0; i < row->inner_count; i++) {
        uint32_t entry = row->inner[i] = (uint32_t)b->inner.items[i];
        uint32_t token = PACK_TOKEN(entry), points = PACK_POINTS(entry);
        if (points > row->longest) row->longest = points;
        for (uint32_t level = points < LEXICON_LEVELS ? points : LEXICON_LEVELS; level <= LEXICON_LEVELS; level++) {
            row->bitmaps[(size_t)level * l->mask_words + token / 32] |= 1u << token % 32;
        }
    }
    for (uint32_t i = 0; i < row->quote_count; i++) {
        uint64_t entry = b->quotes.items[i];
        uint32_t token = entry >> 16 & 0x1FFFFF, behind = entry & 0xFFFF;
        uint32_t start = b->vocab->offsets[token], end = b->vocab->offsets[token + 1];
        row->quotes[i].token = token;
        row->quotes[i].points = (uint32_t)(entry >> 48);
        row->quotes[i].suffix = suffix_id(l, b->vocab->bytes + start + behind, end - start - behind);
    }
    b->inner.count = b->quotes.count = 0;
    return WEIR_OK;
}

/* Every text behind any quote of any token, and the empty one: more than is needed, still few. */
static weir_status build_suffixes(builder *b) {
    const weir_vocab *v = b->vocab;
    const weir_allocator *allocator = &v->allocator;
    uint32_t count = 1, capacity = 1;
    for (uint32_t t = 0; t < v->token_count; t++) {
        for (uint32_t i = v->offsets[t]; i < v->offsets[t + 1]; i++) capacity += v->bytes[i] == '"';
    }
    const uint8_t **strings = allocate(allocator, sizeof *strings * capacity);
    uint32_t *lengths = allocate(allocator, sizeof *lengths * capacity);
    uint32_t *values = allocate(allocator, sizeof *values * capacity), *same = allocate(allocator, sizeof *same * capacity);
    weir_status status = WEIR_ERROR_MEMORY;
    if (strings != NULL && lengths != NULL && values != NULL && same != NULL) {
        strings[0] = v->bytes;
        lengths[0] = 0;
        values[0] = 0;
        for (uint32_t t = 0; t < v->token_count; t++) {
            if (!vocab_is_text(v, t)) continue;
            for (uint32_t i = v->offsets[t]; i < v->offsets[t + 1]; i++) {
                if (v->bytes[i] != '"') continue;
                strings[count] = v->bytes + i + 1;
                lengths[count] = v->offsets[t + 1] - i - 1;
                values[count] = count;
                count++;
            }
        }
        status = trie_build(allocator, strings, lengths, values, count, same, &b->out->suffixes);
        b->out->suffix_count = count;
        if (status == WEIR_OK) { /* number the distinct ones from 0; the empty one stands at the root */
            uint32_t id = 0;
            for (uint32_t i = 0; i < b->out->suffixes.count; i++) {
                if (b->out->suffixes.nodes[i].token != VOCAB_NONE || i == 0) b->out->suffixes.nodes[i].token = id++;
            }
            b->out->suffix_count = id;
        }
    }
    release(allocator, strings, sizeof *strings * capacity);
    release(allocator, lengths, sizeof *lengths * capacity);
    release(allocator, values, sizeof *values * capacity);
    release(allocator, same, sizeof *same * capacity);
    return status;
}

static weir_status build_backslash(builder *b) {
    const weir_vocab *v = b->vocab;
    lexicon *l = b->out;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t count = 0;
        for (uint32_t t = 0; t < v->token_count; t++) {
            if (!vocab_is_text(v, t)) continue;
            uint32_t length = v->offsets[t + 1] - v->offsets[t];
            if (memchr(v->bytes + v->offsets[t], '\\', length) == NULL) continue;
            if (pass == 1) l->backslash[count] = t;
            count++;
        }
        if (pass == 1) break;
        l->backslash_count = count;
        l->backslash = allocate(&v->allocator, sizeof *l->backslash * (count + 1));
        if (l->backslash == NULL) return WEIR_ERROR_MEMORY;
    }
    return WEIR_OK;
}

weir_status lexicon_create(const weir_vocab *vocab, lexicon **out) {
    *out = NULL;
    builder b;
    memset(&b, 0, sizeof b);
    b.vocab = vocab;
    b.out = allocate(&vocab->allocator, sizeof *b.out);
    if (b.out == NULL) return WEIR_ERROR_MEMORY;
    memset(b.out, 0, sizeof *b.out);
    b.out->mask_words = vocab->mask_words;
    memset(b.out->root_child, 0xFF, sizeof b.out->root_child);
    for (uint32_t k = 1; k < vocab->trie.count; k = vocab->trie.nodes[k].end) {
        b.out->root_child[vocab->trie.nodes[k].byte] = k;
    }
    build_steps(&b);
    const size_t path_size = sizeof *b.path.levels * ((size_t)vocab->trie.depth + 1);
    b.path.levels = allocate(&vocab->allocator, path_size);
    weir_status status = b.path.levels != NULL ? build_suffixes(&b) : WEIR_ERROR_MEMORY;
    if (status == WEIR_OK) status = build_backslash(&b);
    for (uint32_t lexical = 0; lexical < LEX_COUNT && status == WEIR_OK; lexical++) {
        walk(&b, (uint8_t)lexical);
        status = b.failed ? WEIR_ERROR_MEMORY : keep_row(&b, &b.out->rows[lexical]);
    }
    release(&vocab->allocator, b.inner.items, sizeof *b.inner.items * b.inner.capacity);
    release(&vocab->allocator, b.quotes.items, sizeof *b.quotes.items * b.quotes.capacity);
    release(&vocab->allocator, b.path.levels, path_size);
    if (status != WEIR_OK) {
        b.out->mask_words = vocab->mask_words;
        lexicon_destroy(&vocab->allocator, b.out);
        return status;
    }
    *out = b.out;
    return WEIR_OK;
}

void lexicon_destroy(const weir_allocator *allocator, lexicon *l) {
    if (l == NULL) return;
    for (uint32_t i = 0; i < LEX_COUNT; i++) {
        lexical_row *row = &l->rows[i];
        release(allocator, row->inner, sizeof *row->inner * (row->inner_count + 1));
        release(allocator, row->quotes, sizeof *row->quotes * (row->quote_count + 1));
        release(allocator, row->bitmaps,
                sizeof *row->bitmaps * ((size_t)l->mask_words * (LEXICON_LEVELS + 1) + 1));
    }
    release(allocator, l->backslash, sizeof *l->backslash * (l->backslash_count + 1));
    trie_free(allocator, &l->suffixes);
    release(allocator, l, sizeof *l);
}
