/* vocab_meta.c - NAME.meta.json or NAME.tokenizer_config.json in; special tokens, stop ids and sizes in the draft out.
 */
#include "vocab_load.h"

#include <string.h>

static weir_status read_special_tokens(const json *object, vocab_draft *draft, weir_error *error);
static weir_status read_stop_ids(const json *array, vocab_draft *draft, weir_error *error);
static weir_status read_added_tokens_decoder(const json *object, vocab_draft *draft, weir_error *error);
static weir_status read_eos_token(const json *eos, vocab_draft *draft, weir_error *error);

weir_status vocab_read_meta(const json *root, vocab_draft *draft, weir_error *error) {
    const json *special_tokens = json_get(root, "special_tokens"), *eos_ids = json_get(root, "eos_ids");
    const json *decoder = json_get(root, "added_tokens_decoder"), *eos_token = json_get(root, "eos_token");
    const json *size = json_get(root, "vocab_size");
    if (root->kind != JSON_OBJECT)
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, "", root->byte, "expected an object with eos_ids or eos_token");
    if (size && size->kind != JSON_NULL) {
        uint64_t value;
        if (!json_uint(size, &value) || value > VOCAB_TOKEN_LIMIT)
            return fail_at_pointer(error, WEIR_ERROR_VOCAB, "/vocab_size", size->byte, "expected a number up to %u",
                                   VOCAB_TOKEN_LIMIT);
        draft->vocab_size = (uint32_t)value;
    }
    if (special_tokens) TRY(read_special_tokens(special_tokens, draft, error));
    if (decoder) TRY(read_added_tokens_decoder(decoder, draft, error));
    if (eos_ids && eos_ids->kind != JSON_NULL) return read_stop_ids(eos_ids, draft, error);
    if (eos_token && eos_token->kind != JSON_NULL) return read_eos_token(eos_token, draft, error);
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

static weir_status read_stop_ids(const json *array, vocab_draft *draft, weir_error *error) {
    if (array->kind != JSON_ARRAY) return fail_node(array, error, "an array of stop ids");
    draft->stop_count = 0;
    if (array->count == 0) return WEIR_OK;
    draft->stop_ids = arena_allocate(draft->arena, array->count * sizeof *draft->stop_ids);
    if (!draft->stop_ids) return fail_memory(error);
    for (const json *item = array->child; item; item = item->next)
        TRY(vocab_read_id(item, array, "stop id", &draft->stop_ids[draft->stop_count++], error));
    return WEIR_OK;
}

/* {"id": {"content", "special"}} of tokenizer_config.json: adds what the vocabulary file lacks and marks what is
 * special; other text stays as the vocabulary file has it. */
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
        if (vocab_draft_has(draft, id) && !is_special) continue;
        if (vocab_draft_set(draft, id, content->text, content->length, is_special ? VOCAB_SPECIAL : 0) != WEIR_OK)
            return fail_memory(error);
    }
    return WEIR_OK;
}

/* A string or {"content"}: the special token with this text, else the lowest token that writes it. */
static weir_status read_eos_token(const json *eos, vocab_draft *draft, weir_error *error) {
    const json *text = eos->kind == JSON_OBJECT ? json_get(eos, "content") : eos;
    if (!text || text->kind != JSON_STRING) return fail_node(eos, error, "a string, or an object with a content");
    uint32_t found = VOCAB_NONE;
    for (uint32_t id = 0; id < draft->count; ++id) {
        const weir_token *token = &draft->tokens[id];
        if (token->flags & VOCAB_HOLE || token->length != text->length) continue;
        if (token->length > 0 && memcmp(token->bytes, text->text, text->length) != 0) continue;
        if (found == VOCAB_NONE) found = id;
        if (!(token->flags & VOCAB_SPECIAL)) continue;
        found = id;
        break;
    }
    if (found == VOCAB_NONE) return fail_node(text, error, "the text of a token of the vocabulary");
    draft->stop_ids = arena_allocate(draft->arena, sizeof *draft->stop_ids);
    if (!draft->stop_ids) return fail_memory(error);
    draft->stop_ids[0] = found;
    draft->stop_count = 1;
    return WEIR_OK;
}
