/* machine_cost.h - what finishing a text takes from a place in it: tokens that always suffice, and further frames.
 *
 * A state's ways and what the frame adds to them: names that are missing, items that an array still needs, what the
 * frames below take. Part of machine.h. */
#ifndef WEIR_HOST_MACHINE_COST_H
#define WEIR_HOST_MACHINE_COST_H

/* --- names of an object --------------------------------------------------------------------------------------- */

MACHINE bool mask_bit(const uint32_t *mask, uint32_t bit) { return (mask[bit / 32] >> bit % 32 & 1) != 0; }

/* Which names can follow: those in none of these masks. */
typedef struct name_filter {
    const uint32_t *seen, *dead, *beyond; /* beyond: NULL if nothing is */
    uint32_t name_count;
} name_filter;

/* What cannot be written while a name of the schema's order is missing; NULL: none is. */
MACHINE const uint32_t *names_beyond(const uint32_t *masks, const object *o, const uint32_t *seen) {
    ROLLED for (uint32_t k = 0; k < o->order_count; k++) {
        if (!mask_bit(seen, masks[o->order + k])) return masks + o->beyond + (size_t)k * o->words;
    }
    return (const uint32_t *)0;
}

MACHINE name_filter names_open(const machine *m, const instance *i, const uint32_t *frame) {
    const object *o = &m->objects[i->object];
    name_filter f = {frame + FRAME_NAMES, m->masks + i->dead, names_beyond(m->masks, o, frame + FRAME_NAMES), o->name_count};
    return f;
}

MACHINE bool name_can_follow(const name_filter *f, uint32_t bit) {
    uint32_t blocked = f->seen[bit / 32] | f->dead[bit / 32] | (f->beyond != (const uint32_t *)0 ? f->beyond[bit / 32] : 0);
    return (blocked >> bit % 32 & 1) == 0;
}

MACHINE bool names_can_follow(const name_filter *f, uint32_t lo, uint32_t hi, bool others) {
    if (others && name_can_follow(f, f->name_count)) return true;
    if (hi > f->name_count) hi = f->name_count;
    ROLLED while (lo < hi) {
        uint32_t word = lo / 32, blocked = f->seen[word] | f->dead[word];
        uint32_t range = TABLES_NONE << lo % 32;
        if (f->beyond != (const uint32_t *)0) blocked |= f->beyond[word];
        if (hi - word * 32 < 32) range &= (1u << hi % 32) - 1;
        if ((~blocked & range) != 0) return true;
        lo = (word + 1) * 32;
    }
    return false;
}

/* Whether a required name is still missing. */
MACHINE bool names_missing(const machine *m, const object *o, const uint32_t *frame) {
    ROLLED for (uint32_t k = 0; k < o->words; k++) {
        if ((m->masks[o->required + k] & ~frame[FRAME_NAMES + k]) != 0) return true;
    }
    return false;
}

/* {distance, depth, lines} at this depth. */
MACHINE uint32_t name_cost(const machine *m, const uint32_t *weight, uint32_t depth) {
    if (weight[0] == COST_NEVER || depth + weight[1] > m->t->depth_limit) return COST_NEVER;
    return cost_add(weight[0], weight[2] * m->t->indent * depth);
}

/* What the missing required names cost; COST_NEVER where one nests too deep. */
MACHINE uint32_t names_missing_cost(const machine *m, const object *o, uint32_t way, const uint32_t *frame, uint32_t depth) {
    const uint32_t *weights = m->weights + o->weights + 3 * way * o->name_count;
    uint32_t total = 0;
    ROLLED for (uint32_t k = 0; k < o->words; k++) {
        ROLLED for (uint32_t left = m->masks[o->required + k] & ~frame[FRAME_NAMES + k]; left != 0; left &= left - 1) {
            uint32_t lowest = left & (0u - left), bit = 32 * k;
            ROLLED while (lowest > 1) {
                lowest >>= 1;
                bit++;
            }
            total = cost_add(total, name_cost(m, weights + 3 * bit, depth));
        }
    }
    return total;
}

/* `so_far` and the cheapest name that can follow now, counted from its first byte on; the weight of a missing one is in
 * `so_far` already. */
MACHINE uint32_t names_first_cost(const machine *m, const cost *e, const uint32_t *frame, uint32_t depth, uint32_t so_far) {
    const instance *i = &m->instances[e->instance];
    const object *o = &m->objects[i->object];
    const uint32_t *through = m->weights + e->names - 1, *weights = m->weights + o->weights;
    name_filter f = names_open(m, i, frame);
    uint32_t least = COST_NEVER;
    if (so_far == COST_NEVER) return COST_NEVER;
    if (e->missing != 0 && (e->missing - 1) % 2 != 0) weights += 3 * o->name_count;
    ROLLED for (uint32_t bit = e->leaf_lo; bit < e->leaf_hi; bit++) {
        uint32_t cost = name_can_follow(&f, bit) ? name_cost(m, through + 3 * bit, depth) : COST_NEVER;
        if (cost == COST_NEVER) continue;
        cost = cost_add(cost, so_far);
        if (mask_bit(m->masks + o->required, bit) && cost != COST_NEVER) cost -= name_cost(m, weights + 3 * bit, depth);
        if (cost < least) least = cost;
    }
    return least == COST_NEVER ? least : least - (e->read < least ? e->read : least);
}

MACHINE uint32_t boundary_cost(const machine *m, uint32_t index, const uint32_t *frame, uint32_t depth) {
    const boundary *b = &m->boundaries[index];
    uint32_t items = frame[FRAME_COUNT] + 1, least = COST_NEVER, room = m->t->depth_limit - depth;
    ROLLED for (uint32_t i = 0; i < b->segment_count; i++) {
        const segment *s = &m->segments[b->segments + i];
        if (items < s->lo || items > s->hi || s->depth > room) continue;
        uint64_t more = s->slope != 0 ? s->hi - items : 0;
        uint64_t cost = s->at_hi + s->slope * more + (s->lines_at_hi + s->lines_slope * more) * m->t->indent * depth;
        if (s->lines_at_hi != 0) cost -= m->t->indent;
        uint32_t total = cost_add(cost < COST_NEVER ? (uint32_t)cost : COST_NEVER, frame_rest(m, frame, s->target));
        if (total < least) least = total;
    }
    return least;
}

/* Whether a name's hash is one of the first `count` that the frame keeps. */
MACHINE bool hash_is_kept(const machine *m, const uint32_t *frame, uint64_t hash, uint32_t count) {
    const uint32_t *kept = frame + frame_hashes(m);
    ROLLED for (uint32_t k = 0; k < count; k++) {
        if (kept[2 * k] == (uint32_t)hash && kept[2 * k + 1] == (uint32_t)(hash >> 32)) return true;
    }
    return false;
}

/* Tokens that always suffice to finish the text from this state, with `frame` on top at `depth`; `hash`: of the name being
 * read. */
MACHINE_CALL uint32_t machine_cost(const machine *m, uint32_t at, uint32_t counter, uint64_t hash, const uint32_t *frame,
                              uint32_t depth) {
    FORGET;
    const state *s = &m->states[at];
    uint32_t least = COST_NEVER, room = m->t->depth_limit - depth;
    ROLLED for (uint32_t i = 0; i < s->cost_count; i++) {
        const cost *e = &m->costs[s->costs + i];
        if (e->depth > room || counter > e->most) continue;
        const object *ordered = e->ordered != 0 ? &m->objects[e->ordered - 1] : (const object *)0;
        if (ordered && names_beyond(m->masks, ordered, frame + FRAME_NAMES) != (const uint32_t *)0) continue;
        uint32_t total = cost_add(e->distance, e->lines * depth * m->t->indent);
        if (e->length == TABLES_NONE) {
            total -= counter < total ? counter : total;
        } else if (e->length > counter) {
            total = cost_add(total, e->length - counter);
        }
        /* One more byte makes a name new: there are more bytes than hashes. */
        if (e->fresh != 0 && hash_is_kept(m, frame, (s->flags & STATE_HASHES) != 0 ? hash : 0, e->fresh)) {
            total = cost_add(total, 1);
        }
        if (e->missing != 0) {
            const object *o = &m->objects[(e->missing - 1) / 2];
            total = cost_add(total, names_missing_cost(m, o, (e->missing - 1) % 2, frame, depth));
        }
        if (e->names != 0) {
            total = names_first_cost(m, e, frame, depth, total);
        }
        if (total != COST_NEVER) total -= e->outdent * m->t->indent; /* of a line that is counted by now */
        uint32_t then = (e->target & BOUNDARY_FLAG) != 0 ? boundary_cost(m, e->target & ~BOUNDARY_FLAG, frame, depth)
                                                        : frame_rest(m, frame, e->target);
        total = cost_add(total, then);
        if (total < least) least = total;
    }
    return least;
}

#endif
