/* recogniser_language.c - languages: expressions made one where they are equal, derivatives, the words that they hold.
 *
 * Brzozowski, Derivatives of Regular Expressions, 1964. The derivatives of an expression are finitely many when "or" and
 * "and" are kept as sorted sets, which is what the constructors do. */
#include "recogniser_language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recogniser_parts.h"

enum { LAST_CHARACTER = 0x10ffff, EXPLORED = 30000 };

typedef enum node_kind { NODE_SET, NODE_CONCAT, NODE_LOOP, NODE_OR, NODE_AND, NODE_NOT, NODE_EMPTY } node_kind;

typedef struct edge {
    uint32_t low; /* the characters from here to the next edge lead to `to` */
    language to;
} edge;

typedef struct node {
    uint8_t kind;
    bool ends, on_path; /* on_path: being counted */
    signed char lives;  /* -1: not known yet */
    uint32_t a, b;     /* parts; SET: a is the index of the first range, b their number */
    uint32_t least, most;
    uint32_t edge_count;
    edge *edges; /* NULL: not made yet */
    uint32_t seen; /* the search that met it last */
} node;

struct language_pool {
    arena arena;
    node *nodes;
    uint32_t count, capacity;
    uint32_t *table, table_capacity;
    character_range *ranges;
    uint32_t range_count, range_capacity;
    language *sets; /* the nodes of sets of characters */
    uint32_t set_count, set_capacity;
    uint32_t searches;
    language any; /* one character */
};

static language make(language_pool *pool, node_kind kind, uint32_t a, uint32_t b, uint32_t least, uint32_t most);

language_pool *language_pool_create(void) {
    language_pool *pool = calloc(1, sizeof *pool);
    const character_range all[] = {{0, 0xd7ff}, {0xe000, LAST_CHARACTER}};
    if (!pool) recogniser_panic("out of memory");
    arena_init(&pool->arena, NULL, 0);
    make(pool, NODE_SET, 0, 0, 0, 0);              /* LANGUAGE_NONE */
    make(pool, NODE_EMPTY, 0, 0, 0, 0);            /* LANGUAGE_EMPTY */
    make(pool, NODE_NOT, LANGUAGE_NONE, 0, 0, 0); /* LANGUAGE_ALL */
    pool->any = language_of_set(pool, all, 2);
    return pool;
}

void language_pool_destroy(language_pool *pool) {
    if (!pool) return;
    arena_free(&pool->arena);
    free(pool->nodes);
    free(pool->table);
    free(pool->ranges);
    free(pool->sets);
    free(pool);
}

/* --- making --- */

static bool ends_of(const language_pool *pool, const node *n) {
    switch (n->kind) {
    case NODE_EMPTY: return true;
    case NODE_CONCAT:
    case NODE_AND: return pool->nodes[n->a].ends && pool->nodes[n->b].ends;
    case NODE_OR: return pool->nodes[n->a].ends || pool->nodes[n->b].ends;
    case NODE_LOOP: return !n->least || pool->nodes[n->a].ends;
    case NODE_NOT: return !pool->nodes[n->a].ends;
    default: return false;
    }
}

static uint32_t *slot_of(const language_pool *pool, const node *wanted) {
    uint32_t hash = wanted->kind;
    const uint32_t parts[] = {wanted->a, wanted->b, wanted->least, wanted->most};
    for (int i = 0; i < 4; i++) hash = (hash ^ parts[i]) * 0x9e3779b1u, hash ^= hash >> 15;
    for (;; hash++) {
        uint32_t *entry = &pool->table[hash & (pool->table_capacity - 1)];
        const node *n = *entry == UINT32_MAX ? NULL : &pool->nodes[*entry];
        if (!n || (n->kind == wanted->kind && n->a == wanted->a && n->b == wanted->b && n->least == wanted->least &&
                   n->most == wanted->most))
            return entry;
    }
}

static void make_room(language_pool *pool) {
    if (2 * pool->count < pool->table_capacity) return;
    pool->table_capacity = pool->table_capacity ? 2 * pool->table_capacity : 1024;
    pool->table = realloc(pool->table, pool->table_capacity * sizeof *pool->table);
    pool->nodes = realloc(pool->nodes, pool->table_capacity * sizeof *pool->nodes);
    if (!pool->table || !pool->nodes) recogniser_panic("out of memory");
    memset(pool->table, 0xff, pool->table_capacity * sizeof *pool->table);
    for (uint32_t i = 0; i < pool->count; i++) *slot_of(pool, &pool->nodes[i]) = i;
}

static language make(language_pool *pool, node_kind kind, uint32_t a, uint32_t b, uint32_t least, uint32_t most) {
    node wanted = {.kind = (uint8_t)kind, .lives = -1, .a = a, .b = b, .least = least, .most = most};
    make_room(pool);
    uint32_t *entry = slot_of(pool, &wanted);
    if (*entry != UINT32_MAX) return *entry;
    wanted.ends = ends_of(pool, &wanted);
    *entry = pool->count;
    pool->nodes[pool->count] = wanted;
    return pool->count++;
}

static void *room_for(void *items, uint32_t count, uint32_t *capacity, size_t size) {
    if (count <= *capacity) return items;
    *capacity = 2 * count + 32;
    items = realloc(items, *capacity * size);
    if (!items) recogniser_panic("out of memory");
    return items;
}

static int compare_ranges(const void *a, const void *b) {
    uint32_t x = ((const character_range *)a)->low, y = ((const character_range *)b)->low;
    return (x > y) - (x < y);
}

/* Equal sets share their ranges, so that they are one node. */
static language keep_set(language_pool *pool, const character_range *ranges, uint32_t count) {
    for (uint32_t i = 0; i < pool->set_count; i++) {
        const node *n = &pool->nodes[pool->sets[i]];
        if (n->b == count && !memcmp(pool->ranges + n->a, ranges, count * sizeof *ranges)) return pool->sets[i];
    }
    pool->ranges = room_for(pool->ranges, pool->range_count + count, &pool->range_capacity, sizeof *pool->ranges);
    pool->sets = room_for(pool->sets, pool->set_count + 1, &pool->set_capacity, sizeof *pool->sets);
    memcpy(pool->ranges + pool->range_count, ranges, count * sizeof *ranges);
    pool->range_count += count;
    return pool->sets[pool->set_count++] = make(pool, NODE_SET, pool->range_count - count, count, 0, 0);
}

language language_of_set(language_pool *pool, const character_range *ranges, uint32_t count) {
    character_range *sorted = malloc((count + 1) * sizeof *sorted);
    uint32_t kept = 0;
    if (!sorted) recogniser_panic("out of memory");
    if (!count) return free(sorted), LANGUAGE_NONE;
    memcpy(sorted, ranges, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_ranges);
    for (uint32_t i = 0; i < count; i++) {
        if (kept && sorted[i].low <= sorted[kept - 1].high + 1) {
            if (sorted[i].high > sorted[kept - 1].high) sorted[kept - 1].high = sorted[i].high;
        } else {
            sorted[kept++] = sorted[i];
        }
    }
    language made = keep_set(pool, sorted, kept);
    free(sorted);
    return made;
}

language language_of_word(language_pool *pool, const char *text, size_t length) {
    language word = LANGUAGE_EMPTY;
    while (length) { /* from its end */
        size_t at = length - 1;
        uint32_t step;
        while (((unsigned char)text[at] & 0xc0) == 0x80) at--;
        uint32_t character = utf8_decode(text + at, &step);
        word = language_concat(pool, language_of_set(pool, &(character_range){character, character}, 1), word);
        length = at;
    }
    return word;
}

language language_concat(language_pool *pool, language first, language second) {
    if (first == LANGUAGE_NONE || second == LANGUAGE_NONE) return LANGUAGE_NONE;
    if (first == LANGUAGE_EMPTY) return second;
    if (second == LANGUAGE_EMPTY || (first == LANGUAGE_ALL && second == LANGUAGE_ALL)) return first;
    if (pool->nodes[first].kind == NODE_CONCAT)
        return language_concat(pool, pool->nodes[first].a, language_concat(pool, pool->nodes[first].b, second));
    return make(pool, NODE_CONCAT, first, second, 0, 0);
}

language language_loop(language_pool *pool, language body, uint32_t least, uint32_t most) {
    if (most == 0 || body == LANGUAGE_EMPTY) return LANGUAGE_EMPTY;
    if (body == LANGUAGE_NONE) return least ? LANGUAGE_NONE : LANGUAGE_EMPTY;
    if (least == 1 && most == 1) return body;
    if (body == pool->any && !least && most == LANGUAGE_FOREVER) return LANGUAGE_ALL;
    if (pool->nodes[body].ends) least = 0;
    return make(pool, NODE_LOOP, body, 0, least, most);
}

language language_of_length(language_pool *pool, uint64_t least, uint64_t most) {
    if (least > most) return LANGUAGE_NONE;
    uint32_t low = least < LANGUAGE_FOREVER ? (uint32_t)least : LANGUAGE_FOREVER - 1;
    return language_loop(pool, pool->any, low, most < LANGUAGE_FOREVER ? (uint32_t)most : LANGUAGE_FOREVER);
}

/* --- or, and: sorted lists, linked through b --- */

typedef struct parts {
    uint32_t *items, count, capacity;
} parts;

static void put(parts *list, uint32_t item) {
    list->items = room_for(list->items, list->count + 1, &list->capacity, sizeof *list->items);
    list->items[list->count++] = item;
}

static void collect(const language_pool *pool, node_kind kind, language from, parts *out) {
    for (; pool->nodes[from].kind == kind; from = pool->nodes[from].b) put(out, pool->nodes[from].a);
    put(out, from);
}

static int compare_languages(const void *a, const void *b) {
    uint32_t x = *(const language *)a, y = *(const language *)b;
    return (x > y) - (x < y);
}

/* `none` adds nothing, `all` decides alone: for "or" the empty and the full language, for "and" the other way. */
static language join(language_pool *pool, node_kind kind, language a, language b) {
    language none = kind == NODE_OR ? LANGUAGE_NONE : LANGUAGE_ALL, all = kind == NODE_OR ? LANGUAGE_ALL : LANGUAGE_NONE;
    if (a == all || b == all) return all;
    if (a == none || a == b) return b;
    if (b == none) return a;
    parts list = {NULL, 0, 0};
    uint32_t kept = 0;
    collect(pool, kind, a, &list);
    collect(pool, kind, b, &list);
    qsort(list.items, list.count, sizeof *list.items, compare_languages);
    for (uint32_t i = 0; i < list.count; i++)
        if (!kept || list.items[i] != list.items[kept - 1]) list.items[kept++] = list.items[i];
    language made = list.items[kept - 1];
    bool decided = false;
    for (uint32_t i = 0; i < kept && !decided; i++) {
        const node *n = &pool->nodes[list.items[i]];
        decided = n->kind == NODE_NOT && bsearch(&n->a, list.items, kept, sizeof n->a, compare_languages);
    }
    for (uint32_t i = kept - 1; i-- > 0 && !decided;) made = make(pool, kind, list.items[i], made, 0, 0);
    free(list.items);
    return decided ? all : made;
}

language language_or(language_pool *pool, language a, language b) {
    return join(pool, NODE_OR, a, b);
}

language language_and(language_pool *pool, language a, language b) {
    return join(pool, NODE_AND, a, b);
}

language language_not(language_pool *pool, language a) {
    return pool->nodes[a].kind == NODE_NOT ? pool->nodes[a].a : make(pool, NODE_NOT, a, 0, 0, 0);
}

/* --- derivatives --- */

static bool in_set(const language_pool *pool, const node *set, uint32_t character) {
    uint32_t low = 0, high = set->b;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (pool->ranges[set->a + middle].high < character)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->b && pool->ranges[set->a + low].low <= character;
}

static language derive(language_pool *pool, language of, uint32_t character) {
    node n = pool->nodes[of]; /* a copy: the nodes may move */
    language first;
    if (n.edges) return language_after(pool, of, character);
    switch (n.kind) {
    case NODE_SET: return in_set(pool, &n, character) ? LANGUAGE_EMPTY : LANGUAGE_NONE;
    case NODE_CONCAT:
        first = language_concat(pool, derive(pool, n.a, character), n.b);
        return pool->nodes[n.a].ends ? language_or(pool, first, derive(pool, n.b, character)) : first;
    case NODE_LOOP:
        first = language_loop(pool, n.a, n.least ? n.least - 1 : 0, n.most == LANGUAGE_FOREVER ? n.most : n.most - 1);
        return language_concat(pool, derive(pool, n.a, character), first);
    case NODE_OR: return language_or(pool, derive(pool, n.a, character), derive(pool, n.b, character));
    case NODE_AND: return language_and(pool, derive(pool, n.a, character), derive(pool, n.b, character));
    case NODE_NOT: return language_not(pool, derive(pool, n.a, character));
    default: return LANGUAGE_NONE;
    }
}

/* The characters at which what follows can change. */
static void put_borders(const language_pool *pool, language of, parts *out) {
    const node *n = &pool->nodes[of];
    for (uint32_t i = 0; n->kind == NODE_SET && i < n->b; i++) {
        put(out, pool->ranges[n->a + i].low);
        put(out, pool->ranges[n->a + i].high + 1);
    }
    if (n->kind == NODE_SET || n->kind == NODE_EMPTY) return;
    put_borders(pool, n->a, out);
    if (n->kind == NODE_OR || n->kind == NODE_AND || (n->kind == NODE_CONCAT && pool->nodes[n->a].ends))
        put_borders(pool, n->b, out);
}

static void make_edges(language_pool *pool, language of) {
    parts borders = {NULL, 0, 0};
    uint32_t kept = 0;
    put(&borders, 0);
    put_borders(pool, of, &borders);
    qsort(borders.items, borders.count, sizeof *borders.items, compare_languages);
    edge *edges = region_take(&pool->arena, borders.count * sizeof *edges);
    for (uint32_t i = 0; i < borders.count; i++) {
        if (borders.items[i] > LAST_CHARACTER || (i && borders.items[i] == borders.items[i - 1])) continue;
        language to = derive(pool, of, borders.items[i]);
        if (!kept || edges[kept - 1].to != to) edges[kept++] = (edge){borders.items[i], to};
    }
    free(borders.items);
    pool->nodes[of].edges = edges;
    pool->nodes[of].edge_count = kept;
}

language language_after(language_pool *pool, language of, uint32_t character) {
    if (!pool->nodes[of].edges) make_edges(pool, of);
    const node *n = &pool->nodes[of];
    uint32_t low = 0, high = n->edge_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (n->edges[middle].low <= character)
            low = middle;
        else
            high = middle;
    }
    return n->edges[low].to;
}

bool language_ends(const language_pool *pool, language of) {
    return pool->nodes[of].ends;
}

bool language_holds(language_pool *pool, language of, const char *text, size_t length) {
    uint32_t step;
    for (size_t i = 0; i < length; i += step) of = language_after(pool, of, utf8_decode(text + i, &step));
    return pool->nodes[of].ends;
}

/* --- words --- */

/* The characters of one edge, without surrogates; false: none. */
static bool edge_range(const node *n, uint32_t index, uint32_t *low, uint32_t *high) {
    *low = n->edges[index].low;
    *high = index + 1 < n->edge_count ? n->edges[index + 1].low - 1 : LAST_CHARACTER;
    if (*low >= 0xd800 && *low <= 0xdfff) *low = 0xe000;
    if (*high >= 0xd800 && *high <= 0xdfff) *high = 0xd7ff;
    return *low <= *high;
}

typedef struct step {
    language at;
    uint32_t before, character; /* index of the step that led here */
} step;

/* Breadth first from `of` to a language that ends, or with `any` to one that is known to live. The index of the last step;
 * UINT32_MAX: none is there; *cut: the search was given up. */
static uint32_t explore(language_pool *pool, language of, bool any, step **out, uint32_t *count, bool *cut) {
    uint32_t capacity = 0, found = UINT32_MAX, low, high;
    step *steps = room_for(NULL, 1, &capacity, sizeof *steps);
    pool->searches++;
    steps[0] = (step){of, UINT32_MAX, 0};
    pool->nodes[of].seen = pool->searches;
    *count = 1;
    *cut = false;
    for (uint32_t i = 0; i < *count && found == UINT32_MAX && !*cut; i++) {
        language at = steps[i].at;
        if (pool->nodes[at].ends || (any && pool->nodes[at].lives == 1)) found = i;
        if (!pool->nodes[at].edges) make_edges(pool, at);
        for (uint32_t k = 0; k < pool->nodes[at].edge_count; k++) {
            node *to = &pool->nodes[pool->nodes[at].edges[k].to];
            if (to->seen == pool->searches || to->lives == 0 || !edge_range(&pool->nodes[at], k, &low, &high)) continue;
            to->seen = pool->searches;
            steps = room_for(steps, *count + 1, &capacity, sizeof *steps);
            uint32_t nice = low <= 'a' && high >= 'a' ? 'a' : low <= '0' && high >= '0' ? '0' : low < ' ' && high >= ' ' ? ' ' : low;
            steps[(*count)++] = (step){pool->nodes[at].edges[k].to, i, nice};
        }
        *cut = *count > EXPLORED && found == UINT32_MAX;
    }
    *out = steps;
    return found;
}

int language_lives(language_pool *pool, language of) {
    step *steps;
    uint32_t count;
    bool cut;
    if (pool->nodes[of].lives >= 0) return pool->nodes[of].lives;
    uint32_t found = explore(pool, of, true, &steps, &count, &cut);
    for (uint32_t i = found; i != UINT32_MAX; i = steps[i].before) pool->nodes[steps[i].at].lives = 1;
    for (uint32_t i = 0; i < count && found == UINT32_MAX && !cut; i++) pool->nodes[steps[i].at].lives = 0;
    free(steps);
    return found != UINT32_MAX ? 1 : cut ? -1 : 0;
}

int language_lives_after(language_pool *pool, language of, uint32_t low, uint32_t high, uint32_t *found) {
    int best = 0;
    uint32_t first, last;
    if (!pool->nodes[of].edges) make_edges(pool, of);
    for (uint32_t k = 0; k < pool->nodes[of].edge_count && best != 1; k++) {
        if (!edge_range(&pool->nodes[of], k, &first, &last) || last < low || first > high) continue;
        int lives = language_lives(pool, pool->nodes[of].edges[k].to);
        if (lives == 1) *found = first > low ? first : low;
        if (lives) best = lives;
    }
    return best;
}

/* A language met again on the way to itself, alive: words without end. */
static uint64_t count_words(language_pool *pool, language of, uint64_t limit) {
    uint32_t low, high;
    int lives = language_lives(pool, of);
    if (lives <= 0) return lives ? UINT64_MAX : 0;
    if (pool->nodes[of].on_path) return limit;
    if (!pool->nodes[of].edges) make_edges(pool, of);
    uint64_t sum = pool->nodes[of].ends;
    for (uint32_t k = 0; k < pool->nodes[of].edge_count && sum < limit; k++) {
        if (!edge_range(&pool->nodes[of], k, &low, &high)) continue;
        uint64_t wide = high - low + 1;
        pool->nodes[of].on_path = true;
        uint64_t more = count_words(pool, pool->nodes[of].edges[k].to, (limit - sum + wide - 1) / wide);
        pool->nodes[of].on_path = false;
        if (more == UINT64_MAX) return more;
        sum += more * wide;
    }
    return sum < limit ? sum : limit;
}

uint64_t language_count(language_pool *pool, language of, uint64_t limit) {
    return count_words(pool, of, limit);
}

char *language_word(language_pool *pool, language of, size_t *length) {
    step *steps;
    uint32_t count;
    size_t total = 0, written = 0;
    bool cut;
    uint32_t found = explore(pool, of, false, &steps, &count, &cut);
    char bytes[4], *word = NULL;
    for (uint32_t i = found; i != UINT32_MAX && i; i = steps[i].before) total += utf8_encode(steps[i].character, bytes);
    if (found != UINT32_MAX) word = calloc(total + 1, 1);
    if (found != UINT32_MAX && !word) recogniser_panic("out of memory");
    for (uint32_t i = found; word && i; i = steps[i].before) {
        uint32_t size = utf8_encode(steps[i].character, bytes);
        written += size;
        memcpy(word + total - written, bytes, size);
    }
    free(steps);
    *length = total;
    return word;
}
