/* cpu.c - the CPU backend, and the definition of correct: what it gives, every backend gives, to the bit.
 *
 * One row at a time: mask -> keys -> bias -> penalties -> top-k -> masses -> top-p -> min-p -> draw -> advance. Temperature
 * changes masses and never the order of a row, so that is the same at every temperature, infinity included.
 *
 *   - Not allowed: masked, NaN, -inf. A row without an allowed entry has no token, nor has any later one of its sequence.
 *   - Where exactly one token is legal it is taken: the logits are not read.
 *   - Bias and penalties patch single entries (logit.h); they make none illegal or infinite.
 *   - Temperature 0: the first entry of the sorted order; log-probability 0.
 *   - Temperature infinity, and entries of +inf at any temperature above 0: equal masses (of +inf, for these alone).
 *   - top-k: the first k. top-p: the shortest prefix whose mass is at least p of the mass that top-k kept.
 *     min-p: every entry with a mass of at least min-p of the largest; by mass and not by rank, since the masses of
 *     neighbouring logits can be inverted in the last place.
 *   - MIN_P_FIRST: min-p before top-k, which counts what is left; top-p is then a share of what both kept.
 *     JOINT: top-p is a share of the mass that top-k saw.
 *     TEMPERATURE_FIRST: frequency and presence penalties are times the temperature.
 *   - The draw: 64 random bits scaled to a whole number below the kept mass; the first entry, by id, at which the sum
 *     of kept masses exceeds it.
 *   - Log-probabilities: of the kept masses; or raw, of all columns as they came, at temperature 1.
 *   - Drafts: one plain step a position, for as long as each takes its draft. Draws are keyed by position, so the
 *     tokens are those of plain steps whatever was guessed. */
#include <string.h>

#include "cpu.h"
#include "philox.h"

enum { SPARSE = 16 /* below one allowed token in so many, the allowed are listed instead of the row streamed */ };

/* A row of the step: what goes in, and what comes out. */
typedef struct row {
    const void *logits;
    weir_dtype dtype;
    const uint32_t *given;
    const weir_sampling *sampling;
    bool raw_logprobs;
    uint32_t top_count;
    int32_t token; /* -1: none */
    float logprob;
    int32_t *top_tokens; /* NULL: not asked for */
    float *top_logprobs;
    float *allowed_mass;
} row;

/* The distribution of the untouched logits. */
typedef struct raw_view {
    uint32_t top;
    float top_log2; /* of its probability */
    uint32_t least; /* keys below have no probability */
    bool equal;     /* all others have that of the top */
} raw_view;

static uint32_t step_row(cpu *cpu, slot *slot, row *row, weir_status *status, weir_error *error);
static void choose(cpu *cpu, const slot *slot, const uint32_t *words, uint64_t bits, row *row);

/* --- the backend ------------------------------------------------------------------------------------------- */

static void cpu_destroy(void *state) {
    cpu *cpu = state;
    weir_allocator allocator = cpu->shape.allocator;
    for (uint32_t i = 0; cpu->slots && i < cpu->slot_count; i++) slot_clear(&cpu->shape, &cpu->slots[i]);
    release(&allocator, cpu->slots, cpu->slot_count * sizeof(slot));
    release(&allocator, cpu->set.sums, sizeof(uint64_t) << DIGIT_BITS);
    release(&allocator, cpu->scratch, cpu->scratch_words * sizeof(uint32_t));
    release(&allocator, cpu, sizeof *cpu);
}

static weir_status create(const row_code *code, const weir_sampler_options *options, void **out, weir_error *error) {
    const weir_allocator *allocator = options->allocator;
    cpu *cpu = allocate(allocator, sizeof *cpu);
    if (!cpu) return fail(error, WEIR_ERROR_MEMORY, "out of memory: %zu bytes", sizeof *cpu);
    memset(cpu, 0, sizeof *cpu);
    uint32_t width = options->logits_width;
    cpu->shape = (slot_shape){*allocator, width, (width + 31) / 32, options->rollback_tokens, options->counted_tokens};
    cpu->slot_count = options->slot_count;
    size_t chunks = ((size_t)width + CHUNK - 1) / CHUNK;
    cpu->scratch_words = 5 * chunks * CHUNK + chunks + cpu->shape.word_count;
    cpu->slots = allocate(allocator, cpu->slot_count * sizeof(slot));
    cpu->set.sums = allocate(allocator, sizeof(uint64_t) << DIGIT_BITS);
    cpu->scratch = allocate(allocator, cpu->scratch_words * sizeof(uint32_t));
    if (cpu->slots) memset(cpu->slots, 0, cpu->slot_count * sizeof(slot));
    if (!cpu->slots || !cpu->set.sums || !cpu->scratch) {
        uint32_t slot_count = cpu->slot_count;
        cpu_destroy(cpu);
        return fail(error, WEIR_ERROR_MEMORY, "out of memory: %u slots and %u columns", slot_count, width);
    }
    cpu->set.code = code;
    cpu->set.keys = cpu->scratch;
    cpu->set.masses = cpu->set.keys + chunks * CHUNK;
    cpu->set.ids = cpu->set.masses + chunks * CHUNK;
    cpu->set.spare = cpu->set.ids + chunks * CHUNK;
    cpu->set.largest = cpu->set.spare + 2 * chunks * CHUNK;
    cpu->words = cpu->set.largest + chunks;
    *out = cpu;
    return WEIR_OK;
}

static weir_status cpu_bind(void *state, uint32_t index, const weir_slot_options *options, weir_error *error) {
    cpu *cpu = state;
    slot made;
    TRY(slot_create(&cpu->shape, options, &made, error));
    slot_clear(&cpu->shape, &cpu->slots[index]);
    cpu->slots[index] = made;
    return WEIR_OK;
}

static weir_status cpu_release(void *state, uint32_t index, weir_error *error) {
    cpu *cpu = state;
    slot_clear(&cpu->shape, &cpu->slots[index]);
    (void)error;
    return WEIR_OK;
}

static weir_status cpu_reset(void *state, uint32_t index, weir_error *error) {
    cpu *cpu = state;
    slot_reset(&cpu->slots[index]);
    (void)error;
    return WEIR_OK;
}

static weir_status cpu_fork(void *state, uint32_t from, uint32_t to, uint64_t seed, weir_error *error) {
    cpu *cpu = state;
    slot made;
    TRY(slot_copy(&cpu->shape, &cpu->slots[from], &made, error));
    made.seed = seed;
    slot_clear(&cpu->shape, &cpu->slots[to]);
    cpu->slots[to] = made;
    return WEIR_OK;
}

static weir_status cpu_export(void *state, uint32_t index, weir_matcher **out, weir_error *error) {
    cpu *cpu = state;
    return slot_export(&cpu->slots[index], out, error);
}

static weir_status cpu_import(void *state, uint32_t index, const weir_matcher *matcher, weir_error *error) {
    cpu *cpu = state;
    return slot_import(&cpu->slots[index], matcher, error);
}

static weir_status cpu_set_stream(void *state, weir_stream stream, weir_error *error) {
    (void)state, (void)stream, (void)error; /* every call is done when it returns */
    return WEIR_OK;
}

/* --- a step ------------------------------------------------------------------------------------------------ */

/* One position of a row in a step's arrays, and the results of one that draws nothing. */
static row row_of(const weir_step *step, size_t at, size_t place) {
    static const weir_sampling defaults = WEIR_SAMPLING_INIT;
    row row = {
        .logits = (const char *)step->logits + place * step->logits_stride * dtype_size(step->dtype),
        .dtype = step->dtype,
        .given = step->masks ? step->masks + place * step->masks_stride : NULL,
        .sampling = step->sampling ? sampling_at(step, at) : &defaults,
        .raw_logprobs = step->raw_logprobs && (step->logprobs || step->top_count),
        .top_count = step->top_count,
        .token = -1,
        .top_tokens = step->top_tokens ? step->top_tokens + place * step->top_count : NULL,
        .top_logprobs = step->top_logprobs ? step->top_logprobs + place * step->top_count : NULL,
        .allowed_mass = step->allowed_mass ? &step->allowed_mass[place] : NULL,
    };
    for (uint32_t i = 0; i < row.top_count; i++) row.top_tokens[i] = -1, row.top_logprobs[i] = -INFINITY;
    if (row.allowed_mass) *row.allowed_mass = 0.0f;
    return row;
}

/* All positions of row `at`. */
static void step_positions(cpu *cpu, const weir_step *step, size_t at, weir_status *first, weir_error *error) {
    bool on = true; /* the sequence has taken every draft so far */
    for (size_t position = 0; position <= step->draft_count; position++) {
        size_t place = at * (step->draft_count + 1) + position;
        row row = row_of(step, at, place);
        uint32_t bits = step->slots[at] < 0 ? WEIR_ROW_STATUS_IDLE : WEIR_ROW_STATUS_SKIPPED;
        if (step->slots[at] >= 0 && on) {
            weir_status status = WEIR_OK;
            weir_error made;
            bits = step_row(cpu, &cpu->slots[step->slots[at]], &row, &status, &made);
            note(status, &made, at, first, error);
        }
        on = on && position < step->draft_count && row.token >= 0 &&
             row.token == step->drafts[at * step->draft_count + position];
        step->tokens[place] = row.token;
        if (step->logprobs) step->logprobs[place] = row.logprob;
        if (step->statuses) step->statuses[place] = bits;
    }
}

static weir_status cpu_step(void *state, const weir_step *step, weir_error *error) {
    weir_status first = WEIR_OK;
    for (size_t at = 0; at < step->row_count; at++) step_positions(state, step, at, &first, error);
    return first;
}

/* --- one row ----------------------------------------------------------------------------------------------- */

/* Masks, chooses and advances. Returns the row's status word; *status and *error tell what failed inside. */
static uint32_t step_row(cpu *cpu, slot *slot, row *row, weir_status *status, weir_error *error) {
    if (slot->stopped) return WEIR_ROW_STATUS_STOPPED;
    if (slot->failed) return WEIR_ROW_STATUS_NO_TOKEN;
    slot_mask mask = {cpu->words, cpu->shape.word_count, row->given, true, false, false};
    bool counts_full = false;
    *status = slot_fill_mask(&cpu->shape, slot, &mask, error);
    if (*status == WEIR_OK)
        choose(cpu, slot, mask.skipped ? NULL : cpu->words, philox_token_bits(slot->seed, slot->position), row);
    if (row->token >= 0) *status = slot_take(&cpu->shape, slot, row->token, &counts_full, error);
    if (row->token < 0 || *status != WEIR_OK) {
        row->token = -1;
        row->logprob = 0.0f;
        slot->failed = true;
        return WEIR_ROW_STATUS_NO_TOKEN;
    }
    return (slot->stopped ? WEIR_ROW_STATUS_STOPPED : WEIR_ROW_STATUS_OK) |
           (mask.forced ? WEIR_ROW_STATUS_STOP_FORCED : 0) | (counts_full ? WEIR_ROW_STATUS_COUNTS_FULL : 0);
}

static raw_view look_at_all(cpu *cpu, const uint32_t *words, row *row);
static float raw_logprob(const raw_view *raw, float logit);
static void patch(const slot *slot, const weir_sampling *sampling, entry_set *set);
static uint32_t filter_and_draw(const weir_sampling *sampling, uint64_t bits, entry_set *set, float *logprob);
static void report_top(const raw_view *raw, row *row, entry_set *set);

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

static void choose(cpu *cpu, const slot *slot, const uint32_t *words, uint64_t bits, row *row) {
    entry_set *set = &cpu->set;
    uint32_t last = 0, width = cpu->shape.logits_width;
    uint32_t legal = words ? count_bits(words, cpu->shape.word_count, &last) : width; /* a width of 1: token 0 */
    if (legal == 0) return;
    raw_view raw = {0, 0, 0, false};
    bool whole = row->raw_logprobs || row->allowed_mass;
    if (whole) raw = look_at_all(cpu, words, row);
    if (legal == 1) {
        row->token = (int32_t)last;
        if (row->top_count && !row->raw_logprobs) row->top_tokens[0] = row->token, row->top_logprobs[0] = 0.0f;
    } else {
        if (words && legal < width / SPARSE)
            entries_fill_list(row->logits, row->dtype, words, cpu->shape.word_count, set);
        else
            entries_fill_row(row->logits, row->dtype, words, width, set);
        if (set->allowed == 0) return;
        patch(slot, row->sampling, set);
        uint32_t position = filter_and_draw(row->sampling, bits, set, &row->logprob);
        row->token = (int32_t)entries_token(set, position);
        if (row->top_count && !row->raw_logprobs) report_top(NULL, row, set);
    }
    if (row->raw_logprobs) row->logprob = raw_logprob(&raw, logit_at(row->logits, row->dtype, (size_t)row->token));
}

/* --- the untouched logits ---------------------------------------------------------------------------------- */

static raw_view look_at_all(cpu *cpu, const uint32_t *words, row *row) {
    entry_set *set = &cpu->set;
    entries_fill_row(row->logits, row->dtype, NULL, cpu->shape.logits_width, set);
    if (set->allowed == 0) return (raw_view){KEY_NONE, -INFINITY, KEY_INFINITY, true};
    entries_weigh(1.0f, set);
    mass_scale scale = mass_scale_of(set->top, 1.0f);
    uint64_t total = entries_mass(set), allowed = words ? 0 : total;
    for (uint32_t i = 0; words && i < cpu->shape.word_count; i++)
        for (uint32_t word = words[i]; word; word &= word - 1)
            allowed += set->masses[32 * i + (uint32_t)__builtin_ctz(word)];
    if (row->allowed_mass) *row->allowed_mass = (float)allowed / (float)total;
    raw_view raw = {set->top, fixed_log2(UINT32_MAX, total), scale.least, scale.equal};
    if (row->raw_logprobs && row->top_count) {
        set->weighed = false; /* a token too light for a mass has a log-probability none the less */
        report_top(&raw, row, set);
    }
    return raw;
}

/* ln of the probability: the distance from the likeliest, whose mass is full, and its own. */
static float raw_logprob(const raw_view *raw, float logit) {
    uint32_t key = key_of(logit);
    if (key == KEY_NONE || (raw->equal && key < raw->least)) return -INFINITY;
    return fmaf(0.693147182f, raw->top_log2, raw->equal ? 0.0f : logit - logit_of(raw->top));
}

/* --- patching and drawing ---------------------------------------------------------------------------------- */

static void patch(const slot *slot, const weir_sampling *sampling, entry_set *set) {
    penalties penalties = {sampling->repetition_penalty, sampling->frequency_penalty, sampling->presence_penalty, 1.0f};
    if (penalties.repetition == 0.0f) penalties.repetition = 1.0f;
    if (sampling->flags & WEIR_SAMPLING_TEMPERATURE_FIRST && sampling->temperature <= FLT_MAX)
        penalties.scale = sampling->temperature;
    bool penalised = penalties.repetition != 1.0f || penalties.frequency != 0.0f || penalties.presence != 0.0f;
    if (slot->bias_count == 0 && !penalised) return;
    for (uint32_t i = 0; i < slot->bias_count; i++) {
        uint32_t position = entries_find(set, slot->bias[i].token);
        if (position != UINT32_MAX)
            entries_patch(set, position, key_with_bias(set->keys[position], slot->bias[i].bias));
    }
    for (uint32_t i = 0; penalised && i < slot->counts.count; i++) {
        const token_count *seen = &slot->counts.entries[i];
        uint32_t position = entries_find(set, seen->token);
        if (position != UINT32_MAX)
            entries_patch(set, position, key_with_penalties(set->keys[position], penalties, seen->output));
    }
    entries_patched(set);
}

static void keep_top_p(const weir_sampling *sampling, uint64_t seen, entry_set *set) {
    if (sampling->top_p >= 1.0f) return;
    uint64_t total = entries_mass(set);
    bool joint = sampling->flags & WEIR_SAMPLING_JOINT;
    entries_keep_mass(share_of(sampling->top_p, joint ? seen : total), total, set);
}

/* The position of the entry that is drawn. */
static uint32_t filter_and_draw(const weir_sampling *sampling, uint64_t bits, entry_set *set, float *logprob) {
    float temperature = sampling->temperature;
    if (temperature < LEAST_TEMPERATURE) {
        *logprob = 0.0f;
        return entries_position_of_key(set, set->top);
    }
    bool min_p_first = sampling->flags & WEIR_SAMPLING_MIN_P_FIRST, joint = sampling->flags & WEIR_SAMPLING_JOINT;
    uint64_t seen = 0; /* the mass before top-k */
    if (min_p_first || joint) {
        entries_weigh(temperature, set);
        if (min_p_first && sampling->min_p > 0.0f) {
            entries_drop_below(sampling->min_p, set);
            if (sampling->top_k) entries_forget_massless(set);
        }
        seen = entries_mass(set);
        if (sampling->top_k) entries_keep_top_k(sampling->top_k, set);
    } else {
        if (sampling->top_k) entries_keep_top_k(sampling->top_k, set);
        entries_weigh(temperature, set);
    }
    keep_top_p(sampling, seen, set);
    if (!min_p_first && sampling->min_p > 0.0f) entries_drop_below(sampling->min_p, set);
    uint64_t kept = entries_mass(set);
    uint32_t position = entries_position_of_mass(set, multiply_high(bits, kept));
    *logprob = fixed_log(set->masses[position], kept);
    return position;
}

/* --- the likeliest ----------------------------------------------------------------------------------------- */

/* Of the untouched logits, or (raw NULL) of what the draw was from: at temperature 0, the token alone. */
static void report_top(const raw_view *raw, row *row, entry_set *set) {
    if (!raw && row->sampling->temperature < LEAST_TEMPERATURE) {
        row->top_tokens[0] = row->token;
        row->top_logprobs[0] = 0.0f;
        return;
    }
    uint64_t kept = raw ? 0 : entries_mass(set);
    entries_sort_top(row->top_count, set);
    for (uint32_t i = 0; i < set->count; i++) {
        float logprob = raw ? raw_logprob(raw, logit_of(set->keys[i])) : fixed_log(set->masses[i], kept);
        if (logprob == -INFINITY) break;
        row->top_tokens[i] = (int32_t)set->ids[i];
        row->top_logprobs[i] = logprob;
    }
}

/* --- two backends ------------------------------------------------------------------------------------------ */

static weir_status cpu_create(const weir_sampler_options *options, void **out, weir_error *error) {
    return create(row_code_best(), options, out, error);
}

static weir_status cpu_create_portable(const weir_sampler_options *options, void **out, weir_error *error) {
    return create(&row_code_portable, options, out, error);
}

static weir_status cpu_upload(void *state, const weir_grammar *grammar, weir_stream stream, weir_error *error) {
    (void)state, (void)grammar, (void)stream, (void)error;
    return WEIR_OK;
}

#define CPU_BACKEND(name, create)                                                                                      \
    {                                                                                                                  \
        name, false, create, cpu_destroy, cpu_bind, cpu_release, cpu_reset, cpu_fork, cpu_export, cpu_import,          \
            cpu_set_stream, cpu_upload, cpu_step, cpu_masks, cpu_advance, cpu_rollback, cpu_mask_logits, cpu_catch_up, \
            cpu_draft_masks                                                                                            \
    }
const backend backend_cpu = CPU_BACKEND("cpu", cpu_create);
const backend backend_cpu_portable = CPU_BACKEND("cpu-portable", cpu_create_portable);
