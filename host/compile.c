/* compile.c - the main path: a schema's text becomes tables. Start reading here. */
#include <string.h>

#include "grammar_object.h"
#include "options.h"
#include "tables_io.h"
#include "unwritable.h"

#define DEFAULT_STATES 4000000u
#define DEFAULT_MEMORY ((size_t)512 << 20)
#define DEFAULT_WORK 850000000u /* about a second */

/* text -> schemas -> goals -> machine -> costs -> rows -> tables */
static void compile_schema(compiler *c, const char *text, size_t length, const weir_allocator *allocator, tables **out,
                           size_t *size) {
    weir_status status = json_parse(text, length, NULL, &c->arena, &c->root, c->error);
    if (status != WEIR_OK) {
        c->status = status;
        longjmp(c->exit, 1);
    }
    compiler_spend(c, 20 * (uint64_t)length);
    c->formulas = formula_set_new(c);
    schema_set_new(c, c->root);
    goals_analyse(c);
    automaton_build(c);
    automaton_costs(c);
    refuse_unwritable(c);
    tables_write(c, masks_build(c), allocator, out, size);
    if (!automaton_verify(c, *out)) return;
    release(allocator, *out, *size);
    *out = NULL;
    automaton_costs(c);
    tables_write(c, masks_build(c), allocator, out, size);
}

weir_status grammar_options_check(const weir_grammar_options *given, weir_grammar_options *options, weir_error *error) {
    const weir_grammar_options defaults = WEIR_GRAMMAR_OPTIONS_INIT;
    *options = defaults;
    TRY(READ_OPTIONS(weir_grammar_options, size, given, options, error));
    if ((unsigned)options->whitespace > WEIR_WHITESPACE_PRETTY) {
        return fail(error, WEIR_ERROR_ARGUMENT, "options.whitespace is %d, not one of weir_whitespace", (int)options->whitespace);
    }
    if ((unsigned)options->order > WEIR_ORDER_ANY || (unsigned)options->objects > WEIR_OBJECTS_CLOSED) {
        return fail(error, WEIR_ERROR_ARGUMENT, "options.order or options.objects is out of range");
    }
    if (options->indent > 16) return fail(error, WEIR_ERROR_ARGUMENT, "options.indent is %u, more than 16", options->indent);
    if (options->whitespace_run < 1 || options->whitespace_run > 1024) {
        return fail(error, WEIR_ERROR_ARGUMENT, "options.whitespace_run is %u, not 1..1024", options->whitespace_run);
    }
    if (options->depth_limit < 1 || options->depth_limit > 1024) {
        return fail(error, WEIR_ERROR_ARGUMENT, "options.depth_limit is %u, not 1..1024", options->depth_limit);
    }
    if (options->state_limit == 0) options->state_limit = DEFAULT_STATES;
    if (options->memory_limit == 0) options->memory_limit = DEFAULT_MEMORY;
    if (options->work_limit == 0) options->work_limit = DEFAULT_WORK;
    return WEIR_OK;
}

/* The report's strings live in the compile's arena; the grammar gets its own copies. */
static weir_status copy_report(const compiler *c, weir_grammar *g) {
    const schema_set *set = c->schemas;
    for (uint32_t i = 0; i < set->report.count; i++) {
        const weir_keyword_report *r = &set->report.items[i];
        g->text_length += strlen(r->pointer) + strlen(r->keyword) + strlen(r->why) + 3;
    }
    g->report_count = set->report.count;
    if (g->report_count == 0) return WEIR_OK;
    g->report = allocate(&g->allocator, sizeof *g->report * g->report_count);
    g->text = allocate(&g->allocator, g->text_length);
    if (g->report == NULL || g->text == NULL) return WEIR_ERROR_MEMORY;
    char *at = g->text;
    for (uint32_t i = 0; i < g->report_count; i++) {
        const weir_keyword_report *r = &set->report.items[i];
        g->report[i].fate = r->fate;
        const char *from[3] = {r->pointer, r->keyword, r->why};
        const char **to[3] = {&g->report[i].pointer, &g->report[i].keyword, &g->report[i].why};
        for (int k = 0; k < 3; k++) {
            size_t size = strlen(from[k]) + 1;
            *to[k] = memcpy(at, from[k], size);
            at += size;
        }
    }
    return WEIR_OK;
}

weir_status weir_grammar_from_json_schema(const weir_vocab *vocab, const char *schema_text, size_t length,
                                          const weir_grammar_options *options, weir_grammar **out, weir_error *error) {
    if (out == NULL) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (vocab == NULL || schema_text == NULL) {
        return fail(error, WEIR_ERROR_ARGUMENT, "%s is NULL", vocab == NULL ? "vocab" : "schema");
    }
    compiler *c = NULL;
    weir_grammar_options checked;
    TRY(grammar_options_check(options, &checked, error));
    weir_allocator allocator = allocator_or_default(checked.allocator);
    weir_grammar *g = allocate(&allocator, sizeof *g);
    c = allocate(&allocator, sizeof *c);
    if (g == NULL || c == NULL) {
        release(&allocator, g, sizeof *g);
        release(&allocator, c, sizeof *c);
        return fail(error, WEIR_ERROR_MEMORY, "out of memory for a grammar");
    }
    memset(g, 0, sizeof *g);
    memset(c, 0, sizeof *c);
    g->allocator = allocator;
    g->vocab = vocab;
    vocab_retain(vocab);
    c->vocab = vocab;
    c->options = checked;
    c->error = error;
    arena_init(&c->arena, &allocator, checked.memory_limit);
    if (setjmp(c->exit) == 0) {
        compile_schema(c, schema_text, length, &allocator, &g->tables, &g->bytes);
        c->status = copy_report(c, g);
        if (c->status != WEIR_OK) fail(error, c->status, "out of memory for the report");
    }
    weir_status status = c->status;
    arena_free(&c->arena);
    release(&allocator, c, sizeof *c);
    if (status != WEIR_OK) {
        weir_grammar_destroy(g);
        return status;
    }
    g->machine = machine_open(g->tables);
    *out = g;
    return WEIR_OK;
}
