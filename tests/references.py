#!/usr/bin/env python3
"""references.py - prints tests/data/references.jsonl: where references lead, as PyPI's `referencing` resolves them.

    WEIR_DATA=... python3 tests/references.py > tests/data/references.jsonl

In: the schemas below and those of the JSON Schema Test Suite ($WEIR_DATA/json-schema-test-suite) that have references.
Out: a line for each schema with references:
  {"draft": 4 6 7, 8 (2019-09) or 9 (2020-12), "schema": ..., "documents": {uri: JSON text},
   "references": [[document, pointer, target document, target pointer, dynamic]...]}
or, for a schema of the suite, "suite": [file, index] instead of schema and documents; its other documents are in the
suite's remotes/. A document is named by the URI that it was asked for with, "" is the schema itself. The target pointer
is true or false where the target is that, and null where the reference leads nowhere. dynamic: the name of the target's
`$dynamicAnchor` if the fragment is that, "" for a `$recursiveRef` to a root with `$recursiveAnchor`, else null.
"""
import json
import os
import pathlib
import urllib.parse

import referencing
from jsonschema_specifications import REGISTRY
from referencing import jsonschema as dialects

DRAFTS = {4: dialects.DRAFT4, 6: dialects.DRAFT6, 7: dialects.DRAFT7, 8: dialects.DRAFT201909, 9: dialects.DRAFT202012}
REMOTES = "http://localhost:1234/"
X = "http://x.example/"


def here(id_keyword, definitions):
    """Schemas that differ between the drafts only in what identifiers and definitions are called."""
    yield {id_keyword: X + "root.json",
           "properties": {"a": {"$ref": "#"}, "b": {"$ref": f"#/{definitions}/b"}, "c": {"$ref": "root.json"},
                          "d": {"$ref": f"/root.json#/{definitions}/b"}, "e": {"$ref": X + "root.json#"},
                          "f": {"$ref": "//x.example/root.json"}, "g": {"$ref": "dir/inner.json"},
                          "h": {"$ref": "dir/../dir/./inner.json#/properties/up"}},
           definitions: {"b": {"type": "string"},
                         "c": {id_keyword: "dir/inner.json",
                               "properties": {"up": {"$ref": "../root.json"}, "self": {"$ref": "#"},
                                              "next": {"$ref": "other.json"}, "deep": {"$ref": "deeper/x.json"}}},
                         "d": {id_keyword: "dir/other.json", "not": {"$ref": "inner.json#/properties/self"}},
                         "e": {"items": {id_keyword: "/dir/deeper/x.json",
                                         "additionalProperties": {"$ref": "../inner.json"}}}}}
    yield {"properties": {"a~/b%c d\"e": {"anyOf": [{"type": "null"}, {"$ref": "#/properties/a~0~1b%25c%20d%22e"}]},
                          "": {"$ref": "#/properties/"}, "x": {"$ref": "#/properties/a~0~1b%25c%20d%22e/anyOf/0"},
                          "é": {"$ref": "#/properties/%C3%A9"}, "y": {"$ref": "#/properties/é"},
                          "$ref": {"$ref": "#/properties/$ref"}},
           "custom": {"in": [{"type": "string", "items": {"$ref": "#/custom/in/0"}}]},
           "not": {"$ref": "#/custom/in/0"}, "enum": [{"$ref": "#/no/reference"}],
           "default": {"$ref": "#/no/reference", id_keyword: X}}
    yield {id_keyword: "urn:example:root", "not": {"$ref": "urn:example:other#/not"},
           definitions: {"a": {id_keyword: "urn:example:other", "not": {"$ref": "urn:example:root"},
                               "items": {"$ref": "#/not"}}}}
    yield {id_keyword: "tree", "not": {"$ref": "node"},
           definitions: {"n": {id_keyword: "node", "not": {"$ref": "tree"}}}}


def remote(id_keyword, definitions):
    schema = {id_keyword: X + "a/main.json", "not": {"$ref": "other.json"},
              "properties": {"b": {"$ref": "../b.json#/properties/back"}, "c": {"$ref": X + "b.json"},
                             "d": {"$ref": "named.json"}, "e": {"$ref": "list.json#/list/0"}}}
    documents = {X + "a/other.json": {"items": {"$ref": "main.json"}, "not": {"$ref": f"#/{definitions}/i"},
                                      definitions: {"i": {id_keyword: "sub/i.json", "not": {"$ref": "../other.json"}}}},
                 X + "b.json": {"properties": {"back": {"$ref": "a/other.json#/items"}}},
                 X + "a/named.json": {id_keyword: X + "elsewhere/n.json", "not": {"$ref": "m.json"}},
                 X + "elsewhere/m.json": {"not": {"$ref": "n.json"}},
                 X + "a/list.json": {"list": [{"not": {"$ref": "#/list/0"}}]}}
    return schema, documents


def plain_names(draft):
    name = {4: lambda n: {"id": "#" + n}, 6: lambda n: {"$id": "#" + n}, 7: lambda n: {"$id": "#" + n}}.get(
        draft, lambda n: {"$anchor": n})
    id_keyword, definitions = ("id" if draft == 4 else "$id"), "definitions"
    yield {"properties": {"a": {"$ref": "#one"}, "b": {"$ref": "#t-2_.x"}, "c": {"$ref": X + "in#one"}},
           definitions: {"1": {**name("one"), "type": "string"}, "2": {"items": {**name("t-2_.x"), "type": "null"}},
                         "3": {id_keyword: X + "in", "items": {**name("one"), "not": {"$ref": "#one"}}}}}


CASES = [
    # `$schema` changes the draft, and with it what an identifier is
    (9, {"not": {"$ref": "#x"}, "$defs": {"old": {"$schema": "http://json-schema.org/draft-07/schema#",
                                                   "$id": X + "old", "definitions": {"a": {"$id": "#x"}},
                                                   "not": {"$ref": "#x"}, "$defs": {"no": {"$anchor": "y"}}},
                                           "x": {"$anchor": "x"}}}, {}),
    (7, {"definitions": {"new": {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": X + "new",
                                 "$defs": {"a": {"$anchor": "x", "$ref": "#y", "$id": "c"}, "y": {"$anchor": "y"},
                                           "c": {"$id": "d", "$anchor": "y"}},
                                 "not": {"$ref": "#y"}}}, "not": {"$ref": X + "new"}}, {}),
    (9, {"$ref": X + "seven", "not": {"$ref": X + "nine#b"}},
     {X + "seven": {"$schema": "http://json-schema.org/draft-07/schema", "definitions": {"a": {"$id": "#a"}},
                    "not": {"$ref": "#a"}},
      X + "nine": {"$defs": {"b": {"$anchor": "b"}}, "not": {"$ref": "#b"}}}),
    # beside a $ref, drafts up to 7 see nothing
    (7, {"$id": X + "base/", "allOf": [{"$id": X + "other/", "$ref": "foo.json"}],
         "definitions": {"a": {"$id": X + "other/foo.json"}, "b": {"$id": "foo.json"}}}, {}),
    (9, {"$id": X + "base/", "allOf": [{"$id": X + "other/", "$ref": "foo.json"}],
         "$defs": {"a": {"$id": X + "other/foo.json"}, "b": {"$id": "foo.json"}}}, {}),
    # dynamic anchors are anchors; what is dynamic hangs on the name
    (9, {"$id": X + "d", "$dynamicAnchor": "node",
         "properties": {"a": {"$dynamicRef": "#node"}, "b": {"$ref": "#node"}, "c": {"$dynamicRef": "#plain"},
                        "d": {"$dynamicRef": "#/properties/a"}, "e": {"$dynamicRef": "e#node"},
                        "f": {"$dynamicRef": "#"}},
         "$defs": {"p": {"$anchor": "plain"}, "e": {"$id": "e", "$defs": {"n": {"$dynamicAnchor": "node"}}}}}, {}),
    (8, {"$id": X + "r", "$recursiveAnchor": True, "items": {"$recursiveRef": "#"},
         "$defs": {"a": {"$id": "a", "not": {"$recursiveRef": "#"}},
                   "b": {"$id": "b", "$recursiveAnchor": True, "not": {"$recursiveRef": "#"}},
                   "c": {"$recursiveAnchor": True, "not": {"$recursiveRef": "#"}}}}, {}),
    (8, {"$recursiveAnchor": False, "items": {"$recursiveRef": "#"}}, {}),
    (9, {"$defs": {"a": True, "b": False}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}]}, {}),
    # what leads nowhere
    (9, {"properties": {"a": {"$ref": "#/properties/z"}, "b": {"$ref": "#nothing"}, "c": {"$ref": X + "nothing"},
                        "e": {"$ref": "#/properties/a/$ref/x"}, "f": {"$ref": "#one"}},
         "$defs": {"a": {"$id": "a", "$anchor": "one"}, "b": {"unknown": {"$anchor": "nothing", "$id": X + "nothing"}},
                   "c": {"const": {"$anchor": "nothing"}}}}, {}),
]
for d in DRAFTS:
    i, defs = "id" if d == 4 else "$id", "definitions" if d < 8 else "$defs"
    CASES += [(d, schema, {}) for schema in [*here(i, defs), *plain_names(d)]] + [(d, *remote(i, defs))]
CASES += [(9, {"$ref": uri}, {}) for uri in sorted(REGISTRY) if "draft-03" not in uri]
# the metaschemas whose own references are listed too, where they are all that a schema refers to
SITE = "json-schema.org/"
WHOLE = ({f"http://{SITE}draft-0{n}/schema" for n in (4, 6, 7)}
         | {f"https://{SITE}draft/{n}/schema" for n in ("2019-09", "2020-12")})


# --- what `referencing` says -------------------------------------------------------------------------------------

named = None  # the `$dynamicAnchor` that the last lookup went through


def resolve_as_written(anchor, resolver):
    global named
    named = anchor.name
    inner = resolver.in_subresource(anchor.resource)
    return referencing._core.Resolved(contents=anchor.resource.contents, resolver=inner)


dialects.DynamicAnchor.resolve = resolve_as_written


class Walk:
    """All references of a schema and of the documents that they lead to, in the order in which they are met."""

    def __init__(self, specification, schema, fetch):
        self.specification, self.fetch = specification, fetch
        self.places, self.seen, self.found, self.documents, self.bases = {}, set(), [], {}, {}
        self.whole = isinstance(schema, dict) and schema.get("$ref") in WHOLE
        self.note(schema, "", "")
        root = referencing.Resource.from_contents(schema, default_specification=specification)
        self.known = referencing.Registry(retrieve=self.retrieve).with_resource(root.id() or "", root)
        self.walk(root, self.known.resolver(root.id() or ""))

    def note(self, node, document, pointer):
        if isinstance(node, (dict, list)):
            self.places[id(node)] = (document, pointer)
            for key, value in node.items() if isinstance(node, dict) else enumerate(node):
                self.note(value, document, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")

    def retrieve(self, uri):
        if uri not in self.documents:
            contents = json.loads(json.dumps(REGISTRY.contents(uri))) if uri in REGISTRY else self.fetch(uri)
            if contents is None:
                raise referencing.exceptions.NoSuchResource(ref=uri)
            resource = referencing.Resource.from_contents(contents, default_specification=self.specification)
            identifier = resource.id() if isinstance(contents, dict) else None
            self.note(contents, uri, "")
            self.bases[uri] = urllib.parse.urljoin(uri, identifier or "")
            self.documents[uri] = resource
        return self.documents[uri]

    def walk(self, resource, resolver):
        node = resource.contents
        if not isinstance(node, dict) or id(node) in self.seen:
            return
        if self.places[id(node)][0] in REGISTRY and not self.whole:
            return
        self.seen.add(id(node))
        keywords = {"draft2020-12": ["$ref", "$dynamicRef"], "draft2019-09": ["$ref", "$recursiveRef"]}
        specification = resource._specification
        targets = [self.look_up(node, keyword, resolver) for keyword in keywords.get(specification.name, ["$ref"])
                   if isinstance(node.get(keyword), str)]
        for resolved in filter(None, targets):
            target = referencing.Resource.from_contents(resolved.contents, default_specification=specification)
            document, pointer = self.places[id(resolved.contents)]
            inner = resolved.resolver
            if document and not pointer:  # its own identifier is not applied yet
                inner = inner._evolve(base_uri=self.bases[document])
            self.walk(target, inner)
        inside = [inner for inner in resource.subresources() if isinstance(inner.contents, dict)]
        for inner in sorted(inside, key=lambda inner: self.places[id(inner.contents)]):
            self.walk(inner, resolver.in_subresource(inner))

    def look_up(self, node, keyword, resolver):
        global named
        document, pointer = self.places[id(node)]
        named = None
        try:
            resolved = resolver.lookup(node[keyword])
        except (referencing.exceptions.Unresolvable, TypeError, ValueError):
            self.found.append([document, f"{pointer}/{keyword}", "", None, None])
            return None
        if isinstance(resolved.contents, bool):
            self.found.append([document, f"{pointer}/{keyword}", "", resolved.contents, None])
            return None
        if keyword == "$recursiveRef":
            named = "" if resolved.contents.get("$recursiveAnchor") is True else None
        self.found.append([document, f"{pointer}/{keyword}", *self.places[id(resolved.contents)],
                           named if keyword != "$ref" else None])
        return resolved


def with_roots_walked(walk):
    """References of retrieved documents that no reference leads past, too."""
    for uri, resource in list(walk.documents.items()):
        walk.walk(resource, walk.known.with_resource(uri, resource).resolver(uri).in_subresource(resource))
    return walk


def suite():
    root = pathlib.Path(os.environ["WEIR_DATA"], "json-schema-test-suite")
    folder = root / "remotes"
    remotes = {REMOTES + path.relative_to(folder).as_posix(): path for path in folder.rglob("*.json")}

    def fetch(uri):
        return json.loads(remotes[uri].read_text()) if uri in remotes else None

    for name, draft in ("draft4", 4), ("draft6", 6), ("draft7", 7), ("draft2019-09", 8), ("draft2020-12", 9):
        for path in sorted((root / "tests" / name).rglob("*.json")):
            for index, group in enumerate(json.loads(path.read_text())):
                place = [path.relative_to(root).as_posix(), index]
                yield draft, {"suite": place}, Walk(DRAFTS[draft], group["schema"], fetch)


def main():
    for draft, schema, documents in CASES:
        walk = with_roots_walked(Walk(DRAFTS[draft], schema, documents.get))
        texts = {uri: json.dumps(document) for uri, document in documents.items()}
        print(json.dumps({"draft": draft, "schema": schema, "documents": texts, "references": walk.found}))
    for draft, line, walk in suite():
        with_roots_walked(walk)
        if walk.found:
            print(json.dumps({"draft": draft, **line, "references": walk.found}))


if __name__ == "__main__":
    main()
