/* recogniser_parts.h - what the files of the recogniser share. */
#ifndef WEIR_TESTS_RECOGNISER_PARTS_H
#define WEIR_TESTS_RECOGNISER_PARTS_H

#include "../host/json.h"
#include "recogniser.h"
#include "recogniser_language.h"

/* --- schemas (recogniser_schema.c, recogniser_keywords.c, recogniser_reference.c, recogniser_validator.c) --- */

/* Kinds of values, as fine as a `type` can tell them apart: 1 and 1.0 differ in draft 4 only. */
enum {
    KIND_NULL,
    KIND_FALSE,
    KIND_TRUE,
    KIND_INTEGER,
    KIND_WHOLE,
    KIND_FRACTION,
    KIND_STRING,
    KIND_ARRAY,
    KIND_OBJECT,
    KIND_COUNT
};
#define KIND_NUMBERS (1u << KIND_INTEGER | 1u << KIND_WHOLE | 1u << KIND_FRACTION)
#define KIND_ALL     ((1u << KIND_COUNT) - 1)

typedef struct schema schema;
typedef struct property {
    uint32_t name;
    const schema *schema;
} property;
typedef struct schema_list {
    uint32_t count;
    const schema **items;
} schema_list;

typedef struct pattern_property {
    language names;
    const schema *schema;
} pattern_property;
/* Where `trigger` is present: the schema applies to the object, or the names are required. */
typedef struct dependency {
    uint32_t trigger, required_count;
    uint32_t *required;
    const schema *schema; /* or NULL */
} dependency;

/* A schema with its keywords looked up. Absent ones are NULL, 0 or UINT64_MAX. */
struct schema {
    const json *node;
    uint32_t code;  /* of the literal "valid against this", see below */
    bool never;     /* false */
    bool bare;      /* no keyword but $ref asserts anything */
    bool trivial;   /* ... nor does $ref */
    unsigned kinds; /* bit set of KIND_* that `type` allows */
    const schema *reference;
    uint32_t property_count, required_count, pattern_count, dependency_count;
    property *properties;
    uint32_t *required;
    pattern_property *patterns;
    dependency *dependencies;
    const schema *additional, *items, *negated, *names; /* names: propertyNames */
    const schema *condition, *consequence, *alternative; /* if, then, else; the last two only with the first */
    const schema *contains, *unevaluated_members, *unevaluated_items;
    bool contains_evaluates; /* an item that contains accepts is evaluated: since 2020-12 */
    bool unique;
    schema_list prefix, all, any, one;
    uint64_t min_items, max_items, min_length, max_length, min_members, max_members, min_contains, max_contains;
    const json *minimum, *maximum, *exclusive_minimum, *exclusive_maximum, *enumeration, *constant;
    bool has_pattern;
    language pattern; /* of the strings that match */
    signed char patterned; /* it, or what applies in place, has a pattern; -1: not known yet */
    language strings;      /* that it accepts; UINT32_MAX: not known yet */
    struct path_list *paths; /* what evaluates members and items (recogniser_evaluated.c) */
    char color;              /* while looking for cycles */
};

/* A literal: "the value is (not) valid against this schema" or "the value is (not) equal to this constant". Nodes of
 * the schema text are told apart by their first byte. */
enum { CODE_POSITIVE = 1, CODE_VALUE = 2 };
#define CODE_ALWAYS 0u
#define CODE_NEVER  UINT32_MAX
/* "Differs from the items before it", of an item of an array: only where that array is at hand. */
#define CODE_DISTINCT (UINT32_MAX - 2)
static inline uint32_t node_code(const json *node) {
    return (node->byte + 1) << 2;
}
static inline uint32_t code_byte(uint32_t code) {
    return (code >> 2) - 1;
}

/* A conjunction of literals, sorted and distinct; equal sets are the same object. */
typedef struct code_set {
    uint32_t id, count;
    const uint32_t *codes;
} code_set;

/* Of these literals one holds; equal lists are the same object. */
typedef struct code_array {
    uint32_t count;
    uint32_t codes[];
} code_array;

typedef struct set_list {
    uint32_t count, capacity;
    const code_set **items;
} set_list;

/* A string that has one spelling: a name of a member, or a member of a finite set. */
typedef struct known {
    const char *quoted; /* json.dumps(ensure_ascii=False), without the quotes */
    uint32_t length;
    const char *text; /* decoded */
    uint32_t text_length;
    uint32_t name;     /* names */
    const json *value; /* strings */
} known;
typedef struct known_list {
    uint32_t count;
    known *items; /* sorted by bytes */
} known_list;

/* Names that no schema mentions: NAME_OTHER + k stands for any of class k; see position. */
#define NAME_OTHER    0x80000000u
#define RANK_UNLISTED INT32_MAX

/* Names that no component of a place mentions, told apart as far as patterns and propertyNames do. */
typedef struct name_class {
    language words;
    const char *sample; /* one of them; NULL: of the class of all such names, which nothing asks about */
    uint32_t sample_length;
} name_class;

/* A place in documents: all components that could apply there, whatever their verdicts. Decides spelling only. */
typedef struct position {
    uint32_t id, root_count, component_count;
    const uint32_t *roots;      /* codes */
    const uint32_t *components; /* codes, the roots and all that applies in place, in text order */
    int32_t *ranks;             /* [names] order of listed names, RANK_UNLISTED, or -1: not known here */
    known_list names, strings;
    uint32_t first_class, class_count; /* of the other names: NAME_OTHER + first_class + k */
    bool by_pattern;                   /* patterns tell names apart */
    bool patterned;                    /* some component has a pattern for strings */
    bool vague;                        /* its names fall into too many classes */
    bool numeric;                      /* some component tells numbers apart */
    bool integers;                     /* some component tells integers from other numbers */
    bool disjunct;                     /* what names that are not listed there are can decide a verdict */
    bool says_of_others;               /* ... of some component */
    bool choice;                       /* ... which is not the verdict of all, but of a branch, here or further out */
    bool unique;                       /* some component wants unique items */
    bool compared;                     /* values here are parts of such items */
    bool open;                         /* unlisted names may be written */
    bool open_unsure;                  /* ... or not: the policy does not say */
    struct position **children;        /* [names + class_count] by name, then by class */
    struct position **item_children;
    uint32_t item_count; /* item_children: one for each index of the longest prefixItems, and one for the rest */
} position;

struct frame;

struct recogniser {
    recogniser_options options;
    arena arena;
    int draft; /* 4, 6, 7, 2019, 2020 */
    language_pool *languages;
    const json *root_node;
    const schema *root;
    uint32_t text_length;
    const json **nodes; /* [text_length] by first byte */
    schema **schemas;   /* [text_length] */
    uint32_t name_count, name_capacity;
    known *names; /* all names that the schema mentions; names[i].name == i */
    uint32_t *name_table, name_table_capacity;
    name_class *classes; /* by number; the first is that of all names */
    uint32_t class_count, class_capacity;
    struct match_memo *matches; /* does a name belong to a language? */
    uint32_t match_count, match_capacity;
    const json **values; /* constants that stand in documents; their bytes come after the schema's */
    uint32_t value_count, value_capacity;
    struct value_memo *value_lists;
    uint32_t value_list_count, value_list_capacity;
    const code_array **code_arrays;
    uint32_t code_array_count, code_array_capacity;
    char *why;
    size_t why_capacity;
    bool refused;

    code_set **sets; /* by id */
    uint32_t set_count, set_capacity;
    position **positions;
    uint32_t position_count, position_capacity;
    struct set_memo *memo; /* open addressing on (set, position) */
    uint32_t memo_count, memo_capacity;
    uint32_t *set_table, set_table_capacity;
    uint64_t work;
    bool depth_hit; /* some answer "no" since this was cleared came from the depth limit */

    char *document; /* the prefix and what is being tried after it */
    size_t length, capacity;
    struct text_state *state; /* after the prefix */
    arena scratch;            /* frames of what is being tried */
    arena *frames;            /* where frames go now: arena or scratch */
    struct frame_memo *after; /* frames that were made in scratch, by what they came from */
    char *completion;
    bool gave_up; /* the search for it ran out of work */
};

void recogniser_panic(const char *what);
void *region_take(arena *arena, size_t size); /* cleared; never NULL */
/* The node that `reference`, written at `from`, points to; NULL when it is not in the document. */
const json *reference_target(recogniser *r, const json *from, const char *reference, uint32_t length);
/* Refuses the schema; the first sentence stands. */
void schema_refuse(recogniser *r, const json *node, const char *why);
/* Fills a record from the keywords of its node (recogniser_keywords.c). */
void schema_read_keywords(recogniser *r, schema *s);
const schema *schema_read(recogniser *r, const json *node);
/* The number of a name, a new one where it was not mentioned yet. */
uint32_t name_add(recogniser *r, const char *text, uint32_t length);
/* What applies in place to the same value whatever its other verdicts: the k-th; NULL: no more. */
const schema *schema_in_place(const schema *s, uint32_t k);
/* The strings that the schema accepts (recogniser_name.c). */
language schema_strings(const recogniser *r, const schema *s);
/* Reads the whole schema. On refusal r->refused is set. */
void schema_load(recogniser *r);
const schema *code_schema(const recogniser *r, uint32_t code);
const json *code_value(const recogniser *r, uint32_t code);
/* The node or the kept value that begins there. */
const json *node_at(const recogniser *r, uint32_t byte);
const schema *schema_property(const schema *s, uint32_t name);
/* What the schema's own keywords apply to an item; NULL: nothing. */
const schema *schema_item(const schema *s, uint64_t index);
bool schema_valid(const recogniser *r, const schema *s, const json *value);
/* Is the literal true of a finished value? */
bool code_holds(const recogniser *r, uint32_t code, const json *value);
bool set_holds(const recogniser *r, const code_set *set, const json *value);
bool values_equal(const json *a, const json *b);
bool items_differ(const json *array);
int value_kind(const json *value);
uint32_t value_depth(const json *value);
void quote_known(recogniser *r, known *known);                              /* `quoted` from `text` */
uint32_t name_find(const recogniser *r, const char *text, uint32_t length); /* or NAME_OTHER */
uint64_t code_points(const char *text, uint32_t length);

/* --- names (recogniser_name.c) --- */

static inline bool name_is_other(uint32_t name) {
    return name >= NAME_OTHER;
}
/* The name's text; of a class, the sample's. */
const char *name_text(const recogniser *r, uint32_t name, uint32_t *length);
bool name_belongs(recogniser *r, language words, uint32_t name);
/* The k-th schema that the schema's properties, patternProperties and additionalProperties apply to the member. */
const schema *schema_member(recogniser *r, const schema *s, uint32_t name, uint32_t k);
/* The name is one of its properties, or matches one of its patterns. */
bool schema_lists(recogniser *r, const schema *s, uint32_t name);
/* propertyNames accepts it. */
bool schema_allows_name(recogniser *r, const schema *s, uint32_t name);
/* Divides the names that the position does not know into classes. */
void names_divide(recogniser *r, position *p);
/* The name as the position knows it: its number, or its class. */
uint32_t name_at(recogniser *r, const position *p, const char *text, uint32_t length);
/* It, or what it applies in place, has a pattern. */
bool schema_is_patterned(const recogniser *r, const schema *s);
/* The strings that satisfy a set, and whether patterns, or strings of documents, have a say in it. */
language set_strings(const recogniser *r, const code_set *set);
bool set_is_patterned(const recogniser *r, const code_set *set);

/* --- values of documents as literals (recogniser_value.c) --- */

/* A copy that is kept, equal values once; for node_code(). */
const json *value_keep(recogniser *r, const json *value);
/* One character as json.dumps(ensure_ascii=False) writes it; at most 6 bytes. */
uint32_t quote_character(uint32_t character, char *out);
uint32_t utf8_decode(const char *text, uint32_t *length);
uint32_t utf8_encode(uint32_t character, char *out);

/* --- decimals (recogniser_number.c) --- */

typedef enum answer { NO, YES, MAYBE } answer;

int decimal_compare(const char *a, uint32_t a_length, const char *b, uint32_t b_length);
bool decimal_is_whole(const char *text, uint32_t length);
/* -1: no number begins so; 0: more is needed; 1: a number, which may go on. */
int number_status(const char *text, uint32_t length);

typedef struct number_goal {
    int kind;               /* KIND_INTEGER (digits only), KIND_WHOLE or KIND_FRACTION */
    const json *low, *high; /* or NULL */
    bool low_exclusive, high_exclusive;
    const json *const *unequal;
    uint32_t unequal_count;
    answer exponents; /* may they be written after one digit that is not 0 and a fraction? */
} number_goal;
bool may_take_exponent(const char *text, uint32_t length);
/* Completes `prefix` (no exponent in it) to a number that meets the goal: YES with its text in `out`. MAYBE too where only
 * an exponent would do and the policy does not say whether one may be written. */
#define NUMBER_CAPACITY 1024
answer number_complete(const char *prefix, uint32_t length, const number_goal *goal, char out[NUMBER_CAPACITY]);

/* --- the search (recogniser_solve.c) --- */

typedef struct text_buffer {
    char *data;
    size_t length, capacity;
} text_buffer;
void text_put(text_buffer *text, const char *bytes, size_t length);
/* A decoded text as json.dumps(ensure_ascii=False) spells it, without and with its quotes. */
void text_put_escaped(text_buffer *out, const char *text, size_t length);
void text_put_string(text_buffer *out, const char *text, size_t length);

/* The literal itself, or the one that says the same behind a bare $ref, or CODE_ALWAYS, or CODE_NEVER. */
uint32_t code_simplify(const recogniser *r, uint32_t code);
const code_set *set_make(recogniser *r, const uint32_t *codes, uint32_t count);
/* The set and one code more; the set without it. */
const code_set *set_with(recogniser *r, const code_set *set, uint32_t code);
const code_set *set_without(recogniser *r, const code_set *set, uint32_t code);
bool set_has(const code_set *set, uint32_t code);
void set_list_add(set_list *list, const code_set *set);

typedef struct member {
    const struct member *before;
    uint32_t name; /* objects */
    const json *value;
} member;

/* An open container. Never changed but for its caches: a finished member makes a new one. */
typedef struct frame {
    struct frame *parent; /* as it was when this one was opened; NULL: the root, which holds the document */
    int kind;             /* KIND_ARRAY, KIND_OBJECT; the root: KIND_NULL */
    const position *position;
    set_list sets;  /* the value must satisfy one of these */
    bool unsure; /* ... or one of some that were not found */
    uint32_t depth; /* containers that its members may nest */
    const member *last;
    uint32_t count;
    int32_t last_rank; /* of the last key */
    bool open;         /* a member is being written: `name`, or item `count` */
    uint32_t name;
    const char *key; /* decoded */
    uint32_t key_length;

    /* caches; -1: not known yet */
    bool child_ready;
    set_list child_sets; /* the open member can be any of these, and the rest can be completed */
    bool child_unsure;   /* ... and the list may lack some */
    const position *child_position;
    signed char finishable, child_fresh, child_number;
    signed char *keys; /* [position->names.count + class_count] */
    struct string_answer *strings;
    bool words_ready, keys_ready;
    language words;              /* strings that the open member can be, where patterns have a say */
    language keys_sure, keys_open; /* other names that can be written next: surely, and perhaps */
    arena *home; /* where this frame and its caches live */
} frame;

/* Is there a value that satisfies the set, nesting at most `depth`? Its text goes to `out` (may be NULL). */
answer set_satisfiable(recogniser *r, const code_set *set, const position *position, uint32_t depth, text_buffer *out);
/* The same, and it differs from all values of the list. */
answer set_another(recogniser *r, const code_set *set, const position *position, uint32_t depth, const member *others,
                   text_buffer *out);
/* Can the container be finished? The members that are missing and the closer go to `out`. */
answer frame_finishable(recogniser *r, frame *frame, text_buffer *out);
void value_list_free(recogniser *r, uint32_t index);
/* Fills child_sets of a frame with an open member. */
void frame_children(recogniser *r, frame *frame);
/* A string that no schema mentions, of at least `least` characters; UINT64_MAX in *length when there is none. */
answer set_string(recogniser *r, const code_set *set, const position *position, uint64_t least, uint64_t *length);
/* A number that begins with `prefix`; `others`: what it must differ from, where the set says so. */
answer set_number(recogniser *r, const code_set *set, const position *position, const member *others, const char *prefix,
                  uint32_t length, char out[NUMBER_CAPACITY]);
/* A name of that class which the frame does not hold, the `ordinal`-th such; false: none was found. */
bool frame_other_name(recogniser *r, const frame *frame, uint32_t name, uint32_t ordinal, text_buffer *out);
/* The names of the class that the frame does not hold; UINT32_MAX: too many to say. */
language class_left(recogniser *r, const frame *frame, uint32_t name);
/* Other names that may still be kept apart; see the policy of unlisted names. */
enum { KEPT_NAMES = 8, KEPT_ITEMS = 16 };

/* Every value that satisfies the set passes a keyword that tells numbers apart. */
bool set_is_numeric(const recogniser *r, const code_set *set);
bool set_tells_integers(const recogniser *r, const code_set *set);
/* May a number of that kind be written there without an exponent? */
answer position_form(const recogniser *r, const position *position, int kind);
/* May a number of the set be written with an exponent? */
answer set_exponents(const recogniser *r, const code_set *set, const position *position);
/* ... a pattern. */
bool set_surely_patterned(const recogniser *r, const code_set *set);
position *position_root(recogniser *r);
const position *position_child(recogniser *r, const position *position, uint32_t name);
const position *position_item(recogniser *r, const position *position, uint64_t index);

/* --- the text (recogniser_text.c, recogniser_verdict.c) --- */

typedef enum text_phase {
    PHASE_VALUE,      /* a value must follow */
    PHASE_FIRST_ITEM, /* after [ */
    PHASE_FIRST_KEY,  /* after { */
    PHASE_KEY,        /* after , in an object */
    PHASE_IN_KEY,
    PHASE_COLON, /* after a key */
    PHASE_AFTER, /* after a member */
    PHASE_STRING,
    PHASE_NUMBER,
    PHASE_LITERAL,
    PHASE_DONE
} text_phase;

/* A string being written: which known strings it can still be, and the bytes of an unfinished character. */
typedef struct string_state {
    uint32_t low, high; /* candidates in the known list; low == high: it differs from all */
    uint32_t matched;   /* bytes of their spelling */
    uint32_t count;     /* characters */
    uint32_t last;      /* the last of them */
    bool usual;         /* ... is spelled as json.dumps does */
    uint8_t pending_length;
    char pending[12];
} string_state;

typedef struct text_state {
    text_phase phase;
    frame *frame;
    uint32_t spaces;
    size_t start; /* of the open scalar in r->document */
    string_state string;
    language words, words_open; /* what may follow in a string or key, where patterns have a say; for keys also perhaps */
    uint8_t literal; /* KIND_NULL, KIND_FALSE, KIND_TRUE */
    bool dead;
    bool repeated; /* an unlisted name stands twice in an object */
    bool unsure;   /* the policy does not say whether this may be written */
} text_state;

void text_begin(recogniser *r, text_state *state);
/* One byte more: r->document[at] is the byte; the ones before are what led to `state`. false: no JSON text, or none
 * that the policies of spelling allow. */
bool text_step(recogniser *r, text_state *state, size_t at);
/* What the steps share with the verdicts. The position of the open member; the earlier items that it may have to differ
 * from; the frame with that key open; the finished number that has been written. */
const position *child_position(recogniser *r, frame *f);
const member *frame_others(const frame *f);
frame *frame_open_key(recogniser *r, frame *f, uint32_t name, const char *key, uint32_t key_length);
void text_finish_number(recogniser *r, text_state *state, size_t at);
bool key_allowed(const recogniser *r, const frame *f, uint32_t name);
bool key_repeats(recogniser *r, const text_state *state, size_t at);
bool space_wanted(const recogniser *r, const text_state *state);
const char *literal_text(int kind);
bool has_exponent(const char *text, uint32_t length);
bool exponent_in_bounds(const char *text, uint32_t length);
bool all_sets(const recogniser *r, const frame *f, bool (*is_such)(const recogniser *, const code_set *));
/* The strings that the open member can be, where patterns or earlier items have a say; else UINT32_MAX. */
language frame_words(recogniser *r, frame *f);
/* Other names that can come next where patterns tell names apart, surely and perhaps; else UINT32_MAX. */
void frame_key_words(recogniser *r, frame *f, language *sure, language *perhaps);
/* Can the text before r->document[at] be completed? */
answer text_verdict(recogniser *r, const text_state *state, size_t at);
bool text_complete(recogniser *r, const text_state *state, size_t at);
/* What could be written next to come nearer to the end; false: nothing found. */
bool text_continuation(recogniser *r, text_state *state, size_t at, text_buffer *out);
/* Forgets the frames in scratch. */
void text_forget(recogniser *r);

/* --- open strings (recogniser_string.c) --- */

string_state string_begin(const known_list *known);
bool string_step(string_state *state, const known_list *known, char byte);
/* The characters that the bytes of an unfinished one can become. */
void string_range(const string_state *state, uint32_t *least, uint32_t *most);
/* The known string that has been written, or NULL. */
const known *string_known(const string_state *state, const known_list *known);
/* candidate `index` can still be written: low <= index < high, and an unfinished character is its next one. */
bool string_extends(const string_state *state, const known_list *known, uint32_t index);
/* Characters of the shortest string that can still be written and is not a known one; UINT64_MAX: none can. */
uint64_t string_least_other(const string_state *state, const known_list *known);
/* Bytes that lead towards such a string of `length` characters; nothing when it has been written. */
void string_continue_other(const string_state *state, const known_list *known, uint64_t length, text_buffer *out);
/* The decoded text of a finished body. */
char *string_decode(arena *arena, const char *raw, size_t raw_length, uint32_t *length);

#endif
