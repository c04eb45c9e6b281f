/* metaschema.h - the metaschemas and vocabularies of drafts 4, 6, 7, 2019-09 and 2020-12, so that nobody has to supply
 * them. They are text until a schema refers to one. */
#ifndef WEIR_HOST_METASCHEMA_H
#define WEIR_HOST_METASCHEMA_H

#include "compiler.h"

/* The JSON text of the metaschema with this URI (no fragment) in the arena of the compile; NULL: there is none. */
const char *metaschema_text(compiler *c, const char *uri, size_t uri_length, size_t *length);

#endif
