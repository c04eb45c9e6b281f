/* schema_scope.c - the dynamic scope in which a schema is read: what each dynamic anchor means there.
 *
 * The outermost resource on the dynamic path that has an anchor decides, so entering a resource only adds the anchors
 * that none before it had, and scopes are finite in number. Only names that a dynamic reference asks for are followed:
 * where there are none, all is read in one scope. */
#include "resource.h"
#include "schema.h"

#include <string.h>

uint32_t scope_enter(compiler *c, uint32_t scope, const json *node) {
    schema_set *set = c->schemas;
    uint32_t names = set->dynamic_names.count;
    if (names == 0) return 0;
    const json **found = compiler_zero(c, sizeof *found * names);
    size_t size = sizeof *found * names;
    if (set->scopes.count == 0) intern(c, &set->scopes, found, size, NULL);
    const struct interned *outer = &set->scopes.entries.items[scope];
    if (outer->size != size) return scope; /* a name has just been added: this reading is in vain */
    memcpy(found, outer->bytes, size);
    uint32_t resource = resource_of(c, node);
    if (!resource_has_dynamic_anchor(c, resource)) return scope;
    for (uint32_t i = 0; i < names; i++) {
        const struct interned *name = &set->dynamic_names.entries.items[i];
        if (found[i] == NULL) found[i] = resource_dynamic_anchor(c, resource, name->bytes, name->size);
    }
    return intern(c, &set->scopes, found, size, NULL);
}

const json *scope_find(compiler *c, uint32_t scope, const char *name, uint32_t length) {
    schema_set *set = c->schemas;
    bool is_new;
    uint32_t at = intern(c, &set->dynamic_names, name, length, &is_new);
    return is_new ? NULL : ((const json *const *)set->scopes.entries.items[scope].bytes)[at];
}
