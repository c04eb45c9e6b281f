/* test_vocab_sentencepiece.c - sentencepiece models: types of pieces, the stop piece, protobuf as strict as it must be.
 */
#include "vocab_files.h"

#include <stdlib.h>
#include <string.h>

TEST(vocab_sentencepiece, types_say_what_a_piece_writes) {
    file_bytes file;
    weir_vocab *vocab;
    weir_error error;
    small_model(&file);
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_token_count(vocab), 9);
    for (uint32_t id = 0; id < 9; ++id) EXPECT_EQ(weir_vocab_is_special(vocab, id), id < 3 || id == 8);
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "</s>"));
    EXPECT_TRUE(TOKEN_IS(vocab, 3, "\n"));
    EXPECT_TRUE(TOKEN_IS(vocab, 4, " the "));
    EXPECT_TRUE(TOKEN_IS(vocab, 5, "a"));
    EXPECT_TRUE(TOKEN_IS(vocab, 6, "<0x41>")); /* an ordinary piece that looks like a byte */
    EXPECT_TRUE(TOKEN_IS(vocab, 7, "[u]"));
    EXPECT_EQ(vocab->stop_count, 1);
    EXPECT_EQ(vocab->stop_ids[0], 2);
    EXPECT_EQ(count_trie_faults(vocab), 0);
    weir_vocab_destroy(vocab);
}

TEST(vocab_sentencepiece, the_stop_piece_is_a_control_piece_with_the_trainers_name) {
    file_bytes file = {.length = 0};
    weir_vocab *vocab;
    weir_error error;
    append_piece(&file, "a", 1, 0);
    append_piece(&file, "</s>", 4, 1);
    append_piece(&file, "<end>", 5, 3);
    EXPECT_STATUS(from_bytes(&file, NULL, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
    EXPECT_CONTAINS(error.message, "no stop id");
    append_field(&file, 2, "\xfa\x02\x05<end>", 8); /* behind the pieces, as in every model */
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_ids[0], 2);
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "</s>"));
    EXPECT_FALSE(weir_vocab_is_special(vocab, 1));
    weir_vocab_destroy(vocab);
    ASSERT_OK(from_bytes(&file, "{\"eos_token_id\": [0, 2]}", NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_count, 2); /* a file beside it holds instead */
    weir_vocab_destroy(vocab);
}

TEST(vocab_sentencepiece, unknown_fields_and_packings_are_stepped_over) {
    file_bytes file = {.length = 0};
    weir_vocab *vocab;
    weir_error error;
    append_piece(&file, "</s>", 4, 3);
    append_piece(&file, "nul\0", 4, 1);
    append_varint(&file, 200 << 3); /* a varint of ten bytes */
    append(&file, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
    append_varint(&file, 201 << 3 | 1);
    append_number(&file, 1, 8);
    append_varint(&file, 202 << 3 | 5);
    append_number(&file, 1, 4);
    append_field(&file, 203, "anything", 8);
    append_field(&file, 1, "\x18\x01\x0a\x01z\x22\x00", 7); /* the type first, and a field of a later version */
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_EQ(weir_vocab_token_count(vocab), 3);
    EXPECT_TRUE(TOKEN_IS(vocab, 1, "nul\0"));
    EXPECT_TRUE(TOKEN_IS(vocab, 2, "z"));
    weir_vocab_destroy(vocab);
}

TEST(vocab_sentencepiece, a_model_that_begins_like_json_is_a_model) {
    file_bytes file = {.length = 0};
    char text[115];
    weir_vocab *vocab;
    weir_error error;
    memset(text, 'x', sizeof text);
    append_piece(&file, text, 114, 3); /* a record of 123 bytes, and so "\n{" in front */
    append_piece(&file, "</s>", 4, 3);
    EXPECT_EQ(memcmp(file.bytes, "\n{", 2), 0);
    ASSERT_OK(from_bytes(&file, NULL, NULL, &vocab, &error), &error);
    EXPECT_EQ(vocab->stop_ids[0], 1);
    weir_vocab_destroy(vocab);
}

TEST(vocab_sentencepiece, errors_name_the_byte) {
    static const struct {
        const char *bytes; /* behind one good piece */
        size_t length;
        int64_t byte; /* in them */
        const char *message;
    } cases[] = {
        {"\x0a", 1, 1, "ends inside a number"},
        {"\x0a\x05xx", 4, 0, "claims 5 bytes; 2 are left"},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, 0, "claims 18446744073709551615 bytes"},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, 1, "more than 64 bits"},
        {"\x0b\x0c", 2, 0, "wire type"}, /* a group: it could nest without end */
        {"\x02\x00", 2, 0, "field number"},
        {"\x08\x01", 2, 0, "field 1 has wire type 0; expected 2"},
        {"\x0a\x00", 2, 2, "piece 1 has no text"},
        {"\x0a\x02\x0a\x00", 4, 2, "piece 1 has no text"},
        {"\x0a\x05\x0a\x01x\x18\x07", 7, 5, "unknown type"},
        {"\x0a\x05\x0a\x01x\x18\x00", 7, 5, "unknown type"},
        {"\x0a\x05\x0a\x01x\x1a\x00", 7, 5, "field 3 has wire type 2; expected 0"},
        {"\x0a\x05\x0a\x01x\x18\x06", 7, 0, "a text like <0x0A>"},
        {"\x0a\x05\x0a\x04x\x18\x01", 7, 2, "claims 4 bytes; 3 are left"},
        {"\x2a\x03\x12\x01r", 5, 2, "denormalizer"},
        {"\x12\x02\xf8\x02", 4, 4, "ends inside a number"},
    };
    static file_bytes file;
    for (uint32_t i = 0; i < COUNT(cases); ++i) {
        test_context("case %u", i);
        file.length = 0;
        append_piece(&file, "</s>", 4, 3);
        const int64_t before = (int64_t)file.length;
        append(&file, cases[i].bytes, cases[i].length);
        weir_vocab *vocab = (weir_vocab *)1;
        weir_error error;
        EXPECT_STATUS(from_bytes(&file, NULL, NULL, &vocab, &error), WEIR_ERROR_VOCAB, &error);
        EXPECT_NULL(vocab);
        EXPECT_CONTAINS(error.message, cases[i].message);
        EXPECT_EQ(error.byte - before, cases[i].byte);
    }
}

TEST(vocab_sentencepiece, a_piece_has_at_most_65535_bytes) {
    const uint32_t lengths[] = {65535, 65536};
    for (uint32_t i = 0; i < 2; ++i) {
        const uint32_t length = lengths[i];
        file_bytes head = {.length = 0};
        append_piece(&head, "</s>", 4, 3);
        append_varint(&head, 1 << 3 | 2);
        append_varint(&head, length + 4);
        append_varint(&head, 1 << 3 | 2);
        append_varint(&head, length);
        uint8_t *whole = malloc(head.length + length);
        if (!whole) FAIL("no memory");
        memcpy(whole, head.bytes, head.length);
        memset(whole + head.length, 'x', length);
        weir_vocab *vocab;
        weir_error error;
        const weir_status expected = i == 0 ? WEIR_OK : WEIR_ERROR_VOCAB;
        EXPECT_STATUS(weir_vocab_from_memory(whole, head.length + length, NULL, 0, NULL, &vocab, &error), expected,
                      &error);
        weir_vocab_destroy(vocab);
        free(whole);
    }
}
