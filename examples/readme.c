/* readme.c - the README's example: one JSON document, token by token. A model would put its logits where the zeros are. */
#include <stdio.h>
#include <string.h>

#include "weir.h"

int main(void)
{
    const char *schema = "{\"type\": \"array\", \"items\": {\"enum\": [\"red\", \"green\", 42, null]}, \"minItems\": 2, \"maxItems\": 4}";
    static float logits[1 << 17]; /* [rows, logits width] of the embedded vocabulary, a few thousand columns */
    weir_vocab *vocab = NULL;
    weir_grammar *grammar = NULL;
    weir_sampler *sampler = NULL;
    weir_sampler_options batch = WEIR_SAMPLER_OPTIONS_INIT;
    weir_slot_options sequence = WEIR_SLOT_OPTIONS_INIT;
    weir_step step = WEIR_STEP_INIT;
    int32_t slot = 0, token = -1;
    uint32_t status = WEIR_ROW_STATUS_OK, length;
    weir_error error;

    if (weir_vocab_default(NULL, &vocab, &error)) goto failed;
    if (weir_grammar_from_json_schema(vocab, schema, strlen(schema), NULL, &grammar, &error)) goto failed;
    batch.slot_count = 1, batch.logits_width = weir_vocab_logits_width(vocab);
    if (weir_sampler_create(&batch, &sampler, &error)) goto failed;
    sequence.grammar = grammar, sequence.token_budget = 32, sequence.seed = 7;
    if (weir_sampler_bind(sampler, 0, &sequence, &error)) goto failed;

    step.row_count = 1, step.slots = &slot, step.logits = logits, step.logits_stride = batch.logits_width;
    step.tokens = &token, step.statuses = &status;
    for (;;) {
        if (weir_sampler_step(sampler, &step, &error)) goto failed;
        if (status != WEIR_ROW_STATUS_OK) break; /* the stop token: the document is complete */
        const uint8_t *bytes = weir_vocab_token(vocab, (uint32_t)token, &length);
        fwrite(bytes, 1, length, stdout);
    }
    puts("");
    weir_sampler_destroy(sampler), weir_grammar_destroy(grammar), weir_vocab_destroy(vocab);
    return 0;

failed:
    fprintf(stderr, "%s: %s\n", weir_status_name(error.status), error.message);
    weir_sampler_destroy(sampler), weir_grammar_destroy(grammar), weir_vocab_destroy(vocab);
    return 1;
}
