/* grammar_object.c - a compiled grammar: destroying, asking, saving and loading. */
#include "grammar_object.h"

#include <string.h>

#include "tables_io.h"

weir_grammar *weir_grammar_retain(weir_grammar *g) {
    if (g != NULL) atomic_fetch_add_explicit(&g->references, 1, memory_order_relaxed);
    return g;
}

void weir_grammar_destroy(weir_grammar *g) {
    if (g == NULL || atomic_fetch_sub(&g->references, 1) != 0) return;
    weir_allocator allocator = g->allocator;
    vocab_release(g->vocab);
    release(&allocator, g->tables, g->bytes);
    release(&allocator, g->report, sizeof *g->report * g->report_count);
    release(&allocator, g->text, g->text_length);
    release(&allocator, g, sizeof *g);
}

size_t grammar_bytes(const weir_grammar *g) {
    return sizeof *g + g->bytes + sizeof *g->report * g->report_count + g->text_length;
}

const weir_vocab *weir_grammar_vocab(const weir_grammar *g) { return g != NULL ? g->vocab : NULL; }

bool weir_grammar_satisfiable(const weir_grammar *g) { return g != NULL && g->tables->start != STATE_DEAD; }

uint32_t weir_grammar_least_tokens(const weir_grammar *g) { return g != NULL ? g->tables->least_tokens : UINT32_MAX; }

uint32_t weir_grammar_keyword_count(const weir_grammar *g, weir_keyword_fate fate) {
    uint32_t count = 0;
    for (uint32_t i = 0; g != NULL && i < g->report_count; i++) count += g->report[i].fate == fate;
    return count;
}

uint32_t weir_grammar_report_count(const weir_grammar *g) { return g != NULL ? g->report_count : 0; }

const weir_keyword_report *weir_grammar_report(const weir_grammar *g, uint32_t index) {
    return g != NULL && index < g->report_count ? &g->report[index] : NULL;
}

void weir_grammar_statistics(const weir_grammar *g, weir_grammar_stats *stats) {
    if (stats == NULL) return;
    memset(stats, 0, sizeof *stats);
    if (g == NULL) return;
    const tables *t = g->tables;
    stats->state_count = t->counts[SECTION_STATES];
    stats->edge_count = t->counts[SECTION_EDGES];
    stats->return_symbol_count = t->counts[SECTION_RETURNS];
    stats->module_count = t->module_count;
    stats->row_count = t->counts[SECTION_ROWS];
    for (uint32_t i = 0; i < stats->state_count; i++) {
        const row *r = &g->machine.rows[g->machine.states[i].row];
        stats->state_rows[r->kind]++;
        stats->forced_state_count += r->token != TABLES_NONE;
    }
    stats->guarded_max = t->guarded_max;
    stats->guarded_sum = t->guarded_sum;
    stats->frame_words = t->frame_words;
    stats->blob_bytes = t->bytes;
    stats->sequence_words = (uint32_t)machine_sequence_words(t);
    stats->walk_words = (uint32_t)(t->kept_slots ? machine_walk_words(t) : machine_frames_words(t));
    stats->compile_work = t->work;
}

const void *weir_grammar_tables(const weir_grammar *g, size_t *length) {
    if (length != NULL) *length = g != NULL ? g->bytes : 0;
    return g != NULL ? g->tables : NULL;
}

weir_status weir_grammar_load(const weir_vocab *vocab, const void *blob, size_t length, const weir_allocator *allocator,
                              weir_grammar **out, weir_error *error) {
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (vocab == NULL || blob == NULL) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", vocab == NULL ? "vocab" : "tables");
    }
    weir_allocator chosen = allocator_or_default(allocator);
    weir_grammar *g = allocate(&chosen, sizeof *g);
    tables *copy = length != 0 ? allocate(&chosen, length) : NULL;
    if (g == NULL || (copy == NULL && length != 0)) {
        release(&chosen, g, sizeof *g);
        release(&chosen, copy, length);
        return fail(error, WEIR_ERROR_MEMORY, "out of memory for %zu bytes of tables", length);
    }
    if (length != 0) memcpy(copy, blob, length); /* checked as a copy: aligned, and nobody else can change it */
    memset(g, 0, sizeof *g);
    g->allocator = chosen;
    g->vocab = vocab;
    vocab_retain(vocab);
    g->tables = copy;
    g->bytes = length;
    weir_status status = tables_check(copy, length, vocab, &chosen, error);
    if (status != WEIR_OK) {
        weir_grammar_destroy(g);
        return status;
    }
    g->machine = machine_open(copy);
    *out = g;
    return WEIR_OK;
}
