/* resource_pointer.c - a node and an RFC 6901 pointer in, the node that it leads to out.
 *
 * A large object or array is indexed when the first pointer goes through it, so that many pointers into one `$defs`
 * cost their length and not its size. */
#include "resource_build.h"

#include <string.h>

#define SEARCHED 16 /* smaller ones are searched */

static uint32_t unescape(uri segment, char *out);
static const json *child(compiler *c, const json *node, const char *name, uint32_t length, char *key);
static uint32_t container_of(compiler *c, const json *node);

const json *resource_follow(compiler *c, const json *from, uri pointer) {
    char *key = compiler_new(c, (size_t)pointer.length + sizeof(uint32_t)); /* a container's id, then a name */
    char *name = key + sizeof(uint32_t);
    compiler_spend(c, 50 + pointer.length);
    for (uint32_t at = 0, end; from != NULL && at < pointer.length; at = end) {
        for (end = at + 1; end < pointer.length && pointer.text[end] != '/';) end++;
        uint32_t length = unescape((uri){pointer.text + at + 1, end - at - 1}, name);
        from = length != NONE ? child(c, from, name, length, key) : NULL;
    }
    return from;
}

/* "~1" is '/', "~0" is '~'; NONE: another '~'. */
static uint32_t unescape(uri segment, char *out) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < segment.length; i++) {
        char b = segment.text[i];
        if (b == '~') {
            char code = i + 1 < segment.length ? segment.text[++i] : '\0';
            if (code != '0' && code != '1') return NONE;
            b = code == '1' ? '/' : '~';
        }
        out[used++] = b;
    }
    return used;
}

/* A decimal number without leading zeros, or NONE. */
static uint32_t index_of(const char *name, uint32_t length) {
    uint32_t index = 0;
    if (length == 0 || length > 9 || (length > 1 && name[0] == '0')) return NONE;
    for (uint32_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9') return NONE;
        index = index * 10 + (uint32_t)(name[i] - '0');
    }
    return index;
}

/* `key` has four free bytes before the name. */
static const json *child(compiler *c, const json *node, const char *name, uint32_t length, char *key) {
    resource_set *set = resource_set_of(c);
    if (node->count <= SEARCHED) compiler_spend(c, 5 * (uint64_t)node->count);
    if (node->kind == JSON_OBJECT && node->count <= SEARCHED) return json_get_n(node, name, length);
    if (node->kind == JSON_OBJECT) {
        uint32_t container = container_of(c, node);
        memcpy(key, &container, sizeof container);
        uint32_t member = intern_find(&set->members, key, sizeof container + length);
        return member != NONE ? set->member_nodes.items[member] : NULL;
    }
    uint32_t index = node->kind == JSON_ARRAY ? index_of(name, length) : NONE;
    if (index >= node->count) return NULL; /* NONE too */
    if (node->count > SEARCHED) return set->children.items[container_of(c, node)][index];
    const json *item = node->child;
    while (index-- > 0) item = item->next;
    return item;
}

static void index_members(compiler *c, const json *object, uint32_t container) {
    resource_set *set = resource_set_of(c);
    for (const json *m = object->child; m != NULL; m = m->next) {
        char *key = compiler_new(c, sizeof container + m->key_length);
        memcpy(key, &container, sizeof container);
        memcpy(key + sizeof container, m->key, m->key_length);
        intern(c, &set->members, key, sizeof container + m->key_length, NULL);
        PUSH(c, set->member_nodes, m);
    }
}

static uint32_t container_of(compiler *c, const json *node) {
    resource_set *set = resource_set_of(c);
    bool is_new;
    uint32_t container = intern(c, &set->containers, &node, sizeof node, &is_new);
    if (!is_new) return container;
    const json **items = NULL;
    if (node->kind == JSON_OBJECT) {
        index_members(c, node, container);
    } else {
        items = NEW_ARRAY(c, const json *, node->count);
        compiler_spend(c, 10 * (uint64_t)node->count);
        uint32_t at = 0;
        for (const json *item = node->child; item != NULL; item = item->next) items[at++] = item;
    }
    PUSH(c, set->children, items);
    return container;
}
