/* tables.h - the compiled grammar: one flat blob without pointers, the same on host and device.
 *
 * A `struct tables` stands at the start of the blob; sections follow, each at a byte offset that the header names.
 * Offsets are multiples of 8. The layout of a section changes only together with TABLES_ABI. */
#ifndef WEIR_HOST_TABLES_H
#define WEIR_HOST_TABLES_H

#include <stdint.h>

#define TABLES_MAGIC 0x52494557u /* "WEIR" */
#define TABLES_ABI 4u
#define TABLES_NONE 0xFFFFFFFFu
#define STATE_DEAD TABLES_NONE
#define COST_NEVER TABLES_NONE

/* What reading a byte does. `target` is a state unless said otherwise. */
enum edge_op {
    EDGE_GO,         /* go to the state */
    EDGE_LOCAL,      /* go to the state with this number inside the instance */
    EDGE_CHAR,       /* the same, and a code point of the string begins */
    EDGE_CHAR_FREE,  /* the same, if the string may be that long */
    EDGE_OPEN,       /* go; a string begins: code points 0, hash cleared */
    EDGE_PUSH,       /* open a frame; target: call */
    EDGE_POP,        /* close the frame; target: class */
    EDGE_EXIT,       /* the scalar ends with class `target`; go where the instance says */
    EDGE_EXIT_LENGTH,/* a free string ends; its length chooses where to go on */
    EDGE_ELSE,       /* stands last, matches any byte and does not read it: the number ends with class `target` */
    EDGE_SPACE_FIRST,/* go; a run of white space begins */
    EDGE_SPACE,      /* go, if the run may be that long */
    EDGE_INDENT_FIRST, /* go; an indentation begins (a line feed was read); argument 1: whether it may, hangs on the count */
    EDGE_INDENT,     /* a space of the indentation: stay, if one is still missing */
    EDGE_INDENT_END, /* go, if the indentation is complete; it is `argument` levels less than the depth */
    EDGE_COMMA,      /* counted arrays: one more item; target: first of its count_case */
    EDGE_NAMED,      /* go, if some name can follow; target: first of {state, instance of the name} in `targets` */
    EDGE_CLOSE_NAMED,/* close, if all required names are present; target: first of {object, class} in `targets` */
    EDGE_CLOSE_LINE, /* the indentation before the bracket begins, if they are; target: first of {object, state} */
    EDGE_CLOSE,      /* counted arrays: close; target: first of its count_case, whose values are classes */
    EDGE_NEW,        /* of a state that judges: matches no byte; go, if the item is unlike those before it */
    EDGE_REPEATED    /* the same, if it equals one of them; argument 1: only where that is certain */
};

typedef struct edge {
    uint8_t lo, hi; /* bytes, inclusive */
    uint8_t op;
    uint8_t argument;
    uint32_t target;
} edge;

/* NAMED: entered only while a name in its range `leaves` can follow, or with OTHERS a name that is not told apart. */
enum {
    STATE_ACCEPTS = 1,
    STATE_HASHES = 2,
    STATE_NAMED = 4,
    STATE_OTHERS = 8,
    STATE_JUDGES = 16,  /* behind an item of a unique array: its edges are EDGE_NEW and EDGE_REPEATED */
    STATE_CAREFUL = 32, /* inside a careful frame, with few ways to end: each must be looked for */
    STATE_ROOMY = 64,   /* the same, but while another code point fits into the string there are many */
    STATE_FROZEN = 128  /* inside a careful frame: what follows in the number does not change what it is worth */
};

typedef struct state {
    uint32_t edges;      /* first edge; ascending, disjoint */
    uint32_t instance;   /* of a scalar, or NONE */
    uint32_t row;
    uint32_t costs;      /* first cost */
    uint16_t edge_count;
    uint8_t cost_count;
    uint8_t flags;
    uint16_t leaf_lo, leaf_hi; /* NAMED: names told apart that begin so, as bits of the object; hi exclusive */
} state;

/* One use of a scalar module: its local states begin at state `base`; exits lead to targets[exits + class]. */
typedef struct instance {
    uint32_t base, exits, exit_count;
    uint32_t longest;              /* code points of a free string; NONE: no bound */
    uint32_t lengths, length_count;/* length_case of a free string */
    uint32_t hash_used;            /* hashes kept in the frame when this key is read */
    uint32_t hash_keep;            /* 1: keep this key's hash in the next slot */
    uint32_t object;               /* of a name: whose bits say which may follow; NONE: it is no name */
    uint32_t dead;                 /* mask: bits of names that cannot be written here */
} instance;

/* The names of an object that are told apart, in byte order: each is a bit in the object's frames, set once the name has
 * been read or can no longer come. One more bit stands for all other names. Masks are words of `masks`. */
typedef struct object {
    uint32_t name_count;
    uint32_t words;          /* of a mask: name_count / 32 + 1 */
    uint32_t required;       /* mask: names without which it does not close */
    uint32_t reads;          /* [name_count + 1] masks: what reading each name sets, the last for other names */
    uint32_t order, order_count; /* in masks: bits of required names in the schema's order; 0 where order is free */
    uint32_t beyond;         /* [order_count] masks: what cannot be written while that name is missing */
    uint32_t ample;          /* mask: names whose values never run out; they need not be looked for */
    uint32_t weights;        /* in weights: [2][name_count] {distance, depth, lines} of one more member: cheapest, shallowest */
} object;

typedef struct length_case {
    uint32_t lo, hi; /* code points, inclusive; hi NONE: no end */
    uint32_t target; /* state or STATE_DEAD */
} length_case;

typedef struct count_case {
    uint32_t upto;   /* holds for counts up to this one; the last is NONE */
    uint32_t target; /* state or class; TABLES_NONE: not allowed */
} count_case;

typedef struct call {
    uint32_t start; /* state after the bracket */
    uint32_t ret;
    uint32_t flags;
} call;
enum {
    CALL_CAREFUL = 1, /* whether the frame can end hangs on values read inside it */
    CALL_JUDGES = 2   /* and itself, not only as a part of one that does */
};

/* A return symbol: where the frame's owner goes on, for each class of the value that closes. */
typedef struct return_symbol {
    uint32_t targets, class_count; /* in `targets` */
} return_symbol;

/* What it takes to finish the current frame from a state: the least over its entries. */
typedef struct cost {
    uint32_t target;   /* class, or BOUNDARY_FLAG | boundary of a counted array */
    uint32_t distance; /* tokens that always suffice */
    uint32_t lines;    /* and `indent` times the depth for each of these lines */
    uint32_t outdent;  /* less `indent`, if 1: the line of the closing bracket */
    uint32_t length;   /* a string: and one more for each code point missing to this many; NONE: less the counter */
    uint32_t most;     /* only while the counter is at most this */
    uint32_t depth;    /* further frames needed on the way */
    uint32_t missing;  /* and the weight of each required name that is missing: 1 + 2 * object + way; 0: none */
    uint32_t names;    /* first a name in leaf_lo..leaf_hi that can follow: 1 + the place in `weights` of [name_count + 1]
                          {distance, depth, lines} from the name's first byte on; 0: none */
    uint16_t leaf_lo, leaf_hi;
    uint32_t read;     /* bytes of the name that have been read */
    uint32_t instance; /* of the name */
    uint32_t fresh;    /* another name follows, different from so many whose hashes are kept: one more where it is not yet */
    uint32_t ordered;  /* only while this object lacks no name of the schema's order: 1 + object; 0: always */
} cost;
#define BOUNDARY_FLAG 0x80000000u

/* A counted array after an item: cost of closing with each class, as a function of the items so far. */
typedef struct boundary {
    uint32_t segments, segment_count;
} boundary;
typedef struct segment {
    uint32_t target;       /* class with which it closes */
    uint32_t lo, hi;       /* items, inclusive; hi NONE: no end */
    uint32_t at_hi, slope; /* cost = at_hi + slope * (hi - items) */
    uint32_t lines_at_hi, lines_slope; /* and as many lines, each `indent` times the depth, the last one level less */
    uint32_t depth;
} segment;

/* Which tokens may follow. Token lists are ascending; packed entries carry code points in their upper bits. */
enum { ROW_ON_TRIE = 1, ROW_OTHERS = 2 }; /* OTHERS: but for `named`, nothing while other names cannot follow */
typedef struct row {
    uint8_t kind;          /* weir_row_kind */
    uint8_t lexical;       /* BASE: lexical state of the vocabulary's lexicon */
    uint8_t flags;
    uint8_t padding;
    uint32_t bitmap;       /* BITMAP: first word in `words` */
    uint32_t plain, plain_count;     /* LIST: all tokens; BASE: tokens added */
    uint32_t minus, minus_count;     /* BASE: tokens taken away */
    uint32_t guarded, guarded_count; /* decided by walking their bytes */
    uint32_t closing, closing_count; /* the same, and none while `object` lacks a required name */
    uint32_t object;
    uint32_t patches, patch_count;   /* BASE: one list for each length_case of the instance, in `patches`; LIST, BITMAP:
                                        one list of tokens that go on with a run of white space, by its bytes */
    uint32_t depth_need;   /* the row stands as it is up to depth_limit - depth_need */
    uint32_t cost_need;    /* and with a budget above cost_need + `indent` times the depth for each of line_need + what */
    uint32_t line_need;    /* missing names and the frames below need at most; cost_need NONE: never */
    uint32_t named, named_count;     /* pairs {token, leaves}: allowed while such a name can follow; see NAMED_* */
    uint32_t instance;     /* of the names; NONE if there is none */
    uint32_t token;        /* the only token, when exactly one is allowed, else NONE */
} row;
typedef struct patch {
    uint32_t list, count;  /* packed entries, ascending by code points (or bytes of white space) */
} patch;

#define PACK_TOKEN(entry) ((entry) & 0x1FFFFFu)
#define PACK_POINTS(entry) ((entry) >> 21 & 0xFFu)
#define PACK_PARTIAL 0x20000000u
#define PACK(token, points, partial) ((token) | (uint32_t)(points) << 21 | ((partial) ? PACK_PARTIAL : 0))

/* A pair of `named`: token and NAMED_OTHERS, leaf_lo and leaf_hi << 16. */
#define NAMED_OTHERS 0x80000000u

enum tables_section {
    SECTION_STATES,
    SECTION_EDGES,
    SECTION_INSTANCES,
    SECTION_TARGETS,
    SECTION_LENGTHS,
    SECTION_COUNTS,
    SECTION_CALLS,
    SECTION_RETURNS,
    SECTION_COSTS,
    SECTION_BOUNDARIES,
    SECTION_SEGMENTS,
    SECTION_WEIGHTS,
    SECTION_OBJECTS,
    SECTION_MASKS,
    SECTION_ROWS,
    SECTION_LISTS,
    SECTION_PATCHES,
    SECTION_WORDS,
    SECTION_COUNT
};

typedef struct tables {
    uint32_t magic, abi;
    uint64_t bytes;      /* of the whole blob */
    uint64_t checksum;   /* of everything behind this field */
    uint64_t vocab_hash;
    uint32_t start;      /* state, or STATE_DEAD: nothing satisfies the schema */
    uint32_t frame_words, name_words, hash_slots, class_max;
    uint32_t kept_slots; /* values that unique arrays can keep; 0: there is no careful frame */
    uint32_t depth_limit, space_run, indent;
    uint32_t module_count;
    uint32_t least_tokens;
    uint32_t guarded_max;
    uint64_t guarded_sum;
    uint64_t work;
    uint32_t counts[SECTION_COUNT];  /* elements */
    uint64_t offsets[SECTION_COUNT]; /* bytes */
} tables;

#endif
