/* schema.h - a JSON Schema document in, one record a schema object out: every keyword checked, every reference found.
 *
 * Records are made for the schemas that can apply to the value, in a walk from the root. `schema_formula` turns a record
 * into what it says about values of one type; the rest of the compiler sees only formulas. */
#ifndef WEIR_HOST_SCHEMA_H
#define WEIR_HOST_SCHEMA_H

#include "formula.h"
#include "regex_automaton.h"

/* The types a value can have, told apart by its first byte. */
typedef enum value_type {
    TYPE_NULL,
    TYPE_FALSE,
    TYPE_TRUE,
    TYPE_NUMBER,
    TYPE_STRING,
    TYPE_ARRAY,
    TYPE_OBJECT,
    TYPE_COUNT
} value_type;

typedef enum draft { DRAFT_4 = 4, DRAFT_6 = 6, DRAFT_7 = 7, DRAFT_2019 = 8, DRAFT_2020 = 9 } draft;

/* A decimal number exactly: sign * 0.d1d2d3... * 10^point, d1 and the last digit not zero; zero has no digits. */
typedef struct decimal {
    int32_t sign; /* -1, 0, 1 */
    int32_t point;
    uint32_t count;
    uint8_t digits[40];
} decimal;

typedef struct schema {
    const json *node;    /* the schema, or the value of a const or enum member */
    bool is_value;       /* satisfied by values equal to node */
    bool is_union;       /* satisfied by what satisfies one of any_of; node is where that is said */
    uint32_t scope;      /* id of the dynamic scope in which it is read */
    uint8_t draft;
    bool types_given;
    uint32_t types;      /* bits 1 << value_type that `type` allows */
    bool integer_only;   /* of numbers only integers */
    uint32_t reference;  /* schema id of `$ref`, or NONE */
    uint32_t dynamic;    /* the same of `$dynamicRef` or `$recursiveRef` */
    struct { uint32_t key, schema; } *properties;
    uint32_t property_count;
    uint32_t *required;  /* key ids */
    uint32_t required_count;
    uint32_t additional; /* schema id or NONE */
    struct { uint32_t pattern, schema; } *pattern_properties;
    uint32_t pattern_count;
    uint32_t names;      /* of propertyNames: schema id or NONE */
    uint32_t unevaluated_properties, unevaluated_items; /* schema ids or NONE */
    uint32_t min_properties, max_properties; /* max: NONE if none */
    struct { uint32_t key, schema, *required, required_count; } *dependents; /* schema NONE: names are required */
    uint32_t dependent_count;
    uint32_t *prefix;    /* schema ids */
    uint32_t prefix_count, items; /* items: schema id or NONE */
    bool unique_items;
    uint32_t contains, min_contains, max_contains; /* contains: schema id or NONE */
    uint32_t min_items, max_items, min_length, max_length; /* max: NONE if none */
    uint32_t at_least, at_most, above, below;              /* threshold ids or NONE */
    uint32_t pattern;    /* id, or NONE */
    uint32_t *values;    /* schema ids (is_value) of enum or const; NULL if none */
    uint32_t value_count;
    uint32_t *one_value; /* of const: schema id, or NULL */
    uint32_t *all_of, *any_of, *one_of;
    uint32_t all_count, any_count, one_count;
    uint32_t not_schema, if_schema, then_schema, else_schema; /* or NONE */
    bool circular;       /* asking it can lead to a schema that applies to itself in place, here or further down */
    enum { ITSELF, FIRST_ERROR_OF, KNOWN_OF } asks; /* FIRST_ERROR_OF: `of`, asked only whether anything is wrong; KNOWN_OF: whether
                                                       the verdict of `of` is known, true or unknown itself */
    uint32_t of;
    uint32_t first_error, known; /* of a circular schema: the ids of the schemas that ask this of it; NONE */
    uint32_t key_set;    /* id of the set of names in `properties` (or of a value object's names) and of patterns, which
                            additionalProperties does not speak of */
} schema;

typedef struct schema_set {
    VECTOR(schema) items;
    interner by_node;    /* json node, is_value and scope -> schema id */
    interner unions;     /* sorted schema ids -> index of `union_ids` */
    VECTOR(uint32_t) union_ids;
    interner scopes;     /* for each name in `dynamic_names` the node that it means, or NULL; see schema_scope.c */
    interner dynamic_names;
    interner reported;   /* nodes that are in the report */
    interner keys;       /* decoded member names */
    interner texts;      /* decoded strings of const and enum */
    interner key_sets;   /* sorted: key ids, then PATTERN_IN_SET + pattern ids */
    interner thresholds; /* decimals */
    interner pattern_texts;
    VECTOR(const regex *) patterns; /* by id of their text */
    VECTOR(weir_keyword_report) report;
    const json *root;
    VECTOR(formula) formulas; /* memo of schema_formula: [id * TYPE_COUNT + type]; NONE: not yet */
    VECTOR(uint8_t) under_way; /* the same index: the questions being asked */
    const json *circle;       /* a schema that applies to itself in place, or NULL */
} schema_set;

/* Reads the document; fails with a refusal that names keyword and pointer. Root is schema id 0. */
schema_set *schema_set_new(compiler *c, const json *root);
/* Adds the schemas that ask something else of a circular one. */
void schema_add_questions(compiler *c, uint32_t id);
/* The schema that holds where one of these does. Equal lists give equal ids. */
uint32_t schema_union(compiler *c, const json *place, uint32_t *ids, uint32_t count);
const schema *schema_get(const compiler *c, uint32_t id);

/* What the schema says about values of one type: a formula over ATOM_PROPERTY ... ATOM_ABOVE. In-place references and
 * applicators are expanded; a schema that applies to itself in place is ATOM_UNKNOWN there. */
formula schema_formula(compiler *c, uint32_t id, value_type type);
/* The schema at the end of a chain of bare references, so that equal things get equal atoms. */
uint32_t schema_canonical(compiler *c, uint32_t id);
/* The member, if present, satisfies the schema; members outside the key set do (NONE: false); item `index`, or all from
 * there on (NONE: true). */
formula schema_property_formula(compiler *c, uint32_t key, uint32_t id);
formula schema_additional_formula(compiler *c, uint32_t id, uint32_t key_set);
formula schema_item_formula(compiler *c, uint32_t index, uint32_t id);
formula schema_items_formula(compiler *c, uint32_t from, uint32_t id);
/* Whether a schema is true or false for every value, else NONE. */
formula schema_verdict(const compiler *c, uint32_t id);

/* schema_unevaluated.c: what unevaluatedProperties and unevaluatedItems of a schema that is not circular say. */
formula schema_unevaluated_properties(compiler *c, const schema *s);
formula schema_unevaluated_items(compiler *c, const schema *s);

/* schema_circle.c: marks the schemas whose verdict can hang on one that applies to itself in place. */
void schema_find_circles(compiler *c);

/* schema_names.c */

/* The names listed for an object to which `components` apply, in the order that DESIGN section 2 gives: first
 * appearance in a depth-first walk through the in-place applicators. Key ids into *names. *closable: some component has
 * `properties` and none says what unlisted names may be (then the option "closed" forbids them). */
typedef VECTOR(uint32_t) id_list;
void schema_listed_names(compiler *c, const id_list *components, id_list *names, bool *closable);
/* The components that apply to the member `key` (NONE: one that nothing names) whose name matches these patterns, by
 * pattern id, or to item `index`. */
void schema_member_components(compiler *c, const id_list *components, uint32_t key, const uint8_t *matches, id_list *out);
/* Items from this index on have the same components: the longest prefixItems, or const array, in place. */
uint32_t schema_longest_prefix(compiler *c, const id_list *components);
void schema_item_components(compiler *c, const id_list *components, uint32_t index, id_list *out);

const char *schema_key_text(const compiler *c, uint32_t key, uint32_t *length);
const char *schema_text(const compiler *c, uint32_t text, uint32_t *length);
#define PATTERN_IN_SET 0x80000000u
bool schema_key_in_set(const compiler *c, uint32_t key, uint32_t key_set);
/* The set of these; sorts the list. */
uint32_t schema_key_set(compiler *c, uint32_t *ids, uint32_t count);
/* Whether one of the set's patterns matches, by pattern id. */
bool schema_set_matches(const compiler *c, uint32_t key_set, const uint8_t *matches);
const decimal *schema_threshold(const compiler *c, uint32_t threshold);

/* schema_keywords.c: what each keyword of a schema object says, put into its record. */
typedef enum keyword_class {
    KEYWORD_ENFORCED,
    KEYWORD_ANNOTATION, /* cannot narrow the language */
    KEYWORD_REFUSED,
    KEYWORD_FORMAT
} keyword_class;
typedef struct keyword {
    const char *name;
    uint8_t since, until; /* drafts that have it */
    keyword_class class;
    void (*read)(compiler *c, schema *s, const json *value);
} keyword;
/* NULL: not a keyword of this draft. */
const keyword *keyword_find(const json *member, uint8_t draft);
/* The values of const and enum: objects and arrays as schemas of their members. */
void schema_read_value(compiler *c, schema *s);
/* schema.c: the id of the schema at a node, new or old, where the dynamic path is that of the schema `from` (NULL: none
 * before) and then the node's own resource; and of a value of const and enum. */
uint32_t schema_add(compiler *c, const schema *from, const json *node);
uint32_t schema_add_value(compiler *c, const json *node);

/* schema_scope.c: which resource decides a dynamic reference. */
/* The scope after the resource of this node has been entered; 0 is the scope before all resources. */
uint32_t scope_enter(compiler *c, uint32_t scope, const json *node);
/* The schema that a dynamic anchor means in this scope, or NULL: none is known. A name that was not followed until now is
 * from now on; what has been read must then be read again. */
const json *scope_find(compiler *c, uint32_t scope, const char *name, uint32_t length);

/* schema_number.c */
bool decimal_parse(const char *text, uint32_t length, decimal *out); /* false: more than 40 digits or too wide */
int decimal_order(const decimal *left, const decimal *right);
bool decimal_is_integer(const decimal *value);

#endif
