/* resource_build.h - what the files that build and search resources share. */
#ifndef WEIR_HOST_RESOURCE_BUILD_H
#define WEIR_HOST_RESOURCE_BUILD_H

#include "resource.h"
#include "uri.h"

typedef struct resource {
    uri base;  /* without fragment; empty: none is known */
    uri found; /* of a document's root: the URI that it was asked for with */
    const json *root;
    uint32_t document; /* the resource of the document's root */
    uint32_t identity; /* itself, or the resource around it if it only changes the draft */
    uint32_t around;   /* NONE, or where a pointer that finds nothing here is followed too; see identify */
    uint8_t draft;     /* 3 is known here, to be refused where it is used */
    bool recursive_anchor, has_dynamic_anchor;
} resource;

/* What an identifier names. Two equal schemas may share one; two different ones may not be referred to. */
typedef struct anchor {
    const json *node;
    const json *rival; /* a different schema with the same name, or NULL */
    const char *name;
    uint32_t length;
    bool dynamic;
} anchor;

typedef struct address {
    uint32_t resource;
    const json *rival;
} address;

typedef struct resource_set {
    VECTOR(resource) items;
    interner nodes; /* address of a root -> resource */
    interner uris;  /* URI without fragment -> index of `addresses` */
    VECTOR(address) addresses;
    interner names; /* {resource, name} -> index of `anchors` */
    VECTOR(anchor) anchors;
    interner containers; /* address of a large object or array that a pointer went through -> index of `children` */
    VECTOR(const json **) children;
    interner members; /* {container, name} -> index of `member_nodes` */
    VECTOR(const json *) member_nodes;
} resource_set;

/* resource.c */
resource_set *resource_set_of(const compiler *c);

/* resource_scan.c: in, a document's tree and its URI, empty if it has none; out, its resources and anchors in the set.
 * Gives the resource of its root; one that is known already where the root's own identifier is. */
uint32_t resource_scan(compiler *c, const json *root, uri address, uint8_t default_draft);
/* The innermost resource around a node, of any draft. */
uint32_t resource_around(const compiler *c, const json *node);
uint32_t anchor_find(compiler *c, uint32_t resource, uri name); /* NONE: none */

/* resource_pointer.c: the node that a JSON Pointer, percent-decoded, leads to from here, or NULL. */
const json *resource_follow(compiler *c, const json *from, uri pointer);

#endif
