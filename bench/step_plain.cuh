/* step_plain.cuh - a step the way serving stacks do it today, written plainly: what weir's step stands beside.
 *
 *   patch      bias and penalties, where there are any, in place         one block a row
 *   mask       -inf where the row's bitmask has a 0, in place            8,192 columns a block, as all but the last two:
 *   parts      temperature; the maximum and the sum of each part
 *   normalise  probabilities as floats
 *   sample     top-k, top-p, min-p and one draw, without a sort          one block a row
 *   top_parts, top: the largest logit, instead of the three for a greedy batch
 *
 * The filters are joint: top-p is a share of all. A draw is by inversion among what lies above a bound; it stands if few
 * enough lie above it, else it raises the bound, and a second pivot above it halves what is left (the dual-pivot rejection
 * that FlashInfer describes). The host fills the masks from matchers and copies them before; behind, it takes the tokens and
 * moves the matchers. All rows lie at multiples of 16 bytes. Penalties are those of the prompt. */
#ifndef WEIR_BENCH_STEP_PLAIN_CUH
#define WEIR_BENCH_STEP_PLAIN_CUH

#include "timing.cuh"

enum { PLAIN_PART = 8192 /* columns */, PLAIN_THREADS = 256, PLAIN_SAMPLE_THREADS = 1024, PLAIN_ROUNDS = 64 };

struct plain_params {
    uint32_t rows, width, parts; /* parts of a row */
    void *logits;                /* [rows, width] */
    const uint32_t *masks;       /* [rows, mask_words] */
    uint32_t mask_words;
    const weir_sampling *sampling; /* [rows] */
    const weir_logit_bias *bias;
    uint32_t bias_count;
    const uint32_t *prompt; /* of every row */
    uint32_t prompt_count;
    float *maxima, *sums; /* [rows, parts] */
    uint64_t *tops;       /* [rows, parts] */
    float *probabilities; /* [rows, width] */
    uint32_t *draws;      /* [rows] so far: the source of random numbers */
    int32_t *tokens;      /* [rows] out */
};

/* --- logits ------------------------------------------------------------------------------------------------------- */

DEVICE float plain_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
DEVICE uint32_t plain_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

template <int DTYPE> struct plain_logit {
    typedef uint16_t bits;
    enum : uint32_t { PER = 8, MINUS_INFINITY = DTYPE == WEIR_DTYPE_F16 ? 0xFC00u : 0xFF80u };
};
template <> struct plain_logit<WEIR_DTYPE_F32> {
    typedef uint32_t bits;
    enum : uint32_t { PER = 4, MINUS_INFINITY = 0xFF800000u };
};

template <int DTYPE> DEVICE float plain_value(uint32_t bits) {
    if (DTYPE == WEIR_DTYPE_F32) return plain_float(bits);
    if (DTYPE == WEIR_DTYPE_BF16) return plain_float(bits << 16);
    uint32_t magnitude = bits & 0x7FFFu, special = magnitude >= 0x7C00u ? 0x7F800000u : 0u;
    float value = plain_float(magnitude << 13) * 0x1p112f; /* the exponents differ by 112 */
    return plain_float(plain_bits(value) | special | (bits & 0x8000u) << 16);
}

/* To the nearest, ties away from zero. */
template <int DTYPE> DEVICE uint32_t plain_stored(float value) {
    uint32_t bits = plain_bits(value);
    if (DTYPE == WEIR_DTYPE_F32) return bits;
    if (DTYPE == WEIR_DTYPE_BF16) return (bits + 0x8000u) >> 16;
    uint32_t half = (plain_bits(fabsf(value) * 0x1p-112f) + 0x1000u) >> 13;
    return (half > 0x7C00u ? 0x7C00u : half) | (bits >> 16 & 0x8000u);
}

template <int DTYPE> DEVICE uint32_t plain_at(const vector16 &v, uint32_t i) {
    return DTYPE == WEIR_DTYPE_F32 ? v.words[i] : v.words[i / 2] >> 16 * (i % 2) & 0xFFFFu;
}

template <int DTYPE> DEVICE typename plain_logit<DTYPE>::bits *plain_row(const plain_params &p, uint32_t row) {
    return static_cast<typename plain_logit<DTYPE>::bits *>(p.logits) + static_cast<uint64_t>(row) * p.width;
}

/* --- a block ------------------------------------------------------------------------------------------------------ */

enum { PLAIN_WARPS = PLAIN_SAMPLE_THREADS / WARP };

struct plain_shared {
    float values[4][PLAIN_WARPS];
    uint64_t tops[PLAIN_WARPS];
    uint32_t found, last;
};

DEVICE float plain_shuffle_xor(float value, uint32_t mask) { return plain_float(warp_shuffle_xor(plain_bits(value), mask)); }
DEVICE float plain_warp_sum(float value) {
    for (uint32_t mask = WARP / 2; mask > 0; mask /= 2) value += plain_shuffle_xor(value, mask);
    return value;
}
DEVICE float plain_warp_max(float value) {
    for (uint32_t mask = WARP / 2; mask > 0; mask /= 2) value = fmaxf(value, plain_shuffle_xor(value, mask));
    return value;
}
DEVICE uint64_t plain_warp_top(uint64_t value) {
    for (uint32_t mask = WARP / 2; mask > 0; mask /= 2) {
        uint64_t high = warp_shuffle_xor(static_cast<uint32_t>(value >> 32), mask), low = warp_shuffle_xor(static_cast<uint32_t>(value), mask);
        uint64_t other = high << 32 | low;
        value = other > value ? other : value;
    }
    return value;
}

/* Sums over the block, or of COUNT 1 the maximum, in every thread. */
template <int COUNT, bool MAXIMUM> DEVICE void plain_block_total(plain_shared *x, float (&values)[COUNT]) {
    uint32_t warps = block_threads() / WARP;
    for (int i = 0; i < COUNT; i++) {
        float total = MAXIMUM ? plain_warp_max(values[i]) : plain_warp_sum(values[i]);
        if (lane_index() == 0) x->values[i][warp_index()] = total;
    }
    block_sync(); /* the warps' totals are written */
    for (int i = 0; i < COUNT; i++) {
        float own = lane_index() < warps ? x->values[i][lane_index()] : MAXIMUM ? -INFINITY : 0.0f;
        values[i] = MAXIMUM ? plain_warp_max(own) : plain_warp_sum(own);
    }
    block_sync(); /* and read, before there are others */
}

/* Calls visit(vector, column) for the thread's vectors in the block's part of its row. */
template <int DTYPE, typename Visit> DEVICE void plain_each(const plain_params &p, uint32_t row, uint32_t part, Visit visit) {
    typedef plain_logit<DTYPE> type;
    const typename type::bits *logits = plain_row<DTYPE>(p, row);
    uint32_t end = (part + 1) * PLAIN_PART < p.width ? (part + 1) * PLAIN_PART : p.width;
    for (uint32_t column = part * PLAIN_PART + thread_index() * type::PER; column < end; column += block_threads() * type::PER)
        visit(load_once(logits + column), column);
}

/* --- in place ----------------------------------------------------------------------------------------------------- */

template <int DTYPE> static KERNEL(PLAIN_THREADS) plain_patch(PARAMS(plain_params, p)) {
    typename plain_logit<DTYPE>::bits *logits = plain_row<DTYPE>(p, cluster_index());
    float repetition = p.sampling[cluster_index()].repetition_penalty;
    for (uint32_t i = thread_index(); i < p.bias_count; i += block_threads()) {
        uint32_t token = p.bias[i].token;
        logits[token] = static_cast<typename plain_logit<DTYPE>::bits>(plain_stored<DTYPE>(plain_value<DTYPE>(logits[token]) + p.bias[i].bias));
    }
    block_sync(); /* biases come before penalties */
    for (uint32_t i = thread_index(); i < p.prompt_count; i += block_threads()) {
        uint32_t token = p.prompt[i];
        float value = plain_value<DTYPE>(logits[token]);
        value = value > 0.0f ? value / repetition : value * repetition;
        logits[token] = static_cast<typename plain_logit<DTYPE>::bits>(plain_stored<DTYPE>(value));
    }
}

/* Reads no logit: it writes where a bit is 0. */
template <int DTYPE> static KERNEL(PLAIN_THREADS) plain_mask(PARAMS(plain_params, p)) {
    typedef plain_logit<DTYPE> type;
    enum : uint32_t { ALL = (1u << type::PER) - 1, BITS = type::MINUS_INFINITY, TWO = DTYPE == WEIR_DTYPE_F32 ? BITS : BITS << 16 | BITS };
    uint32_t row = cluster_index() / p.parts, part = cluster_index() % p.parts;
    uint32_t end = (part + 1) * PLAIN_PART < p.width ? (part + 1) * PLAIN_PART : p.width;
    const uint32_t *mask = p.masks + static_cast<uint64_t>(row) * p.mask_words;
    typename type::bits *logits = plain_row<DTYPE>(p, row);
    for (uint32_t column = part * PLAIN_PART + thread_index() * type::PER; column < end; column += block_threads() * type::PER) {
        uint32_t bits = mask[column / 32] >> column % 32 & ALL;
        if (bits == 0) {
            *reinterpret_cast<vector16 *>(logits + column) = {{TWO, TWO, TWO, TWO}};
        } else if (bits != ALL) {
            for (uint32_t i = 0; i < type::PER; i++)
                if ((bits >> i & 1) == 0) logits[column + i] = static_cast<typename type::bits>(BITS);
        }
    }
}

/* --- softmax ------------------------------------------------------------------------------------------------------- */

template <int DTYPE> static KERNEL(PLAIN_THREADS) plain_parts(PARAMS(plain_params, p)) {
    typedef plain_logit<DTYPE> type;
    plain_shared *x = shared_memory<plain_shared>();
    uint32_t row = cluster_index() / p.parts, part = cluster_index() % p.parts;
    float scale = 1.0f / p.sampling[row].temperature, maximum = -INFINITY, sums[1] = {0.0f};
    plain_each<DTYPE>(p, row, part, [&](const vector16 &v, uint32_t) {
        float values[type::PER], largest = maximum;
        UNROLL
        for (uint32_t i = 0; i < type::PER; i++) {
            values[i] = plain_value<DTYPE>(plain_at<DTYPE>(v, i)) * scale;
            largest = fmaxf(largest, values[i]);
        }
        if (largest == -INFINITY) return;
        sums[0] *= maximum == -INFINITY ? 0.0f : expf(maximum - largest);
        maximum = largest;
        UNROLL
        for (uint32_t i = 0; i < type::PER; i++) sums[0] += expf(values[i] - maximum);
    });
    float maxima[1] = {maximum};
    plain_block_total<1, true>(x, maxima);
    sums[0] *= maximum == -INFINITY ? 0.0f : expf(maximum - maxima[0]);
    plain_block_total<1, false>(x, sums);
    if (thread_index() != 0) return;
    p.maxima[cluster_index()] = maxima[0];
    p.sums[cluster_index()] = sums[0];
}

template <int DTYPE> static KERNEL(PLAIN_THREADS) plain_normalise(PARAMS(plain_params, p)) {
    typedef plain_logit<DTYPE> type;
    uint32_t row = cluster_index() / p.parts, part = cluster_index() % p.parts;
    const float *maxima = p.maxima + row * p.parts, *sums = p.sums + row * p.parts;
    float scale = 1.0f / p.sampling[row].temperature, maximum = -INFINITY, sum = 0.0f;
    for (uint32_t i = lane_index(); i < p.parts; i += WARP) maximum = fmaxf(maximum, maxima[i]);
    maximum = plain_warp_max(maximum);
    for (uint32_t i = lane_index(); i < p.parts; i += WARP) sum += maxima[i] == -INFINITY ? 0.0f : sums[i] * expf(maxima[i] - maximum);
    sum = 1.0f / plain_warp_sum(sum);
    float *probabilities = p.probabilities + static_cast<uint64_t>(row) * p.width;
    plain_each<DTYPE>(p, row, part, [&](const vector16 &v, uint32_t column) {
        UNROLL
        for (uint32_t i = 0; i < type::PER; i += 4) {
            vector16 four;
            UNROLL
            for (uint32_t k = 0; k < 4; k++) four.words[k] = plain_bits(expf(plain_value<DTYPE>(plain_at<DTYPE>(v, i + k)) * scale - maximum) * sum);
            *reinterpret_cast<vector16 *>(probabilities + column + i) = four;
        }
    });
}

/* --- greedy --------------------------------------------------------------------------------------------------------- */

/* Larger for a larger logit, and among equals for a lower column. */
DEVICE uint64_t plain_place(float value, uint32_t column) {
    uint32_t bits = plain_bits(value == 0.0f ? 0.0f : value), key = bits >> 31 ? ~bits : bits | 0x80000000u;
    return static_cast<uint64_t>(key) << 32 | static_cast<uint32_t>(~column);
}

template <int DTYPE> static KERNEL(PLAIN_THREADS) plain_top_parts(PARAMS(plain_params, p)) {
    plain_shared *x = shared_memory<plain_shared>();
    uint32_t row = cluster_index() / p.parts, part = cluster_index() % p.parts;
    uint64_t top = 0;
    plain_each<DTYPE>(p, row, part, [&](const vector16 &v, uint32_t column) {
        UNROLL
        for (uint32_t i = 0; i < plain_logit<DTYPE>::PER; i++) {
            uint64_t place = plain_place(plain_value<DTYPE>(plain_at<DTYPE>(v, i)), column + i);
            top = place > top ? place : top;
        }
    });
    top = plain_warp_top(top);
    if (lane_index() == 0) x->tops[warp_index()] = top;
    block_sync(); /* the warps' largest are written */
    if (warp_index() != 0) return;
    top = plain_warp_top(lane_index() < block_threads() / WARP ? x->tops[lane_index()] : 0);
    if (lane_index() == 0) p.tops[cluster_index()] = top;
}

static KERNEL(WARP) plain_top(PARAMS(plain_params, p)) {
    uint64_t top = 0;
    for (uint32_t i = lane_index(); i < p.parts; i += WARP) {
        uint64_t other = p.tops[cluster_index() * p.parts + i];
        top = other > top ? other : top;
    }
    top = plain_warp_top(top);
    if (lane_index() == 0) p.tokens[cluster_index()] = static_cast<int32_t>(~static_cast<uint32_t>(top));
}

/* --- sample --------------------------------------------------------------------------------------------------------- */

/* In [0, 1), by SplitMix64. */
DEVICE float plain_random(uint32_t row, uint32_t draw, uint32_t round) {
    uint64_t z = (static_cast<uint64_t>(row) << 40 ^ static_cast<uint64_t>(draw) << 8 ^ round) + 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return static_cast<float>((z ^ z >> 31) >> 40) * 0x1p-24f;
}

DEVICE vector16 plain_four(const float *probabilities, uint32_t column, uint32_t width) {
    vector16 none = {};
    return column < width ? *reinterpret_cast<const vector16 *>(probabilities + column) : none;
}

/* The column at which the mass of those above `low` reaches the target: tile by tile, and no further than that. */
DEVICE uint32_t plain_invert(plain_shared *x, const float *probabilities, uint32_t width, float low, float target) {
    float before = 0.0f;
    uint32_t last = 0;
    if (thread_index() == 0) x->found = UINT32_MAX, x->last = 0;
    block_sync(); /* nothing is found */
    for (uint32_t tile = 0; tile < width; tile += 4 * block_threads()) {
        uint32_t column = tile + 4 * thread_index();
        vector16 four = plain_four(probabilities, column, width);
        float own = 0.0f;
        for (uint32_t i = 0; i < 4; i++) {
            float value = plain_float(four.words[i]);
            if (value > low) own += value, last = column + i;
        }
        float sums[1] = {own};
        plain_block_total<1, false>(x, sums);
        if (before + sums[0] <= target) {
            before += sums[0];
            continue;
        }
        float sum = own; /* up to this thread, of its warp */
        for (uint32_t up = 1; up < WARP; up *= 2) {
            float other = plain_float(warp_shuffle_up(plain_bits(sum), up));
            if (lane_index() >= up) sum += other;
        }
        if (lane_index() == WARP - 1) x->values[0][warp_index()] = sum;
        block_sync(); /* the warps' sums are written */
        float at = before + sum - own;
        for (uint32_t warp = 0; warp < warp_index(); warp++) at += x->values[0][warp];
        for (uint32_t i = 0; i < 4; i++) {
            float value = plain_float(four.words[i]);
            if (value <= low) continue;
            at += value;
            if (at > target) {
                atomic_min(&x->found, column + i);
                break;
            }
        }
        break;
    }
    atomic_max(&x->last, last);
    block_sync(); /* the column is found, or rounding has left none */
    uint32_t found = x->found != UINT32_MAX ? x->found : x->last;
    block_sync(); /* and read */
    return found;
}

static KERNEL(PLAIN_SAMPLE_THREADS) plain_sample(PARAMS(plain_params, p)) {
    plain_shared *x = shared_memory<plain_shared>();
    uint32_t row = cluster_index(), draw = p.draws[row], token = 0;
    const weir_sampling s = p.sampling[row];
    const float *probabilities = p.probabilities + static_cast<uint64_t>(row) * p.width;
    bool filtered = s.top_k != 0 || s.top_p < 1.0f;
    float low = 0.0f, high = 1.0f, mass = 1.0f;
    auto each = [&](auto visit) {
        for (uint32_t column = 4 * thread_index(); column < p.width; column += 4 * block_threads()) {
            vector16 four = plain_four(probabilities, column, p.width);
            UNROLL
            for (uint32_t i = 0; i < 4; i++) visit(plain_float(four.words[i]));
        }
    };
    if (filtered || s.min_p > 0.0f) {
        float largest[1] = {0.0f}, sums[1] = {0.0f};
        each([&](float value) { largest[0] = fmaxf(largest[0], value); });
        plain_block_total<1, true>(x, largest);
        high = largest[0];
        if (s.min_p > 0.0f) {
            low = plain_float(plain_bits(s.min_p * high) - 1); /* the float below: that of min-p stays */
            each([&](float value) { sums[0] += value > low ? value : 0.0f; });
            plain_block_total<1, false>(x, sums);
            mass = sums[0];
        }
    }
    auto stands = [&](float count, float above) { return (s.top_k == 0 || count < static_cast<float>(s.top_k)) && (s.top_p >= 1.0f || above < s.top_p); };
    for (uint32_t round = 0; round < PLAIN_ROUNDS; round++) {
        token = plain_invert(x, probabilities, p.width, low, plain_random(row, draw, round) * mass);
        if (!filtered) break;
        float pivots[2] = {probabilities[token], 0.0f}, totals[4] = {}; /* masses, then numbers */
        pivots[1] = 0.5f * (pivots[0] + high);
        each([&](float value) {
            for (int i = 0; i < 2; i++) {
                totals[i] += value > pivots[i] ? value : 0.0f;
                totals[i + 2] += value > pivots[i] ? 1.0f : 0.0f;
            }
        });
        plain_block_total<4, false>(x, totals);
        if (stands(totals[2], totals[0])) break;
        bool second = !stands(totals[3], totals[1]);
        low = second ? pivots[1] : pivots[0];
        mass = second ? totals[1] : totals[0];
        if (!second) high = pivots[1];
    }
    if (thread_index() != 0) return;
    p.tokens[row] = static_cast<int32_t>(token);
    p.draws[row] = draw + 1;
}

/* --- launches --------------------------------------------------------------------------------------------------------- */

template <typename Kernel> static void plain_launch(device_stream stream, Kernel kernel, uint32_t blocks, uint32_t threads, const plain_params &p) {
    launch_shape shape = {blocks, 1, threads, sizeof(plain_shared), false};
    must(device_launch(kernel, shape, stream, p), "the baseline");
}

/* What a batch of rows needs: all of them have settings like these. */
template <int DTYPE> static void plain_enqueue_typed(device_stream stream, const plain_params &p, const weir_sampling &like) {
    uint32_t blocks = p.rows * p.parts, sampling = (p.width / 4 + WARP - 1) / WARP * WARP;
    if (sampling > PLAIN_SAMPLE_THREADS) sampling = PLAIN_SAMPLE_THREADS;
    if (p.bias_count + p.prompt_count != 0) plain_launch(stream, plain_patch<DTYPE>, p.rows, PLAIN_THREADS, p);
    if (p.masks != nullptr) plain_launch(stream, plain_mask<DTYPE>, blocks, PLAIN_THREADS, p);
    if (like.temperature == 0.0f) {
        plain_launch(stream, plain_top_parts<DTYPE>, blocks, PLAIN_THREADS, p);
        plain_launch(stream, plain_top, p.rows, WARP, p);
    } else {
        plain_launch(stream, plain_parts<DTYPE>, blocks, PLAIN_THREADS, p);
        plain_launch(stream, plain_normalise<DTYPE>, blocks, PLAIN_THREADS, p);
        plain_launch(stream, plain_sample, p.rows, sampling, p);
    }
}

static inline void plain_enqueue(device_stream stream, const plain_params &p, weir_dtype dtype, const weir_sampling &like) {
    if (dtype == WEIR_DTYPE_F32) plain_enqueue_typed<WEIR_DTYPE_F32>(stream, p, like);
    if (dtype == WEIR_DTYPE_F16) plain_enqueue_typed<WEIR_DTYPE_F16>(stream, p, like);
    if (dtype == WEIR_DTYPE_BF16) plain_enqueue_typed<WEIR_DTYPE_BF16>(stream, p, like);
}

#endif
