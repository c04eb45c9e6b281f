/* metaschema.c - a URI in, the text of the draft's own metaschema out. scripts/embed_metaschemas.py writes the texts.
 */
#include "metaschema.h"

#include <string.h>

typedef struct metaschema {
    const char *uri;
    const char *const *pieces; /* the text in order, NULL at the end */
} metaschema;

static const metaschema metaschemas[] = {
#define METASCHEMA(uri, ...) {uri, (const char *const[]){__VA_ARGS__ NULL}},
#define TEXT(piece)          piece,
#include "metaschema.inc"
#undef TEXT
#undef METASCHEMA
};

static const char *join(compiler *c, const char *const *pieces, size_t *length) {
    *length = 0;
    for (const char *const *piece = pieces; *piece != NULL; piece++) *length += strlen(*piece);
    char *text = compiler_new(c, *length + 1), *to = text;
    for (; *pieces != NULL; pieces++) {
        memcpy(to, *pieces, strlen(*pieces));
        to += strlen(*pieces);
    }
    *to = '\0';
    return text;
}

const char *metaschema_text(compiler *c, const char *uri, size_t uri_length, size_t *length) {
    for (size_t i = 0; i < sizeof metaschemas / sizeof *metaschemas; i++) {
        if (strlen(metaschemas[i].uri) == uri_length && memcmp(metaschemas[i].uri, uri, uri_length) == 0) {
            return join(c, metaschemas[i].pieces, length);
        }
    }
    return NULL;
}
