/* recogniser_value.c - values that stand in documents, kept so that literals can speak of them.
 *
 * A kept value has a number like a node of the schema's text: its "byte" comes after the last byte of the text. */
#include "recogniser_parts.h"

#include <stdlib.h>
#include <string.h>

const json *node_at(const recogniser *r, uint32_t byte) {
    return byte < r->text_length ? r->nodes[byte] : r->values[byte - r->text_length];
}

static uint32_t new_number(recogniser *r, const json *value) {
    if (r->value_count == r->value_capacity) {
        r->value_capacity = r->value_capacity ? 2 * r->value_capacity : 64;
        r->values = realloc(r->values, r->value_capacity * sizeof *r->values);
        if (!r->values) recogniser_panic("out of memory");
    }
    r->values[r->value_count] = value;
    return r->text_length + r->value_count++;
}

static const char *copy_text(recogniser *r, const char *text, uint32_t length) {
    return text ? memcpy(region_take(&r->arena, (size_t)length + 1), text, length) : NULL;
}

static json *copy(recogniser *r, const json *value) {
    json *made = region_take(&r->arena, sizeof *made);
    const json **last = &made->child;
    *made = *value;
    made->parent = made->next = made->child = NULL;
    made->text = copy_text(r, value->text, value->length);
    made->key = copy_text(r, value->key, value->key_length);
    made->byte = new_number(r, made);
    for (const json *child = value->child; child; child = child->next) {
        json *own = copy(r, child);
        *last = own;
        last = &own->next;
    }
    return made;
}

static bool same(const json *a, const json *b) {
    return a->kind == b->kind && a->count == b->count && a->length == b->length && value_kind(a) == value_kind(b) &&
           values_equal(a, b);
}

const json *value_keep(recogniser *r, const json *value) {
    for (uint32_t i = 0; i < r->value_count; i++)
        if (same(r->values[i], value)) return r->values[i];
    return copy(r, value);
}
