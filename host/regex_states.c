/* regex_states.c - a program in, a deterministic table of states x classes out, by the construction of subsets.
 *
 * A state is a set of threads and the place where the text stands: whether it has begun, whether a word character came
 * last, and the sets of the lookbehinds; each only where the program asks for it. */
#include <string.h>

#include "regex_build.h"

enum { KEY_SET, KEY_PLACE, KEY_BEHIND };        /* words of a state's key */
enum { PLACE_START = 1, PLACE_AFTER_WORD = 2 }; /* bits of KEY_PLACE */

typedef struct builder {
    compiler *c;
    regex_run *run;
    const regex_program *program;
    const regex_alphabet *alphabet;
    regex_table *table;
    interner states; /* keys */
    uint32_t *key;   /* of the state that is looked for */
    uint32_t words;
    bool *is_word;                 /* by class */
    uint32_t *decided[NEXT_COUNT]; /* by what comes next: the words of a key; NULL where not asked yet */
} builder;

/* The state of a set of threads where the run stands; NONE: dead. */
static uint32_t state_here(builder *b, uint32_t set) {
    if (set == THREADS_NONE) return NONE;
    memset(b->key, 0, b->words * sizeof *b->key);
    b->key[KEY_SET] = set;
    if (set != THREADS_ALL) {
        if (b->run->at_start && b->program->has_start && b->program->has_waiting) b->key[KEY_PLACE] |= PLACE_START;
        if (b->run->after_word && b->program->has_boundary) b->key[KEY_PLACE] |= PLACE_AFTER_WORD;
        for (uint32_t i = KEY_BEHIND; i < b->words; i++) b->key[i] = b->run->behind[i - KEY_BEHIND];
    }
    return intern(b->c, &b->states, b->key, b->words * sizeof *b->key, NULL);
}

static uint32_t start_state(builder *b) {
    regex_run *run = b->run;
    run->at_start = true;
    run->after_word = false;
    run->next = NEXT_UNKNOWN;
    for (uint32_t i = 0; i < b->program->behinds.count; i++) {
        run->behind[i] = regex_threads_start(run, b->program->behinds.items[i]);
    }
    return state_here(b, regex_threads_start(run, b->program->start));
}

static void go_to(builder *b, const uint32_t *key) {
    b->run->at_start = key[KEY_PLACE] & PLACE_START;
    b->run->after_word = key[KEY_PLACE] & PLACE_AFTER_WORD;
    if (b->words > KEY_BEHIND) memcpy(b->run->behind, key + KEY_BEHIND, (b->words - KEY_BEHIND) * sizeof *key);
}

/* The sets of a key with everything decided that waits for what comes next. */
static const uint32_t *decide(builder *b, const uint32_t *key, regex_next next) {
    if (b->decided[next] != NULL) return b->decided[next];
    uint32_t *decided = compiler_new(b->c, b->words * sizeof *decided);
    go_to(b, key);
    b->run->next = next;
    decided[KEY_SET] = regex_threads_decide(b->run, key[KEY_SET]);
    for (uint32_t i = KEY_BEHIND; i < b->words; i++) decided[i] = regex_threads_decide(b->run, key[i]);
    return b->decided[next] = decided;
}

static uint32_t step(builder *b, const uint32_t *key, uint32_t class) {
    regex_run *run = b->run;
    if (b->program->has_waiting) key = decide(b, key, b->is_word[class] ? NEXT_WORD : NEXT_OTHER);
    run->at_start = false;
    run->after_word = b->is_word[class];
    run->next = NEXT_UNKNOWN;
    for (uint32_t i = KEY_BEHIND; i < b->words; i++) { /* an outer one may ask an inner one, which comes before it */
        run->behind[i - KEY_BEHIND] = regex_threads_step(run, key[i], class);
    }
    return state_here(b, regex_threads_step(run, key[KEY_SET], class));
}

static void add_row(builder *b, const uint32_t *key) {
    memset(b->decided, 0, sizeof b->decided);
    go_to(b, key);
    b->run->next = NEXT_NOTHING;
    PUSH(b->c, b->table->accepts, regex_threads_accept(b->run, key[KEY_SET]));
    for (uint32_t class = 0; class < b->alphabet->class_count; class++) {
        PUSH(b->c, b->table->targets, step(b, key, class));
    }
}

void regex_table_check(compiler *c, const json *place, const regex_table *table, uint32_t state_count) {
    if (state_count > REGEX_STATE_LIMIT || (uint64_t)state_count * table->alphabet->class_count > REGEX_CELL_LIMIT) {
        compiler_fail(c, WEIR_ERROR_LIMIT, place, "the pattern needs more than %u states or %u transitions",
                      REGEX_STATE_LIMIT, REGEX_CELL_LIMIT);
    }
}

regex_table *regex_table_new(compiler *c, const json *place, const regex_program *program,
                             const regex_alphabet *alphabet) {
    builder b = {.c = c, .program = program, .alphabet = alphabet, .table = NEW(c, regex_table)};
    b.run = regex_run_new(c, place, program, alphabet);
    b.words = KEY_BEHIND + program->behinds.count;
    b.key = NEW_ARRAY(c, uint32_t, b.words);
    b.is_word = NEW_ARRAY(c, bool, alphabet->class_count);
    for (uint32_t class = 0; program->has_boundary && class < alphabet->class_count; class++) {
        b.is_word[class] = regex_class_in(alphabet, class, program->word_set);
    }
    b.table->alphabet = alphabet;
    start_state(&b);
    for (uint32_t state = 0; state < b.states.count; state++) {
        regex_table_check(c, place, b.table, b.states.count);
        add_row(&b, b.states.entries.items[state].bytes);
    }
    b.table->state_count = b.states.count;
    return b.table;
}
