/* vocab_trie.c - byte strings in, their prefix trie in depth-first order out.
 *
 * The strings are sorted (a stable merge of (first eight bytes, index) pairs, no recursion, so that neither many equal
 * prefixes nor long tokens can exhaust a stack), then written in one pass: each string shares a prefix with the one
 * before it and adds one node a byte for the rest. */
#include "vocab.h"

#include <string.h>

typedef struct entry {
    uint64_t prefix; /* first eight bytes, big endian, zero padded; after sorting: bytes shared with the entry before */
    uint32_t index;
} entry;

typedef struct strings {
    const uint8_t *const *bytes;
    const uint32_t *lengths;
    const uint32_t *values;
    uint32_t count;
} strings;

static uint64_t prefix_of(const uint8_t *bytes, uint32_t length);
static void sort_entries(const strings *strings, entry *entries, entry *scratch);
static uint32_t share_prefixes(const strings *strings, entry *entries, uint32_t *longest);
static void write_nodes(const strings *strings, const entry *entries, uint32_t *path, uint32_t *same, trie *trie);

weir_status trie_build(const weir_allocator *allocator, const uint8_t *const *bytes, const uint32_t *lengths,
                       const uint32_t *values, uint32_t count, uint32_t *same, trie *out) {
    const strings strings = {bytes, lengths, values, count};
    const size_t entries_size = (2 * (size_t)count + 1) * sizeof(entry);
    uint32_t *path = NULL;
    uint32_t longest = 0;
    out->nodes = NULL;
    out->count = out->depth = 0;

    weir_status status = WEIR_ERROR_MEMORY;
    entry *entries = allocate(allocator, entries_size);
    if (!entries) goto done;
    for (uint32_t i = 0; i < count; ++i) entries[i] = (entry){prefix_of(bytes[i], lengths[i]), i};
    sort_entries(&strings, entries, entries + count);
    const uint32_t node_count = share_prefixes(&strings, entries, &longest);

    path = allocate(allocator, (longest + 1) * sizeof *path);
    if (!path) goto done;
    out->nodes = allocate(allocator, node_count * sizeof *out->nodes);
    if (!out->nodes) goto done;
    out->count = node_count;
    out->depth = longest;
    write_nodes(&strings, entries, path, same, out);
    status = WEIR_OK;
done:
    if (path) release(allocator, path, (longest + 1) * sizeof *path);
    if (entries) release(allocator, entries, entries_size);
    return status;
}

void trie_free(const weir_allocator *allocator, trie *trie) {
    if (trie->nodes) release(allocator, trie->nodes, trie->count * sizeof *trie->nodes);
    trie->nodes = NULL;
    trie->count = 0;
}

static uint64_t prefix_of(const uint8_t *bytes, uint32_t length) {
    uint64_t prefix = 0;
    for (uint32_t i = 0; i < 8; ++i) prefix = prefix << 8 | (i < length ? bytes[i] : 0);
    return prefix;
}

/* By bytes, a prefix before what it begins, equal strings by value. */
static bool comes_after(const strings *strings, const entry *left, const entry *right) {
    if (left->prefix != right->prefix) return left->prefix > right->prefix;
    const uint32_t a = left->index, b = right->index;
    const uint32_t a_length = strings->lengths[a], b_length = strings->lengths[b];
    const uint32_t least = a_length < b_length ? a_length : b_length;
    const int order = least > 8 ? memcmp(strings->bytes[a] + 8, strings->bytes[b] + 8, least - 8) : 0;
    if (order != 0) return order > 0;
    if (a_length != b_length) return a_length > b_length;
    return strings->values[a] > strings->values[b];
}

static void merge(const strings *strings, const entry *from, size_t left, size_t middle, size_t right, entry *to) {
    size_t a = left, b = middle;
    for (size_t i = left; i < right; ++i) {
        const bool take_b = a == middle || (b < right && comes_after(strings, &from[a], &from[b]));
        to[i] = take_b ? from[b++] : from[a++];
    }
}

static void sort_entries(const strings *strings, entry *entries, entry *scratch) {
    const size_t count = strings->count;
    entry *from = entries, *to = scratch;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t left = 0; left < count; left += 2 * width) {
            const size_t middle = left + width < count ? left + width : count;
            const size_t right = left + 2 * width < count ? left + 2 * width : count;
            merge(strings, from, left, middle, right, to);
        }
        entry *swap = from;
        from = to;
        to = swap;
    }
    if (from != entries && count > 0) memcpy(entries, from, count * sizeof *entries);
}

/* Puts the length of the prefix shared with the entry before into `prefix`; returns the number of trie nodes. */
static uint32_t share_prefixes(const strings *strings, entry *entries, uint32_t *longest) {
    uint32_t node_count = 1;
    for (uint32_t i = 0; i < strings->count; ++i) {
        const uint8_t *bytes = strings->bytes[entries[i].index];
        const uint32_t length = strings->lengths[entries[i].index];
        uint32_t shared = 0;
        if (i > 0) {
            const uint8_t *before = strings->bytes[entries[i - 1].index];
            const uint32_t before_length = strings->lengths[entries[i - 1].index];
            const uint32_t least = length < before_length ? length : before_length;
            while (shared < least && bytes[shared] == before[shared]) ++shared;
        }
        entries[i].prefix = shared;
        node_count += length - shared;
        if (length > *longest) *longest = length;
    }
    return node_count;
}

/* path[d] is the open node at depth d. */
static void write_nodes(const strings *strings, const entry *entries, uint32_t *path, uint32_t *same, trie *trie) {
    trie_node *nodes = trie->nodes;
    uint32_t node_count = 1, depth = 0, last = VOCAB_NONE;
    nodes[0] = (trie_node){.end = 0, .token = VOCAB_NONE, .byte = 0};
    path[0] = 0;
    for (uint32_t i = 0; i < strings->count; ++i) {
        const uint32_t index = entries[i].index, value = strings->values[index];
        const uint32_t shared = (uint32_t)entries[i].prefix;
        for (; depth > shared; --depth) nodes[path[depth]].end = node_count;
        for (; depth < strings->lengths[index]; ++depth) {
            nodes[node_count] = (trie_node){.token = VOCAB_NONE, .byte = strings->bytes[index][depth]};
            path[depth + 1] = node_count++;
        }
        trie_node *node = &nodes[path[depth]];
        if (same) same[value] = VOCAB_NONE;
        if (node->token == VOCAB_NONE)
            node->token = value;
        else if (same)
            same[last] = value;
        last = value;
    }
    for (; depth > 0; --depth) nodes[path[depth]].end = node_count;
    nodes[0].end = node_count;
}
