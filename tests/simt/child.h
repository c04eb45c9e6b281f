/* child.h - a fault ends its process, so it is planted in another whose output is read. */
#ifndef WEIR_TESTS_SIMT_CHILD_H
#define WEIR_TESTS_SIMT_CHILD_H

#include <stddef.h>

enum child_end { CHILD_RETURNED, CHILD_ABORTED, CHILD_EXITED };

/* Runs `body` in a fresh process, which runs the same test up to here: so once a test, and before it the test does
 * nothing that it must not do twice. (A mere fork would share the sanitizers' memory of all tests before.) What the
 * process wrote to stderr is in `output`, NUL-terminated. CHILD_EXITED: with an exit code of its own, as sanitizers do,
 * or killed, which the output then says. */
child_end child_run(void (*body)(), char *output, size_t capacity);

/* The line of tests/simt/planted.cu that ends in the comment `/ * mark * /`, as "planted.cu:LINE". */
const char *planted_line(const char *mark, char *out, size_t capacity);

#endif
