/* fuzz_json.c - any bytes as JSON: refused at a byte that is there, or a tree in which everything agrees, and whose strings
 * are read again as they were written. */
#include "fuzz.h"
#include "json.h"

/* A string quoted, read again: the same. */
static void requote(const char *text, uint32_t length, arena *memory) {
    size_t needed = json_quote(text, length, NULL, 0);
    CHECK(needed <= 6 * (size_t)length + 2);
    char *quoted = malloc(needed);
    const json *again;
    CHECK(quoted != NULL && json_quote(text, length, quoted, needed) == needed);
    CHECK(json_parse(quoted, needed, NULL, memory, &again, NULL) == WEIR_OK);
    CHECK(again->kind == JSON_STRING && again->length == length && memcmp(again->text, text, length) == 0);
    free(quoted);
}

static void check_node(const json *node, size_t size, arena *memory) {
    char pointer[64];
    uint64_t number;
    uint32_t count = 0;
    CHECK(node->byte < size);
    for (const json *child = node->child; child != NULL; child = child->next, count++) {
        CHECK(child->parent == node && child->index == count && (child->key != NULL) == (node->kind == JSON_OBJECT));
        if (child->key != NULL && count < 20) CHECK(json_get_n(node, child->key, child->key_length) == child);
    }
    CHECK(count == node->count);
    CHECK(strlen(json_pointer(node, pointer, sizeof pointer)) < sizeof pointer);
    json_uint(node, &number);
    if (node->kind == JSON_STRING) requote(node->text, node->length, memory);
    if (node->key != NULL) requote(node->key, node->key_length, memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    arena memory;
    const json *root;
    weir_error error;
    arena_init(&memory, NULL, (size_t)64 << 20);
    weir_status status = json_parse((const char *)data, size, &(json_limits){40, 1 << 16}, &memory, &root, &error);
    if (status != WEIR_OK) {
        CHECK(status == WEIR_ERROR_JSON && root == NULL && error.byte >= 0 && error.byte <= (int64_t)size);
        CHECK(error.message[0] != 0);
    }
    for (const json *node = root; node != NULL;) { /* every node, without recursion */
        check_node(node, size, &memory);
        if (node->child != NULL) {
            node = node->child;
            continue;
        }
        while (node != NULL && node->next == NULL) node = node->parent;
        if (node != NULL) node = node->next;
    }
    arena_free(&memory);
    return 0;
}
