/* resource.h - schema documents and the schemas in them that have an identifier of their own: where a reference leads.
 *
 * In: the tree of a schema document. Out: for every node its resource, with base URI and draft, and for every reference
 * the node that it means; other documents are asked for as references need them. A resource is a document's root, or a
 * schema in it with an `$id` (draft 4: `id`), or one whose `$schema` names another draft than that of the schemas
 * around it; the last kind has an id and a draft here, but shares base URI, root, pointers and anchors with what is
 * around it.
 *
 * Identifiers count at schema positions only: not in enum, const, default, examples or unknown keywords, and not beside
 * a `$ref` of drafts 4 to 7. A pointer may lead anywhere; what it finds is read as a schema of the resource around it.
 */
#ifndef WEIR_HOST_RESOURCE_H
#define WEIR_HOST_RESOURCE_H

#include "compiler.h"

/* Registers the document, the resources embedded in it and their anchors; call it once, before all others here. Its id
 * is 0. The draft (4, 6, 7; 8: 2019-09; 9: 2020-12) is that of `$schema`; without one, or with one that is no draft's,
 * that of the schema around it, for the root default_draft. O(members). */
void resources_new(compiler *c, const json *root, uint8_t default_draft);

/* The innermost resource that a node belongs to, of this or any other document. O(depth). Fails where that resource is
 * written in draft 3. */
uint32_t resource_of(compiler *c, const json *node);
uint8_t resource_draft(const compiler *c, uint32_t resource);
const json *resource_root(const compiler *c, uint32_t resource);
/* The URI by which the document of a node was asked for, NUL-terminated; NULL: the document that is being compiled. For
 * messages: pointers and byte offsets in another document say nothing without its name. */
const char *resource_document(const compiler *c, const json *node);

/* The target of `$ref`, a JSON string where it stands in its schema: an object, true or false. Fails with the
 * reference's place when nothing is there, when two different schemas have that name, or when no document has that URI:
 * those given, those built in (metaschema.h) and then options.resolve are asked, once for a URI without its fragment.
 */
const json *resource_resolve(compiler *c, const json *reference);
/* The same for `$dynamicRef` (2020-12) and, if `recursive`, `$recursiveRef` (2019-09): what the reference means as long
 * as the dynamic scope does not say otherwise. *is_dynamic: it may, because the target's name was given to it by
 * `$dynamicAnchor` (*name: that name) or because it is a root with `"$recursiveAnchor": true` (*name_length is 0);
 * then the outermost resource of the dynamic scope for which resource_dynamic_anchor finds something decides. The name
 * stays as long as the compile; equal names may be different pointers. */
const json *resource_resolve_dynamic(compiler *c, const json *reference, bool recursive, bool *is_dynamic,
                                     const char **name, uint32_t *name_length);
/* The schema in this resource with that `$dynamicAnchor` (name_length 0: its root, if `$recursiveAnchor` is true
 * there), or NULL. Fails where two different schemas have it. */
const json *resource_dynamic_anchor(compiler *c, uint32_t resource, const char *name, uint32_t name_length);
/* Whether that is not NULL for some name: other resources do not matter in a dynamic scope. */
bool resource_has_dynamic_anchor(const compiler *c, uint32_t resource);

#endif
