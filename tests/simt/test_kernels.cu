/* test_kernels.cu - see test_kernels.cuh. */
#include "test_kernels.cuh"

#include "kernels/fixed_math.h"
#include "kernels/philox.h"

/* --- sums ------------------------------------------------------------------------------------------------- */

DEVICE uint64_t warp_add64(uint64_t value) {
    for (uint32_t step = WARP / 2; step > 0; step /= 2) {
        uint64_t low = warp_shuffle_xor(static_cast<uint32_t>(value), step);
        uint64_t high = warp_shuffle_xor(static_cast<uint32_t>(value >> 32), step);
        value += high << 32 | low;
    }
    return value;
}

/* The sum over the block, for every thread. `warps` may be used again behind a barrier. */
DEVICE uint64_t block_add64(uint64_t value, uint64_t *warps) {
    value = warp_add64(value);
    if (lane_index() == 0) warps[warp_index()] = value;
    block_sync(); /* the sums of all warps are written */
    uint64_t sum = 0;
    for (uint32_t i = 0; i < block_threads() / WARP; i++) sum += warps[i];
    return sum;
}

struct sum_shared {
    uint64_t warps[WARP];
};

KERNEL(TEST_THREADS) block_sums(PARAMS(sum_params, p)) {
    sum_shared *shared = shared_memory<sum_shared>();
    uint32_t vectors = p.count / 4, stride = block_threads() * cluster_count();
    uint64_t sum = 0;
    for (uint32_t i = cluster_index() * block_threads() + thread_index(); i < vectors; i += stride) {
        vector16 v = load_once(p.values + 4 * static_cast<size_t>(i));
        for (uint32_t word : v.words) sum += word;
    }
    sum = block_add64(sum, shared->warps);
    if (thread_index() == 0) p.out[cluster_index()] = sum;
}

/* --- warps ------------------------------------------------------------------------------------------------ */

struct warp_shared {
    uint32_t passed[TEST_THREADS];
};

KERNEL(TEST_THREADS) warp_facts(PARAMS(warp_params, p)) {
    warp_shared *shared = shared_memory<warp_shared>();
    uint32_t thread = thread_index(), value = p.values[thread], argument = p.arguments[thread];
    uint32_t *out = p.out + thread * static_cast<size_t>(WARP_FACTS);
    out[0] = warp_ballot((value & 1) != 0);
    out[1] = warp_shuffle(value, argument);
    out[2] = warp_shuffle_up(value, argument % WARP);
    out[3] = warp_shuffle_xor(value, argument % WARP);
    out[4] = warp_max(value);
    out[5] = warp_min(value);
    out[6] = warp_add(value);
    shared->passed[thread] = value;
    warp_sync(); /* the neighbour has written */
    out[7] = shared->passed[thread ^ 1];
}

/* --- clusters --------------------------------------------------------------------------------------------- */

struct histogram_shared {
    uint32_t bins[HISTOGRAM_BINS];
};

KERNEL(TEST_THREADS) cluster_histogram(PARAMS(histogram_params, p)) {
    histogram_shared *shared = shared_memory<histogram_shared>();
    uint32_t blocks = cluster_size(), rank = cluster_rank(), threads = block_threads();
    for (uint32_t i = thread_index(); i < HISTOGRAM_BINS; i += threads) shared->bins[i] = 0;
    block_sync(); /* the bins are clear */
    const uint32_t *values = p.values + cluster_index() * static_cast<size_t>(p.count);
    for (uint32_t i = rank * threads + thread_index(); i < p.count; i += blocks * threads) {
        atomic_add(&shared->bins[values[i] % HISTOGRAM_BINS], 1);
    }
    cluster_sync(); /* every block has counted */
    uint32_t *out = p.out + cluster_index() * static_cast<size_t>(HISTOGRAM_BINS);
    for (uint32_t i = rank * threads + thread_index(); i < HISTOGRAM_BINS; i += blocks * threads) {
        uint32_t sum = 0;
        for (uint32_t block = 0; block < blocks; block++) sum += in_block(shared, block)->bins[i];
        out[i] = sum;
    }
    cluster_sync(); /* no block ends while another reads it */
}

int launch_histogram(const histogram_params &p, uint32_t clusters, uint32_t cluster, device_stream stream) {
    launch_shape shape = {clusters, cluster, TEST_THREADS, sizeof(histogram_shared), false};
    int error = device_allow(cluster_histogram, shape.shared, cluster);
    return error ? error : device_launch(cluster_histogram, shape, stream, p);
}

/* --- memory ----------------------------------------------------------------------------------------------- */

KERNEL(TEST_THREADS) atomic_facts(PARAMS(atomic_params, p)) {
    uint32_t block = cluster_index() * cluster_size() + cluster_rank();
    uint32_t thread = block * block_threads() + thread_index();
    atomic_add(&p.words[0], thread);
    atomic_or(&p.words[1], 1u << thread % 32);
    atomic_and(&p.words[2], ~(1u << thread % 16));
    atomic_max(&p.words[3], thread);
    atomic_min(&p.words[4], thread);
    p.tickets[atomic_add(&p.words[5], 1)] = thread;
    atomic_add64(p.sum, static_cast<uint64_t>(thread) << 32);
}

KERNEL(TEST_THREADS) shared_garbage(PARAMS(peek_params, p)) {
    uint32_t *words = shared_memory<uint32_t>();
    for (uint32_t i = thread_index(); i < p.words; i += block_threads()) {
        p.out[cluster_index() * static_cast<size_t>(p.words) + i] = words[i];
        words[i] = 0;
    }
}

KERNEL(TEST_THREADS) copies_begun(PARAMS(copy_params, p)) {
    vector16 *vectors = shared_memory<vector16>();
    uint32_t thread = thread_index();
    copy_begin(&vectors[thread], &p.from[thread]);
    p.out[thread] = vectors[thread];
    copy_wait();
    block_sync();
    p.out[block_threads() + thread] = vectors[thread ^ 1];
}

KERNEL(TEST_THREADS) bit_facts(PARAMS(bit_params, p)) {
    for (uint32_t i = thread_index(); i < p.count; i += block_threads()) {
        uint32_t *out = p.out + i * static_cast<size_t>(BIT_FACTS);
        out[0] = count_ones(p.words[i]);
        out[1] = lowest_one(p.words[i]);
        out[2] = highest_one(p.words[i]);
        out[3] = shifted_right(p.words[i], 0x12345678u, 12);
        out[4] = spread_signs(p.words[i]);
    }
}

KERNEL(TEST_THREADS) doubled(PARAMS(double_params, p)) {
    grid_release();
    grid_wait(); /* `from` may be what the launch before writes */
    uint32_t block = cluster_index() * cluster_size() + cluster_rank();
    uint32_t stride = block_threads() * cluster_size() * cluster_count();
    for (uint32_t i = block * block_threads() + thread_index(); i < p.count; i += stride) {
        p.to[i] = 2 * p.from[i] + p.add;
    }
}

/* --- sampling --------------------------------------------------------------------------------------------- */

struct sample_shared {
    uint64_t totals[WARP], prefixes[WARP];
    uint32_t largest[WARP];
};

/* The keys of the thread's share: `per_thread` neighbours at a time, so that masses add up in the order of tokens. */
template <int per_thread>
DEVICE void read_keys(const sample_params &p, uint32_t row, uint32_t from, uint32_t (&keys)[per_thread]) {
    const uint32_t *mask = p.mask + row * static_cast<size_t>((p.vocab + 31) / 32);
    const float *logits = p.logits + row * static_cast<size_t>(p.vocab);
    for (int i = 0; i < per_thread; i++) {
        uint32_t token = from + static_cast<uint32_t>(i);
        bool allowed = token < p.vocab && (mask[token / 32] >> token % 32 & 1) != 0;
        keys[i] = allowed ? key_of(logits[token]) : KEY_NONE;
    }
}

/* The sum of all threads before this one. */
DEVICE uint64_t block_before64(uint64_t value, uint64_t *warps) {
    uint64_t sum = value;
    for (uint32_t up = 1; up < WARP; up *= 2) {
        uint64_t low = warp_shuffle_up(static_cast<uint32_t>(sum), up);
        uint64_t high = warp_shuffle_up(static_cast<uint32_t>(sum >> 32), up);
        if (lane_index() >= up) sum += high << 32 | low;
    }
    if (lane_index() == WARP - 1) warps[warp_index()] = sum;
    block_sync(); /* the sums of all warps are written */
    uint64_t before = sum - value;
    for (uint32_t i = 0; i < warp_index(); i++) before += warps[i];
    return before;
}

template <int per_thread> KERNEL(TEST_THREADS) sample_rows(PARAMS(sample_params, p)) {
    sample_shared *shared = shared_memory<sample_shared>();
    uint32_t row = cluster_index() / p.draws, draw = cluster_index() % p.draws;
    uint32_t step = block_threads() * per_thread, keys[per_thread];
    /* Each thread owns one run of tokens, a multiple of per_thread. */
    uint32_t run = (p.vocab + step - 1) / step * per_thread, begin = thread_index() * run;

    uint32_t largest = KEY_NONE;
    for (uint32_t at = 0; at < run; at += per_thread) {
        read_keys(p, row, begin + at, keys);
        for (uint32_t key : keys) largest = key > largest ? key : largest;
    }
    largest = warp_max(largest);
    if (lane_index() == 0) shared->largest[warp_index()] = largest;
    block_sync(); /* the largest keys of all warps are written */
    for (uint32_t i = 0; i < block_threads() / WARP; i++) {
        uint32_t other = shared->largest[i];
        largest = other > largest ? other : largest;
    }
    if (largest == KEY_NONE) {
        if (thread_index() == 0) p.tokens[row * static_cast<size_t>(p.draws) + draw] = TOKEN_NONE;
        return;
    }

    mass_scale scale = mass_scale_of(largest, p.temperature);
    uint64_t own = 0;
    for (uint32_t at = 0; at < run; at += per_thread) {
        read_keys(p, row, begin + at, keys);
        for (uint32_t key : keys) own += mass_of(key, scale);
    }
    uint64_t total = block_add64(own, shared->totals);
    uint64_t drawn = multiply_high(philox_token_bits(p.seed + row, draw), total);
    uint64_t before = block_before64(own, shared->prefixes);
    if (drawn < before || drawn - before >= own) return;
    for (uint32_t at = 0; at < run; at += per_thread) { /* one thread comes here */
        read_keys(p, row, begin + at, keys);
        for (int i = 0; i < per_thread; i++) {
            uint64_t mass = mass_of(keys[i], scale);
            if (drawn >= before && drawn - before < mass) {
                p.tokens[row * static_cast<size_t>(p.draws) + draw] = begin + at + static_cast<uint32_t>(i);
            }
            before += mass;
        }
    }
}

template KERNEL(TEST_THREADS) sample_rows<1>(PARAMS(sample_params, p));
template KERNEL(TEST_THREADS) sample_rows<4>(PARAMS(sample_params, p));
