/* step.cuh - the step: one cluster a row masks, filters, draws and advances, in one launch. Read the kernel first.
 *
 * Variants, from naive to fast:
 *   streamed  every pass reads the row again; any size, any device
 *   resident  the row is read once and stays in the shared memory of a block, or of a cluster of blocks
 * each for three types of logits, and with reports (log-probabilities of the untouched logits, the likeliest tokens, the
 * allowed mass) as a kernel of its own, for they look at every column. */
#ifndef WEIR_KERNELS_STEP_CUH
#define WEIR_KERNELS_STEP_CUH

#include "moves.cuh"
#include "sample.cuh"

/* weir_step on the device: every pointer is device memory; positions are a draft's, one more than its tokens. */
struct step_params {
    sampler_view sampler;
    const int32_t *slots; /* [rows] */
    uint32_t rows, positions;
    const void *logits; /* [rows * positions, logits_stride] */
    uint64_t logits_stride;
    const void *sampling; /* [rows], sampling_stride bytes apart; NULL: the defaults */
    uint64_t sampling_stride;
    const int32_t *drafts; /* [rows, positions - 1] */
    const uint32_t *masks; /* [rows * positions, masks_stride] or NULL */
    uint64_t masks_stride;
    bool raw_logprobs;
    int32_t *tokens;
    float *logprobs;
    uint32_t *statuses;
    uint32_t top_count;
    int32_t *top_tokens;
    float *top_logprobs;
    float *allowed_mass;
    uint32_t front;               /* entries that a block draws from, at most */
    uint32_t mask_words, vectors; /* room of a block behind its step_shared: words of a mask, then vectors of a row, then sums of chunks */
};

/* What one position of a row comes to. */
struct step_result {
    int32_t token;
    float logprob;
    uint32_t status;
};

template <typename Entries> struct step_shared {
    select_shared select;
    constraint rules;
    slot_view slot;
    weir_sampling sampling;
    bool goes_on;          /* position is looked at */
    uint32_t position;     /* of a draft's */
    uint32_t status;       /* of positions that are not looked at */
    const uint32_t *given; /* the caller's mask of the position, or NULL */
    step_result result;
    raw_view raw; /* where raw log-probabilities are asked for; its thread 0 reads what it wrote */
    uint32_t counter;
    alignas(16) Entries entries;
};
enum { STEP_SHARED_BYTES = sizeof(step_shared<entries<WEIR_DTYPE_F32, true, true>>) };

/* The block's mask, behind its step_shared; behind that its vectors, or its list where the row is streamed; and its chunks. */
template <typename Entries> DEVICE uint32_t *shared_mask(step_shared<Entries> *x) {
    static_assert(sizeof *x == STEP_SHARED_BYTES, "launches count with one size");
    return reinterpret_cast<uint32_t *>(x + 1);
}
template <typename Entries> DEVICE vector16 *shared_vectors(step_shared<Entries> *x, const step_params &p) {
    return reinterpret_cast<vector16 *>(shared_mask(x) + (p.mask_words + 3) / 4 * 4);
}
template <typename Entries> DEVICE uint64_t *shared_chunks(step_shared<Entries> *x, const step_params &p) {
    return reinterpret_cast<uint64_t *>(shared_vectors(x, p) + p.vectors);
}

DEVICE bool sampling_is_valid(const weir_sampling &s) {
    const uint32_t flags = WEIR_SAMPLING_MIN_P_FIRST | WEIR_SAMPLING_JOINT | WEIR_SAMPLING_TEMPERATURE_FIRST;
    bool added = s.frequency_penalty != 0.0f || s.presence_penalty != 0.0f;
    return s.temperature >= 0.0f && s.top_p > 0.0f && s.top_p <= 1.0f && s.min_p >= 0.0f && s.min_p < 1.0f &&
           s.repetition_penalty >= 0.0f && s.repetition_penalty <= FLT_MAX && made_finite(s.frequency_penalty) == s.frequency_penalty &&
           made_finite(s.presence_penalty) == s.presence_penalty && (s.flags & ~flags) == 0 &&
           !(added && s.temperature > FLT_MAX && (s.flags & WEIR_SAMPLING_TEMPERATURE_FIRST) != 0);
}

DEVICE bool is_penalised(const weir_sampling &s) {
    return (s.repetition_penalty != 0.0f && s.repetition_penalty != 1.0f) || s.frequency_penalty != 0.0f || s.presence_penalty != 0.0f;
}

DEVICE penalties penalties_of(const weir_sampling &s) {
    bool scaled = (s.flags & WEIR_SAMPLING_TEMPERATURE_FIRST) != 0 && s.temperature <= FLT_MAX;
    return {s.repetition_penalty == 0.0f ? 1.0f : s.repetition_penalty, s.frequency_penalty, s.presence_penalty, scaled ? s.temperature : 1.0f};
}

/* Where the cluster's row has what it gives and gets for a position. */
DEVICE uint64_t place_of(const step_params &p, uint32_t position) { return static_cast<uint64_t>(cluster_index()) * p.positions + position; }

/* The row's settings; false: they cannot be used. */
DEVICE bool read_sampling(const step_params &p, uint32_t row, const slot_view &s, weir_sampling *out) {
    weir_sampling defaults = WEIR_SAMPLING_INIT;
    *out = defaults;
    if (p.sampling != nullptr)
        *out = *reinterpret_cast<const weir_sampling *>(static_cast<const char *>(p.sampling) + row * p.sampling_stride);
    return sampling_is_valid(*out) && (!is_penalised(*out) || (s.slot->flags & SLOT_COUNTS) != 0);
}

/* Chooses a token of one position from its mask; the first block knows which. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE drawn choose(const step_params &p, step_shared<entries<DTYPE, RESIDENT, REPORT>> *x, uint32_t *round, const mask_count &mask) {
    const uint64_t at = place_of(p, x->position);
    const slot_view &s = x->slot;
    const weir_sampling &sampling = x->sampling;
    entries<DTYPE, RESIDENT, REPORT> &e = x->entries;
    bool raw_logprobs = REPORT && p.raw_logprobs && (p.logprobs != nullptr || p.top_count != 0);
    bool whole = REPORT && (raw_logprobs || p.allowed_mass != nullptr);
    bool leads = cluster_rank() == 0 && thread_index() == 0;
    top_view top = {REPORT ? p.top_count : 0, p.top_tokens + at * p.top_count, p.top_logprobs + at * p.top_count}, none = {0, nullptr, nullptr};
    drawn result = {mask.last, 0.0f};
    if (REPORT && whole) {
        float allowed_mass = 0.0f;
        entries_bring(e);
        raw_view raw = look_at_all(&x->select, round, e, p.front, &allowed_mass, raw_logprobs ? top : none);
        if (thread_index() == 0) x->raw = raw;
        if (leads && p.allowed_mass != nullptr) p.allowed_mass[at] = allowed_mass;
    }
    if (mask.legal == 1) {
        if (REPORT && leads && top.count != 0 && !raw_logprobs) top.tokens[0] = static_cast<int32_t>(mask.last), top.logprobs[0] = 0.0f;
    } else {
        bool penalised = is_penalised(sampling);
        if (s.slot->bias_count != 0 || penalised) entries_patch(e, penalties_of(sampling), penalised);
        entries_list(e, &x->counter, reinterpret_cast<listed *>(shared_vectors(x, p)), p.vectors * 2);
        if (e.dense) entries_load(e, whole);
        uint64_t bits = philox_token_bits(s.slot->seed, s.slot->position);
        result = draw(&x->select, round, e, sampling, mask.legal, p.front, bits, raw_logprobs ? none : top);
    }
    if (raw_logprobs && leads && result.column != UINT32_MAX) result.logprob = raw_logprob(x->raw, logit_key<DTYPE>(e.row[result.column]));
    return result;
}

/* Whether most of the row will be read, as far as a look at the state tells: then it is fetched while the mask is made. */
DEVICE bool row_is_dense(const slot_view &s, const constraint &c) {
    if ((s.slot->flags & SLOT_LEGAL) != 0) return false;
    if (!slot_has_grammar(s)) return true;
    uint32_t state = slot_sequence(s)[SEQUENCE_STATE];
    return state != STATE_DEAD && c.m.rows[c.m.states[state].row].kind == WEIR_ROW_BASE;
}

DEVICE void write_result(const step_params &p, uint64_t at, const step_result &r) {
    p.tokens[at] = r.token;
    if (p.logprobs != nullptr) p.logprobs[at] = r.logprob;
    if (p.statuses != nullptr) p.statuses[at] = r.status;
}

/* Before a position is looked at: nothing likely, nothing allowed. */
DEVICE void clear_reports(const step_params &p, uint64_t at) {
    if (cluster_rank() != 0) return;
    for (uint32_t i = thread_index(); i < p.top_count; i += block_threads()) {
        p.top_tokens[at * p.top_count + i] = -1;
        p.top_logprobs[at * p.top_count + i] = -INFINITY;
    }
    if (thread_index() == 0 && p.allowed_mass != nullptr) p.allowed_mass[at] = 0.0f;
    block_sync(); /* cleared before they are written */
}

/* The row's slot, settings and constraint, for all threads of a block. */
template <typename Entries> DEVICE void open_step(const step_params &p, uint32_t row, step_shared<Entries> *x) {
    x->position = 0;
    x->goes_on = open_row(p.sampler, p.slots[row], &x->slot, &x->status);
    if (!x->goes_on) return;
    x->goes_on = read_sampling(p, row, x->slot, &x->sampling);
    x->status = x->goes_on ? WEIR_ROW_STATUS_SKIPPED : WEIR_ROW_STATUS_INVALID;
    constraint_open(p.sampler, x->slot, &x->rules);
}

/* Whether the slot takes no more tokens, and the result that says so. */
template <typename Entries> DEVICE bool has_ended(step_shared<Entries> *x) {
    uint32_t flags = x->slot.slot->flags;
    if ((flags & (SLOT_STOPPED | SLOT_FAILED)) == 0) return false;
    if (cluster_rank() != 0 || thread_index() != 0) return true;
    bool stopped = (flags & SLOT_STOPPED) != 0;
    x->result = {-1, 0.0f, status_if(stopped, WEIR_ROW_STATUS_STOPPED) | status_if(!stopped, WEIR_ROW_STATUS_NO_TOKEN)};
    return true;
}

/* Fills x->result for one position of a row, and moves its slot. Stands alone, so that nothing of it is computed ahead of the
 * loop over positions and kept there. */
template <int DTYPE, bool RESIDENT, bool REPORT>
DEVICE_CALL void step_position(const step_params &p, step_shared<entries<DTYPE, RESIDENT, REPORT>> *x, uint32_t *round) {
    typedef entries<DTYPE, RESIDENT, REPORT> row_entries;
    const slot_view &s = x->slot;
    clear_reports(p, place_of(p, x->position));
    if (has_ended(x)) return;
    if (thread_index() == 0) {
        uint64_t at = place_of(p, x->position);
        const typename row_entries::bits *logits = static_cast<const typename row_entries::bits *>(p.logits) + at * p.logits_stride;
        x->given = p.masks != nullptr ? p.masks + at * p.masks_stride : nullptr;
        x->entries = entries_of<row_entries>(logits, p.sampler.logits_width, shared_mask(x), shared_vectors(x, p), shared_chunks(x, p), s);
        x->entries.begun = RESIDENT && x->given == nullptr && row_is_dense(s, x->rules);
    }
    block_sync(); /* the entries are open */
    if (RESIDENT && x->entries.begun) entries_begin(x->entries, true);
    mask_count mask = mask_step(p.sampler, s, x->rules, x->given, &x->select.totals, round, x->entries.mask);
    if (RESIDENT) copy_wait();
    drawn drawn = {UINT32_MAX, 0.0f};
    if (mask.legal != 0) drawn = choose<DTYPE, RESIDENT, REPORT>(p, x, round, mask);
    if (cluster_rank() != 0 || thread_index() != 0) return;
    bool counts_full = false;
    x->result = {static_cast<int32_t>(drawn.column), drawn.logprob, status_if(mask.forced, WEIR_ROW_STATUS_STOP_FORCED)};
    if (drawn.column != UINT32_MAX && slot_take(p.sampler, s, x->rules, drawn.column, &counts_full)) {
        x->result.status |= status_if(s.slot->flags & SLOT_STOPPED, WEIR_ROW_STATUS_STOPPED) | status_if(counts_full, WEIR_ROW_STATUS_COUNTS_FULL);
    } else {
        s.slot->flags |= SLOT_FAILED;
        x->result = {-1, 0.0f, WEIR_ROW_STATUS_NO_TOKEN};
    }
}

/* Behind a position: its result is written out, and a draft that was drawn leads to the next one. */
template <typename Entries> DEVICE void close_position(const step_params &p, step_shared<Entries> *x) {
    cluster_sync(); /* the slot has moved, and the result stands in the first block */
    if (thread_index() == 0) {
        step_result result = in_block(x, 0)->result;
        uint32_t next = x->position + 1;
        if (cluster_rank() == 0) write_result(p, place_of(p, x->position), result);
        x->goes_on = next < p.positions && result.token >= 0 && result.token == p.drafts[cluster_index() * (p.positions - 1) + x->position];
        x->position = next;
    }
    cluster_sync(); /* it is read, and all know whether there is another */
}

template <int DTYPE, bool RESIDENT, bool REPORT> DEVICE void step_row(const step_params &p) {
    typedef step_shared<entries<DTYPE, RESIDENT, REPORT>> shared;
    shared *x = shared_memory<shared>();
    uint32_t round = 0;
    grid_wait();
    grid_release(); /* whoever comes next waits for the end of this launch itself */
    if (thread_index() == 0) open_step(p, cluster_index(), x);
    block_sync(); /* the row is open */
    while (x->goes_on) {
        step_position<DTYPE, RESIDENT, REPORT>(p, x, &round);
        close_position(p, x);
    }
    for (uint32_t position = x->position; position < p.positions; position++) { /* those behind are not looked at */
        clear_reports(p, place_of(p, position));
        if (cluster_rank() == 0 && thread_index() == 0) write_result(p, place_of(p, position), {-1, 0.0f, x->status});
    }
    cluster_sync(); /* no block ends while another reads its memory */
}

#endif
