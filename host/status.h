/* status.h - how errors are made: a code, a place and a sentence, in the caller's weir_error. */
#ifndef WEIR_HOST_STATUS_H
#define WEIR_HOST_STATUS_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills *error (NULL is fine) and returns `status`, so that `return fail(...)` reads well. Message: printf style. */
weir_status fail(weir_error *error, weir_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with a byte offset into the text that was read. */
weir_status fail_at_byte(weir_error *error, weir_status status, int64_t byte, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a JSON pointer and a byte (-1: none). */
weir_status fail_at_pointer(weir_error *error, weir_status status, const char *pointer, int64_t byte, const char *format,
                            ...) __attribute__((format(printf, 5, 6)));

/* The longest prefix of a UTF-8 text, cut at `length`, that does not end inside a character. */
size_t whole_characters(const char *text, size_t length);

/* Returns early with the status of a failing call. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        weir_status try_status_ = (call);                                                                              \
        if (try_status_ != WEIR_OK) return try_status_;                                                                \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
