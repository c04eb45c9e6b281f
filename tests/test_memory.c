/* test_memory.c - allocators, the arena, statuses and errors. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "status.h"

/* --- allocators ------------------------------------------------------------------------------------------- */

TEST(allocator, default_one_allocates_grows_and_frees) {
    weir_allocator allocator = allocator_or_default(NULL);
    char *text = allocate(&allocator, 4);
    ASSERT_NOT_NULL(text);
    memcpy(text, "abc", 4);
    text = reallocate(&allocator, text, 4, 100000);
    ASSERT_NOT_NULL(text);
    EXPECT_STREQ(text, "abc");
    release(&allocator, text, 100000);
}

TEST(allocator, size_0_gives_NULL_and_release_takes_NULL) {
    test_memory *memory = test_memory_create();
    weir_allocator chosen = test_allocator(memory), allocator = allocator_or_default(&chosen);
    EXPECT_NULL(allocate(&allocator, 0));
    EXPECT_NULL(reallocate(&allocator, NULL, 0, 0));
    release(&allocator, NULL, 0);
    EXPECT_EQ(memory->calls, 0);
    void *block = allocate(&allocator, 8);
    EXPECT_EQ(memory->live_bytes, 8);
    EXPECT_NULL(reallocate(&allocator, block, 8, 0));
    EXPECT_EQ(memory->live_blocks, 0);
}

TEST(allocator, a_block_that_cannot_grow_stays_valid) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    char *text = allocate(&allocator, 4);
    memcpy(text, "abc", 4);
    memory->fail_at = 2;
    EXPECT_NULL(reallocate(&allocator, text, 4, 64));
    EXPECT_STREQ(text, "abc");
    release(&allocator, text, 4);
}

/* --- arena ------------------------------------------------------------------------------------------------ */

TEST(arena, blocks_are_aligned_to_16_bytes_and_do_not_overlap) {
    enum { COUNT = 3000 };
    static uint8_t *blocks[COUNT];
    arena a;
    arena_init(&a, NULL, 0);
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = arena_allocate(&a, i % 301);
        ASSERT_NOT_NULL(blocks[i]);
        EXPECT_EQ((uintptr_t)blocks[i] % 16, 0);
        memset(blocks[i], (int)(i % 251), i % 301);
    }
    for (size_t i = 0; i < COUNT && !test_has_failed(); i++) {
        for (size_t j = 0; j < i % 301; j++) ASSERT_EQ(blocks[i][j], i % 251);
    }
    arena_free(&a);
}

static void *shifted_reallocate(void *context, void *pointer, size_t old_size, size_t size) {
    weir_allocator inner = test_allocator(context);
    char *real = pointer ? (char *)pointer - 8 : NULL;
    char *made = inner.reallocate(inner.context, real, pointer ? old_size + 8 : 0, size ? size + 8 : 0);
    return made ? made + 8 : NULL;
}

TEST(arena, is_aligned_even_where_the_allocator_is_not) {
    arena a;
    weir_allocator shifted = {test_memory_create(), shifted_reallocate};
    arena_init(&a, &shifted, 0);
    for (size_t i = 0; i < 2000; i++) ASSERT_EQ((uintptr_t)arena_allocate_zero(&a, i) % 16, 0);
    ASSERT_EQ((uintptr_t)arena_allocate_zero(&a, 3 << 20) % 16, 0);
    arena_free(&a);
}

TEST(arena, zeroed_blocks_are_zero_in_memory_used_before) {
    test_memory *memory = test_memory_create(); /* fills with 0xa5 */
    weir_allocator allocator = test_allocator(memory);
    arena a;
    arena_init(&a, &allocator, 0);
    const uint8_t *block = arena_allocate_zero(&a, 5000);
    ASSERT_NOT_NULL(block);
    for (size_t i = 0; i < 5000; i++) ASSERT_EQ(block[i], 0);
    arena_free(&a);
}

TEST(arena, allocations_of_no_bytes_are_distinct) {
    arena a;
    arena_init(&a, NULL, 0);
    const void *one = arena_allocate(&a, 0), *two = arena_allocate(&a, 0);
    EXPECT_NOT_NULL(one);
    EXPECT_TRUE(one != two);
    arena_free(&a);
}

TEST(arena, a_large_block_leaves_the_current_one_in_use) {
    arena a;
    arena_init(&a, NULL, 0);
    uint8_t *small = arena_allocate(&a, 16);
    const void *large = arena_allocate(&a, 8 << 20);
    uint8_t *next = arena_allocate(&a, 16);
    ASSERT_NOT_NULL(large);
    EXPECT_LE(next - small, 64);
    arena_free(&a);
}

TEST(arena, total_counts_what_the_allocator_gave) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    arena a;
    arena_init(&a, &allocator, 0);
    for (size_t i = 0; i < 100; i++) arena_allocate(&a, i * 1000);
    EXPECT_EQ(a.total, memory->live_bytes);
    arena_free(&a);
    EXPECT_EQ(memory->live_blocks, 0);
    EXPECT_EQ(a.total, 0);
}

TEST(arena, the_limit_is_never_passed_and_is_told_from_a_failing_allocator) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    arena a;
    arena_init(&a, &allocator, 100000);
    size_t got = 0;
    while (arena_allocate(&a, 1000)) got++;
    EXPECT_TRUE(a.over_limit);
    EXPECT_LE(memory->peak_bytes, 100000);
    EXPECT_GE(got, 80); /* most of the limit can be used */
    arena_free(&a);

    arena_init(&a, &allocator, 0);
    memory->calls = 0;
    memory->fail_at = 1;
    EXPECT_NULL(arena_allocate(&a, 1000));
    EXPECT_FALSE(a.over_limit);
    arena_free(&a);
}

TEST(arena, a_limit_below_one_block_gives_nothing) {
    arena a;
    arena_init(&a, NULL, 16);
    EXPECT_NULL(arena_allocate(&a, 1));
    EXPECT_TRUE(a.over_limit);
    arena_free(&a);
}

TEST(arena, sizes_near_the_end_of_size_t_fail) {
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 64, SIZE_MAX / 2, SIZE_MAX / 4 + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        arena a;
        arena_init(&a, NULL, 1 << 20);
        EXPECT_NULL(arena_allocate(&a, sizes[i]));
        EXPECT_TRUE(a.over_limit);
        EXPECT_NULL(arena_allocate_zero(&a, sizes[i]));
        EXPECT_NOT_NULL(arena_allocate(&a, 100)); /* and the arena goes on */
        arena_free(&a);
    }
}

TEST(arena, goes_on_after_a_failed_allocation) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    while (test_next_failure(memory)) {
        arena a;
        arena_init(&a, &allocator, 0);
        size_t missing = 0;
        for (size_t i = 0; i < 200; i++) missing += arena_allocate(&a, 1000) == NULL;
        missing += arena_allocate(&a, 1 << 20) == NULL;
        EXPECT_EQ(missing, memory->failed ? 1 : 0);
        arena_free(&a);
    }
}

TEST(arena, can_be_used_again_after_free_and_freed_twice) {
    test_memory *memory = test_memory_create();
    weir_allocator allocator = test_allocator(memory);
    arena a;
    arena_init(&a, &allocator, 0);
    arena_free(&a);
    EXPECT_NOT_NULL(arena_allocate(&a, 10));
    arena_free(&a);
    arena_free(&a);
    EXPECT_NOT_NULL(arena_allocate(&a, 10));
    arena_free(&a);
}

/* --- statuses and errors ---------------------------------------------------------------------------------- */

TEST(status, every_status_has_its_own_name) {
    for (int i = WEIR_OK; i <= WEIR_ERROR_CANCELLED; i++) {
        const char *name = weir_status_name((weir_status)i);
        EXPECT_CONTAINS(name, i ? "WEIR_ERROR_" : "WEIR_OK");
        EXPECT_NE(strcmp(name, "WEIR_ERROR_UNKNOWN"), 0);
        for (int j = 0; j < i; j++) EXPECT_NE(strcmp(name, weir_status_name((weir_status)j)), 0);
    }
    EXPECT_STREQ(weir_status_name((weir_status)999), "WEIR_ERROR_UNKNOWN");
}

TEST(status, version_agrees_with_the_header) {
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", WEIR_VERSION_MAJOR, WEIR_VERSION_MINOR, WEIR_VERSION_PATCH);
    EXPECT_STREQ(weir_version(), expected);
}

TEST(status, a_failure_without_a_place_says_so) {
    weir_error error;
    memset(&error, 0x55, sizeof error);
    EXPECT_STATUS(fail(&error, WEIR_ERROR_VOCAB, "found %d, expected %s", 3, "four"), WEIR_ERROR_VOCAB, NULL);
    EXPECT_EQ(error.status, WEIR_ERROR_VOCAB);
    EXPECT_EQ(error.row, -1);
    EXPECT_EQ(error.byte, -1);
    EXPECT_STREQ(error.pointer, "");
    EXPECT_STREQ(error.message, "found 3, expected four");
}

TEST(status, a_failure_with_a_place_keeps_it) {
    weir_error error;
    EXPECT_STATUS(fail_at_byte(&error, WEIR_ERROR_JSON, 7, "x"), WEIR_ERROR_JSON, NULL);
    EXPECT_EQ(error.byte, 7);
    EXPECT_STATUS(fail_at_pointer(&error, WEIR_ERROR_SCHEMA, "/a/0", 9, "y"), WEIR_ERROR_SCHEMA, NULL);
    EXPECT_EQ(error.byte, 9);
    EXPECT_STREQ(error.pointer, "/a/0");
    EXPECT_STREQ(error.message, "y");
}

TEST(status, error_may_be_NULL) {
    EXPECT_STATUS(fail(NULL, WEIR_ERROR_FILE, "x"), WEIR_ERROR_FILE, NULL);
    EXPECT_STATUS(fail_at_byte(NULL, WEIR_ERROR_FILE, 0, "x"), WEIR_ERROR_FILE, NULL);
    EXPECT_STATUS(fail_at_pointer(NULL, WEIR_ERROR_FILE, "", 0, "x"), WEIR_ERROR_FILE, NULL);
}

TEST(status, arguments_may_lie_in_the_error_itself) {
    weir_error error;
    fail_at_pointer(&error, WEIR_ERROR_JSON, "/inner", 3, "inner sentence");
    fail_at_pointer(&error, WEIR_ERROR_SCHEMA, error.pointer, error.byte, "outer: %s", error.message);
    EXPECT_STREQ(error.pointer, "/inner");
    EXPECT_STREQ(error.message, "outer: inner sentence");
    EXPECT_EQ(error.byte, 3);
}

TEST(status, a_long_message_is_cut_between_characters) {
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};
    char text[1024];
    for (size_t i = 0; i < 4; i++) {
        size_t width = strlen(characters[i]);
        for (size_t lead = 0; lead < 4; lead++) {
            weir_error error;
            size_t used = lead;
            memset(text, '.', lead);
            for (; used + width < sizeof text; used += width) memcpy(text + used, characters[i], width);
            text[used] = '\0';
            fail_at_pointer(&error, WEIR_ERROR_JSON, text, 0, "%s", text);
            EXPECT_EQ(strlen(error.message), lead + (sizeof error.message - 1 - lead) / width * width);
            EXPECT_EQ(strlen(error.pointer), lead + (sizeof error.pointer - 1 - lead) / width * width);
        }
    }
}
