/* least_names.c - what the names of an object add to the cost of finishing: needed ones that are missing, and of those that
 * can follow the cheapest.
 *
 * Which names those are is known at run time only. So the costs hold tables by name; machine.h adds the needed names that
 * are missing and takes the least over the names that can follow. */
#include <string.h>

#include "least_build.h"
#include "machine.h"

static uint32_t *weight_at(automaton *a, uint32_t first, uint32_t index) { return &a->weights.items[first + 3 * index]; }

/* Distance at depth 1: the order of ways. */
static uint64_t price(const compiler *c, uint32_t distance, uint32_t lines) {
    return (uint64_t)distance + (uint64_t)lines * c->options.indent;
}

/* --- needed names --------------------------------------------------------------------------------------------- */

static bool closes(const cost *e) { return e->names == 0 && e->missing != 0 && (e->target & BOUNDARY_FLAG) == 0; }

/* The best of a state's ways to a class that leave no name open but needed ones. */
static const cost *best_closing(compiler *c, uint32_t state_id, uint32_t target, bool shallow) {
    const entries *list = entries_of(c, state_id);
    const cost *best = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const cost *e = &list->items[i];
        if (!closes(e) || e->target != target) continue;
        if (best == NULL || (shallow ? e->depth < best->depth
                                     : price(c, e->distance, e->lines) < price(c, best->distance, best->lines))) {
            best = e;
        }
    }
    return best;
}

/* One more member: a comma, the name, the colon and the value. The value's cost is what the state before it needs more
 * than the state behind. */
static bool set_weight(compiler *c, const module *m, uint32_t leaf, uint32_t name, uint32_t way) {
    automaton *a = c->automaton;
    const entries *behind = entries_of(c, m->then[leaf]);
    uint32_t *weight = weight_at(a, a->objects.items[m->object].weights, way * a->objects.items[m->object].name_count + leaf);
    const cost *before = NULL, *after = NULL;
    for (uint32_t i = 0; i < behind->count && before == NULL; i++) {
        if (!closes(&behind->items[i])) continue;
        after = best_closing(c, m->then[leaf], behind->items[i].target, way != 0);
        before = best_closing(c, m->member[leaf], behind->items[i].target, way != 0);
    }
    if (before == NULL) return false;
    uint32_t length;
    const char *text = schema_key_text(c, name, &length);
    uint32_t more = 1 + (c->options.whitespace >= WEIR_WHITESPACE_SPACED) + (uint32_t)json_quote(text, length, NULL, 0);
    uint32_t fresh[3] = {before->distance - after->distance + more, before->depth,
                         before->lines - after->lines + (c->options.whitespace == WEIR_WHITESPACE_PRETTY)};
    bool changed = memcmp(weight, fresh, sizeof fresh) != 0;
    memcpy(weight, fresh, sizeof fresh);
    return changed;
}

static bool weights_differ(const automaton *a, const object *o) {
    if (o->name_count == 0) return false;
    const uint32_t *weights = a->weights.items + o->weights;
    return memcmp(weights, weights + 3 * o->name_count, 3 * o->name_count * sizeof *weights) != 0;
}

bool weights_update(compiler *c, uint32_t index) {
    automaton *a = c->automaton;
    const module *m = &a->modules.items[index];
    if (m->type != TYPE_OBJECT || m->start == NONE) return false;
    const graph *g = goal_get(c, m->goal)->object;
    bool changed = false;
    for (uint32_t i = 0; i < g->names.count; i++) {
        if (!g->needed[i] || m->member[g->leaf[i]] == NONE) continue;
        for (uint32_t way = 0; way < 2; way++) changed |= set_weight(c, m, g->leaf[i], g->names.items[i], way);
    }
    uint8_t *two_ways = &a->object_two_ways.items[m->object];
    if (*two_ways || !weights_differ(a, &a->objects.items[m->object])) return changed;
    *two_ways = 1; /* for good: no circling */
    return true;
}

static uint32_t reserve(compiler *c, uint32_t count) {
    automaton *a = c->automaton;
    uint32_t first = a->weights.count;
    for (uint32_t i = 0; i < 3 * count; i++) PUSH(c, a->weights, i % 3 == 0 ? COST_NEVER : 0);
    return first;
}

void reserve_weights(compiler *c) {
    automaton *a = c->automaton;
    for (uint32_t i = 0; i < a->objects.count; i++) {
        a->objects.items[i].weights = reserve(c, 2 * a->objects.items[i].name_count);
        PUSH(c, a->object_two_ways, 0);
    }
}

/* --- the name that follows ------------------------------------------------------------------------------------ */

static name_table *table_of(compiler *c, uint32_t instance_id, const cost *e, uint32_t way) {
    automaton *a = c->automaton;
    __typeof__(a->name_tables.items) tables = &a->name_tables.items[instance_id];
    for (uint32_t i = 0; i < tables->count; i++) {
        const name_table *t = &tables->items[i];
        if (t->target == e->target && t->missing == e->missing && t->way == way) return &tables->items[i];
    }
    uint32_t count = a->objects.items[a->instances.items[instance_id].object].name_count + 1;
    PUSH(c, *tables, ((name_table){e->target, e->missing, way, e->outdent, reserve(c, count)}));
    return &tables->items[tables->count - 1];
}

/* Whether the way is shallower than the cheapest, so that the tables of the shallowest are needed. */
static bool is_shallower(compiler *c, uint32_t instance_id, uint32_t leaf, const cost *e) {
    automaton *a = c->automaton;
    __typeof__(a->name_tables.items) tables = &a->name_tables.items[instance_id];
    for (uint32_t i = 0; i < tables->count; i++) {
        const name_table *t = &tables->items[i];
        if (t->target == e->target && t->missing == e->missing && t->way == 1) return true;
    }
    uint32_t cheap = table_of(c, instance_id, e, 0)->first;
    if (e->depth >= weight_at(a, cheap, leaf)[1]) return false;
    uint32_t names = a->objects.items[a->instances.items[instance_id].object].name_count + 1;
    uint32_t shallow = table_of(c, instance_id, e, 1)->first;
    memcpy(weight_at(a, shallow, 0), weight_at(a, cheap, 0), 3 * names * sizeof(uint32_t));
    return true;
}

/* Notes one way to go on behind a name, `distance` from the name's first byte. */
static bool note_way(compiler *c, uint32_t instance_id, uint32_t leaf, const cost *e, uint32_t distance) {
    bool changed = false;
    if (e->names != 0 || distance >= COST_NEVER - 1 - e->distance) return false; /* a second open name: see plain_way */
    distance += e->distance;
    for (uint32_t way = 0; way < 2; way++) {
        if (way == 1 && !is_shallower(c, instance_id, leaf, e)) break;
        uint32_t *known = weight_at(c->automaton, table_of(c, instance_id, e, way)->first, leaf);
        uint32_t fresh[3] = {distance, e->depth, e->lines};
        bool better = known[0] == COST_NEVER;
        if (!better && way == 0) better = price(c, distance, e->lines) < price(c, known[0], known[2]);
        if (!better && way == 1) better = e->depth < known[1] || (e->depth == known[1] && distance < known[0]);
        if (better) memcpy(known, fresh, sizeof fresh);
        changed |= better;
    }
    return changed;
}

static const scalar_module *module_of(const automaton *a, uint32_t instance_id) {
    return a->scalars.items[a->instance_module.items[instance_id]];
}

/* Costs only fall from round to round, so the tables keep the least that was met. */
bool name_tables_update(compiler *c, uint32_t instance_id) {
    automaton *a = c->automaton;
    const instance *in = &a->instances.items[instance_id];
    if (in->object == NONE || a->object_of_items.items[in->object]) return false;
    const scalar_module *s = module_of(a, instance_id);
    const uint32_t *distances = s->locals.items[s->root].distances;
    bool changed = false;
    for (uint32_t leaf = 0; leaf < a->objects.items[in->object].name_count; leaf++) {
        uint32_t target = a->targets.items[in->exits + leaf];
        if (target == NONE || distances[leaf] == NONE) continue;
        const entries *behind = entries_of(c, target);
        for (uint32_t i = 0; i < behind->count; i++) {
            changed |= note_way(c, instance_id, leaf, &behind->items[i], distances[leaf]);
        }
        compiler_spend(c, 10 + 10 * behind->count);
    }
    return changed;
}

static bool waits_for(const automaton *a, uint32_t instance_id, uint32_t leaf) {
    if (a->object_of_items.items[a->instances.items[instance_id].object]) return true; /* a search knows better */
    uint32_t mask = a->instance_waits.items[instance_id];
    return mask_bit(a->masks.items + mask, leaf);
}

/* Another name, which must differ from those whose hashes are kept, and which in the schema's order comes last. */
static void relax_others(compiler *c, entries *into, const instance *in, uint32_t target, uint32_t distance) {
    const entries *behind = entries_of(c, target);
    for (uint32_t i = 0; i < behind->count; i++) {
        cost e = behind->items[i];
        if (e.distance >= COST_NEVER - 2 - distance) continue;
        e.distance += distance;
        e.distance += e.fresh != 0 && in->hash_used != 0; /* a second such name: it may have to be longer, too */
        if (in->hash_used != 0) e.fresh = in->hash_used;
        if (c->automaton->objects.items[in->object].order_count != 0) e.ordered = 1 + in->object;
        relax(c, into, e);
    }
}

/* Names that certainly can come, and other names, need no table: a plain way. */
static bool plain_ways(compiler *c, entries *into, uint32_t instance_id, const local_state *local) {
    automaton *a = c->automaton;
    const instance *in = &a->instances.items[instance_id];
    const scalar_module *s = module_of(a, instance_id);
    bool any = false;
    for (uint32_t leaf = local->leaf_lo; leaf < local->leaf_hi; leaf++) {
        uint32_t target = a->targets.items[in->exits + leaf];
        if (target == NONE || local->distances[leaf] == NONE || !waits_for(a, instance_id, leaf)) continue;
        relax_through(c, into, target, local->distances[leaf]);
        any = true;
    }
    for (uint32_t kind = a->objects.items[in->object].name_count; kind < s->class_count; kind++) {
        uint32_t target = a->targets.items[in->exits + kind];
        if (target == NONE || local->distances[kind] == NONE) continue;
        relax_others(c, into, in, target, local->distances[kind]);
        any |= a->objects.items[in->object].order_count == 0;
    }
    if (in->length_count == 0 || local->distances[s->class_count] == NONE) return any;
    relax_others(c, into, in, a->lengths.items[in->lengths].target, local->distances[s->class_count]);
    return any || a->objects.items[in->object].order_count == 0;
}

/* While the object is too small some name can come, whichever it is: the dearest will do. */
static void dearest_way(compiler *c, entries *into, uint32_t instance_id, const local_state *local) {
    automaton *a = c->automaton;
    const instance *in = &a->instances.items[instance_id];
    cost dearest = end_cost(0, 0);
    bool any = false;
    for (uint32_t leaf = local->leaf_lo; leaf < local->leaf_hi; leaf++) {
        uint32_t target = a->targets.items[in->exits + leaf];
        if (target == NONE || local->distances[leaf] == NONE) continue;
        const entries *behind = entries_of(c, target);
        const cost *best = NULL;
        for (uint32_t i = 0; i < behind->count; i++) {
            const cost *e = &behind->items[i];
            if (e->names == 0 && (best == NULL || e->distance < best->distance)) best = e;
        }
        if (best == NULL || (any && (best->target != dearest.target || best->missing != dearest.missing))) return;
        cost e = *best;
        e.distance += local->distances[leaf];
        uint32_t depth = any && dearest.depth > e.depth ? dearest.depth : e.depth;
        if (!any || price(c, e.distance, e.lines) > price(c, dearest.distance, dearest.lines)) dearest = e;
        dearest.depth = depth;
        any = true;
    }
    if (any) relax(c, into, dearest);
}

void name_state(compiler *c, entries *into, uint32_t state_id) {
    automaton *a = c->automaton;
    uint32_t id = a->states.items[state_id].instance;
    const instance *in = &a->instances.items[id];
    const scalar_module *s = module_of(a, id);
    const local_state *local = &s->locals.items[state_id - in->base], *root = &s->locals.items[s->root];
    if (!plain_ways(c, into, id, local) && waits_for(a, id, a->objects.items[in->object].name_count)) dearest_way(c, into, id, local);
    uint32_t leaf = local->leaf_lo;
    while (leaf < local->leaf_hi && local->distances[leaf] == NONE) leaf++;
    if (leaf >= local->leaf_hi) return;
    uint32_t read = root->distances[leaf] - local->distances[leaf];
    for (uint32_t i = 0; i < a->name_tables.items[id].count; i++) {
        const name_table *t = &a->name_tables.items[id].items[i];
        cost e = end_cost(t->target, 0);
        e.missing = t->missing;
        e.outdent = t->outdent;
        e.names = 1 + t->first;
        e.leaf_lo = local->leaf_lo;
        e.leaf_hi = local->leaf_hi;
        e.read = read;
        e.instance = id;
        relax(c, into, e);
    }
}

/* --- at the start of an object -------------------------------------------------------------------------------- */

static void add_weight(cost *e, const uint32_t *weight) {
    bool never = weight[0] == COST_NEVER || e->distance >= COST_NEVER - 1 - weight[0];
    e->distance = never ? COST_NEVER : e->distance + weight[0];
    e->lines += weight[2];
    if (weight[1] > e->depth) e->depth = weight[1];
}

static const uint32_t *cheapest_first(compiler *c, const cost *e, const uint32_t *weights) {
    automaton *a = c->automaton;
    const instance *in = &a->instances.items[e->instance];
    const object *o = &a->objects.items[in->object];
    const uint32_t *best = NULL;
    int64_t least = INT64_MAX; /* the name that comes first saves the comma of a missing one */
    for (uint32_t leaf = e->leaf_lo; leaf < e->leaf_hi; leaf++) {
        const uint32_t *through = weight_at(a, e->names - 1, leaf);
        bool blocked = mask_bit(a->masks.items + in->dead, leaf);
        blocked |= o->order_count != 0 && mask_bit(a->masks.items + o->beyond, leaf);
        if (blocked || through[0] == COST_NEVER) continue;
        int64_t total = (int64_t)price(c, through[0], through[2]);
        if (mask_bit(a->masks.items + o->required, leaf)) total -= (int64_t)price(c, weights[3 * leaf], weights[3 * leaf + 2]);
        if (total >= least) continue;
        least = total;
        best = through;
    }
    return best;
}

void add_names(compiler *c, cost *e) {
    automaton *a = c->automaton;
    if (e->missing == 0 && e->names == 0) return;
    uint32_t id = e->missing != 0 ? (e->missing - 1) / 2 : a->instances.items[e->instance].object;
    const object *o = &a->objects.items[id];
    const uint32_t *weights = weight_at(a, o->weights, e->missing != 0 && (e->missing - 1) % 2 != 0 ? o->name_count : 0);
    const uint32_t *first = NULL;
    if (e->names != 0) {
        first = cheapest_first(c, e, weights);
        if (first == NULL) {
            e->distance = COST_NEVER;
            return;
        }
        e->distance -= e->read;
        add_weight(e, first);
    }
    for (uint32_t leaf = 0; leaf < o->name_count && e->missing != 0; leaf++) {
        bool is_first = first == weight_at(a, e->names - 1, leaf) && e->names != 0;
        if (mask_bit(a->masks.items + o->required, leaf) && !is_first) add_weight(e, weights + 3 * leaf);
        if (e->distance == COST_NEVER) return;
    }
}
