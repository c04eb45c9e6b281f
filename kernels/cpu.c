/* cpu.c - the CPU backend, and the definition of correct: what it gives, every backend gives, to the bit.
 *
 * One row at a time: mask -> keys -> top-k -> masses -> top-p -> min-p -> draw -> advance. A row is a set of entries in
 * ascending order of token id, each with an ordered key (its logit; larger is likelier) and a mass (fixed_math.h). The
 * sorted order of a row is by key, descending, then by id; each filter keeps a prefix of it. Temperature changes masses
 * and never the order, so it is the same at every temperature, infinity included.
 *
 *   - Not allowed: masked, NaN, -inf. A row without an allowed entry has no token, and its sequence is stopped.
 *   - A constraint that leaves exactly one token decides alone: the logits are not read.
 *   - Temperature 0: the first entry of the sorted order; log-probability 0.
 *   - Temperature infinity, and entries of +inf at any temperature above 0: equal masses (of +inf, for these alone).
 *   - top-k: the first k. top-p: the shortest prefix whose mass is at least p of the mass that top-k kept.
 *     min-p: every entry with a mass of at least min-p of the largest.
 *   - The draw: 64 random bits scaled to a whole number below the kept mass; the first entry, by id, at which the sum
 *     of kept masses exceeds it. */
#include <string.h>

#include "backend.h"
#include "cpu_rows.h"
#include "fixed_math.h"
#include "host/memory.h"
#include "host/status.h"
#include "philox.h"

enum {
    DIGIT_BITS = 11, /* of a selection: 2,048 sums of 8 bytes stay in the first-level cache */
    SPARSE = 16      /* below one allowed token in so many, the allowed are listed instead of the row streamed */
};

typedef struct entry_set {
    uint32_t *keys;    /* [count] KEY_NONE: not allowed */
    uint32_t *masses;  /* [count] */
    uint32_t *ids;     /* [count] where `listed`, else the position is the id */
    uint32_t *largest; /* [chunks] largest key of CHUNK entries, where `chunked` */
    uint32_t count;
    uint32_t allowed; /* entries with a key */
    uint32_t top;     /* the largest key */
    bool listed, chunked, weighed;
} entry_set;

typedef struct slot {
    weir_matcher *matcher;   /* NULL: no constraint */
    uint64_t seed, position; /* position: tokens taken since the slot was bound */
    uint32_t *stop_ids;      /* its own, or NULL */
    uint32_t stop_count;
    const uint32_t *vocab_stop_ids; /* the vocabulary's, which own ones replace */
    uint32_t vocab_stop_count;
    bool replaces, stopped;
} slot;

typedef struct cpu {
    weir_allocator allocator;
    const row_code *code;
    uint32_t slot_count, logits_width, word_count;
    slot *slots;     /* [slot_count] */
    uint32_t *words; /* [word_count] the mask of the row at hand */
    entry_set set;
    uint64_t *sums; /* [2^DIGIT_BITS] */
    size_t scratch_words;
    uint32_t *scratch;
} cpu;

typedef struct choice {
    int32_t token; /* -1: none */
    float logprob;
} choice;

static weir_status slot_mask(const cpu *cpu, slot *slot, uint32_t *words, size_t word_count, weir_error *error);
static weir_status slot_take(const cpu *cpu, slot *slot, int32_t token, weir_error *error);
static void slot_clear(const cpu *cpu, slot *slot);
static uint32_t step_row(cpu *cpu, slot *slot, const float *logits, const weir_sampling *sampling, choice *choice,
                         weir_status *status, weir_error *error);
static choice choose(cpu *cpu, const uint32_t *words, const float *logits, const weir_sampling *sampling,
                     uint64_t bits);

/* --- the backend ------------------------------------------------------------------------------------------- */

static void cpu_destroy(void *state) {
    cpu *cpu = state;
    weir_allocator allocator = cpu->allocator;
    for (uint32_t i = 0; cpu->slots && i < cpu->slot_count; i++) slot_clear(cpu, &cpu->slots[i]);
    release(&allocator, cpu->slots, cpu->slot_count * sizeof(slot));
    release(&allocator, cpu->sums, sizeof(uint64_t) << DIGIT_BITS);
    release(&allocator, cpu->scratch, cpu->scratch_words * sizeof(uint32_t));
    release(&allocator, cpu, sizeof *cpu);
}

static weir_status create(const weir_allocator *allocator, const row_code *code, uint32_t slot_count,
                          uint32_t logits_width, void **out, weir_error *error) {
    cpu *cpu = allocate(allocator, sizeof *cpu);
    if (!cpu) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes", sizeof *cpu);
    memset(cpu, 0, sizeof *cpu);
    cpu->allocator = *allocator;
    cpu->code = code;
    cpu->slot_count = slot_count;
    cpu->logits_width = logits_width;
    cpu->word_count = (logits_width + 31) / 32;
    size_t chunks = ((size_t)logits_width + CHUNK - 1) / CHUNK;
    cpu->scratch_words = 3 * chunks * CHUNK + chunks + cpu->word_count;
    cpu->slots = allocate(allocator, slot_count * sizeof(slot));
    cpu->sums = allocate(allocator, sizeof(uint64_t) << DIGIT_BITS);
    cpu->scratch = allocate(allocator, cpu->scratch_words * sizeof(uint32_t));
    if (cpu->slots) memset(cpu->slots, 0, slot_count * sizeof(slot));
    if (!cpu->slots || !cpu->sums || !cpu->scratch) {
        cpu_destroy(cpu);
        return fail(error, WEIR_ERROR_MEMORY, "out of memory: %u slots and %u columns", slot_count, logits_width);
    }
    cpu->set.keys = cpu->scratch;
    cpu->set.masses = cpu->set.keys + chunks * CHUNK;
    cpu->set.ids = cpu->set.masses + chunks * CHUNK;
    cpu->set.largest = cpu->set.ids + chunks * CHUNK;
    cpu->words = cpu->set.largest + chunks;
    *out = cpu;
    return WEIR_OK;
}

static weir_status cpu_bind(void *state, uint32_t index, const weir_slot_options *options, weir_error *error) {
    cpu *cpu = state;
    slot made = {.seed = options->seed, .replaces = options->stop_ids != NULL, .stop_count = options->stop_count};
    if (made.stop_count) {
        made.stop_ids = allocate(&cpu->allocator, made.stop_count * sizeof(uint32_t));
        if (!made.stop_ids) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %u stop ids", made.stop_count);
        memcpy(made.stop_ids, options->stop_ids, made.stop_count * sizeof(uint32_t));
    }
    if (options->grammar) {
        weir_matcher_options matcher_options = WEIR_MATCHER_OPTIONS_INIT;
        matcher_options.allocator = &cpu->allocator;
        matcher_options.token_budget = options->token_budget;
        weir_status status = weir_matcher_create(options->grammar, &matcher_options, &made.matcher, error);
        if (status != WEIR_OK) {
            slot_clear(cpu, &made);
            return status;
        }
        made.vocab_stop_ids = weir_vocab_stop_ids(weir_grammar_vocab(options->grammar), &made.vocab_stop_count);
    }
    slot_clear(cpu, &cpu->slots[index]);
    cpu->slots[index] = made;
    return WEIR_OK;
}

static void cpu_release(void *state, uint32_t index) {
    cpu *cpu = state;
    slot_clear(cpu, &cpu->slots[index]);
}

/* Keeps the first failure and its row. */
static void note(weir_status status, const weir_error *made, size_t row, weir_status *first, weir_error *error) {
    if (status == WEIR_OK || *first != WEIR_OK) return;
    *first = status;
    if (!error) return;
    *error = *made;
    error->row = (int32_t)row;
}

static weir_status cpu_step(void *state, const weir_step *step, weir_error *error) {
    static const weir_sampling defaults = WEIR_SAMPLING_INIT;
    cpu *cpu = state;
    weir_status first = WEIR_OK;
    for (size_t row = 0; row < step->row_count; row++) {
        choice choice = {-1, 0.0f};
        uint32_t bits = WEIR_ROW_STATUS_IDLE;
        if (step->slots[row] >= 0) {
            weir_status status = WEIR_OK;
            weir_error made;
            bits = step_row(cpu, &cpu->slots[step->slots[row]], step->logits + row * step->logits_stride,
                            step->sampling ? &step->sampling[row] : &defaults, &choice, &status, &made);
            note(status, &made, row, &first, error);
        }
        step->tokens[row] = choice.token;
        if (step->logprobs) step->logprobs[row] = choice.logprob;
        if (step->statuses) step->statuses[row] = bits;
    }
    return first;
}

static weir_status cpu_masks(void *state, const int32_t *slots, size_t row_count, uint32_t *masks, size_t stride,
                             weir_error *error) {
    cpu *cpu = state;
    weir_status first = WEIR_OK;
    for (size_t row = 0; row < row_count; row++) {
        weir_error made;
        if (slots[row] >= 0)
            note(slot_mask(cpu, &cpu->slots[slots[row]], masks + row * stride, stride, &made), &made, row, &first,
                 error);
    }
    return first;
}

/* A token that is not allowed is a status; where the caller takes none it is an error, so that it is never lost. */
static weir_status cpu_advance(void *state, const int32_t *slots, const int32_t *tokens, size_t row_count,
                               uint32_t *statuses, weir_error *error) {
    cpu *cpu = state;
    weir_status first = WEIR_OK;
    for (size_t row = 0; row < row_count; row++) {
        uint32_t bits = WEIR_ROW_STATUS_IDLE;
        if (slots[row] >= 0) {
            slot *slot = &cpu->slots[slots[row]];
            weir_error made;
            weir_status status = slot_take(cpu, slot, tokens[row], &made);
            if (status != WEIR_ERROR_TOKEN || !statuses) note(status, &made, row, &first, error);
            bits = (status != WEIR_OK ? WEIR_ROW_STATUS_REJECTED : 0) | (slot->stopped ? WEIR_ROW_STATUS_STOPPED : 0);
        }
        if (statuses) statuses[row] = bits;
    }
    return first;
}

/* --- slots ------------------------------------------------------------------------------------------------- */

static bool among(uint32_t id, const uint32_t *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

static void set_bit(uint32_t *words, uint32_t id) {
    words[id / 32] |= 1u << id % 32;
}
static void clear_bit(uint32_t *words, uint32_t id) {
    words[id / 32] &= ~(1u << id % 32);
}

/* The allowed tokens. Own stop ids are allowed exactly where the text is complete, also those that are text tokens:
 * they end the sequence and never write. */
static weir_status slot_mask(const cpu *cpu, slot *slot, uint32_t *words, size_t word_count, weir_error *error) {
    memset(words, 0, word_count * sizeof(uint32_t));
    if (slot->stopped) return WEIR_OK;
    if (!slot->matcher) {
        memset(words, 0xFF, cpu->logits_width / 32 * sizeof(uint32_t));
        if (cpu->logits_width % 32) words[cpu->logits_width / 32] = (1u << cpu->logits_width % 32) - 1;
        return WEIR_OK;
    }
    TRY(weir_matcher_fill_mask(slot->matcher, words, word_count, error));
    if (!slot->replaces) return WEIR_OK;
    for (uint32_t i = 0; i < slot->vocab_stop_count; i++)
        if (slot->vocab_stop_ids[i] < cpu->logits_width) clear_bit(words, slot->vocab_stop_ids[i]);
    bool complete = weir_matcher_is_accepting(slot->matcher);
    for (uint32_t i = 0; i < slot->stop_count; i++) (complete ? set_bit : clear_bit)(words, slot->stop_ids[i]);
    return WEIR_OK;
}

static weir_status slot_take(const cpu *cpu, slot *slot, int32_t token, weir_error *error) {
    uint32_t id = (uint32_t)token;
    if (slot->stopped) return fail(error, WEIR_ERROR_TOKEN, "token %d comes after the sequence was stopped", token);
    if (id >= cpu->logits_width)
        return fail(error, WEIR_ERROR_TOKEN, "token is %d, expected 0 to %u", token, cpu->logits_width - 1);
    if (among(id, slot->stop_ids, slot->stop_count)) {
        if (slot->matcher && !weir_matcher_is_accepting(slot->matcher))
            return fail(error, WEIR_ERROR_TOKEN, "stop token %d comes before the text is complete", token);
        slot->stopped = true;
    } else if (slot->matcher) {
        if (slot->replaces && among(id, slot->vocab_stop_ids, slot->vocab_stop_count))
            return fail(error, WEIR_ERROR_TOKEN, "token %d is a stop token of the vocabulary, which the slot replaced",
                        token);
        TRY(weir_matcher_accept(slot->matcher, id, error));
        slot->stopped = weir_matcher_is_stopped(slot->matcher);
    }
    slot->position++;
    return WEIR_OK;
}

static void slot_clear(const cpu *cpu, slot *slot) {
    weir_matcher_destroy(slot->matcher);
    release(&cpu->allocator, slot->stop_ids, slot->stop_count * sizeof(uint32_t));
    memset(slot, 0, sizeof *slot);
}

/* --- one row ----------------------------------------------------------------------------------------------- */

/* Counts the set bits, and gives the last of them. */
static uint32_t count_bits(const uint32_t *words, uint32_t word_count, uint32_t *last) {
    uint32_t count = 0;
    *last = 0;
    for (uint32_t i = 0; i < word_count; i++) {
        count += (uint32_t)__builtin_popcount(words[i]);
        if (words[i]) *last = 32 * i + 31 - (uint32_t)__builtin_clz(words[i]);
    }
    return count;
}

/* Masks, chooses and advances. Returns the row's status word; *status and *error tell what failed inside. */
static uint32_t step_row(cpu *cpu, slot *slot, const float *logits, const weir_sampling *sampling, choice *chosen,
                         weir_status *status, weir_error *error) {
    if (slot->stopped) return WEIR_ROW_STATUS_STOPPED;
    const uint32_t *words = NULL; /* NULL: every column is allowed */
    if (slot->matcher) {
        *status = slot_mask(cpu, slot, cpu->words, cpu->word_count, error);
        words = cpu->words;
    }
    if (*status == WEIR_OK)
        *chosen = choose(cpu, words, logits, sampling, philox_token_bits(slot->seed, slot->position));
    if (chosen->token >= 0) *status = slot_take(cpu, slot, chosen->token, error);
    if (chosen->token < 0 || *status != WEIR_OK) {
        *chosen = (choice){-1, 0.0f};
        slot->stopped = true;
        return WEIR_ROW_STATUS_NO_TOKEN;
    }
    return slot->stopped ? WEIR_ROW_STATUS_STOPPED : WEIR_ROW_STATUS_OK;
}

static void fill_row(const row_code *code, const float *logits, const uint32_t *words, uint32_t width, entry_set *set);
static void fill_list(const float *logits, const uint32_t *words, uint32_t word_count, entry_set *set);
static void weigh(const row_code *code, float temperature, entry_set *set);
static void filter_top_k(uint32_t k, uint64_t *sums, entry_set *set);
static void filter_top_p(const row_code *code, float p, uint64_t *sums, float temperature, entry_set *set);
static void filter_min_p(const row_code *code, float p, entry_set *set);
static uint32_t position_of_key(const entry_set *set, uint32_t key);
static uint32_t position_of_mass(const row_code *code, const entry_set *set, uint64_t target);

static choice choose(cpu *cpu, const uint32_t *words, const float *logits, const weir_sampling *sampling,
                     uint64_t bits) {
    entry_set *set = &cpu->set;
    if (words) {
        uint32_t last, legal = count_bits(words, cpu->word_count, &last);
        if (legal == 0) return (choice){-1, 0.0f};
        if (legal == 1) return (choice){(int32_t)last, 0.0f};
        if (legal < cpu->logits_width / SPARSE)
            fill_list(logits, words, cpu->word_count, set);
        else
            fill_row(cpu->code, logits, words, cpu->logits_width, set);
    } else {
        fill_row(cpu->code, logits, NULL, cpu->logits_width, set);
    }
    if (set->allowed == 0) return (choice){-1, 0.0f};

    uint32_t position;
    float logprob = 0.0f;
    if (sampling->temperature < LEAST_TEMPERATURE) {
        position = position_of_key(set, set->top);
    } else {
        if (sampling->top_k) filter_top_k(sampling->top_k, cpu->sums, set);
        weigh(cpu->code, sampling->temperature, set);
        if (sampling->top_p < 1.0f) filter_top_p(cpu->code, sampling->top_p, cpu->sums, sampling->temperature, set);
        if (sampling->min_p > 0.0f) filter_min_p(cpu->code, sampling->min_p, set);
        uint64_t kept = cpu->code->sum(set->masses, set->count);
        position = position_of_mass(cpu->code, set, multiply_high(bits, kept));
        logprob = fixed_log(set->masses[position], kept);
    }
    return (choice){(int32_t)(set->listed ? set->ids[position] : position), logprob};
}

/* --- filling ----------------------------------------------------------------------------------------------- */

/* Every column, allowed or not. */
static void fill_row(const row_code *code, const float *logits, const uint32_t *words, uint32_t width, entry_set *set) {
    set->count = width;
    set->listed = false;
    set->chunked = true;
    set->weighed = false;
    set->allowed = code->keys(logits, words, width, set->keys, set->largest);
    set->top = KEY_NONE;
    for (uint32_t chunk = 0; chunk * CHUNK < width; chunk++)
        if (set->largest[chunk] > set->top) set->top = set->largest[chunk];
}

/* The allowed columns only. */
static void fill_list(const float *logits, const uint32_t *words, uint32_t word_count, entry_set *set) {
    set->count = 0;
    set->listed = true;
    set->chunked = false;
    set->weighed = false;
    set->top = KEY_NONE;
    for (uint32_t i = 0; i < word_count; i++) {
        for (uint32_t word = words[i]; word; word &= word - 1) {
            uint32_t id = 32 * i + (uint32_t)__builtin_ctz(word);
            uint32_t key = key_of(logits[id]);
            if (key == KEY_NONE) continue;
            set->keys[set->count] = key;
            set->ids[set->count++] = id;
            if (key > set->top) set->top = key;
        }
    }
    set->allowed = set->count;
}

static void weigh(const row_code *code, float temperature, entry_set *set) {
    code->masses(set->keys, set->count, mass_scale_of(set->top, temperature), set->masses);
    set->weighed = true;
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

static void filter_top_k(uint32_t k, uint64_t *sums, entry_set *set) {
    if (k >= set->allowed) return;
    uint32_t low = KEY_NONE + 1;
    uint32_t chunks = (set->count + CHUNK - 1) / CHUNK;
    if (set->chunked && k <= chunks) {
        /* k chunks have an entry at or above the k-th largest of their largest: nothing below that is among the first k
         */
        low = select_prefix(set->largest, NULL, chunks, k, low, set->top, sums).key;
        keep((prefix){low, UINT64_MAX}, set);
    }
    keep(select_prefix(set->keys, NULL, set->count, k, low, set->top, sums), set);
}

/* A key below which all entries together are lighter than (1 - p) of the mass: each has less than that by count. Only a
 * guess, since it is made from rounded numbers; the caller verifies it. */
static uint32_t guess_key(float p, uint64_t total, float temperature, const entry_set *set) {
    mass_scale scale = mass_scale_of(set->top, temperature);
    if (scale.equal) return KEY_NONE + 1;
    float half = log2f((1.0f - p) * (float)total / (float)set->allowed * 0x1p-32f) / scale.rate - scale.offset;
    uint32_t key = key_of(half * 2.0f);
    return key > KEY_NONE && key < set->top ? key : KEY_NONE + 1;
}

static void filter_top_p(const row_code *code, float p, uint64_t *sums, float temperature, entry_set *set) {
    uint64_t total = code->sum(set->masses, set->count);
    uint64_t goal = share_of(p, total);
    uint32_t low = guess_key(p, total, temperature, set);
    if (code->sum_from(set->keys, set->masses, set->count, low) < goal) low = KEY_NONE + 1;
    keep((prefix){low, UINT64_MAX}, set);
    keep(select_prefix(set->keys, set->masses, set->count, goal, low, set->top, sums), set);
}

static void filter_min_p(const row_code *code, float p, entry_set *set) {
    code->drop_light(least_mass(p), set->count, set->masses);
}

static uint32_t position_of_key(const entry_set *set, uint32_t key) {
    uint32_t i = 0;
    while (set->chunked && set->largest[i / CHUNK] != key) i += CHUNK;
    while (set->keys[i] != key) i++;
    return i;
}

/* The first entry at which the sum of the masses exceeds the target; the target is below the sum of all. */
static uint32_t position_of_mass(const row_code *code, const entry_set *set, uint64_t target) {
    enum { STRIDE = 16 * CHUNK };
    uint32_t i = 0;
    while (set->count - i > STRIDE) {
        uint64_t mass = code->sum(set->masses + i, STRIDE);
        if (mass > target) break;
        target -= mass;
        i += STRIDE;
    }
    while (set->masses[i] <= target) target -= set->masses[i++];
    return i;
}

/* --- two backends -------------------------------------------------------------------------------------------- */

static weir_status cpu_create(const weir_allocator *allocator, uint32_t slot_count, uint32_t logits_width, void **out,
                              weir_error *error) {
    return create(allocator, row_code_best(), slot_count, logits_width, out, error);
}

static weir_status cpu_create_portable(const weir_allocator *allocator, uint32_t slot_count, uint32_t logits_width,
                                       void **out, weir_error *error) {
    return create(allocator, &row_code_portable, slot_count, logits_width, out, error);
}

const backend backend_cpu = {"cpu", cpu_create, cpu_destroy, cpu_bind, cpu_release, cpu_step, cpu_masks, cpu_advance};
const backend backend_cpu_portable = {"cpu-portable", cpu_create_portable, cpu_destroy, cpu_bind, cpu_release,
                                      cpu_step,       cpu_masks,           cpu_advance};
