/* test_uri.c - RFC 3986: the examples of the standard, and bases that it does not think of. */
#include "uri.h"

#include <string.h>

#include "resource_session.h"

static void expect_resolved(const char *base, const char *reference, const char *expected) {
    session s;
    session_start(&s, NULL);
    test_context("%s seen from %s", reference, base);
    uri target = uri_resolve(&s.c, (uri){base, (uint32_t)strlen(base)}, (uri){reference, (uint32_t)strlen(reference)});
    EXPECT_STREQ(target.text, expected);
    EXPECT_EQ(target.length, strlen(expected));
    test_context(NULL);
    session_end(&s);
}

TEST(uri, resolves_the_normal_examples_of_rfc_3986_section_5_4_1) {
    static const char *const examples[][2] = {{"g:h", "g:h"},
                                              {"g", "http://a/b/c/g"},
                                              {"./g", "http://a/b/c/g"},
                                              {"g/", "http://a/b/c/g/"},
                                              {"/g", "http://a/g"},
                                              {"//g", "http://g"},
                                              {"?y", "http://a/b/c/d;p?y"},
                                              {"g?y", "http://a/b/c/g?y"},
                                              {"#s", "http://a/b/c/d;p?q#s"},
                                              {"g#s", "http://a/b/c/g#s"},
                                              {"g?y#s", "http://a/b/c/g?y#s"},
                                              {";x", "http://a/b/c/;x"},
                                              {"g;x", "http://a/b/c/g;x"},
                                              {"g;x?y#s", "http://a/b/c/g;x?y#s"},
                                              {"", "http://a/b/c/d;p?q"},
                                              {".", "http://a/b/c/"},
                                              {"./", "http://a/b/c/"},
                                              {"..", "http://a/b/"},
                                              {"../", "http://a/b/"},
                                              {"../g", "http://a/b/g"},
                                              {"../..", "http://a/"},
                                              {"../../", "http://a/"},
                                              {"../../g", "http://a/g"}};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        expect_resolved("http://a/b/c/d;p?q", examples[i][0], examples[i][1]);
    }
}

TEST(uri, resolves_the_abnormal_examples_of_rfc_3986_section_5_4_2) {
    static const char *const examples[][2] = {{"../../../g", "http://a/g"},
                                              {"../../../../g", "http://a/g"},
                                              {"/./g", "http://a/g"},
                                              {"/../g", "http://a/g"},
                                              {"g.", "http://a/b/c/g."},
                                              {".g", "http://a/b/c/.g"},
                                              {"g..", "http://a/b/c/g.."},
                                              {"..g", "http://a/b/c/..g"},
                                              {"./../g", "http://a/b/g"},
                                              {"./g/.", "http://a/b/c/g/"},
                                              {"g/./h", "http://a/b/c/g/h"},
                                              {"g/../h", "http://a/b/c/h"},
                                              {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
                                              {"g;x=1/../y", "http://a/b/c/y"},
                                              {"g?y/./x", "http://a/b/c/g?y/./x"},
                                              {"g?y/../x", "http://a/b/c/g?y/../x"},
                                              {"g#s/./x", "http://a/b/c/g#s/./x"},
                                              {"g#s/../x", "http://a/b/c/g#s/../x"},
                                              {"http:g", "http:g"}}; /* strict */
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        expect_resolved("http://a/b/c/d;p?q", examples[i][0], examples[i][1]);
    }
}

TEST(uri, resolves_from_bases_without_path_authority_or_scheme) {
    expect_resolved("http://a", "b", "http://a/b");
    expect_resolved("http://a?q", "b#c", "http://a/b#c");
    expect_resolved("http://a/b/c", "d//../e", "http://a/b/d/e");
    expect_resolved("urn:example:a", "#b", "urn:example:a#b");
    expect_resolved("urn:example:a", "urn:example:b?=c#d", "urn:example:b?=c#d");
    expect_resolved("urn:example:a", "b", "urn:b");
    expect_resolved("file:///c:/a/b.json", "../c.json", "file:///c:/c.json");
    expect_resolved("file:///a/b.json", "/c.json", "file:///c.json");
    expect_resolved("a/b.json", "c.json", "a/c.json");
    expect_resolved("a/b.json", "../c.json", "c.json");
    expect_resolved("a/b.json", "/c.json", "/c.json");
    expect_resolved("b.json", "#c", "b.json#c");
    expect_resolved("", "../c.json#d", "../c.json#d");
    expect_resolved("", "http://a/b/../c", "http://a/c");
    expect_resolved("", "", "");
}

TEST(uri, only_whole_escapes_are_decoded) {
    static const char *const examples[][2] = {{"a%20b", "a b"}, {"%C3%a9", "\xc3\xa9"}, {"100%", "100%"},
                                              {"%2", "%2"},     {"%zz%25", "%zz%"},     {"a+b", "a+b"},
                                              {"", ""}};
    session s;
    session_start(&s, NULL);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        uri decoded = uri_decode(&s.c, (uri){examples[i][0], (uint32_t)strlen(examples[i][0])});
        EXPECT_BYTES_EQ(decoded.text, decoded.length, examples[i][1], strlen(examples[i][1]));
    }
    session_end(&s);
}
