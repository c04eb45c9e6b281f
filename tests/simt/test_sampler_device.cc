/* test_sampler_device.cc - what only a device sampler has: graphs, streams, a pool of grammars, calls that are counted. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "host/vocab_tables.h"
#include "kernels/backend.h"
#include "kernels/device.cuh"
#include "kernels/device_pool.h"

static const char *const schemas[] = {
    "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2}",
    "{\"enum\":[true,false,null,\"text\"]}",
    "{\"type\":\"string\",\"maxLength\":9}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"number\"}},\"additionalProperties\":{\"type\":\"null\"}}",
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"age\":{\"type\":\"integer\"}},\"required\":[\"name\"]}",
    "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"enum\":[1,2,3]}}]}",
    "true",
    "{\"type\":\"string\",\"pattern\":\"^[a-f]{2,9}$\"}",
};
enum { SCHEMAS = sizeof schemas / sizeof *schemas, SLOTS = 8 };

/* A vocabulary, a grammar of each schema, a device sampler and one of the CPU. */
struct bench {
    weir_vocab *vocab;
    weir_grammar *grammars[SCHEMAS];
    uint32_t width;
    void *memory;
    weir_sampler *device, *cpu;
};

static weir_grammar *compile(const weir_vocab *vocab, const char *schema) {
    weir_grammar *grammar;
    weir_error error;
    ASSERT_OK(weir_grammar_from_json_schema(vocab, schema, strlen(schema), nullptr, &grammar, &error), &error);
    return grammar;
}

static void open_bench(bench *b, size_t pool_bytes, uint32_t grammar_count) {
    weir_error error;
    simt_reset();
    ASSERT_OK(weir_vocab_default(nullptr, &b->vocab, &error), &error);
    for (int i = 0; i < SCHEMAS; i++) b->grammars[i] = compile(b->vocab, schemas[i]);
    b->width = weir_vocab_logits_width(b->vocab);
    weir_device_options device = WEIR_DEVICE_OPTIONS_INIT;
    weir_sampler_options options = WEIR_SAMPLER_OPTIONS_INIT;
    options.slot_count = SLOTS;
    options.logits_width = b->width;
    ASSERT_OK(sampler_create_on(&backend_cpu, &options, &b->cpu, &error), &error);
    options.device = &device;
    device.pool_bytes = pool_bytes;
    device.grammar_count = grammar_count;
    ASSERT_OK(weir_sampler_device_bytes(&options, &device.bytes, &error), &error);
    ASSERT_EQ(device_allocate(&b->memory, device.bytes), 0);
    device.memory = b->memory;
    ASSERT_OK(sampler_create_on(&backend_simt, &options, &b->device, &error), &error);
}

static void close_bench(bench *b) {
    EXPECT_EQ(simt_wait_all(), 0);
    weir_sampler_destroy(b->device);
    weir_sampler_destroy(b->cpu);
    for (int i = 0; i < SCHEMAS; i++) weir_grammar_destroy(b->grammars[i]);
    weir_vocab_destroy(b->vocab);
    EXPECT_EQ(device_free(b->memory), 0);
}

static void bind_both(bench *b, uint32_t slot, const weir_grammar *grammar, uint64_t seed) {
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    weir_error error;
    options.grammar = grammar;
    options.seed = seed;
    EXPECT_OK(weir_sampler_bind(b->cpu, slot, &options, &error), &error);
    EXPECT_OK(weir_sampler_bind(b->device, slot, &options, &error), &error);
}

/* Arrays of a step in device memory, all in one block. */
struct batch {
    weir_step step;
    void *block;
    int32_t *slots, *tokens;
    float *logits, *logprobs;
    uint32_t *statuses;
    uint32_t width;
};

static void open_batch(batch *s, uint32_t width) {
    size_t logits = sizeof(float) * SLOTS * width;
    weir_step step = WEIR_STEP_INIT;
    s->step = step;
    s->width = width;
    ASSERT_EQ(device_allocate(&s->block, logits + 64 * SLOTS), 0);
    char *at = static_cast<char *>(s->block);
    s->logits = reinterpret_cast<float *>(at);
    s->slots = reinterpret_cast<int32_t *>(at + logits);
    s->tokens = s->slots + SLOTS;
    s->logprobs = reinterpret_cast<float *>(s->tokens + SLOTS);
    s->statuses = reinterpret_cast<uint32_t *>(s->logprobs + SLOTS);
    s->step.row_count = SLOTS;
    s->step.slots = s->slots;
    s->step.logits = s->logits;
    s->step.logits_stride = width;
    s->step.tokens = s->tokens;
    s->step.logprobs = s->logprobs;
    s->step.statuses = s->statuses;
}

/* The same step on the CPU, and its results against the device's, which are read back. */
static void compare(bench *b, batch *s, const int32_t *slots, const float *logits, device_stream stream) {
    int32_t tokens[SLOTS], found_tokens[SLOTS];
    float logprobs[SLOTS], found_logprobs[SLOTS];
    uint32_t statuses[SLOTS], found_statuses[SLOTS];
    weir_step step = s->step;
    step.slots = slots, step.logits = logits, step.tokens = tokens, step.logprobs = logprobs, step.statuses = statuses;
    EXPECT_OK(weir_sampler_step(b->cpu, &step, nullptr), nullptr);
    EXPECT_EQ(device_copy_out(found_tokens, s->tokens, sizeof tokens, stream), 0);
    EXPECT_EQ(device_copy_out(found_logprobs, s->logprobs, sizeof logprobs, stream), 0);
    EXPECT_EQ(device_copy_out(found_statuses, s->statuses, sizeof statuses, stream), 0);
    EXPECT_EQ(device_wait(stream), 0);
    EXPECT_BYTES_EQ(found_tokens, sizeof tokens, tokens, sizeof tokens);
    EXPECT_BYTES_EQ(found_logprobs, sizeof logprobs, logprobs, sizeof logprobs);
    EXPECT_BYTES_EQ(found_statuses, sizeof statuses, statuses, sizeof statuses);
}

static uint64_t state;
static uint32_t below(uint32_t limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>((state >> 33) % limit);
}

static void fill(float *logits, size_t count) {
    for (size_t i = 0; i < count; i++) logits[i] = static_cast<float>(below(20000)) / 1000.0f - 10.0f;
}

/* Logits and slots of a step on their way to the device: the host's arrays stay until the stream was waited for. */
static void send(batch *s, const int32_t *slots, const float *logits, device_stream stream) {
    EXPECT_EQ(device_copy_in(s->slots, slots, sizeof(int32_t) * SLOTS, stream), 0);
    EXPECT_EQ(device_copy_in(s->logits, logits, sizeof(float) * SLOTS * s->width, stream), 0);
}

TEST(device, a_step_is_one_launch_and_neither_allocates_nor_copies_nor_waits) {
    bench b = {};
    batch s = {};
    open_bench(&b, 8 << 20, 16);
    open_batch(&s, b.width);
    int32_t slots[SLOTS];
    float *logits = static_cast<float *>(malloc(sizeof(float) * SLOTS * b.width));
    fill(logits, static_cast<size_t>(SLOTS) * b.width);
    for (uint32_t i = 0; i < SLOTS; i++) bind_both(&b, i, b.grammars[i % SCHEMAS], i), slots[i] = static_cast<int32_t>(i);
    send(&s, slots, logits, nullptr);
    simt_counts before = simt_counted();
    EXPECT_OK(weir_sampler_step(b.device, &s.step, nullptr), nullptr);
    simt_counts after = simt_counted();
    EXPECT_EQ(after.launches - before.launches, 1);
    after.launches = before.launches;
    EXPECT_BYTES_EQ(&after, sizeof after, &before, sizeof before);
    compare(&b, &s, slots, logits, nullptr);
    free(logits);
    device_free(s.block);
    close_bench(&b);
}

TEST(device, a_captured_step_replays_while_slots_and_grammars_come_and_go) {
    bench b = {};
    batch s = {};
    simt_graph *graph;
    device_stream stream;
    open_bench(&b, 8 << 20, 16);
    open_batch(&s, b.width);
    ASSERT_EQ(simt_stream_create(&stream), 0);
    EXPECT_OK(weir_sampler_set_stream(b.device, stream, nullptr), nullptr);
    int32_t slots[SLOTS];
    float *logits = static_cast<float *>(malloc(sizeof(float) * SLOTS * b.width));
    bind_both(&b, 0, b.grammars[0], 1); /* the others come later, with grammars that are not there yet */
    bool bound[SLOTS] = {true};
    ASSERT_EQ(simt_capture_begin(stream), 0);
    EXPECT_OK(weir_sampler_step(b.device, &s.step, nullptr), nullptr);
    ASSERT_EQ(simt_capture_end(stream, &graph), 0);
    state = 5;
    for (int round = 0; round < 40 && !test_has_failed(); round++) {
        uint32_t slot = below(SLOTS);
        if (bound[slot] && below(2) == 0) {
            EXPECT_OK(weir_sampler_release(b.cpu, slot, nullptr), nullptr);
            EXPECT_OK(weir_sampler_release(b.device, slot, nullptr), nullptr);
            bound[slot] = false;
        } else {
            bind_both(&b, slot, b.grammars[below(SCHEMAS)], below(1000));
            bound[slot] = true;
        }
        for (uint32_t i = 0; i < SLOTS; i++) slots[i] = bound[i] && below(6) ? static_cast<int32_t>(i) : -1;
        fill(logits, static_cast<size_t>(SLOTS) * b.width);
        send(&s, slots, logits, stream);
        EXPECT_EQ(simt_graph_launch(graph, stream), 0);
        compare(&b, &s, slots, logits, stream);
    }
    simt_graph_destroy(graph);
    free(logits);
    device_free(s.block);
    close_bench(&b);
    simt_stream_destroy(stream);
}

TEST(device, a_grammar_uploaded_in_another_stream_is_there_when_a_slot_is_bound_to_it) {
    for (uint64_t seed = 0; seed < 6; seed++) {
        bench b = {};
        batch s = {};
        device_stream side;
        open_bench(&b, 8 << 20, 16);
        simt_set_seed(seed);
        open_batch(&s, b.width);
        ASSERT_EQ(simt_stream_create(&side), 0);
        int32_t slots[SLOTS];
        float *logits = static_cast<float *>(malloc(sizeof(float) * SLOTS * b.width));
        state = seed;
        fill(logits, static_cast<size_t>(SLOTS) * b.width);
        for (uint32_t i = 0; i < SLOTS; i++) {
            EXPECT_OK(weir_sampler_upload(b.device, b.grammars[i % SCHEMAS], side, nullptr), nullptr);
            bind_both(&b, i, b.grammars[i % SCHEMAS], i);
            slots[i] = static_cast<int32_t>(i);
        }
        send(&s, slots, logits, nullptr);
        EXPECT_OK(weir_sampler_step(b.device, &s.step, nullptr), nullptr);
        compare(&b, &s, slots, logits, nullptr);
        free(logits);
        device_free(s.block);
        close_bench(&b);
        simt_stream_destroy(side);
    }
}

/* Grammars that say the same under many handles, of a few sizes: what is loaded is what comes and goes. */
TEST(device, a_hundred_thousand_grammars_come_and_go_in_a_pool_that_holds_a_few) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    enum { CHURN = 2000, LOOK_EVERY = 100 };
#else
    enum { CHURN = 100000, LOOK_EVERY = 2500 };
#endif
    bench b = {};
    batch s = {};
    size_t sizes[SCHEMAS], largest = 0;
    const void *blobs[SCHEMAS];
    weir_vocab *vocab;
    ASSERT_OK(weir_vocab_default(nullptr, &vocab, nullptr), nullptr);
    for (int i = 0; i < SCHEMAS; i++) {
        weir_grammar *grammar = compile(vocab, schemas[i]);
        (void)weir_grammar_tables(grammar, &sizes[i]);
        if (sizes[i] > largest) largest = sizes[i];
        weir_grammar_destroy(grammar);
    }
    /* room for the vocabulary, and for one grammar more than there are slots */
    open_bench(&b, pool_rounded(vocab_tables_bytes(vocab)) + (SLOTS + 1) * pool_rounded(largest), 32);
    weir_vocab_destroy(vocab);
    for (int i = 0; i < SCHEMAS; i++) blobs[i] = weir_grammar_tables(b.grammars[i], &sizes[i]);
    open_batch(&s, b.width);
    int32_t slots[SLOTS];
    float *logits = static_cast<float *>(malloc(sizeof(float) * SLOTS * b.width));
    weir_error error;
    weir_grammar *held[SLOTS] = {};
    state = 77;
    for (int i = 0; i < CHURN && !test_has_failed(); i++) {
        uint32_t slot = below(SLOTS), which = below(SCHEMAS);
        weir_grammar *grammar;
        ASSERT_OK(weir_grammar_load(b.vocab, blobs[which], sizes[which], nullptr, &grammar, &error), &error);
        bind_both(&b, slot, grammar, below(1000));
        weir_grammar_destroy(held[slot]);
        held[slot] = grammar;
        if (i % LOOK_EVERY != 0) {
            if (i % 50 == 0) EXPECT_EQ(device_wait(nullptr), 0);
            continue;
        }
        for (uint32_t k = 0; k < SLOTS; k++) slots[k] = held[k] != nullptr ? static_cast<int32_t>(k) : -1;
        fill(logits, static_cast<size_t>(SLOTS) * b.width);
        send(&s, slots, logits, nullptr);
        EXPECT_OK(weir_sampler_step(b.device, &s.step, nullptr), nullptr);
        compare(&b, &s, slots, logits, nullptr);
    }
    EXPECT_EQ(device_wait(nullptr), 0);
    EXPECT_GT(simt_counted().launches, 3 * CHURN); /* binding and the like, and grammars that were moved together */
    for (uint32_t k = 0; k < SLOTS; k++) {
        if (held[k] == nullptr) continue;
        EXPECT_OK(weir_sampler_release(b.cpu, k, nullptr), nullptr);
        EXPECT_OK(weir_sampler_release(b.device, k, nullptr), nullptr);
        weir_grammar_destroy(held[k]);
    }
    free(logits);
    device_free(s.block);
    close_bench(&b);
}

/* Every call of the runtime fails once: an error that says so, and a slot that can be bound again. */
TEST(device, a_call_of_the_runtime_that_fails_is_an_error_and_the_slot_can_be_bound_again) {
    bench b = {};
    open_bench(&b, 8 << 20, 16);
    weir_slot_options options = WEIR_SLOT_OPTIONS_INIT;
    int failures = 0;
    for (uint64_t call = 1;; call++) {
        weir_error error;
        options.grammar = b.grammars[call % SCHEMAS];
        options.seed = call;
        simt_fail_at(call);
        weir_status status = weir_sampler_bind(b.device, 0, &options, &error);
        simt_fail_at(0);
        EXPECT_EQ(device_wait(nullptr), 0);
        if (status == WEIR_OK) {
            if (call > 40) break;
            continue;
        }
        failures++;
        EXPECT_EQ(status, WEIR_ERROR_DEVICE);
        EXPECT_OK(weir_sampler_bind(b.device, 0, &options, &error), &error);
    }
    EXPECT_GT(failures, 5);
    close_bench(&b);
}
