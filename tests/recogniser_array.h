/* recogniser_array.h - what recogniser_array.c asks of recogniser_differ.c: can items that are not written all differ? */
#ifndef WEIR_TESTS_RECOGNISER_ARRAY_H
#define WEIR_TESTS_RECOGNISER_ARRAY_H

#include "recogniser_tableau.h"

/* Items first..end - 1 satisfy sets[0..], differ from each other, from what is written and, where there is an open item, from
 * some value of it. `texts`: [end - first], a choice of values, kept; or NULL. */
answer items_can_differ(problem *p, const code_set *const *sets, uint64_t first, uint64_t end, const char **texts);
/* The same for the open item, of which `codes` ask: adds the values that it must not have for the sake of the others. */
answer open_can_differ(problem *p, const code_set *const *sets, uint64_t first, uint64_t end, code_list *codes);

#endif
