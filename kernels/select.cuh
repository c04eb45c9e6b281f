/* select.cuh - the place in an order at which weights reach a goal: the search behind top-k, top-p and
 * ties, where the front of weigh.cuh is not enough.
 *
 * Every entry has an order (0: it takes no part) and a weight. Sought is the largest bound such that the entries at or above
 * it weigh at least the goal. A window around it is narrowed by passes over all entries, three pivots at a time, until what
 * lies in it fits a list of one block, which finds it by its digits. Exact: pivots only decide how fast. */
#ifndef WEIR_KERNELS_SELECT_CUH
#define WEIR_KERNELS_SELECT_CUH

#include "entries.cuh"

/* Kept: entries before the cut, a key and the last column of those that equal it; and with at least such a mass. */
struct kept {
    uint32_t key, last;
    uint32_t least_mass;
    mass_scale scale;
};

DEVICE bool is_before_cut(const kept &k, uint32_t key, uint32_t column) { return key > k.key || (key == k.key && column <= k.last); }

/* Larger for what comes first: the larger key, of equal ones the lower column. */
DEVICE uint64_t place_in_order(uint32_t key, uint32_t column) { return static_cast<uint64_t>(key) << 32 | static_cast<uint32_t>(~column); }

/* What takes part in a pass over the entries, in which order and with which weight. */
struct pass {
    kept k;
    uint32_t only;  /* entries with this key alone; KEY_NONE: with any */
    bool masked;    /* those that may follow; else all columns of the row */
    bool by_column; /* ordered by column, the lowest first; else by key */
    bool by_mass;   /* weighed by mass; else each is 1, */
    bool light;     /* whatever its mass */
};

/* 0: it takes no part. */
DEVICE uint32_t pass_weight(const pass &s, uint32_t key, uint32_t column) {
    if (!is_before_cut(s.k, key, column) || (s.only != KEY_NONE && key != s.only)) return 0;
    if (s.light) return 1;
    uint32_t mass = mass_of(key, s.k.scale);
    if (mass < s.k.least_mass) return 0;
    return s.by_mass ? mass : 1;
}

DEVICE uint32_t pass_order(const pass &s, uint32_t key, uint32_t column) { return s.by_column ? ~column : key; }

enum {
    LIST_MOST = 1024, /* entries; as many as top log-probabilities */
    DIGIT_BITS = 8,   /* of the search in the list */
    DIGITS = 1 << DIGIT_BITS
};
static_assert(LIST_MOST >= WEIR_TOP_LOGPROBS_MOST, "they are sorted there");

struct weighed {
    uint32_t order, weight;
};

struct selection {
    uint32_t bound;
    uint64_t above; /* weight of the entries above the bound */
    uint64_t at;    /* and of those that equal it */
};

/* Where the bound lies: weights of the entries above the window, and in it. */
struct select_window {
    uint32_t low, high;
    uint64_t above, inside, count;
};

/* An entry of the front (weigh.cuh). */
struct alignas(16) front_entry {
    uint32_t key, column, mass;
};

/* A block's part in selections. */
struct select_shared {
    exchange totals;
    union {
        weighed list[LIST_MOST];
        struct {
            front_entry front[DEVICE_FRONT_MOST];
            uint64_t before[DEVICE_FRONT_MOST];
        } few;
    };
    uint32_t count;           /* of the list or the front */
    uint32_t pivot;           /* of a survey */
    uint32_t sums[2][DIGITS]; /* of the lower and upper halves of weights */
    select_window window;
    selection result;
};

/* Three places above low, up to high, ascending: the middle of the orders, and where these are keys, of their logits. */
DEVICE void place_pivots(const select_window &w, bool keys, uint32_t (&pivots)[3]) {
    uint32_t size = w.high - w.low;
    pivots[0] = w.low + size / 4 + 1;
    pivots[1] = w.low + size / 2 + 1;
    pivots[2] = w.low + size / 2 + size / 4 + 1;
    if (!keys || w.high >= KEY_INFINITY || w.low < key_of(-FLT_MAX)) return;
    float low = logit_of(w.low), high = logit_of(w.high), middle = 0.5f * low + 0.5f * high;
    pivots[0] = key_of(middle);
    pivots[2] = key_of(0.5f * middle + 0.5f * high);
    for (int i = 0; i < 3; i++)
        if (pivots[i] <= w.low || pivots[i] > w.high) pivots[i] = pivots[1];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 2; i++)
            if (pivots[i] > pivots[i + 1]) {
                uint32_t larger = pivots[i];
                pivots[i] = pivots[i + 1];
                pivots[i + 1] = larger;
            }
}

/* totals: weight and number of the window's entries from each pivot on. */
DEVICE void narrow(uint64_t goal, const uint32_t (&pivots)[3], const uint64_t (&totals)[6], select_window *w) {
    for (int i = 2; i >= 0; i--) {
        if (w->above + totals[i] < goal) continue;
        uint64_t weight = i < 2 ? totals[i + 1] : 0, count = i < 2 ? totals[i + 4] : 0;
        if (i < 2) w->high = pivots[i + 1] - 1;
        w->low = pivots[i];
        w->above += weight;
        w->inside = totals[i] - weight;
        w->count = totals[i + 3] - count;
        return;
    }
    w->high = pivots[0] - 1;
    w->above += totals[0];
    w->inside -= totals[0];
    w->count -= totals[3];
}

DEVICE void add_to_totals(const select_window &w, const uint32_t (&pivots)[3], uint32_t order, uint32_t weight, uint64_t (&totals)[6]) {
    if (order < w.low || order > w.high) return;
    UNROLL
    for (int i = 0; i < 3; i++) {
        totals[i] += order >= pivots[i] ? weight : 0;
        totals[i + 3] += order >= pivots[i];
    }
}

/* Of the sums by digit, in the first warp: the digit at which the goal is reached, from the largest down. */
DEVICE void choose_digit(select_shared *x, uint64_t goal, uint32_t low, uint32_t shift, uint64_t above) {
    auto weight = [&](uint32_t i) { return x->sums[0][DIGITS - 1 - i] + (static_cast<uint64_t>(x->sums[1][DIGITS - 1 - i]) << 16); };
    reached found = first_reaching(DIGITS, goal - above, weight);
    if (lane_index() != 0) return;
    x->window.low = low + ((DIGITS - 1 - found.at) << shift);
    x->window.above = above + found.before;
    x->window.inside = weight(found.at);
}

/* In one block: from its list to one place, by the digits of the orders, the leading ones first. */
DEVICE void select_in_list(select_shared *x, uint64_t goal, const select_window &window) {
    uint32_t low = window.low, bits = window.high > low ? highest_one(window.high - low) + 1 : 0;
    uint64_t above = window.above;
    while (bits > 0) {
        uint32_t shift = bits > DIGIT_BITS ? bits - DIGIT_BITS : 0;
        for (uint32_t i = thread_index(); i < 2 * DIGITS; i += block_threads()) x->sums[i / DIGITS][i % DIGITS] = 0;
        block_sync(); /* the sums are 0 */
        for (uint32_t i = thread_index(); i < x->count; i += block_threads()) {
            weighed entry = x->list[i];
            uint32_t at = entry.order - low;
            if (entry.order < low || (bits < 32 && at >> bits != 0)) continue;
            atomic_add(&x->sums[0][at >> shift], entry.weight & 0xFFFFu);
            atomic_add(&x->sums[1][at >> shift], entry.weight >> 16);
        }
        block_sync(); /* the sums are complete */
        if (warp_index() == 0) choose_digit(x, goal, low, shift, above);
        block_sync(); /* the digit is chosen */
        low = x->window.low;
        above = x->window.above;
        bits = shift;
    }
    if (thread_index() == 0) x->result = {low, above, x->window.inside};
}

/* `window` holds the bound sought, with the weight and the number of the entries in it; their weight is at least the goal.
 * Called by all threads of the cluster alike. */
template <typename Entries>
DEVICE_CALL selection select_bound(select_shared *x, uint32_t *round, const Entries &e, const pass &s, uint64_t goal, select_window window) {
    while (window.low < window.high && window.count > LIST_MOST) {
        uint32_t pivots[3];
        uint64_t totals[6] = {};
        place_pivots(window, !s.by_column, pivots);
        entries_each(e, s.masked, [&](uint32_t key, uint32_t column) {
            uint32_t weight = pass_weight(s, key, column);
            if (weight != 0) add_to_totals(window, pivots, pass_order(s, key, column), weight, totals);
        });
        total_in_cluster<6, 6>(&x->totals, round, totals);
        narrow(goal, pivots, totals, &window);
    }
    if (window.low == window.high) return {window.low, window.above, window.inside};
    select_shared *home = in_block(x, 0);
    if (cluster_rank() == 0 && thread_index() == 0) x->count = 0;
    cluster_sync(); /* the counter is 0 */
    entries_each(e, s.masked, [&](uint32_t key, uint32_t column) {
        uint32_t weight = pass_weight(s, key, column), order = pass_order(s, key, column);
        if (weight != 0 && order >= window.low && order <= window.high) home->list[atomic_add(&home->count, 1)] = {order, weight};
    });
    cluster_sync(); /* the list is written */
    if (cluster_rank() == 0) select_in_list(x, goal, window);
    cluster_sync(); /* the result is written; blocks meet again before there is another */
    return home->result;
}

#endif
