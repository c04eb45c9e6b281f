/* status.c - a code, a place and a sentence into the caller's weir_error; the names of codes and of the version. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_OF(x)                      #x
#define VERSION_OF(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *weir_version(void) {
    return VERSION_OF(WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
}

const char *weir_status_name(weir_status status) {
    switch (status) {
    case WEIR_OK: return "WEIR_OK";
    case WEIR_ERROR_ARGUMENT: return "WEIR_ERROR_ARGUMENT";
    case WEIR_ERROR_MEMORY: return "WEIR_ERROR_MEMORY";
    case WEIR_ERROR_FILE: return "WEIR_ERROR_FILE";
    case WEIR_ERROR_JSON: return "WEIR_ERROR_JSON";
    case WEIR_ERROR_SCHEMA: return "WEIR_ERROR_SCHEMA";
    case WEIR_ERROR_VOCAB: return "WEIR_ERROR_VOCAB";
    case WEIR_ERROR_LIMIT: return "WEIR_ERROR_LIMIT";
    case WEIR_ERROR_UNSATISFIABLE: return "WEIR_ERROR_UNSATISFIABLE";
    case WEIR_ERROR_TOKEN: return "WEIR_ERROR_TOKEN";
    case WEIR_ERROR_TABLES: return "WEIR_ERROR_TABLES";
    case WEIR_ERROR_CANCELLED: return "WEIR_ERROR_CANCELLED";
    case WEIR_ERROR_DEVICE: return "WEIR_ERROR_DEVICE";
    }
    return "WEIR_ERROR_UNKNOWN";
}

size_t whole_characters(const char *text, size_t length) {
    size_t start = length; /* of the last sequence */
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0) return length;
    unsigned char lead = (unsigned char)text[--start];
    size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return length - start < needed ? start : length;
}

/* Drops a character that was cut at the end of a full buffer. */
static void trim_cut_character(char *text, size_t capacity) {
    size_t length = strlen(text);
    if (length + 1 == capacity) text[whole_characters(text, length)] = '\0';
}

static weir_status fill(weir_error *error, weir_status status, const char *pointer, int64_t byte, const char *format,
                        va_list arguments) {
    if (!error) return status;
    weir_error made = {.status = status, .row = -1, .byte = byte};
    /* Into a copy: pointer and arguments may lie in *error itself. */
    snprintf(made.pointer, sizeof made.pointer, "%s", pointer);
    vsnprintf(made.message, sizeof made.message, format, arguments);
    trim_cut_character(made.pointer, sizeof made.pointer);
    trim_cut_character(made.message, sizeof made.message);
    *error = made;
    return status;
}

weir_status fail(weir_error *error, weir_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, "", -1, format, arguments);
    va_end(arguments);
    return status;
}

weir_status fail_at_byte(weir_error *error, weir_status status, int64_t byte, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, "", byte, format, arguments);
    va_end(arguments);
    return status;
}

weir_status fail_at_pointer(weir_error *error, weir_status status, const char *pointer, int64_t byte,
                            const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fill(error, status, pointer, byte, format, arguments);
    va_end(arguments);
    return status;
}
