/* arguments.cuh - the flags of a bench: numbers, lists and names in, or a line on stderr that says what was expected. */
#ifndef WEIR_BENCH_ARGUMENTS_CUH
#define WEIR_BENCH_ARGUMENTS_CUH

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MOST = 8 };

/* Up to LIST_MOST numbers from 1 to `most`, with commas between. */
static inline bool read_numbers(const char *text, unsigned long most, uint32_t *list, int *count) {
    char *end;
    for (*count = 0; *count < LIST_MOST; text = end + 1) {
        unsigned long value = strtoul(text, &end, 10);
        if (end == text || value == 0 || value > most || (*end != ',' && *end != '\0')) return false;
        list[(*count)++] = static_cast<uint32_t>(value);
        if (*end == '\0') return true;
    }
    return false;
}

/* Which of the names stand in the text, with commas between; at most as many as there are. */
static inline bool read_names(const char *text, const char *const *names, int name_count, int *list, int *count) {
    for (*count = 0; *count < name_count;) {
        size_t length = strcspn(text, ",");
        int found = 0;
        while (found < name_count && (strlen(names[found]) != length || strncmp(names[found], text, length) != 0)) found++;
        if (found == name_count) return false;
        list[(*count)++] = found;
        if (text[length] == '\0') return true;
        text += length + 1;
    }
    return false;
}

static inline bool read_number(const char *text, double least, double most, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

/* Reads every text with alone(flag, out), true where the flag stands alone, or with valued(flag, value, out): NULL, or what
 * was expected. false: the line is written. */
template <typename Arguments>
static inline bool read_flags(const char *program, int count, char **texts, bool (*alone)(const char *, Arguments *),
                              const char *(*valued)(const char *, const char *, Arguments *), Arguments *out) {
    for (int i = 1; i < count; i++) {
        if (alone(texts[i], out)) continue;
        const char *value = i + 1 < count ? texts[i + 1] : "", *expected = i + 1 < count ? valued(texts[i], value, out) : "a flag and its value";
        if (expected != nullptr) {
            fprintf(stderr, "%s: %s: found \"%s\", expected %s\n", program, texts[i], value, expected);
            return false;
        }
        i++;
    }
    return true;
}

#endif
