/* uri.h - RFC 3986: a URI reference, seen from a base URI. Bytes in, bytes out; nothing is fetched or decoded on the
 * way. */
#ifndef WEIR_HOST_URI_H
#define WEIR_HOST_URI_H

#include "compiler.h"

typedef struct uri {
    const char *text;
    uint32_t length;
} uri;

/* What stands before the first '#'; *fragment gets what stands behind it, empty if there is none. */
uri uri_split(uri whole, uri *fragment);
/* The target of `reference` seen from `base` (section 5.2, strict), NUL-terminated. An empty base leaves a relative
 * reference as it is; a base without a scheme gives a target without one. */
uri uri_resolve(compiler *c, uri base, uri reference);
/* The bytes that a fragment stands for: %XX decoded; what is no escape stays. */
uri uri_decode(compiler *c, uri text);
/* Byte for byte, without the normalisations of section 6. */
bool uri_equal(uri left, uri right);

#endif
