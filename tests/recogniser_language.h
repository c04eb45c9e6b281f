/* recogniser_language.h - sets of words over Unicode characters: what patterns, lengths and finite sets say of a string.
 *
 * A language is a regular expression with "and" and "not"; equal expressions are one number. What may follow a first
 * character is its derivative, again a language, so a text is read by taking derivatives, and a prefix can be completed
 * where its derivative holds a word. In: code points, ECMA-262 patterns (recogniser_pattern.c). One thread. */
#ifndef WEIR_TESTS_RECOGNISER_LANGUAGE_H
#define WEIR_TESTS_RECOGNISER_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t language;
typedef struct language_pool language_pool;

enum {
    LANGUAGE_NONE,  /* no word */
    LANGUAGE_EMPTY, /* the empty word only */
    LANGUAGE_ALL
};
#define LANGUAGE_FOREVER UINT32_MAX /* as the upper count of a loop */

typedef struct character_range {
    uint32_t low, high; /* both inside */
} character_range;

language_pool *language_pool_create(void);
void language_pool_destroy(language_pool *pool);

/* One character of these ranges, which may overlap and come in any order. */
language language_of_set(language_pool *pool, const character_range *ranges, uint32_t count);
/* One word, given as UTF-8. */
language language_of_word(language_pool *pool, const char *text, size_t length);
language language_concat(language_pool *pool, language first, language second);
language language_loop(language_pool *pool, language body, uint32_t least, uint32_t most);
language language_or(language_pool *pool, language a, language b);
language language_and(language_pool *pool, language a, language b);
language language_not(language_pool *pool, language a);
/* All words of `least` to `most` characters. */
language language_of_length(language_pool *pool, uint64_t least, uint64_t most);
/* The strings in which an ECMA-262 pattern matches somewhere; false, with a few words, for what cannot be read. */
bool language_of_pattern(language_pool *pool, const char *text, size_t length, language *out, const char **why);

/* What may follow the character. */
language language_after(language_pool *pool, language of, uint32_t character);
/* Does it hold the empty word? */
bool language_ends(const language_pool *pool, language of);
bool language_holds(language_pool *pool, language of, const char *text, size_t length);
/* Does it hold any word? 1, 0, or -1: too large to say. */
int language_lives(language_pool *pool, language of);
/* Does it hold one that begins with a character from `low` to `high`? The least such character goes to *found. */
int language_lives_after(language_pool *pool, language of, uint32_t low, uint32_t high, uint32_t *found);
/* How many words, counted up to `limit`; UINT64_MAX: too large to say. */
uint64_t language_count(language_pool *pool, language of, uint64_t limit);
/* A shortest word, as UTF-8, NUL-terminated as well; NULL: none was found. Free with free(). */
char *language_word(language_pool *pool, language of, size_t *length);

#endif
