/* tables_io.h - writing the tables of a compile, and checking tables that come from outside. */
#ifndef WEIR_HOST_TABLES_IO_H
#define WEIR_HOST_TABLES_IO_H

#include "masks_build.h"

#define TABLES_KEPT_SLOTS 1024u /* values of unique arrays, in all open ones together */
#define TABLES_SEQUENCE_WORDS (1u << 24) /* of one sequence: a matcher holds three */

/* One allocated block of *size bytes, 8-byte aligned; free with release(allocator, blob, size). */
weir_status tables_write(compiler *c, const masks *m, const weir_allocator *allocator, tables **out, size_t *size);
/* Of everything behind its own field; t->bytes of them must be there. */
uint64_t tables_checksum(const tables *t);
/* Whether a blob is whole and fits the vocabulary. What it lets through may be nonsense, made by somebody who knows the
 * checksum, but reading with it stays inside the blob and inside its sequence, and every byte of text ends. */
weir_status tables_check(const void *blob, size_t length, const weir_vocab *vocab, const weir_allocator *allocator,
                         weir_error *error);

#endif
