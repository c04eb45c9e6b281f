/* suite_walk.c - a schema and a text in, the verdict of the masks out, and what each step took.
 *
 * A text is cut into tokens twice, greedily and at random. Each token must be in the mask and be accepted; at the end a
 * stop token must be. Mask, accept and is_accepting must agree, and so must the two cuts: where they do not, the
 * library contradicts itself, which no verdict excuses. */
#include "suite.h"

bool suite_tools_create(weir_vocab *vocab, suite_tools *tools) {
    *tools = (suite_tools){.vocab = vocab, .words = weir_vocab_mask_words(vocab)};
    tools->mask = calloc(tools->words > 0 ? tools->words : 1, sizeof *tools->mask);
    return token_index_create(vocab, &tools->index) && tools->mask != NULL;
}

void suite_tools_free(suite_tools *tools) {
    token_index_free(&tools->index);
    free(tools->mask);
    weir_vocab_destroy(tools->vocab);
}

/* --- a schema, compiled ---------------------------------------------------------------------------------------------
 */

void suite_machine_create(const suite_tools *tools, const char *schema, size_t length,
                          const weir_grammar_options *options, suite_series *series, suite_machine *out) {
    weir_error error = {.byte = -1};
    *out = (suite_machine){.state = SUITE_PASSING};
    double begin = bench_now_us();
    weir_status status = weir_grammar_from_json_schema(tools->vocab, schema, length, options, &out->grammar, &error);
    double elapsed = bench_now_us() - begin;
    if (series) suite_times_add(status == WEIR_OK ? &series->compile : &series->refuse, elapsed);
    if (status != WEIR_OK) {
        out->state = SUITE_REFUSED;
        describe_error(&error, out->message, sizeof out->message);
        return;
    }
    out->recorded = weir_grammar_keyword_count(out->grammar, WEIR_KEYWORD_RECORDED) > 0;
    if (!weir_grammar_satisfiable(out->grammar)) return;
    if (weir_matcher_create(out->grammar, NULL, &out->matcher, &error) == WEIR_OK) return;
    out->state = SUITE_CRASHED;
    snprintf(out->message, sizeof out->message, "no matcher for a grammar that can be satisfied: %s", error.message);
}

void suite_machine_free(suite_machine *machine) {
    weir_matcher_destroy(machine->matcher);
    weir_grammar_destroy(machine->grammar);
    *machine = (suite_machine){0};
}

/* --- the walk of one cut --------------------------------------------------------------------------------------------
 */

static bool is_allowed(const suite_tools *tools, uint32_t token) {
    return token / 32 < tools->words && (tools->mask[token / 32] >> token % 32 & 1) != 0;
}

/* A stop token of the mask, or TOKEN_NONE. */
static uint32_t allowed_stop(const suite_tools *tools) {
    uint32_t count;
    const uint32_t *stops = weir_vocab_stop_ids(tools->vocab, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (is_allowed(tools, stops[i])) return stops[i];
    }
    return TOKEN_NONE;
}

static void broken(suite_finding *out, uint64_t byte, const char *message) {
    *out = (suite_finding){.verdict = SUITE_BROKEN, .byte = byte};
    snprintf(out->message, sizeof out->message, "byte %" PRIu64 ": %s", byte, message);
}

/* Fills the mask where the text has come to `byte`; false when it contradicts the matcher. */
static bool fill_mask(const suite_tools *tools, weir_matcher *matcher, suite_series *series, uint64_t byte,
                      suite_finding *out) {
    double begin = bench_now_us();
    weir_status status = weir_matcher_fill_mask(matcher, tools->mask, tools->words, NULL);
    double elapsed = bench_now_us() - begin;
    if (series) suite_times_add(&series->mask, elapsed);
    bool complete = status == WEIR_OK && allowed_stop(tools) != TOKEN_NONE;
    if (status != WEIR_OK)
        broken(out, byte, weir_status_name(status));
    else if (complete && !weir_matcher_is_accepting(matcher))
        broken(out, byte, "a stop token where nothing is accepted");
    else if (!complete && weir_matcher_is_accepting(matcher))
        broken(out, byte, "accepting without a stop token");
    else
        return true;
    return false;
}

/* Accepts a token, and finds out whether that agrees with the mask; false when it does not, or the token is refused. */
static bool take(const suite_tools *tools, weir_matcher *matcher, uint32_t token, suite_series *series, uint64_t byte,
                 suite_finding *out) {
    bool allowed = is_allowed(tools, token);
    double begin = bench_now_us();
    weir_status status = weir_matcher_accept(matcher, token, NULL);
    double elapsed = bench_now_us() - begin;
    *out = (suite_finding){.verdict = SUITE_REJECTS, .byte = byte};
    if (allowed && series) suite_times_add(&series->accept, elapsed);
    if (allowed && status != WEIR_OK)
        broken(out, byte, "a token of the mask is not accepted");
    else if (!allowed && status == WEIR_OK)
        broken(out, byte, "a token outside the mask is accepted");
    else if (!allowed && status != WEIR_ERROR_TOKEN)
        broken(out, byte, weir_status_name(status));
    return allowed && status == WEIR_OK;
}

/* *whole is false where the vocabulary has no token to go on with: such a cut says nothing. */
static void walk(const suite_tools *tools, weir_matcher *matcher, const suite_text *text, token_cut cut,
                 uint64_t random, suite_series *series, bool *whole, suite_finding *out) {
    const uint8_t *bytes = (const uint8_t *)text->bytes;
    *whole = true;
    weir_matcher_reset(matcher);
    for (size_t at = 0; at < text->length;) {
        uint32_t token = token_next(&tools->index, cut, &random, bytes + at, text->length - at), written;
        if (token == TOKEN_NONE) {
            *out = (suite_finding){.verdict = SUITE_REJECTS, .byte = at};
            *whole = false;
            return;
        }
        if (!fill_mask(tools, matcher, series, at, out) || !take(tools, matcher, token, series, at, out)) return;
        weir_vocab_token(tools->vocab, token, &written);
        at += written;
    }
    if (!fill_mask(tools, matcher, series, text->length, out)) return;
    uint32_t stop = allowed_stop(tools);
    *out = (suite_finding){.verdict = stop == TOKEN_NONE ? SUITE_REJECTS : SUITE_ACCEPTS, .byte = text->length};
    if (stop == TOKEN_NONE) return;
    if (weir_matcher_accept(matcher, stop, NULL) != WEIR_OK || !weir_matcher_is_stopped(matcher)) {
        broken(out, text->length, "a stop token of the mask is not accepted");
    }
}

void suite_judge(const suite_tools *tools, const suite_machine *machine, const suite_text *text, uint64_t seed,
                 suite_series *series, suite_finding *out) {
    suite_finding other;
    bool whole, other_whole;
    *out = (suite_finding){.verdict = SUITE_REJECTS};
    if (machine->matcher == NULL) return;
    walk(tools, machine->matcher, text, TOKEN_CUT_GREEDY, 0, series, &whole, out);
    if (out->verdict == SUITE_BROKEN) return;
    walk(tools, machine->matcher, text, TOKEN_CUT_RANDOM, seed, series, &other_whole, &other);
    if (other.verdict == SUITE_BROKEN || !whole) {
        *out = other;
    } else if (other_whole && other.verdict != out->verdict) {
        char message[100];
        snprintf(message, sizeof message, "the greedy cut %s the text and the random cut %s it (byte %" PRIu64 ")",
                 out->verdict == SUITE_ACCEPTS ? "accepts" : "rejects",
                 other.verdict == SUITE_ACCEPTS ? "accepts" : "rejects", other.byte);
        broken(out, out->byte, message);
    }
}

/* --- one instance ---------------------------------------------------------------------------------------------------
 */

/* Whether a valid instance that was rejected passes with its keys in another order. */
static suite_verdict judge_again(const suite_tools *tools, const suite_machine *machine, const suite_text *text,
                                 uint64_t seed, suite_finding *out) {
    suite_text ordered = {0};
    suite_finding finding = {.verdict = SUITE_REJECTS};
    if (suite_put_in_order(tools, machine, text, &ordered)) {
        suite_judge(tools, machine, &ordered, seed, NULL, &finding);
    }
    if (finding.verdict == SUITE_BROKEN) *out = finding;
    free(ordered.bytes);
    return finding.verdict;
}

suite_class suite_classify(const suite_tools *tools, const suite_machine *machine, bool ordered,
                           const suite_text *text, bool valid, uint64_t seed, suite_series *series, bool *other_order,
                           suite_finding *finding) {
    *other_order = false;
    suite_judge(tools, machine, text, seed, series, finding);
    if (finding->verdict == SUITE_BROKEN) return SUITE_CRASHED;
    if (finding->verdict == SUITE_ACCEPTS && !valid)
        return machine->recorded ? SUITE_INVALID_RECORDED : SUITE_INVALID_SILENT;
    if (finding->verdict == SUITE_ACCEPTS || !valid) return SUITE_PASSING;
    if (!ordered) return SUITE_VALID_REJECTED;
    suite_verdict again = judge_again(tools, machine, text, seed, finding);
    *other_order = again == SUITE_ACCEPTS;
    return again == SUITE_ACCEPTS ? SUITE_PASSING : again == SUITE_BROKEN ? SUITE_CRASHED : SUITE_VALID_REJECTED;
}
