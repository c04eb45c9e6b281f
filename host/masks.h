/* masks.h - machine x vocabulary -> rows: which tokens may follow in each state. */
#ifndef WEIR_HOST_MASKS_H
#define WEIR_HOST_MASKS_H

#include "vocab.h"

typedef struct lexicon lexicon;
struct compiler;

/* Base rows of a vocabulary, built once: what every token does inside a JSON string. Called last by vocabulary
 * creation; vocab->trie must be ready. */
weir_status lexicon_create(const weir_vocab *vocab, lexicon **out);
void lexicon_destroy(const weir_allocator *allocator, lexicon *lexicon);

/* Builds the row of every state of c->automaton, after automaton_costs. Equal rows are one. */
struct masks *masks_build(struct compiler *c);

#endif
