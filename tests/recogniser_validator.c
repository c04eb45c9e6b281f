/* recogniser_validator.c - schema and finished value in, valid or not out: each keyword as the specification says it.
 */
#include "recogniser_parts.h"

#include <string.h>

static bool valid_in_place(const recogniser *r, const schema *s, const json *value);
static bool valid_number(const schema *s, const json *value);
static bool valid_string(const recogniser *r, const schema *s, const json *value);
static bool valid_array(const recogniser *r, const schema *s, const json *value);
static bool valid_object(const recogniser *r, const schema *s, const json *value);
static bool valid_dependencies(const recogniser *r, const schema *s, const json *value);
static bool valid_unevaluated(const recogniser *r, const schema *s, const json *value);

bool schema_valid(const recogniser *r, const schema *s, const json *value) {
    int kind = value_kind(value);
    if (s->never || !(s->kinds & 1u << kind)) return false;
    if (s->constant && !values_equal(s->constant, value)) return false;
    if (s->enumeration) {
        const json *member = s->enumeration->child;
        while (member && !values_equal(member, value)) member = member->next;
        if (!member) return false;
    }
    if (!valid_in_place(r, s, value)) return false;
    if (1u << kind & KIND_NUMBERS) return valid_number(s, value);
    if (kind == KIND_STRING) return valid_string(r, s, value);
    if (kind == KIND_ARRAY) return valid_array(r, s, value) && valid_unevaluated(r, s, value);
    if (kind == KIND_OBJECT)
        return valid_object(r, s, value) && valid_dependencies(r, s, value) && valid_unevaluated(r, s, value);
    return true;
}

static bool valid_in_place(const recogniser *r, const schema *s, const json *value) {
    uint32_t passed = 0;
    if (s->reference && !schema_valid(r, s->reference, value)) return false;
    for (uint32_t i = 0; i < s->all.count; i++)
        if (!schema_valid(r, s->all.items[i], value)) return false;
    for (uint32_t i = 0; i < s->any.count && !passed; i++) passed += schema_valid(r, s->any.items[i], value);
    if (s->any.count && !passed) return false;
    passed = 0;
    for (uint32_t i = 0; i < s->one.count && passed < 2; i++) passed += schema_valid(r, s->one.items[i], value);
    if (s->one.count && passed != 1) return false;
    if (s->negated && schema_valid(r, s->negated, value)) return false;
    if (!s->condition) return true;
    const schema *branch = schema_valid(r, s->condition, value) ? s->consequence : s->alternative;
    return !branch || schema_valid(r, branch, value);
}

static bool valid_string(const recogniser *r, const schema *s, const json *value) {
    uint64_t length = code_points(value->text, value->length);
    if (length < s->min_length || length > s->max_length) return false;
    return !s->has_pattern || language_holds(r->languages, s->pattern, value->text, value->length);
}

static int against(const json *value, const json *bound) {
    return decimal_compare(value->text, value->length, bound->text, bound->length);
}

static bool valid_number(const schema *s, const json *value) {
    return !(s->minimum && against(value, s->minimum) < 0) && !(s->maximum && against(value, s->maximum) > 0) &&
           !(s->exclusive_minimum && against(value, s->exclusive_minimum) <= 0) &&
           !(s->exclusive_maximum && against(value, s->exclusive_maximum) >= 0);
}

bool items_differ(const json *array) {
    for (const json *item = array->child; item; item = item->next)
        for (const json *later = item->next; later; later = later->next)
            if (values_equal(item, later)) return false;
    return true;
}

static bool valid_array(const recogniser *r, const schema *s, const json *value) {
    uint32_t index = 0;
    uint64_t found = 0;
    if (value->count < s->min_items || value->count > s->max_items) return false;
    for (const json *item = value->child; item; item = item->next, index++) {
        const schema *applies = index < s->prefix.count ? s->prefix.items[index] : s->items;
        if (applies && !schema_valid(r, applies, item)) return false;
        found += s->contains && schema_valid(r, s->contains, item);
    }
    if (s->contains && (found < s->min_contains || found > s->max_contains)) return false;
    return !s->unique || items_differ(value);
}

static bool name_valid(const recogniser *r, const schema *s, const json *member) {
    const json name = {.kind = JSON_STRING, .text = member->key, .length = member->key_length};
    return !s || schema_valid(r, s, &name);
}

static bool valid_object(const recogniser *r, const schema *s, const json *value) {
    if (value->count < s->min_members || value->count > s->max_members) return false;
    for (uint32_t i = 0; i < s->required_count; i++) {
        const known *name = &r->names[s->required[i]];
        if (!json_get_n(value, name->text, name->text_length)) return false;
    }
    for (const json *member = value->child; member; member = member->next) {
        const schema *own = schema_property(s, name_find(r, member->key, member->key_length));
        bool listed = own;
        if (own && !schema_valid(r, own, member)) return false;
        for (uint32_t i = 0; i < s->pattern_count; i++) {
            if (!language_holds(r->languages, s->patterns[i].names, member->key, member->key_length)) continue;
            listed = true;
            if (!schema_valid(r, s->patterns[i].schema, member)) return false;
        }
        if (!listed && s->additional && !schema_valid(r, s->additional, member)) return false;
        if (!name_valid(r, s->names, member)) return false;
    }
    return true;
}

static const json *member_named(const recogniser *r, const json *object, uint32_t name) {
    return json_get_n(object, r->names[name].text, r->names[name].text_length);
}

static bool valid_dependencies(const recogniser *r, const schema *s, const json *value) {
    for (uint32_t i = 0; i < s->dependency_count; i++) {
        const dependency *d = &s->dependencies[i];
        if (!member_named(r, value, d->trigger)) continue;
        if (d->schema && !schema_valid(r, d->schema, value)) return false;
        for (uint32_t k = 0; k < d->required_count; k++)
            if (!member_named(r, value, d->required[k])) return false;
    }
    return true;
}

/* --- what has been evaluated --- */

/* Does the schema, which accepts the container, or one that it applies in place and that accepts it too, evaluate this
 * member or item? Its own unevaluatedProperties and unevaluatedItems count only when `whole`. */
static bool evaluates(const recogniser *r, const schema *s, const json *container, const json *child, uint32_t index,
                      bool whole) {
    bool array = container->kind == JSON_ARRAY;
    if (whole && (array ? s->unevaluated_items : s->unevaluated_members)) return true;
    if (array) {
        if (s->items || index < s->prefix.count) return true;
        if (s->contains && s->contains_evaluates && schema_valid(r, s->contains, child)) return true;
    } else {
        if (s->additional || schema_property(s, name_find(r, child->key, child->key_length))) return true;
        for (uint32_t i = 0; i < s->pattern_count; i++)
            if (language_holds(r->languages, s->patterns[i].names, child->key, child->key_length)) return true;
    }
    if (s->reference && evaluates(r, s->reference, container, child, index, true)) return true;
    const schema_list *lists[] = {&s->all, &s->any, &s->one};
    for (int i = 0; i < 3; i++)
        for (uint32_t k = 0; k < lists[i]->count; k++)
            if (schema_valid(r, lists[i]->items[k], container) &&
                evaluates(r, lists[i]->items[k], container, child, index, true))
                return true;
    for (uint32_t i = 0; i < s->dependency_count && !array; i++)
        if (s->dependencies[i].schema && member_named(r, container, s->dependencies[i].trigger) &&
            evaluates(r, s->dependencies[i].schema, container, child, index, true))
            return true;
    if (!s->condition) return false;
    bool holds = schema_valid(r, s->condition, container);
    const schema *branch = holds ? s->consequence : s->alternative;
    return (holds && evaluates(r, s->condition, container, child, index, true)) ||
           (branch && evaluates(r, branch, container, child, index, true));
}

static bool valid_unevaluated(const recogniser *r, const schema *s, const json *value) {
    const schema *rest = value->kind == JSON_ARRAY ? s->unevaluated_items : s->unevaluated_members;
    uint32_t index = 0;
    if (!rest) return true;
    for (const json *child = value->child; child; child = child->next, index++)
        if (!evaluates(r, s, value, child, index, false) && !schema_valid(r, rest, child)) return false;
    return true;
}

/* --- literals --- */

bool code_holds(const recogniser *r, uint32_t code, const json *value) {
    if (code == CODE_ALWAYS || code == CODE_NEVER) return code == CODE_ALWAYS;
    if (code == CODE_DISTINCT) return true; /* the other items are not at hand */
    bool holds =
        code & CODE_VALUE ? values_equal(code_value(r, code), value) : schema_valid(r, code_schema(r, code), value);
    return holds == (bool)(code & CODE_POSITIVE);
}

bool set_holds(const recogniser *r, const code_set *set, const json *value) {
    for (uint32_t i = 0; i < set->count; i++)
        if (!code_holds(r, set->codes[i], value)) return false;
    return true;
}

/* --- values --- */

int value_kind(const json *value) {
    switch (value->kind) {
    case JSON_NULL: return KIND_NULL;
    case JSON_FALSE: return KIND_FALSE;
    case JSON_TRUE: return KIND_TRUE;
    case JSON_STRING: return KIND_STRING;
    case JSON_ARRAY: return KIND_ARRAY;
    case JSON_OBJECT: return KIND_OBJECT;
    default: break;
    }
    if (!decimal_is_whole(value->text, value->length)) return KIND_FRACTION;
    for (uint32_t i = 0; i < value->length; i++)
        if (value->text[i] == '.' || (value->text[i] | 32) == 'e') return KIND_WHOLE;
    return KIND_INTEGER;
}

bool values_equal(const json *a, const json *b) {
    const json *x, *y;
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case JSON_NUMBER: return decimal_compare(a->text, a->length, b->text, b->length) == 0;
    case JSON_STRING: return a->length == b->length && !memcmp(a->text, b->text, a->length);
    case JSON_ARRAY:
        if (a->count != b->count) return false;
        for (x = a->child, y = b->child; x; x = x->next, y = y->next)
            if (!values_equal(x, y)) return false;
        return true;
    case JSON_OBJECT:
        if (a->count != b->count) return false;
        for (x = a->child; x; x = x->next) {
            y = json_get_n(b, x->key, x->key_length);
            if (!y || !values_equal(x, y)) return false;
        }
        return true;
    default: return true;
    }
}

uint32_t value_depth(const json *value) {
    uint32_t deepest = 0;
    if (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT) return 0;
    for (const json *child = value->child; child; child = child->next) {
        uint32_t depth = value_depth(child);
        if (depth > deepest) deepest = depth;
    }
    return deepest + 1;
}

uint64_t code_points(const char *text, uint32_t length) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < length; i++) count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

uint32_t utf8_decode(const char *text, uint32_t *length) {
    const unsigned char *bytes = (const unsigned char *)text;
    *length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    switch (*length) {
    case 1: return bytes[0];
    case 2: return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
    case 3: return (bytes[0] & 0xfu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
    default: return (bytes[0] & 7u) << 18 | (bytes[1] & 0x3fu) << 12 | (bytes[2] & 0x3fu) << 6 | (bytes[3] & 0x3fu);
    }
}

uint32_t utf8_encode(uint32_t character, char *out) {
    if (character < 0x80) return out[0] = (char)character, 1;
    uint32_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (uint32_t i = length; --i; character >>= 6) out[i] = (char)(0x80 | (character & 0x3f));
    out[0] = (char)((0xf00u >> length & 0xff) | character);
    return length;
}

uint32_t quote_character(uint32_t character, char *out) {
    static const char digits[] = "0123456789abcdef", shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (int i = 0; shorts[i]; i += 2)
        if (character == (unsigned char)shorts[i]) return out[0] = '\\', out[1] = shorts[i + 1], 2;
    if (character >= 0x20) return utf8_encode(character, out);
    memcpy(out, "\\u00", 4);
    out[4] = digits[character >> 4];
    out[5] = digits[character & 15];
    return 6;
}
