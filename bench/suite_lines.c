/* suite_lines.c - the lines of a file, plain or .xz, one at a time: memory is bounded by the longest line. */
#include "suite.h"

#include <lzma.h>

enum { CHUNK = 1 << 16 };

struct suite_lines {
    FILE *file;
    lzma_stream stream;
    bool packed, over;
    const char *error;
    uint8_t in[CHUNK];
    char *text; /* unpacked; lines from `next` on have not been given */
    size_t next, length, capacity;
};

suite_lines *suite_lines_open(const char *path) {
    size_t length = strlen(path);
    suite_lines *lines = calloc(1, sizeof *lines);
    if (lines == NULL) return NULL;
    lines->packed = length > 3 && strcmp(path + length - 3, ".xz") == 0;
    lines->stream = (lzma_stream)LZMA_STREAM_INIT;
    lines->file = fopen(path, "rb");
    int reason = errno;
    bool good = lines->file != NULL;
    if (good && lines->packed) {
        good = lzma_stream_decoder(&lines->stream, UINT64_MAX, LZMA_CONCATENATED) == LZMA_OK;
        reason = ENOMEM;
    }
    if (good) return lines;
    suite_lines_close(lines);
    errno = reason;
    return NULL;
}

void suite_lines_close(suite_lines *lines) {
    if (lines == NULL) return;
    if (lines->packed) lzma_end(&lines->stream);
    if (lines->file) fclose(lines->file);
    free(lines->text);
    free(lines);
}

const char *suite_lines_error(const suite_lines *lines) {
    return lines->error;
}

/* Up to CHUNK more bytes at `at`. */
static size_t unpack(suite_lines *lines, uint8_t *at) {
    lzma_stream *stream = &lines->stream;
    if (stream->avail_in == 0) {
        stream->next_in = lines->in;
        stream->avail_in = fread(lines->in, 1, sizeof lines->in, lines->file);
    }
    stream->next_out = at;
    stream->avail_out = CHUNK;
    lzma_ret result = lzma_code(stream, stream->avail_in > 0 ? LZMA_RUN : LZMA_FINISH);
    lines->over = result == LZMA_STREAM_END;
    if (result != LZMA_OK && result != LZMA_STREAM_END) lines->error = "not a whole .xz file";
    return CHUNK - stream->avail_out;
}

/* More text behind what has not been given yet. */
static void read_more(suite_lines *lines) {
    size_t left = lines->length - lines->next;
    if (lines->next > 0) memmove(lines->text, lines->text + lines->next, left);
    lines->next = 0;
    lines->length = left;
    if (left + CHUNK > lines->capacity) {
        size_t capacity = 2 * lines->capacity + CHUNK;
        char *larger = realloc(lines->text, capacity);
        if (larger == NULL) {
            lines->error = "memory is short";
            return;
        }
        lines->text = larger;
        lines->capacity = capacity;
    }
    if (lines->packed) {
        lines->length += unpack(lines, (uint8_t *)lines->text + left);
    } else {
        size_t count = fread(lines->text + left, 1, CHUNK, lines->file);
        lines->length += count;
        lines->over = count == 0;
    }
    if (ferror(lines->file)) lines->error = "cannot be read";
}

const char *suite_lines_next(suite_lines *lines, size_t *length) {
    size_t searched = 0;
    for (;;) {
        size_t left = lines->length - lines->next;
        char *begin = left > 0 ? lines->text + lines->next : NULL;
        char *end = left > searched ? memchr(begin + searched, '\n', left - searched) : NULL;
        if (lines->error) return NULL;
        if (end != NULL || (lines->over && left > 0)) {
            *length = end ? (size_t)(end - begin) : left;
            lines->next += *length + (end != NULL);
            return begin;
        }
        if (lines->over) return NULL;
        searched = left;
        read_more(lines);
    }
}
