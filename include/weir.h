/* weir.h - constrained sampling: JSON Schema in, masks and sampled tokens out.
 *
 * The whole public API. C99 clean; needs no CUDA header.
 *
 *   weir_vocab   -> what each token id writes          immutable, shared by threads
 *   weir_grammar -> a schema compiled for a vocabulary immutable, shared by threads
 *   weir_cache   -> grammars by content                shared by threads
 *   weir_matcher -> one sequence on the CPU            one user at a time
 *   weir_sampler -> a batch: mask, select, draw, advance   one user at a time
 *
 * Conventions. Every fallible call returns weir_status; 0 is success. `error` may be NULL; where it is not, a
 * failing call fills it. Out pointers are set to NULL on failure. destroy() takes NULL. Option structs start
 * with `size`, set by their *_INIT macro; NULL options mean the defaults. No call prints, aborts or keeps
 * global state. An allocator passed at creation must outlive the object; NULL means malloc and free.
 */
#ifndef WEIR_H
#define WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0

#if defined(_WIN32)
#define WEIR_API
#else
#define WEIR_API __attribute__((visibility("default")))
#endif

/* --- status and errors ------------------------------------------------------------------------------------ */

typedef enum weir_status {
    WEIR_OK = 0,
    WEIR_ERROR_ARGUMENT = 1,      /* a NULL, a size or a value outside its range */
    WEIR_ERROR_MEMORY = 2,        /* the allocator returned NULL, or a slot is too small */
    WEIR_ERROR_FILE = 3,          /* a file cannot be opened, read or written */
    WEIR_ERROR_JSON = 4,          /* text that is not RFC 8259 JSON; error.byte says where */
    WEIR_ERROR_SCHEMA = 5,        /* the schema is refused; error.pointer and message say why */
    WEIR_ERROR_VOCAB = 6,         /* the vocabulary cannot be used, or lacks what the grammar needs */
    WEIR_ERROR_LIMIT = 7,         /* a limit on states, bytes, work or depth was reached while compiling */
    WEIR_ERROR_UNSATISFIABLE = 8, /* nothing satisfies the constraint, or not inside the token budget */
    WEIR_ERROR_TOKEN = 9,         /* the token is not allowed here; the state is unchanged */
    WEIR_ERROR_TABLES = 10,       /* a saved grammar is damaged or of another version */
    WEIR_ERROR_CANCELLED = 11,    /* by the progress function, weir_job_cancel or weir_cache_destroy */
    WEIR_ERROR_DEVICE = 12        /* the CUDA runtime refused a call, or the library was built without CUDA */
} weir_status;

typedef struct weir_error {
    weir_status status;
    int32_t row;        /* row of a batch call, else -1 */
    int64_t byte;       /* 0-based offset into the text that was read, else -1 */
    char pointer[256];  /* JSON pointer into the schema, "" is the root; cut at 255 bytes */
    char message[512];  /* one sentence: what was found and what was expected */
} weir_error;

/* The constant name of a status, "WEIR_OK" and so on. Any thread; never NULL. */
WEIR_API const char *weir_status_name(weir_status status);
/* "0.1.0". Any thread. */
WEIR_API const char *weir_version(void);

typedef struct weir_allocator {
    void *context;
    /* realloc: pointer NULL allocates; size 0 frees and returns NULL. old_size is what was asked for before. */
    void *(*reallocate)(void *context, void *pointer, size_t old_size, size_t size);
} weir_allocator;

/* --- vocabulary ------------------------------------------------------------------------------------------- */

typedef struct weir_vocab weir_vocab;

enum { WEIR_TOKEN_SPECIAL = 1 /* control token: never allowed as text */ };

typedef struct weir_token {
    const void *bytes; /* what the token writes; any bytes, also none */
    uint32_t length;
    uint32_t flags;    /* WEIR_TOKEN_SPECIAL or 0 */
} weir_token;

typedef struct weir_vocab_options {
    size_t size;
    const weir_allocator *allocator;
    const uint32_t *stop_ids;  /* replaces what the files name; NULL: as the files say */
    uint32_t stop_count;
    uint32_t logits_width;     /* columns of a row of logits; 0: the token count. May be smaller or larger */
} weir_vocab_options;
#define WEIR_VOCAB_OPTIONS_INIT { sizeof(weir_vocab_options), NULL, NULL, 0, 0 }

/* A vocabulary from byte strings: tokens[i] is token id i. Copies everything. Stop ids at or above token_count
 * are accepted when they are below logits_width. Any thread. Free with weir_vocab_destroy. */
WEIR_API weir_status weir_vocab_create(const weir_token *tokens, uint32_t token_count, const weir_vocab_options *options,
                                       weir_vocab **out, weir_error *error);
/* A vocabulary from a file, plain or gzip; the kind is detected from its content: a tiktoken rank file, a Hugging Face
 * tokenizer.json or (byte-level) vocab.json, a sentencepiece model, a GGUF model or vocabulary, or a *.meta.json that
 * names its `vocab_file`. Beside NAME.KIND stands NAME.meta.json, or else NAME.tokenizer_config.json,
 * NAME.special_tokens_map.json and NAME.generation_config.json, as far as they exist; beside tokenizer.json,
 * tokenizer.model and vocab.json the same without NAME. They name special tokens and stop ids; where they name no stop
 * id, those of the sentencepiece or GGUF file hold; options->stop_ids replaces all. WEIR_ERROR_VOCAB when no stop id is
 * known, and for whatever does not tell the bytes of its tokens. Any thread. Free with weir_vocab_destroy. */
WEIR_API weir_status weir_vocab_load(const char *path, const weir_vocab_options *options, weir_vocab **out,
                                     weir_error *error);
/* The same from memory. `text` is the file's content, `meta` the content of one of the files beside it, or NULL. */
WEIR_API weir_status weir_vocab_from_memory(const void *text, size_t length, const void *meta, size_t meta_length,
                                            const weir_vocab_options *options, weir_vocab **out, weir_error *error);
/* The embedded byte-level BPE vocabulary of a few thousand tokens: everything runs without a download. */
WEIR_API weir_status weir_vocab_default(const weir_vocab_options *options, weir_vocab **out, weir_error *error);
/* Grammars compiled for it, and cached ones, keep it alive as long as they need it: the last that goes frees it, with its
 * allocator, in the thread that does so. Any thread. */
WEIR_API void weir_vocab_destroy(weir_vocab *vocab);

WEIR_API uint32_t weir_vocab_token_count(const weir_vocab *vocab);  /* highest id + 1, special tokens included */
WEIR_API uint32_t weir_vocab_logits_width(const weir_vocab *vocab);
/* 32-bit words of a mask: (logits_width + 31) / 32. */
WEIR_API uint32_t weir_vocab_mask_words(const weir_vocab *vocab);
/* Bytes of a token; borrowed until the vocabulary is destroyed. Ids out of range give length 0. */
WEIR_API const uint8_t *weir_vocab_token(const weir_vocab *vocab, uint32_t token, uint32_t *length);
WEIR_API bool weir_vocab_is_special(const weir_vocab *vocab, uint32_t token);
WEIR_API const uint32_t *weir_vocab_stop_ids(const weir_vocab *vocab, uint32_t *count);

typedef struct weir_vocab_report {
    uint32_t token_count, text_count, special_count;
    uint32_t hole_count;       /* ids below token_count that carry no token */
    uint32_t empty_count;      /* text tokens with no bytes: never allowed */
    uint32_t duplicate_count;  /* ids whose bytes another, lower id has too */
    uint32_t not_utf8_count;   /* tokens of two or more bytes that are not whole UTF-8 */
    uint32_t missing_byte_count;
    uint8_t missing_bytes[32]; /* bit b (byte b/8, bit b%8): no token is exactly the byte b */
    uint32_t longest_token;    /* bytes */
    uint32_t undecoded_count;  /* special ones among them whose bytes the file does not tell: never allowed as text */
    uint32_t long_count;       /* text tokens of more than 255 characters or 1,020 bytes: never allowed */
} weir_vocab_report;
/* The self-check: what is unusual in this vocabulary. Cheap; the counts are kept from creation. */
WEIR_API void weir_vocab_check(const weir_vocab *vocab, weir_vocab_report *report);

/* --- grammar ---------------------------------------------------------------------------------------------- */

typedef struct weir_grammar weir_grammar;

typedef enum weir_whitespace {
    WEIR_WHITESPACE_ANY = 0,     /* bounded runs between tokens, none before or after the value */
    WEIR_WHITESPACE_COMPACT = 1, /* {"a":1,"b":2} */
    WEIR_WHITESPACE_SPACED = 2,  /* {"a": 1, "b": 2}, as Python's json.dumps */
    WEIR_WHITESPACE_PRETTY = 3   /* one member a line, as json.dumps(indent=n) */
} weir_whitespace;

typedef enum weir_key_order {
    WEIR_ORDER_SCHEMA = 0, /* the order in which the schema lists them, then unlisted ones */
    WEIR_ORDER_ANY = 1     /* any; no key that the schema tells apart is repeated */
} weir_key_order;

typedef enum weir_objects {
    WEIR_OBJECTS_STANDARD = 0, /* open, as the standard says */
    WEIR_OBJECTS_CLOSED = 1    /* keys that no component lists are not written, unless additionalProperties allows */
} weir_objects;

typedef struct weir_grammar_options {
    size_t size;
    const weir_allocator *allocator;
    weir_whitespace whitespace;
    uint32_t indent;          /* of WEIR_WHITESPACE_PRETTY, 0..16 */
    uint32_t whitespace_run;  /* longest run of WEIR_WHITESPACE_ANY in bytes, 1..1024 */
    weir_key_order order;
    weir_objects objects;
    uint32_t depth_limit;     /* nesting of { and [, 1..1024 */
    bool strict;              /* recorded keywords are errors */
    uint32_t state_limit;     /* states of the machine; 0: 4,000,000 */
    size_t memory_limit;      /* bytes while compiling; 0: 512 MiB */
    uint64_t work_limit;      /* deterministic units of work, about 1e9 a second; 0: 850,000,000 */
    /* Called now and then while compiling with the units of work done; true cancels. May be NULL. */
    bool (*progress)(void *context, uint64_t work);
    void *progress_context;
    /* The JSON text of the schema document with this URI (no fragment; `uri` ends with NUL as well), for references that
     * leave the schema; NULL: not known. The URI is absolute unless neither the reference nor the schema's `$id` is. The text must stay until the compile ends. Never called for the
     * drafts' own metaschemas, which are built in. May be NULL: then such references are refused. */
    const char *(*resolve)(void *context, const char *uri, size_t uri_length, size_t *length);
    void *resolve_context;
} weir_grammar_options;
#define WEIR_GRAMMAR_OPTIONS_INIT                                                                                      \
    { sizeof(weir_grammar_options), NULL, WEIR_WHITESPACE_ANY, 2, 64, WEIR_ORDER_SCHEMA, WEIR_OBJECTS_STANDARD, 128,   \
      false, 0, 0, 0, NULL, NULL, NULL, NULL }

/* Compiles a JSON Schema (UTF-8 text, `length` bytes) for a vocabulary, which the grammar keeps alive. A schema
 * that nothing satisfies compiles; see weir_grammar_satisfiable. WEIR_ERROR_VOCAB when the vocabulary cannot write what
 * the schema needs; the message names the bytes it lacks. Any thread. Free with weir_grammar_destroy. */
WEIR_API weir_status weir_grammar_from_json_schema(const weir_vocab *vocab, const char *schema, size_t length,
                                                   const weir_grammar_options *options, weir_grammar **out,
                                                   weir_error *error);
/* One more reference to the grammar, which is returned; give each back with weir_grammar_destroy. Any thread; never
 * fails; NULL gives NULL. */
WEIR_API weir_grammar *weir_grammar_retain(weir_grammar *grammar);
/* Gives one reference back; the last frees the grammar, with its allocator, in the thread that calls. Any thread. */
WEIR_API void weir_grammar_destroy(weir_grammar *grammar);
WEIR_API const weir_vocab *weir_grammar_vocab(const weir_grammar *grammar);
/* false: no text satisfies the constraint; every mask of it is empty. */
WEIR_API bool weir_grammar_satisfiable(const weir_grammar *grammar);
/* Tokens that always suffice for a whole document, the stop token not counted; UINT32_MAX if unsatisfiable. */
WEIR_API uint32_t weir_grammar_least_tokens(const weir_grammar *grammar);

typedef enum weir_keyword_fate {
    WEIR_KEYWORD_ENFORCED = 0,
    WEIR_KEYWORD_RECORDED = 1, /* a standard keyword that could narrow the language and is not enforced */
    WEIR_KEYWORD_NOTED = 2     /* annotation or unknown keyword */
} weir_keyword_fate;

typedef struct weir_keyword_report {
    weir_keyword_fate fate;
    const char *pointer; /* JSON pointer of the schema object that holds the keyword */
    const char *keyword;
    const char *why;     /* for recorded ones; else "" */
} weir_keyword_report;
/* What became of every keyword of the schema, in the order of the text. Borrowed from the grammar. */
WEIR_API uint32_t weir_grammar_keyword_count(const weir_grammar *grammar, weir_keyword_fate fate);
WEIR_API uint32_t weir_grammar_report_count(const weir_grammar *grammar);
WEIR_API const weir_keyword_report *weir_grammar_report(const weir_grammar *grammar, uint32_t index);

typedef enum weir_row_kind {
    WEIR_ROW_EMPTY = 0,  /* nothing but a stop token */
    WEIR_ROW_LIST = 1,   /* a sorted list of tokens */
    WEIR_ROW_BASE = 2,   /* a base row shared by the vocabulary, and the tokens that differ */
    WEIR_ROW_BITMAP = 3, /* one bit a token */
    WEIR_ROW_FULL = 4    /* every text token */
} weir_row_kind;

typedef struct weir_grammar_stats {
    uint32_t state_count, edge_count, return_symbol_count, module_count;
    uint32_t row_count;            /* distinct rows */
    uint32_t state_rows[5];        /* states by weir_row_kind */
    uint32_t forced_state_count;   /* states with exactly one allowed token */
    uint32_t guarded_max;          /* guarded tokens of the row that has most */
    uint64_t guarded_sum;          /* over all distinct rows */
    uint32_t frame_words;          /* 32-bit words of one stack frame */
    uint64_t blob_bytes;           /* tables */
    uint64_t compile_work;         /* units of work spent */
    uint64_t rows_built_late;      /* rows built after compiling: always 0 */
    uint32_t sequence_words;       /* of 4 bytes, of a sequence in a device's slot, */
    uint32_t walk_words;           /* and least for looking at its tokens */
} weir_grammar_stats;
WEIR_API void weir_grammar_statistics(const weir_grammar *grammar, weir_grammar_stats *stats);

/* The compiled tables as one flat blob, borrowed until the grammar is destroyed: write them anywhere. */
WEIR_API const void *weir_grammar_tables(const weir_grammar *grammar, size_t *length);
/* A grammar from such a blob, for the same vocabulary (checked by hash). Copies. Damaged or foreign blobs give
 * WEIR_ERROR_TABLES. The keyword report is not part of the blob. */
WEIR_API weir_status weir_grammar_load(const weir_vocab *vocab, const void *tables, size_t length,
                                       const weir_allocator *allocator, weir_grammar **out, weir_error *error);

/* --- cache: grammars by content, shared by threads --------------------------------------------------------- */

/* A grammar is found by what it was made of: the bytes of the schema, every option that changes the result, and what
 * the vocabulary says (not which handle says it: weir_grammar_vocab may be an equal one); all of it is compared, never
 * only a hash. Whoever asks for what is being compiled already shares that compile. Results are kept up to a byte
 * limit, the least recently used goes first; a schema that is refused is kept too, with its error, in at most an eighth
 * of the limit. What was cancelled or ran out of memory is not kept. A grammar in use stays valid whatever the cache
 * forgets, also after weir_cache_destroy.
 *
 * A compile that asked options->resolve for a document is neither shared nor kept: what the resolver would say next
 * time is not known. One that did not need to ask is kept as any other. */
typedef struct weir_cache weir_cache;
typedef struct weir_job weir_job; /* a compile in the background, as one of those who wait for it sees it */

typedef struct weir_cache_options {
    size_t size;
    const weir_allocator *allocator; /* called by several threads at a time; must outlive cache, jobs and grammars */
    size_t byte_limit;               /* of what is kept: grammars, errors, keys; not vocabularies; 0: 512 MiB */
    uint32_t worker_count;           /* threads for weir_cache_start, begun when first needed; 0: 4; at most 256 */
} weir_cache_options;
#define WEIR_CACHE_OPTIONS_INIT { sizeof(weir_cache_options), NULL, 0, 0 }

/* An empty cache. NULL options mean the defaults. A cache does not survive fork(): make it afterwards. Free with
 * weir_cache_destroy. */
WEIR_API weir_status weir_cache_create(const weir_cache_options *options, weir_cache **out, weir_error *error);
/* Cancels what is under way, ends the workers and forgets everything. No other call on the cache may be under way; jobs
 * may, and stay valid until they are destroyed: those that were not done end as WEIR_ERROR_CANCELLED. */
WEIR_API void weir_cache_destroy(weir_cache *cache);
/* weir_grammar_from_json_schema through the cache: finds the grammar, waits for another thread that is compiling it, or
 * compiles it in this thread. options->allocator is not used. options->progress is called while this compiles or
 * waits; true leaves with WEIR_ERROR_CANCELLED, and the compile goes on elsewhere if others wait for it. Any thread.
 * *out is a reference of the caller's own: weir_grammar_destroy. */
WEIR_API weir_status weir_cache_get(weir_cache *cache, const weir_vocab *vocab, const char *schema, size_t length,
                                    const weir_grammar_options *options, weir_grammar **out, weir_error *error);
/* The same in the background: returns at once with a job, which is done already if the result is known. Copies the
 * schema and keeps the vocabulary alive. options->progress is not called; options->resolve is called by a worker and
 * must stay usable until weir_job_destroy returns. Jobs are begun in the order they came. Fails only for what is wrong
 * before the schema is read, or without memory or threads. Any thread. Free with weir_job_destroy. */
WEIR_API weir_status weir_cache_start(weir_cache *cache, const weir_vocab *vocab, const char *schema, size_t length,
                                      const weir_grammar_options *options, weir_job **out, weir_error *error);
/* Whether the job is done, asked for so many milliseconds: 0 only looks, a negative number waits until it is. Done
 * means that weir_job_result will not wait. Any thread, as all calls on a job but destroy; NULL is done. */
WEIR_API bool weir_job_wait(weir_job *job, int64_t milliseconds);
/* Units of work spent so far and at most (options->work_limit); the first never falls. Either may be NULL. */
WEIR_API void weir_job_progress(const weir_job *job, uint64_t *work, uint64_t *work_limit);
/* The job is done, with WEIR_ERROR_CANCELLED; one that was done before keeps its result. The compile ends within some
 * milliseconds unless others wait for it: it looks every million units of work. */
WEIR_API void weir_job_cancel(weir_job *job);
/* What the compile said; waits until the job is done. May be called again: each *out is a reference of its own, to free
 * with weir_grammar_destroy. */
WEIR_API weir_status weir_job_result(weir_job *job, weir_grammar **out, weir_error *error);
/* Cancels the job if it is not done. Before or after weir_cache_destroy. */
WEIR_API void weir_job_destroy(weir_job *job);

typedef struct weir_cache_stats {
    uint64_t hits;      /* requests that found a result */
    uint64_t joined;    /* requests that found the compile under way */
    uint64_t misses;    /* requests that began one */
    uint64_t evictions; /* results forgotten for the limit */
    size_t bytes, byte_limit;
    uint32_t grammar_count, refusal_count; /* kept */
    uint32_t queued_count, running_count;  /* compiles */
} weir_cache_stats;
/* The counts since creation, and what is there now. Any thread. */
WEIR_API void weir_cache_statistics(weir_cache *cache, weir_cache_stats *stats);
/* Forgets all results and the vocabularies that they keep alive; compiles under way go on. Any thread. */
WEIR_API void weir_cache_clear(weir_cache *cache);

/* --- matcher: one sequence on the CPU --------------------------------------------------------------------- */

typedef struct weir_matcher weir_matcher;

typedef struct weir_matcher_options {
    size_t size;
    const weir_allocator *allocator;
    uint32_t rollback_tokens; /* how many tokens can be taken back; at least 256 */
    uint32_t token_budget;    /* tokens for the whole document without the stop token; 0: no budget */
} weir_matcher_options;
#define WEIR_MATCHER_OPTIONS_INIT { sizeof(weir_matcher_options), NULL, 256, 0 }

/* A matcher at the start of the grammar, which must outlive it. WEIR_ERROR_UNSATISFIABLE when no document fits the
 * token budget. Free with weir_matcher_destroy. */
WEIR_API weir_status weir_matcher_create(const weir_grammar *grammar, const weir_matcher_options *options,
                                         weir_matcher **out, weir_error *error);
WEIR_API void weir_matcher_destroy(weir_matcher *matcher);
/* A copy with the same state, budget and rollback history. */
WEIR_API weir_status weir_matcher_clone(const weir_matcher *matcher, weir_matcher **out, weir_error *error);
/* Moves a matcher to the state of another one of the same grammar. Its own budget goes on to hold, less what `from` has
 * taken (WEIR_ERROR_UNSATISFIABLE where that is too little; nothing changes then); its history begins there. */
WEIR_API weir_status weir_matcher_assign(weir_matcher *matcher, const weir_matcher *from, weir_error *error);
WEIR_API void weir_matcher_reset(weir_matcher *matcher);
/* Advances by one token. A stop token is taken only where the text is complete; after it the matcher is stopped and
 * takes nothing more. WEIR_ERROR_TOKEN leaves the state as it was. */
WEIR_API weir_status weir_matcher_accept(weir_matcher *matcher, uint32_t token, weir_error *error);
WEIR_API const weir_grammar *weir_matcher_grammar(const weir_matcher *matcher);
/* How many of the tokens could be accepted one after the other; changes nothing. */
WEIR_API uint32_t weir_matcher_validate(weir_matcher *matcher, const uint32_t *tokens, uint32_t count);
/* Takes the last `count` accepted tokens back, a stop token included. WEIR_ERROR_ARGUMENT beyond the history, which has at
 * least the newest rollback_tokens, less those that were taken back; fewer only where a grammar's frames are so wide that
 * 8 MiB do not hold so many. */
WEIR_API weir_status weir_matcher_rollback(weir_matcher *matcher, uint32_t count, weir_error *error);
/* The mask of the next token: words[token/32] bit token%32 = allowed; word_count >= weir_vocab_mask_words, words
 * beyond it are cleared. Stop ids are set where the text is complete. A stopped matcher gives an empty mask. */
WEIR_API weir_status weir_matcher_fill_mask(weir_matcher *matcher, uint32_t *words, size_t word_count, weir_error *error);
/* The bytes that every continuation begins with, up to `capacity`; *length gets their number. 0 where the text may
 * end here. */
WEIR_API weir_status weir_matcher_forced_bytes(weir_matcher *matcher, uint8_t *bytes, size_t capacity, size_t *length,
                                               weir_error *error);
WEIR_API bool weir_matcher_is_accepting(const weir_matcher *matcher); /* the text so far is complete */
WEIR_API bool weir_matcher_is_stopped(const weir_matcher *matcher);   /* a stop token was taken */
WEIR_API uint32_t weir_matcher_history(const weir_matcher *matcher);  /* tokens that can be taken back, up to rollback_tokens */
WEIR_API uint32_t weir_matcher_token_count(const weir_matcher *matcher); /* tokens accepted since the start */
/* The row that decides the next token: its kind, and how many of its tokens are guarded. */
WEIR_API weir_row_kind weir_matcher_row(const weir_matcher *matcher, uint32_t *guarded_count);
/* Tokens that always suffice to finish from here, the stop token not counted. */
WEIR_API uint32_t weir_matcher_least_tokens(const weir_matcher *matcher);

/* Batch forms: matchers[i], count of them; a NULL matcher is a row without a constraint (all bits of its
 * `stride` words). masks: [count, stride] words. statuses: [count] or NULL. A failing row never harms another; the
 * first failure is returned with error.row. */
WEIR_API weir_status weir_matcher_fill_masks(weir_matcher *const *matchers, size_t count, uint32_t *masks, size_t stride,
                                             weir_status *statuses, weir_error *error);
WEIR_API weir_status weir_matcher_accept_tokens(weir_matcher *const *matchers, const uint32_t *tokens, size_t count,
                                                weir_status *statuses, weir_error *error);

/* --- sampler: a batch ------------------------------------------------------------------------------------- */

typedef struct weir_sampler weir_sampler;

typedef enum weir_device_variant {
    WEIR_DEVICE_AUTO = 0,     /* chosen for each step by rows, columns and type */
    WEIR_DEVICE_STREAMED = 1, /* every pass reads the logits again: any size */
    WEIR_DEVICE_RESIDENT = 2  /* they are read once and stay on chip; WEIR_ERROR_DEVICE where they do not fit */
} weir_device_variant;

/* A sampler whose slots lie in the memory of a CUDA device. Of a 0 the default is meant. */
typedef struct weir_device_options {
    size_t size;
    void *memory;             /* [weir_sampler_device_bytes] of the current device, aligned to 256; stays the caller's */
    size_t bytes;             /* of it; more than weir_sampler_device_bytes says makes the pool larger */
    size_t pool_bytes;        /* for grammars and vocabularies; 256 MiB */
    uint32_t grammar_count;   /* grammars on the device at a time; 1,024 */
    uint32_t sequence_words;  /* of 4 bytes, for the state of a sequence; 4,096. weir_grammar_stats says what one takes */
    uint32_t walk_words;      /* for looking at tokens; 16,384 */
    uint32_t log_words;       /* what rollback remembers; 16 a token */
    uint32_t stop_capacity;   /* stop ids of a slot; 64 */
    uint32_t bias_capacity;   /* logit biases of a slot; 1,024 */
    uint32_t bad_word_tokens; /* tokens of its bad words of two or more, and one more for each; 1,024 */
    weir_device_variant variant;
    uint32_t cluster;         /* blocks that share a row: 1, 2, 4, 8 or 16; chosen for each step */
    uint32_t front;           /* the largest logits of a row that one block draws from, where that is enough; 512, at most */
} weir_device_options;
#define WEIR_DEVICE_OPTIONS_INIT { sizeof(weir_device_options), NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, WEIR_DEVICE_AUTO, 0, 0 }

typedef struct weir_sampler_options {
    size_t size;
    const weir_allocator *allocator;
    uint32_t slot_count;      /* sequences held at a time */
    uint32_t logits_width;    /* columns of a row of logits; all are legal where a slot has no constraint, so padding
                               * beyond the vocabulary belongs into the stride */
    uint32_t rollback_tokens; /* how many tokens of a sequence can be taken back; at least 256 */
    uint32_t counted_tokens;  /* distinct tokens that a slot can count for penalties; 0: 4,096 */
    const weir_device_options *device; /* NULL: the CPU backend */
} weir_sampler_options;
#define WEIR_SAMPLER_OPTIONS_INIT { sizeof(weir_sampler_options), NULL, 0, 0, 256, 0, NULL }

/* Bytes of device memory that a sampler with options->device takes; memory and bytes of the latter are not read. */
WEIR_API weir_status weir_sampler_device_bytes(const weir_sampler_options *options, size_t *bytes, weir_error *error);
/* A sampler on the CPU or, with options->device, on the current CUDA device. There the arrays of batch calls are device
 * memory, the calls only enqueue work in the sampler's stream (weir_sampler_set_stream), and what is wrong with a row is
 * its status, never an error. Binding, uploading and the like are for outside of a captured graph; steps may be captured.
 * Free with weir_sampler_destroy, once nothing is enqueued any more. */
WEIR_API weir_status weir_sampler_create(const weir_sampler_options *options, weir_sampler **out, weir_error *error);
WEIR_API void weir_sampler_destroy(weir_sampler *sampler);

typedef struct CUstream_st *weir_stream; /* the same type as cudaStream_t */
/* The stream in which the later calls of a device sampler work; NULL: the default stream. On the CPU backend every call
 * is done when it returns: the stream is not used, and any value will do. The stream stays the caller's. */
WEIR_API weir_status weir_sampler_set_stream(weir_sampler *sampler, weir_stream stream, weir_error *error);

/* Brings a grammar to the device ahead of its first binding, in a stream of the caller's that does not hold up the
 * sampler's. It stays until its place is needed and no slot is bound to it. Nothing on the CPU backend. */
WEIR_API weir_status weir_sampler_upload(weir_sampler *sampler, const weir_grammar *grammar, weir_stream stream,
                                         weir_error *error);

typedef struct weir_logit_bias {
    uint32_t token;
    float bias; /* finite; added to the logit. It never masks: a ban is a bad word of one token */
} weir_logit_bias;

typedef struct weir_token_run {
    const uint32_t *tokens;
    uint32_t count;
} weir_token_run;

/* What holds for a whole sequence. Arrays are copied.
 *
 * allowed_tokens, bad_words, min_tokens and ignore_stop narrow what the constraint leaves. Where they leave nothing
 * but the constraint allows a stop token, the sequence takes it (WEIR_ROW_STATUS_STOP_FORCED) and does not fail. */
typedef struct weir_slot_options {
    size_t size;
    const weir_grammar *grammar;  /* NULL: no constraint. Must outlive the binding */
    uint32_t token_budget;        /* as weir_matcher_options.token_budget */
    uint64_t seed;                /* of the request */
    const uint32_t *stop_ids;     /* NULL: the vocabulary's */
    uint32_t stop_count;
    uint32_t min_tokens;          /* no stop token before so many tokens were taken */
    bool ignore_stop;             /* no stop token ever */
    bool count_tokens;            /* count what is taken, which penalties need */
    const uint32_t *allowed_tokens; /* NULL: every token. Stop tokens only where they are listed */
    uint32_t allowed_count;
    const weir_token_run *bad_words; /* runs of 1 to 64 tokens; the last one of a run is not taken behind the others */
    uint32_t bad_word_count;
    const weir_logit_bias *bias;  /* of a token named twice: their sum, added one after the other */
    uint32_t bias_count;
    const uint32_t *prompt_tokens; /* counted as prompt; needs count_tokens */
    size_t prompt_count;
    const uint32_t *tokens;       /* output so far (a preempted request): taken before the first step */
    size_t token_count;
    size_t first_token;           /* for weir_sampler_catch_up: tokens of the request's line before the sequence's own,
                                   * which is the prompt; at most INT32_MAX */
} weir_slot_options;
#define WEIR_SLOT_OPTIONS_INIT                                                                                         \
    { sizeof(weir_slot_options), NULL, 0, 0, NULL, 0, 0, false, false, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0 }

/* Binds a slot to a new sequence; what it held before is forgotten. On failure the slot keeps what it held.
 * WEIR_ERROR_TOKEN when one of options->tokens is not allowed, WEIR_ERROR_LIMIT when the prompt has more distinct
 * tokens than sampler_options.counted_tokens; of options->tokens those beyond are not counted, as in a step. */
WEIR_API weir_status weir_sampler_bind(weir_sampler *sampler, uint32_t slot, const weir_slot_options *options,
                                       weir_error *error);
WEIR_API weir_status weir_sampler_release(weir_sampler *sampler, uint32_t slot, weir_error *error);
/* Back to the start of the sequence: as bound, without any output token. */
WEIR_API weir_status weir_sampler_reset(weir_sampler *sampler, uint32_t slot, weir_error *error);
/* Binds `to` to a copy of the sequence of `from`, history and counts included, with a seed of its own (n > 1). On
 * failure `to` keeps what it held. */
WEIR_API weir_status weir_sampler_fork(weir_sampler *sampler, uint32_t from, uint32_t to, uint64_t seed,
                                       weir_error *error);
/* A matcher in the state of the slot's constraint, to go on elsewhere; after a stop token of the slot's own it has taken
 * one of the vocabulary's. WEIR_ERROR_ARGUMENT for a slot without a constraint. Free with weir_matcher_destroy. */
WEIR_API weir_status weir_sampler_export(weir_sampler *sampler, uint32_t slot, weir_matcher **out, weir_error *error);
/* Moves a bound slot to the state of a matcher of the same grammar, as weir_matcher_assign; the position becomes its
 * token count. A matcher does not know its tokens: counts are those of the prompt, bad words see none of them, and none
 * can be taken back. */
WEIR_API weir_status weir_sampler_import(weir_sampler *sampler, uint32_t slot, const weir_matcher *matcher,
                                         weir_error *error);

enum { /* weir_sampling.flags: the orders of other samplers */
    WEIR_SAMPLING_MIN_P_FIRST = 1,        /* min-p before top-k and top-p, as vLLM */
    WEIR_SAMPLING_JOINT = 2,              /* top-p as a share of all, not of what top-k kept, as SGLang */
    WEIR_SAMPLING_TEMPERATURE_FIRST = 4   /* temperature before penalties, as TensorRT-LLM */
};

typedef struct weir_sampling {
    float temperature; /* 0: argmax; INFINITY: uniform over the allowed */
    float top_p;       /* (0, 1]; 1: off */
    float min_p;       /* [0, 1); 0: off */
    uint32_t top_k;    /* 0: off */
    float repetition_penalty; /* of tokens in prompt or output: a positive logit is divided by it, another multiplied
                               * (Keskar et al., CTRL, 2019); 1 or 0: off */
    float frequency_penalty;  /* subtracted for each time a token is in the output (OpenAI); 0: off */
    float presence_penalty;   /* subtracted once if it is; 0: off */
    uint32_t flags;           /* WEIR_SAMPLING_* */
} weir_sampling;
#define WEIR_SAMPLING_INIT { 1.0f, 1.0f, 0.0f, 0, 1.0f, 0.0f, 0.0f, 0 }

enum {
    WEIR_ROW_STATUS_OK = 0,
    WEIR_ROW_STATUS_IDLE = 1,         /* slot -1: nothing was done */
    WEIR_ROW_STATUS_NO_TOKEN = 2,     /* no legal token: token -1; so in every later step, until the sequence is rolled
                                       * back (by 0 tokens, if they are right) or reset */
    WEIR_ROW_STATUS_STOPPED = 4,      /* the sequence has taken its stop token */
    WEIR_ROW_STATUS_REJECTED = 8,     /* not done: advance, the token is not allowed; rollback, the history is shorter;
                                       * catch up, either. What it leaves is said there */
    WEIR_ROW_STATUS_STOP_FORCED = 16, /* the stop token was taken against min_tokens and the like: nothing else is legal */
    WEIR_ROW_STATUS_COUNTS_FULL = 32, /* the token is not counted: the slot counts counted_tokens others already */
    WEIR_ROW_STATUS_SKIPPED = 64,     /* a position behind the last of a row with drafts: token -1; nothing was done */
    WEIR_ROW_STATUS_INVALID = 128     /* on a device: the slot is not bound, or the row's settings are out of range; nothing
                                       * was done. On the CPU that is an error of the call */
};

typedef enum weir_dtype { WEIR_DTYPE_F32 = 0, WEIR_DTYPE_F16 = 1, WEIR_DTYPE_BF16 = 2 } weir_dtype;

#define WEIR_TOP_LOGPROBS_MOST 1024
#define WEIR_DRAFTS_MOST       64

/* With draft_count k > 0 a row has k + 1 positions, and where it says [row_count] here it has that many for each row, one
 * row behind the other: [row_count, k + 1]. slots, sampling and drafts stay one a row. */
typedef struct weir_step {
    size_t size;
    size_t row_count;
    const int32_t *slots;           /* [row_count]; -1: idle row. A slot may appear once */
    const void *logits;             /* [row_count, logits_stride] of dtype, logits_width columns used; not changed */
    size_t logits_stride;           /* elements */
    const weir_sampling *sampling;  /* [row_count], sampling_stride bytes apart; NULL: the defaults */
    int32_t *tokens;                /* [row_count] out */
    float *logprobs;                /* [row_count] out or NULL: natural logarithms */
    uint32_t *statuses;             /* [row_count] out or NULL: WEIR_ROW_STATUS_* */
    weir_dtype dtype;               /* of logits, which are aligned to an element */
    bool raw_logprobs;              /* log-probabilities of the untouched logits, not of what the draw was from. Reads
                                     * every column of every row */
    const uint32_t *masks;          /* [row_count, masks_stride] words or NULL: what the caller allows, bit 1; beside
                                     * the slot's own constraint */
    size_t masks_stride;            /* words */
    uint32_t top_count;             /* the likeliest tokens to report, up to WEIR_TOP_LOGPROBS_MOST */
    int32_t *top_tokens;            /* [row_count, top_count] out, likeliest first; -1 where there are no more */
    float *top_logprobs;            /* [row_count, top_count] out; -INFINITY where there are no more */
    float *allowed_mass;            /* [row_count] out or NULL: the probability, by the untouched logits, of all tokens
                                     * that were legal; in steps of about 2^-32. Reads every column of every row */
    size_t sampling_stride;         /* bytes; 0: sizeof(weir_sampling) */
    const int32_t *drafts;          /* [row_count, draft_count] tokens that were guessed; -1: no more in this row */
    size_t draft_count;             /* up to WEIR_DRAFTS_MOST; 0: none */
} weir_step;
#define WEIR_STEP_INIT                                                                                                 \
    { sizeof(weir_step), 0, NULL, NULL, 0, NULL, NULL, NULL, NULL, WEIR_DTYPE_F32, false, NULL, 0, 0, NULL, NULL, NULL, \
      0, NULL, 0 }

/* One step of the batch: mask -> bias -> penalties -> temperature -> top-k -> top-p -> min-p -> draw -> advance. No
 * allocation. A row's result depends on its logits, its slot and its sampling alone: not on its place, the other rows,
 * strides, the machine or its floating-point mode. kernels/cpu.c says what each setting means.
 *
 * With drafts: what a plain step would give at each position in turn, as long as the token that the last one took is the
 * draft. The positions behind are SKIPPED, and the sequence has advanced by the tokens given. */
WEIR_API weir_status weir_sampler_step(weir_sampler *sampler, const weir_step *step, weir_error *error);
/* Masks only: [row_count, stride] words, as weir_matcher_fill_mask; what a step would choose from. */
WEIR_API weir_status weir_sampler_masks(weir_sampler *sampler, const int32_t *slots, size_t row_count, uint32_t *masks,
                                        size_t stride, weir_error *error);
/* Advances by given tokens (what an engine chose itself). The constraint must allow them; bans of the request
 * (allowed_tokens, bad_words, min_tokens, ignore_stop) do not bind what the caller gives. statuses: [row_count], or NULL:
 * then a token that is not allowed is WEIR_ERROR_TOKEN. */
WEIR_API weir_status weir_sampler_advance(weir_sampler *sampler, const int32_t *slots, const int32_t *tokens,
                                          size_t row_count, uint32_t *statuses, weir_error *error);
/* Takes the last counts[row] tokens of each row's sequence back, a stop token included. Of the newest rollback_tokens
 * those can be taken back that have not been. A row that asks for more is REJECTED and unchanged, the others are done.
 * statuses: [row_count], or NULL: then such a row is WEIR_ERROR_ARGUMENT, after all others were done. */
WEIR_API weir_status weir_sampler_rollback(weir_sampler *sampler, const int32_t *slots, const uint32_t *counts,
                                           size_t row_count, uint32_t *statuses, weir_error *error);
/* Masks logits [row_count, logits_stride] in place: a column below logits_width that weir_sampler_masks would not allow
 * becomes -infinity (of a sequence that has stopped, all); every other keeps its bits, as do idle rows. Aligned to an
 * element. No allocation. */
WEIR_API weir_status weir_sampler_mask_logits(weir_sampler *sampler, const int32_t *slots, size_t row_count, void *logits,
                                              size_t logits_stride, weir_dtype dtype, weir_error *error);

typedef struct weir_catch_up {
    size_t size;
    size_t row_count;
    const int32_t *slots;    /* [row_count]; -1: idle row. A slot may appear once */
    const int32_t *tokens;   /* [line_count, tokens_stride] all tokens of all requests, each from its prompt on */
    size_t tokens_stride;    /* elements */
    const int32_t *lengths;  /* [line_count] tokens of the line that are known, prompt included */
    size_t line_count;
    const int32_t *lines;    /* [row_count] the line that a row reads, or NULL: the one with its slot's number */
    uint32_t *statuses;      /* [row_count] out or NULL: WEIR_ROW_STATUS_* */
} weir_catch_up;
#define WEIR_CATCH_UP_INIT { sizeof(weir_catch_up), 0, NULL, NULL, 0, NULL, 0, NULL, NULL }

/* Brings each row's sequence to the end of its line, as weir_sampler_advance token by token, or, where the line is shorter
 * than what was taken, as weir_sampler_rollback. Its token p stands in column first_token + p; those already taken are not
 * read again. A negative token is not known yet: the row ends there. REJECTED: a token that is not allowed (the slot
 * stands before it); a length that the history does not reach, that is negative or beyond tokens_stride, or a line that
 * does not exist (the slot is unchanged). statuses NULL: such a row is WEIR_ERROR_TOKEN or, of the latter kinds,
 * WEIR_ERROR_ARGUMENT, after all others were done. No allocation. */
WEIR_API weir_status weir_sampler_catch_up(weir_sampler *sampler, const weir_catch_up *catch_up, weir_error *error);

typedef struct weir_draft_masks {
    size_t size;
    size_t row_count;
    const int32_t *slots;   /* [row_count]; -1: idle row. A slot may appear once */
    const int32_t *drafts;  /* [row_count, draft_count] tokens that were guessed; -1: no more in this row */
    size_t draft_count;     /* up to WEIR_DRAFTS_MOST */
    uint32_t *masks;        /* [row_count, draft_count + 1, masks_stride] words out, or NULL */
    size_t masks_stride;    /* words */
    uint32_t *valid_counts; /* [row_count] out or NULL */
} weir_draft_masks;
#define WEIR_DRAFT_MASKS_INIT { sizeof(weir_draft_masks), 0, NULL, NULL, 0, NULL, 0, NULL }

/* What may follow drafts, for a rejection sampler of the caller's own. valid_counts: the length of the longest prefix of a
 * row's drafts in which each is one that a step could choose there, bans of the request included. Mask j is what a step
 * would choose from behind the first j of these; masks behind the last of them are 0. Of idle rows the count is 0 and the
 * masks are untouched. The slots are as they were: state, counts, and every token that could be taken back. No
 * allocation. */
WEIR_API weir_status weir_sampler_draft_masks(weir_sampler *sampler, const weir_draft_masks *draft_masks,
                                              weir_error *error);

#ifdef __cplusplus
}
#endif
#endif
