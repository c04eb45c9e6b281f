/* test_regex.c - each construct of the dialect, the shape of the automata, the refusals with their byte, and the
 * limits. tests/checks/regex compares whole automata with engines that are not ours. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regex_build.h"

static compiler context;
static weir_error error;

static void begin(const weir_allocator *allocator) {
    const weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    arena_free(&context.arena);
    memset(&context, 0, sizeof context);
    memset(&error, 0, sizeof error);
    context.options = options;
    context.options.work_limit = 4000000000u;
    context.error = &error;
    arena_init(&context.arena, allocator, (size_t)512 << 20);
}

/* A copy of exactly this length, so that AddressSanitizer sees a read past the end; NULL: it was refused. */
static const regex *read_n(const char *pattern, size_t length) {
    char *volatile copy = malloc(length != 0 ? length : 1);
    const regex *volatile r = NULL;
    memcpy(copy, pattern, length);
    if (setjmp(context.exit) == 0) r = regex_compile(&context, NULL, copy, (uint32_t)length);
    free(copy);
    return r;
}

static const regex *compile(const char *pattern) {
    begin(NULL);
    test_context("pattern %s", pattern);
    const regex *r = read_n(pattern, strlen(pattern));
    ASSERT_OK(context.status, &error);
    return r;
}

static void done(void) {
    arena_free(&context.arena);
    test_context(NULL);
}

/* Texts of two lists, each ended by NULL. */
#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void expect_texts(const regex *r, const char *const *texts, bool accepted) {
    for (; *texts != NULL; texts++) {
        if (regex_accepts(r, *texts, strlen(*texts)) != accepted) {
            ADD_FAILURE("\"%s\" is %s", *texts, accepted ? "not accepted" : "accepted");
        }
    }
}

static void expect(const char *pattern, const char *const *accepted, const char *const *rejected) {
    const regex *r = compile(pattern);
    expect_texts(r, accepted, true);
    expect_texts(r, rejected, false);
    done();
}

/* As many states as this. */
static void expect_size(const char *pattern, uint32_t state_count) {
    EXPECT_EQ(compile(pattern)->state_count, state_count);
    done();
}

static void refused(const char *pattern, weir_status status, const char *message) {
    begin(NULL);
    test_context("pattern %s", pattern);
    EXPECT_NULL(read_n(pattern, strlen(pattern)));
    EXPECT_STATUS(context.status, status, NULL);
    EXPECT_EQ(error.status, status);
    EXPECT_CONTAINS(error.message, message);
    done();
}

/* The same pattern `count` times, between two others. */
static char *repeated(const char *before, const char *pattern, uint32_t count, const char *after) {
    size_t length = strlen(pattern);
    char *text = malloc(strlen(before) + length * count + strlen(after) + 1);
    char *at = text + sprintf(text, "%s", before);
    for (uint32_t i = 0; i < count; i++, at += length) memcpy(at, pattern, length);
    strcpy(at, after);
    return text;
}

/* --- constructs ----------------------------------------------------------------------------------------------- */

TEST(regex, a_literal_is_searched_anywhere) {
    expect("ab", TEXTS("ab", "xab", "aab", "abx", "xaabab"), TEXTS("", "a", "ba", "a b"));
    expect("", TEXTS("", "a", "\n"), TEXTS(NULL));
}

TEST(regex, anchors_hold_at_the_ends_of_the_text_and_nowhere_else) {
    expect("^ab$", TEXTS("ab"), TEXTS("", "ab\n", "\nab", "xab", "abx"));
    expect("^$", TEXTS(""), TEXTS("\n", "a"));
    expect("$^", TEXTS(""), TEXTS("a"));
    expect("(^a|b$)", TEXTS("a", "ax", "b", "xb"), TEXTS("", "xa", "bx"));
    expect("^a|^b", TEXTS("ax", "bx"), TEXTS("xa"));
    expect("(?:^)*a", TEXTS("a", "xa"), TEXTS("", "x"));
    expect("a$b|c", TEXTS("c"), TEXTS("ab", "a", "a\nb"));
}

TEST(regex, what_cannot_match_anywhere_has_no_state) {
    static const char *const patterns[] = {"a^b",  "a$b",   "[]",     "x[]",           "\\b\\B",
                                           "(?!)", "(?<!)", "(?=a)b", "^(?!a|b)[ab]$", "[\\ud800]"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const regex *r = compile(patterns[i]);
        EXPECT_EQ(r->state_count, 0);
        EXPECT_EQ(r->start, NONE);
        EXPECT_FALSE(regex_accepts(r, "", 0));
        EXPECT_FALSE(regex_accepts(r, "ab", 2));
        done();
    }
}

TEST(regex, quantifiers_count_exactly_and_lazy_ones_mean_the_same) {
    expect("^a*$", TEXTS("", "aaaa"), TEXTS("b", "aab"));
    expect("^a+?b??c*?$", TEXTS("a", "aab", "acc"), TEXTS("", "b", "abb"));
    expect("^a{2}$", TEXTS("aa"), TEXTS("a", "aaa"));
    expect("^a{2,}$", TEXTS("aa", "aaaaa"), TEXTS("", "a"));
    expect("^a{1,3}$", TEXTS("a", "aa", "aaa"), TEXTS("", "aaaa"));
    expect("^a{0}b{0,0}$", TEXTS(""), TEXTS("a", "b"));
    expect("^(?:a{0,2}b){2}$", TEXTS("bb", "aabab"), TEXTS("b", "aaabb", "abbb"));
    expect("^(a?){3}$", TEXTS("", "a", "aaa"), TEXTS("aaaa"));
    expect("^(a*)*$", TEXTS("", "aa"), TEXTS("b"));
    expect("^(?:a|b{2,3}){2}$", TEXTS("aa", "abb", "bba", "bbbbb", "bbbbbb"), TEXTS("a", "ab", "bb", "bbb"));
}

TEST(regex, braces_and_brackets_that_count_or_close_nothing_stand_for_themselves) {
    expect("^a{$", TEXTS("a{"), TEXTS("a"));
    expect("^{$", TEXTS("{"), TEXTS(""));
    expect("^x{,3}$", TEXTS("x{,3}"), TEXTS("xx"));
    expect("^x{1,2$", TEXTS("x{1,2"), TEXTS("x"));
    expect("^{}]$", TEXTS("{}]"), TEXTS(""));
}

TEST(regex, choices_may_be_empty_and_may_begin_alike) {
    expect("^(a|)$", TEXTS("", "a"), TEXTS("aa"));
    expect("^(|a|b)b$", TEXTS("b", "ab", "bb"), TEXTS("a", ""));
    expect("^(foo|foobar|fob|f|)$", TEXTS("", "f", "fob", "foo", "foobar"), TEXTS("fo", "foob"));
    expect("^(?:(?:ab|ac)d|ab)$", TEXTS("ab", "abd", "acd"), TEXTS("ac", "ad"));
}

TEST(regex, groups_of_every_kind_group) {
    expect("^(?:ab)+$", TEXTS("ab", "abab"), TEXTS("a", "aab"));
    expect("^(?<year_1>\\d{2})-(?<$m\xc3\xa9>\\d)$", TEXTS("12-3"), TEXTS("123"));
    expect("^((a)(b(c)))$", TEXTS("abc"), TEXTS("ab"));
}

TEST(regex, the_dot_is_anything_but_a_line_terminator) {
    expect("^.$", TEXTS("a", "\t", "\xc2\x85", "\xc3\xa9", "\xf0\x9f\x98\x80"),
           TEXTS("", "\n", "\r", "\xe2\x80\xa8", "\xe2\x80\xa9", "ab"));
}

TEST(regex, classes_hold_ranges_escapes_and_what_stands_between_them) {
    expect("^[a-cx]$", TEXTS("a", "b", "c", "x"), TEXTS("d", "-", "ax"));
    expect("^[^a-c]$", TEXTS("d", "\n", "\xf0\x9f\x98\x80"), TEXTS("a", "b", ""));
    expect("^[-a]$", TEXTS("-", "a"), TEXTS("b"));
    expect("^[a-]$", TEXTS("-", "a"), TEXTS("b"));
    expect("^[\\w-.]$", TEXTS("-", ".", "_", "Z"), TEXTS("/", "\\"));
    expect("^[a-\\d]$", TEXTS("a", "-", "5"), TEXTS("b"));
    expect("^[\\]\\\\[^]$", TEXTS("]", "\\", "[", "^"), TEXTS("a"));
    expect("^[\\b]$", TEXTS("\b"), TEXTS("b"));
    expect("^[^]$", TEXTS("a", "\n", "\xe2\x80\xa8"), TEXTS("", "ab"));
    expect("^[^\\s\\S]$|x", TEXTS("x"), TEXTS("", "a", " "));
    expect("^[^\\W_]$", TEXTS("a", "0"), TEXTS("_", "-"));
}

TEST(regex, class_escapes_are_those_of_ecma_262) {
    expect("^\\d$", TEXTS("0", "9"), TEXTS("a", "\xd9\xa3"));
    expect("^\\D$", TEXTS("a", "\xd9\xa3"), TEXTS("0"));
    expect("^\\w$", TEXTS("a", "Z", "0", "_"), TEXTS("-", "\xc3\xa9"));
    expect("^\\W$", TEXTS("-", "\xc3\xa9"), TEXTS("a", "_"));
    expect("^\\s$",
           TEXTS(" ", "\t", "\n", "\v", "\f", "\r", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x8a", "\xe2\x80\xa8",
                 "\xe3\x80\x80", "\xef\xbb\xbf"),
           TEXTS("a", "\x1c", "\xc2\x85", "\xe2\x80\x8b", "\xe1\xa0\x8e"));
    expect("^\\S$", TEXTS("a", "\x1c", "\xe2\x80\x8b"), TEXTS(" ", "\xef\xbb\xbf"));
}

TEST(regex, character_escapes_name_code_points) {
    expect("^\\t\\n\\r\\v\\f$", TEXTS("\t\n\r\v\f"), TEXTS("tnrvf"));
    expect("^\\x41\\u0042\\u{43}\\u{000044}$", TEXTS("ABCD"), TEXTS("A"));
    expect("^\\cA\\cz$", TEXTS("\x01\x1a"), TEXTS("Az"));
    expect("^\\-\\_\\/\\\"\\ \\:\\.\\$\\\xc3\xa9$", TEXTS("-_/\" :.$\xc3\xa9"), TEXTS("-"));
    expect("^\\ud83d\\ude00$", TEXTS("\xf0\x9f\x98\x80"), TEXTS("", "\xf0\x9f\x98\x81"));
    expect("^[\\ud83d\\ude00-\\u{1F602}]$", TEXTS("\xf0\x9f\x98\x81"), TEXTS("\xf0\x9f\x98\x83"));
    expect("^[\xc3\xa9\xf0\x9f\x98\x80]$", TEXTS("\xc3\xa9", "\xf0\x9f\x98\x80"), TEXTS("e"));
    const regex *r = compile("^\\0[\\0]$");
    EXPECT_TRUE(regex_accepts(r, "\0\0", 2));
    EXPECT_FALSE(regex_accepts(r, "00", 2));
    done();
    begin(NULL);
    EXPECT_TRUE(regex_accepts(read_n("^a\0b$", 5), "a\0b", 3));
    done();
}

TEST(regex, word_boundaries_know_the_characters_on_both_sides) {
    expect("\\ba\\b",
           TEXTS("a", "-a-", "b a",
                 "\xc3\xa9"
                 "a"),
           TEXTS("", "aa", "_a", "a1"));
    expect("\\Ba\\B", TEXTS("bab"), TEXTS("a", "-a", "ab"));
    expect("^\\B$", TEXTS(""), TEXTS("a", "-"));
    expect("\\b$", TEXTS("a", "-a"), TEXTS("", "a-"));
    expect("^(?:a\\b|\\b-)+$", TEXTS("a", "a-a"), TEXTS("-", "a--"));
    expect("a\\bb|\\b\\bc", TEXTS("c"), TEXTS("ab", "ac"));
}

TEST(regex, lookahead_conjoins_with_the_rest_of_the_text) {
    expect("^(?=.*a)(?=.*b).{2,3}$", TEXTS("ab", "ba", "xab"), TEXTS("a", "aa", "abcd"));
    expect("^(?!.*--)[a-]+$", TEXTS("a-a", "-"), TEXTS("--", "a--a", ""));
    expect("^(?:(?!ab)[ab])*$", TEXTS("", "bba", "ba"), TEXTS("ab", "bab"));
    expect("a(?=b|$)", TEXTS("a", "ab", "aab", "aca"), TEXTS("", "ac"));
    expect("^(?!(?!a))", TEXTS("a", "ab"), TEXTS("", "b"));
    expect("(?=\\ba)(?!a\\b)", TEXTS("ab", "- ab"), TEXTS("a", "a-", "bab"));
    expect("(?=a)*b|(?!a){0}c", TEXTS("b", "c"), TEXTS("a"));
    expect("^(?!a){2}.$", TEXTS("b"), TEXTS("a"));
    expect("(?=^a)|b", TEXTS("a", "b", "cb"), TEXTS("", "ca"));
}

TEST(regex, lookbehind_asks_what_came_before) {
    expect("(?<=a)b", TEXTS("ab", "bab"), TEXTS("b", "ba", "cb"));
    expect("(?<!a)b", TEXTS("b", "cb", "abb"), TEXTS("ab", "a"));
    expect("(?<=^|-)a", TEXTS("a", "b-a"), TEXTS("ba"));
    expect("(?<=ab*)c", TEXTS("ac", "abbc"), TEXTS("c", "bbc"));
    expect("^.*(?<!\\.)$", TEXTS("", "a", ".a"), TEXTS(".", "a."));
    expect("(?<=(?<!a)b)c", TEXTS("bc", "bbc"), TEXTS("abc", "c"));
    expect("(?<=a\\b)-", TEXTS("a-"), TEXTS("-", "--"));
    expect("(?<=a$)", TEXTS("a", "ba"), TEXTS("", "ab"));
    expect("^(?:a|b(?<!ab))*$", TEXTS("", "aa", "ba", "bb"), TEXTS("ab", "bab"));
}

TEST(regex, lookarounds_nest_in_each_other) {
    expect("(?<=a(?=bc))b", TEXTS("abc"), TEXTS("ab", "abb", "bc"));
    expect("(?<!a(?=bc))b", TEXTS("ab", "abb", "bc"), TEXTS("abc"));
    expect("(?=(?<=a)b)", TEXTS("ab"), TEXTS("b", "ba"));
    expect("(?!(?<=a)b)b", TEXTS("b", "cb", "abb"), TEXTS("ab"));
}

TEST(regex, properties_are_general_categories) {
    expect("^\\p{Lu}\\p{Ll}+$", TEXTS("Ab", "\xc3\x89\xc3\xa9"), TEXTS("ab", "A"));
    expect("^\\p{L}{2}$", TEXTS("a\xe4\xb8\xad"), TEXTS("a1"));
    expect("^[\\p{Letter}\\p{Nd}_]$", TEXTS("_", "\xd9\xa3", "\xce\xb1"), TEXTS("-", "\xc2\xbd"));
    expect("^\\P{L}$", TEXTS("1", "\xf0\x9f\x98\x80"), TEXTS("a"));
    expect("^[^\\P{gc=Zs}]$", TEXTS(" ", "\xc2\xa0"), TEXTS("\n", "a"));
    expect("^\\p{General_Category=Decimal_Number}\\p{digit}$", TEXTS("1\xe0\xa5\xaa"), TEXTS("a1"));
    expect("^\\p{ASCII}\\P{ASCII}\\p{Any}$", TEXTS("a\xc3\xa9\n"), TEXTS("aaa"));
    expect("^\\p{LC}\\P{Assigned}$", TEXTS("a\xef\xbf\xbf"), TEXTS("aa"));
}

TEST(regex, all_code_points_are_told_apart_to_the_last) {
    const regex *r = compile("^[\\u{10FFFF}\\uD7FF\\uE000\\0]$");
    EXPECT_EQ(r->states[0].edge_count, 4);
    EXPECT_NE(regex_step(r, 0, 0), NONE);
    EXPECT_NE(regex_step(r, 0, 0xD7FF), NONE);
    EXPECT_NE(regex_step(r, 0, 0xE000), NONE);
    EXPECT_NE(regex_step(r, 0, 0x10FFFF), NONE);
    EXPECT_EQ(regex_step(r, 0, 0x10FFFE), NONE);
    EXPECT_EQ(regex_step(r, NONE, 0), NONE);
    done();
}

/* --- shape ---------------------------------------------------------------------------------------------------- */

TEST(regex, where_everything_is_accepted_there_is_one_state_that_loops_over_all_but_surrogates) {
    static const char *const patterns[] = {"", "a*", "^", "(?:)", "[^]*", "^.*|\\n", "a|(?!a)", "(?<!b)|b"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const regex *r = compile(patterns[i]);
        ASSERT_EQ(r->state_count, 1);
        ASSERT_EQ(r->states[0].edge_count, 2);
        EXPECT_TRUE(r->states[0].accepts);
        EXPECT_EQ(r->edges[0].lo, 0);
        EXPECT_EQ(r->edges[0].hi, 0xD7FF);
        EXPECT_EQ(r->edges[1].lo, 0xE000);
        EXPECT_EQ(r->edges[1].hi, 0x10FFFF);
        EXPECT_EQ(r->edges[0].target | r->edges[1].target, 0);
        done();
    }
}

TEST(regex, automata_are_minimal) {
    expect_size("^(a|b)*abb$", 4);
    expect_size("abc", 4);
    expect_size("^a{255}$", 256);
    expect_size("^[a-zA-Z0-9_-]{1,255}$", 256);
    expect_size("^(?:ab|cb|db)$", 3);
    expect_size("^(?:a(?:bc|bd)|x(?:bc|bd))$", 4);
    expect_size("^(?:x|y|xx|yx|xy|yy)$", 3);
    expect_size("^(?=a)(?=ab)ab$", 3);
    expect_size("(.*a){3}", 4);
}

TEST(regex, states_are_numbered_breadth_first_and_edges_ascend) {
    const regex *r = compile("^(?:b(?:x|y)z|a(?:x|w)|[c-e]q|[f-h]q)$");
    uint32_t next = 1;
    EXPECT_EQ(r->start, 0);
    for (uint32_t i = 0; i < r->state_count; i++) {
        const regex_edge *edges = r->edges + r->states[i].edges;
        for (uint32_t k = 0; k < r->states[i].edge_count; k++) {
            EXPECT_LE(edges[k].lo, edges[k].hi);
            if (k > 0) EXPECT_LT(edges[k - 1].hi, edges[k].lo);
            if (k > 0) EXPECT_TRUE(edges[k - 1].target != edges[k].target || edges[k - 1].hi + 1 < edges[k].lo);
            EXPECT_LE(edges[k].target, next);
            if (edges[k].target == next) next++;
        }
    }
    EXPECT_EQ(next, r->state_count);
    EXPECT_EQ(r->states[0].edge_count, 3); /* a, b, c-h */
    done();
}

TEST(regex, the_same_pattern_gives_the_same_automaton) {
    const regex *r = compile("^(?!x)(?:[a-f]{2,5}|\\w+\\b-)*$");
    uint32_t state_count = r->state_count,
             edge_count = r->states[state_count - 1].edges + r->states[state_count - 1].edge_count;
    regex_edge *edges = malloc(edge_count * sizeof *edges);
    memcpy(edges, r->edges, edge_count * sizeof *edges);
    r = compile("^(?!x)(?:[a-f]{2,5}|\\w+\\b-)*$");
    EXPECT_EQ(r->state_count, state_count);
    EXPECT_BYTES_EQ(r->edges, edge_count * sizeof *edges, edges, edge_count * sizeof *edges);
    free(edges);
    done();
}

/* --- combinations --------------------------------------------------------------------------------------------- */

TEST(regex, an_intersection_accepts_what_both_accept) {
    begin(NULL);
    const regex *a = read_n("^[a-z]*$", 8), *b = read_n("ab", 2);
    const regex *both = regex_intersect(&context, NULL, a, b);
    expect_texts(both, TEXTS("ab", "xabx"), true);
    expect_texts(both, TEXTS("", "a", "AB", "ab-"), false);
    EXPECT_EQ(both->state_count, 3);
    EXPECT_EQ(regex_intersect(&context, NULL, a, read_n("-", 1))->start, NONE);
    EXPECT_EQ(regex_intersect(&context, NULL, read_n("[]", 2), a)->start, NONE);
    done();
}

TEST(regex, a_difference_accepts_what_only_the_first_accepts) {
    begin(NULL);
    const regex *all = read_n("", 0), *letters = read_n("^[a-z]*$", 8), *ab = read_n("ab", 2), *none = read_n("[]", 2);
    const regex *rest = regex_subtract(&context, NULL, letters, ab);
    expect_texts(rest, TEXTS("", "a", "ba"), true);
    expect_texts(rest, TEXTS("ab", "xab", "A"), false);
    EXPECT_EQ(regex_subtract(&context, NULL, letters, letters)->start, NONE);
    EXPECT_EQ(regex_subtract(&context, NULL, letters, all)->start, NONE);
    EXPECT_EQ(regex_subtract(&context, NULL, none, all)->start, NONE);
    EXPECT_EQ(regex_subtract(&context, NULL, letters, none)->state_count, letters->state_count);
    const regex *back = regex_subtract(&context, NULL, all, regex_subtract(&context, NULL, all, ab));
    EXPECT_EQ(back->state_count, ab->state_count);
    EXPECT_BYTES_EQ(back->edges, 9 * sizeof *ab->edges, ab->edges, 9 * sizeof *ab->edges);
    done();
}

/* --- refusals ------------------------------------------------------------------------------------------------- */

TEST(regex, a_wrong_pattern_is_refused_at_its_byte) {
    static const struct {
        const char *pattern, *message;
    } cases[] = {
        {"ab)", "byte 2 of the pattern: the ) closes no group"},
        {"a(b(c)", "byte 1 of the pattern: the group that opens here is not closed"},
        {"a[bc", "byte 1 of the pattern: the class that opens here is not closed"},
        {"[a-", "byte 0 of the pattern: the class that opens here is not closed"},
        {"x[b-a]", "byte 2 of the pattern: the ends of the range are out of order"},
        {"*", "byte 0 of the pattern: there is nothing to repeat"},
        {"a|+", "byte 2 of the pattern: there is nothing to repeat"},
        {"a**", "byte 2 of the pattern: there is nothing to repeat"},
        {"a++", "byte 2 of the pattern: there is nothing to repeat"},
        {"^*", "byte 1 of the pattern: there is nothing to repeat"},
        {"\\b?", "byte 2 of the pattern: there is nothing to repeat"},
        {"(?<=a)?", "byte 6 of the pattern: there is nothing to repeat"},
        {"{1}", "byte 0 of the pattern: there is nothing to repeat"},
        {"a{2,1}", "byte 1 of the pattern: the numbers in { } are out of order"},
        {"ab\\", "byte 2 of the pattern: expected a character after the backslash"},
        {"\xc3\xa9\\u12", "byte 2 of the pattern: expected four hexadecimal digits"},
        {"\\u{110000}", "byte 0 of the pattern: expected \\u{...} with a code point"},
        {"\\u{}", "byte 0 of the pattern: expected \\u{...} with a code point"},
        {"[\\xg1]", "byte 1 of the pattern: expected two hexadecimal digits"},
        {"\\c1", "byte 0 of the pattern: expected a letter after \\c"},
        {"(?<>a)", "byte 3 of the pattern: expected the name of a group"},
        {"(?<a-b>c)", "byte 4 of the pattern: expected the name of a group"},
        {"(?<a", "byte 4 of the pattern: expected the name of a group"},
        {"\\pL", "byte 0 of the pattern: expected {...} after \\p"},
        {"\\p{L", "byte 0 of the pattern: expected a }"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i].pattern, WEIR_ERROR_SCHEMA, cases[i].message);
}

TEST(regex, what_is_not_supported_is_refused_by_name) {
    static const struct {
        const char *pattern, *message;
    } cases[] = {
        {"(a)\\1", "byte 3 of the pattern: back references are not supported"},
        {"(?<x>a)\\k<x>", "byte 7 of the pattern: back references are not supported"},
        {"[\\2]", "byte 1 of the pattern: back references are not supported"},
        {"\\012", "byte 0 of the pattern: octal escapes are not supported"},
        {"a(?i)b", "byte 1 of the pattern: inline flags are not supported"},
        {"(?s-i:b)", "byte 0 of the pattern: inline flags are not supported"},
        {"(?P<x>b)", "byte 0 of the pattern: groups of this kind are not supported"},
        {"(?>b)", "byte 0 of the pattern: groups of this kind are not supported"},
        {"ab\\Z", "byte 2 of the pattern: ECMA-262 knows no such escape of a letter"},
        {"[\\B]", "byte 1 of the pattern: ECMA-262 knows no such escape of a letter"},
        {"\\p{Script=Greek}", "byte 0 of the pattern: this Unicode property is not supported"},
        {"[\\P{gc=Any}]", "byte 1 of the pattern: this Unicode property is not supported"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i].pattern, WEIR_ERROR_SCHEMA, cases[i].message);
}

/* --- limits --------------------------------------------------------------------------------------------------- */

TEST(regex, hostile_patterns_end_at_a_limit) {
    refused("((a{100}){100}){100}", WEIR_ERROR_LIMIT, "repetitions written out, has more than 100000 parts");
    refused("a{99999999999999999999}", WEIR_ERROR_LIMIT, "repetitions written out");
    refused("(a|b)*a(a|b){20}$", WEIR_ERROR_LIMIT, "more than 20000 states");
    refused("^(?=.*a.{10})(?=.*b.{10})(?=.*c.{10})", WEIR_ERROR_LIMIT, "more than 20000 states");
    char *text = repeated("", "(?:", 201, "");
    refused(text, WEIR_ERROR_LIMIT, "byte 600 of the pattern: groups are nested more than 200 deep");
    free(text);
    char *looks = repeated(
        "(?:(?=[a-m])|(?=[b-n])|(?=[c-o])|(?=[d-p])|(?=[e-q])|(?=[f-r])|(?=[g-s])|(?=[h-t])|(?=[i-u])|(?=[j-v])",
        "|(?=[k-w])|(?=[l-x])|(?=[m-y])|(?=[n-z])|(?=[A-M])|(?=[B-N])|(?=[C-O])|(?=[D-P])", 1, ")*x");
    refused(looks, WEIR_ERROR_LIMIT, "lookarounds meet in more than");
    free(looks);
    char *run = repeated("", "a", 5000, "");
    refused(run, WEIR_ERROR_LIMIT, "more than 4000000 combinations");
    free(run);
}

TEST(regex, deep_and_long_patterns_within_the_limits_compile) {
    static const char *const opens[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?:a|"};
    for (size_t i = 0; i < sizeof opens / sizeof *opens; i++) {
        char *closes = repeated("a", ")", 200, ""), *text = repeated("", opens[i], 200, closes);
        EXPECT_LE(compile(text)->state_count, 3);
        done();
        free(closes);
        free(text);
    }
    char *text = repeated("^", "a?", 1000, "$");
    expect_size(text, 1001);
    free(text);
    expect_size("^.{0,19000}$", 19001);
    expect_size("(((){1000}){1000}){1000}((a{0}){1000000}){1000000}", 1);
}

TEST(regex, work_and_memory_stay_in_the_budget_of_the_compile) {
    begin(NULL);
    context.options.work_limit = 20000;
    EXPECT_NULL(read_n("^[a-z]{1,2000}$", 15));
    EXPECT_STATUS(context.status, WEIR_ERROR_LIMIT, NULL);
    EXPECT_CONTAINS(error.message, "units of work");
    begin(NULL);
    context.arena.limit = 65536;
    EXPECT_NULL(read_n("^[a-z]{1,2000}$", 15));
    EXPECT_STATUS(context.status, WEIR_ERROR_LIMIT, NULL);
    EXPECT_CONTAINS(error.message, "bytes of memory");
    done();
}

TEST(regex, a_failed_allocation_is_an_error_and_leaks_nothing) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    static const char pattern[] = "^(?!x)(?:\\p{L}{1,4}\\b|(?<=a)[b-z]-){2,9}$";
    while (test_next_failure(memory)) {
        begin(&allocator);
        const regex *r = read_n(pattern, strlen(pattern));
        EXPECT_EQ(r == NULL, memory->failed);
        EXPECT_STATUS(context.status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, NULL);
        done();
    }
}
