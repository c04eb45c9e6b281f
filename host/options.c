/* options.c - option structs of other versions of weir.h. */
#include "options.h"

#include <string.h>

weir_status options_read(const char *type, const void *given, size_t least, void *out, size_t size, weir_error *error) {
    enum { MOST = 1 << 16 };
    size_t given_size;
    if (given == NULL) return WEIR_OK;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size < least || given_size > MOST || given_size % sizeof(size_t) != 0) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%s.size is %zu, expected %zu: start from the *_INIT macro", type,
                    given_size, size);
    }
    for (size_t i = size; i < given_size; i++) {
        if (((const char *)given)[i] == 0) continue;
        return fail(error, WEIR_ERROR_ARGUMENT, "%s has a setting at byte %zu that this version, %s, does not know", type,
                    i, weir_version());
    }
    memcpy(out, given, given_size < size ? given_size : size);
    return WEIR_OK;
}
