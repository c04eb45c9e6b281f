/* test_hostile_tables.c - saved tables that somebody changed and gave a sound checksum: refused, or harmless in use.
 *
 * A damaged blob is found by its checksum (test_fuzz_tables.c). These are damaged where the checksum cannot see it. */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "table_schemas.h"
#include "tables_io.h"

typedef struct world {
    weir_vocab *vocab;
    uint32_t words;
    tables *blob; /* of a schema, to be changed */
    size_t length;
    uint64_t random;
    uint32_t refused, used;
} world;

static void world_open(world *w) {
    memset(w, 0, sizeof *w);
    w->vocab = hostile_vocab();
    w->words = weir_vocab_mask_words(w->vocab);
    w->random = 88172645463325252;
}

static void world_compile(world *w, const char *schema, weir_whitespace whitespace, weir_key_order order) {
    weir_grammar_options options = WEIR_GRAMMAR_OPTIONS_INIT;
    weir_grammar *grammar;
    weir_error error;
    options.whitespace = whitespace, options.order = order, options.depth_limit = 6;
    test_context("schema %s", schema);
    ASSERT_OK(weir_grammar_from_json_schema(w->vocab, schema, strlen(schema), &options, &grammar, &error), &error);
    const void *tables = weir_grammar_tables(grammar, &w->length);
    free(w->blob);
    w->blob = malloc(w->length);
    ASSERT_NOT_NULL(w->blob);
    memcpy(w->blob, tables, w->length);
    weir_grammar_destroy(grammar);
}

enum { VARIANTS = TABLE_SCHEMAS * 4 }; /* each schema under each white space, and in both orders of keys */

static void compile_variant(world *w, uint32_t variant) {
    uint32_t whitespace = variant / TABLE_SCHEMAS;
    world_compile(w, table_schemas[variant % TABLE_SCHEMAS], (weir_whitespace)whitespace,
                  (weir_key_order)((variant + whitespace) % 2));
}

static void world_close(world *w) {
    free(w->blob);
    weir_vocab_destroy(w->vocab);
    test_context(NULL);
}

static uint32_t draw(world *w, uint32_t below) {
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)((w->random >> 32) * below >> 32);
}

/* A token of the mask, from a random place on; NONE: it is empty. */
static uint32_t some_token(world *w, const uint32_t *mask) {
    uint32_t start = draw(w, w->words * 32);
    for (uint32_t i = 0; i < w->words * 32; i++) {
        uint32_t token = (start + i) % (w->words * 32);
        if (mask[token / 32] >> token % 32 & 1) return token;
    }
    return NONE;
}

/* Whatever can be asked of a matcher; the answers may be nonsense. */
static void use_matcher(world *w, weir_matcher *matcher, uint32_t steps) {
    uint32_t *mask = malloc(sizeof *mask * w->words); /* of its own, so that a sanitizer sees a write past its end */
    weir_matcher *copy = NULL;
    uint8_t bytes[16];
    size_t length;
    ASSERT_NOT_NULL(mask);
    for (uint32_t i = 0; i < steps; i++) {
        if (weir_matcher_fill_mask(matcher, mask, w->words, NULL) != WEIR_OK) break;
        uint32_t token = some_token(w, mask);
        if (token == NONE || weir_matcher_accept(matcher, token, NULL) != WEIR_OK) break;
        if (i % 8 == 3) weir_matcher_forced_bytes(matcher, bytes, sizeof bytes, &length, NULL);
        if (i % 8 == 5) weir_matcher_rollback(matcher, 1 + draw(w, 3), NULL);
        weir_matcher_least_tokens(matcher);
    }
    uint32_t any[4] = {draw(w, 300), draw(w, 300), draw(w, 300), draw(w, 300)};
    weir_matcher_validate(matcher, any, 4);
    if (weir_matcher_clone(matcher, &copy, NULL) == WEIR_OK) weir_matcher_rollback(copy, weir_matcher_token_count(copy), NULL);
    weir_matcher_destroy(copy);
    free(mask);
}

/* Seals the blob and loads it; what loads is used. True: it was refused. */
static bool try_blob(world *w) {
    weir_grammar *loaded;
    weir_matcher *matcher;
    weir_grammar_stats stats;
    weir_error error = {WEIR_OK, 0, -1, "", ""};
    if (w->blob->bytes == w->length) w->blob->checksum = tables_checksum(w->blob);
    weir_status status = weir_grammar_load(w->vocab, w->blob, w->length, NULL, &loaded, &error);
    if (status != WEIR_OK) {
        EXPECT_STATUS(status, WEIR_ERROR_TABLES, &error);
        EXPECT_NULL(loaded);
        w->refused++;
        return true;
    }
    weir_grammar_statistics(loaded, &stats);
    for (uint32_t budget = 0; budget <= 20; budget += 20) {
        weir_matcher_options options = WEIR_MATCHER_OPTIONS_INIT;
        options.token_budget = budget;
        if (weir_matcher_create(loaded, &options, &matcher, NULL) != WEIR_OK) continue;
        use_matcher(w, matcher, 24);
        weir_matcher_destroy(matcher);
    }
    weir_grammar_destroy(loaded);
    w->used++;
    return false;
}

/* --- every field ------------------------------------------------------------------------------------------------ */

/* Each 32-bit word of the blob, at most `most` of them, set to what is likeliest to do harm. */
static void change_words(world *w, uint32_t most) {
    uint32_t count = (uint32_t)(w->length / 4), stride = 1 + count / most;
    for (uint32_t i = draw(w, stride); i < count && !test_has_failed(); i += i < sizeof(tables) / 4 ? 1 : 1 + draw(w, 2 * stride)) {
        uint32_t *word = (uint32_t *)w->blob + i, before = *word;
        const uint32_t values[] = {0, 1, before + 1, before - 1, before ^ 0x80000000u, NONE, 0xFFFF, draw(w, 40), draw(w, count)};
        if (i == offsetof(tables, vocab_hash) / 4 || i == offsetof(tables, vocab_hash) / 4 + 1) continue;
        for (uint32_t k = 0; k < sizeof values / sizeof *values; k++) {
            *word = values[k];
            try_blob(w);
        }
        *word = before;
    }
}

TEST(hostile_tables, every_field_changed_with_a_sound_checksum_is_refused_or_harmless) {
    world w;
    world_open(&w);
    for (uint32_t i = 0; i < VARIANTS && !test_has_failed(); i++) {
        compile_variant(&w, i);
        change_words(&w, 100);
    }
    EXPECT_GT(w.refused, 1000); /* both happen */
    EXPECT_GT(w.used, 1000);
    world_close(&w);
}

/* Several fields at once, mostly with numbers that are in use elsewhere: what no single change reaches. */
TEST(hostile_tables, many_fields_changed_at_once_are_refused_or_harmless) {
    world w;
    world_open(&w);
    for (uint32_t round = 0; round < 6000 && !test_has_failed(); round++) {
        uint32_t i = draw(&w, VARIANTS);
        if (round % 200 == 0) compile_variant(&w, i);
        uint32_t *words = (uint32_t *)w.blob, first = (uint32_t)sizeof(tables) / 4, count = (uint32_t)(w.length / 4) - first;
        uint32_t places[8], before[8], changes = 1 + draw(&w, 8);
        for (uint32_t k = 0; k < changes; k++) {
            places[k] = first + draw(&w, count);
            before[k] = words[places[k]];
            words[places[k]] = words[first + draw(&w, count)];
        }
        try_blob(&w);
        while (changes-- > 0) words[places[changes]] = before[changes];
    }
    EXPECT_GT(w.used, 300);
    world_close(&w);
}

/* --- changes that were once not seen ------------------------------------------------------------------------- */

#define OF(type, pointer) ((type *)(uintptr_t)(pointer))

static machine compiled(world *w, uint32_t schema) {
    world_open(w);
    world_compile(w, table_schemas[schema], WEIR_WHITESPACE_ANY, WEIR_ORDER_SCHEMA);
    return machine_open(w->blob);
}

TEST(hostile_tables, a_list_entry_with_bits_above_its_token_is_refused) {
    world w;
    machine m = compiled(&w, 0);
    for (uint32_t i = 0; i < w.blob->counts[SECTION_ROWS]; i++) {
        const row *r = &m.rows[i];
        const uint32_t lists[][2] = {
            {r->plain, r->plain_count}, {r->minus, r->minus_count}, {r->guarded, r->guarded_count}, {r->closing, r->closing_count}};
        for (uint32_t k = 0; k < 4; k++) {
            if (lists[k][1] == 0) continue;
            uint32_t *entry = OF(uint32_t, m.lists) + lists[k][0];
            *entry |= PACK_PARTIAL;
            EXPECT_TRUE(try_blob(&w));
            *entry &= ~PACK_PARTIAL;
        }
    }
    EXPECT_FALSE(try_blob(&w));
    world_close(&w);
}

TEST(hostile_tables, a_required_name_beyond_the_names_is_refused) {
    world w;
    machine m = compiled(&w, 0);
    ASSERT_GT(w.blob->counts[SECTION_OBJECTS], 0);
    const object *o = &m.objects[0];
    for (uint32_t bit = o->name_count; bit < 32 * o->words; bit++) {
        uint32_t *word = OF(uint32_t, m.masks) + o->required + bit / 32;
        *word ^= 1u << bit % 32;
        EXPECT_TRUE(try_blob(&w));
        *word ^= 1u << bit % 32;
    }
    world_close(&w);
}

TEST(hostile_tables, a_number_that_ends_into_itself_is_refused) {
    world w;
    machine m = compiled(&w, 1);
    uint32_t found = 0;
    for (uint32_t i = 0; i < w.blob->counts[SECTION_STATES]; i++) {
        const state *s = &m.states[i];
        for (uint32_t k = 0; k < s->edge_count; k++) {
            const edge *e = &m.edges[s->edges + k];
            if (e->op != EDGE_ELSE) continue;
            uint32_t *target = OF(uint32_t, m.targets) + m.instances[s->instance].exits + e->target, before = *target;
            *target = i;
            EXPECT_TRUE(try_blob(&w));
            *target = before;
            found++;
        }
    }
    EXPECT_GT(found, 0);
    world_close(&w);
}

TEST(hostile_tables, a_judgement_that_leads_to_a_judgement_is_refused) {
    world w;
    machine m = compiled(&w, 2);
    uint32_t found = 0;
    for (uint32_t i = 0; i < w.blob->counts[SECTION_STATES]; i++) {
        const state *s = &m.states[i];
        for (uint32_t k = 0; (s->flags & STATE_JUDGES) != 0 && k < s->edge_count; k++) {
            edge *e = OF(edge, m.edges) + s->edges + k;
            uint32_t before = e->target;
            e->target = i;
            EXPECT_TRUE(try_blob(&w));
            e->target = before;
            found++;
        }
    }
    EXPECT_GT(found, 0);
    world_close(&w);
}

TEST(hostile_tables, a_state_of_names_inside_another_string_is_refused) {
    world w;
    machine m = compiled(&w, 0);
    uint32_t found = 0;
    for (uint32_t i = 0; i < w.blob->counts[SECTION_INSTANCES]; i++) {
        instance *in = OF(instance, m.instances) + i;
        if (in->object == TABLES_NONE) continue;
        uint32_t before = in->object;
        in->object = TABLES_NONE;
        EXPECT_TRUE(try_blob(&w));
        in->object = before;
        found++;
    }
    EXPECT_GT(found, 0);
    world_close(&w);
}

TEST(hostile_tables, a_bitmap_beyond_the_last_token_is_refused) {
    world w;
    machine m = compiled(&w, 0);
    for (uint32_t i = 0; i < w.blob->counts[SECTION_ROWS]; i++) {
        row *r = OF(row, m.rows) + i, before = *r;
        r->kind = WEIR_ROW_BITMAP;
        r->bitmap = w.blob->counts[SECTION_WORDS]; /* behind the last */
        EXPECT_TRUE(try_blob(&w));
        *r = before;
    }
    /* In the place of the lists stands a bitmap of the first 10 words there, all ones. */
    row *r = OF(row, m.rows);
    r->kind = WEIR_ROW_BITMAP;
    r->bitmap = 0;
    w.blob->offsets[SECTION_WORDS] = w.blob->offsets[SECTION_LISTS];
    w.blob->counts[SECTION_WORDS] = w.words;
    uint32_t *words = OF(uint32_t, m.lists);
    memset(words, 0xFF, sizeof *words * w.words);
    EXPECT_TRUE(try_blob(&w));
    world_close(&w);
}

TEST(hostile_tables, a_frame_that_fits_no_memory_is_refused) {
    world w;
    compiled(&w, 1);
    for (uint32_t more = 1 << 22; more != 0; more <<= 1) {
        tables before = *w.blob;
        w.blob->class_max += more;
        w.blob->frame_words += more;
        EXPECT_TRUE(try_blob(&w));
        *w.blob = before;
    }
    world_close(&w);
}
