/* vocab_meta.c - a file beside a vocabulary in; special tokens, stop ids and sizes in the draft out.
 *
 *   meta.json                {"vocab_size", "special_tokens": {text: id}, "eos_ids": [id]}
 *   tokenizer_config.json    {"added_tokens_decoder": {"id": {"content", "special"}}, "eos_token": text, ...}
 *   special_tokens_map.json  {"eos_token": text, ...}
 *   generation_config.json   {"eos_token_id": id or [id]}
 */
#include "vocab_load.h"

#include <string.h>

static weir_status read_special_tokens(const json *object, vocab_draft *draft, weir_error *error);
static weir_status read_stop_ids(const json *ids, bool one, vocab_draft *draft, weir_error *error);
static weir_status read_added_tokens_decoder(const json *object, vocab_draft *draft, weir_error *error);
static weir_status mark_named_tokens(const json *root, vocab_draft *draft, weir_error *error);
static weir_status read_eos_token(const json *eos, vocab_draft *draft, weir_error *error);

/* Each special token is looked for among all tokens; 1,000 among 200,000 are less than this. */
#define COMPARES_LIMIT ((uint64_t)1 << 28)

static bool is_given(const json *value) {
    return value && value->kind != JSON_NULL;
}

weir_status vocab_read_meta(const json *root, vocab_draft *draft, weir_error *error) {
    const json *special_tokens = json_get(root, "special_tokens"), *eos_ids = json_get(root, "eos_ids");
    const json *decoder = json_get(root, "added_tokens_decoder"), *eos_token = json_get(root, "eos_token");
    const json *size = json_get(root, "vocab_size"), *eos_token_id = json_get(root, "eos_token_id");
    if (root->kind != JSON_OBJECT)
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, "", root->byte, "expected an object with eos_ids or eos_token");
    if (is_given(size)) {
        uint64_t value;
        if (!json_uint(size, &value) || value > VOCAB_TOKEN_LIMIT)
            return fail_at_pointer(error, WEIR_ERROR_VOCAB, "/vocab_size", size->byte, "expected a number up to %u",
                                   VOCAB_TOKEN_LIMIT);
        if (value > draft->vocab_size) draft->vocab_size = (uint32_t)value;
    }
    if (special_tokens) TRY(read_special_tokens(special_tokens, draft, error));
    if (decoder) TRY(read_added_tokens_decoder(decoder, draft, error));
    TRY(mark_named_tokens(root, draft, error));
    if (is_given(eos_ids)) return read_stop_ids(eos_ids, false, draft, error);
    if (is_given(eos_token_id)) TRY(read_stop_ids(eos_token_id, true, draft, error));
    if (is_given(eos_token)) TRY(read_eos_token(eos_token, draft, error));
    return WEIR_OK;
}

static weir_status fail_node(const json *node, weir_error *error, const char *expected) {
    char pointer[256];
    return fail_at_pointer(error, WEIR_ERROR_VOCAB, json_pointer(node, pointer, sizeof pointer), node->byte,
                           "expected %s", expected);
}

static weir_status fail_memory(weir_error *error) {
    return fail(error, WEIR_ERROR_MEMORY, "no memory for the special tokens");
}

weir_status vocab_read_id(const json *value, const json *holder, const char *what, uint32_t *id, weir_error *error) {
    char pointer[256];
    uint64_t number;
    if (!value)
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, json_pointer(holder, pointer, sizeof pointer), holder->byte,
                               "no %s; expected a token id", what);
    if (!json_uint(value, &number) || number >= VOCAB_TOKEN_LIMIT)
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, json_pointer(value, pointer, sizeof pointer), value->byte,
                               "%s: expected a token id, a whole number below %u", what, VOCAB_TOKEN_LIMIT);
    *id = (uint32_t)number;
    return WEIR_OK;
}

/* {text: id}. What the vocabulary file says of these ids gives way. */
static weir_status read_special_tokens(const json *object, vocab_draft *draft, weir_error *error) {
    if (object->kind != JSON_OBJECT) return fail_node(object, error, "an object of special token texts and their ids");
    for (const json *member = object->child; member; member = member->next) {
        uint32_t id;
        TRY(vocab_read_id(member, object, "special token", &id, error));
        if (member->key_length > VOCAB_LENGTH_LIMIT) return fail_node(member, error, "a text of at most 65535 bytes");
        if (vocab_draft_set(draft, id, member->key, member->key_length, VOCAB_SPECIAL) != WEIR_OK)
            return fail_memory(error);
    }
    return WEIR_OK;
}

/* An array of ids, or where `one` is true also a single id. */
static weir_status read_stop_ids(const json *ids, bool one, vocab_draft *draft, weir_error *error) {
    uint32_t id;
    if (one && ids->kind == JSON_NUMBER) {
        TRY(vocab_read_id(ids, ids, "stop id", &id, error));
        return vocab_draft_add_stop(draft, id, error);
    }
    if (ids->kind != JSON_ARRAY) return fail_node(ids, error, "an array of stop ids");
    for (const json *item = ids->child; item; item = item->next) {
        TRY(vocab_read_id(item, ids, "stop id", &id, error));
        TRY(vocab_draft_add_stop(draft, id, error));
    }
    return WEIR_OK;
}

/* {"id": {"content", "special"}} of tokenizer_config.json: adds what the vocabulary file lacks and marks what is
 * special; other text stays as the vocabulary file has it, unless that file is one which cannot know. */
static weir_status read_added_tokens_decoder(const json *object, vocab_draft *draft, weir_error *error) {
    if (object->kind != JSON_OBJECT) return fail_node(object, error, "an object of ids and their tokens");
    for (const json *member = object->child; member; member = member->next) {
        const json *content = json_get(member, "content"), *special = json_get(member, "special");
        uint32_t id = 0;
        for (const char *digit = member->key; *digit; ++digit) {
            if (*digit < '0' || *digit > '9') return fail_node(member, error, "a token id as the member's name");
            id = id * 10 + (uint32_t)(*digit - '0');
            if (id >= VOCAB_TOKEN_LIMIT) return fail_node(member, error, "a token id below 2097152");
        }
        if (!content || content->kind != JSON_STRING || member->key_length == 0)
            return fail_node(member, error, "an id as the name and a content that is a string");
        if (content->length > VOCAB_LENGTH_LIMIT) return fail_node(content, error, "a text of at most 65535 bytes");
        const bool is_special = special && special->kind == JSON_TRUE;
        if (vocab_draft_has(draft, id) && !is_special && !draft->added_is_plain) continue;
        if (vocab_draft_set(draft, id, content->text, content->length, is_special ? VOCAB_SPECIAL : 0) != WEIR_OK)
            return fail_memory(error);
    }
    return WEIR_OK;
}

/* A string or {"content"}, as both files write a token; NULL: neither. */
static const json *token_text(const json *token) {
    const json *text = token->kind == JSON_OBJECT ? json_get(token, "content") : token;
    return text && text->kind == JSON_STRING ? text : NULL;
}

/* The special token with this text, else the lowest token that writes it, else VOCAB_NONE. */
static uint32_t find_token(const vocab_draft *draft, const json *text) {
    uint32_t found = VOCAB_NONE;
    for (uint32_t id = 0; id < draft->count; ++id) {
        const weir_token *token = &draft->tokens[id];
        if (token->flags & VOCAB_HOLE || token->length != text->length) continue;
        if (token->length > 0 && memcmp(token->bytes, text->text, text->length) != 0) continue;
        if (token->flags & VOCAB_SPECIAL) return id;
        if (found == VOCAB_NONE) found = id;
    }
    return found;
}

/* A token that the configuration calls special is no text, whatever its own flag says. Not the padding token: models
 * name an ordinary one. */
static weir_status mark_named_tokens(const json *root, vocab_draft *draft, weir_error *error) {
    const json *more = json_get(root, "additional_special_tokens"), *bos = json_get(root, "bos_token");
    const uint64_t compares = is_given(more) ? (uint64_t)more->count * draft->count : 0;
    if (is_given(more) && (more->kind != JSON_ARRAY || compares > COMPARES_LIMIT))
        return fail_node(more, error, "an array of special tokens, far fewer than the vocabulary has");
    for (const json *token = is_given(more) ? more->child : NULL; token; token = token->next) {
        const json *text = token_text(token);
        if (!text) return fail_node(token, error, "a string, or an object with a content");
        const uint32_t id = find_token(draft, text);
        if (id != VOCAB_NONE) draft->tokens[id].flags |= VOCAB_SPECIAL;
    }
    const uint32_t id = is_given(bos) && token_text(bos) ? find_token(draft, token_text(bos)) : VOCAB_NONE;
    if (id != VOCAB_NONE) draft->tokens[id].flags |= VOCAB_SPECIAL;
    return WEIR_OK;
}

static weir_status read_eos_token(const json *eos, vocab_draft *draft, weir_error *error) {
    const json *text = token_text(eos);
    if (!text) return fail_node(eos, error, "a string, or an object with a content");
    const uint32_t id = find_token(draft, text);
    if (id == VOCAB_NONE) return fail_node(text, error, "the text of a token of the vocabulary");
    return vocab_draft_add_stop(draft, id, error);
}
