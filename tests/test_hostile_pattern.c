/* test_hostile_pattern.c - patterns made to cost much, in `pattern`, `patternProperties` and `propertyNames`. A backtracking
 * matcher dies on the first; an automaton without bounds on the others. */
#include "hostile.h"

#define REFUSED HOSTILE_MAY_BE_REFUSED

/* " is written ', @ is the number of the piece, ` the one behind it. */
static const hostile_case repeats[] = {
    {"(a+)+$", "{'pattern':'^(a+)+$'}", "", "", "", "", 0, WEIR_OK},
    {"(a|a)*", "{'pattern':'^(a|a)*$'}", "", "", "", "", 0, WEIR_OK},
    {"(a|aa)+", "{'pattern':'^(a|aa)+$'}", "", "", "", "", 0, WEIR_OK},
    {"(x+x+)+y", "{'pattern':'(x+x+)+y'}", "", "", "", "", 0, WEIR_OK},
    {"(.*)* in itself", "{'pattern':'^", "(", ".*", ")*", "$'}", 150, WEIR_OK},
    {"a? 60 times, then a 60 times", "{'pattern':'^", "a?", "", "a", "$'}", 60, WEIR_OK},
    {"counts in counts", "{'pattern':'^(((a{1,100}){1,100}){1,100})$'}", "", "", "", "", 0, REFUSED},
    {"counts in counts of different letters", "{'pattern':'(((a{1,30}b){1,30}c){1,30}d)'}", "", "", "", "", 0, REFUSED},
    {"x{1,1000000}", "{'pattern':'^x{1,1000000}$'}", "", "", "", "", 0, REFUSED},
    {"x{1000000000}", "{'pattern':'^x{1000000000}$'}", "", "", "", "", 0, REFUSED},
    {"(){1000000000}", "{'pattern':'^(){1000000000}$'}", "", "", "", "", 0, REFUSED},
    {"(x*){1000000000}", "{'pattern':'^((x*){1000000}){1000000}$'}", "", "", "", "", 0, REFUSED},
    {".{0,65535}", "{'pattern':'^.{0,65535}$'}", "", "", "", "", 0, REFUSED},
    {".{0,65535} of names", "{'patternProperties':{'^.{0,65535}$':{'type':'null'}}}", "", "", "", "", 0, REFUSED},
    {"a{0,300} of names, 30 of them", "{'patternProperties':{", "'^[a-z]{0,@00}@':true,", "'x':false", "", "}}", 30, REFUSED},
    {"20 letters from the end", "{'pattern':'a.{20}$'}", "", "", "", "", 0, REFUSED},
    {"16 of those", "{'allOf':[", "{'pattern':'a.{@}$'},", "true", "", "]}", 16, REFUSED},
    {"16 of them forbidden", "{'type':'string','not':{'anyOf':[", "{'pattern':'(a|b)*a.{@}$'},", "false", "", "]}}", 16, REFUSED},
    {"a wide range 1,000 times", "{'pattern':'^[\\\\u0000-\\\\uffff]{1000}$'}", "", "", "", "", 0, REFUSED},
    {"letters of all scripts", "{'pattern':'^\\\\p{L}{1,5000}$'}", "", "", "", "", 0, REFUSED},
};

static const hostile_case shapes[] = {
    {"10,000 groups", "{'pattern':'", "(", "a", ")", "'}", 10000, REFUSED},
    {"10,000 groups that stay open", "{'pattern':'", "(", "", "", "'}", 10000, WEIR_ERROR_LIMIT},
    {"10,000 groups that were not opened", "{'pattern':'", ")", "", "", "'}", 10000, WEIR_ERROR_SCHEMA},
    {"190 lookaheads in themselves", "{'pattern':'", "(?=a", "b", ")", "'}", 190, REFUSED},
    {"190 lookbehinds in themselves", "{'pattern':'", "(?<!a", "b", ")", "'}", 190, REFUSED},
    {"100 lookaheads", "{'pattern':'^", "(?=.*a@)", "", "", "'}", 100, REFUSED},
    {"40 lookbehinds", "{'pattern':'", "(?<=b@.*)a", "", "", "'}", 40, REFUSED},
    {"lookaheads under a star", "{'pattern':'^((?=a.*b)(?!.*c{5})[a-d])*$'}", "", "", "", "", 0, REFUSED},
    {"a choice of 50,000 words", "{'pattern':'^(", "word@|", "x", "", ")$'}", 50000, REFUSED},
    {"a choice of 50,000 empty words", "{'pattern':'^(", "|", "", "", ")$'}", 50000, REFUSED},
    {"a class of 100,000 pieces", "{'pattern':'^[", "\\\\u{1@}", "", "", "]$'}", 100000, REFUSED},
    {"20,000 classes", "{'pattern':'", "[a-z`]", "", "", "'}", 20000, REFUSED},
    {"1,000 different classes", "{'pattern':'", "[^\\\\u{1@}-\\\\u{2@}]*", "", "", "'}", 1000, REFUSED},
    {"1,000 classes, negated", "{'pattern':'^", "[^\\\\p{L}\\\\d]\\\\P{Lu}", "", "", "$'}", 1000, REFUSED},
    {"a megabyte of letters", "{'pattern':'", "abcdefghij", "", "", "'}", 100000, REFUSED},
    {"a megabyte of stars", "{'pattern':'", ".*", "", "", "'}", 500000, REFUSED},
    {"a count without end", "{'pattern':'a{", "9", "", "", "}'}", 100000, REFUSED},
    {"boundaries everywhere", "{'pattern':'", "\\\\b.\\\\B", "", "", "'}", 2000, REFUSED},
    {"anchors everywhere", "{'pattern':'", "^$|", "", "", "'}", 20000, REFUSED},
    {"references back", "{'pattern':'(a*)\\\\1'}", "", "", "", "", 0, WEIR_ERROR_SCHEMA},
    {"a backslash at the end", "{'pattern':'a\\\\'}", "", "", "", "", 0, WEIR_ERROR_SCHEMA},
    {"a surrogate alone", "{'pattern':'\\\\ud800'}", "", "", "", "", 0, REFUSED},
    {"NUL in a pattern", "{'pattern':'a\\u0000b'}", "", "", "", "", 0, WEIR_OK},
};

static const hostile_case products[] = {
    {"30 patterns of one string", "{'type':'string','anyOf':[", "{'pattern':'a.*b.{@}c'},", "false", "", "]}", 30, REFUSED},
    {"oneOf of 12 patterns", "{'type':'string','oneOf':[", "{'pattern':'^.{@}a'},", "false", "", "]}", 12, REFUSED},
    {"50 names by pattern, each with its schema", "{'patternProperties':{", "'a.{@}b$':{'const':@},", "'x':true", "", "},'additionalProperties':false}", 50, REFUSED},
    {"propertyNames of a long pattern beside 500 names", "{'propertyNames':{'pattern':'^([a-z]{1,40}_){1,20}$'},'properties':{", "'name_@_':{'type':'null'},", "'x':true", "", "}}", 500, REFUSED},
    {"a pattern, lengths and an enum at once", "{'pattern':'^(ab?|c)*$','minLength':5000,'maxLength':60000}", "", "", "", "", 0, REFUSED},
    {"formats at once", "{'allOf':[{'format':'email'},{'format':'uri'},{'format':'regex'},{'format':'date-time'},{'format':'idn-hostname'}]}", "", "", "", "", 0, REFUSED},
    {"not a format in unique items", "{'uniqueItems':true,'minItems':500,'items':{'type':'string','not':{'format':'uri'},'maxLength':9}}", "", "", "", "", 0, REFUSED},
    {"unique strings of few letters", "{'uniqueItems':true,'minItems':1000,'items':{'type':'string','pattern':'^[ab]{10}$'}}", "", "", "", "", 0, REFUSED},
};

#define COUNT(cases) (sizeof(cases) / sizeof *(cases))

TEST(hostile_pattern, repetitions_end_inside_the_budgets) { hostile_compile_small(repeats, COUNT(repeats)); }
TEST(hostile_pattern, shapes_end_inside_the_budgets) { hostile_compile_small(shapes, COUNT(shapes)); }
TEST(hostile_pattern, products_end_inside_the_budgets) { hostile_compile_small(products, COUNT(products)); }

TEST(hostile_pattern, all_of_them_end_with_a_real_vocabulary) {
    hostile_compile_real(repeats, COUNT(repeats));
    hostile_compile_real(shapes, COUNT(shapes));
    hostile_compile_real(products, COUNT(products));
}
