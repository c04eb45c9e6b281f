/* masks.cuh - what may follow, for those who sample themselves: as bits, as logits of -infinity, and behind drafts. */
#ifndef WEIR_KERNELS_MASKS_CUH
#define WEIR_KERNELS_MASKS_CUH

#include "mask.cuh"
#include "moves.cuh"

struct masks_params {
    sampler_view sampler;
    const int32_t *slots; /* [rows] */
    uint32_t rows;
    uint32_t *masks;      /* [rows * (draft_count + 1), stride] words, or NULL */
    uint64_t stride;
    void *logits;         /* [rows, logits_stride], or NULL */
    uint64_t logits_stride;
    uint32_t dtype;
    const int32_t *drafts;  /* [rows, draft_count] */
    uint32_t draft_count;
    uint32_t *valid_counts; /* [rows] or NULL */
    bool trial;             /* drafts are tried */
    uint32_t mask_words;    /* room of a block behind its masks_shared */
};

/* What the slot was before drafts were tried; its sequence is in the slot. */
struct trial {
    device_slot slot;
    uint32_t taken;
};

/* What all threads know alike stands here, and takes no registers of theirs. */
struct masks_shared {
    exchange totals;
    slot_view slot;
    constraint rules;
    mask_part part;
    trial drafts; /* of the cluster's first block, whose first thread moves the slot */
    uint32_t row, valid;
    bool runs; /* the row has a slot */
    bool goes_on;
};

/* The block's share of a row's words. */
DEVICE mask_part masks_part(const masks_params &p, masks_shared *x) {
    uint32_t words = (p.sampler.word_count + cluster_size() - 1) / cluster_size(), width = p.sampler.logits_width;
    mask_part part = {reinterpret_cast<uint32_t *>(x + 1), cluster_rank() * words * 32, (cluster_rank() + 1) * words * 32, width};
    if (part.end > width) part.end = width;
    if (part.first > part.end) part.first = part.end;
    return part;
}

/* Writes the part's words, and where the row ends those behind it, which are 0; empty: all are. */
DEVICE void write_words(const masks_params &p, const mask_part &part, uint64_t at, bool empty) {
    uint32_t *out = p.masks + at * p.stride;
    for (uint32_t i = thread_index(); i < part_word_count(part); i += block_threads()) out[part_first_word(part) + i] = empty ? 0 : part.words[i];
    if (cluster_rank() != 0) return;
    for (uint64_t i = p.sampler.word_count + thread_index(); i < p.stride; i += block_threads()) out[i] = 0;
}

DEVICE void write_logits(const masks_params &p, const mask_part &part, uint64_t at, bool empty) {
    uint32_t *wide = static_cast<uint32_t *>(p.logits) + at * p.logits_stride;
    uint16_t *narrow = static_cast<uint16_t *>(p.logits) + at * p.logits_stride;
    for (uint32_t column = part.first + thread_index(); column < part.end; column += block_threads()) {
        if (!empty && part_bit(part, column)) continue;
        if (p.dtype == WEIR_DTYPE_F32)
            wide[column] = 0xFF800000u;
        else
            narrow[column] = p.dtype == WEIR_DTYPE_F16 ? 0xFC00u : 0xFF80u;
    }
}

DEVICE void begin_trial(const slot_view &s, const constraint &c, trial *t) {
    t->slot = *s.slot;
    t->taken = 0;
    uint32_t words = slot_has_grammar(s) ? static_cast<uint32_t>(machine_sequence_words(c.m.t)) : 0;
    for (uint32_t i = 0; i < words; i++) s.words[s.layout->saved + i] = slot_sequence(s)[i];
}

/* Takes a draft and notes what it overwrites in the history: behind the places of patches there is room for that. */
DEVICE bool try_draft(const sampler_view &sampler, const slot_view &s, const constraint &c, uint32_t token, trial *t) {
    uint32_t *overwritten = slot_patches(s) + s.layout->bias_capacity + s.layout->counted;
    overwritten[t->taken] = s.words[s.layout->history + s.slot->position % history_size(sampler, s.slot)];
    if (!slot_accept(sampler, s, c, token, true)) return false;
    t->taken++;
    return true;
}

DEVICE void end_trial(const sampler_view &sampler, const slot_view &s, const constraint &c, const trial *t) {
    const uint32_t *overwritten = slot_patches(s) + s.layout->bias_capacity + s.layout->counted;
    for (uint32_t i = 0; i < t->taken; i++)
        s.words[s.layout->history + (t->slot.position + i) % history_size(sampler, &t->slot)] = overwritten[i];
    uint32_t words = slot_has_grammar(s) ? static_cast<uint32_t>(machine_sequence_words(c.m.t)) : 0;
    for (uint32_t i = 0; i < words; i++) slot_sequence(s)[i] = s.words[s.layout->saved + i];
    *s.slot = t->slot;
}

/* The row's slot and its constraint. */
DEVICE void open_masks(const masks_params &p, masks_shared *x) {
    if (thread_index() == 0) {
        slot_view s = {};
        uint32_t status;
        bool runs = open_row(p.sampler, p.slots[cluster_index()], &s, &status);
        x->runs = runs;
        x->slot = s;
        x->part = masks_part(p, x);
        x->row = cluster_index();
        x->valid = 0;
        if (runs) constraint_open(p.sampler, s, &x->rules);
        if (runs && cluster_rank() == 0 && p.trial) begin_trial(s, x->rules, &x->drafts);
    }
    block_sync(); /* the constraint is open */
}

DEVICE void masks_row(const masks_params &p) {
    masks_shared *x = shared_memory<masks_shared>();
    const slot_view &s = x->slot;
    const mask_part &part = x->part;
    uint32_t round = 0;
    bool leads = cluster_rank() == 0 && thread_index() == 0;
    grid_wait();
    open_masks(p, x);
    bool goes_on = x->runs;
    for (uint32_t position = 0; position <= p.draft_count && x->runs; position++) {
        bool empty = !goes_on || (s.slot->flags & (SLOT_STOPPED | SLOT_FAILED)) != 0;
        if (!empty) mask_step(p.sampler, s, x->rules, nullptr, &x->totals, &round, part);
        uint64_t at = static_cast<uint64_t>(x->row) * (p.draft_count + 1) + position;
        if (p.masks != nullptr) write_words(p, part, at, empty);
        if (p.logits != nullptr) write_logits(p, part, at, empty);
        if (position == p.draft_count) break;
        int32_t draft = p.drafts[x->row * p.draft_count + position];
        bool allowed = !empty && draft >= 0 && part_has(part, static_cast<uint32_t>(draft)) && part_bit(part, static_cast<uint32_t>(draft));
        uint64_t totals[1] = {thread_index() == 0 && allowed};
        total_in_cluster<1, 1>(&x->totals, &round, totals);
        if (leads) {
            x->goes_on = totals[0] != 0 && try_draft(p.sampler, s, x->rules, static_cast<uint32_t>(draft), &x->drafts);
            x->valid += x->goes_on;
        }
        cluster_sync(); /* the slot has moved */
        goes_on = in_block(x, 0)->goes_on;
        cluster_sync(); /* and all know it */
    }
    cluster_sync(); /* all have read the slot, before it is what it was */
    if (leads && x->runs && p.trial) end_trial(p.sampler, s, x->rules, &x->drafts);
    if (leads && p.valid_counts != nullptr) p.valid_counts[x->row] = x->valid;
    grid_release();
    cluster_sync(); /* no block ends while another reads its memory */
}

#endif
