/* unwritable.h - the check of a machine against a vocabulary that lacks bytes. */
#ifndef WEIR_HOST_UNWRITABLE_H
#define WEIR_HOST_UNWRITABLE_H

#include "automaton.h"

/* After automaton_costs. Fails with WEIR_ERROR_VOCAB, the missing bytes and the place in the schema, where the machine
 * would promise what the vocabulary cannot write. */
void refuse_unwritable(compiler *c);

#endif
