/* machine_search.h - whether a careful frame can still end, by looking for an end.
 *
 * Costs say whether a frame can end as far as its states, counts and names go. Which values may still be written says
 * nobody but a search: it writes the cheapest bytes first and takes back what a repeated value forbids. It looks for
 * ends that are hardly longer than the costs say, allowing one byte more each time (Korf, "Depth-first
 * iterative-deepening", 1985), then for any. It gives up after a number of steps, which only narrows: an end that it found
 * from one state it finds from each state on the way there. Part of machine.h. */
#ifndef WEIR_HOST_MACHINE_SEARCH_H
#define WEIR_HOST_MACHINE_SEARCH_H

#define SEARCH_STEPS_FIRST 1024u /* for any end, where it is enough that there is one; and where tokens are short */
#define SEARCH_SLACK 24u         /* bytes more than the costs say */
#define SEARCH_STEPS_BELOW 16384u/* for each of them, in bytes that a walk reads */
#define SEARCH_STEPS 65536u      /* for any end */
#define SEARCH_BYTES 512u
#define SEARCH_EDGES 48u
#define SEARCH_SPARE 16u /* bytes more that make a value new where there are many */

#define SEARCH_GAVE_UP (COST_NEVER - 1)
#define SEARCH_ANY (COST_NEVER - 2)

/* The attempts of a search in their order: any end, where one is enough; ends hardly longer than the costs say; any. */
#define SEARCH_AT_ONCE 0u
#define SEARCH_TIGHT   1u
#define SEARCH_LAST    (SEARCH_TIGHT + SEARCH_SLACK + 1)

typedef struct search_step {
    uint8_t byte, rank; /* rank: of its edge among the cheapest */
    uint16_t alike;     /* bytes of that edge tried so far */
} search_step;

/* Its values stand in memory: threads of a device have few registers. */
typedef struct search {
    uint32_t cost, left, spare, wanted; /* what search_end was asked */
    uint32_t attempt, limit, steps;     /* the attempt, the most tokens of its ends, and how many steps are left to it */
    uint32_t length, read;              /* bytes of the path, and of them those that the walk has read */
    bool first;                         /* nothing has been tried behind the path */
    walk t;
    search_step path[SEARCH_BYTES];
} search;

/* The sequence as it is after the walk, as far as the search needs it. */
MACHINE void search_flatten(const machine *m, const walk *w, uint32_t *sequence) {
    walk_save_head(w, sequence);
    ROLLED for (uint32_t depth = w->careful - 1; depth <= w->depth; depth++) {
        const uint32_t *frame = walk_frame(m, w, depth);
        uint32_t *to = sequence + SEQUENCE_HEAD + (size_t)depth * m->t->frame_words;
        ROLLED for (uint32_t i = 0; i < m->t->frame_words; i++) to[i] = frame[i];
    }
    ROLLED for (uint32_t i = 0; i < w->kept; i++) {
        value_put(sequence + SEQUENCE_HEAD + kept_at(m, i), value_pair(walk_kept(m, w, i)));
    }
}

/* The least that a container takes which closes with a class, whatever its items. */
MACHINE uint32_t search_inside(const machine *m, const state *s, uint32_t class_index) {
    uint32_t least = COST_NEVER;
    ROLLED for (uint32_t i = 0; i < s->cost_count; i++) {
        const cost *e = &m->costs[s->costs + i];
        if (((e->target & BOUNDARY_FLAG) != 0 || e->target == class_index) && e->distance < least) least = e->distance;
    }
    return least;
}

/* What a container takes and what then is left. */
MACHINE uint32_t search_call(const machine *m, const walk *w, uint32_t index) {
    uint32_t least = COST_NEVER;
    ROLLED for (uint32_t k = 0; k < m->returns[m->calls[index].ret].class_count; k++) {
        uint32_t target = m->targets[m->returns[m->calls[index].ret].targets + k];
        uint32_t inside = search_inside(m, &m->states[m->calls[index].start], k);
        if (target == STATE_DEAD || inside == COST_NEVER) continue;
        uint32_t cost = cost_add(inside + 1, machine_cost(m, target, 0, 0, walk_frame(m, w, w->depth), w->depth));
        if (cost < least) least = cost;
    }
    return least;
}

/* Where a number may end, a longer spelling of it or an exponent need not be tried. */
MACHINE bool search_passes_over(const machine *m, const state *s, const edge *e, uint32_t to) {
    bool may_end = m->edges[s->edges + s->edge_count - 1].op == EDGE_ELSE;
    return may_end && e->op == EDGE_LOCAL && ((m->states[to].flags & STATE_FROZEN) != 0 || e->lo == 'e' || e->lo == 'E');
}

/* A guess at what is left behind an edge: only the order of the tries hangs on it. NEVER: not worth one. */
MACHINE uint32_t search_guess(const machine *m, const walk *w, const edge *e) {
    const state *s = &m->states[w->state];
    const instance *in = s->instance != TABLES_NONE ? &m->instances[s->instance] : (const instance *)0;
    uint32_t to = e->target, counter = 0;
    switch (e->op) {
    case EDGE_LOCAL:
        to = in->base + e->target;
        counter = w->counter;
        if (search_passes_over(m, s, e, to)) return COST_NEVER;
        break;
    case EDGE_CHAR:
    case EDGE_CHAR_FREE:
        to = in->base + e->target;
        counter = w->counter + 1;
        break;
    case EDGE_GO:
    case EDGE_OPEN:
    case EDGE_INDENT_FIRST:
    case EDGE_INDENT_END:
        break;
    case EDGE_NAMED:
        to = m->targets[e->target];
        break;
    case EDGE_EXIT:
    case EDGE_ELSE:
        to = m->targets[in->exits + e->target];
        break;
    case EDGE_COMMA:
        to = count_target(m, e->target, walk_frame(m, w, w->depth)[FRAME_COUNT] + 1);
        break;
    case EDGE_PUSH:
        return search_call(m, w, e->target);
    case EDGE_SPACE:
    case EDGE_SPACE_FIRST:
    case EDGE_NEW:
    case EDGE_REPEATED:
        return COST_NEVER;
    default: /* it ends a string or a frame, or is part of an indentation */
        return 0;
    }
    if (to == STATE_DEAD) return COST_NEVER;
    return machine_cost(m, to, counter, w->hash, walk_frame(m, w, w->depth), w->depth);
}

/* The edge of this rank, or NULL. */
MACHINE const edge *search_edge(const machine *m, const walk *w, const uint8_t *rank) {
    uint32_t guesses[SEARCH_EDGES];
    ROLLED for (uint32_t i = 0; i < m->states[w->state].edge_count && i < SEARCH_EDGES; i++) {
        guesses[i] = search_guess(m, w, &m->edges[m->states[w->state].edges + i]);
    }
    const state *s = &m->states[w->state];
    uint32_t count = s->edge_count < SEARCH_EDGES ? s->edge_count : SEARCH_EDGES;
    ROLLED for (uint32_t k = 0;; k++) {
        uint32_t best = COST_NEVER, at = 0;
        ROLLED for (uint32_t i = 0; i < count; i++) {
            bool ends = best != COST_NEVER && m->edges[s->edges + at].op == EDGE_EXIT;
            if (guesses[i] == COST_NEVER || guesses[i] > best || (guesses[i] == best && ends)) continue;
            best = guesses[i]; /* of equals the last, 1 to 9 before 0, or what ends the string */
            at = i;
        }
        if (best == COST_NEVER) return (const edge *)0;
        if (k == *rank) return &m->edges[s->edges + at];
        guesses[at] = COST_NEVER;
    }
}

/* Whether the string so far and this byte begin a kept one that is known to the letter. */
MACHINE bool search_begins_kept(const machine *m, const walk *w, uint8_t byte) {
    if ((w->value.mode & (VALUE_MODE | VALUE_LONG)) != VALUE_STRING || w->value.hash >> 40 != 0) return false;
    uint64_t begun = w->value.hash << 8 | byte;
    ROLLED for (uint32_t i = 0; i < w->kept; i++) {
        uint64_t kept = value_pair(walk_kept(m, w, i));
        if (kept >> 57 != value_exact(TAG_STRING, 0) >> 57 || (kept & VALUE_ARRAYS) != 0) continue;
        ROLLED for (kept &= VALUE_ARRAY - 1; kept > begun; kept >>= 8) continue;
        if (kept == begun) return true;
    }
    return false;
}

/* The next byte to try behind the path, at its end; of those on one edge as many as values are kept, at least 9, and one more
 * (each kept value forbids one of them at most) and those that could repeat one. false: there is none. */
MACHINE bool search_next(const machine *m, search *x) {
    static const uint8_t behind_number[] = {']', '}', ',', '\n', ' '};
    search_step *step = &x->path[x->length];
    if (x->first) step->rank = 0;
    ROLLED for (;; step->rank++, x->first = true) {
        const edge *e = search_edge(m, &x->t, &step->rank);
        if (e == (const edge *)0) return false;
        if (x->first) step->alike = 0;
        if (e->op != EDGE_ELSE) {
            uint32_t byte = x->first ? e->lo : step->byte + 1u, alike = x->t.kept < 9 ? 9 : x->t.kept;
            ROLLED while (byte <= e->hi && step->alike > alike && !search_begins_kept(m, &x->t, (uint8_t)byte)) byte++;
            if (byte > e->hi) continue;
            step->byte = (uint8_t)byte;
            step->alike++;
            return true;
        }
        if (step->alike == sizeof behind_number) continue;
        step->byte = behind_number[step->alike++];
        return true;
    }
}

/* Whether a state behind a member of an object, or of an array, has a next member whose values never run out. */
MACHINE bool search_goes_on(const machine *m, uint32_t at, const uint32_t *frame) {
    const state *s = &m->states[at];
    if ((s->flags & (STATE_CAREFUL | STATE_JUDGES)) == 0) return true;
    ROLLED for (uint32_t i = 0; i < s->edge_count; i++) {
        const edge *e = &m->edges[s->edges + i];
        if (e->op != EDGE_NAMED) continue;
        const instance *name = &m->instances[m->targets[e->target + 1]];
        const object *o = &m->objects[name->object];
        name_filter f = names_open(m, name, frame);
        ROLLED for (uint32_t k = 0; k < o->words; k++) {
            uint32_t blocked = f.seen[k] | f.dead[k] | (f.beyond != (const uint32_t *)0 ? f.beyond[k] : 0);
            if ((m->masks[o->ample + k] & ~blocked) != 0) return true;
        }
    }
    return false;
}

/* The same of all places behind a scalar. */
MACHINE bool search_behind(const machine *m, const state *s, const uint32_t *frame) {
    const instance *in = &m->instances[s->instance];
    bool any = false;
    if (in->object != TABLES_NONE) return false;
    ROLLED for (uint32_t i = 0; i < in->length_count; i++) {
        uint32_t target = m->lengths[in->lengths + i].target;
        if (target != STATE_DEAD && !search_goes_on(m, target, frame)) return false;
        any |= target != STATE_DEAD;
    }
    ROLLED for (uint32_t i = 0; i < in->exit_count; i++) {
        uint32_t target = m->targets[in->exits + i];
        if (target != STATE_DEAD && !search_goes_on(m, target, frame)) return false;
        any |= target != STATE_DEAD;
    }
    return any;
}

/* Whether there are more ways to end the value under judgement than any array keeps values: here, or in a container around
 * that is a part of it. */
MACHINE_CALL bool search_is_ample(const machine *m, const walk *w) {
    FORGET;
    const state *s = &m->states[w->state];
    if ((s->flags & STATE_CAREFUL) == 0) return true;
    if ((s->flags & STATE_ROOMY) != 0 && w->counter < m->instances[s->instance].longest) return true;
    const uint32_t *frame = walk_frame(m, w, w->depth);
    if (frame[frame_members(m) + MEMBERS_KEPT] >= MEMBERS_JUDGES) return false;
    if (s->instance == TABLES_NONE ? search_goes_on(m, w->state, frame) : search_behind(m, s, frame)) return true;
    ROLLED for (uint32_t depth = w->depth; depth > w->careful; depth--) {
        const return_symbol *r = &m->returns[frame[FRAME_RETURN]];
        frame = walk_frame(m, w, depth - 1);
        if (frame[frame_members(m) + MEMBERS_KEPT] >= MEMBERS_JUDGES) return false;
        bool goes_on = true;
        ROLLED for (uint32_t k = 0; k < r->class_count && goes_on; k++) {
            uint32_t target = m->targets[r->targets + k];
            goes_on = target == STATE_DEAD || search_goes_on(m, target, frame);
        }
        if (goes_on) return true;
    }
    return false;
}

MACHINE void search_restart(search *x) {
    walk_begin(&x->t, x->t.sequence, x->t.frames);
    x->read = 0;
}

/* An end that takes at most `limit` tokens: how many it takes; NEVER: there is none, or GAVE_UP. */
MACHINE uint32_t search_within(const machine *m, search *x) {
    x->length = 0;
    x->first = true;
    search_restart(x);
    for (;;) {
        bool again = x->read < x->length; /* the path is read again */
        bool down = again || (x->length < SEARCH_BYTES && search_next(m, x));
        bool allowed = down && walk_byte(m, &x->t, x->path[x->read].byte);
        if (x->read++ < x->length) continue;
        if (allowed) {
            uint32_t rest = walk_cost(m, &x->t), taken = cost_add(rest, x->length + 1);
            bool ended = x->t.careful == 0, fits = rest != COST_NEVER && taken <= x->limit;
            if (ended && fits && (x->wanted == TABLES_NONE || x->t.popped == x->wanted)) return taken;
            bool ample = !ended && fits && x->spare != TABLES_NONE && cost_add(taken, x->spare) <= x->limit;
            if (ample && search_is_ample(m, &x->t)) return taken + x->spare;
            x->first = true;
            x->length += !ended && fits;
            if (!ended && fits) continue;
        } else if (!down) {
            if (x->length == 0) return COST_NEVER;
            x->length--;
        }
        if (x->steps < x->length + 1) return SEARCH_GAVE_UP;
        x->steps -= x->length + 1;
        search_restart(x);
        x->first = false;
    }
}

/* What the next attempt may take; *tight: its ends are hardly longer than the costs say. */
MACHINE void search_set_limits(search *x, bool *tight) {
    bool open = x->left == TABLES_NONE;
    if (x->attempt != SEARCH_AT_ONCE && x->attempt < SEARCH_LAST && x->cost + x->attempt - SEARCH_TIGHT > x->left)
        x->attempt = SEARCH_LAST;
    *tight = x->attempt != SEARCH_AT_ONCE && x->attempt != SEARCH_LAST;
    x->limit = *tight ? x->cost + x->attempt - SEARCH_TIGHT : open ? SEARCH_ANY : x->left;
    x->steps = *tight ? SEARCH_STEPS_BELOW : SEARCH_STEPS;
    if (!open) x->steps = *tight ? SEARCH_STEPS_FIRST : 4 * SEARCH_STEPS_FIRST;
    if (x->attempt == SEARCH_AT_ONCE) x->steps = SEARCH_STEPS_FIRST;
}

/* How many tokens suffice to close the careful frames of a walk and to end the text, at least `cost`; NEVER, if no end was
 * found that takes at most `left` (NONE: any). spare: what a state takes more, at most, from which there are many ends, so
 * that one of them is good (NONE: they are looked for). wanted: the class with which the lowest of the frames closes (NONE:
 * any). */
MACHINE uint32_t search_end(const machine *m, const walk *w, uint32_t cost, uint32_t left, uint32_t spare, uint32_t wanted) {
    if (spare != TABLES_NONE && cost_add(cost, spare) <= left && search_is_ample(m, w)) return cost + spare;
    uint32_t *base = w->frames + machine_frames_words(m->t), *frames = base + machine_sequence_words(m->t);
    search x;
    search_flatten(m, w, base);
    x.cost = cost;
    x.left = left;
    x.spare = spare;
    x.wanted = wanted;
    x.attempt = left == TABLES_NONE && spare != TABLES_NONE ? SEARCH_AT_ONCE : SEARCH_TIGHT;
    x.t.sequence = base;
    x.t.frames = frames;
    for (;;) {
        bool tight;
        search_set_limits(&x, &tight);
        uint32_t found = search_within(m, &x);
        bool decided = found != COST_NEVER || !tight || x.limit == x.left;
        if (found != SEARCH_GAVE_UP && decided) return found; /* of tight attempts a wider one can be the quicker */
        if (x.attempt == SEARCH_LAST) return COST_NEVER;
        x.attempt = tight && x.left == TABLES_NONE && found == SEARCH_GAVE_UP ? SEARCH_LAST : x.attempt + 1;
    }
}

#endif
