/* vocab_text.c - a path in, the file's bytes out, decompressed where they are gzip; every size is bounded. */
#include "vocab_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static weir_status read_file(const weir_allocator *allocator, const char *path, vocab_text *out, bool *missing,
                             weir_error *error);
static bool is_gzip(const uint8_t *bytes, size_t length);
static weir_status inflate_text(const weir_allocator *allocator, const uint8_t *packed, size_t length, vocab_text *out,
                                weir_error *error);

weir_status vocab_text_read(const weir_allocator *allocator, const char *path, vocab_text *out, bool *missing,
                            weir_error *error) {
    vocab_text file = {0};
    *out = file;
    if (missing) *missing = false;
    weir_status status = read_file(allocator, path, &file, missing, error);
    if (status == WEIR_OK && is_gzip(file.bytes, file.length)) {
        status = inflate_text(allocator, file.bytes, file.length, out, error);
        vocab_text_free(allocator, &file);
    } else if (status == WEIR_OK) {
        *out = file;
    } else {
        vocab_text_free(allocator, &file);
    }
    return status;
}

weir_status vocab_text_copy(const weir_allocator *allocator, const void *bytes, size_t length, vocab_text *out,
                            weir_error *error) {
    *out = (vocab_text){0};
    if (length > VOCAB_FILE_LIMIT)
        return fail(error, WEIR_ERROR_ARGUMENT, "%zu bytes; expected at most %zu", length, VOCAB_FILE_LIMIT);
    if (is_gzip(bytes, length)) return inflate_text(allocator, bytes, length, out, error);
    out->bytes = allocate(allocator, length + 1);
    if (!out->bytes) return fail(error, WEIR_ERROR_MEMORY, "no memory for %zu bytes of text", length);
    if (length > 0) memcpy(out->bytes, bytes, length);
    out->capacity = length + 1;
    out->length = length;
    return WEIR_OK;
}

void vocab_text_free(const weir_allocator *allocator, vocab_text *text) {
    if (text->bytes) release(allocator, text->bytes, text->capacity);
    *text = (vocab_text){0};
}

/* Makes room for `more` bytes behind the length, within `limit`. */
static weir_status grow(const weir_allocator *allocator, vocab_text *text, size_t more, size_t limit,
                        weir_error *error) {
    if (text->capacity - text->length >= more) return WEIR_OK;
    if (text->length + more > limit)
        return fail_at_byte(error, WEIR_ERROR_FILE, (int64_t)text->length, "more than %zu bytes; expected a vocabulary",
                            limit - more);
    size_t capacity = text->capacity * 2 > text->length + more ? text->capacity * 2 : text->length + more;
    if (capacity > limit) capacity = limit;
    uint8_t *bytes = reallocate(allocator, text->bytes, text->capacity, capacity);
    if (!bytes) return fail(error, WEIR_ERROR_MEMORY, "no memory for %zu bytes of text", capacity);
    text->bytes = bytes;
    text->capacity = capacity;
    return WEIR_OK;
}

static weir_status read_file(const weir_allocator *allocator, const char *path, vocab_text *out, bool *missing,
                             weir_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        if (missing) *missing = errno == ENOENT;
        return fail(error, WEIR_ERROR_FILE, "cannot be opened: %s", strerror(errno));
    }
    weir_status status = WEIR_OK;
    size_t got = 1;
    setvbuf(file, NULL, _IONBF, 0);
    while (status == WEIR_OK && got > 0) {
        status = grow(allocator, out, 1 << 20, VOCAB_FILE_LIMIT + (1 << 20), error);
        if (status != WEIR_OK) break;
        got = fread(out->bytes + out->length, 1, out->capacity - out->length, file);
        out->length += got;
        if (out->length >= VOCAB_GGUF_LIMIT && memcmp(out->bytes, "GGUF", 4) == 0) break; /* the rest is weights */
    }
    if (status == WEIR_OK && ferror(file))
        status = fail_at_byte(error, WEIR_ERROR_FILE, (int64_t)out->length, "cannot be read: %s", strerror(errno));
    fclose(file);
    return status;
}

static bool is_gzip(const uint8_t *bytes, size_t length) {
    return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* zlib through the caller's allocator; the size stands before each block because zlib does not say it when it frees. */
enum { ZLIB_HEADER = 16 };

static void *zlib_allocate(void *context, unsigned count, unsigned size) {
    const size_t total = (size_t)count * size + ZLIB_HEADER;
    uint8_t *block = allocate(context, total);
    if (!block) return NULL;
    memcpy(block, &total, sizeof total);
    return block + ZLIB_HEADER;
}

static void zlib_free(void *context, void *pointer) {
    uint8_t *block = (uint8_t *)pointer - ZLIB_HEADER;
    size_t total;
    memcpy(&total, block, sizeof total);
    release(context, block, total);
}

static weir_status fail_gzip(const z_stream *stream, size_t consumed, int code, weir_error *error) {
    if (code == Z_MEM_ERROR) return fail(error, WEIR_ERROR_MEMORY, "no memory to decompress");
    return fail_at_byte(error, WEIR_ERROR_FILE, (int64_t)consumed, "gzip data is damaged at compressed byte %zu: %s",
                        consumed, stream->msg ? stream->msg : "cannot be decompressed");
}

/* Vocabularies compress to a third; 32 times and 64 MiB more is a bomb. Members that follow each other are one text. */
static weir_status inflate_text(const weir_allocator *allocator, const uint8_t *packed, size_t length, vocab_text *out,
                                weir_error *error) {
    size_t limit = length * 32 + ((size_t)64 << 20);
    if (limit > VOCAB_FILE_LIMIT) limit = VOCAB_FILE_LIMIT;
    z_stream stream = {.zalloc = zlib_allocate, .zfree = zlib_free, .opaque = (void *)(uintptr_t)allocator};
    int code = inflateInit2(&stream, 16 + MAX_WBITS);
    if (code != Z_OK) return fail_gzip(&stream, 0, code, error);
    weir_status status = WEIR_OK;
    stream.next_in = (Bytef *)(uintptr_t)packed;
    stream.avail_in = (unsigned)length; /* at most VOCAB_FILE_LIMIT + 1 MiB */
    status = grow(allocator, out, length * 4 + 4096 < limit ? length * 4 + 4096 : limit, limit + 4096, error);
    while (status == WEIR_OK) {
        status = grow(allocator, out, 4096, limit + 4096, error);
        if (status != WEIR_OK) break;
        const size_t room = out->capacity - out->length;
        stream.next_out = out->bytes + out->length;
        stream.avail_out = (unsigned)room;
        code = inflate(&stream, Z_NO_FLUSH);
        out->length += room - stream.avail_out;
        const size_t consumed = length - stream.avail_in;
        if (code == Z_STREAM_END && stream.avail_in == 0) break;
        if (code == Z_STREAM_END && is_gzip(stream.next_in, stream.avail_in))
            inflateReset(&stream);
        else if (code == Z_STREAM_END)
            status = fail_at_byte(error, WEIR_ERROR_FILE, (int64_t)consumed,
                                  "compressed byte %zu follows the end of the gzip data", consumed);
        else if (code != Z_OK && code != Z_BUF_ERROR)
            status = fail_gzip(&stream, consumed, code, error);
        else if (stream.avail_in == 0 && stream.avail_out > 0)
            status = fail_at_byte(error, WEIR_ERROR_FILE, (int64_t)consumed,
                                  "gzip data ends after %zu bytes; expected its end mark", consumed);
    }
    inflateEnd(&stream);
    if (status != WEIR_OK) vocab_text_free(allocator, out);
    return status;
}
