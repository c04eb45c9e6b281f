"""reference.py - what the standard says, for the tests: a validator, strict reading of JSON, and the order of keys.

In: schemas and documents as Python values. Out: verdicts of PyPI's jsonschema (numbers exact, `integer` as the standard
means it), and for a document its keys in schema order, the rule that the library's key-order policy follows.
"""
import json
import re
import urllib.parse
from decimal import Decimal, getcontext

import jsonschema

getcontext().prec = 400
BASE = jsonschema.Draft202012Validator


def is_integer(_, value):
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, (float, Decimal)) and value == int(value))


VALIDATOR = jsonschema.validators.extend(BASE, type_checker=BASE.TYPE_CHECKER.redefine("integer", is_integer))


def exact(value):
    """The value as its JSON text gives it, numbers exact."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def validator(schema):
    return VALIDATOR(exact(schema), format_checker=BASE.FORMAT_CHECKER)


# --- reading a text as strictly as RFC 8259 ----------------------------------------------------------------------

class Duplicate(Exception):
    """An object names a key twice."""


def _pairs(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise Duplicate
    return out


def _no_constant(name):
    raise ValueError(name)


_STRICT = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_pairs)
_LAST_WINS = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
_SPACE = " \t\n\r"


def read(data):
    """(value, duplicate) of a text given as bytes; ValueError unless it is one JSON value with no space around it.
    `duplicate` says that an object names a key twice; the value then has the last of them."""
    text = data.decode("utf-8")  # UnicodeDecodeError is a ValueError; json.loads would let surrogates pass
    if not text or text[0] in _SPACE or text[-1] in _SPACE:
        raise ValueError("white space around the value")
    try:
        return _STRICT.decode(text), False
    except Duplicate:
        return _LAST_WINS.decode(text), True


def has_lone_surrogate(value):
    if isinstance(value, str):
        return any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, list):
        return any(map(has_lone_surrogate, value))
    if isinstance(value, dict):
        return any(has_lone_surrogate(k) or has_lone_surrogate(v) for k, v in value.items())
    return False


# --- the order of keys -------------------------------------------------------------------------------------------

IN_PLACE = ("allOf", "anyOf", "oneOf", "not")


def ignores_ref_siblings(schema):
    return isinstance(schema, dict) and bool(re.search(r"draft-0[3-7]", str(schema.get("$schema", ""))))


class Order:
    """The key order of one schema document, keywords of the core: first appearance in a depth-first walk through the
    schemas that apply in place, members in the order of the text, a $ref where it stands; then unlisted keys."""

    def __init__(self, root):
        self.root, self.alone = root, ignores_ref_siblings(root)
        self.named = {}
        self._index(root)
        self._ranks, self._components = {}, {}

    def _index(self, node):
        """Every subschema that carries an identifier of its own."""
        if isinstance(node, dict):
            for k in ("$anchor", "$id", "id"):
                if isinstance(node.get(k), str):
                    self.named.setdefault(("#" if k == "$anchor" else "") + node[k], node)
            for v in node.values():
                self._index(v)
        elif isinstance(node, list):
            for v in node:
                self._index(v)

    def resolve(self, ref):
        """The schema that a reference names, or None when it leaves the document."""
        if ref in self.named:
            return self.named[ref]
        base, _, fragment = ref.partition("#")
        node = self.root if not base else self.named.get(base, self.named.get(base + "#"))
        if fragment and not fragment.startswith("/"):
            return self.named.get("#" + fragment, self.named.get(fragment))
        for part in fragment.split("/")[1:]:
            part = urllib.parse.unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and part.isdigit() and int(part) < len(node):
                node = node[int(part)]
            elif isinstance(node, dict) and part in node:
                node = node[part]
            else:
                return None
        return node

    def members(self, schema):
        """(keyword, value) of a schema object in the order of the text, without what the draft ignores."""
        if self.alone and isinstance(schema.get("$ref"), str):
            return [("$ref", schema["$ref"])]
        return list(schema.items())

    def _walk(self, schemas, seen, visit):
        for s in schemas:
            if not isinstance(s, dict) or id(s) in seen:
                continue
            visit("schema", s)
            inner = seen + (id(s),)
            for k, v in self.members(s):
                if k == "$ref" and isinstance(v, str):
                    self._walk([self.resolve(v)], inner, visit)
                elif k in IN_PLACE:
                    self._walk(v if isinstance(v, list) else [v], inner, visit)
                else:
                    visit(k, v)

    def _of(self, schemas):
        """(components, rank of each listed name), cached by the identity of the schemas."""
        key = tuple(id(s) for s in schemas)
        if key not in self._ranks:
            found, listed = [], {}

            def visit(keyword, value):
                if keyword == "schema":
                    found.append(value)
                elif keyword == "properties" and isinstance(value, dict):
                    listed.update(dict.fromkeys(value))
                elif keyword in ("const", "enum"):
                    for x in [value] if keyword == "const" else value:
                        if isinstance(x, dict):
                            listed.update(dict.fromkeys(x))

            self._walk(schemas, (), visit)
            # `schemas` stays referenced by the cache, so the identities in `key` stay theirs
            self._ranks[key] = (schemas, found, {k: i for i, k in enumerate(listed)})
        return self._ranks[key][1:]

    def _constants(self, components, kind):
        for c in components:
            for v in ([c["const"]] if "const" in c else []) + (c["enum"] if isinstance(c.get("enum"), list) else []):
                if isinstance(v, kind):
                    yield v

    def _member(self, components, key):
        """The schemas that apply to the value of a key."""
        cached = self._components.setdefault((tuple(map(id, components)), key), [])
        if not cached:
            out = []
            for c in components:
                if self.alone and "$ref" in c:
                    continue
                if key in c.get("properties", {}):
                    out.append(c["properties"][key])
                elif "additionalProperties" in c:
                    out.append(c["additionalProperties"])
            out += [{"const": v[key]} for v in self._constants(components, dict) if key in v]
            cached.append((components, out))
        return cached[0][1]

    def _item(self, components, index):
        cached = self._components.setdefault((tuple(map(id, components)), index), [])
        if not cached:
            out = []
            for c in components:
                if self.alone and "$ref" in c:
                    continue
                prefix = c.get("prefixItems", [])
                out += [prefix[index]] if index < len(prefix) else [c["items"]] if "items" in c else []
            out += [{"const": v[index]} for v in self._constants(components, list) if index < len(v)]
            cached.append((components, out))
        return cached[0][1]

    def sort(self, value, schemas=None):
        """The value with the keys of every object in schema order; unlisted keys keep theirs."""
        if not isinstance(value, (dict, list)):
            return value
        components, rank = self._of([self.root] if schemas is None else schemas)
        if isinstance(value, dict):
            keys = sorted(value, key=lambda k: rank.get(k, len(rank)))
            return {k: self.sort(value[k], self._member(components, k)) for k in keys}
        return [self.sort(v, self._item(components, i)) for i, v in enumerate(value)]

    def holds(self, value, schemas=None):
        """Whether every object of the value has its keys in schema order already."""
        if not isinstance(value, (dict, list)):
            return True
        components, rank = self._of([self.root] if schemas is None else schemas)
        if isinstance(value, dict):
            last = -1
            for k, v in value.items():
                place = rank.get(k, len(rank))
                if place < last or not self.holds(v, self._member(components, k)):
                    return False
                last = place
            return True
        return all(self.holds(v, self._item(components, i)) for i, v in enumerate(value))

    def unlisted(self, value, schemas=None):
        """Whether some object of the value has a key that no schema lists: None if not; True where some schema of that
        object has `properties` and none says what other keys may be, so that closed objects refuse it; else False."""
        if not isinstance(value, (dict, list)):
            return None
        components, rank = self._of([self.root] if schemas is None else schemas)
        found = []
        if isinstance(value, dict):
            closed = any("properties" in c for c in components) and not any("additionalProperties" in c for c in components)
            found = [closed for k in value if k not in rank]
            found += [self.unlisted(v, self._member(components, k)) for k, v in value.items()]
        else:
            found = [self.unlisted(v, self._item(components, i)) for i, v in enumerate(value)]
        return True if True in found else False if False in found else None
