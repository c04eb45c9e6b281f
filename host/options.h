/* options.h - option structs of other versions of weir.h: what an older one lacks has its default, what a newer one adds must
 * be 0. */
#ifndef WEIR_HOST_OPTIONS_H
#define WEIR_HOST_OPTIONS_H

#include "status.h"

/* Reads `given` (NULL: nothing) over the defaults in `out`. `last` is the last member that every caller must give:
 * `size` where all have defaults. */
#define READ_OPTIONS(type, last, given, out, error)                                                                    \
    options_read(#type, given, offsetof(type, last) + sizeof((given)->last), out, sizeof(type), error)

weir_status options_read(const char *type, const void *given, size_t least, void *out, size_t size, weir_error *error);

#endif
