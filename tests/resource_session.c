/* resource_session.c - a compile that stops where references are known; see resource_session.h. */
#include "resource_session.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *answer(void *context, const char *uri, size_t uri_length, size_t *length) {
    session *s = context;
    s->asked++;
    EXPECT_EQ(strlen(uri), uri_length);
    EXPECT_NULL(strchr(uri, '#'));
    if (s->folder != NULL && strncmp(uri, "http://localhost:1234/", 22) == 0 && s->file_count < 64) {
        char path[1200];
        snprintf(path, sizeof path, "%s/%s", s->folder, uri + 22);
        return s->files[s->file_count++] = test_read_file(path, length);
    }
    for (const document *d = s->documents; d != NULL && d->uri != NULL; d++) {
        if (strcmp(d->uri, uri) == 0) {
            *length = strlen(d->text);
            return d->text;
        }
    }
    return NULL;
}

void session_start(session *s, const weir_allocator *allocator) {
    const weir_grammar_options defaults = WEIR_GRAMMAR_OPTIONS_INIT;
    memset(s, 0, sizeof *s);
    s->c.options = defaults;
    s->c.options.work_limit = 1000000000;
    s->c.options.resolve = answer;
    s->c.options.resolve_context = s;
    s->c.error = &s->error;
    arena_init(&s->c.arena, allocator, (size_t)256 << 20);
}

void session_end(session *s) {
    for (uint32_t i = 0; i < s->file_count; i++) free(s->files[i]);
    arena_free(&s->c.arena);
}

bool session_open_root(session *s, const json *root, uint8_t draft) {
    s->root = root;
    if (setjmp(s->c.exit) != 0) return false;
    resources_new(&s->c, root, draft);
    return true;
}

bool session_open_text(session *s, const char *text, uint8_t draft) {
    size_t length = strlen(text);
    char *quoted = arena_allocate(&s->c.arena, length + 1);
    const json *root;
    for (size_t i = 0; i <= length; i++) quoted[i] = text[i] == '\'' ? '"' : text[i];
    ASSERT_OK(json_parse(quoted, length, NULL, &s->c.arena, &root, &s->error), &s->error);
    return session_open_root(s, root, draft);
}

void session_open(session *s, const char *text, uint8_t draft) {
    session_start(s, NULL);
    if (!session_open_text(s, text, draft)) FAIL("%s at %s", s->error.message, s->error.pointer);
}

const json *session_at(const json *node, const char *pointer) {
    while (*pointer == '/' && node != NULL) {
        char name[256];
        size_t length = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
            name[length++] = *pointer != '~' ? *pointer : *++pointer == '1' ? '/' : '~';
        }
        name[length] = '\0';
        if (node->kind == JSON_OBJECT) {
            node = json_get_n(node, name, length);
        } else {
            uint32_t index = (uint32_t)strtoul(name, NULL, 10);
            for (node = node->child; node != NULL && index > 0; index--) node = node->next;
        }
    }
    return node;
}

const json *session_resolve(session *s, const json *reference) {
    const json *volatile target = NULL;
    ASSERT_NOT_NULL(reference);
    if (setjmp(s->c.exit) == 0) target = resource_resolve(&s->c, reference);
    return target;
}

const char *session_target(session *s, const char *place) {
    const json *target = session_resolve(s, session_at(s->root, place));
    if (target == NULL) return "?";
    const char *document = resource_document(&s->c, target);
    size_t used = 0;
    if (document != NULL) used = (size_t)snprintf(s->pointer, sizeof s->pointer, "%s#", document);
    json_pointer(target, s->pointer + used, sizeof s->pointer - used);
    return s->pointer;
}

uint32_t session_draft(session *s, const char *place) {
    volatile uint32_t draft = 0;
    if (setjmp(s->c.exit) == 0) draft = resource_draft(&s->c, resource_of(&s->c, session_at(s->root, place)));
    return draft;
}
