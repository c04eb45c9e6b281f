/* weigh.cuh - two looks at a row, and what follows from them without a third: its largest key; then its front, the few entries
 * with the largest keys, and unless those are all that is asked for, the mass of what is kept and the masses of its chunks.
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

/* Where a row's likeliest tokens go. */
struct top_view {
    uint32_t count; /* 0: none are asked for */
    int32_t *tokens;
    float *logprobs;
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
 * `masked` false: of every column of the row. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE survey survey_row(select_shared *x, uint32_t *round, const entries<DTYPE, RESIDENT, REPORT> &shared, bool masked) {
    const entries<DTYPE, RESIDENT, REPORT> e = entries_near(shared);
    const uint32_t group = cluster_size() == 1 ? WARP / 4 : cluster_size() <= 4 ? WARP / 2 : static_cast<uint32_t>(WARP);
    float best = -INFINITY;
    uint32_t at = 0;
    if (thread_index() == 0) x->count = 0, x->pivot = UINT32_MAX;
    block_sync(); /* the counter of the front is 0, and there is no pivot */
    for (uint32_t v = e.first + thread_index(); v < e.end && (e.dense || !masked); v += block_threads()) {
        float largest = vector_largest<DTYPE>(vector_get(e, v, masked));
        if (largest > best) best = largest, at = v;
    }
    uint64_t place = 0;
    if (best > -INFINITY) {
        vector16 vector = vector_get(e, at, masked);
        uint32_t column = 0;
        UNROLL
        for (uint32_t i = logit_type<DTYPE>::PER_VECTOR; i-- > 0;)
            if (logit_value<DTYPE>(vector_at<DTYPE>(vector, i)) == best) column = at * logit_type<DTYPE>::PER_VECTOR + i - e.shift;
        place = place_in_order(key_of(best), column);
    }
    auto look = [&](uint32_t key, uint32_t column) {
        uint64_t other = place_in_order(key, column);
        if (other > place) place = other;
    };
    if (masked) entries_apart(e, look);
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
    bool plain;          /* nothing is cut, and all that the lowest logit stands for has no mass, as that has none */
};

DEVICE float lowest_logit(uint32_t key) { return key <= key_of(-FLT_MAX) ? -FLT_MAX : logit_of(key); }

/* The mass of a logit, the lowest standing for those below it, and for NaN. */
DEVICE uint32_t weigh_plainly(const weigher &w, float logit) {
    return fixed_exp2(fmaf(0.5f, float_max(logit, w.lowest), w.scale.offset), w.scale.rate);
}

DEVICE weigher weigher_of(const kept &k) {
    float cut = lowest_logit(k.key), least = lowest_logit(k.scale.least);
    weigher w = {k.scale, float_max(cut, least), cut, k.key == KEY_NONE ? UINT32_MAX : k.last, k.least_mass, false};
    w.plain = !k.scale.equal && k.key == KEY_NONE && k.least_mass <= 1 && weigh_plainly(w, w.lowest) == 0;
    return w;
}

/* The mass of an entry, 0 where it is not kept. NaN and -inf are not. */
DEVICE uint32_t weigh_logit(const weigher &w, float logit, uint32_t column) {
    uint32_t mass = UINT32_MAX;
    if (!w.scale.equal) mass = weigh_plainly(w, logit);
    bool stays = logit >= w.lowest && mass >= w.least_mass;
    if (w.last != UINT32_MAX && logit == w.cut && column > w.last) stays = false;
    return stays ? mass : 0;
}

/* Which entries stand in the front: those from a pivot on, or of these those that have a mass; at most so many. */
struct front_rule {
    uint32_t pivot, most; /* UINT32_MAX: nothing */
    bool heavy;
    bool alone; /* nothing behind the front is weighed: it will do, most likely */
    bool raw;   /* every column of the row takes part */
};

/* What this thread has put into the front of the first block; `full`: it has no room, as the thread knows. */
struct front_share {
    uint64_t mass;
    uint32_t count; /* more than rule.most where one did not fit */
    bool full;
};

DEVICE void front_add(select_shared *home, const front_rule &rule, front_share *own, uint32_t key, uint32_t column, uint32_t mass) {
    if (rule.heavy && mass == 0) return;
    uint32_t at = own->full ? rule.most : atomic_add(&home->count, 1);
    if (at >= rule.most) {
        own->count += own->full ? 0 : rule.most + 1;
        own->full = true;
        return;
    }
    home->few.front[at] = {key, column, mass};
    own->mass += mass;
    own->count++;
}

/* One vector, of which something belongs there. Not in its caller's loop, for that is seldom. */
template <int DTYPE>
DEVICE_CALL front_share front_take(select_shared *home, front_rule rule, weigher w, vector16 vector, uint32_t column, front_share own) {
    const float from = lowest_logit(rule.pivot);
    UNROLL
    for (uint32_t i = 0; i < logit_type<DTYPE>::PER_VECTOR; i++) {
        float logit = logit_value<DTYPE>(vector_at<DTYPE>(vector, i));
        if (logit >= from) front_add(home, rule, &own, key_of(logit), column + i, weigh_logit(w, logit, column + i));
    }
    return own;
}

/* How a look at the vectors weighs them: entry by entry; plainly, as weigher says; only what goes into the front; or, either
 * way, all that the row has, whether it may follow or not. */
enum { WEIGH_EACH, WEIGH_PLAINLY, WEIGH_FRONT, WEIGH_RAW, WEIGH_RAW_PLAINLY };

/* Sums of one vector's masses, [0], and where they are weighed one by one, of entries that have one, [1]; of a raw vector, of
 * the masses that the mask allows. */
template <int HOW, int DTYPE> DEVICE void weigh_vector(const weigher &w, const vector16 &vector, uint32_t column, uint32_t mask, uint64_t (&sums)[2]) {
    UNROLL
    for (uint32_t i = 0; i < logit_type<DTYPE>::PER_VECTOR; i++) {
        float logit = logit_value<DTYPE>(vector_at<DTYPE>(vector, i));
        uint32_t mass = HOW == WEIGH_PLAINLY || HOW == WEIGH_RAW_PLAINLY ? weigh_plainly(w, logit) : weigh_logit(w, logit, column + i);
        sums[0] += mass;
        if (HOW == WEIGH_EACH) sums[1] += mass != 0;
        if (HOW >= WEIGH_RAW) sums[1] += (mask >> i & 1) != 0 ? mass : 0;
    }
}

/* The vectors of the block: their masses, those of chunks, and with FRONT what goes there. */
template <bool FRONT, int HOW, int DTYPE, bool RESIDENT, bool REPORT>
DEVICE void weigh_vectors(const entries<DTYPE, RESIDENT, REPORT> &e, const weigher &w, select_shared *home, const front_rule &rule,
                          front_share *front, uint64_t (&totals)[2]) {
    constexpr bool RAW = HOW >= WEIGH_RAW;
    const float from = lowest_logit(rule.pivot);
    for (uint32_t base = e.first + warp_index() * WARP; base < e.end && (e.dense || RAW); base += block_threads()) {
        uint32_t v = base + lane_index(), column = v * logit_type<DTYPE>::PER_VECTOR - e.shift;
        vector16 vector = v < e.end ? vector_get(e, v, !RAW) : vector_masked<DTYPE>(vector16{}, 0);
        uint64_t sums[2] = {0, 0};
        if (HOW != WEIGH_FRONT) {
            weigh_vector<HOW, DTYPE>(w, vector, column, RAW && v < e.end ? vector_mask_of_any(e, v) : 0, sums);
            totals[0] += sums[0];
            totals[1] += sums[1];
            if (!RAW) sums[0] = warp_sum64(sums[0]);
            if (!RAW && lane_index() == 0) e.chunks[(base - e.first) / WARP] = sums[0];
        }
        if (FRONT && vector_largest<DTYPE>(vector) >= from) *front = front_take<DTYPE>(home, rule, w, vector, column, *front);
    }
}

/* The masses of what is kept: totals[0] is their sum, each chunk gets its own, and
 *   FRONT   the first block gets its front; totals[1] is the mass of that, totals[2] its entries: above rule.most some are
 *           missing. Where it is alone, nobody asks for the sum, and chunks get nothing.
 *   else    totals[1] is the number of entries with a mass.
 * Of a raw row totals[1] is the mass of what the mask allows, and chunks get nothing: the entries apart are not made yet.
 * The first block's counter is 0 before. */
template <bool FRONT, int DTYPE, bool RESIDENT, bool REPORT>
DEVICE_CALL void weigh(select_shared *x, uint32_t *round, const entries<DTYPE, RESIDENT, REPORT> &shared, const kept &k, const front_rule &rule,
                       uint64_t (&out)[3]) {
    const entries<DTYPE, RESIDENT, REPORT> e = entries_near(shared);
    const bool alone = FRONT && rule.alone, raw = FRONT && REPORT && rule.raw;
    weigher w = weigher_of(k);
    if (FRONT) w.last = UINT32_MAX; /* nothing is cut */
    select_shared *home = in_block(x, 0);
    front_share front = {0, 0, false};
    uint64_t totals[2] = {0, 0};
    if (raw && w.plain)
        weigh_vectors<FRONT, WEIGH_RAW_PLAINLY>(e, w, home, rule, &front, totals);
    else if (raw)
        weigh_vectors<FRONT, WEIGH_RAW>(e, w, home, rule, &front, totals);
    else if (alone)
        weigh_vectors<FRONT, WEIGH_FRONT>(e, w, home, rule, &front, totals);
    else if (FRONT && w.plain)
        weigh_vectors<FRONT, WEIGH_PLAINLY>(e, w, home, rule, &front, totals);
    else
        weigh_vectors<FRONT, WEIGH_EACH>(e, w, home, rule, &front, totals);
    if (!e.dense)
        for (uint32_t i = thread_index(); i < chunk_count(e); i += block_threads()) e.chunks[i] = 0;
    if (has_apart(e)) {
        block_sync(); /* the chunks are written, before more is added */
        entries_apart(e, [&](uint32_t key, uint32_t column) {
            uint32_t mass = weigh_logit(w, logit_of(key), column);
            totals[0] += mass;
            totals[1] += mass != 0;
            if (!alone && mass != 0) atomic_add64(&e.chunks[chunk_of(e, column)], mass);
            if (FRONT && key >= rule.pivot) front_add(home, rule, &front, key, column, mass);
        });
    }
    out[0] = totals[0];
    out[1] = FRONT && !raw ? front.mass : totals[1];
    out[2] = front.count;
    total_in_cluster<3, 3>(&x->totals, round, out);
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

enum { FRONT_LIKELY = 64 };

/* What a request cuts. */
struct cuts {
    uint32_t top_k;      /* UINT32_MAX: nothing */
    float top_p;         /* 1: nothing */
    uint32_t least_mass; /* 1: nothing that has a mass */
    bool joint;          /* top_p is of the mass before top_k */
};

/* Whether all that the cuts leave will stand in a front, whatever is behind it: of so few entries it has more, most likely. */
DEVICE bool front_is_alone(const cuts &c) { return c.top_k <= FRONT_LIKELY && !c.joint; }

/* Whether it does, of which weigh() said this. */
DEVICE bool front_suffices(const cuts &c, const kept &k, const front_rule &rule, const uint64_t (&totals)[3]) {
    if (totals[2] > rule.most) return false;
    if (rule.pivot == KEY_NONE + 1) return true;
    if (c.top_k <= totals[2]) return true;
    if (rule.alone) return false;
    if (totals[1] == totals[0]) return true;
    if (c.top_k != UINT32_MAX) return false;
    if (c.top_p < 1.0f && share_of(c.top_p, totals[0]) <= totals[1]) return true;
    uint64_t most = mass_of(rule.pivot, k.scale); /* behind the front, but for what rounding turns round */
    return c.least_mass > most + (most >> 22) + 1;
}

DEVICE bool stands_before(const front_entry &a, const front_entry &b) { return a.key > b.key || (a.key == b.key && a.column < b.column); }

/* In the first block: the likeliest of a front's entries that take part, with their logprob(entry). */
template <typename Takes, typename Logprob>
DEVICE void report_front(const select_shared *x, uint32_t count, const top_view &out, Takes takes, Logprob logprob) {
    const front_entry *front = x->few.front;
    for (uint32_t i = thread_index(); i < count; i += block_threads()) {
        front_entry own = front[i];
        uint32_t rank = 0;
        if (!takes(own)) continue;
        for (uint32_t j = 0; j < count; j++) rank += takes(front[j]) && stands_before(front[j], own);
        float value = logprob(own);
        if (rank >= out.count || value == -INFINITY) continue;
        out.tokens[rank] = static_cast<int32_t>(own.column);
        out.logprobs[rank] = value;
    }
}

/* Of those with a mass, among entries that weigh so much together. */
DEVICE void report_masses(const select_shared *x, uint32_t count, const top_view &out, uint64_t mass) {
    report_front(x, count, out, [](const front_entry &f) { return f.mass != 0; }, [&](const front_entry &f) { return fixed_log(f.mass, mass); });
}

/* In the first block. Each thread asks for its entries how many stand before them, and with which mass: of few, that is less
 * than sorting them. */
DEVICE drawn draw_in_front(select_shared *x, const cuts &c, uint32_t count, uint64_t mass, uint64_t bits, const top_view &out) {
    front_entry *front = x->few.front;
    uint64_t *before = x->few.before, top_mass = 0, kept_mass = 0;
    for (uint32_t i = thread_index(); i < count; i += block_threads()) {
        front_entry own = front[i];
        uint32_t rank = 0;
        uint64_t sum = 0;
        for (uint32_t j = 0; j < count; j++) {
            front_entry other = front[j];
            bool first = stands_before(other, own);
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
    if (out.count != 0) report_masses(x, count, out, kept_mass);
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
