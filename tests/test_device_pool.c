/* test_device_pool.c - places in device memory: apart, given back whole, and never lost between others. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "kernels/device_pool.h"

enum { POOL = 1 << 16, BLOBS = 40 };

typedef struct shadow {
    unsigned char memory[POOL]; /* each byte has its blob's owner, or 0xFF */
} shadow;

static void move(void *context, const pool_blob *blob, uint64_t to) {
    shadow *s = context;
    EXPECT_LT(to, blob->offset);
    for (uint64_t i = 0; i < blob->bytes; i++) { /* front first, as the copy is allowed to be made */
        unsigned char owner = s->memory[blob->offset + i];
        EXPECT_EQ(owner, blob->owner);
        s->memory[blob->offset + i] = 0xFF;
        s->memory[to + i] = owner;
    }
}

static void expect_place(shadow *s, uint64_t offset, uint64_t bytes, uint32_t owner) {
    EXPECT_EQ(offset % POOL_ALIGNMENT, 0);
    ASSERT_LE(offset + bytes, POOL);
    for (uint64_t i = 0; i < pool_rounded(bytes); i++) {
        EXPECT_EQ(s->memory[offset + i], 0xFF);
        s->memory[offset + i] = (unsigned char)owner;
    }
}

TEST(device_pool, blobs_never_overlap_and_whatever_is_free_can_be_had_after_moving_together) {
    static shadow s;
    pool_blob blobs[BLOBS];
    device_pool pool = {POOL, 0, blobs, 0, BLOBS};
    uint64_t sizes[BLOBS] = {0}, seed = 7;
    memset(s.memory, 0xFF, sizeof s.memory);
    for (int round = 0; round < 20000 && !test_has_failed(); round++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t owner = (uint32_t)(seed >> 40) % BLOBS;
        if (sizes[owner] != 0) {
            pool_give_back(&pool, owner);
            for (int i = 0; i < POOL; i++)
                if (s.memory[i] == owner) s.memory[i] = 0xFF;
            sizes[owner] = 0;
            continue;
        }
        uint64_t bytes = 1 + (seed >> 20) % 6000, offset, room = pool.bytes - pool.used;
        bool taken = pool_take(&pool, bytes, owner, &offset);
        if (!taken && room >= pool_rounded(bytes)) {
            pool_compact(&pool, move, &s);
            taken = pool_take(&pool, bytes, owner, &offset);
            EXPECT_TRUE(taken);
        }
        EXPECT_EQ(taken, room >= pool_rounded(bytes));
        if (!taken) continue;
        expect_place(&s, offset, bytes, owner);
        sizes[owner] = bytes;
    }
}

TEST(device_pool, a_blob_larger_than_the_pool_and_one_too_many_are_refused) {
    pool_blob blobs[2];
    device_pool pool = {1024, 0, blobs, 0, 2};
    uint64_t offset;
    EXPECT_FALSE(pool_take(&pool, 1025, 0, &offset));
    EXPECT_FALSE(pool_take(&pool, UINT64_MAX, 0, &offset));
    EXPECT_TRUE(pool_take(&pool, 1, 0, &offset));
    EXPECT_EQ(offset, 0);
    EXPECT_TRUE(pool_take(&pool, 1, 1, &offset));
    EXPECT_EQ(offset, POOL_ALIGNMENT);
    EXPECT_FALSE(pool_take(&pool, 1, 2, &offset));
    pool_give_back(&pool, 0);
    EXPECT_TRUE(pool_take(&pool, 256, 2, &offset));
    EXPECT_EQ(offset, 0);
    EXPECT_EQ(pool.used, 512);
}
