/* resource_session.h - as much of a compile as references need: a schema, the documents around it, where a `$ref`
 * leads.
 *
 * Schemas are written with ' for ". A place is a JSON pointer. */
#ifndef WEIR_TESTS_RESOURCE_SESSION_H
#define WEIR_TESTS_RESOURCE_SESSION_H

#include "harness.h"
#include "resource.h"

typedef struct document {
    const char *uri, *text;
} document;

typedef struct session {
    compiler c;
    weir_error error;
    const json *root;
    const document *documents; /* what options.resolve knows; ends with a NULL uri */
    const char *folder;        /* of the suite's remotes, or NULL: then those are known too */
    char *files[64];           /* that were read from there */
    uint32_t file_count, asked;
    char pointer[256];
} session;

/* Without a schema; NULL: the usual allocator. */
void session_start(session *s, const weir_allocator *allocator);
void session_end(session *s);
/* The document of the compile; false: it failed, s->error says how. */
bool session_open_root(session *s, const json *root, uint8_t draft);
bool session_open_text(session *s, const char *text, uint8_t draft);
/* Both; a failure ends the test. */
void session_open(session *s, const char *text, uint8_t draft);

/* The node at a pointer, or NULL. */
const json *session_at(const json *node, const char *pointer);
/* The target of a `$ref` node; NULL: it failed, s->error says how. */
const json *session_resolve(session *s, const json *reference);
/* Where the `$ref` at a place leads, as a pointer; in another document its URI and '#' stand before it. "?": it failed.
 */
const char *session_target(session *s, const char *place);
/* Of the resource around a place; 0: it failed. */
uint32_t session_draft(session *s, const char *place);

#endif
