/* vocab_huggingface.c - a Hugging Face tokenizer.json or vocab.json in, a draft of the tokens out.
 *
 * A token's text becomes the bytes that it adds to the output, as the file's decoder says: the byte-level alphabet is
 * undone, or the metaspace mark becomes a space and <0xNN> the byte NN. What a decoder does to the whole text (a
 * stripped leading space) is not a token's. Decoders whose tokens write different bytes in different places are
 * refused. A vocab.json says nothing of a decoder: it is read as byte-level, and what cannot be that is refused. */
#include "vocab_load.h"
#include "vocab_piece.h"

#include <string.h>

enum { ADDED = 8 /* draft flag while reading: this id stood in added_tokens */ };

static weir_status find_alphabet(const json *root, const json *model, piece_alphabet *alphabet, weir_error *error);
static weir_status refuse_affixes(const json *model, weir_error *error);
static weir_status read_vocab(const json *vocab, const piece_alphabet *alphabet, uint32_t outside_flags,
                              vocab_draft *draft, weir_error *error);
static weir_status mark_unknown(const json *model, vocab_draft *draft, weir_error *error);
static weir_status read_added_tokens(const json *added, const piece_alphabet *alphabet, vocab_draft *draft,
                                     weir_error *error);

static weir_status fail_node(const json *node, weir_error *error, const char *message) {
    char pointer[256];
    return fail_at_pointer(error, WEIR_ERROR_VOCAB, json_pointer(node, pointer, sizeof pointer), node->byte, "%s",
                           message);
}

weir_status vocab_read_huggingface(const json *root, vocab_draft *draft, weir_error *error) {
    const json *model = json_get(root, "model"), *added = json_get(root, "added_tokens");
    const json *vocab = model ? json_get(model, "vocab") : NULL;
    piece_alphabet alphabet;
    if (!model || model->kind != JSON_OBJECT)
        return fail_at_pointer(
            error, WEIR_ERROR_VOCAB, "", root->byte,
            "no object \"model\"; expected a tokenizer.json, a vocab.json of texts and ids, or a meta file with "
            "\"vocab_file\"");
    if (!vocab)
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, "/model", model->byte,
                               "no \"vocab\"; expected the tokens and their ids");
    TRY(find_alphabet(root, model, &alphabet, error));
    TRY(refuse_affixes(model, error));
    TRY(read_vocab(vocab, &alphabet, 0, draft, error));
    TRY(mark_unknown(model, draft, error));
    if (added && added->kind != JSON_NULL) TRY(read_added_tokens(added, &alphabet, draft, error));
    return WEIR_OK;
}

/* Two numbers in front tell: "model" and "vocab_file" may be tokens too. */
bool vocab_is_pairs(const json *root) {
    const json *first = root->kind == JSON_OBJECT ? root->child : NULL, *second = first ? first->next : NULL;
    return second && first->kind == JSON_NUMBER && second->kind == JSON_NUMBER;
}

weir_status vocab_read_pairs(const json *root, vocab_draft *draft, weir_error *error) {
    piece_alphabet alphabet;
    uint32_t word_ends = 0;
    piece_byte_level(&alphabet);
    for (const json *entry = root->child; entry; entry = entry->next) {
        word_ends += entry->key_length > 4 && memcmp(entry->key + entry->key_length - 4, "</w>", 4) == 0;
        if (word_ends > root->count / 16)
            return fail_node(entry, error,
                             "tokens with </w>, a mark for the end of a word, would write different bytes in different "
                             "places; expected byte-level tokens");
    }
    draft->added_is_plain = true;
    return read_vocab(root, &alphabet, VOCAB_UNDECODED, draft, error);
}

weir_status vocab_check_pairs(const json *root, const vocab_draft *draft, weir_error *error) {
    for (const json *entry = root->child; entry; entry = entry->next) {
        uint32_t id = 0;
        TRY(vocab_read_id(entry, root, "vocab", &id, error));
        if (draft->tokens[id].flags & VOCAB_UNDECODED)
            return fail_node(
                entry, error,
                "nothing says which bytes this writes: it is no added token of a tokenizer_config.json and "
                "not in GPT-2's byte-level alphabet");
    }
    return WEIR_OK;
}

static weir_status fail_memory(weir_error *error) {
    return fail(error, WEIR_ERROR_MEMORY, "no memory for the tokens of a tokenizer.json");
}

static bool is_null(const json *value) {
    return !value || value->kind == JSON_NULL;
}

/* The first component of this type in a decoder, pre-tokenizer or normalizer, sequences searched. */
static const json *find_component(const json *component, const char *type) {
    static const char *const sequences[] = {"decoders", "pretokenizers", "normalizers"};
    if (is_null(component) || component->kind != JSON_OBJECT) return NULL;
    const json *name = json_get(component, "type");
    if (name && json_string_is(name, type)) return component;
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; ++i) {
        const json *parts = json_get(component, sequences[i]);
        for (const json *part = parts ? parts->child : NULL; part; part = part->next) {
            const json *found = find_component(part, type);
            if (found) return found;
        }
    }
    return NULL;
}

/* What the decoder, or where it is null its mirror before the model, makes a space; false: nothing does. */
static bool find_space(const json *decoder, const json *pre_tokenizer, const json *normalizer, const char **space,
                       uint32_t *space_length) {
    const bool mirrored = is_null(decoder);
    const json *metaspace = find_component(mirrored ? pre_tokenizer : decoder, "Metaspace");
    const json *replace = find_component(mirrored ? normalizer : decoder, "Replace");
    const json *pattern = replace ? json_get(replace, "pattern") : NULL;
    const json *from = pattern ? json_get(pattern, "String") : NULL;
    const json *to = replace ? json_get(replace, "content") : NULL;
    if (mirrored) {
        const json *swap = from;
        from = to;
        to = swap;
    }
    const json *mark = metaspace ? json_get(metaspace, "replacement") : from;
    if (!metaspace && (!from || !to || !json_string_is(to, " "))) return false;
    const bool given = mark && mark->kind == JSON_STRING && mark->length > 0;
    *space = given ? mark->text : PIECE_SPACE;
    *space_length = given ? mark->length : PIECE_SPACE_LENGTH;
    return given || metaspace;
}

/* Refuses decoders whose tokens do not write the same bytes everywhere: those that nobody here knows, a Strip that
 * sees single tokens, and a Replace that writes more than spaces. *fused: a Fuse has made one text of all tokens. */
static weir_status check_decoder(const json *decoder, bool *fused, weir_error *error) {
    static const char *const known[] = {"ByteLevel", "Metaspace", "ByteFallback", "Sequence",
                                        "Replace",   "Fuse",      "Strip"};
    const json *type = json_get(decoder, "type"), *parts = json_get(decoder, "decoders");
    const json *content = json_get(decoder, "content");
    size_t kind = 0, kind_count = sizeof known / sizeof *known;
    while (kind < kind_count && !(type && json_string_is(type, known[kind]))) ++kind;
    const bool replaces = kind == 4 && (!content || !json_string_is(content, " "));
    if (kind == kind_count || replaces || (kind == 6 && !*fused))
        return fail_node(decoder, error,
                         "its tokens write different bytes in different places; expected ByteLevel, Metaspace or "
                         "Replace with ByteFallback");
    if (kind == 5) *fused = true;
    if (kind == 3)
        for (const json *part = parts ? parts->child : NULL; part; part = part->next)
            TRY(check_decoder(part, fused, error));
    return WEIR_OK;
}

static weir_status find_alphabet(const json *root, const json *model, piece_alphabet *alphabet, weir_error *error) {
    const json *type = json_get(model, "type"), *decoder = json_get(root, "decoder");
    const json *pre_tokenizer = json_get(root, "pre_tokenizer"), *fallback = json_get(model, "byte_fallback");
    const char *space;
    uint32_t space_length;
    bool fused = false;
    if (!is_null(type) && !json_string_is(type, "BPE") && !json_string_is(type, "Unigram"))
        return fail_node(type, error, "model type that is not supported; expected \"BPE\" or \"Unigram\"");
    if (!is_null(decoder)) TRY(check_decoder(decoder, &fused, error));
    if (find_component(is_null(decoder) ? pre_tokenizer : decoder, "ByteLevel")) {
        piece_byte_level(alphabet);
        return WEIR_OK;
    }
    const bool byte_fallback = find_component(decoder, "ByteFallback") || (fallback && fallback->kind == JSON_TRUE);
    if (!find_space(decoder, pre_tokenizer, json_get(root, "normalizer"), &space, &space_length))
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, "/decoder", decoder ? decoder->byte : root->byte,
                               "nothing says which bytes the tokens write; expected a ByteLevel or Metaspace decoder, "
                               "or Replace with the content \" \"");
    piece_metaspace(alphabet, space, space_length, byte_fallback);
    return WEIR_OK;
}

static weir_status refuse_affixes(const json *model, weir_error *error) {
    static const char *const names[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < 2; ++i) {
        const json *affix = json_get(model, names[i]);
        if (!is_null(affix) && !json_string_is(affix, ""))
            return fail_node(affix, error, "tokens would write different bytes in different places; expected null");
    }
    return WEIR_OK;
}

/* The text of one entry: BPE {"text": id}, Unigram [["text", score], ...] with the place as id. */
static weir_status entry_text(const json *entry, bool pairs, const char **text, uint32_t *length, weir_error *error) {
    const json *string = pairs ? entry->child : entry;
    if (pairs && (entry->kind != JSON_ARRAY || !string || string->kind != JSON_STRING))
        return fail_node(entry, error, "expected a pair of a text and a score");
    *text = pairs ? string->text : entry->key;
    *length = pairs ? string->length : entry->key_length;
    if (*length > VOCAB_LENGTH_LIMIT) return fail_node(entry, error, "expected a token of at most 65535 bytes");
    return WEIR_OK;
}

/* Text outside a byte-level alphabet stands for itself, with flags that the caller chooses. */
static weir_status read_vocab(const json *vocab, const piece_alphabet *alphabet, uint32_t outside_flags,
                              vocab_draft *draft, weir_error *error) {
    const bool pairs = vocab->kind == JSON_ARRAY;
    const char *text;
    uint32_t length, id = 0;
    size_t total = 1;
    if (!pairs && vocab->kind != JSON_OBJECT)
        return fail_node(vocab, error, "expected an object of texts and ids, or an array of texts and scores");
    for (const json *entry = vocab->child; entry; entry = entry->next) {
        TRY(entry_text(entry, pairs, &text, &length, error));
        total += length;
    }
    uint8_t *bytes = arena_allocate(draft->arena, total);
    if (!bytes) return fail_memory(error);
    for (const json *entry = vocab->child; entry; entry = entry->next, ++id) {
        TRY(entry_text(entry, pairs, &text, &length, error));
        if (!pairs) TRY(vocab_read_id(entry, vocab, "vocab", &id, error));
        if (id >= VOCAB_TOKEN_LIMIT) return fail_node(entry, error, "expected at most 2097152 tokens");
        if (vocab_draft_has(draft, id)) return fail_node(entry, error, "token id a second time; expected each id once");
        uint32_t written;
        const uint32_t flags = piece_decode(alphabet, text, length, bytes, &written) ? 0 : outside_flags;
        if (vocab_draft_set(draft, id, bytes, written, flags) != WEIR_OK) return fail_memory(error);
        bytes += written;
    }
    return WEIR_OK;
}

/* The token for what cannot be encoded writes no text of its own. */
static weir_status mark_unknown(const json *model, vocab_draft *draft, weir_error *error) {
    const json *id_value = json_get(model, "unk_id"), *token = json_get(model, "unk_token");
    const json *vocab = json_get(model, "vocab");
    uint32_t id = VOCAB_NONE;
    if (!is_null(id_value)) TRY(vocab_read_id(id_value, model, "unk_id", &id, error));
    if (!is_null(token) && token->kind == JSON_STRING && vocab->kind == JSON_OBJECT) {
        const json *entry = json_get_n(vocab, token->text, token->length);
        if (entry) TRY(vocab_read_id(entry, vocab, "vocab", &id, error));
    }
    if (id < draft->count) draft->tokens[id].flags |= VOCAB_SPECIAL;
    return WEIR_OK;
}

static weir_status read_added_token(const json *item, const piece_alphabet *alphabet, vocab_draft *draft, uint32_t *id,
                                    weir_error *error) {
    const json *content = json_get(item, "content"), *special = json_get(item, "special");
    if (item->kind != JSON_OBJECT) return fail_node(item, error, "expected an object with id, content and special");
    TRY(vocab_read_id(json_get(item, "id"), item, "id", id, error));
    if (!content || content->kind != JSON_STRING) return fail_node(item, error, "no content; expected a string");
    if (content->length > VOCAB_LENGTH_LIMIT)
        return fail_node(content, error, "expected a token of at most 65535 bytes");
    if (vocab_draft_has(draft, *id) && draft->tokens[*id].flags & ADDED)
        return fail_node(item, error, "token id a second time; expected each id once");

    const bool is_special = special && special->kind == JSON_TRUE;
    const void *bytes = content->text;
    uint32_t length = content->length;
    if (!is_special && !alphabet->byte_level) {
        uint8_t *decoded = arena_allocate(draft->arena, length + 1);
        if (!decoded) return fail_memory(error);
        piece_decode(alphabet, content->text, content->length, decoded, &length);
        bytes = decoded;
    }
    const uint32_t flags = ADDED | (is_special ? VOCAB_SPECIAL : 0);
    return vocab_draft_set(draft, *id, bytes, length, flags) == WEIR_OK ? WEIR_OK : fail_memory(error);
}

/* Added tokens replace what the model's vocabulary says of their ids. Under a byte-level decoder their text is plain.
 */
static weir_status read_added_tokens(const json *added, const piece_alphabet *alphabet, vocab_draft *draft,
                                     weir_error *error) {
    uint32_t id;
    if (added->kind != JSON_ARRAY) return fail_node(added, error, "expected an array of added tokens");
    for (const json *item = added->child; item; item = item->next)
        TRY(read_added_token(item, alphabet, draft, &id, error));
    for (id = 0; id < draft->count; ++id) draft->tokens[id].flags &= ~(uint32_t)ADDED;
    return WEIR_OK;
}
