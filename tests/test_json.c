/* test_json.c - the reader against every rule of RFC 8259, and the questions that a tree answers. */
#include "harness.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static arena tree_arena;
static weir_error tree_error;

/* One text at a time: its tree, or NULL and tree_error. Texts with U+0000 in them have a length. */
static const json *read_limited(const char *text, size_t length, const json_limits *limits, weir_status *status) {
    const json *root = (const json *)&tree_arena; /* not NULL, so that failure must clear it */
    arena_free(&tree_arena);
    arena_init(&tree_arena, NULL, 0);
    memset(&tree_error, 0, sizeof tree_error);
    /* A copy of exactly this length, so that AddressSanitizer sees a read past the end. */
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    *status = json_parse(copy, length, limits, &tree_arena, &root, &tree_error);
    free(copy);
    EXPECT_EQ(*status == WEIR_OK, root != NULL);
    return root;
}

static const json *read_n(const char *text, size_t length) {
    weir_status status;
    const json *root = read_limited(text, length, NULL, &status);
    test_context("text %.*s", (int)(length < 200 ? length : 200), text);
    ASSERT_OK(status, &tree_error);
    return root;
}

static const json *read_text(const char *text) {
    return read_n(text, strlen(text));
}

static void done(void) {
    arena_free(&tree_arena);
    test_context(NULL);
}

/* The text is refused at this byte, with these words in the message. */
static void refused_n(const char *text, size_t length, int64_t byte, const char *found, const char *expected) {
    weir_status status;
    read_limited(text, length, NULL, &status);
    test_context("text %.*s", (int)(length < 200 ? length : 200), text);
    EXPECT_STATUS(status, WEIR_ERROR_JSON, NULL);
    EXPECT_EQ(tree_error.status, WEIR_ERROR_JSON);
    EXPECT_EQ(tree_error.byte, byte);
    EXPECT_EQ(tree_error.row, -1);
    EXPECT_CONTAINS(tree_error.message, "found ");
    EXPECT_CONTAINS(tree_error.message, found);
    EXPECT_CONTAINS(tree_error.message, expected);
    done();
}

static void refused(const char *text, int64_t byte, const char *found, const char *expected) {
    refused_n(text, strlen(text), byte, found, expected);
}

static void string_is_n(const char *text, const char *expected, size_t length) {
    const json *value = read_text(text);
    EXPECT_EQ(value->kind, JSON_STRING);
    EXPECT_BYTES_EQ(value->text, value->length, expected, length);
    EXPECT_EQ(value->text[value->length], 0);
    done();
}

static void string_is(const char *text, const char *expected) {
    string_is_n(text, expected, strlen(expected));
}

/* --- values ----------------------------------------------------------------------------------------------- */

TEST(json, every_kind_of_value_may_be_the_whole_text) {
    static const struct {
        const char *text;
        json_kind kind;
    } cases[] = {{"null", JSON_NULL},   {"true", JSON_TRUE}, {"false", JSON_FALSE}, {"0", JSON_NUMBER},
                 {"\"\"", JSON_STRING}, {"[]", JSON_ARRAY},  {"{}", JSON_OBJECT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const json *value = read_text(cases[i].text);
        EXPECT_EQ(value->kind, cases[i].kind);
        EXPECT_EQ(value->count, 0);
        EXPECT_NULL(value->child);
        EXPECT_NULL(value->next);
        EXPECT_NULL(value->parent);
        EXPECT_NULL(value->key);
        EXPECT_EQ(value->byte, 0);
        done();
    }
}

TEST(json, literals_are_spelled_exactly) {
    refused("nul", 3, "the end of the text", "null");
    refused("nulL", 3, "'L'", "null");
    refused("tru", 3, "the end of the text", "true");
    refused("trUe", 2, "'U'", "true");
    refused("fals", 4, "the end of the text", "false");
    refused("False", 0, "'F'", "a value");
    refused("TRUE", 0, "'T'", "a value");
    refused("NaN", 0, "'N'", "a value");
    refused("Infinity", 0, "'I'", "a value");
    refused("undefined", 0, "'u'", "a value");
    refused("nullx", 4, "'x'", "the end of the text");
    refused("truefalse", 4, "'f'", "the end of the text");
}

TEST(json, white_space_is_four_characters_and_nothing_else) {
    const json *value = read_text(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n");
    EXPECT_EQ(value->count, 2);
    EXPECT_EQ(value->byte, 4);
    EXPECT_EQ(value->child->byte, 9);
    value = read_text("{ \n\"a\" \n: \n1 \n, \n\"b\" \n: \n{ \n} \n}");
    EXPECT_EQ(value->count, 2);
    done();
    refused("[\f1]", 1, "the byte 0x0c", "a value or ']'");
    refused("[1\v]", 2, "the byte 0x0b", "',' or ']'");
    refused("\xc2\xa0"
            "1",
            0, "'\xc2\xa0'", "a value");
    refused("1\xe2\x80\xa8", 1, "'\xe2\x80\xa8'", "the end of the text");
    refused_n("1\0", 2, 1, "the byte 0x00", "the end of the text");
}

TEST(json, there_is_exactly_one_value) {
    refused("", 0, "the end of the text", "a value");
    refused(" \n ", 3, "the end of the text", "a value");
    refused("1 2", 2, "'2'", "the end of the text");
    refused("{}{}", 2, "'{'", "the end of the text");
    refused("[]]", 2, "']'", "the end of the text");
    refused("{}}", 2, "'}'", "the end of the text");
    refused("\"a\"\"b\"", 3, "'\"'", "the end of the text");
    refused("1,", 1, "','", "the end of the text");
    refused("null // no", 5, "'/'", "the end of the text");
    refused("/* no */ null", 0, "'/'", "a value");
}

TEST(json, no_text_is_the_empty_text) {
    arena a;
    arena_init(&a, NULL, 0);
    const json *root;
    EXPECT_STATUS(json_parse(NULL, 0, NULL, &a, &root, &tree_error), WEIR_ERROR_JSON, NULL);
    EXPECT_STATUS(json_parse(NULL, 3, NULL, &a, &root, &tree_error), WEIR_ERROR_ARGUMENT, NULL);
    EXPECT_STATUS(json_parse("[", 1, NULL, &a, &root, NULL), WEIR_ERROR_JSON, NULL); /* error may be NULL */
    EXPECT_NULL(root);
    arena_free(&a);
}

TEST(json, a_byte_order_mark_is_refused_by_name) {
    refused("\xef\xbb\xbf{}", 0, "a byte order mark", "a value");
    refused("\xff\xfe{", 0, "the byte 0xff", "a value");
    refused(" \xef\xbb\xbf{}", 1, "'\xef\xbb\xbf'", "a value");
    string_is("\"\xef\xbb\xbf\"", "\xef\xbb\xbf"); /* inside a string U+FEFF is a character */
}

/* --- containers ------------------------------------------------------------------------------------------- */

TEST(json, arrays_keep_order_links_and_bytes) {
    const json *root = read_text("[1,[2,[]],\"x\"]");
    EXPECT_EQ(root->kind, JSON_ARRAY);
    EXPECT_EQ(root->count, 3);
    const json *one = root->child, *inner = one->next, *last = inner->next;
    EXPECT_STREQ(one->text, "1");
    EXPECT_EQ(one->byte, 1);
    EXPECT_EQ(inner->count, 2);
    EXPECT_EQ(inner->byte, 3);
    EXPECT_EQ(inner->child->next->byte, 6);
    EXPECT_TRUE(inner->parent == root && inner->child->parent == inner);
    EXPECT_STREQ(last->text, "x");
    EXPECT_EQ(last->byte, 10);
    EXPECT_NULL(last->next);
    EXPECT_NULL(last->key);
    done();
}

TEST(json, arrays_need_commas_between_items_only) {
    refused("[1 2]", 3, "'2'", "',' or ']'");
    refused("[1,]", 3, "']'", "a value");
    refused("[,1]", 1, "','", "a value or ']'");
    refused("[1,,2]", 3, "','", "a value");
    refused("[", 1, "the end of the text", "a value or ']'");
    refused("[1", 2, "the end of the text", "',' or ']'");
    refused("[1,", 3, "the end of the text", "a value");
    refused("[1}", 2, "'}'", "',' or ']'");
    refused("[}", 1, "'}'", "a value or ']'");
    refused("[\"a\":1]", 4, "':'", "',' or ']'");
    refused("]", 0, "']'", "a value");
}

TEST(json, objects_keep_order_names_and_bytes) {
    const json *root = read_text("{\"b\": 1, \"a\": {\"b\": 2}, \"\": null}");
    EXPECT_EQ(root->count, 3);
    const json *b = root->child, *a = b->next, *empty = a->next;
    EXPECT_STREQ(b->key, "b");
    EXPECT_EQ(b->byte, 6);
    EXPECT_STREQ(a->key, "a");
    EXPECT_EQ(a->key_length, 1);
    EXPECT_STREQ(a->child->text, "2");
    EXPECT_EQ(empty->key_length, 0);
    EXPECT_STREQ(empty->key, "");
    EXPECT_EQ(empty->kind, JSON_NULL);
    EXPECT_NULL(empty->next);
    done();
}

TEST(json, objects_need_quoted_names_colons_and_commas_between) {
    refused("{", 1, "the end of the text", "a member name or '}'");
    refused("{,}", 1, "','", "a member name or '}'");
    refused("{a:1}", 1, "'a'", "a member name or '}'");
    refused("{'a':1}", 1, "'''", "a member name or '}'");
    refused("{1:1}", 1, "'1'", "a member name or '}'");
    refused("{null:1}", 1, "'n'", "a member name or '}'");
    refused("{\"a\"}", 4, "'}'", "':'");
    refused("{\"a\" 1}", 5, "'1'", "':'");
    refused("{\"a\":}", 5, "'}'", "a value");
    refused("{\"a\":1", 6, "the end of the text", "',' or '}'");
    refused("{\"a\":1,}", 7, "'}'", "a member name in quotes");
    refused("{\"a\":1 \"b\":2}", 7, "'\"'", "',' or '}'");
    refused("{\"a\":1]", 6, "']'", "',' or '}'");
    refused("{\"a\"::1}", 5, "':'", "a value");
    refused("{]", 1, "']'", "a member name or '}'");
    refused("{\"a", 3, "the end of the text", "'\"'");
}

/* --- numbers ---------------------------------------------------------------------------------------------- */

TEST(json, numbers_stay_as_they_are_written) {
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "7",
                                          "-7",
                                          "10",
                                          "1234567890",
                                          "0.0",
                                          "-0.0",
                                          "1.50",
                                          "0.1e1",
                                          "1E5",
                                          "1e+5",
                                          "1e-5",
                                          "1e05",
                                          "1e0",
                                          "-1E-00",
                                          "1e400",
                                          "-1e400",
                                          "1e-400",
                                          "1e99999",
                                          "9007199254740993",
                                          "123456789012345678901234567890.123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const json *value = read_text(numbers[i]);
        EXPECT_EQ(value->kind, JSON_NUMBER);
        EXPECT_STREQ(value->text, numbers[i]);
        EXPECT_EQ(value->length, strlen(numbers[i]));
        done();
    }
}

TEST(json, numbers_follow_the_grammar) {
    refused("-", 1, "the end of the text", "a digit after '-'");
    refused("-a", 1, "'a'", "a digit after '-'");
    refused("--1", 1, "'-'", "a digit after '-'");
    refused("+1", 0, "'+'", "a value");
    refused("01", 1, "'1'", "no digit after a leading zero");
    refused("-01", 2, "'1'", "no digit after a leading zero");
    refused("00", 1, "'0'", "no digit after a leading zero");
    refused(".5", 0, "'.'", "a value");
    refused("1.", 2, "the end of the text", "a digit after the decimal point");
    refused("1.e5", 2, "'e'", "a digit after the decimal point");
    refused("-.5", 1, "'.'", "a digit after '-'");
    refused("1e", 2, "the end of the text", "a digit in the exponent");
    refused("1e+", 3, "the end of the text", "a digit in the exponent");
    refused("1e+-1", 3, "'-'", "a digit in the exponent");
    refused("1e1.5", 3, "'.'", "the end of the text");
    refused("0x10", 1, "'x'", "the end of the text");
    refused("1_000", 1, "'_'", "the end of the text");
    refused("[1a]", 2, "'a'", "',' or ']'");
    refused("-Infinity", 1, "'I'", "a digit after '-'");
    refused("1f", 1, "'f'", "the end of the text");
}

/* --- strings ---------------------------------------------------------------------------------------------- */

TEST(json, every_escape_stands_for_its_character) {
    string_is("\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t\"", "\" \\ / \b \f \n \r \t");
    string_is("\"\\u0041\\u00e9\\u00E9\\u4e2d\\uFFFF\"", "A\xc3\xa9\xc3\xa9\xe4\xb8\xad\xef\xbf\xbf");
    string_is("\"\\u007f\\u0080\\u07ff\\u0800\\ud7ff\\ue000\"",
              "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80");
    string_is("\"\x7f/\"", "\x7f/"); /* may stand unescaped */
}

TEST(json, surrogate_pairs_are_one_character) {
    string_is("\"\\ud800\\udc00\"", "\xf0\x90\x80\x80");
    string_is("\"\\uD83D\\uDE00!\"", "\xf0\x9f\x98\x80!");
    string_is("\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf");
}

TEST(json, lone_surrogates_are_refused_where_they_stand) {
    refused("\"ab\\ud800\"", 3, "\\ud800", "pair");
    refused("\"\\udc00\"", 1, "\\udc00", "pair");
    refused("\"\\udfff\\ud800\"", 1, "\\udfff", "pair");
    refused("\"\\ud800\\ud800\\udc00\"", 1, "\\ud800", "pair");
    refused("\"\\ud800x\"", 1, "\\ud800", "pair");
    refused("\"\\ud800\\n\"", 1, "\\ud800", "pair");
    refused("\"\\ud800\\u0041\"", 1, "\\ud800", "pair");
    refused("\"\\ud800", 1, "\\ud800", "pair");
    refused("\"\\ud800\\", 1, "\\ud800", "pair");
    refused("{\"\\ud800\":1}", 2, "\\ud800", "pair");
}

TEST(json, escapes_follow_the_grammar) {
    refused("\"\\a\"", 2, "'a'", "after a backslash");
    refused("\"\\x41\"", 2, "'x'", "after a backslash");
    refused("\"\\'\"", 2, "'''", "after a backslash");
    refused("\"\\U0041\"", 2, "'U'", "after a backslash");
    refused("\"\\\n\"", 2, "the byte 0x0a", "after a backslash");
    refused("\"\\", 2, "the end of the text", "after a backslash");
    refused("\"\\u\"", 3, "'\"'", "four hexadecimal digits");
    refused("\"\\u004\"", 6, "'\"'", "four hexadecimal digits");
    refused("\"\\u00g0\"", 5, "'g'", "four hexadecimal digits");
    refused("\"\\u 041\"", 3, "' '", "four hexadecimal digits");
    refused("\"\\u+041\"", 3, "'+'", "four hexadecimal digits");
    refused("\"\\u00", 5, "the end of the text", "four hexadecimal digits");
    refused("\"\\ud800\\u12\"", 11, "'\"'", "four hexadecimal digits");
}

TEST(json, U0000_is_kept) {
    string_is_n("\"a\\u0000b\"", "a\0b", 3);
    const json *root = read_text("{\"a\\u0000b\": 1, \"a\\u0000c\": 2, \"a\": 3}");
    EXPECT_EQ(root->count, 3);
    EXPECT_STREQ(json_get(root, "a")->text, "3");
    EXPECT_STREQ(json_get_n(root, "a\0b", 3)->text, "1");
    EXPECT_STREQ(json_get_n(root, "a\0c", 3)->text, "2");
    EXPECT_NULL(json_get_n(root, "a\0d", 3));
    done();
    EXPECT_FALSE(json_string_is(read_text("\"a\\u0000b\""), "a"));
    done();
}

TEST(json, raw_control_characters_are_refused) {
    for (int c = 0; c < 0x20; c++) {
        char text[] = {'"', 'x', (char)c, '"'}, found[32];
        snprintf(found, sizeof found, "the byte 0x%02x", (unsigned)c);
        refused_n(text, sizeof text, 2, found, "an escape");
    }
}

TEST(json, unfinished_strings_are_refused_at_the_end) {
    refused("\"", 1, "the end of the text", "'\"'");
    refused("\"abc", 4, "the end of the text", "'\"'");
    refused("\"abc\\\"", 6, "the end of the text", "'\"'");
    refused("'abc'", 0, "'''", "a value");
}

TEST(json, invalid_UTF8_of_every_class_is_refused_at_its_first_byte) {
    static const char *const bad[] = {
        "\x80",             /* a continuation alone */
        "\xbf",             /* */
        "\xc0\x80",         /* overlong U+0000 */
        "\xc1\xbf",         /* overlong, two bytes */
        "\xc3",             /* cut after one of two */
        "\xc3\x41",         /* no continuation */
        "\xe0\x80\x80",     /* overlong, three bytes */
        "\xe0\x9f\xbf",     /* */
        "\xe4\xb8",         /* cut after two of three */
        "\xe4\x41\xad",     /* */
        "\xe4\xb8\x41",     /* */
        "\xed\xa0\x80",     /* U+D800 */
        "\xed\xbf\xbf",     /* U+DFFF */
        "\xf0\x80\x80\x80", /* overlong, four bytes */
        "\xf0\x8f\xbf\xbf", /* */
        "\xf0\x9f\x98",     /* cut after three of four */
        "\xf0\x9f\x41\x80", /* */
        "\xf4\x90\x80\x80", /* U+110000 */
        "\xf5\x80\x80\x80", /* */
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[32], found[32];
        snprintf(found, sizeof found, "the byte 0x%02x", (unsigned char)bad[i][0]);
        snprintf(text, sizeof text, "\"ab%s\"", bad[i]);
        refused(text, 3, found, "UTF-8");
        snprintf(text, sizeof text, "{\"\xc3\xa9%s\":1}", bad[i]); /* in a name, behind a good one */
        refused(text, 4, found, "UTF-8");
        snprintf(text, sizeof text, "\"%s", bad[i]); /* at the very end */
        refused(text, 1, found, "UTF-8");
    }
}

TEST(json, every_code_point_is_read_as_itself) {
    for (uint32_t code = 0x20; code <= 0x10ffff; code += code < 0x3000 ? 1 : 61) {
        if (code >= 0xd800 && code <= 0xdfff) continue;
        if (code == '"' || code == '\\') continue;
        char raw[8], escaped[16], text[16];
        size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        if (length == 1) raw[0] = (char)code;
        for (size_t i = length - 1, rest = code; length > 1; i--, rest >>= 6) {
            raw[i] = (char)(i ? 0x80 | (rest & 63) : (0xf00u >> length & 0xff) | rest);
            if (i == 0) break;
        }
        raw[length] = '\0';
        if (code < 0x10000) {
            snprintf(escaped, sizeof escaped, "\"\\u%04x\"", (unsigned)code);
        } else {
            snprintf(escaped, sizeof escaped, "\"\\u%04x\\u%04x\"", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
                     (unsigned)(0xdc00 + (code & 0x3ff)));
        }
        snprintf(text, sizeof text, "\"%s\"", raw);
        string_is(text, raw);
        string_is(escaped, raw);
        if (test_has_failed()) break;
    }
}

/* --- duplicates ------------------------------------------------------------------------------------------- */

static void duplicate(const char *text, int64_t byte, const char *pointer, const char *name) {
    refused(text, byte, name, "distinct names");
    EXPECT_STREQ(tree_error.pointer, pointer);
}

TEST(json, duplicate_names_are_refused_at_the_second_with_the_object) {
    duplicate("{\"a\":1,\"a\":2}", 7, "", "\"a\"");
    duplicate("{\"a\":1,\"b\":2,\"a\":3}", 13, "", "\"a\"");
    duplicate("{\"x\":[0,{\"k\":1,\"k\":1}]}", 15, "/x/1", "\"k\"");
    duplicate("{\"\":1,\"\":2}", 6, "", "\"\"");
    duplicate("{\"a\":1,\"\\u0061\":2}", 7, "", "\"a\""); /* the same name, spelled otherwise */
    duplicate("{\"a\\u0000\":1,\"a\\u0000\":2}", 13, "", "\"a\\u0000\"");
    duplicate("{\"\xc3\xa9\":1,\"\\u00e9\":2}", 8, "", "\"\xc3\xa9\"");
    duplicate("{\"c\":1,\"b\":1,\"b\":1,\"c\":1,\"a\":1,\"a\":1}", 13, "", "\"b\""); /* the first of several */
    duplicate("{\"a/b\":{\"~\":{\"n\":1,\"n\":2}}}", 19, "/a~1b/~0", "\"n\"");
}

TEST(json, names_differ_by_case_length_and_object) {
    EXPECT_EQ(read_text("{\"a\":1,\"A\":2,\"aa\":3,\"\":4,\"a\\u0000\":5}")->count, 5);
    EXPECT_EQ(read_text("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}")->count, 2);
    done();
}

TEST(json, a_long_duplicate_name_is_cut_in_the_message) {
    char name[1024], text[4096];
    for (size_t shift = 0; shift < 4; shift++) {
        size_t used = (size_t)sprintf(name, "%.*s", (int)shift, "xxxx");
        for (size_t i = 0; i < 200; i++) used += (size_t)sprintf(name + used, "\xe4\xb8\xad");
        int64_t byte = sprintf(text, "{\"%s\":1,", name);
        sprintf(text + byte, "\"%s\":2}", name);
        refused(text, byte, "...", "distinct names");
        const char *cut = strstr(tree_error.message, "...");
        ASSERT_TRUE(cut && cut > tree_error.message);
        EXPECT_BYTES_EQ(cut - 3, 3, "\xe4\xb8\xad", 3); /* whole characters up to the dots */
    }
}

/* --- limits ----------------------------------------------------------------------------------------------- */

static char *nested(size_t depth, const char *open, const char *close, size_t *length) {
    size_t open_length = strlen(open), close_length = strlen(close);
    char *text = malloc(depth * (open_length + close_length) + 1);
    *length = 0;
    for (size_t i = 0; i < depth; i++, *length += open_length) memcpy(text + *length, open, open_length);
    for (size_t i = 0; i < depth; i++, *length += close_length) memcpy(text + *length, close, close_length);
    return text;
}

TEST(json, depth_is_limited_to_512_unless_asked) {
    size_t length;
    weir_status status;
    char *text = nested(512, "[", "]", &length);
    read_limited(text, length, NULL, &status);
    EXPECT_OK(status, &tree_error);
    free(text);
    text = nested(513, "[", "]", &length);
    refused_n(text, length, 512, "'['", "no deeper nesting");
    EXPECT_CONTAINS(tree_error.message, "512");
    EXPECT_CONTAINS(tree_error.pointer, "/0/0/0/0");
    read_limited(text, length, &(json_limits){.depth = 513}, &status);
    EXPECT_OK(status, &tree_error);
    free(text);
    read_limited("{\"a\":{\"b\":1}}", 13, &(json_limits){.depth = 1}, &status);
    EXPECT_STATUS(status, WEIR_ERROR_JSON, NULL);
    EXPECT_EQ(tree_error.byte, 5);
    EXPECT_STREQ(tree_error.pointer, "/a");
    read_limited("[1,{},[]]", 9, &(json_limits){.depth = 2}, &status); /* siblings are no nesting */
    EXPECT_OK(status, &tree_error);
    done();
}

TEST(json, a_million_brackets_do_not_touch_the_stack) {
    static const char *const brackets[][2] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"\":", "}]"}, {"[", ""}};
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++) {
        size_t length;
        weir_status status;
        char *text = nested(1000000, brackets[i][0], brackets[i][1], &length);
        read_limited(text, length, NULL, &status);
        EXPECT_STATUS(status, WEIR_ERROR_JSON, NULL);
        read_limited(text, length, &(json_limits){.depth = UINT32_MAX}, &status);
        EXPECT_STATUS(status, i == 0 ? WEIR_OK : WEIR_ERROR_JSON, &tree_error); /* the others lack a value or an end */
        free(text);
    }
    done();
}

TEST(json, length_is_limited) {
    weir_status status;
    read_limited("[1, 2]", 6, &(json_limits){.length = 6}, &status);
    EXPECT_OK(status, &tree_error);
    read_limited("[1, 2]", 6, &(json_limits){.length = 5}, &status);
    EXPECT_STATUS(status, WEIR_ERROR_JSON, NULL);
    EXPECT_EQ(tree_error.byte, 5);
    EXPECT_STREQ(tree_error.message, "found a text of 6 bytes, expected at most 5");
    done();
}

TEST(json, the_memory_limit_of_the_arena_is_told_from_a_failing_allocator) {
    size_t length;
    char *text = nested(400, "[1,", "1]", &length);
    arena a;
    const json *root;
    arena_init(&a, NULL, 20000);
    EXPECT_STATUS(json_parse(text, length, NULL, &a, &root, &tree_error), WEIR_ERROR_LIMIT, NULL);
    EXPECT_NULL(root);
    EXPECT_CONTAINS(tree_error.message, "20000");
    EXPECT_LE(a.total, 20000);
    arena_free(&a);
    free(text);
}

/* A quadratic search would need minutes here. */
TEST(json, an_object_of_300000_members_is_read_at_once) {
    enum { COUNT = 300000 };
    char *text = malloc(COUNT * 16 + 64);
    for (int order = 0; order < 3; order++) { /* ascending, descending, mixed */
        size_t used = 0;
        text[used++] = '{';
        for (size_t i = 0; i < COUNT; i++) {
            size_t n = order == 0 ? i : order == 1 ? COUNT - 1 - i : i * 7919 % COUNT;
            used += (size_t)sprintf(text + used, "%s\"k%07zu\":0", i ? "," : "", n);
        }
        size_t end = used;
        text[used++] = '}';
        EXPECT_EQ(read_n(text, used)->count, COUNT);
        used = end + (size_t)sprintf(text + end, ",\"k%07d\":0}", COUNT / 2);
        refused_n(text, used, (int64_t)end + 1, "k0150000", "distinct names");
    }
    free(text);
    done();
}

TEST(json, failing_any_allocation_leaves_nothing_behind) {
    static const char text[] = "{\"a\": [1, 2.5e3, \"x\\u0000y\", {\"b\": null, \"c\": [true, false]}], \"d\": {}}";
    size_t length, large_length = 200000;
    char *deep = nested(500, "[1,", "]", &length);
    deep[3 * 500 - 1] = ' '; /* no comma before the innermost end */
    char *large = malloc(large_length);
    memset(large, 'x', large_length);
    large[0] = large[large_length - 1] = '"';
    const struct {
        const char *text;
        size_t length;
    } cases[] = {{text, sizeof text - 1}, {deep, length}, {large, large_length}};
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t rounds = 0;
        while (test_next_failure(memory)) {
            arena a;
            const json *root;
            arena_init(&a, &allocator, 0);
            weir_status status = json_parse(cases[i].text, cases[i].length, NULL, &a, &root, &tree_error);
            EXPECT_STATUS(status, memory->failed ? WEIR_ERROR_MEMORY : WEIR_OK, &tree_error);
            EXPECT_EQ(root == NULL, memory->failed);
            arena_free(&a);
            rounds++;
        }
        EXPECT_GE(rounds, i ? 3 : 2);
    }
    free(deep);
    free(large);
}

/* --- the tree --------------------------------------------------------------------------------------------- */

TEST(json, get_finds_exact_names_in_objects_only) {
    const json *root = read_text("{\"type\": \"object\", \"Type\": 1, \"typ\": [{\"type\": 2}]}");
    EXPECT_TRUE(json_string_is(json_get(root, "type"), "object"));
    EXPECT_STREQ(json_get(root, "Type")->text, "1");
    EXPECT_STREQ(json_get_n(root, "typeX", 4)->text, "object");
    EXPECT_NULL(json_get(root, "TYPE"));
    EXPECT_NULL(json_get(root, "types"));
    EXPECT_NULL(json_get(root, ""));
    EXPECT_NULL(json_get(json_get(root, "typ"), "type"));
    EXPECT_NULL(json_get(json_get(root, "type"), "type"));
    EXPECT_NULL(json_get(NULL, "type"));
    EXPECT_FALSE(json_string_is(NULL, "object"));
    EXPECT_FALSE(json_string_is(root, "object"));
    EXPECT_FALSE(json_string_is(json_get(root, "type"), "objec"));
    EXPECT_FALSE(json_string_is(json_get(root, "type"), "objects"));
    EXPECT_FALSE(json_string_is(json_get(root, "Type"), "1")); /* a number is no string */
    done();
}

TEST(json, uint_takes_whole_numbers_in_any_spelling) {
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"-0.0e9", 0},
                {"0e99999999999999999999999", 0},
                {"0e-99999999999999999999999", 0},
                {"1", 1},
                {"1.0", 1},
                {"1.000e0", 1},
                {"1e3", 1000},
                {"1E+3", 1000},
                {"0.001e3", 1},
                {"1000e-3", 1},
                {"12.5e1", 125},
                {"1e19", UINT64_C(10000000000000000000)},
                {"9007199254740993", UINT64_C(9007199254740993)},
                {"18446744073709551615", UINT64_MAX},
                {"18446744073709551615.000", UINT64_MAX},
                {"184467440737095516150e-1", UINT64_MAX}};
    static const char *const bad[] = {"-1",
                                      "-1e0",
                                      "0.5",
                                      "1.5",
                                      "1e-1",
                                      "12.34e1",
                                      "18446744073709551616",
                                      "1e20",
                                      "184467440737095516151e-1",
                                      "1e400",
                                      "1e99999999999999999999999",
                                      "1e-99999999999999999999999",
                                      "18446744073709551615.5",
                                      "36893488147419103232",
                                      "null",
                                      "\"1\"",
                                      "true",
                                      "[1]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t value = 77;
        EXPECT_TRUE(json_uint(read_text(good[i].text), &value));
        EXPECT_EQ(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t value = 77;
        EXPECT_FALSE(json_uint(read_text(bad[i]), &value));
        EXPECT_EQ(value, 77);
    }
    uint64_t value;
    EXPECT_FALSE(json_uint(NULL, &value));
    done();
}

TEST(json, pointer_is_the_way_from_the_root) {
    char buffer[256];
    const json *root = read_text("{\"a\": [0, {\"b/c\": {\"~d\": {\"\": [[], [5]]}}}], \"m\\u0000n\": 1}");
    EXPECT_STREQ(json_pointer(root, buffer, sizeof buffer), "");
    EXPECT_STREQ(json_pointer(root->child, buffer, sizeof buffer), "/a");
    const json *object = root->child->child->next;
    EXPECT_STREQ(json_pointer(object, buffer, sizeof buffer), "/a/1");
    EXPECT_STREQ(json_pointer(object->child, buffer, sizeof buffer), "/a/1/b~1c");
    const json *array = object->child->child->child;
    EXPECT_STREQ(json_pointer(array, buffer, sizeof buffer), "/a/1/b~1c/~0d/");
    EXPECT_STREQ(json_pointer(array->child->next->child, buffer, sizeof buffer), "/a/1/b~1c/~0d//1/0");
    EXPECT_STREQ(json_pointer(root->child->next, buffer, sizeof buffer), "/m\\u0000n");
    done();
}

TEST(json, pointer_is_cut_between_characters) {
    char buffer[16];
    const json *leaf = read_text("{\"\xc3\xa9\xc3\xa9\": {\"~~\": 1}}")->child->child; /* "/\xc3\xa9\xc3\xa9/~0~0" */
    static const char *const cut[] = {"",
                                      "/",
                                      "/",
                                      "/\xc3\xa9",
                                      "/\xc3\xa9",
                                      "/\xc3\xa9\xc3\xa9",
                                      "/\xc3\xa9\xc3\xa9/",
                                      "/\xc3\xa9\xc3\xa9/",
                                      "/\xc3\xa9\xc3\xa9/~0",
                                      "/\xc3\xa9\xc3\xa9/~0",
                                      "/\xc3\xa9\xc3\xa9/~0~0"};
    for (size_t capacity = 1; capacity <= sizeof cut / sizeof *cut; capacity++) {
        test_context("capacity %zu", capacity);
        memset(buffer, '!', sizeof buffer);
        EXPECT_STREQ(json_pointer(leaf, buffer, capacity), cut[capacity - 1]);
        EXPECT_EQ(buffer[capacity], '!');
    }
    buffer[0] = '!';
    json_pointer(leaf, buffer, 0);
    EXPECT_EQ(buffer[0], '!');
    done();
}

TEST(json, quote_writes_what_python_writes) {
    char buffer[64];
    static const char text[] = "a\"b\\c/\b\f\n\r\t\v\x01\x1f\x7f\0\xc3\xa9\xe2\x80\xa8";
    static const char quoted[] = "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u000b\\u0001\\u001f\x7f\\u0000\xc3\xa9\xe2\x80\xa8\"";
    size_t needed = json_quote(text, sizeof text - 1, buffer, sizeof buffer);
    EXPECT_BYTES_EQ(buffer, needed, quoted, sizeof quoted - 1);
    EXPECT_EQ(json_quote("", 0, NULL, 0), 2);
    EXPECT_EQ(json_quote("\1\1", 2, NULL, 0), 14);
    memset(buffer, '!', sizeof buffer);
    EXPECT_EQ(json_quote("abc", 3, buffer, 3), 5);
    EXPECT_BYTES_EQ(buffer, 4, "\"ab!", 4);
}

TEST(json, quote_and_read_are_inverse) {
    char text[300], buffer[2000];
    size_t length = 0;
    for (int c = 0; c < 0x80; c++) text[length++] = (char)c;
    memcpy(text + length, "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", 9);
    length += 9;
    size_t needed = json_quote(text, length, buffer, sizeof buffer);
    const json *value = read_n(buffer, needed);
    EXPECT_BYTES_EQ(value->text, value->length, text, length);
    done();
}

/* --- a second reader -------------------------------------------------------------------------------------- */

static void agree(const json *ours, const cJSON *theirs) {
    switch (ours->kind) {
    case JSON_NULL: EXPECT_TRUE(cJSON_IsNull(theirs)); break;
    case JSON_FALSE: EXPECT_TRUE(cJSON_IsFalse(theirs)); break;
    case JSON_TRUE: EXPECT_TRUE(cJSON_IsTrue(theirs)); break;
    case JSON_NUMBER:
        ASSERT_TRUE(cJSON_IsNumber(theirs));
        EXPECT_NEAR(strtod(ours->text, NULL), theirs->valuedouble, 0);
        break;
    case JSON_STRING:
        ASSERT_TRUE(cJSON_IsString(theirs));
        EXPECT_STREQ(ours->text, theirs->valuestring);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT: {
        ASSERT_TRUE(ours->kind == JSON_ARRAY ? cJSON_IsArray(theirs) : cJSON_IsObject(theirs));
        ASSERT_EQ((int)ours->count, cJSON_GetArraySize(theirs));
        const cJSON *other = theirs->child;
        for (const json *child = ours->child; child; child = child->next, other = other->next) {
            if (child->key) ASSERT_STREQ(child->key, other->string);
            agree(child, other);
        }
    }
    }
}

static void agree_on(const char *text, size_t length) {
    cJSON *theirs = cJSON_ParseWithLength(text, length);
    ASSERT_NOT_NULL(theirs);
    agree(read_n(text, length), theirs);
    cJSON_Delete(theirs);
    done();
}

TEST(json, agrees_with_cJSON_on_plain_documents) {
    static const char *const documents[] = {
        "null",
        "true",
        "false",
        "0",
        "-0.5",
        "1e3",
        "1.25E-2",
        "\"\"",
        "\"a\\n\\u00e9\\ud83d\\ude00\\/\"",
        "[]",
        "{}",
        " [ 1 , [ 2 , [ 3 ] ] , { } ] ",
        "{\"a\": 1, \"A\": {\"a\": [null, true, false]}, \"\": \"\"}",
        "{\"type\": \"object\", \"properties\": {\"x\": {\"type\": [\"integer\", \"null\"], \"maximum\": 10.5}}, "
        "\"required\": [\"x\"], \"additionalProperties\": false}",
        "[\"\xc3\xa9\", \"\xe4\xb8\xad\", \"\xf0\x9f\x98\x80\", \"\x7f\"]",
        "[123456789, -2147483648, 4294967296, 0.1]"};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) agree_on(documents[i], strlen(documents[i]));
}

/* Documents drawn at random; the seed is fixed. */
static size_t draw(uint64_t *state, size_t below) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(*state >> 33) % below;
}

static size_t write_random(uint64_t *state, char *text, int depth) {
    static const char *const scalars[] = {"null", "true",    "false",          "0", "-1.5", "2e2",
                                          "\"\"", "\"x y\"", "\"\\u20ac\\\"\""};
    static const char *const spaces[] = {"", "", " ", "\n\t"};
    size_t used = 0, kind = draw(state, depth > 0 ? 4 : 2);
    if (kind < 2) return (size_t)sprintf(text, "%s", scalars[draw(state, sizeof scalars / sizeof *scalars)]);
    size_t count = draw(state, 4);
    used += (size_t)sprintf(text, "%s%s", kind == 2 ? "[" : "{", spaces[draw(state, 4)]);
    for (size_t i = 0; i < count; i++) {
        if (i) used += (size_t)sprintf(text + used, ",%s", spaces[draw(state, 4)]);
        if (kind == 3)
            used += (size_t)sprintf(text + used, "\"k%zu%s\"%s:", i, i & 1 ? "\\n" : "", spaces[draw(state, 4)]);
        used += write_random(state, text + used, depth - 1);
        used += (size_t)sprintf(text + used, "%s", spaces[draw(state, 4)]);
    }
    return used + (size_t)sprintf(text + used, "%s", kind == 2 ? "]" : "}");
}

TEST(json, agrees_with_cJSON_on_random_documents) {
    static char text[1 << 16];
    uint64_t state = 20240229;
    for (int i = 0; i < 3000 && !test_has_failed(); i++) {
        size_t length = write_random(&state, text, 5);
        agree_on(text, length);
    }
}

/* Every prefix of a container is refused at its end or before, and so is every text with one byte changed to a control
 * character: nothing is read past the end and nothing loops. */
TEST(json, broken_documents_are_refused) {
    static char text[1 << 16];
    uint64_t state = 7;
    for (int i = 0; i < 200 && !test_has_failed(); i++) {
        size_t length = write_random(&state, text, 4);
        if (text[0] != '[' && text[0] != '{') continue;
        weir_status status;
        for (size_t cut = 0; cut < length; cut++) {
            read_limited(text, cut, NULL, &status);
            EXPECT_STATUS(status, WEIR_ERROR_JSON, NULL);
            EXPECT_LE(tree_error.byte, cut);
            char kept = text[cut];
            text[cut] = '\x02';
            read_limited(text, length, NULL, &status);
            EXPECT_STATUS(status, WEIR_ERROR_JSON, NULL);
            EXPECT_LE(tree_error.byte, cut);
            text[cut] = kept;
        }
    }
    done();
}

TEST(json, reads_the_seed_fixtures) {
    char path[1024];
    size_t length;
    char *text = test_read_file(test_data("fixtures/seed_fixtures.json", path, sizeof path), &length);
    const json *root = read_n(text, length);
    EXPECT_GT(root->count, 0);
    free(text);
    done();
}
