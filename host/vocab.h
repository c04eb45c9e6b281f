/* vocab.h - what each token id writes, and the prefix trie of those bytes. */
#ifndef WEIR_HOST_VOCAB_H
#define WEIR_HOST_VOCAB_H

#include <stdatomic.h>

#include "memory.h"
#include "status.h"

#define VOCAB_NONE UINT32_MAX

/* The trie in depth-first order: the children of node i start at i + 1, and a node's next sibling is at its `end`.
 * Siblings ascend by byte. Node 0 is the root (byte 0, no token). */
typedef struct trie_node {
    uint32_t end;   /* one past the last node of the subtree */
    uint32_t token; /* lowest token id that ends here, or VOCAB_NONE; the others follow in vocab->same */
    uint8_t byte;
} trie_node;

typedef struct trie {
    trie_node *nodes;
    uint32_t count;
    uint32_t depth; /* of the deepest node */
} trie;

/* A walk through the nodes in their order, with a value for each node that was entered: from the root to the node at
 * hand. It takes the place of a recursion: a token may have VOCAB_TEXT_MOST bytes, and a thread a small stack. */
typedef struct trie_path {
    struct { uint32_t end, value; } *levels; /* room for depth + 1 of them */
    uint32_t count;
} trie_path;

/* The node's children come next. */
static inline void trie_enter(trie_path *p, const trie *t, uint32_t node, uint32_t value) {
    p->levels[p->count].end = t->nodes[node].end;
    p->levels[p->count++].value = value;
}

/* The value of the node's parent, where the walk began at a node above it. */
static inline uint32_t trie_above(trie_path *p, uint32_t node) {
    while (node >= p->levels[p->count - 1].end) p->count--;
    return p->levels[p->count - 1].value;
}

struct lexicon; /* base rows of this vocabulary, see masks.h */

struct weir_vocab {
    weir_allocator allocator;
    uint32_t token_count;    /* highest id + 1 */
    uint32_t logits_width;
    uint32_t mask_words;     /* (logits_width + 31) / 32 */
    uint32_t *offsets;       /* [token_count + 1] into bytes; special tokens and holes: their text, never matched */
    uint8_t *bytes;
    uint8_t *flags;          /* [token_count] VOCAB_* */
    uint32_t *stop_ids;      /* ascending, distinct */
    uint32_t stop_count;
    trie trie;               /* of what vocab_is_text */
    uint32_t *same;          /* [token_count] next higher text token with the same bytes, or VOCAB_NONE */
    uint32_t bracket_most;   /* most of { } [ ] in one of them */
    uint32_t byte_token[256];/* the token that is exactly this byte, or VOCAB_NONE */
    uint64_t hash;           /* of all of the above: a grammar's tables fit one vocabulary */
    weir_vocab_report report;
    struct lexicon *lexicon; /* built at creation by lexicon_create, freed by lexicon_destroy */
    _Atomic uint32_t references; /* beside the owner's: of grammars and of cached results */
};

/* UNDECODED comes with SPECIAL: the file's alphabet does not say which bytes this token writes. */
enum { VOCAB_SPECIAL = WEIR_TOKEN_SPECIAL, VOCAB_HOLE = 2, VOCAB_UNDECODED = 4, VOCAB_LONG = 8 };

/* Characters of a text token at most, so that a byte holds them (PACK_POINTS in tables.h); their bytes. One with more is
 * VOCAB_LONG. */
#define VOCAB_POINTS_MOST 255u
#define VOCAB_TEXT_MOST (4 * VOCAB_POINTS_MOST)

/* Whether a constraint may choose the token. */
static inline bool vocab_is_text(const weir_vocab *vocab, uint32_t token) {
    return token < vocab->token_count && token < vocab->logits_width && vocab->flags[token] == 0 &&
           vocab->offsets[token + 1] != vocab->offsets[token];
}

/* One more reference, and one less; the last that goes, the owner's included, frees the vocabulary. Any thread. */
void vocab_retain(const weir_vocab *vocab);
void vocab_release(const weir_vocab *vocab);
/* Whether both say the same of every token, stop id and column. */
bool vocab_equal(const weir_vocab *a, const weir_vocab *b);

/* The trie of `count` byte strings, values[i] as its token: strings with equal bytes are chained through `same`
 * (indexed by value; may be NULL when all are distinct). Allocated with `allocator`; free with trie_free. */
weir_status trie_build(const weir_allocator *allocator, const uint8_t *const *strings, const uint32_t *lengths,
                       const uint32_t *values, uint32_t count, uint32_t *same, trie *out);
void trie_free(const weir_allocator *allocator, trie *trie);

#endif
