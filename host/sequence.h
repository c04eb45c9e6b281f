/* sequence.h - a matcher's state as the words that machine.h works on, for those who carry it elsewhere. */
#ifndef WEIR_HOST_SEQUENCE_H
#define WEIR_HOST_SEQUENCE_H

#include "machine.h"
#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One move of the machine, as taking it back needs it: the head that it overwrote, and where its words in the log begin. */
typedef struct logged_move {
    uint32_t head[SEQUENCE_HEAD];
    uint32_t log;
} logged_move;

/* A word of the sequence that a move overwrote. */
typedef struct logged_word {
    uint32_t word, value;
} logged_word;

/* The matcher's words, machine_sequence_words of its grammar. Borrowed. */
const uint32_t *matcher_sequence(const weir_matcher *matcher);
/* The newest moves and the words that they overwrote, oldest first: as many as fit, up to move_most and word_most. Returns
 * their number; *word_count gets that of the words. */
uint32_t matcher_moves(const weir_matcher *matcher, logged_move *moves, uint32_t move_most, logged_word *words,
                       uint32_t word_most, uint32_t *word_count);
/* Sets the matcher to a state of its grammar that another place has reached with `token_count` tokens; its history begins
 * there. */
void matcher_restore(weir_matcher *matcher, const uint32_t *sequence, uint32_t token_count, bool stopped);

#ifdef __cplusplus
}
#endif

#endif
