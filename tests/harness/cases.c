/* cases.c - every test here must fail: what the harness promises to notice. CMake turns the verdicts round. */
#include "harness.h"

#include <math.h>
#include <stdlib.h>

TEST(must_fail, true_of_a_false) {
    EXPECT_TRUE(1 > 2);
}
TEST(must_fail, false_of_a_true) {
    EXPECT_FALSE(2 > 1);
}
TEST(must_fail, eq_of_different_integers) {
    EXPECT_EQ(1, 2);
}
TEST(must_fail, eq_of_minus_one_and_the_largest) {
    EXPECT_EQ(-1, UINT64_MAX);
}
TEST(must_fail, ne_of_equal_integers) {
    EXPECT_NE((uint8_t)3, INT64_C(3));
}
TEST(must_fail, lt_of_an_unsigned_and_a_negative) {
    EXPECT_LT(1u, -1);
}
TEST(must_fail, lt_of_equal_integers) {
    EXPECT_LT(2, 2);
}
TEST(must_fail, le_of_a_greater_one) {
    EXPECT_LE(UINT64_MAX, 0);
}
TEST(must_fail, gt_of_equal_integers) {
    EXPECT_GT(2, 2);
}
TEST(must_fail, ge_of_a_smaller_one) {
    EXPECT_GE(-1, 0u);
}
TEST(must_fail, null_of_a_pointer) {
    EXPECT_NULL("");
}
TEST(must_fail, not_null_of_NULL) {
    EXPECT_NOT_NULL(NULL);
}
TEST(must_fail, streq_of_different_strings) {
    EXPECT_STREQ("a", "b");
}
TEST(must_fail, streq_of_a_string_and_NULL) {
    EXPECT_STREQ("", NULL);
}
TEST(must_fail, contains_of_a_missing_part) {
    EXPECT_CONTAINS("abc", "bd");
}
TEST(must_fail, bytes_of_different_lengths) {
    EXPECT_BYTES_EQ("ab", 2, "ab", 3);
}
TEST(must_fail, bytes_behind_a_zero) {
    EXPECT_BYTES_EQ("a\0b", 3, "a\0c", 3);
}
TEST(must_fail, near_of_distant_numbers) {
    EXPECT_NEAR(1.0, 1.2, 0.1);
}
TEST(must_fail, near_of_a_NaN) {
    EXPECT_NEAR((double)NAN, (double)NAN, 1e9);
}
TEST(must_fail, ok_of_an_error) {
    weir_error error = {.status = WEIR_ERROR_JSON, .message = "found x"};
    EXPECT_OK(WEIR_ERROR_JSON, &error);
}
TEST(must_fail, status_of_success) {
    EXPECT_STATUS(WEIR_OK, WEIR_ERROR_JSON, NULL);
}
TEST(must_fail, a_failure_in_words) {
    ADD_FAILURE("number %d", 1);
}

static void end_from_below(void) {
    ASSERT_EQ(1, 2);
}

TEST(must_fail, assert_ends_the_test_from_any_depth) {
    end_from_below();
    abort();
}
TEST(must_fail, fail_ends_the_test) {
    FAIL("number %d", 2);
    abort();
}
TEST(must_fail, a_file_that_is_not_there) {
    test_read_file("/nowhere/at/all", NULL);
    abort();
}
TEST(must_fail, a_leak) {
    weir_allocator allocator = test_allocator(test_memory_create());
    allocator.reallocate(allocator.context, NULL, 0, 10);
}
TEST(must_fail, a_wrong_size_given_back) {
    weir_allocator allocator = test_allocator(test_memory_create());
    void *block = allocator.reallocate(allocator.context, NULL, 0, 10);
    allocator.reallocate(allocator.context, block, 11, 0);
}
TEST(must_fail, a_leak_when_an_allocation_fails) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    while (test_next_failure(memory)) {
        void *one = allocator.reallocate(allocator.context, NULL, 0, 10);
        void *two = one ? allocator.reallocate(allocator.context, NULL, 0, 10) : NULL;
        if (two) { /* forgets `one` when `two` fails */
            allocator.reallocate(allocator.context, one, 10, 0);
            allocator.reallocate(allocator.context, two, 10, 0);
        }
    }
}
