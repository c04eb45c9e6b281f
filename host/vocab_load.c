/* vocab_load.c - a vocabulary file in, a weir_vocab out: which kind it is, and which files beside it say the rest.
 *
 *   NAME.tiktoken               base64 SPACE id lines
 *   NAME.tokenizer.json         Hugging Face
 *   NAME.vocab.json             {text: id}, byte-level
 *   NAME.model                  sentencepiece
 *   NAME.gguf                   the metadata of a model
 *   NAME.meta.json              names its vocab_file
 *
 * each plain or gzip. The kind is decided by content, the companions by the path: NAME.meta.json, or else
 * NAME.tokenizer_config.json, NAME.special_tokens_map.json and NAME.generation_config.json; the same without NAME. */
#include "vocab_load.h"

#include <stdio.h>
#include <string.h>

typedef enum source_kind {
    SOURCE_TIKTOKEN,
    SOURCE_SENTENCEPIECE,
    SOURCE_GGUF,
    SOURCE_HUGGINGFACE,
    SOURCE_PAIRS,
    SOURCE_META
} source_kind;

typedef struct source {
    const char *name; /* for messages */
    vocab_text text;
    const json *root; /* NULL: not JSON */
    source_kind kind;
} source;

enum { COMPANION_COUNT = 3 };

typedef struct loader {
    weir_allocator allocator;
    weir_vocab_options options;
    arena arena;
    vocab_draft draft;
    source vocab, companions[COMPANION_COUNT];
    uint32_t companion_count;
    const char *looked_for; /* companions, for the message when none names a stop id */
} loader;

static weir_status loader_init(loader *loader, const weir_vocab_options *options, weir_error *error);
static weir_status loader_end(loader *loader, weir_status status, weir_error *error);
static weir_status open_path(loader *loader, const char *path, weir_error *error);
static weir_status open_vocab_file(loader *loader, const char *meta_path, weir_error *error);
static weir_status open_companions(loader *loader, const char *path, weir_error *error);
static weir_status source_read(loader *loader, const char *path, source *source, bool *missing, weir_error *error);
static weir_status source_parse(loader *loader, source *source, weir_error *error);
static weir_status loader_finish(loader *loader, weir_vocab **out, weir_error *error);

weir_status weir_vocab_load(const char *path, const weir_vocab_options *options, weir_vocab **out, weir_error *error) {
    loader loader;
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL; expected where to put the vocabulary");
    *out = NULL;
    if (!path) return fail(error, WEIR_ERROR_ARGUMENT, "path is NULL; expected a vocabulary file");
    TRY(loader_init(&loader, options, error));
    weir_status status = open_path(&loader, path, error);
    if (status == WEIR_OK) status = loader_finish(&loader, out, error);
    return loader_end(&loader, status, error);
}

weir_status weir_vocab_from_memory(const void *text, size_t length, const void *meta, size_t meta_length,
                                   const weir_vocab_options *options, weir_vocab **out, weir_error *error) {
    loader loader;
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL; expected where to put the vocabulary");
    *out = NULL;
    if (!text) return fail(error, WEIR_ERROR_ARGUMENT, "text is NULL; expected a vocabulary file's content");
    TRY(loader_init(&loader, options, error));
    source *companion = &loader.companions[0];
    loader.vocab.name = "vocabulary";
    companion->name = "meta";
    companion->kind = SOURCE_META;
    loader.companion_count = meta != NULL;
    loader.looked_for = "the meta file's content";
    weir_status status = vocab_text_copy(&loader.allocator, text, length, &loader.vocab.text, error);
    if (status == WEIR_OK) status = source_parse(&loader, &loader.vocab, error);
    if (status == WEIR_OK && loader.vocab.kind == SOURCE_META)
        status = fail(error, WEIR_ERROR_VOCAB, "the text is a meta file; expected the vocabulary file that it names");
    if (status == WEIR_OK && meta)
        status = vocab_text_copy(&loader.allocator, meta, meta_length, &companion->text, error);
    if (status == WEIR_OK && meta) status = source_parse(&loader, companion, error);
    if (status == WEIR_OK) status = loader_finish(&loader, out, error);
    return loader_end(&loader, status, error);
}

static weir_status loader_init(loader *loader, const weir_vocab_options *options, weir_error *error) {
    memset(loader, 0, sizeof *loader);
    TRY(vocab_options_read(options, &loader->options, error));
    loader->allocator = allocator_or_default(loader->options.allocator);
    arena_init(&loader->arena, &loader->allocator, VOCAB_MEMORY_LIMIT);
    loader->draft.arena = &loader->arena;
    return WEIR_OK;
}

/* Frees everything; a failure says whether it was the limit or the allocator that had no more memory. */
static weir_status loader_end(loader *loader, weir_status status, weir_error *error) {
    if (status == WEIR_ERROR_MEMORY && loader->arena.over_limit)
        status = fail(error, WEIR_ERROR_LIMIT, "reading the vocabulary needs more than %zu bytes of memory",
                      VOCAB_MEMORY_LIMIT);
    vocab_text_free(&loader->allocator, &loader->vocab.text);
    for (uint32_t i = 0; i < COMPANION_COUNT; ++i) vocab_text_free(&loader->allocator, &loader->companions[i].text);
    arena_free(&loader->arena);
    return status;
}

static weir_status fail_memory(weir_error *error) {
    return fail(error, WEIR_ERROR_MEMORY, "no memory for a vocabulary file");
}

/* Puts the file's name before the message of an error. */
static weir_status with_name(weir_status status, const char *name, weir_error *error) {
    if (status == WEIR_OK || status == WEIR_ERROR_MEMORY || !error) return status;
    char message[sizeof error->message];
    memcpy(message, error->message, sizeof message);
    snprintf(error->message, sizeof error->message, "%.250s: %.255s", name, message);
    return status;
}

static weir_status open_path(loader *loader, const char *path, weir_error *error) {
    TRY(source_read(loader, path, &loader->vocab, NULL, error));
    if (loader->vocab.kind != SOURCE_META) return open_companions(loader, path, error);
    loader->companions[loader->companion_count++] = loader->vocab;
    loader->vocab = (source){0};
    loader->looked_for = path;
    return open_vocab_file(loader, path, error);
}

static char *join(loader *loader, const char *start, size_t start_length, const char *end) {
    const size_t end_length = strlen(end);
    char *text = arena_allocate(&loader->arena, start_length + end_length + 1);
    if (!text) return NULL;
    memcpy(text, start, start_length);
    memcpy(text + start_length, end, end_length + 1);
    return text;
}

static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The vocab_file of a meta file stands in the meta file's folder. */
static weir_status open_vocab_file(loader *loader, const char *meta_path, weir_error *error) {
    const json *file = json_get(loader->companions[0].root, "vocab_file");
    if (file->kind != JSON_STRING || file->length == 0 || memchr(file->text, 0, file->length))
        return with_name(fail_at_pointer(error, WEIR_ERROR_VOCAB, "/vocab_file", file->byte, "expected a file's name"),
                         meta_path, error);
    const char *path = join(loader, meta_path, file->text[0] == '/' ? 0 : folder_length(meta_path), file->text);
    if (!path) return fail_memory(error);
    TRY(source_read(loader, path, &loader->vocab, NULL, error));
    if (loader->vocab.kind == SOURCE_META)
        return fail(error, WEIR_ERROR_VOCAB, "%.200s names %.200s, which is a meta file; expected a vocabulary",
                    meta_path, path);
    return WEIR_OK;
}

static bool strip(const char *path, size_t *length, const char *ending) {
    const size_t size = strlen(ending);
    if (*length < size || memcmp(path + *length - size, ending, size) != 0) return false;
    *length -= size;
    return true;
}

/* Where a path ends in the name that tools give such a file, what is in front of that name; else it is cut at `length`
 * and a point follows. */
static bool strip_file_name(const char *path, size_t *length) {
    static const char *const names[] = {"tokenizer.json", "tokenizer.model", "vocab.json"};
    static const char *const endings[] = {".tiktoken", ".model", ".gguf", ".json"};
    const size_t folder = folder_length(path);
    strip(path, length, ".gz");
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        const size_t whole = *length;
        if (!strip(path, length, names[i])) continue;
        if (*length == folder || path[*length - 1] == '.') return true;
        *length = whole;
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; ++i)
        if (strip(path, length, endings[i])) break;
    return false;
}

/* Reads a companion where it exists. */
static weir_status open_companion(loader *loader, const char *path, bool *found, weir_error *error) {
    source *companion = &loader->companions[loader->companion_count];
    bool missing;
    weir_error why; /* a file that is missing is no error */
    companion->kind = SOURCE_META;
    const weir_status status = source_read(loader, path, companion, &missing, &why);
    *found = !missing;
    if (missing) return WEIR_OK;
    ++loader->companion_count;
    if (status != WEIR_OK && error) *error = why;
    return status;
}

/* For the message when no file names a stop id; the vocabulary's own name says the folder. */
static weir_status note_companions(loader *loader, const char *front, bool bare, weir_error *error) {
    static const char format[] = "%s%s%s%stokenizer_config.json or %sgeneration_config.json";
    const size_t capacity = sizeof format + sizeof "meta.json, " + 3 * strlen(front);
    char *text = arena_allocate(&loader->arena, capacity);
    if (!text) return fail_memory(error);
    snprintf(text, capacity, format, bare ? "" : front, bare ? "" : "meta.json", bare ? "" : ", ", front, front);
    loader->looked_for = text;
    return WEIR_OK;
}

static weir_status open_companions(loader *loader, const char *path, weir_error *error) {
    static const char *const names[1 + COMPANION_COUNT] = {"meta.json", "tokenizer_config.json",
                                                           "special_tokens_map.json", "generation_config.json"};
    size_t length = strlen(path);
    const size_t folder = folder_length(path);
    const bool pointed = strip_file_name(path, &length), bare = length == folder;
    const char *front = join(loader, path, length, pointed ? "" : ".");
    bool found = false;
    if (!front) return fail_memory(error);
    TRY(note_companions(loader, front + folder, bare, error));
    for (size_t i = bare ? 1 : 0; i < sizeof names / sizeof *names; ++i) {
        const char *companion = join(loader, front, strlen(front), names[i]);
        if (!companion) return fail_memory(error);
        TRY(open_companion(loader, companion, &found, error));
        if (i > 0 || !found) continue;
        loader->looked_for = companion;
        return WEIR_OK;
    }
    return WEIR_OK;
}

static weir_status source_read(loader *loader, const char *path, source *source, bool *missing, weir_error *error) {
    source->name = path;
    weir_status status = vocab_text_read(&loader->allocator, path, &source->text, missing, error);
    if (status != WEIR_OK) return with_name(status, path, error);
    return source_parse(loader, source, error);
}

/* The kind of a file that is not JSON. A sentencepiece model begins with a field of bytes, numbered 1 to 5, and is no
 * text; of a tiktoken file the reader says what is wrong with it. */
static source_kind binary_kind(const vocab_text *text) {
    if (text->length >= 4 && memcmp(text->bytes, "GGUF", 4) == 0) return SOURCE_GGUF;
    if (text->length == 0 || !memchr("\x0a\x12\x1a\x22\x2a", text->bytes[0], 5)) return SOURCE_TIKTOKEN;
    for (size_t i = 0; i < text->length && i < 4096; ++i) {
        const uint8_t byte = text->bytes[i];
        if ((byte < ' ' && byte != '\n' && byte != '\r' && byte != '\t') || byte > '~') return SOURCE_SENTENCEPIECE;
    }
    return SOURCE_TIKTOKEN;
}

static weir_status source_parse(loader *loader, source *source, weir_error *error) {
    const vocab_text *text = &source->text;
    const bool is_companion = source->kind == SOURCE_META;
    size_t start = 0;
    while (start < text->length && strchr(" \t\r\n", text->bytes[start]) && text->bytes[start]) ++start;
    if (!is_companion && (start == text->length || text->bytes[start] != '{')) {
        source->kind = binary_kind(text);
        return WEIR_OK;
    }
    const json_limits limits = {.length = VOCAB_FILE_LIMIT};
    weir_status status =
        json_parse((const char *)text->bytes, text->length, &limits, &loader->arena, &source->root, error);
    if (status == WEIR_ERROR_JSON && !is_companion && text->bytes[0] == '\n' &&
        binary_kind(text) == SOURCE_SENTENCEPIECE) { /* "\n{" also begins a model, with a piece of 123 bytes */
        source->kind = SOURCE_SENTENCEPIECE;
        return WEIR_OK;
    }
    if (status != WEIR_OK) return with_name(status, source->name, error);
    if (is_companion) return WEIR_OK;
    if (vocab_is_pairs(source->root))
        source->kind = SOURCE_PAIRS;
    else
        source->kind = json_get(source->root, "vocab_file") ? SOURCE_META : SOURCE_HUGGINGFACE;
    return WEIR_OK;
}

static weir_status read_vocab(const source *vocab, vocab_draft *draft, weir_error *error) {
    const vocab_text *text = &vocab->text;
    switch (vocab->kind) {
    case SOURCE_TIKTOKEN: return vocab_read_tiktoken(text->bytes, text->length, draft, error);
    case SOURCE_SENTENCEPIECE: return vocab_read_sentencepiece(text->bytes, text->length, draft, error);
    case SOURCE_GGUF: return vocab_read_gguf(text->bytes, text->length, draft, error);
    case SOURCE_PAIRS: return vocab_read_pairs(vocab->root, draft, error);
    default: return vocab_read_huggingface(vocab->root, draft, error);
    }
}

/* What companions say of stop ids holds instead of what the vocabulary says. */
static weir_status read_companions(loader *loader, weir_error *error) {
    vocab_draft *draft = &loader->draft, own = *draft;
    draft->stop_ids = NULL;
    draft->stop_count = draft->stop_capacity = 0;
    for (uint32_t i = 0; i < loader->companion_count; ++i) {
        const source *companion = &loader->companions[i];
        TRY(with_name(vocab_read_meta(companion->root, draft, error), companion->name, error));
    }
    if (draft->stop_count > 0) return WEIR_OK;
    draft->stop_ids = own.stop_ids;
    draft->stop_count = own.stop_count;
    return WEIR_OK;
}

static weir_status loader_finish(loader *loader, weir_vocab **out, weir_error *error) {
    vocab_draft *draft = &loader->draft;
    const source *vocab = &loader->vocab;
    TRY(with_name(read_vocab(vocab, draft, error), vocab->name, error));
    TRY(read_companions(loader, error));
    if (vocab->kind == SOURCE_PAIRS) TRY(with_name(vocab_check_pairs(vocab->root, draft, error), vocab->name, error));
    if (draft->stop_count == 0 && loader->options.stop_count == 0)
        return with_name(fail(error, WEIR_ERROR_VOCAB, "no stop id is known; expected one in the options or in %s",
                              loader->looked_for),
                         vocab->name, error);
    const uint32_t width = draft->vocab_size > draft->count ? draft->vocab_size : draft->count;
    return with_name(vocab_build(draft->tokens, draft->count, width, draft->stop_ids, draft->stop_count,
                                 &loader->options, out, error),
                     vocab->name, error);
}

bool vocab_draft_has(const vocab_draft *draft, uint32_t id) {
    return id < draft->count && !(draft->tokens[id].flags & VOCAB_HOLE);
}

weir_status vocab_draft_set(vocab_draft *draft, uint32_t id, const void *bytes, uint32_t length, uint32_t flags) {
    if (id >= draft->capacity) {
        uint32_t capacity = draft->capacity ? draft->capacity * 2 : 1024;
        while (capacity <= id) capacity *= 2;
        weir_token *tokens = arena_allocate(draft->arena, capacity * sizeof *tokens);
        if (!tokens) return WEIR_ERROR_MEMORY;
        if (draft->count > 0) memcpy(tokens, draft->tokens, draft->count * sizeof *tokens);
        draft->tokens = tokens;
        draft->capacity = capacity;
    }
    for (; draft->count <= id; ++draft->count) draft->tokens[draft->count] = (weir_token){NULL, 0, VOCAB_HOLE};
    draft->tokens[id] = (weir_token){bytes, length, flags};
    return WEIR_OK;
}

weir_status vocab_draft_add_stop(vocab_draft *draft, uint32_t id, weir_error *error) {
    if (draft->stop_count == draft->stop_capacity) {
        const uint32_t capacity = draft->stop_capacity ? draft->stop_capacity * 2 : 8;
        uint32_t *stop_ids = arena_allocate(draft->arena, capacity * sizeof *stop_ids);
        if (!stop_ids) return fail(error, WEIR_ERROR_MEMORY, "no memory for %u stop ids", capacity);
        if (draft->stop_count > 0) memcpy(stop_ids, draft->stop_ids, draft->stop_count * sizeof *stop_ids);
        draft->stop_ids = stop_ids;
        draft->stop_capacity = capacity;
    }
    draft->stop_ids[draft->stop_count++] = id;
    return WEIR_OK;
}
