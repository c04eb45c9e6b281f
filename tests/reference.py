"""reference.py - what the standard says, for the tests: a validator, strict reading of JSON, and the order of keys.

In: schemas and documents as Python values. Out: verdicts of PyPI's jsonschema with the validator class of the schema's
draft (numbers exact, `integer` as the standard means it, patterns as ECMA-262 reads them, unique items compared pair by
pair), and for a document its keys in schema order, the rule that the library's key-order policy follows.
"""
import functools
import json
import re
import sys
import urllib.parse
from decimal import Decimal, getcontext

import jsonschema

getcontext().prec = 400
sys.set_int_max_str_digits(0)
BASE = jsonschema.Draft202012Validator
DRAFTS = {"draft-03": 3, "draft-04": 4, "draft-06": 6, "draft-07": 7, "2019-09": 2019, "2020-12": 2020}


def draft_of(schema):
    """4, 6, 7, 2019 or 2020: what $schema says, else the last."""
    uri = schema.get("$schema", "") if isinstance(schema, dict) else ""
    return next((n for mark, n in DRAFTS.items() if mark in str(uri)), 2020)


def is_integer(_, value):
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, (float, Decimal)) and value == int(value))


def same(a, b):
    """Equal as JSON values: true is not 1, and 1 is 1.0."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    return a == b


def _unique_items(_, wanted, instance, __):
    if wanted and isinstance(instance, list) and any(same(a, b) for i, a in enumerate(instance) for b in instance[:i]):
        yield jsonschema.ValidationError("two items are equal")


@functools.lru_cache(None)
def _class_of(draft):
    base = {4: jsonschema.Draft4Validator, 6: jsonschema.Draft6Validator, 7: jsonschema.Draft7Validator,
            2019: jsonschema.Draft201909Validator}.get(draft, BASE)
    checker = base.TYPE_CHECKER if draft == 4 else base.TYPE_CHECKER.redefine("integer", is_integer)
    return jsonschema.validators.extend(base, {"uniqueItems": _unique_items}, type_checker=checker)


def exact(value):
    """The value as its JSON text gives it, numbers exact."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def validator(schema):
    """Without the schema's own $schema: a reference back to the root would put the package's plain class of that draft, which
    denies that 1.0 is an integer, in the place of this one."""
    plain = {k: v for k, v in schema.items() if k != "$schema"} if isinstance(schema, dict) else schema
    return _class_of(draft_of(schema))(pythonic(exact(plain)), format_checker=BASE.FORMAT_CHECKER)


# --- patterns: ECMA-262 written for Python's re ------------------------------------------------------------------

_SPACES = r"\t\n\x0b\x0c\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACES, "D": r"\0-/:-\U0010ffff", "W": r"\0-/:-@\[-^`{-\U0010ffff",
            "S": r"\0-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\U0010ffff"}
_PIECE = re.compile(r"\\(?:u\{[0-9a-fA-F]+\}|c[A-Za-z]|.)|\(\?<(?![=!])|\[\^?\]|.", re.S)


def ecma(pattern):
    """The pattern for re.search: classes of ASCII, $ only at the end, a dot that no line terminator matches."""
    out, inside = [], False
    for piece in _PIECE.findall(pattern):
        if piece.startswith("\\u{"):
            out.append(re.escape(chr(int(piece[3:-1], 16))))
        elif piece.startswith("\\c") and len(piece) == 3:
            out.append(f"\\x{ord(piece[2]) % 32:02x}")
        elif piece[0] == "\\" and piece[1:] in _CLASSES:
            out.append(_CLASSES[piece[1]] if inside else f"[{_CLASSES[piece[1]]}]")
        elif piece in ("\\b", "\\B") and not inside:
            out.append(f"(?a:{piece})")
        elif piece == "\\/" or piece == "\\-":
            out.append(re.escape(piece[1]))
        elif piece == "$" and not inside:
            out.append(r"\Z")
        elif piece == "." and not inside:
            out.append(r"[^\n\r\u2028\u2029]")
        elif piece == "(?<":
            out.append("(?P<")
        elif piece in ("[]", "[^]") and not inside:
            out.append("(?!)" if piece == "[]" else r"[\s\S]")
        elif piece[0] == "[" and inside:
            out.append("\\" + piece)
            inside = piece == "["
        else:
            out.append(piece)
            inside = piece == "[" or (inside and piece != "]")
    return "".join(out)


SCHEMAS_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
DATA = ("const", "enum", "default", "examples", "required", "dependentRequired")


def pythonic(schema):
    """The schema with its patterns written for Python's re."""
    if isinstance(schema, list):
        return [pythonic(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for k, v in schema.items():
        if k == "pattern" and isinstance(v, str):
            v = ecma(v)
        elif k == "patternProperties" and isinstance(v, dict):
            # "(?:)" keeps two patterns apart that are written alike in Python
            v = {ecma(p) + "(?:)" * i: pythonic(s) for i, (p, s) in enumerate(v.items())}
        elif k in SCHEMAS_BY_NAME and isinstance(v, dict):
            v = {name: pythonic(s) for name, s in v.items()}
        elif k not in DATA:
            v = pythonic(v)
        out[k] = v
    return out


# --- reading a text as strictly as RFC 8259 ----------------------------------------------------------------------

class Members(dict):
    """An object that names keys twice: the last of each, and which they are."""

    repeated = ()


def _pairs(pairs):
    out = dict(pairs)
    if len(out) == len(pairs):
        return out
    out = Members(pairs)
    names = [k for k, _ in pairs]
    out.repeated = sorted(k for k in out if names.count(k) > 1)
    _pairs.met = True
    return out


def _no_constant(name):
    raise ValueError(name)


_STRICT = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_pairs)
_SPACE = " \t\n\r"


def read(data):
    """(value, duplicate) of a text given as bytes; ValueError unless it is one JSON value with no space around it.
    `duplicate` says that an object names a key twice; the value then has the last of them."""
    text = data.decode("utf-8")  # UnicodeDecodeError is a ValueError; json.loads would let surrogates pass
    if not text or text[0] in _SPACE or text[-1] in _SPACE:
        raise ValueError("white space around the value")
    _pairs.met = False
    return _STRICT.decode(text), _pairs.met


def has_lone_surrogate(value):
    if isinstance(value, str):
        return any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, list):
        return any(map(has_lone_surrogate, value))
    if isinstance(value, dict):
        return any(has_lone_surrogate(k) or has_lone_surrogate(v) for k, v in value.items())
    return False


# --- the order of keys -------------------------------------------------------------------------------------------

# What applies in place, and since which draft.
IN_PLACE = {"allOf": 4, "anyOf": 4, "oneOf": 4, "not": 4, "if": 7, "then": 7, "else": 7, "dependentSchemas": 2019, "dependencies": 4}
SINCE = {"const": 6, "contains": 6, "prefixItems": 2020, "unevaluatedProperties": 2019, "unevaluatedItems": 2019}


class Order:
    """The key order of one schema document: first appearance in a depth-first walk through the schemas that apply in place,
    members in the order of the text, a $ref where it stands; then unlisted keys. The schemas of a member or an item are taken
    component by component, each in the order properties, patternProperties, additionalProperties, unevaluatedProperties, or
    the index's own, contains, unevaluatedItems; members of constants come after them."""

    def __init__(self, root):
        self.root, self.draft = root, draft_of(root)
        self.alone = self.draft <= 7
        self.named = {}
        self._index(root)
        self._ranks, self._components, self._matches = {}, {}, {}

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
        return [(k, v) for k, v in schema.items() if self.draft >= SINCE.get(k, IN_PLACE.get(k, 4))]

    def _in_place(self, keyword, value):
        """The schemas under a keyword that apply in place."""
        if keyword == "$ref":
            return [self.resolve(value)] if isinstance(value, str) else []
        if keyword not in IN_PLACE or self.draft < IN_PLACE[keyword]:
            return []
        return value if isinstance(value, list) else list(value.values()) if keyword.startswith("depend") else [value]

    def _walk(self, schemas, seen, visit):
        for s in schemas:
            if not isinstance(s, dict) or id(s) in seen:
                continue
            visit("schema", s)
            inner = seen + (id(s),)
            for k, v in self.members(s):
                visit(k, v)
                self._walk(self._in_place(k, v), inner, visit)

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
        for c in map(dict, map(self.members, components)):
            for v in ([c["const"]] if "const" in c else []) + (c["enum"] if isinstance(c.get("enum"), list) else []):
                if isinstance(v, kind):
                    yield v

    def _matching(self, schema, key):
        """The schemas under patternProperties whose pattern the key matches."""
        out = []
        for pattern, s in schema.get("patternProperties", {}).items():
            if pattern not in self._matches:
                self._matches[pattern] = re.compile(ecma(pattern))
            out += [s] if self._matches[pattern].search(key) else []
        return out

    def _member(self, components, key):
        """The schemas that apply to the value of a key."""
        cached = self._components.setdefault((tuple(map(id, components)), key), [])
        if not cached:
            out = []
            for c in map(dict, map(self.members, components)):
                own = [c["properties"][key]] if key in c.get("properties", {}) else []
                own += self._matching(c, key)
                for rest in ("additionalProperties", "unevaluatedProperties"):
                    own = own or ([c[rest]] if rest in c else [])
                out += own
            out += [{"const": v[key]} for v in self._constants(components, dict) if key in v]
            cached.append((components, out))
        return cached[0][1]

    def _item(self, components, index):
        cached = self._components.setdefault((tuple(map(id, components)), index), [])
        if not cached:
            out = []
            for c in map(dict, map(self.members, components)):
                array_form = isinstance(c.get("items"), list)
                prefix = c["items"] if array_form else c.get("prefixItems", [])
                rest = "additionalItems" if array_form else "items"
                own = [prefix[index]] if index < len(prefix) else [c[rest]] if rest in c else []
                out += own + ([c["contains"]] if "contains" in c else [])
                out += [c["unevaluatedItems"]] if "unevaluatedItems" in c and not own else []
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

    def repeats(self, value, schemas=None):
        """Whether some object names a listed key twice."""
        if not isinstance(value, (dict, list)):
            return False
        components, rank = self._of([self.root] if schemas is None else schemas)
        if isinstance(value, dict):
            return any(k in rank for k in getattr(value, "repeated", ())) or any(self.repeats(v, self._member(components, k)) for k, v in value.items())
        return any(self.repeats(v, self._item(components, i)) for i, v in enumerate(value))

    def unlisted(self, value, schemas=None):
        """Whether some object of the value has a key that no schema lists: None if not; True where some schema of that
        object has `properties` and none says what other keys may be, so that closed objects refuse it; else False."""
        if not isinstance(value, (dict, list)):
            return None
        components, rank = self._of([self.root] if schemas is None else schemas)
        found = []
        if isinstance(value, dict):
            speaks = {"additionalProperties", "unevaluatedProperties", "patternProperties", "propertyNames"}
            closed = any("properties" in c for c in components) and not any(speaks & c.keys() for c in components)
            found = [closed for k in value if k not in rank]
            found += [self.unlisted(v, self._member(components, k)) for k, v in value.items()]
        else:
            found = [self.unlisted(v, self._item(components, i)) for i, v in enumerate(value)]
        return True if True in found else False if False in found else None
