/* vocab_load.c - a vocabulary file in, a weir_vocab out: which kind it is, and which file beside it says the stop ids.
 *
 *   NAME.tiktoken[.gz]         base64 SPACE id lines     } with NAME.meta.json or NAME.tokenizer_config.json
 *   NAME.tokenizer.json[.gz]   Hugging Face              }
 *   NAME.meta.json             names its vocab_file
 *
 * The kind is decided by content, the companion by the path. */
#include "vocab_load.h"

#include <stdio.h>
#include <string.h>

typedef enum source_kind { SOURCE_TIKTOKEN, SOURCE_HUGGINGFACE, SOURCE_META } source_kind;

typedef struct source {
    const char *name; /* for messages */
    vocab_text text;
    const json *root; /* NULL: not JSON */
    source_kind kind;
} source;

typedef struct loader {
    weir_allocator allocator;
    weir_vocab_options options;
    arena arena;
    vocab_draft draft;
    source vocab, meta;
    bool has_meta;
    const char *looked_for; /* companions, for the message when none names a stop id */
} loader;

static weir_status loader_init(loader *loader, const weir_vocab_options *options, weir_error *error);
static void loader_free(loader *loader);
static weir_status open_path(loader *loader, const char *path, weir_error *error);
static weir_status open_vocab_file(loader *loader, const char *meta_path, weir_error *error);
static weir_status open_companion(loader *loader, const char *path, weir_error *error);
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
    loader_free(&loader);
    return status;
}

weir_status weir_vocab_from_memory(const void *text, size_t length, const void *meta, size_t meta_length,
                                   const weir_vocab_options *options, weir_vocab **out, weir_error *error) {
    loader loader;
    if (!out) return fail(error, WEIR_ERROR_ARGUMENT, "out is NULL; expected where to put the vocabulary");
    *out = NULL;
    if (!text) return fail(error, WEIR_ERROR_ARGUMENT, "text is NULL; expected a vocabulary file's content");
    TRY(loader_init(&loader, options, error));
    loader.vocab.name = "vocabulary";
    loader.meta.name = "meta";
    loader.has_meta = meta != NULL;
    loader.looked_for = "the meta file's content";
    weir_status status = vocab_text_copy(&loader.allocator, text, length, &loader.vocab.text, error);
    if (status == WEIR_OK) status = source_parse(&loader, &loader.vocab, error);
    if (status == WEIR_OK && loader.vocab.kind == SOURCE_META)
        status = fail(error, WEIR_ERROR_VOCAB, "the text is a meta file; expected the vocabulary file that it names");
    if (status == WEIR_OK && meta)
        status = vocab_text_copy(&loader.allocator, meta, meta_length, &loader.meta.text, error);
    if (status == WEIR_OK && meta) status = source_parse(&loader, &loader.meta, error);
    if (status == WEIR_OK) status = loader_finish(&loader, out, error);
    loader_free(&loader);
    return status;
}

static weir_status loader_init(loader *loader, const weir_vocab_options *options, weir_error *error) {
    memset(loader, 0, sizeof *loader);
    TRY(vocab_options_read(options, &loader->options, error));
    loader->allocator = allocator_or_default(loader->options.allocator);
    arena_init(&loader->arena, &loader->allocator, VOCAB_MEMORY_LIMIT);
    loader->draft.arena = &loader->arena;
    return WEIR_OK;
}

static void loader_free(loader *loader) {
    vocab_text_free(&loader->allocator, &loader->vocab.text);
    vocab_text_free(&loader->allocator, &loader->meta.text);
    arena_free(&loader->arena);
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
    if (loader->vocab.kind != SOURCE_META) return open_companion(loader, path, error);
    loader->meta = loader->vocab;
    loader->vocab = (source){0};
    loader->has_meta = true;
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
    const json *file = json_get(loader->meta.root, "vocab_file");
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

static weir_status open_companion(loader *loader, const char *path, weir_error *error) {
    const size_t folder = folder_length(path);
    size_t length = strlen(path);
    const char *meta_path, *config_path;
    strip(path, &length, ".gz");
    if (length - folder == strlen("tokenizer.json") && strip(path, &length, "tokenizer.json")) {
        config_path = meta_path = join(loader, path, length, "tokenizer_config.json");
    } else {
        if (!strip(path, &length, ".tiktoken") && !strip(path, &length, ".tokenizer.json"))
            strip(path, &length, ".json");
        meta_path = join(loader, path, length, ".meta.json");
        config_path = join(loader, path, length, ".tokenizer_config.json");
    }
    if (!meta_path || !config_path) return fail_memory(error);
    const char *either = join(loader, meta_path, strlen(meta_path), config_path == meta_path ? "" : " or ");
    if (either && config_path != meta_path) either = join(loader, either, strlen(either), config_path);
    if (!either) return fail_memory(error);
    loader->looked_for = either;

    bool missing;
    weir_error why; /* a file that is missing is no error */
    weir_status status = source_read(loader, meta_path, &loader->meta, &missing, &why);
    if (missing && config_path != meta_path) status = source_read(loader, config_path, &loader->meta, &missing, &why);
    loader->has_meta = !missing;
    if (missing) return WEIR_OK;
    if (status != WEIR_OK && error) *error = why;
    return status;
}

static weir_status source_read(loader *loader, const char *path, source *source, bool *missing, weir_error *error) {
    source->name = path;
    weir_status status = vocab_text_read(&loader->allocator, path, &source->text, missing, error);
    if (status != WEIR_OK) return with_name(status, path, error);
    return source_parse(loader, source, error);
}

static weir_status source_parse(loader *loader, source *source, weir_error *error) {
    const vocab_text *text = &source->text;
    size_t start = 0;
    while (start < text->length && strchr(" \t\r\n", text->bytes[start]) && text->bytes[start]) ++start;
    const bool is_config = source == &loader->meta;
    if (!is_config && (start == text->length || text->bytes[start] != '{')) {
        source->kind = SOURCE_TIKTOKEN;
        if (text->length >= 4 && memcmp(text->bytes, "GGUF", 4) == 0)
            return fail_at_byte(error, WEIR_ERROR_VOCAB, 0, "%.250s: a GGUF file; expected tiktoken or tokenizer.json",
                                source->name);
        return WEIR_OK;
    }
    const json_limits limits = {.length = VOCAB_FILE_LIMIT};
    weir_status status =
        json_parse((const char *)text->bytes, text->length, &limits, &loader->arena, &source->root, error);
    if (status != WEIR_OK) return with_name(status, source->name, error);
    if (is_config)
        source->kind = SOURCE_META;
    else if (json_get(source->root, "vocab_file"))
        source->kind = SOURCE_META;
    else
        source->kind = SOURCE_HUGGINGFACE;
    return WEIR_OK;
}

static weir_status loader_finish(loader *loader, weir_vocab **out, weir_error *error) {
    vocab_draft *draft = &loader->draft;
    const source *vocab = &loader->vocab;
    weir_status status = vocab->kind == SOURCE_TIKTOKEN
                             ? vocab_read_tiktoken(vocab->text.bytes, vocab->text.length, draft, error)
                             : vocab_read_huggingface(vocab->root, draft, error);
    if (status != WEIR_OK) return with_name(status, vocab->name, error);
    if (loader->has_meta) TRY(with_name(vocab_read_meta(loader->meta.root, draft, error), loader->meta.name, error));
    if (draft->stop_count == 0 && loader->options.stop_count == 0)
        return with_name(fail(error, WEIR_ERROR_VOCAB, "no stop id is known; expected one in the options or in %s",
                              loader->looked_for),
                         vocab->name, error);
    const uint32_t width = draft->vocab_size > draft->count ? draft->vocab_size : draft->count;
    status = vocab_build(draft->tokens, draft->count, width, draft->stop_ids, draft->stop_count, &loader->options, out,
                         error);
    return with_name(status, vocab->name, error);
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
