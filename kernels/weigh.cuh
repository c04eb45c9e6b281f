/* weigh.cuh - two looks at a row, and what follows from them without a third: its largest key; then the mass of what is kept,
 * the masses of its chunks, and its front, the few entries with the largest keys.
 *
 * Where the cuts of a request fall into the front, one block has all it needs. Where nothing is cut, the chunk that holds the
 * draw is looked at once more. Whatever is left goes the long way of select.cuh. */
#ifndef WEIR_KERNELS_WEIGH_CUH
#define WEIR_KERNELS_WEIGH_CUH

#include "select.cuh"

/* What came of a row. */
struct drawn {
    uint32_t column; /* UINT32_MAX: no token */
    float logprob;
};

/* --- the first look ------------------------------------------------------------------------------------------------ */

struct survey {
    uint32_t top, column; /* the largest key, KEY_NONE where there is none, and the lowest column that has it */
    uint32_t pivot;       /* some dozens to a few hundred entries have such a key or a larger one, most likely */
};

template <int DTYPE> DEVICE float vector_largest(const vector16 &vector) {
    float largest = -INFINITY;
    UNROLL
    for (uint32_t i = 0; i < logit_type<DTYPE>::PER_VECTOR; i++) largest = float_max(largest, logit_value<DTYPE>(vector_at<DTYPE>(vector, i)));
    return largest;
}

/* The pivot: threads stand in groups, and each group's largest key is one of the row's large ones. The smallest of those, by
 * block, leaves a few for each group above it (the coupon collector's problem); of the blocks' the largest is taken.
 * x->pivot is UINT32_MAX before. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE survey survey_row(select_shared *x, uint32_t *round, const entries<DTYPE, RESIDENT, REPORT> &shared) {
    const entries<DTYPE, RESIDENT, REPORT> e = shared;
    const uint32_t group = cluster_size() == 1 ? WARP / 4 : cluster_size() <= 4 ? WARP / 2 : static_cast<uint32_t>(WARP);
    float best = -INFINITY;
    uint32_t at = 0;
    for (uint32_t v = e.first + thread_index(); v < e.end && e.dense; v += block_threads()) {
        float largest = vector_largest<DTYPE>(vector_get(e, v, true));
        if (largest > best) best = largest, at = v;
    }
    uint64_t place = 0;
    if (best > -INFINITY) {
        vector16 vector = vector_get(e, at, true);
        uint32_t column = 0;
        UNROLL
        for (uint32_t i = logit_type<DTYPE>::PER_VECTOR; i-- > 0;)
            if (logit_value<DTYPE>(vector_at<DTYPE>(vector, i)) == best) column = at * logit_type<DTYPE>::PER_VECTOR + i - e.shift;
        place = place_in_order(key_of(best), column);
    }
    entries_apart(e, [&](uint32_t key, uint32_t column) {
        uint64_t other = place_in_order(key, column);
        if (other > place) place = other;
    });
    uint32_t largest = static_cast<uint32_t>(place >> 32);
    for (uint32_t step = 1; step < group; step *= 2) {
        uint32_t other = warp_shuffle_xor(largest, step);
        if (other > largest) largest = other;
    }
    largest = warp_min(largest);
    if (lane_index() == 0) atomic_min(&x->pivot, largest);
    block_sync(); /* the block's pivot is found */
    uint64_t totals[2] = {place, x->pivot};
    total_in_cluster<2, 0>(&x->totals, round, totals);
    return {static_cast<uint32_t>(totals[0] >> 32), ~static_cast<uint32_t>(totals[0]), static_cast<uint32_t>(totals[1])};
}

/* --- the second look ------------------------------------------------------------------------------------------------- */

/* What is kept, said of logits. */
struct weigher {
    mass_scale scale;
    float lowest;        /* what is below has no mass or is cut */
    float cut;           /* those that equal it end at column `last` */
    uint32_t last, least_mass;
};

DEVICE float lowest_logit(uint32_t key) { return key <= key_of(-FLT_MAX) ? -FLT_MAX : logit_of(key); }

DEVICE weigher weigher_of(const kept &k) {
    float cut = lowest_logit(k.key), least = lowest_logit(k.scale.least);
    return {k.scale, float_max(cut, least), cut, k.key == KEY_NONE ? UINT32_MAX : k.last, k.least_mass};
}

/* The mass of an entry, 0 where it is not kept. NaN and -inf are not. */
DEVICE uint32_t weigh_logit(const weigher &w, float logit, uint32_t column) {
    uint32_t mass = UINT32_MAX;
    if (!w.scale.equal) mass = fixed_exp2(fmaf(0.5f, float_max(logit, w.lowest), w.scale.offset), w.scale.rate);
    bool stays = logit >= w.lowest && mass >= w.least_mass;
    if (w.last != UINT32_MAX && logit == w.cut && column > w.last) stays = false;
    return stays ? mass : 0;
}

/* Which entries stand in the front: those from a pivot on, or of these those that have a mass; at most so many. */
struct front_rule {
    uint32_t pivot, most;
    bool heavy;
};

/* Into the front of the first block; `full`: it has no room, as this thread knows. */
DEVICE void front_add(select_shared *home, const front_rule &rule, bool *full, uint32_t key, uint32_t column, uint32_t mass, uint64_t (&totals)[3]) {
    if (rule.heavy && mass == 0) return;
    uint32_t at = *full ? rule.most : atomic_add(&home->count, 1);
    if (at >= rule.most) {
        totals[2] += *full ? 0 : rule.most + 1;
        *full = true;
        return;
    }
    home->few.front[at] = {key, column, mass};
    totals[1] += mass;
    totals[2]++;
}

/* The masses of what is kept: totals[0] is their sum, each chunk gets its own, and
 *   FRONT   the first block gets its front; totals[1] is the mass of that, totals[2] its entries: above rule.most some are missing
 *   else    totals[1] is the number of entries with a mass.
 * The first block's counter is 0 before. */
template <bool FRONT, int DTYPE, bool RESIDENT, bool REPORT>
DEVICE_CALL void weigh(select_shared *x, uint32_t *round, const entries<DTYPE, RESIDENT, REPORT> &shared, const kept &k, const front_rule &rule,
                       uint64_t (&totals)[3]) {
    enum : uint32_t { PER = logit_type<DTYPE>::PER_VECTOR };
    const entries<DTYPE, RESIDENT, REPORT> e = shared;
    weigher w = weigher_of(k);
    if (FRONT) w.last = UINT32_MAX; /* nothing is cut */
    const float from = lowest_logit(rule.pivot);
    select_shared *home = in_block(x, 0);
    bool full = false;
    for (int i = 0; i < 3; i++) totals[i] = 0;
    for (uint32_t base = e.first + warp_index() * WARP; base < e.end && e.dense; base += block_threads()) {
        uint32_t v = base + lane_index(), masses[PER], column = v * PER - e.shift;
        float logits[PER], largest = -INFINITY;
        vector16 vector = v < e.end ? vector_get(e, v, true) : vector_masked<DTYPE>(vector16{}, 0);
        uint64_t sum = 0;
        UNROLL
        for (uint32_t i = 0; i < PER; i++) {
            logits[i] = logit_value<DTYPE>(vector_at<DTYPE>(vector, i));
            masses[i] = weigh_logit(w, logits[i], column + i);
            sum += masses[i];
            largest = float_max(largest, logits[i]);
            if (!FRONT) totals[1] += masses[i] != 0;
        }
        totals[0] += sum;
        sum = warp_sum64(sum);
        if (lane_index() == 0) e.chunks[(base - e.first) / WARP] = sum;
        UNROLL
        for (uint32_t i = 0; i < PER && largest >= from; i++)
            if (FRONT && logits[i] >= from) front_add(home, rule, &full, key_of(logits[i]), column + i, masses[i], totals);
    }
    if (!e.dense)
        for (uint32_t i = thread_index(); i < chunk_count(e); i += block_threads()) e.chunks[i] = 0;
    if (has_apart(e)) {
        block_sync(); /* the chunks are written, before more is added */
        entries_apart(e, [&](uint32_t key, uint32_t column) {
            uint32_t mass = weigh_logit(w, logit_of(key), column);
            totals[0] += mass;
            if (!FRONT) totals[1] += mass != 0;
            if (mass != 0) atomic_add64(&e.chunks[chunk_of(e, column)], mass);
            if (FRONT && key >= rule.pivot) front_add(home, rule, &full, key, column, mass, totals);
        });
    }
    total_in_cluster<3, 3>(&x->totals, round, totals);
}

/* --- the draw in the order of columns ----------------------------------------------------------------------------------- */

/* The entry of one chunk at which its masses, in the order of columns, reach the goal: in x->result. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE void draw_in_chunk(select_shared *x, const entries<DTYPE, RESIDENT, REPORT> &e, const kept &k, uint32_t chunk, uint64_t goal) {
    enum : uint32_t { PER = logit_type<DTYPE>::PER_VECTOR };
    const weigher w = weigher_of(k);
    uint32_t first = (e.first + chunk * WARP) * PER, lowest = first > e.shift ? first - e.shift : 0, v = e.first + chunk * WARP + thread_index();
    auto add = [&](float logit, uint32_t column) {
        uint32_t mass = weigh_logit(w, logit, column);
        if (mass != 0) x->list[atomic_add(&x->count, 1)] = {~column, mass};
    };
    if (e.dense && thread_index() < WARP && v < e.end) {
        vector16 vector = vector_get(e, v, true);
        UNROLL
        for (uint32_t i = 0; i < PER; i++) add(logit_value<DTYPE>(vector_at<DTYPE>(vector, i)), v * PER + i - e.shift);
    }
    entries_apart(e, [&](uint32_t key, uint32_t column) {
        if (chunk_of(e, column) == chunk) add(logit_of(key), column);
    });
    block_sync(); /* the list is written */
    select_in_list(x, goal, {~(lowest + WARP * PER - 1), ~lowest, 0, 0, 0});
}

/* Directly behind the weighing of what is kept, by all threads of the cluster: the entry at which the masses reach the goal. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE drawn draw_by_column(select_shared *x, uint32_t round, const entries<DTYPE, RESIDENT, REPORT> &e, const kept &k, uint64_t goal, uint64_t mass) {
    select_shared *home = in_block(x, 0);
    uint64_t before = totals_before(&x->totals, round, 0), own = block_total(&x->totals, round, 0);
    if (goal > before && goal <= before + own) {
        if (thread_index() == 0) x->count = 0;
        if (warp_index() == 0) {
            reached found = first_reaching(chunk_count(e), goal - before, [&](uint32_t i) { return e.chunks[i]; });
            if (lane_index() == 0) x->window.low = found.at, x->window.above = before + found.before;
        }
        block_sync(); /* the chunk is found */
        draw_in_chunk(x, e, k, x->window.low, goal - x->window.above);
        if (thread_index() == 0) home->result = x->result;
    }
    cluster_sync(); /* the result is written */
    return {~home->result.bound, fixed_log(home->result.at, mass)};
}

/* --- the draw from the front ---------------------------------------------------------------------------------------------- */

/* What a request cuts. */
struct cuts {
    uint32_t top_k;      /* UINT32_MAX: nothing */
    float top_p;         /* 1: nothing */
    uint32_t least_mass; /* 1: nothing that has a mass */
    bool joint;          /* top_p is of the mass before top_k */
};

/* Whether all that the cuts leave stands in the front, of which weigh() said this. */
DEVICE bool front_suffices(const cuts &c, const kept &k, const front_rule &rule, const uint64_t (&totals)[3]) {
    if (totals[2] > rule.most) return false;
    if (totals[1] == totals[0]) return true;
    if (c.top_k != UINT32_MAX) return c.top_k <= totals[2];
    if (c.top_p < 1.0f && share_of(c.top_p, totals[0]) <= totals[1]) return true;
    uint64_t most = mass_of(rule.pivot, k.scale); /* behind the front, but for what rounding turns round */
    return c.least_mass > most + (most >> 22) + 1;
}

/* In the first block. Each thread asks for its entries how many stand before them, and with which mass: of few, that is less
 * than sorting them. */
DEVICE drawn draw_in_front(select_shared *x, const cuts &c, uint32_t count, uint64_t mass, uint64_t bits) {
    front_entry *front = x->few.front;
    uint64_t *before = x->few.before, top_mass = 0, kept_mass = 0;
    for (uint32_t i = thread_index(); i < count; i += block_threads()) {
        front_entry own = front[i];
        uint32_t rank = 0;
        uint64_t sum = 0;
        for (uint32_t j = 0; j < count; j++) {
            front_entry other = front[j];
            bool first = other.key > own.key || (other.key == own.key && other.column < own.column);
            rank += first;
            sum += first ? other.mass : 0;
        }
        before[i] = rank < c.top_k ? sum : UINT64_MAX;
        if (rank < c.top_k) top_mass += own.mass;
    }
    top_mass = sum_in_block(&x->totals, top_mass); /* all have read the masses */
    if (c.top_k == UINT32_MAX) top_mass = mass;
    uint64_t goal = c.top_p < 1.0f ? share_of(c.top_p, c.joint ? mass : top_mass) : UINT64_MAX;
    for (uint32_t i = thread_index(); i < count; i += block_threads()) {
        if (before[i] >= goal || front[i].mass < c.least_mass) front[i].mass = 0;
        kept_mass += front[i].mass;
    }
    kept_mass = sum_in_block(&x->totals, kept_mass); /* what is cut has no mass */
    goal = multiply_high(bits, kept_mass) + 1;
    for (uint32_t i = thread_index(); i < count; i += block_threads()) {
        front_entry own = front[i];
        if (own.mass == 0) continue;
        uint64_t sum = 0;
        for (uint32_t j = 0; j < count; j++) sum += front[j].column < own.column ? front[j].mass : 0;
        if (sum < goal && goal <= sum + own.mass) x->result = {own.column, 0, own.mass};
    }
    block_sync(); /* the result is written */
    return {x->result.bound, fixed_log(x->result.at, kept_mass)};
}

#endif
