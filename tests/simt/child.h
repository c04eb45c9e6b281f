/* child.h - a fault ends its process, so it is planted in a child whose output is read. */
#ifndef WEIR_TESTS_SIMT_CHILD_H
#define WEIR_TESTS_SIMT_CHILD_H

#include <stddef.h>

enum child_end { CHILD_RETURNED, CHILD_ABORTED, CHILD_EXITED };

/* Runs `body` in a fork; what it wrote to stderr is in `output`, NUL-terminated. CHILD_EXITED: with an exit code of its
 * own, as sanitizers do. Any other end is CHILD_EXITED too, and said in the output. */
child_end child_run(void (*body)(), char *output, size_t capacity);

/* The line of tests/simt/planted.cu that ends in the comment `/ * mark * /`, as "planted.cu:LINE". */
const char *planted_line(const char *mark, char *out, size_t capacity);

#endif
