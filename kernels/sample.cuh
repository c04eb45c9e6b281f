/* sample.cuh - from a row's entries to a token: masses, filters, one draw, log-probabilities. As kernels/cpu.c says.
 *
 * What is kept is never moved: a cut in the sorted order and a least mass say it. */
#ifndef WEIR_KERNELS_SAMPLE_CUH
#define WEIR_KERNELS_SAMPLE_CUH

#include "philox.h"
#include "weigh.cuh"

/* The distribution of the untouched logits. */
struct raw_view {
    uint32_t top;
    float top_log2; /* of its probability */
    uint32_t least; /* keys below have no probability */
    bool equal;     /* all others have that of the top */
};

DEVICE float raw_logprob(const raw_view &raw, uint32_t key) {
    if (key == KEY_NONE || (raw.equal && key < raw.least)) return -INFINITY;
    return fmaf(0.693147182f, raw.top_log2, raw.equal ? 0.0f : logit_of(key) - logit_of(raw.top));
}

/* The number of the keys and the largest; *column is the lowest that has it. */
template <typename Entries>
DEVICE_CALL uint32_t find_top(select_shared *x, uint32_t *round, const Entries &e, bool masked, uint32_t *top, uint32_t *column) {
    uint64_t totals[2] = {0, 0};
    entries_each(e, masked, [&](uint32_t key, uint32_t at) {
        uint64_t place = place_in_order(key, at);
        totals[0]++;
        if (place > totals[1]) totals[1] = place;
    });
    total_in_cluster<2, 1>(&x->totals, round, totals);
    *top = static_cast<uint32_t>(totals[1] >> 32);
    *column = ~static_cast<uint32_t>(totals[1]);
    return static_cast<uint32_t>(totals[0]);
}

/* The mass of what is kept, and in *count its entries. */
template <typename Entries>
DEVICE uint64_t total_mass(select_shared *x, uint32_t *round, const Entries &e, const kept &k, uint64_t *count) {
    uint64_t totals[3];
    weigh<false>(x, round, e, k, front_rule{}, totals);
    *count = totals[1];
    return totals[0];
}

/* Moves the cut to the shortest prefix that weighs `goal`; what takes part weighs `of`, in `count` entries. */
template <typename Entries>
DEVICE void cut_at(select_shared *x, uint32_t *round, const Entries &e, pass s, uint32_t top, uint64_t goal, uint64_t of, uint64_t count,
                   kept *k) {
    selection found = select_bound(x, round, e, s, goal, {KEY_NONE + 1, top, 0, of, count});
    uint32_t each = s.by_mass ? mass_of(found.bound, k->scale) : 1;
    uint64_t ties = (goal - found.above + each - 1) / each, equal = found.at / each;
    k->last = found.bound == k->key ? k->last : UINT32_MAX;
    k->key = found.bound;
    if (ties >= equal) return;
    s.k = *k;
    s.only = found.bound;
    s.by_column = true;
    s.by_mass = false;
    s.light = true;
    k->last = ~select_bound(x, round, e, s, ties, {1, UINT32_MAX, 0, equal, equal}).bound;
}

/* Filters as the row's sampling says. Returns the mass that is kept, which has been weighed last; *count gets its entries. */
template <typename Entries>
DEVICE uint64_t filter(select_shared *x, uint32_t *round, const Entries &e, const weir_sampling &sampling, uint32_t top, uint64_t allowed,
                       kept *k, uint64_t *count) {
    bool min_p_first = (sampling.flags & WEIR_SAMPLING_MIN_P_FIRST) != 0, joint = (sampling.flags & WEIR_SAMPLING_JOINT) != 0;
    bool heavy = min_p_first && sampling.min_p > 0.0f, known = false;
    uint64_t seen = 0, total = 0;
    if (heavy) k->least_mass = least_mass(sampling.min_p);
    if (heavy || joint) {
        seen = total = total_mass(x, round, e, *k, count);
        known = true;
    }
    if (heavy) allowed = *count;
    if (sampling.top_k != 0 && sampling.top_k < allowed) {
        cut_at(x, round, e, {*k, KEY_NONE, true, false, false, !heavy}, top, sampling.top_k, allowed, allowed, k);
        known = false;
    }
    if (!known) total = total_mass(x, round, e, *k, count);
    known = true;
    if (sampling.top_p < 1.0f) {
        uint64_t goal = share_of(sampling.top_p, joint ? seen : total);
        known = goal >= total;
        if (!known) cut_at(x, round, e, {*k, KEY_NONE, true, false, true, false}, top, goal, total, *count, k);
    }
    if (!min_p_first && sampling.min_p > 0.0f) {
        k->least_mass = least_mass(sampling.min_p);
        known = false;
    }
    return known ? total : total_mass(x, round, e, *k, count);
}

/* --- the likeliest ------------------------------------------------------------------------------------------------- */

/* Sorts the list of the first block, (key, ~column) descending; its size is a power of two. */
DEVICE void sort_list(select_shared *x, uint32_t size) {
    for (uint32_t width = 2; width <= size; width *= 2)
        for (uint32_t step = width / 2; step > 0; step /= 2) {
            for (uint32_t i = thread_index(); i < size; i += block_threads()) {
                uint32_t other = i ^ step;
                if (other <= i) continue;
                weighed a = x->list[i], b = x->list[other];
                bool before = a.order != b.order ? a.order > b.order : a.weight > b.weight;
                if (before != ((i & width) == 0)) x->list[i] = b, x->list[other] = a;
            }
            block_sync(); /* a step's exchanges, before the next step's */
        }
}

/* Reports the likeliest of what is before the cut, `kept_count` entries of at least such a mass (raw: of any). */
template <typename Entries>
DEVICE_CALL void report_top(select_shared *x, uint32_t *round, const Entries &e, const raw_view *raw, uint32_t top, kept k, uint64_t kept_count,
                       uint64_t mass, const top_view &out) {
    pass stays = {k, KEY_NONE, raw == nullptr, false, false, raw != nullptr};
    if (out.count < kept_count) cut_at(x, round, e, stays, top, out.count, kept_count, kept_count, &k);
    stays.k = k;
    select_shared *home = in_block(x, 0);
    if (cluster_rank() == 0 && thread_index() == 0) x->count = 0;
    cluster_sync(); /* the counter is 0 */
    entries_each(e, raw == nullptr, [&](uint32_t key, uint32_t column) {
        if (pass_weight(stays, key, column) != 0) home->list[atomic_add(&home->count, 1)] = {key, ~column};
    });
    cluster_sync(); /* the list is written */
    if (cluster_rank() == 0) {
        uint32_t count = x->count, size = 1;
        while (size < count) size *= 2;
        for (uint32_t i = count + thread_index(); i < size; i += block_threads()) x->list[i] = {KEY_NONE, 0};
        block_sync(); /* what is behind the list comes last */
        sort_list(x, size);
        for (uint32_t i = thread_index(); i < count; i += block_threads()) {
            uint32_t key = x->list[i].order;
            float logprob = raw ? raw_logprob(*raw, key) : fixed_log(mass_of(key, k.scale), mass);
            if (logprob == -INFINITY) continue;
            out.tokens[i] = static_cast<int32_t>(~x->list[i].weight);
            out.logprobs[i] = logprob;
        }
    }
    cluster_sync(); /* the list is read */
}

/* --- the untouched logits ----------------------------------------------------------------------------------------------- */

/* Looks at every column of the row as it came; *allowed_mass: the share of those that may follow. Reports the likeliest from
 * the front, where it has them. */
template <typename Entries>
DEVICE_CALL raw_view look_at_all(select_shared *x, uint32_t *round, const Entries &e, uint32_t most, float *allowed_mass, const top_view &out) {
    survey s = survey_row(x, round, e, false);
    if (s.top == KEY_NONE) return {KEY_NONE, -INFINITY, KEY_INFINITY, true};
    const mass_scale scale = mass_scale_of(s.top, 1.0f);
    const kept k = {KEY_NONE, UINT32_MAX, 0, scale};
    const bool all = e.mask.width <= most;
    uint64_t totals[3];
    weigh<true>(x, round, e, k, {out.count == 0 ? UINT32_MAX : all ? KEY_NONE + 1 : s.pivot, most, false, false, true}, totals);
    if (allowed_mass != nullptr) *allowed_mass = static_cast<float>(totals[1]) / static_cast<float>(totals[0]);
    raw_view raw = {s.top, fixed_log2(UINT32_MAX, totals[0]), scale.least, scale.equal};
    if (out.count != 0 && totals[2] <= most && (all || totals[2] >= out.count)) {
        auto takes = [](const front_entry &) { return true; };
        if (cluster_rank() == 0) report_front(x, static_cast<uint32_t>(totals[2]), out, takes, [&](const front_entry &f) { return raw_logprob(raw, f.key); });
    } else if (out.count != 0) {
        uint32_t top, column, count = find_top(x, round, e, false, &top, &column);
        report_top(x, round, e, &raw, s.top, k, count, totals[0], out);
    }
    return raw;
}

/* --- the draw ---------------------------------------------------------------------------------------------------------- */

/* What the row's sampling cuts of `legal` columns; min-p where it comes last. */
DEVICE cuts cuts_of(const weir_sampling &s, uint32_t legal) {
    bool cuts_count = s.top_k != 0 && s.top_k < legal, last = (s.flags & WEIR_SAMPLING_MIN_P_FIRST) == 0 && s.min_p > 0.0f;
    return {cuts_count ? s.top_k : UINT32_MAX, s.top_p, last ? least_mass(s.min_p) : 1, (s.flags & WEIR_SAMPLING_JOINT) != 0};
}

/* Draws from the entries, at most `legal` of them, from the front where `most` are enough; `out`: where the likeliest of what
 * the draw was from go, or none. The first block knows what was drawn. */
template <typename Entries>
DEVICE drawn draw(select_shared *x, uint32_t *round, const Entries &e, const weir_sampling &sampling, uint32_t legal, uint32_t most, uint64_t bits,
                  const top_view &out) {
    survey s = survey_row(x, round, e, true);
    if (s.top == KEY_NONE) return {UINT32_MAX, 0.0f};
    if (sampling.temperature < LEAST_TEMPERATURE) {
        if (out.count != 0 && cluster_rank() == 0 && thread_index() == 0) {
            out.tokens[0] = static_cast<int32_t>(s.column);
            out.logprobs[0] = 0.0f;
        }
        return {s.column, 0.0f};
    }
    kept k = {KEY_NONE, UINT32_MAX, 1, mass_scale_of(s.top, sampling.temperature)};
    const bool heavy = (sampling.flags & WEIR_SAMPLING_MIN_P_FIRST) != 0 && sampling.min_p > 0.0f;
    kept first = k;
    if (heavy) first.least_mass = least_mass(sampling.min_p);
    const cuts c = cuts_of(sampling, legal);
    const front_rule rule = {legal <= most ? KEY_NONE + 1 : s.pivot, most, heavy, !heavy && front_is_alone(c), false};
    uint64_t totals[3];
    weigh<true>(x, round, e, first, rule, totals);
    uint32_t front = static_cast<uint32_t>(totals[2]);
    if (front_suffices(c, first, rule, totals)) {
        if (cluster_rank() != 0) return {UINT32_MAX, 0.0f};
        return draw_in_front(x, c, front, totals[0], bits, out);
    }
    const bool whole = c.top_k == UINT32_MAX && c.top_p == 1.0f && c.least_mass == 1;
    bool reports = Entries::REPORTS && out.count != 0;
    if (reports && whole && totals[2] <= most && out.count <= front && (heavy || mass_of(s.pivot, k.scale) > 1)) {
        if (cluster_rank() == 0) report_masses(x, front, out, totals[0]); /* all of the front have a mass */
        reports = false;
    }
    uint64_t mass = totals[0], count = 0;
    if (whole && !reports) {
        k = first;
    } else {
        uint32_t top, column, allowed = find_top(x, round, e, true, &top, &column);
        mass = filter(x, round, e, sampling, top, allowed, &k, &count);
    }
    drawn result = draw_by_column(x, *round, e, k, multiply_high(bits, mass) + 1, mass);
    if (reports) report_top(x, round, e, static_cast<const raw_view *>(nullptr), s.top, k, count, mass, out);
    return result;
}

#endif
