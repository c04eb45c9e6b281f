/* tables_io.h - writing the tables of a compile, and checking tables that come from outside. */
#ifndef WEIR_HOST_TABLES_IO_H
#define WEIR_HOST_TABLES_IO_H

#include "masks_build.h"

/* One allocated block of *size bytes, 8-byte aligned; free with release(allocator, blob, size). */
weir_status tables_write(compiler *c, const masks *m, const weir_allocator *allocator, tables **out, size_t *size);
/* Whether a blob is whole and fits the vocabulary: every index is checked, so that a bad blob cannot crash. */
weir_status tables_check(const void *blob, size_t length, const weir_vocab *vocab, weir_error *error);

#endif
