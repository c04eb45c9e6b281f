/* regex_program.c - the tree of a pattern in, a program of ops out: repetitions written out, a loop before a search.
 *
 * The ops of a node are emitted behind those that follow it, so that each names its successor. */
#include "regex_build.h"

#define SHARED_MAX 64u /* recursion over common beginnings of choices */

typedef struct emitter {
    compiler *c;
    const json *place;
    regex_program *program;
    regex_sets *sets;
    uint32_t shared; /* depth of the recursion over common beginnings */
} emitter;

static uint32_t emit(emitter *e, regex_node *node, uint32_t next);

static uint32_t add_op(emitter *e, regex_op op) {
    regex_program *program = e->program;
    if (program->ops.count == REGEX_OP_LIMIT) {
        compiler_fail(e->c, WEIR_ERROR_LIMIT, e->place,
                      "the pattern, its repetitions written out, has more than %u parts", REGEX_OP_LIMIT);
    }
    PUSH(e->c, program->ops, op);
    return program->ops.count - 1;
}

/* Any text, then `next`. */
static uint32_t add_search(emitter *e, uint32_t any, uint32_t next) {
    uint32_t fork = add_op(e, (regex_op){OP_FORK, false, 0, next, 0});
    uint32_t loop = add_op(e, (regex_op){OP_CHARS, false, any, fork, 0}); /* may move the ops */
    e->program->ops.items[fork].other = loop;
    return fork;
}

/* Whether a match can only begin where the text does. */
static bool is_anchored(const regex_node *node) {
    if (node->kind == REGEX_START) return true;
    if (node->kind == REGEX_REPEAT) return node->min > 0 && is_anchored(node->children[0]);
    if (node->kind == REGEX_CHOICE) {
        for (uint32_t i = 0; i < node->count; i++) {
            if (!is_anchored(node->children[i])) return false;
        }
        return true;
    }
    if (node->kind == REGEX_SEQUENCE) {
        for (uint32_t i = 0; i < node->count; i++) {
            if (is_anchored(node->children[i])) return true;
            if (node->children[i]->kind < REGEX_START) return false;
        }
    }
    return false;
}

regex_program *regex_program_new(compiler *c, const json *place, regex_node *root, regex_sets *sets) {
    regex_program *program = NEW(c, regex_program);
    emitter e = {c, place, program, sets, 0};
    add_op(&e, (regex_op){OP_MATCH, false, 0, 0, 0});
    regex_ranges none = {NULL, 0, 0};
    uint32_t any = regex_set_add(c, sets, &none, true);
    program->any_set = any;
    program->start = emit(&e, root, 0);
    if (!is_anchored(root)) program->start = add_search(&e, any, program->start);
    if (program->has_boundary) {
        regex_ranges words = {NULL, 0, 0};
        regex_ranges_escape(c, &words, 'w');
        program->word_set = regex_set_add(c, sets, &words, false);
    }
    return program;
}

/* --- nodes ---------------------------------------------------------------------------------------------------- */

/* A choice that is left to be emitted: nodes one after the other. */
typedef struct tail {
    regex_node *const *nodes;
    uint32_t count;
} tail;

static uint32_t set_of(emitter *e, regex_node *node) {
    if (node->emitted == NONE) node->emitted = regex_set_add(e->c, e->sets, &node->ranges, node->negative);
    return node->emitted;
}

static bool same_head(emitter *e, tail a, tail b) {
    if (a.count == 0 || b.count == 0 || a.nodes[0]->kind != REGEX_CHARS || b.nodes[0]->kind != REGEX_CHARS)
        return false;
    return set_of(e, a.nodes[0]) == set_of(e, b.nodes[0]);
}

/* Choices with the same first set of code points share its op, so that a list of words becomes a trie. */
static uint32_t emit_tails(emitter *e, tail *tails, uint32_t count, uint32_t next) {
    uint32_t entry = NONE;
    for (uint32_t end = count; end > 0;) {
        uint32_t start = end - 1, choice = next;
        for (uint32_t i = start; e->shared < SHARED_MAX && i-- > 0;) {
            if (!same_head(e, tails[i], tails[end - 1])) continue;
            tail found = tails[i];
            tails[i] = tails[--start];
            tails[start] = found;
        }
        compiler_spend(e->c, 10 + 2 * (uint64_t)start);
        tail last = tails[end - 1];
        if (end - start > 1) {
            for (uint32_t i = start; i < end; i++) tails[i] = (tail){tails[i].nodes + 1, tails[i].count - 1};
            e->shared++;
            choice = emit_tails(e, tails + start, end - start, next);
            e->shared--;
            choice = add_op(e, (regex_op){OP_CHARS, false, set_of(e, last.nodes[0]), choice, 0});
        } else {
            for (uint32_t i = last.count; i-- > 0;) choice = emit(e, last.nodes[i], choice);
        }
        entry = entry == NONE ? choice : add_op(e, (regex_op){OP_FORK, false, entry, choice, 0});
        end = start;
    }
    return entry;
}

static uint32_t emit_choice(emitter *e, regex_node *node, uint32_t next) {
    tail *tails = compiler_new(e->c, sizeof *tails * node->count);
    for (uint32_t i = 0; i < node->count; i++) {
        regex_node **choice = &node->children[i];
        bool is_sequence = (*choice)->kind == REGEX_SEQUENCE;
        tails[i] = is_sequence ? (tail){(*choice)->children, (*choice)->count} : (tail){choice, 1};
    }
    return emit_tails(e, tails, node->count, next);
}

/* What copy k of x{2,5} matches together with what follows, copy k - 1 matches too from the second one on. */
static void group_copies(emitter *e, uint32_t first) {
    regex_program *program = e->program;
    program->group_count++;
    for (uint32_t op = first; op < program->ops.count; op++) program->ops.items[op].group = program->group_count;
}

/* The copies of a child that leaves no op would be as many as the numbers say, all in vain. */
static uint32_t emit_repeat(emitter *e, regex_node *node, uint32_t next) {
    regex_node *child = node->children[0];
    uint32_t entry = next, mandatory = node->min, first = e->program->ops.count;
    if (node->max == NONE) {
        uint32_t fork = add_op(e, (regex_op){OP_FORK, false, next, 0, 0}), body = emit(e, child, fork);
        e->program->ops.items[fork].next = body;
        entry = mandatory == 0 ? fork : body;
        mandatory -= mandatory != 0;
    }
    for (uint32_t i = node->min; node->max != NONE && i < node->max; i++) {
        uint32_t body = emit(e, child, entry);
        if (body == entry) break;
        entry = add_op(e, (regex_op){OP_FORK, false, next, body, 0});
    }
    bool groups = child->kind == REGEX_CHARS && node->max != NONE && node->max > 1 && node->max > node->min;
    for (; mandatory > 0; mandatory--) {
        uint32_t body = emit(e, child, entry);
        if (body == entry) break;
        entry = body;
        if (groups) group_copies(e, first);
        groups = false;
    }
    if (groups) group_copies(e, first);
    return entry;
}

/* The programs of lookarounds are shared by all copies of the node. */
static uint32_t emit_look(emitter *e, regex_node *node, uint32_t next) {
    regex_program *program = e->program;
    bool ahead = node->kind == REGEX_AHEAD;
    if (node->emitted == NONE && ahead) node->emitted = emit(e, node->children[0], 0);
    if (node->emitted == NONE) {
        uint32_t end = add_op(e, (regex_op){OP_BEHIND_END, false, 0, 0, 0});
        uint32_t start = emit(e, node->children[0], end);
        if (!is_anchored(node->children[0])) start = add_search(e, program->any_set, start);
        node->emitted = program->behinds.count;
        PUSH(e->c, program->behinds, start);
    }
    program->has_waiting |= !ahead;
    return add_op(e, (regex_op){ahead ? OP_AHEAD : OP_BEHIND, node->negative, node->emitted, next, 0});
}

static uint32_t emit(emitter *e, regex_node *node, uint32_t next) {
    regex_program *program = e->program;
    compiler_spend(e->c, 10);
    switch (node->kind) {
    case REGEX_CHARS: return add_op(e, (regex_op){OP_CHARS, false, set_of(e, node), next, 0});
    case REGEX_SEQUENCE:
        for (uint32_t i = node->count; i-- > 0;) next = emit(e, node->children[i], next);
        return next;
    case REGEX_CHOICE: return emit_choice(e, node, next);
    case REGEX_REPEAT: return emit_repeat(e, node, next);
    case REGEX_START: program->has_start = true; return add_op(e, (regex_op){OP_START, false, 0, next, 0});
    case REGEX_END: program->has_waiting = true; return add_op(e, (regex_op){OP_END, false, 0, next, 0});
    case REGEX_BOUNDARY:
        program->has_waiting = program->has_boundary = true;
        return add_op(e, (regex_op){OP_BOUNDARY, node->negative, 0, next, 0});
    default: return emit_look(e, node, next);
    }
}
