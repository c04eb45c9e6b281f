/* vocab_huggingface.c - a Hugging Face tokenizer.json in, a draft of the tokens out.
 *
 * A token's text becomes the bytes that it adds to the output, as the file's decoder says: the byte-level alphabet is
 * undone, or the metaspace mark becomes a space and <0xNN> the byte NN. What a decoder does to the whole text (a
 * stripped leading space) is not a token's. Decoders whose tokens write different bytes in different places are
 * refused. */
#include "vocab_load.h"

#include <string.h>

typedef struct decoding {
    bool byte_level;
    bool byte_fallback; /* <0xNN> is a byte */
    const char *space;  /* what stands for a space; NULL: nothing does */
    uint32_t space_length;
    uint16_t alphabet[324]; /* byte-level: code point -> byte, or NOT_A_BYTE */
} decoding;

enum { NOT_A_BYTE = 256, ADDED = 4 /* draft flag while reading: this id stood in added_tokens */ };

static weir_status find_decoding(const json *root, const json *model, decoding *decoding, weir_error *error);
static weir_status refuse_affixes(const json *model, weir_error *error);
static weir_status read_vocab(const json *vocab, const decoding *decoding, vocab_draft *draft, weir_error *error);
static weir_status mark_unknown(const json *model, vocab_draft *draft, weir_error *error);
static weir_status read_added_tokens(const json *added, const decoding *decoding, vocab_draft *draft,
                                     weir_error *error);

weir_status vocab_read_huggingface(const json *root, vocab_draft *draft, weir_error *error) {
    const json *model = json_get(root, "model"), *added = json_get(root, "added_tokens");
    const json *vocab = model ? json_get(model, "vocab") : NULL;
    decoding decoding = {0};
    if (!model || model->kind != JSON_OBJECT)
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, "", root->byte,
                               "no object \"model\"; expected a tokenizer.json, or a meta file with \"vocab_file\"");
    if (!vocab)
        return fail_at_pointer(error, WEIR_ERROR_VOCAB, "/model", model->byte,
                               "no \"vocab\"; expected the tokens and their ids");
    TRY(find_decoding(root, model, &decoding, error));
    TRY(refuse_affixes(model, error));
    TRY(read_vocab(vocab, &decoding, draft, error));
    TRY(mark_unknown(model, draft, error));
    if (added && added->kind != JSON_NULL) TRY(read_added_tokens(added, &decoding, draft, error));
    return WEIR_OK;
}

static weir_status fail_node(const json *node, weir_error *error, const char *message) {
    char pointer[256];
    return fail_at_pointer(error, WEIR_ERROR_VOCAB, json_pointer(node, pointer, sizeof pointer), node->byte, "%s",
                           message);
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

static void set_space(decoding *decoding, const json *mark) {
    const bool given = mark && mark->kind == JSON_STRING && mark->length > 0;
    decoding->space = given ? mark->text : "\xe2\x96\x81"; /* U+2581 */
    decoding->space_length = given ? mark->length : 3;
}

/* Whether the decoder, or where it is null its mirror before the model, writes spaces as a mark. */
static bool find_space(const json *decoder, const json *pre_tokenizer, const json *normalizer, decoding *decoding) {
    const bool mirrored = is_null(decoder);
    const json *metaspace = find_component(mirrored ? pre_tokenizer : decoder, "Metaspace");
    if (metaspace) {
        set_space(decoding, json_get(metaspace, "replacement"));
        return true;
    }
    const json *replace = find_component(mirrored ? normalizer : decoder, "Replace");
    const json *pattern = replace ? json_get(replace, "pattern") : NULL;
    const json *from = pattern ? json_get(pattern, "String") : NULL,
               *to = replace ? json_get(replace, "content") : NULL;
    if (mirrored) {
        const json *swap = from;
        from = to;
        to = swap;
    }
    if (!from || !to || from->kind != JSON_STRING || from->length == 0 || !json_string_is(to, " ")) return false;
    set_space(decoding, from);
    return true;
}

/* GPT-2's alphabet: printable Latin-1 stands for itself, the other bytes for U+0100, U+0101, ... in order. */
static void fill_alphabet(uint16_t alphabet[324]) {
    uint32_t next = 256;
    for (uint32_t i = 0; i < 324; ++i) alphabet[i] = NOT_A_BYTE;
    for (uint32_t byte = 0; byte < 256; ++byte) {
        const bool itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
        alphabet[itself ? byte : next++] = (uint16_t)byte;
    }
}

static weir_status find_decoding(const json *root, const json *model, decoding *decoding, weir_error *error) {
    static const char *const refused[] = {"WordPiece", "BPEDecoder", "CTC"};
    const json *type = json_get(model, "type"), *decoder = json_get(root, "decoder");
    const json *pre_tokenizer = json_get(root, "pre_tokenizer"), *fallback = json_get(model, "byte_fallback");
    if (!is_null(type) && !json_string_is(type, "BPE") && !json_string_is(type, "Unigram"))
        return fail_node(type, error, "model type that is not supported; expected \"BPE\" or \"Unigram\"");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i) {
        const json *found = find_component(decoder, refused[i]);
        if (found)
            return fail_node(found, error,
                             "its tokens write different bytes in different places; expected ByteLevel, "
                             "Metaspace or Replace with ByteFallback");
    }
    decoding->byte_level = find_component(is_null(decoder) ? pre_tokenizer : decoder, "ByteLevel") != NULL;
    decoding->byte_fallback = find_component(decoder, "ByteFallback") || (fallback && fallback->kind == JSON_TRUE);
    if (decoding->byte_level) {
        decoding->byte_fallback = false;
        fill_alphabet(decoding->alphabet);
        return WEIR_OK;
    }
    if (find_space(decoder, pre_tokenizer, json_get(root, "normalizer"), decoding)) return WEIR_OK;
    return fail_at_pointer(error, WEIR_ERROR_VOCAB, "/decoder", decoder ? decoder->byte : root->byte,
                           "nothing says which bytes the tokens write; expected a ByteLevel or Metaspace decoder, or "
                           "Replace with the content \" \"");
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

static uint32_t hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return (uint32_t)(digit - '0');
    if (digit >= 'A' && digit <= 'F') return (uint32_t)(digit - 'A' + 10);
    if (digit >= 'a' && digit <= 'f') return (uint32_t)(digit - 'a' + 10);
    return 16;
}

/* Writes at most `length` bytes. A text with a character outside the alphabet stands for itself, as in the original. */
static uint32_t decode_byte_level(const uint16_t alphabet[324], const char *text, uint32_t length, uint8_t *out) {
    const uint8_t *bytes = (const uint8_t *)text;
    uint32_t written = 0;
    for (uint32_t i = 0; i < length; ++i) {
        uint32_t point = bytes[i];
        if (point >= 0xc2 && point <= 0xc5)
            point = (point & 0x1f) << 6 | (bytes[++i] & 0x3f);
        else if (point >= 0x80)
            point = 0; /* above the alphabet; U+0000 is not in it either */
        if (point >= 324 || alphabet[point] == NOT_A_BYTE) {
            memcpy(out, text, length);
            return length;
        }
        out[written++] = (uint8_t)alphabet[point];
    }
    return written;
}

static uint32_t decode_metaspace(const decoding *decoding, const char *text, uint32_t length, uint8_t *out) {
    if (decoding->byte_fallback && length == 6 && memcmp(text, "<0x", 3) == 0 && text[5] == '>') {
        const uint32_t high = hex_value(text[3]), low = hex_value(text[4]);
        out[0] = (uint8_t)(high << 4 | low);
        if (high < 16 && low < 16) return 1;
    }
    uint32_t written = 0;
    for (uint32_t i = 0; i < length;) {
        const bool space =
            length - i >= decoding->space_length && memcmp(text + i, decoding->space, decoding->space_length) == 0;
        out[written++] = space ? ' ' : (uint8_t)text[i];
        i += space ? decoding->space_length : 1;
    }
    return written;
}

static uint32_t decode(const decoding *decoding, const char *text, uint32_t length, uint8_t *out) {
    return decoding->byte_level ? decode_byte_level(decoding->alphabet, text, length, out)
                                : decode_metaspace(decoding, text, length, out);
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

static weir_status read_vocab(const json *vocab, const decoding *decoding, vocab_draft *draft, weir_error *error) {
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
        const uint32_t written = decode(decoding, text, length, bytes);
        if (vocab_draft_set(draft, id, bytes, written, 0) != WEIR_OK) return fail_memory(error);
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

static weir_status read_added_token(const json *item, const decoding *decoding, vocab_draft *draft, uint32_t *id,
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
    if (!is_special && !decoding->byte_level) {
        uint8_t *decoded = arena_allocate(draft->arena, length + 1);
        if (!decoded) return fail_memory(error);
        length = decode_metaspace(decoding, content->text, length, decoded);
        bytes = decoded;
    }
    const uint32_t flags = ADDED | (is_special ? VOCAB_SPECIAL : 0);
    return vocab_draft_set(draft, *id, bytes, length, flags) == WEIR_OK ? WEIR_OK : fail_memory(error);
}

/* Added tokens replace what the model's vocabulary says of their ids. Under a byte-level decoder their text is plain.
 */
static weir_status read_added_tokens(const json *added, const decoding *decoding, vocab_draft *draft,
                                     weir_error *error) {
    uint32_t id;
    if (added->kind != JSON_ARRAY) return fail_node(added, error, "expected an array of added tokens");
    for (const json *item = added->child; item; item = item->next)
        TRY(read_added_token(item, decoding, draft, &id, error));
    for (id = 0; id < draft->count; ++id) draft->tokens[id].flags &= ~(uint32_t)ADDED;
    return WEIR_OK;
}
