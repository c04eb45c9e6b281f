/* test_philox.c - the random numbers: the published known answers, and what a draw depends on. */
#include "harness.h"

#include "kernels/philox.h"

static void check_answer(const uint32_t counter[4], const uint32_t key[2], const uint32_t expected[4]) {
    uint32_t out[4];
    philox4x32_10(counter, key, out);
    EXPECT_BYTES_EQ(out, sizeof out, expected, sizeof out);
}

/* Random123's kat_vectors, "philox4x32 10". */
TEST(philox, gives_the_known_answers_of_Random123) {
    check_answer((uint32_t[]){0, 0, 0, 0}, (uint32_t[]){0, 0},
                 (uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check_answer((uint32_t[]){~0u, ~0u, ~0u, ~0u}, (uint32_t[]){~0u, ~0u},
                 (uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check_answer((uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, (uint32_t[]){0xa4093822, 0x299f31d0},
                 (uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST(philox, bits_of_a_token_are_the_first_two_words_low_word_first) {
    EXPECT_EQ(philox_token_bits(0, 0), 0xe169c58d6627e8d5u);
}

TEST(philox, every_bit_of_the_seed_and_of_the_position_changes_the_draw) {
    uint64_t seed = 0x0123456789abcdefu, position = 0xfedcba9876543210u;
    uint64_t draw = philox_token_bits(seed, position);
    for (int bit = 0; bit < 64; bit++) {
        EXPECT_NE(philox_token_bits(seed ^ (uint64_t)1 << bit, position), draw);
        EXPECT_NE(philox_token_bits(seed, position ^ (uint64_t)1 << bit), draw);
    }
}
