/* harness.h - tests are C; GoogleTest runs them, or harness_plain.cc where there is none.
 *
 *     TEST(arena, a_block_is_aligned_to_16_bytes) { EXPECT_EQ((uintptr_t)arena_allocate(&a, 1) % 16, 0); }
 *
 * EXPECT_* notes a failure and gives false; ASSERT_* ends the test, from any depth of calls. So does SKIP. */
#ifndef WEIR_TESTS_HARNESS_H
#define WEIR_TESTS_HARNESS_H

#include "weir.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- cases ------------------------------------------------------------------------------------------------ */

typedef struct test_case {
    const char *suite, *name, *file;
    int line;
    void (*run)(void);
    struct test_case *next;
} test_case;

void test_register(test_case *test);

#define TEST(suite, name)                                                                                              \
    static void test_run_##suite##_##name(void);                                                                       \
    static test_case test_case_##suite##_##name = {#suite, #name, __FILE__, __LINE__, test_run_##suite##_##name, 0};    \
    __attribute__((constructor)) static void test_add_##suite##_##name(void) {                                         \
        test_register(&test_case_##suite##_##name);                                                                    \
    }                                                                                                                  \
    static void test_run_##suite##_##name(void)

/* --- expectations ----------------------------------------------------------------------------------------- */

/* Holds every int64_t and uint64_t, so that signs never mix. */
__extension__ typedef __int128 test_integer;

#define EXPECT_TRUE(a) test_true(__FILE__, __LINE__, #a, (a), true)
#define EXPECT_FALSE(a) test_true(__FILE__, __LINE__, #a, (a), false)
/* Integers of any type; a double or a pointer does not compile. */
#define EXPECT_EQ(a, b) TEST_COMPARE(a, "==", b)
#define EXPECT_NE(a, b) TEST_COMPARE(a, "!=", b)
#define EXPECT_LT(a, b) TEST_COMPARE(a, "<", b)
#define EXPECT_LE(a, b) TEST_COMPARE(a, "<=", b)
#define EXPECT_GT(a, b) TEST_COMPARE(a, ">", b)
#define EXPECT_GE(a, b) TEST_COMPARE(a, ">=", b)
#define EXPECT_NULL(a) test_pointer(__FILE__, __LINE__, #a, (a), true)
#define EXPECT_NOT_NULL(a) test_pointer(__FILE__, __LINE__, #a, (a), false)
#define EXPECT_STREQ(a, b) test_string(__FILE__, __LINE__, #a, #b, (a), (b))
/* `part` stands somewhere in the string `a`. */
#define EXPECT_CONTAINS(a, part) test_contains(__FILE__, __LINE__, #a, (a), (part))
#define EXPECT_BYTES_EQ(a, a_length, b, b_length)                                                                      \
    test_bytes(__FILE__, __LINE__, #a, #b, (a), (a_length), (b), (b_length))
#define EXPECT_NEAR(a, b, tolerance) test_near(__FILE__, __LINE__, #a, #b, (a), (b), (tolerance))
/* Statuses, by name. `error` is the weir_error of the call, or NULL; its message is shown. */
#define EXPECT_STATUS(call, status, error) test_status(__FILE__, __LINE__, #call, (call), (status), (error))
#define EXPECT_OK(call, error) EXPECT_STATUS(call, WEIR_OK, error)

#define ASSERT_TRUE(a) TEST_ASSERT(EXPECT_TRUE(a))
#define ASSERT_FALSE(a) TEST_ASSERT(EXPECT_FALSE(a))
#define ASSERT_EQ(a, b) TEST_ASSERT(EXPECT_EQ(a, b))
#define ASSERT_NE(a, b) TEST_ASSERT(EXPECT_NE(a, b))
#define ASSERT_LT(a, b) TEST_ASSERT(EXPECT_LT(a, b))
#define ASSERT_LE(a, b) TEST_ASSERT(EXPECT_LE(a, b))
#define ASSERT_GT(a, b) TEST_ASSERT(EXPECT_GT(a, b))
#define ASSERT_GE(a, b) TEST_ASSERT(EXPECT_GE(a, b))
#define ASSERT_NULL(a) TEST_ASSERT(EXPECT_NULL(a))
#define ASSERT_NOT_NULL(a) TEST_ASSERT(EXPECT_NOT_NULL(a))
#define ASSERT_STREQ(a, b) TEST_ASSERT(EXPECT_STREQ(a, b))
#define ASSERT_CONTAINS(a, part) TEST_ASSERT(EXPECT_CONTAINS(a, part))
#define ASSERT_BYTES_EQ(a, a_length, b, b_length) TEST_ASSERT(EXPECT_BYTES_EQ(a, a_length, b, b_length))
#define ASSERT_NEAR(a, b, tolerance) TEST_ASSERT(EXPECT_NEAR(a, b, tolerance))
#define ASSERT_STATUS(call, status, error) TEST_ASSERT(EXPECT_STATUS(call, status, error))
#define ASSERT_OK(call, error) TEST_ASSERT(EXPECT_OK(call, error))

/* A failure with a sentence of its own; FAIL also ends the test. Arguments as printf's. */
#define ADD_FAILURE(...) test_failure(__FILE__, __LINE__, __VA_ARGS__)
#define FAIL(...) TEST_ASSERT((test_failure(__FILE__, __LINE__, __VA_ARGS__), false))
/* Ends the test as skipped, visibly. */
#define SKIP(...) test_skip(__FILE__, __LINE__, __VA_ARGS__)

/* What is being looked at, shown with every failure from here on; NULL ends it. Arguments as printf's. */
void test_context(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Has this test failed so far? For loops that should not print a thousand failures. */
bool test_has_failed(void);
/* The test that runs, as "suite.name"; until the next call. */
const char *test_running(void);

/* --- files ------------------------------------------------------------------------------------------------ */

/* The path $WEIR_DATA/relative in `buffer`; skips the test, naming the file, when it is not there. */
const char *test_data(const char *relative, char *buffer, size_t capacity);
/* The path of a file of this repository. */
const char *test_source(const char *relative, char *buffer, size_t capacity);
/* The whole file, NUL-terminated as well; ends the test when it cannot be read. Free with free(). */
char *test_read_file(const char *path, size_t *length);

/* --- memory ----------------------------------------------------------------------------------------------- */

/* An allocator that counts, checks the sizes it is given back and can fail. Blocks that are alive when the test ends
 * fail it. The harness owns it until then. */
typedef struct test_memory {
    size_t live_blocks, live_bytes, peak_bytes;
    size_t calls;   /* allocations and growths since the start or the last test_next_failure */
    size_t fail_at; /* the call that fails, from 1; 0: none */
    bool failed;    /* it did */
    size_t blocks_before; /* the first test_next_failure */
    struct test_block *blocks;
    struct test_memory *next;
} test_memory;

test_memory *test_memory_create(void);
weir_allocator test_allocator(test_memory *memory);
/* For every k: `while (test_next_failure(m)) { make; expect m->failed ? WEIR_ERROR_MEMORY : WEIR_OK; destroy; }`. Fails
 * the first allocation in the first round, the second in the second, until a round has met none; every round must
 * leave as many blocks as it found. */
bool test_next_failure(test_memory *memory);

/* --- what the macros call --------------------------------------------------------------------------------- */

/* The `| 0` refuses doubles and pointers and changes no value. */
#define TEST_COMPARE(a, operation, b)                                                                                  \
    test_compare(__FILE__, __LINE__, #a, operation, #b, (test_integer)((a) | 0), (test_integer)((b) | 0))
#define TEST_ASSERT(expectation)                                                                                       \
    do {                                                                                                               \
        if (!(expectation)) test_end();                                                                                \
    } while (0)

bool test_true(const char *file, int line, const char *a, bool value, bool expected);
bool test_compare(const char *file, int line, const char *a, const char *operation, const char *b, test_integer left,
                  test_integer right);
bool test_pointer(const char *file, int line, const char *a, const void *value, bool null);
bool test_string(const char *file, int line, const char *a, const char *b, const char *left, const char *right);
bool test_contains(const char *file, int line, const char *a, const char *text, const char *part);
bool test_bytes(const char *file, int line, const char *a, const char *b, const void *left, size_t left_length,
                const void *right, size_t right_length);
bool test_near(const char *file, int line, const char *a, const char *b, double left, double right, double tolerance);
bool test_status(const char *file, int line, const char *call, weir_status found, weir_status expected,
                 const weir_error *error);
void test_failure(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void test_skip(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4), noreturn));
void test_end(void) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
