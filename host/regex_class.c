/* regex_class.c - sets of code points, and the classes of code points that no set of a pattern tells apart. */
#include <stdlib.h>
#include <string.h>

#include "regex_build.h"

#define SURROGATE_FIRST 0xD800u
#define SURROGATE_LAST  0xDFFFu

static const regex_range digits[] = {{'0', '9'}};
static const regex_range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const regex_range line_ends[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
/* ECMA-262's WhiteSpace and LineTerminator. */
static const regex_range spaces[] = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                                     {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                                     {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

void regex_ranges_others(compiler *c, regex_ranges *ranges, const regex_range *of, uint32_t count) {
    uint32_t next = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (of[i].lo > next) PUSH(c, *ranges, ((regex_range){next, of[i].lo - 1}));
        next = of[i].hi + 1;
    }
    if (next <= REGEX_LAST_CODE_POINT) PUSH(c, *ranges, ((regex_range){next, REGEX_LAST_CODE_POINT}));
}

static void append(compiler *c, regex_ranges *ranges, const regex_range *of, uint32_t count, bool negated) {
    if (negated) {
        regex_ranges_others(c, ranges, of, count);
    } else {
        for (uint32_t i = 0; i < count; i++) PUSH(c, *ranges, of[i]);
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

void regex_ranges_escape(compiler *c, regex_ranges *ranges, char letter) {
    bool upper = letter >= 'A' && letter <= 'Z';
    switch (letter) {
    case 'd':
    case 'D': append(c, ranges, digits, COUNT(digits), upper); break;
    case 'w':
    case 'W': append(c, ranges, words, COUNT(words), upper); break;
    case 's':
    case 'S': append(c, ranges, spaces, COUNT(spaces), upper); break;
    default: append(c, ranges, line_ends, COUNT(line_ends), true); break;
    }
}

/* --- sets ----------------------------------------------------------------------------------------------------- */

static int by_lo(const void *left, const void *right) {
    const regex_range *a = left, *b = right;
    return a->lo < b->lo ? -1 : a->lo > b->lo;
}

static void sort_ranges(regex_ranges *ranges) {
    for (uint32_t i = 1; i < ranges->count; i++) {
        if (ranges->items[i - 1].lo > ranges->items[i].lo) {
            qsort(ranges->items, ranges->count, sizeof *ranges->items, by_lo);
            return;
        }
    }
}

/* Sorted ranges, those that touch joined; in place. */
static void join_ranges(regex_ranges *ranges) {
    uint32_t kept = 0;
    sort_ranges(ranges);
    for (uint32_t i = 0; i < ranges->count; i++) {
        regex_range range = ranges->items[i], *last = &ranges->items[kept - (kept != 0)];
        if (kept != 0 && range.lo <= last->hi + 1) {
            if (range.hi > last->hi) last->hi = range.hi;
        } else {
            ranges->items[kept++] = range;
        }
    }
    ranges->count = kept;
}

uint32_t regex_set_add(compiler *c, regex_sets *sets, regex_ranges *ranges, bool negated) {
    compiler_spend(c, 10 + 10 * (uint64_t)ranges->count);
    join_ranges(ranges);
    regex_range few[8], *all = few;
    uint32_t count = 0;
    regex_ranges others = {NULL, 0, 0};
    if (negated) {
        regex_ranges_others(c, &others, ranges->items, ranges->count);
        ranges = &others;
    }
    if (ranges->count >= COUNT(few)) all = compiler_new(c, sizeof *all * (ranges->count + 1));
    for (uint32_t i = 0; i < ranges->count; i++) { /* a surrogate is never in the text */
        regex_range r = ranges->items[i];
        if (r.lo < SURROGATE_FIRST) {
            all[count++] = (regex_range){r.lo, r.hi < SURROGATE_FIRST ? r.hi : SURROGATE_FIRST - 1};
        }
        if (r.hi > SURROGATE_LAST) {
            all[count++] = (regex_range){r.lo > SURROGATE_LAST ? r.lo : SURROGATE_LAST + 1, r.hi};
        }
    }
    return intern(c, &sets->table, all, count * sizeof *all, NULL);
}

const regex_range *regex_set_get(const regex_sets *sets, uint32_t set, uint32_t *count) {
    const struct interned *entry = &sets->table.entries.items[set];
    *count = entry->size / (uint32_t)sizeof(regex_range);
    return entry->bytes;
}

/* --- classes -------------------------------------------------------------------------------------------------- */

/* Intervals between all the ends of ranges, each of class 0. */
static void cut_intervals(compiler *c, regex_alphabet *alphabet, const regex_sets *sets) {
    VECTOR(uint32_t) cuts = {NULL, 0, 0};
    PUSH(c, cuts, 0);
    PUSH(c, cuts, SURROGATE_FIRST);
    PUSH(c, cuts, SURROGATE_LAST + 1);
    for (uint32_t set = 0; set < sets->table.count; set++) {
        uint32_t count;
        const regex_range *ranges = regex_set_get(sets, set, &count);
        for (uint32_t i = 0; i < count; i++) {
            PUSH(c, cuts, ranges[i].lo);
            PUSH(c, cuts, ranges[i].hi + 1);
        }
    }
    compiler_spend(c, 50 * (uint64_t)cuts.count);
    qsort(cuts.items, cuts.count, sizeof *cuts.items, order_ids);
    alphabet->intervals = compiler_new(c, sizeof *alphabet->intervals * cuts.count);
    for (uint32_t i = 0; i < cuts.count; i++) {
        uint32_t lo = cuts.items[i], hi = i + 1 < cuts.count ? cuts.items[i + 1] - 1 : REGEX_LAST_CODE_POINT;
        if (lo > REGEX_LAST_CODE_POINT || lo == SURROGATE_FIRST || (i + 1 < cuts.count && cuts.items[i + 1] == lo))
            continue;
        alphabet->intervals[alphabet->interval_count++] = (regex_interval){lo, hi, 0};
    }
}

/* The first interval at or above a code point. */
static uint32_t interval_from(const regex_alphabet *alphabet, uint32_t code_point) {
    uint32_t low = 0, high = alphabet->interval_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (alphabet->intervals[middle].lo < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Intervals of a set into `inside`; returns their number. */
static uint32_t intervals_of(compiler *c, const regex_alphabet *alphabet, const regex_sets *sets, uint32_t set,
                             uint32_t *inside) {
    uint32_t count, found = 0;
    const regex_range *ranges = regex_set_get(sets, set, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = interval_from(alphabet, ranges[i].lo);
        while (at < alphabet->interval_count && alphabet->intervals[at].hi <= ranges[i].hi) inside[found++] = at++;
    }
    compiler_spend(c, 20 * (uint64_t)count + 8 * (uint64_t)found);
    return found;
}

typedef struct splitter {
    uint32_t *sizes;  /* by class: its intervals */
    uint32_t *shares; /* by class: those of them in the set at hand */
    uint32_t *moved;  /* by class: the new class of those, 0: none */
    uint32_t *touched;
} splitter;

/* Every class that lies partly in a set becomes two. */
static void split_classes(regex_alphabet *alphabet, splitter *s, const uint32_t *inside, uint32_t count) {
    regex_interval *intervals = alphabet->intervals;
    uint32_t touched_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t class = intervals[inside[i]].class;
        if (s->shares[class]++ == 0) s->touched[touched_count++] = class;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t class = intervals[inside[i]].class;
        if (s->shares[class] == s->sizes[class]) continue;
        if (s->moved[class] == 0) s->moved[class] = alphabet->class_count++;
        intervals[inside[i]].class = s->moved[class];
    }
    for (uint32_t i = 0; i < touched_count; i++) {
        uint32_t class = s->touched[i];
        if (s->moved[class] != 0) {
            s->sizes[s->moved[class]] = s->shares[class];
            s->sizes[class] -= s->shares[class];
        }
        s->shares[class] = s->moved[class] = 0;
    }
}

regex_alphabet *regex_alphabet_new(compiler *c, const regex_sets *sets) {
    regex_alphabet *alphabet = NEW(c, regex_alphabet);
    cut_intervals(c, alphabet, sets);
    alphabet->class_count = 1;
    uint32_t room = alphabet->interval_count, set_count = sets->table.count;
    uint32_t *memory = NEW_ARRAY(c, uint32_t, 5 * room), *inside = memory + 4 * room;
    splitter s = {memory, memory + room, memory + 2 * room, memory + 3 * room};
    s.sizes[0] = room;
    for (uint32_t set = 0; set < set_count; set++) {
        split_classes(alphabet, &s, inside, intervals_of(c, alphabet, sets, set, inside));
    }
    alphabet->words = (alphabet->class_count + 63) / 64;
    compiler_spend(c, (uint64_t)set_count * alphabet->words);
    alphabet->members = NEW_ARRAY(c, uint64_t, (size_t)set_count * alphabet->words);
    for (uint32_t set = 0; set < set_count; set++) {
        uint32_t count = intervals_of(c, alphabet, sets, set, inside);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t class = alphabet->intervals[inside[i]].class;
            alphabet->members[(size_t)set * alphabet->words + class / 64] |= 1ull << class % 64;
        }
    }
    return alphabet;
}
