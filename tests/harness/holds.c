/* holds.c - tests that pass, and one that is skipped: what the plain harness must tell from cases.c. */
#include "harness.h"

#include <stdlib.h>

TEST(holds, expectations_of_every_kind) {
    EXPECT_TRUE(2 > 1);
    EXPECT_FALSE(1 > 2);
    EXPECT_EQ(1, 1u);
    EXPECT_NE(-1, UINT64_MAX);
    EXPECT_LT(-1, 0u);
    EXPECT_NULL(NULL);
    EXPECT_NOT_NULL("");
    EXPECT_STREQ("a", "a");
    EXPECT_CONTAINS("abc", "bc");
    EXPECT_BYTES_EQ("a\0b", 3, "a\0b", 3);
    EXPECT_NEAR(1.0, 1.05, 0.1);
    EXPECT_OK(WEIR_OK, NULL);
    EXPECT_STREQ(test_running(), "holds.expectations_of_every_kind");
    EXPECT_FALSE(test_has_failed());
}
TEST(holds, a_skip_ends_the_test) {
    SKIP("planted, number %d", 1);
    abort();
}
TEST(holds, memory_that_is_given_back) {
    weir_allocator allocator = test_allocator(test_memory_create());
    void *block = allocator.reallocate(allocator.context, NULL, 0, 10);
    EXPECT_NOT_NULL(block);
    allocator.reallocate(allocator.context, block, 10, 0);
}
