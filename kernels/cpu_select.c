/* cpu_select.c - the entries of a row: filling them from logits, patching single ones, and the filters, each of which
 * keeps a prefix of the sorted order. */
#include "cpu_select.h"

#include <string.h>

#include "logit.h"

/* --- filling ----------------------------------------------------------------------------------------------- */

static void entries_clear(bool listed, entry_set *set) {
    set->listed = listed;
    set->chunked = !listed;
    set->weighed = false;
    set->top = KEY_NONE;
    set->count = 0;
}

static void find_top(entry_set *set) {
    const uint32_t *keys = set->chunked ? set->largest : set->keys;
    uint32_t count = set->chunked ? (set->count + CHUNK - 1) / CHUNK : set->count;
    set->top = KEY_NONE;
    for (uint32_t i = 0; i < count; i++)
        if (keys[i] > set->top) set->top = keys[i];
}

void entries_fill_row(const void *logits, weir_dtype dtype, const uint32_t *words, uint32_t width, entry_set *set) {
    entries_clear(false, set);
    set->count = width;
    set->allowed = set->code->keys[dtype](logits, words, width, set->keys, set->largest);
    find_top(set);
}

void entries_fill_list(const void *logits, weir_dtype dtype, const uint32_t *words, uint32_t word_count,
                       entry_set *set) {
    entries_clear(true, set);
    for (uint32_t i = 0; i < word_count; i++) {
        for (uint32_t word = words[i]; word; word &= word - 1) {
            uint32_t id = 32 * i + (uint32_t)__builtin_ctz(word);
            uint32_t key = key_of(logit_at(logits, dtype, id));
            if (key == KEY_NONE) continue;
            set->keys[set->count] = key;
            set->ids[set->count++] = id;
        }
    }
    set->allowed = set->count;
    find_top(set);
}

/* --- single entries ---------------------------------------------------------------------------------------- */

uint32_t entries_find(const entry_set *set, uint32_t token) {
    if (!set->listed) return token < set->count ? token : UINT32_MAX;
    uint32_t low = 0, high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->ids[middle] < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->ids[low] == token ? low : UINT32_MAX;
}

void entries_patch(entry_set *set, uint32_t position, uint32_t key) {
    uint32_t old = set->keys[position];
    set->keys[position] = key;
    if (!set->chunked) return;
    uint32_t *largest = &set->largest[position / CHUNK];
    if (key >= *largest) {
        *largest = key;
    } else if (old == *largest) { /* it may have been the only one */
        uint32_t start = position / CHUNK * CHUNK, end = set->count - start < CHUNK ? set->count : start + CHUNK;
        *largest = KEY_NONE;
        for (uint32_t i = start; i < end; i++)
            if (set->keys[i] > *largest) *largest = set->keys[i];
    }
}

void entries_patched(entry_set *set) {
    find_top(set);
}

/* --- masses ------------------------------------------------------------------------------------------------ */

void entries_weigh(float temperature, entry_set *set) {
    set->code->masses(set->keys, set->count, mass_scale_of(set->top, temperature), set->masses);
    set->temperature = temperature;
    set->weighed = true;
}

uint64_t entries_mass(const entry_set *set) {
    return set->code->sum(set->masses, set->count);
}

void entries_drop_below(float p, entry_set *set) {
    set->code->drop_light(least_mass(p), set->count, set->masses);
}

void entries_forget_massless(entry_set *set) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        set->ids[kept] = entries_token(set, i);
        set->keys[kept] = set->keys[i];
        set->masses[kept] = set->masses[i];
        kept += set->masses[kept] > 0;
    }
    set->count = set->allowed = kept;
    set->listed = true;
    set->chunked = false;
}

/* --- selection --------------------------------------------------------------------------------------------- */

/* A prefix of the sorted order: every key above `key`, and the first `ties` entries that equal it. */
typedef struct prefix {
    uint32_t key;
    uint64_t ties;
} prefix;

/* The shortest prefix that weighs at least `goal`: by the masses, or by their number where masses is NULL. All
 * entries where even these weigh less. `low` is at most the key sought: entries below it are not looked at.
 *
 * The key lies in a window [low, low + 2^bits); sums by the leading bits inside it narrow it to one key. */
static prefix select_prefix(const uint32_t *keys, const uint32_t *masses, uint32_t count, uint64_t goal, uint32_t low,
                            uint32_t high, uint64_t *sums) {
    uint64_t above = 0;  /* weight of the keys above the window */
    uint64_t weight = 0; /* of the part of the window that was chosen last */
    uint32_t bits = 0;
    while (bits < 32 && (uint64_t)low + ((uint64_t)1 << bits) <= high) bits++;
    do {
        uint32_t shift = bits > DIGIT_BITS ? bits - DIGIT_BITS : 0;
        uint64_t width = (uint64_t)1 << bits;
        uint32_t digit = (uint32_t)((width - 1) >> shift);
        memset(sums, 0, (digit + (size_t)1) * sizeof *sums);
        for (uint32_t i = 0; i < count; i++)
            if (keys[i] >= low && keys[i] - low < width) sums[(keys[i] - low) >> shift] += masses ? masses[i] : 1;
        while (digit > 0 && above + sums[digit] < goal) above += sums[digit--];
        weight = sums[digit];
        low += digit << shift;
        bits = shift;
    } while (bits > 0);
    if (above + weight < goal) return (prefix){KEY_NONE + 1, UINT64_MAX};
    uint64_t each = masses ? 0 : 1;
    for (uint32_t i = 0; each == 0; i++)
        if (keys[i] == low) each = masses[i]; /* equal keys have equal masses; not 0, since the goal was reached here */
    return (prefix){low, (goal - above + each - 1) / each};
}

/* Drops what is not in the prefix; the rest becomes a list, in the same order. */
static void keep(prefix prefix, entry_set *set) {
    uint32_t kept = 0;
    for (uint32_t start = 0; start < set->count; start += CHUNK) {
        if (set->chunked && set->largest[start / CHUNK] < prefix.key) continue;
        uint32_t end = set->count - start < CHUNK ? set->count : start + CHUNK;
        for (uint32_t i = start; i < end; i++) { /* written first, counted if it stays: no branch to mispredict */
            uint32_t key = set->keys[i];
            uint32_t equal = key == prefix.key;
            uint32_t stays = (key > prefix.key) | (equal & (prefix.ties > 0));
            prefix.ties -= equal & stays;
            set->ids[kept] = set->listed ? set->ids[i] : i;
            set->keys[kept] = key;
            if (set->weighed) set->masses[kept] = set->masses[i];
            kept += stays;
        }
    }
    set->count = set->allowed = kept;
    set->listed = true;
    set->chunked = false;
}

void entries_keep_top_k(uint32_t k, entry_set *set) {
    if (k >= set->allowed) return;
    uint32_t low = KEY_NONE + 1;
    uint32_t chunks = (set->count + CHUNK - 1) / CHUNK;
    if (set->chunked && k <= chunks) {
        /* k chunks have an entry at or above the k-th largest of their largest: nothing below is among the first k */
        low = select_prefix(set->largest, NULL, chunks, k, low, set->top, set->sums).key;
        keep((prefix){low, UINT64_MAX}, set);
    }
    keep(select_prefix(set->keys, NULL, set->count, k, low, set->top, set->sums), set);
}

/* --- a share of the mass ----------------------------------------------------------------------------------- */

/* Where the key sought lies: entries from `low` weigh at least the goal, those from `high` less. */
typedef struct window {
    uint32_t low, high;
    uint64_t above; /* mass from `high` */
} window;

/* Narrows the window by one key, whichever side of the goal it falls on. */
static void narrow(const entry_set *set, uint64_t goal, uint32_t key, window *window) {
    if (key <= window->low || key >= window->high) return;
    uint64_t mass = set->code->sum_from(set->keys, set->masses, set->count, key);
    if (mass >= goal) {
        window->low = key;
    } else {
        window->high = key;
        window->above = mass;
    }
}

/* A key below which all entries together are lighter than what may be left out: each has less than that by count. From
 * rounded numbers, so only a guess. */
static uint32_t light_key(uint64_t spare, const entry_set *set) {
    mass_scale scale = mass_scale_of(set->top, set->temperature);
    if (scale.equal) return KEY_NONE;
    float half = log2f((float)spare / (float)set->allowed * 0x1p-32f) / scale.rate - scale.offset;
    return key_of(half * 2.0f);
}

/* Narrows the window by two keys that lie, by a 16th of the row, a little below and above the goal. */
static void narrow_by_sample(uint64_t goal, uint64_t total, entry_set *set, window *window) {
    enum { EVERY = 16, MARGIN = 64 /* a 64th of the mass to either side */ };
    uint32_t shift = 0, low = window->low, size = window->high - low;
    while ((size - 1) >> shift >= 1u << DIGIT_BITS) shift++;
    memset(set->sums, 0, (((size - 1) >> shift) + (size_t)1) * sizeof *set->sums);
    uint64_t mass = 0, sum = 0;
    for (uint32_t i = 0; i < set->count; i += EVERY * CHUNK) {
        uint32_t end = set->count - i < CHUNK ? set->count : i + CHUNK;
        for (uint32_t k = i; k < end; k++) {
            mass += set->masses[k];
            if (set->keys[k] - low < size) set->sums[(set->keys[k] - low) >> shift] += set->masses[k];
        }
    }
    uint64_t middle = (uint64_t)((double)goal / (double)total * (double)mass), margin = mass / MARGIN;
    uint32_t digit = ((size - 1) >> shift) + 1;
    while (digit > 0 && sum + margin < middle) sum += set->sums[--digit];
    uint32_t above = low + ((digit + 1) << shift);
    while (digit > 0 && sum < middle + margin) sum += set->sums[--digit];
    narrow(set, goal, low + (digit << shift), window);
    narrow(set, goal, above, window);
}

/* What is not in the prefix loses its mass. */
static void drop(prefix prefix, entry_set *set) {
    uint64_t equal = set->code->drop_lower(set->keys, set->count, prefix.key, set->masses);
    for (uint32_t i = set->count; equal > prefix.ties; equal--) { /* the last of the ties */
        while (set->keys[--i] != prefix.key) {}
        set->masses[i] = 0;
    }
}

void entries_keep_mass(uint64_t goal, uint64_t total, entry_set *set) {
    if (goal > total) goal = total; /* entries without mass go */
    if (set->listed) {
        keep(select_prefix(set->keys, set->masses, set->count, goal, KEY_NONE + 1, set->top, set->sums), set);
        return;
    }
    window window = {KEY_NONE + 1, set->top + 1, 0};
    narrow(set, goal, light_key(total - goal, set), &window);
    narrow_by_sample(goal, total, set, &window);
    uint32_t *keys = set->spare, *masses = set->spare + set->count;
    uint32_t count =
        set->code->gather(set->keys, set->masses, set->count, window.low, window.high, keys, masses);
    drop(select_prefix(keys, masses, count, goal - window.above, window.low, window.high - 1, set->sums), set);
}

/* --- order ------------------------------------------------------------------------------------------------- */

static bool comes_before(const entry_set *set, uint32_t a, uint32_t b) {
    return set->keys[a] != set->keys[b] ? set->keys[a] > set->keys[b] : set->ids[a] < set->ids[b];
}

static void swap_words(uint32_t *words, uint32_t a, uint32_t b) {
    uint32_t word = words[a];
    words[a] = words[b];
    words[b] = word;
}

void entries_sort_top(uint32_t count, entry_set *set) {
    if (set->weighed) entries_forget_massless(set);
    if (count < set->allowed)
        entries_keep_top_k(count, set);
    else
        keep((prefix){KEY_NONE + 1, UINT64_MAX}, set);
    static const uint32_t gaps[] = {301, 132, 57, 23, 10, 4, 1}; /* Ciura's, of a shell sort */
    for (uint32_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (uint32_t i = gaps[g]; i < set->count; i++)
            for (uint32_t j = i; j >= gaps[g] && comes_before(set, j, j - gaps[g]); j -= gaps[g]) {
                swap_words(set->keys, j, j - gaps[g]);
                swap_words(set->ids, j, j - gaps[g]);
                if (set->weighed) swap_words(set->masses, j, j - gaps[g]);
            }
}

/* --- one entry --------------------------------------------------------------------------------------------- */

uint32_t entries_position_of_key(const entry_set *set, uint32_t key) {
    uint32_t i = 0;
    while (set->chunked && set->largest[i / CHUNK] != key) i += CHUNK;
    while (set->keys[i] != key) i++;
    return i;
}

uint32_t entries_position_of_mass(const entry_set *set, uint64_t target) {
    enum { STRIDE = 16 * CHUNK };
    uint32_t i = 0;
    while (set->count - i > STRIDE) {
        uint64_t mass = set->code->sum(set->masses + i, STRIDE);
        if (mass > target) break;
        target -= mass;
        i += STRIDE;
    }
    while (set->masses[i] <= target) target -= set->masses[i++];
    return i;
}
