/* readme.c - the README's example: one JSON document, token by token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir.h>

static int fail(const weir_error *error)
{
    fprintf(stderr, "%s: %s\n", weir_status_name(error->status), error->message);
    return 1;
}

int main(void)
{
    const char *schema = "{\"type\": \"array\", \"items\": {\"enum\": [\"red\", \"green\", null]}, \"minItems\": 2, \"maxItems\": 4}";
    weir_vocab *vocab = NULL;
    weir_grammar *grammar = NULL;
    weir_sampler *sampler = NULL;
    weir_error error;
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    options.whitespace = WEIR_WHITESPACE_SPACED;
    if (weir_vocab_default(NULL, &vocab, &error)) return fail(&error);
    if (weir_grammar_from_json_schema(vocab, schema, strlen(schema), &options, &grammar, &error)) return fail(&error);

    uint32_t width = weir_vocab_logits_width(vocab), length, status;
    weir_sampler_options batch = {.size = sizeof batch, .slot_count = 1, .logits_width = width};
    weir_slot_options sequence = {.size = sizeof sequence, .grammar = grammar, .token_budget = 32, .seed = 7};
    if (weir_sampler_create(&batch, &sampler, &error)) return fail(&error);
    if (weir_sampler_bind(sampler, 0, &sequence, &error)) return fail(&error);

    float *logits = calloc(width, sizeof *logits); /* a model fills these before every step */
    int32_t slot = 0, token;
    weir_step step = {.size = sizeof step, .row_count = 1, .slots = &slot, .logits = logits, .logits_stride = width,
                      .tokens = &token, .statuses = &status};
    while (!weir_sampler_step(sampler, &step, &error) && status == WEIR_ROW_STATUS_OK) {
        const uint8_t *bytes = weir_vocab_token(vocab, (uint32_t)token, &length);
        fwrite(bytes, 1, length, stdout);
    }
    puts(""); /* the stop token was taken: the document is complete, inside 32 tokens */
    free(logits);
    weir_sampler_destroy(sampler);
    weir_grammar_destroy(grammar);
    weir_vocab_destroy(vocab);
    return 0;
}
