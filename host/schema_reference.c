/* schema_reference.c - identifiers and references for schema.c, which reads every document in the draft of the root. */
#include "resource.h"
#include "schema.h"

void schema_identifiers(compiler *c, schema_set *set, const json *node, uint8_t draft_number, const char *base,
                        uint32_t base_length) {
    (void)set, (void)base, (void)base_length;
    resources_new(c, node, draft_number);
}

const json *schema_resolve(compiler *c, const json *reference) {
    const json *target = resource_resolve(c, reference);
    if (resource_document(c, target) != NULL && resource_draft(c, resource_of(c, target)) != c->schemas->root_draft) {
        compiler_fail(c, WEIR_ERROR_SCHEMA, reference,
                      "the reference \"%.120s\" leads to a document in another draft, "
                      "which is not supported",
                      reference->text);
    }
    return target;
}
