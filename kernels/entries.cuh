/* entries.cuh - a row as entries, each with an ordered key and a column: the part of them that one block has.
 *
 * Most stand in vectors of 16 bytes, read from global memory each time or kept in shared memory. Where few are allowed
 * they stand in a list instead, and nothing else is read. Those that bias and penalties change stand apart, with keys of
 * their own; their bits are gone from the mask. */
#ifndef WEIR_KERNELS_ENTRIES_CUH
#define WEIR_KERNELS_ENTRIES_CUH

#include "logit.h"
#include "mask.cuh"

enum { SPARSE = 16 /* below one allowed column in so many, the allowed are listed instead of the row streamed */ };

/* One logit as it stands in memory. */
template <int DTYPE> struct logit_type {
    typedef uint16_t bits;
    enum : uint32_t { PER_VECTOR = 8, MINUS_INFINITY = DTYPE == WEIR_DTYPE_F16 ? 0xFC00u : 0xFF80u };
};
template <> struct logit_type<WEIR_DTYPE_F32> {
    typedef uint32_t bits;
    enum : uint32_t { PER_VECTOR = 4, MINUS_INFINITY = 0xFF800000u };
};

template <int DTYPE> DEVICE float logit_value(uint32_t bits) {
    if constexpr (DTYPE == WEIR_DTYPE_F32) return float_of(bits);
    if constexpr (DTYPE == WEIR_DTYPE_F16) return float_of_half(static_cast<uint16_t>(bits));
    return float_of_bf16(static_cast<uint16_t>(bits));
}
template <int DTYPE> DEVICE uint32_t logit_key(uint32_t bits) { return key_of(logit_value<DTYPE>(bits)); }

/* The bits of one logit of a vector, and giving it others. */
template <int DTYPE> DEVICE uint32_t vector_at(const vector16 &v, uint32_t i) {
    if (DTYPE == WEIR_DTYPE_F32) return v.words[i];
    return v.words[i / 2] >> 16 * (i % 2) & 0xFFFFu;
}
template <int DTYPE> DEVICE void vector_put(vector16 &v, uint32_t i, uint32_t bits) {
    if (DTYPE == WEIR_DTYPE_F32)
        v.words[i] = bits;
    else
        v.words[i / 2] = (v.words[i / 2] & 0xFFFFu << 16 * (1 - i % 2)) | bits << 16 * (i % 2);
}

struct listed {
    uint32_t key, column;
};

/* Whether the vectors stay in shared memory; whether columns that may not follow are looked at, too. The struct stands in
 * shared memory: all of it is the same for every thread of a block. */
template <int DTYPE, bool RESIDENT, bool REPORT> struct entries {
    typedef logit_type<DTYPE> type;
    typedef typename type::bits bits;
    enum { DTYPE_OF = DTYPE, REPORTS = REPORT };

    const bits *row;      /* [width] */
    uint32_t shift;       /* columns between the 16-byte boundary below and the first */
    uint32_t first, end;  /* vectors of the block, counted from that boundary */
    uint32_t whole, whole_count; /* of the row, those without a column that is not */
    mask_part mask;
    vector16 *vectors;    /* [end - first] where RESIDENT */
    uint64_t *chunks;     /* [chunk_count]: masses of the columns of 32 vectors each */
    listed *list;         /* where few are allowed */
    uint32_t list_count;
    bool dense;           /* the vectors hold what the list does not */
    bool begun;           /* they are on the way into shared memory */
    slot_view slot;
    uint32_t patch_bias, patch_counts; /* patched entries: of so many tokens with a bias, and of so many that are counted */
};

/* The block's share of a row: whole groups of 32 vectors, so that a warp's loads are one block of memory. */
template <typename Entries>
DEVICE Entries entries_of(const typename Entries::bits *row, uint32_t width, uint32_t *mask_words, vector16 *vectors, uint64_t *chunks,
                          const slot_view &slot) {
    const uint32_t per = Entries::type::PER_VECTOR;
    uint32_t shift = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(row) % 16 / sizeof(*row)), total = (shift + width + per - 1) / per;
    uint32_t each = ((total + cluster_size() - 1) / cluster_size() + WARP - 1) / WARP * WARP;
    uint32_t first = cluster_rank() * each < total ? cluster_rank() * each : total, end = first + each < total ? first + each : total;
    mask_part mask = {mask_words, first * per > shift ? first * per - shift : 0, end * per > shift ? end * per - shift : 0, width};
    if (mask.end > width) mask.end = width;
    if (mask.first > mask.end) mask.first = mask.end;
    uint32_t whole = (shift + per - 1) / per, whole_count = (shift + width) / per > whole ? (shift + width) / per - whole : 0;
    return {row, shift, first, end, whole, whole_count, mask, vectors, chunks, nullptr, 0, true, false, slot, 0, 0};
}

template <typename Entries> DEVICE uint32_t chunk_count(const Entries &e) { return (e.end - e.first + WARP - 1) / WARP; }
/* The block's chunk that holds a column of its part. */
template <typename Entries> DEVICE uint32_t chunk_of(const Entries &e, uint32_t column) {
    return ((column + e.shift) / Entries::type::PER_VECTOR - e.first) / WARP;
}

/* Whether all columns of a vector are the row's, and so of its block: of all but the first and the last of a row. */
template <typename Entries> DEVICE bool vector_is_whole(const Entries &e, uint32_t v) { return v - e.whole < e.whole_count; }

/* A copy in registers, for a loop. */
template <typename Entries> DEVICE Entries entries_near(const Entries &shared) {
    Entries e = shared;
    e.mask.words = known_shared(e.mask.words);
    e.vectors = known_shared(e.vectors);
    e.chunks = known_shared(e.chunks);
    return e;
}

/* Bits of the mask for the columns of a whole vector. */
template <typename Entries> DEVICE uint32_t vector_mask(const Entries &e, uint32_t v) {
    enum : uint32_t { PER = Entries::type::PER_VECTOR, ALL = (1u << PER) - 1 };
    uint32_t at = v * PER - e.shift - 32 * part_first_word(e.mask), word = at / 32, next = word + 1;
    if (PER == 8 && e.shift == 0) return reinterpret_cast<const uint8_t *>(e.mask.words)[at / 8];
    if (next == part_word_count(e.mask)) next = word; /* there the vector ends in this one */
    return shifted_right(e.mask.words[word], e.mask.words[next], at % 32) & ALL;
}

/* The same of any vector. */
template <typename Entries> DEVICE uint32_t vector_mask_of_any(const Entries &e, uint32_t v) {
    if (vector_is_whole(e, v)) return vector_mask(e, v);
    uint32_t bits = 0;
    for (uint32_t i = 0; i < Entries::type::PER_VECTOR; i++) {
        uint32_t column = v * Entries::type::PER_VECTOR + i - e.shift; /* before the row: beyond its end */
        if (part_has(e.mask, column) && part_bit(e.mask, column)) bits |= 1u << i;
    }
    return bits;
}

/* One that is not, with its mask, or as it stands in the row; what is before and behind the row is -inf. */
template <typename Entries> DEVICE vector16 vector_partial(const Entries &e, uint32_t v, bool masked) {
    typedef typename Entries::type type;
    uint32_t first = v * type::PER_VECTOR;
    vector16 vector = {};
    for (uint32_t i = 0; i < type::PER_VECTOR; i++) {
        bool inside = first + i >= e.shift && first + i < e.shift + e.mask.width;
        if (inside && masked) inside = part_bit(e.mask, first + i - e.shift);
        vector_put<Entries::DTYPE_OF>(vector, i, inside ? e.row[first + i - e.shift] : static_cast<uint32_t>(type::MINUS_INFINITY));
    }
    return vector;
}

template <int DTYPE> DEVICE vector16 vector_masked(vector16 vector, uint32_t mask) {
    const uint32_t none = logit_type<DTYPE>::MINUS_INFINITY, both = none << 16 | none;
    const uint32_t spread = mask << 7 | mask << 14; /* bits 2i and 2i + 1 at the ends of bytes, once moved by 2i */
    UNROLL
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t keep = spread_signs(spread >> 2 * i);
        if (DTYPE == WEIR_DTYPE_F32)
            vector.words[i] = (mask >> i & 1) != 0 ? vector.words[i] : none;
        else
            vector.words[i] = (vector.words[i] & keep) | (both & ~keep);
    }
    return vector;
}

/* One vector as the passes see it; `masked`: -inf where nothing may follow. In shared memory it is what was brought there. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE vector16 vector_get(const entries<DTYPE, RESIDENT, REPORT> &e, uint32_t v, bool masked) {
    if (RESIDENT) return e.vectors[v - e.first];
    if (!vector_is_whole(e, v)) return vector_partial(e, v, masked);
    uint32_t mask = masked ? vector_mask(e, v) : 0xFFFFFFFFu;
    vector16 vector = {};
    if (mask != 0) vector = load_once(e.row + (v * logit_type<DTYPE>::PER_VECTOR - e.shift));
    return masked ? vector_masked<DTYPE>(vector, mask) : vector;
}

/* Begins to bring the row into shared memory; `all` false: what the mask leaves of it. Each thread waits for its copies itself
 * and looks at the same vectors first. */
template <int DTYPE, bool RESIDENT, bool REPORT> DEVICE void entries_begin(const entries<DTYPE, RESIDENT, REPORT> &shared, bool all) {
    const entries<DTYPE, RESIDENT, REPORT> e = entries_near(shared);
    for (uint32_t v = e.first + thread_index(); v < e.end; v += block_threads())
        if (vector_is_whole(e, v) && (all || vector_mask(e, v) != 0))
            copy_begin(&e.vectors[v - e.first], e.row + (v * logit_type<DTYPE>::PER_VECTOR - e.shift));
}

/* Those that are not whole: of a block its first or last. */
template <typename Entries> DEVICE void entries_partial(const Entries &e, bool masked) {
    if (thread_index() != 0 || e.first == e.end) return;
    if (!vector_is_whole(e, e.first)) e.vectors[0] = vector_partial(e, e.first, masked);
    if (!vector_is_whole(e, e.end - 1)) e.vectors[e.end - 1 - e.first] = vector_partial(e, e.end - 1, masked);
}

/* Brings the row into shared memory as it is. */
template <int DTYPE, bool RESIDENT, bool REPORT> DEVICE void entries_bring(const entries<DTYPE, RESIDENT, REPORT> &e) {
    if (!RESIDENT) return;
    if (!e.begun) entries_begin(e, true);
    copy_wait();
    entries_partial(e, false);
    block_sync(); /* the row is in shared memory */
}

/* Brings what the mask, which is final, leaves of the row; `brought`: all of it is there. */
template <int DTYPE, bool RESIDENT, bool REPORT> DEVICE void entries_load(const entries<DTYPE, RESIDENT, REPORT> &shared, bool brought) {
    if (!RESIDENT) return;
    const entries<DTYPE, RESIDENT, REPORT> e = entries_near(shared);
    if (!brought && !e.begun) entries_begin(e, false);
    copy_wait();
    for (uint32_t v = e.first + thread_index(); v < e.end; v += block_threads())
        if (vector_is_whole(e, v)) e.vectors[v - e.first] = vector_masked<DTYPE>(e.vectors[v - e.first], vector_mask(e, v));
    entries_partial(e, true);
    block_sync(); /* the masked row is in shared memory */
}

/* --- entries apart --------------------------------------------------------------------------------------------------- */

/* Lists the allowed columns where they are few and the list has room for them; then no vector is read. `count`: a
 * counter in shared memory. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE void entries_list(entries<DTYPE, RESIDENT, REPORT> &e, uint32_t *count, listed *list, uint32_t capacity) {
    uint32_t words = part_word_count(e.mask), own = 0;
    if (thread_index() == 0) *count = 0;
    block_sync(); /* the counter is 0 */
    for (uint32_t i = thread_index(); i < words; i += block_threads()) own += count_ones(e.mask.words[i]);
    if (own != 0) atomic_add(count, own);
    block_sync(); /* the allowed columns are counted */
    uint32_t allowed = *count;
    bool dense = allowed > capacity || allowed >= (e.mask.end - e.mask.first) / SPARSE + 1;
    block_sync(); /* the counter is read */
    if (dense) return;
    if (thread_index() == 0) {
        *count = 0;
        e.dense = false;
        e.list = list;
        e.list_count = allowed;
    }
    block_sync(); /* the counter is 0 again */
    for (uint32_t i = thread_index(); i < words; i += block_threads()) {
        uint32_t place = e.mask.words[i] != 0 ? atomic_add(count, count_ones(e.mask.words[i])) : 0;
        for (uint32_t bits = e.mask.words[i]; bits != 0; bits &= bits - 1) {
            uint32_t column = 32 * (part_first_word(e.mask) + i) + lowest_one(bits);
            list[place++] = {logit_key<DTYPE>(e.row[column]), column};
        }
    }
    block_sync(); /* the list is written */
}

/* The bias of a token in a list that ascends by token: the first place, or `count`. */
DEVICE uint32_t bias_find(const weir_logit_bias *bias, uint32_t count, uint32_t token) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (bias[middle].token < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && bias[low].token == token ? low : count;
}

DEVICE uint32_t patch_column(const slot_view &s, uint32_t bias_count, uint32_t i) {
    return i < bias_count ? slot_bias(s)[i].token : slot_count_entries(s)[i - bias_count].token;
}

/* Keys of the allowed columns that bias and penalties change, one place for each token of either list, KEY_NONE where the
 * other place of the token has it. Each place is written and read by one thread. Takes their bits from the mask. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE void entries_patch(entries<DTYPE, RESIDENT, REPORT> &e, const penalties &penalties, bool penalised) {
    const slot_view &s = e.slot;
    const weir_logit_bias *bias = slot_bias(s);
    uint32_t bias_count = s.slot->bias_count, count_count = penalised ? s.slot->count_count : 0;
    token_counts counts = slot_counts(s);
    for (uint32_t i = thread_index(); i < bias_count + count_count; i += block_threads()) {
        uint32_t column = patch_column(s, bias_count, i), key = KEY_NONE;
        if (!part_has(e.mask, column)) continue;
        bool here = i < bias_count ? i == 0 || bias[i - 1].token != column : bias_find(bias, bias_count, column) == bias_count;
        if (here && part_bit(e.mask, column)) {
            key = logit_key<DTYPE>(e.row[column]);
            for (uint32_t k = i; k < bias_count && bias[k].token == column; k++) key = key_with_bias(key, bias[k].bias);
            uint32_t seen = penalised ? *token_counts_slot(&counts, column) : 0;
            if (seen != 0) key = key_with_penalties(key, penalties, counts.entries[seen - 1].output);
        }
        slot_patches(s)[i] = key;
    }
    block_sync(); /* every bit was looked at before one is taken */
    for (uint32_t i = thread_index(); i < bias_count + count_count; i += block_threads()) part_clear(e.mask, patch_column(s, bias_count, i));
    if (thread_index() == 0) e.patch_bias = bias_count, e.patch_counts = count_count;
    block_sync(); /* the mask is final */
}

/* --- visiting ------------------------------------------------------------------------------------------------------- */

/* visit(key, column) for every entry of the block that stands in no vector. */
template <typename Entries> DEVICE bool has_apart(const Entries &e) { return e.list_count + e.patch_bias + e.patch_counts != 0; }
template <typename Entries, typename Visit> DEVICE void entries_apart(const Entries &e, Visit visit) {
    for (uint32_t i = thread_index(); i < e.list_count; i += block_threads())
        if (e.list[i].key != KEY_NONE) visit(e.list[i].key, e.list[i].column);
    for (uint32_t i = thread_index(); i < e.patch_bias + e.patch_counts; i += block_threads()) {
        uint32_t column = patch_column(e.slot, e.patch_bias, i);
        if (part_has(e.mask, column) && slot_patches(e.slot)[i] != KEY_NONE) visit(slot_patches(e.slot)[i], column);
    }
}

/* visit(key, column) for every entry with a key that the block has; `masked` false: for every column of the row's part,
 * whatever the mask says, patched by nothing. */
template <int DTYPE, bool RESIDENT, bool REPORT, typename Visit>
DEVICE void entries_each(const entries<DTYPE, RESIDENT, REPORT> &e, bool masked, Visit visit) {
    typedef logit_type<DTYPE> type;
    for (uint32_t v = e.first + thread_index(); v < e.end && (e.dense || !masked); v += block_threads()) {
        vector16 vector = vector_get(e, v, masked);
        UNROLL
        for (uint32_t i = 0; i < type::PER_VECTOR; i++) {
            uint32_t key = logit_key<DTYPE>(vector_at<DTYPE>(vector, i));
            if (key != KEY_NONE) visit(key, v * type::PER_VECTOR + i - e.shift);
        }
    }
    if (masked) entries_apart(e, visit);
}

#endif
