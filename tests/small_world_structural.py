"""small_world_structural.py - schemas of the small world for the structural keywords: each pair of them and each of them with
a core keyword, each in and under every applicator and its negation, both orders of keys, older drafts, corners by hand.

Out: lists of (name, schema, options); worlds(), lexical worlds as in small_world_schemas; PLANTED, faults that the judge must
see: keyword -> (schema, options, a text that is wrong to accept, a text that is wrong to reject)."""
import itertools
import json
import random

from small_world_schemas import VARIANTS as CORE, _with_defs

INTEGER, NULL, STRING, OBJECT, ARRAY = ({"type": t} for t in ("integer", "null", "string", "object", "array"))
DRAFT = {4: "http://json-schema.org/draft-04/schema#", 6: "http://json-schema.org/draft-06/schema#",
         7: "http://json-schema.org/draft-07/schema#", 2019: "https://json-schema.org/draft/2019-09/schema"}

# Two to four tiny variants of each keyword, over the keys a b c and the scalars of the world.
STRUCTURAL = {
    "if": [{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
           {"if": {"properties": {"a": {"const": 0}}}, "then": {"properties": {"b": INTEGER}}},
           {"if": ARRAY, "else": {"required": ["a"]}}],
    "then": [{"if": {"type": ["object", "array"]}, "then": {"required": ["b"], "minItems": 1}},
             {"if": {"properties": {"b": NULL}, "required": ["b"]}, "then": {"properties": {"a": False}}},
             {"if": {"maxItems": 1}, "then": {"items": INTEGER}}],
    "else": [{"if": {"required": ["b"]}, "else": {"properties": {"a": INTEGER}, "required": ["a"]}},
             {"if": {"minItems": 2}, "else": {"items": {"type": ["array", "null"]}}}, {"if": INTEGER, "else": {"type": ["object", "string"]}}],
    "patternProperties": [{"patternProperties": {"^a": INTEGER}}, {"patternProperties": {"a|b": {"type": ["null", "integer"]}, "[bc]": {"type": ["integer", "object"]}}},
                          {"patternProperties": {"b": False}}, {"patternProperties": {"^[^a]$": {"type": ["object", "null"]}}}],
    "propertyNames": [{"propertyNames": {"enum": ["a", "b"]}}, {"propertyNames": {"pattern": "^[^b]$"}}, {"propertyNames": {"not": {"const": "a"}}},
                      {"propertyNames": {"minLength": 2}}],
    "minProperties": [{"minProperties": 1}, {"minProperties": 2}],
    "maxProperties": [{"maxProperties": 0}, {"maxProperties": 1}],
    "dependentRequired": [{"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"b": ["c"], "c": ["b"]}}, {"dependentRequired": {"c": ["a"], "a": []}}],
    "dependentSchemas": [{"dependentSchemas": {"a": {"required": ["b"]}}}, {"dependentSchemas": {"b": {"properties": {"a": INTEGER, "c": {}}}}},
                         {"dependentSchemas": {"c": False, "a": {"maxProperties": 1}}}],
    "contains": [{"contains": INTEGER}, {"contains": {"const": 1}}, {"contains": {"type": ["array", "null"]}}, {"contains": False}],
    "minContains": [{"contains": INTEGER, "minContains": 2}, {"contains": {"type": ["null", "string"]}, "minContains": 0},
                    {"contains": {"type": ["integer", "array"]}, "minContains": 2}],
    "maxContains": [{"contains": INTEGER, "maxContains": 1}, {"contains": {"type": ["null", "string"]}, "minContains": 0, "maxContains": 1},
                    {"contains": ARRAY, "minContains": 1, "maxContains": 1}],
    "uniqueItems": [{"uniqueItems": True}, {"uniqueItems": True, "minItems": 2}],
    "unevaluatedProperties": [{"unevaluatedProperties": False}, {"unevaluatedProperties": {"type": ["integer", "null"]}}],
    "unevaluatedItems": [{"unevaluatedItems": False}, {"unevaluatedItems": {"type": ["integer", "array"]}}],
    "pattern": [{"pattern": "^a?$"}, {"pattern": "a"}, {"pattern": "^[^a]*$"}],
}
# What only older drafts have; the list form of items goes by the name "items[]".
OLDER = {
    "dependencies": [{"dependencies": {"a": ["b"]}}, {"dependencies": {"b": {"properties": {"a": INTEGER}}}}, {"dependencies": {"c": False, "a": ["c"]}}],
    "items[]": [{"items": [INTEGER]}, {"items": [{}, {"const": 0}]}, {"items": [{"type": ["array", "integer"]}, False]}],
    "additionalItems": [{"items": [INTEGER], "additionalItems": False}, {"items": [{}], "additionalItems": INTEGER}, {"additionalItems": False}],
}
# Draft 4: a boolean beside the bound.
BOOLEAN = {
    "exclusiveMinimum bool": [{"minimum": 0, "exclusiveMinimum": True}, {"minimum": 1, "exclusiveMinimum": False}],
    "exclusiveMaximum bool": [{"maximum": 1, "exclusiveMaximum": True}, {"maximum": 0.5, "exclusiveMaximum": True}],
}
ALL = {**CORE, **STRUCTURAL}
NOT_IN_7 = {"prefixItems", "dependentRequired", "dependentSchemas", "minContains", "maxContains", "unevaluatedProperties", "unevaluatedItems"}
NOT_IN_4 = NOT_IN_7 | {"const", "propertyNames", "contains", "if", "then", "else", "exclusiveMinimum", "exclusiveMaximum"}
ABOUT_OBJECTS = ("properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties", "dependentRequired",
                 "dependentSchemas", "unevaluatedProperties", "if", "not", "anyOf", "oneOf", "allOf", "enum", "const", "$ref")

# Places for a schema in another one.
NESTS = {
    "not": lambda s: {"not": s},
    "anyOf": lambda s: {"anyOf": [s, {"const": {"a": 1}}, {"type": "array", "minItems": 2}]},
    "oneOf": lambda s: {"oneOf": [s, {"type": ["object", "string"]}, {"maxItems": 1, "type": "array"}]},
    "allOf": lambda s: {"allOf": [{"properties": {"b": {"type": ["integer", "array"]}}}, s]},
    "$ref": lambda s: {"$defs": {"s": s}, "anyOf": [{"$ref": "#/$defs/s"}, {"items": {"$ref": "#/$defs/s"}, "type": "array"}]},
    "items": lambda s: {"type": "array", "items": s},
    "properties": lambda s: {"type": "object", "properties": {"b": s, "a": {}}},
    "additionalProperties": lambda s: {"type": "object", "properties": {"a": INTEGER}, "additionalProperties": s},
    "if": lambda s: {"if": s, "then": {"type": ["object", "integer"]}, "else": {"type": ["array", "object", "null"]}},
    "then": lambda s: {"if": {"type": ["object", "string"]}, "then": s, "else": {"maxItems": 1}},
    "else": lambda s: {"if": {"anyOf": [{"required": ["a"]}, NULL]}, "else": s},
    "dependentSchemas": lambda s: {"dependentSchemas": {"a": s}, "type": "object"},
    "patternProperties": lambda s: {"patternProperties": {"[ab]": s}, "type": "object"},
    "contains": lambda s: {"contains": s, "type": "array"},
    "maxContains": lambda s: {"contains": s, "minContains": 0, "maxContains": 1, "type": "array"},
    "unevaluatedProperties": lambda s: {"unevaluatedProperties": s, "properties": {"a": {}}, "type": "object"},
    "unevaluatedItems": lambda s: {"unevaluatedItems": s, "prefixItems": [{}], "type": "array"},
    "not in anyOf": lambda s: {"anyOf": [{"not": s}, {"type": "integer"}]},
    "not in oneOf": lambda s: {"oneOf": [{"not": s}, {"required": ["b"], "maxItems": 1}]},
    "not in if": lambda s: {"if": {"not": s}, "then": {"type": ["object", "array"]}, "else": {"maxItems": 2, "properties": {"b": INTEGER}}},
    "unevaluated beside anyOf": lambda s: {"anyOf": [s, {"required": ["b"], "minItems": 2}], "unevaluatedProperties": False, "unevaluatedItems": False},
}
OLD_NESTS = set(list(NESTS)[:8])  # small_world_schemas has the core keywords in these


def _merged(r, one, other):
    s = {**r.choice(one), **r.choice(other)}
    if "items" in s and isinstance(s["items"], list) and not s["items"]:
        s.pop("items")
    return _with_defs(dict(reversed(s.items())) if r.random() < .5 else s)


def pairs():
    """Each pair with a structural keyword, side by side; those about objects once more with keys in any order."""
    out, r = [], random.Random(12)
    for k, l in itertools.combinations(ALL, 2):
        if k in STRUCTURAL or l in STRUCTURAL:
            out.append((f"{k}+{l}", _merged(r, ALL[k], ALL[l]), {}))
    for k, l in itertools.combinations(ABOUT_OBJECTS, 2):
        out.append((f"{k}+{l}, any order", _merged(r, ALL[k], ALL[l]), {"order": "any"}))
    return out


def nested():
    """Each keyword under each applicator."""
    out, r = [], random.Random(13)
    for nest, wrap in NESTS.items():
        for k in ALL:
            if k in STRUCTURAL or nest not in OLD_NESTS:
                out.append((f"{nest}/{k}", _with_defs(wrap(r.choice(ALL[k]))), {"order": "any"} if r.random() < .15 else {}))
    for k, variants in ALL.items():  # and of names
        if k in ("enum", "const", "minLength", "maxLength", "pattern", "type", "not", "anyOf", "oneOf", "allOf", "if", "then", "else"):
            out += [(f"propertyNames/{k}", {"propertyNames": s}, {}) for s in variants]
    return out


def _has_boolean_schema(schema):
    """Where draft 4 has none: everywhere but under additionalProperties and additionalItems."""
    inner = list(schema.items()) if isinstance(schema, dict) else []
    return any(isinstance(v, bool) and k not in ("additionalProperties", "additionalItems", "uniqueItems") or isinstance(v, list) and any(map(_is_false, v)) or _has_boolean_schema(v) for k, v in inner)


def _is_false(value):
    return isinstance(value, bool)


def older():
    """Drafts 4 to 2019-09: their own keywords with all others, and structural keywords as they were."""
    out, r = [], random.Random(14)
    for k, variants in OLDER.items():
        others = {**{l: v for l, v in ALL.items() if l not in NOT_IN_7}, **OLDER}
        for l, more in others.items():
            if k < l or l not in OLDER:
                out.append((f"draft 7: {k}+{l}", {"$schema": DRAFT[7], **_merged(r, variants, more)}, {}))
    for k, variants in BOOLEAN.items():
        others = {l: [s for s in v if l in BOOLEAN or not _has_boolean_schema(s)] for l, v in {**ALL, **OLDER, **BOOLEAN}.items() if l not in NOT_IN_4}
        out += [(f"draft 4: {k}+{l}", {"$schema": DRAFT[4], **_merged(r, variants, others[l])}, {}) for l in others if l != k]
    for k in ("patternProperties", "minProperties", "maxProperties", "uniqueItems", "pattern"):
        out.append((f"draft 4: {k}", {"$schema": DRAFT[4], **r.choice([v for v in STRUCTURAL[k] if not _has_boolean_schema(v)])}, {}))
    for k in ("propertyNames", "contains"):
        out.append((f"draft 6: {k}", {"$schema": DRAFT[6], **r.choice(STRUCTURAL[k])}, {}))
        out.append((f"draft 4 has no {k}", {"$schema": DRAFT[4], "type": ["object", "array"], **r.choice(STRUCTURAL[k])}, {}))
    out.append(("draft 6 has no if", {"$schema": DRAFT[6], "type": "object", **STRUCTURAL["if"][0]}, {}))
    for k in ("dependentRequired", "dependentSchemas", "minContains", "maxContains", "unevaluatedProperties"):
        out.append((f"draft 2019-09: {k}", {"$schema": DRAFT[2019], **r.choice(STRUCTURAL[k])}, {}))
        out.append((f"draft 7 has no {k}", {"$schema": DRAFT[7], "type": "object", **r.choice(STRUCTURAL[k][:2])}, {}))
    for k, variants in {**OLDER, "unevaluatedItems": [{"items": [INTEGER], "unevaluatedItems": False}, {"items": [{}], "unevaluatedItems": INTEGER}]}.items():
        if k != "dependencies":
            out += [(f"draft 2019-09: {k}", {"$schema": DRAFT[2019], "type": "array", **s}, {}) for s in variants]
    return out


def corners():
    """What pairs do not reach."""
    ref = lambda name: {"$ref": "#/$defs/" + name}  # noqa: E731
    const = lambda v: {"const": v}  # noqa: E731
    abc = {"a": {}, "b": {}, "c": {}}
    late = {"allOf": [const({})], "type": "string"}
    schemas = [
        # if: without branches, branches without if, nested, with what it evaluates, on values of other types
        {"if": False, "then": False}, {"if": True, "then": INTEGER, "else": NULL}, {"then": INTEGER, "type": "array"}, {"else": False, "type": "object"},
        {"if": {"if": {"required": ["a"]}, "then": {"required": ["b"]}}, "then": OBJECT, "else": {"required": ["c"]}},
        {"if": {"not": {"required": ["a"]}}, "then": {"maxProperties": 1}, "else": {"minProperties": 2}, "type": "object"},
        {"if": {"items": INTEGER}, "then": {"minItems": 2}, "else": {"maxItems": 1}, "type": "array"},
        {"if": {"properties": {"a": const(0)}, "required": ["a"]}, "then": {"properties": {"b": INTEGER}, "required": ["b"]},
         "else": {"properties": {"c": NULL}, "required": ["c"]}, "type": "object"},
        {"properties": {"b": {}}, "if": {"properties": {"a": INTEGER}}, "then": {"properties": {"c": NULL}}, "unevaluatedProperties": False, "type": "object"},
        {"if": {"properties": {"a": INTEGER}, "required": ["a"]}, "else": {"properties": {"b": {}}}, "unevaluatedProperties": False},
        {"if": {"contains": const(0)}, "then": {"uniqueItems": True}, "else": {"maxItems": 2}, "type": "array"},
        {"allOf": [{"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"if": {"required": ["b"]}, "then": {"required": ["a"]}}], "type": "object"},
        {"if": {"const": {"a": 0}}, "then": {"required": ["b"]}, "type": "object"}, {"if": {"enum": [[0], 0]}, "else": ARRAY},
        {"not": {"if": {"required": ["a"]}, "then": {"required": ["b"]}}}, {"oneOf": [{"if": INTEGER, "then": {"minimum": 1}}, {"type": ["integer", "null"]}]},
        # names by pattern: overlap, nothing left, negations, the finite and the empty class
        {"properties": {"a": INTEGER}, "patternProperties": {"a": {"minimum": 1}}, "additionalProperties": False},
        {"patternProperties": {"^a$": INTEGER, "a": {"enum": [0, None]}}, "additionalProperties": STRING, "type": "object"},
        {"patternProperties": {"": INTEGER}, "type": "object"}, {"patternProperties": {"^$": INTEGER}, "additionalProperties": False, "type": "object"},
        {"patternProperties": {"a": {}}, "additionalProperties": False, "minProperties": 1}, {"patternProperties": {"a": True, "b": True}, "additionalProperties": False, "maxProperties": 1},
        {"patternProperties": {"^[ab]$": INTEGER}, "additionalProperties": False, "minProperties": 2}, {"patternProperties": {"^[ab]$": INTEGER}, "additionalProperties": False, "minProperties": 3, "type": "object"},
        {"patternProperties": {"^[ab]$": {}}, "additionalProperties": False, "minProperties": 3}, {"required": ["a"], "patternProperties": {"a": False}},
        {"required": ["a"], "patternProperties": {"b": {}}, "additionalProperties": False}, {"not": {"patternProperties": {"a": INTEGER}}, "type": "object"},
        {"not": {"patternProperties": {"a|b": INTEGER, "c": NULL}}}, {"not": {"patternProperties": {"a": {}}, "additionalProperties": False}},
        {"oneOf": [{"patternProperties": {"a": INTEGER}}, {"patternProperties": {"[ab]": INTEGER}}], "type": "object"},
        {"anyOf": [{"patternProperties": {"a": INTEGER}, "additionalProperties": False}, {"patternProperties": {"b": NULL}, "additionalProperties": False}], "type": "object"},
        {"allOf": [{"patternProperties": {"a|b": INTEGER}}, {"patternProperties": {"b|c": {"enum": [0, "a"]}}, "additionalProperties": {"minimum": 1}}], "type": "object"},
        {"patternProperties": {"a": {"patternProperties": {"b": INTEGER}, "required": ["b"]}}, "type": "object"},
        {"properties": {"b": {"properties": {"c": {}}}}, "patternProperties": {"b": {"properties": {"a": {}}}}, "type": "object"},
        # propertyNames
        {"propertyNames": False}, {"propertyNames": False, "minProperties": 1}, {"propertyNames": False, "required": ["a"]}, {"propertyNames": True, "type": "object"},
        {"propertyNames": {"enum": ["a", "b"]}, "minProperties": 2, "type": "object"}, {"propertyNames": {"enum": ["a", "b"]}, "minProperties": 3, "type": "object"},
        {"propertyNames": {"enum": ["a", "b", 1]}, "minProperties": 2}, {"propertyNames": {"const": "a"}, "properties": {"b": INTEGER}, "minProperties": 1},
        {"propertyNames": {"pattern": "a|b"}, "properties": {"c": {}, "a": INTEGER}, "type": "object"}, {"propertyNames": INTEGER, "type": "object"},
        {"not": {"propertyNames": {"const": "a"}}}, {"not": {"propertyNames": {"pattern": "a"}}, "maxProperties": 1, "type": "object"},
        {"anyOf": [{"propertyNames": {"const": "a"}}, {"propertyNames": {"const": "b"}}], "type": "object"}, {"oneOf": [{"propertyNames": {"maxLength": 1}}, {"propertyNames": {"enum": ["a", "b"]}}], "type": "object"},
        {"propertyNames": {"if": {"const": "a"}, "then": True, "else": {"pattern": "b"}}, "type": "object"}, {"propertyNames": ref("n"), "$defs": {"n": {"maxLength": 1, "not": {"const": "b"}}}, "type": "object"},
        {"propertyNames": {"enum": ["a", "b"]}, "additionalProperties": INTEGER, "required": ["b"]}, {"if": {"propertyNames": {"enum": ["a"]}}, "then": {"required": ["a"]}, "else": {"maxProperties": 1}, "type": "object"},
        # how many
        {"minProperties": 2, "maxProperties": 1}, {"minProperties": 2, "maxProperties": 1, "type": "object"}, {"minProperties": 1, "additionalProperties": False, "type": "object"},
        {"minProperties": 2, "properties": {"a": {}}, "additionalProperties": False, "type": "object"}, {"minProperties": 2, "properties": abc, "additionalProperties": False, "type": "object"},
        {"maxProperties": 1, "required": ["a", "b"], "type": "object"}, {"maxProperties": 2, "required": ["a", "b"], "type": "object"}, {"maxProperties": 1, "minProperties": 1, "required": ["b"], "type": "object"},
        {"not": {"minProperties": 1}}, {"not": {"maxProperties": 1}}, {"not": {"minProperties": 2, "maxProperties": 2}, "type": "object"}, {"oneOf": [{"minProperties": 1}, {"maxProperties": 1}], "type": "object"},
        {"minProperties": 2, "properties": {"a": False, "b": {}, "c": {}}, "additionalProperties": False, "type": "object"}, {"minProperties": 2, "properties": {"b": INTEGER}, "maxProperties": 2, "type": "object"},
        {"anyOf": [{"minProperties": 2}, {"required": ["c"]}], "properties": {"a": INTEGER}, "type": "object"}, {"minProperties": 1, "additionalProperties": {"maxProperties": 0, "type": "object"}, "type": "object"},
        # dependencies between keys
        {"dependentRequired": {"a": ["b"], "b": ["c"], "c": ["a"]}, "type": "object"}, {"dependentRequired": {"a": ["b"]}, "properties": {"b": False}}, {"dependentRequired": {"a": ["a"], "b": ["a"]}, "required": ["b"]},
        {"dependentRequired": {"b": ["a"]}, "properties": {"a": {}, "b": {}}, "type": "object"}, {"dependentRequired": {"a": ["b"]}, "properties": {"b": {}, "a": {}}, "type": "object"},
        {"dependentRequired": {"a": ["b", "c"]}, "maxProperties": 2, "type": "object"}, {"not": {"dependentRequired": {"a": ["b"]}}}, {"not": {"dependentRequired": {"a": ["b"], "c": ["b"]}}, "type": "object"},
        {"dependentRequired": {"a": ["b"]}, "additionalProperties": False, "properties": {"a": {}}}, {"dependentSchemas": {"a": {"dependentSchemas": {"b": {"required": ["c"]}}}}, "type": "object"},
        {"dependentSchemas": {"a": {"properties": {"b": INTEGER}}, "b": {"properties": {"a": NULL}}}, "type": "object"}, {"dependentSchemas": {"a": {"minProperties": 2}, "b": {"maxProperties": 1}}, "type": "object"},
        {"dependentSchemas": {"a": {"additionalProperties": INTEGER}}, "type": "object"}, {"dependentSchemas": {"b": {"propertyNames": {"const": "b"}}}, "properties": {"a": {}}, "type": "object"},
        {"not": {"dependentSchemas": {"a": {"required": ["b"]}}}}, {"not": {"dependentSchemas": {"a": False}}}, {"dependentSchemas": {"a": {"not": {"required": ["b"]}}}, "dependentRequired": {"a": ["b"]}, "type": "object"},
        {"dependentSchemas": {"a": {"properties": {"b": {}}}}, "unevaluatedProperties": False, "properties": {"a": {}}, "type": "object"},
        # contains
        {"contains": True}, {"contains": INTEGER, "items": STRING}, {"contains": INTEGER, "maxItems": 1, "type": "array"}, {"contains": const(0), "items": {"enum": [0, 1]}, "maxItems": 2, "type": "array"},
        {"allOf": [{"contains": const(0)}, {"contains": const("a")}], "maxItems": 2, "type": "array"}, {"allOf": [{"contains": const(0)}, {"contains": const("a")}, {"contains": NULL}], "maxItems": 2, "type": "array"},
        {"allOf": [{"contains": INTEGER}, {"contains": {"minimum": 1}}], "maxItems": 1, "type": "array"}, {"contains": INTEGER, "minContains": 2, "maxContains": 2, "type": "array"},
        {"contains": INTEGER, "minContains": 2, "maxContains": 1, "type": "array"}, {"contains": INTEGER, "minContains": 0, "maxContains": 0, "type": "array"}, {"contains": True, "minContains": 2, "maxContains": 2},
        {"contains": INTEGER, "minContains": 0}, {"minContains": 2, "maxContains": 1, "type": "array"}, {"not": {"contains": INTEGER}}, {"not": {"contains": INTEGER}, "contains": NULL, "type": "array"},
        {"not": {"contains": INTEGER, "minContains": 0, "maxContains": 1}}, {"not": {"contains": INTEGER, "minContains": 0}}, {"prefixItems": [INTEGER, STRING], "contains": NULL, "maxItems": 3, "type": "array"},
        {"prefixItems": [INTEGER], "items": STRING, "contains": {"const": 1}, "type": "array"}, {"prefixItems": [{"const": 0}], "items": {"const": 0}, "contains": const(1)},
        {"contains": {"contains": INTEGER}, "items": ARRAY, "type": "array"}, {"contains": {"required": ["a"]}, "items": {"properties": {"b": {}, "a": {}}}, "type": "array"},
        {"oneOf": [{"contains": INTEGER}, {"contains": NULL}], "type": "array"}, {"anyOf": [{"contains": const(0), "maxItems": 1}, {"contains": const(1), "minItems": 2}], "type": "array"},
        {"contains": INTEGER, "unevaluatedItems": False, "type": "array"}, {"contains": INTEGER, "unevaluatedItems": STRING, "type": "array"}, {"contains": {"type": ["integer", "null"]}, "uniqueItems": True, "minContains": 2, "type": "array"},
        # unique items
        {"uniqueItems": False}, {"uniqueItems": True, "items": {"enum": [0, "a"]}, "minItems": 2, "type": "array"}, {"uniqueItems": True, "items": {"enum": [0, "a"]}, "minItems": 3}, {"uniqueItems": True, "items": const(1)},
        {"uniqueItems": True, "items": {"enum": [0, 1, "a", None]}, "type": "array"}, {"uniqueItems": True, "items": {"enum": [[], {}, [0]]}, "type": "array"}, {"uniqueItems": True, "items": {"type": ["array", "boolean"], "maxItems": 0}},
        {"uniqueItems": True, "prefixItems": [NULL], "items": {"enum": [0]}, "type": "array"}, {"uniqueItems": True, "prefixItems": [{}], "items": {"allOf": [const(0), const(1)]}},
        {"uniqueItems": True, "prefixItems": [const(0), {"enum": [0, 1]}], "items": {"enum": [0, 1, "a"]}, "minItems": 3, "type": "array"}, {"uniqueItems": True, "prefixItems": [{"enum": [0, "a"]}, const(0)], "minItems": 2, "type": "array"},
        {"uniqueItems": True, "prefixItems": [const(0), const(0)], "minItems": 1}, {"not": {"uniqueItems": True}}, {"not": {"uniqueItems": True}, "maxItems": 2}, {"not": {"uniqueItems": True}, "prefixItems": [INTEGER], "items": NULL, "type": "array"},
        {"not": {"uniqueItems": True}, "items": False}, {"oneOf": [{"uniqueItems": True}, {"maxItems": 2}], "type": "array"}, {"anyOf": [{"uniqueItems": True}, {"items": INTEGER}], "type": "array"},
        {"uniqueItems": True, "items": {"type": "integer", "minimum": 0, "maximum": 1}, "type": "array"}, {"uniqueItems": True, "items": {"type": "array", "items": INTEGER, "uniqueItems": True}, "type": "array"},
        {"uniqueItems": True, "items": {"type": "object", "properties": {"a": const(0)}, "additionalProperties": False}, "type": "array"}, {"uniqueItems": True, "items": {"type": ["string", "null"], "maxLength": 0}, "minItems": 2},
        {"uniqueItems": True, "contains": const(0), "items": {"enum": [0, 1]}, "minItems": 2}, {"type": "array", "items": {"enum": [1, 1.0, "a"]}, "uniqueItems": True, "minItems": 2},
        # unevaluated properties
        {"unevaluatedProperties": True, "type": "object"}, {"properties": {"a": {}}, "unevaluatedProperties": False, "type": "object"}, {"patternProperties": {"a": INTEGER}, "unevaluatedProperties": NULL, "type": "object"},
        {"additionalProperties": INTEGER, "unevaluatedProperties": False, "type": "object"}, {"allOf": [{"properties": {"a": INTEGER}}, {"properties": {"b": {}}}], "unevaluatedProperties": False, "type": "object"},
        {"anyOf": [{"properties": {"a": INTEGER}, "required": ["a"]}, {"properties": {"b": INTEGER}, "required": ["b"]}], "unevaluatedProperties": False, "type": "object"},
        {"oneOf": [{"properties": {"a": const(0)}, "required": ["a"]}, {"properties": {"a": const(1), "b": {}}, "required": ["a"]}], "unevaluatedProperties": False},
        {"anyOf": [{"properties": {"a": INTEGER}}, {"additionalProperties": STRING}], "unevaluatedProperties": False, "type": "object"}, {"anyOf": [{"properties": {"a": {}}}, True], "unevaluatedProperties": NULL, "type": "object"},
        {"not": {"properties": {"a": INTEGER}, "required": ["a"]}, "unevaluatedProperties": False, "type": "object"}, {"not": {"not": {"properties": {"a": {}}}}, "unevaluatedProperties": False, "type": "object"},
        {"$defs": {"p": {"properties": {"a": {}}}}, "$ref": "#/$defs/p", "properties": {"b": {}}, "unevaluatedProperties": False, "type": "object"}, {"not": {"properties": {"a": {}}, "unevaluatedProperties": False}},
        {"allOf": [{"properties": {"a": {}}, "unevaluatedProperties": False}], "properties": {"b": {}}, "type": "object"}, {"allOf": [{"unevaluatedProperties": INTEGER}], "unevaluatedProperties": False, "type": "object"},
        {"properties": {"a": {"properties": {"b": {}}, "unevaluatedProperties": False}}, "type": "object"}, {"allOf": [{"unevaluatedProperties": False}, {"properties": {"a": {}}}], "type": "object"},
        {"not": {"anyOf": [{"properties": {"a": INTEGER}, "required": ["a"]}, {"required": ["b"]}], "unevaluatedProperties": False}, "type": "object"}, {"oneOf": [{"properties": {"a": {}}, "unevaluatedProperties": False}, {"required": ["b"]}], "type": "object"},
        {"unevaluatedProperties": {"properties": {"a": {}}, "unevaluatedProperties": False, "type": "object"}, "type": "object"}, {"required": ["c"], "anyOf": [{"properties": {"c": INTEGER}}, {"properties": {"b": {}}}], "unevaluatedProperties": False},
        {"minProperties": 2, "anyOf": [{"properties": {"a": INTEGER}}, {"properties": {"b": {}}, "required": ["b"]}], "unevaluatedProperties": False, "type": "object"}, {"propertyNames": {"pattern": "a|c"}, "properties": {"b": {}}, "unevaluatedProperties": INTEGER, "type": "object"},
        # unevaluated items
        {"unevaluatedItems": True, "type": "array"}, {"prefixItems": [INTEGER], "unevaluatedItems": False, "type": "array"}, {"prefixItems": [{}], "unevaluatedItems": STRING, "type": "array"}, {"items": INTEGER, "unevaluatedItems": False, "type": "array"},
        {"anyOf": [{"prefixItems": [INTEGER]}, {"prefixItems": [{}, NULL]}], "unevaluatedItems": False, "type": "array"}, {"oneOf": [{"prefixItems": [INTEGER]}, {"items": STRING}], "unevaluatedItems": False, "type": "array"},
        {"allOf": [{"prefixItems": [{}, {}]}, {"contains": const(0)}], "unevaluatedItems": NULL, "type": "array"}, {"if": {"contains": const(0)}, "then": {"prefixItems": [{}]}, "else": {"prefixItems": [{}, {}]}, "unevaluatedItems": False, "type": "array"},
        {"not": {"prefixItems": [{}], "unevaluatedItems": False}}, {"not": {"contains": INTEGER}, "unevaluatedItems": False}, {"anyOf": [{"contains": INTEGER}, {"contains": STRING}], "unevaluatedItems": NULL, "type": "array"},
        {"allOf": [{"prefixItems": [{}], "unevaluatedItems": INTEGER}], "unevaluatedItems": False, "type": "array"}, {"unevaluatedItems": {"type": "array", "unevaluatedItems": False}, "type": "array"}, {"unevaluatedItems": False, "minItems": 1, "type": "array"},
        # patterns
        {"pattern": "^a$", "type": "string"}, {"pattern": "b"}, {"pattern": "^$"}, {"not": {"pattern": "a"}}, {"not": {"pattern": ""}}, {"pattern": "a", "maxLength": 0}, {"pattern": "a", "enum": ["a", 1, ["a"]]}, {"pattern": "^b", "const": "a"},
        {"items": {"pattern": "a"}, "uniqueItems": True}, {"properties": {"a": {"pattern": "^a$"}}, "required": ["a"]}, {"anyOf": [{"pattern": "^a"}, {"pattern": "b$"}], "type": "string"}, {"contains": {"pattern": "a", "type": "string"}, "type": "array"},
        # a needed name without a value, which is found only while the object is looked at; other names pass over it
        {"properties": {"c": {}, "a": False, "b": late}, "required": ["b"]}, {"properties": {"a": {}, "b": late}, "not": {"required": ["a"]}, "required": ["b"]},
        {"properties": {"b": late, "c": INTEGER}, "oneOf": [{"required": ["a"]}, {"required": ["c"]}], "required": ["b"]},
        {"anyOf": [{"properties": {"a": {}, "b": late}, "not": {"required": ["a"]}, "required": ["b"]}, {"required": ["c"]}], "type": "object"},
        {"properties": {"b": {"type": "array", "minItems": 1, "items": {"$ref": "#/properties/b"}}, "c": {}}, "not": {"required": ["c"]}, "required": ["b"]},
        {"properties": {"a": INTEGER, "b": late}, "if": {"required": ["c"]}, "then": {"required": ["a"]}, "else": {"required": ["b"]}, "type": "object"},
    ]
    both = ("Properties", "dependent", "propertyNames", '"if"')
    out = [(f"structural corner {i}", s, {}) for i, s in enumerate(schemas)]
    out += [(f"structural corner {i}, any order", s, {"order": "any"}) for i, s in enumerate(schemas) if i % 3 == 0 and any(w in json.dumps(s) for w in both)]
    return out + unevaluated() + [(f"structural corner {i} {json.dumps(o)}", schemas[i], o) for i in range(0, len(schemas), 17)
                  for o in ({"depth": 1}, {"budget": 7}, {"objects": "closed"}, {"whitespace": "any"}, {"whitespace": "spaced"}, {"objects": "closed", "order": "any"})]


def unevaluated():
    """What is evaluated on conditions, and references that mean another schema on another way. Where dynamic references list
    names, keys may stand in any order: the judge's order does not follow them."""
    const = lambda v: {"const": v}  # noqa: E731
    a0, a1 = ({"properties": {"a": const(n)}, "required": ["a"]} for n in (0, 1))
    members = [
        {"if": a0, "then": {"properties": {"b": INTEGER}}, "else": {"properties": {"c": {}}}, "unevaluatedProperties": False},
        {"if": a0, "unevaluatedProperties": NULL}, {"if": {"patternProperties": {"a|b": INTEGER}}, "unevaluatedProperties": {"type": ["array", "null"]}},
        {"oneOf": [a0, a1, {"properties": {"b": {}, "a": False}}], "unevaluatedProperties": False}, {"oneOf": [{**a0, "additionalProperties": NULL}, a1], "unevaluatedProperties": False},
        {"anyOf": [{**a0, "patternProperties": {"b": {}}}, {**a1, "patternProperties": {"c": INTEGER}}], "unevaluatedProperties": False},
        {"anyOf": [{"anyOf": [a0, {"properties": {"b": INTEGER}}], "unevaluatedProperties": False}, {"properties": {"c": {}}, "required": ["c"]}], "unevaluatedProperties": INTEGER},
        {"anyOf": [{"allOf": [a0, {"dependentSchemas": {"b": {"properties": {"b": {}}}}}]}, {"required": ["c"]}], "unevaluatedProperties": {"type": ["integer", "object"]}},
        {"dependentSchemas": {"a": {"properties": {"a": {}, "b": INTEGER}}, "b": {"properties": {"b": {}, "c": {}}}}, "unevaluatedProperties": False},
        {"dependentSchemas": {"a": True, "b": {"additionalProperties": {}}}, "unevaluatedProperties": False}, {"not": {"unevaluatedProperties": {"type": ["null", "integer"]}, "anyOf": [a0, {}]}},
        {"allOf": [{"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"not": {"required": ["a", "b"]}}], "unevaluatedProperties": False},
        {"$ref": "#/$defs/t", "properties": {"b": {"$ref": "#"}}, "$defs": {"t": {"properties": {"a": INTEGER}}}, "unevaluatedProperties": False},
        {"properties": {"a": {"unevaluatedProperties": False, "anyOf": [a0, {"required": ["b"]}]}}, "unevaluatedProperties": {"unevaluatedProperties": INTEGER}},
        {"$schema": DRAFT[2019], "anyOf": [a0, {"properties": {"b": {}}}], "unevaluatedProperties": False}, {"$schema": DRAFT[2019], "if": a0, "then": {"properties": {"b": {}}}, "unevaluatedProperties": NULL},
    ]
    items = [
        {"contains": NULL, "unevaluatedItems": INTEGER}, {"contains": NULL, "minContains": 0, "unevaluatedItems": False}, {"contains": NULL, "maxContains": 1, "unevaluatedItems": const(0)},
        {"prefixItems": [INTEGER], "contains": const(0), "unevaluatedItems": {"type": ["array", "null"]}}, {"anyOf": [{"contains": const(0)}, {"contains": NULL}], "unevaluatedItems": False},
        {"anyOf": [{"contains": const(0), "minContains": 2}, {"prefixItems": [{}, NULL]}], "unevaluatedItems": {"type": "null"}}, {"allOf": [{"contains": const(0)}], "contains": const(1), "unevaluatedItems": NULL},
        {"oneOf": [{"contains": const(0)}, {"prefixItems": [NULL]}], "unevaluatedItems": INTEGER}, {"if": {"contains": const(0)}, "else": {"items": NULL}, "unevaluatedItems": False},
        {"if": {"prefixItems": [const(0)]}, "then": {"prefixItems": [{}, {}]}, "else": {"prefixItems": [INTEGER], "contains": NULL}, "unevaluatedItems": False}, {"not": {"contains": const(0), "unevaluatedItems": NULL}},
        {"anyOf": [{"prefixItems": [const(0)], "unevaluatedItems": False}, {"contains": NULL}], "unevaluatedItems": const(1)}, {"contains": ARRAY, "unevaluatedItems": {"type": "array", "contains": INTEGER, "unevaluatedItems": False}},
        {"$schema": DRAFT[2019], "anyOf": [{"items": [INTEGER]}, {"items": [{}, NULL]}], "unevaluatedItems": {"type": "null"}}, {"$schema": DRAFT[2019], "items": [{}], "additionalItems": INTEGER, "unevaluatedItems": False},
        {"$schema": DRAFT[2019], "anyOf": [{"items": INTEGER}, {"items": [NULL]}], "unevaluatedItems": False},
    ]
    anchor = lambda s, name="n": {"$dynamicAnchor": name, **s}  # noqa: E731
    lists = {"$id": "list", "type": "array", "items": {"$dynamicRef": "#n"}, "$defs": {"any": anchor({})}}
    tree = {"$id": "tree", **anchor({"type": "object", "properties": {"a": {"$dynamicRef": "#n"}, "b": {}}})}
    old_tree = {"$id": "tree", "$recursiveAnchor": True, "type": "object", "properties": {"a": {"$recursiveRef": "#"}, "b": {}}}
    within = lambda defs, **s: {"$id": "http://w/root", **s, "$defs": defs}  # noqa: E731
    one, other = {"$id": "one", "$ref": "list", "$defs": {"i": anchor(INTEGER)}}, {"$id": "other", "$ref": "list", "$defs": {"i": anchor({"type": ["null", "array"]})}}
    ways = [
        within({"l": lists, "n": anchor(INTEGER)}, **{"$ref": "list"}), within({"l": lists, "n": {"$anchor": "n", **INTEGER}}, **{"$ref": "list"}), within({"l": lists, "m": anchor(INTEGER, "m")}, **{"$ref": "list"}),
        within({"l": lists, "o": one, "p": other}, anyOf=[{"$ref": "one"}, {"$ref": "other"}]), within({"l": lists, "o": one, "p": other}, oneOf=[{"$ref": "one"}, {"$ref": "other"}, {"$ref": "list"}]),
        within({"l": lists, "o": one}, **{"not": {"$ref": "one"}}), within({"l": lists, "o": one, "p": other}, items={"$ref": "one"}, prefixItems=[{"$ref": "other"}]),
        within({"l": lists, "n": anchor({"anyOf": [INTEGER, {"$ref": "list"}]})}, **{"$ref": "list"}), within({"l": lists, "o": one}, **{"$ref": "one", "unevaluatedItems": False}),
        within({"l": {**lists, "items": {"$dynamicRef": "#/$defs/any"}}, "n": anchor(INTEGER)}, **{"$ref": "list"}), within({"t": tree}, **{"$ref": "tree", "unevaluatedProperties": False}),
        within({"t": tree}, **{"$dynamicAnchor": "n", "$ref": "tree", "unevaluatedProperties": False}), within({"t": tree}, **{"$dynamicAnchor": "n", "$ref": "tree", "required": ["b"]}),
        within({"t": tree}, properties={"a": {"$ref": "tree"}, "c": {"$id": "strict", **anchor({"$ref": "tree", "unevaluatedProperties": False})}}),
        within({"t": tree}, **{"$dynamicAnchor": "n", "anyOf": [{"$ref": "tree"}, NULL], "not": {"required": ["b"]}}), anchor({"type": ["array", "null"], "items": {"$dynamicRef": "#n"}}),
        {"$schema": DRAFT[2019], **within({"t": old_tree}, **{"$ref": "tree", "unevaluatedProperties": False})}, {"$schema": DRAFT[2019], **within({"t": old_tree}, **{"$recursiveAnchor": True, "$ref": "tree", "unevaluatedProperties": False})},
        {"$schema": DRAFT[2019], **within({"t": old_tree}, **{"$recursiveAnchor": True, "$ref": "tree", "required": ["b"]})}, {"$schema": DRAFT[2019], "type": ["array", "null"], "items": {"$recursiveRef": "#"}},
    ]
    out = [(f"unevaluated members {i}", s, {"order": "any"} if i % 2 else {}) for i, s in enumerate(members)] + [(f"unevaluated items {i}", s, {}) for i, s in enumerate(items)]
    return out + [(f"dynamic {i}", s, {"order": "any"}) for i, s in enumerate(ways)]


# --- which keywords a schema has ---------------------------------------------------------------------------------

def wanted_pairs():
    """The pairs that the schemas must hold: sorted, of keywords that some draft has both of."""
    pairs = set(itertools.combinations(sorted(ALL), 2))
    for own, without in ((OLDER, NOT_IN_7), (BOOLEAN, NOT_IN_4)):
        others = [k for k in {**ALL, **OLDER, **(BOOLEAN if own is BOOLEAN else {})} if k not in without]
        pairs |= {tuple(sorted((k, l))) for k in own for l in others if k != l}
    return pairs


def keywords(schema):
    """The keywords in a schema and under it."""
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    out = set()
    for k, v in schema.items():
        name = "items[]" if k == "items" and isinstance(v, list) else k + " bool" if k.startswith("exclusive") and isinstance(v, bool) else k
        out |= {name} & {*ALL, *OLDER, *BOOLEAN}
        if k in ("properties", "patternProperties", "$defs", "dependentSchemas", "dependencies"):
            out |= keywords(list(v.values()))
        elif k not in ("const", "enum"):
            out |= keywords(v)
    return out


# --- lexical worlds ----------------------------------------------------------------------------------------------

PATTERNS = ["^a+b?$", "a|b", "^[^a]*$", "a", "^(ab)*$", "b$", "^.$", "(a|b)b", "^(?:a|bb)+$", "^a{2,3}$", "^(a|ab)(c|bc)?$", "c", "", "^", "$", "^$", "^a|b$", "a.c", "a*?b",
            "^[a-b]{2}c?$", "(?:)", "^(a?b){2}$", "[]", "[^]", "a^", "$a", "^(?=a).b", "^(?!a)", "^(a|)$", "b{0}", "^a{2,}"]
CLASSES = [r"^\d$", r"\D", r"^\w+$", r"\W", r"^\s", r"\S$", r"^.{2}$", "^[\u00e0-\u00ff]$", "^[^0-9]+$", r"^[\w ]{2}$", r"^[\s\S]$", r"^[^\S]$", r"\n", "[_-a]", r"^\u00e9", r"[\d\-a]$", r"\x30|\x61", r"^(\d|a)*$"]


def _strings():
    """Schemas of one string: patterns alone, bounded, together, negated, beside finite sets."""
    out = [{"type": "string", "pattern": p} for p in PATTERNS]
    out += [{"type": "string", "pattern": p, **l} for p, l in zip(PATTERNS * 2, itertools.cycle([{"minLength": 2}, {"maxLength": 1}, {"minLength": 2, "maxLength": 3}, {"minLength": 4}]))]
    out += [{"type": "string", "not": {"pattern": p}} for p in PATTERNS[::2]]
    out += [{"type": "string", "allOf": [{"pattern": p}, {"pattern": q}]} for p, q in zip(PATTERNS, PATTERNS[3:13])]
    out += [{"type": "string", "anyOf": [{"pattern": p}, {"pattern": q, "maxLength": 2}]} for p, q in zip(PATTERNS, PATTERNS[7:12])]
    out += [{"type": "string", "oneOf": [{"pattern": p}, {"pattern": q}]} for p, q in zip(PATTERNS, PATTERNS[5:15])]
    out += [{"type": "string", "pattern": p, "not": {"enum": ["a", "ab", ""]}} for p in PATTERNS[:8]]
    out += [{"pattern": p, "enum": ["a", "ab", "b", "", 0]} for p in PATTERNS[:6]]
    out += [{"type": "string", "if": {"pattern": "^a"}, "then": {"maxLength": 2}, "else": {"pattern": "b$"}}, {"anyOf": [{"const": "ab"}, {"pattern": "^b+$", "type": "string"}]}, {"pattern": "a"}]
    return out


def _names():
    """Schemas of keys over a and b."""
    return [{"type": "object", **s} for s in [
        {"patternProperties": {"^a+$": {"const": 1}}}, {"patternProperties": {"a": {"const": 1}, "b": {"const": 0}}}, {"patternProperties": {"^a": {"const": 1}}, "additionalProperties": False},
        {"patternProperties": {"^aa?$": {}}, "additionalProperties": False, "minProperties": 2}, {"patternProperties": {"^aa?$": {}}, "additionalProperties": False, "minProperties": 3},
        {"patternProperties": {"b$": {"const": 1}}, "properties": {"ab": {"type": "integer"}}, "additionalProperties": {"const": 0}}, {"patternProperties": {"": {"const": 1}}, "maxProperties": 1},
        {"propertyNames": {"pattern": "^ab*$"}}, {"propertyNames": {"pattern": "^ab*$"}, "minProperties": 2}, {"propertyNames": {"minLength": 2, "maxLength": 2}}, {"propertyNames": {"enum": ["a", "ab", "b"]}},
        {"propertyNames": {"enum": ["a", "ab"]}, "minProperties": 2}, {"propertyNames": {"not": {"pattern": "a"}}}, {"propertyNames": {"maxLength": 0}, "minProperties": 1}, {"propertyNames": {"const": "ab"}, "properties": {"a": {}, "ab": {"const": 1}}},
        {"propertyNames": {"maxLength": 1}, "required": ["a"], "properties": {"b": {"const": 0}}}, {"minProperties": 1}, {"minProperties": 2}, {"maxProperties": 1, "properties": {"a": {}}}, {"minProperties": 2, "properties": {"a": {}, "ab": {}}, "additionalProperties": False},
        {"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"ab": ["a"]}, "properties": {"a": {"const": 1}}}, {"dependentSchemas": {"a": {"properties": {"b": {"const": 1}}}}}, {"dependentSchemas": {"b": {"additionalProperties": {"const": 0}}}},
        {"dependentSchemas": {"b": {"propertyNames": {"maxLength": 1}}}}, {"properties": {"a": {}}, "unevaluatedProperties": {"const": 1}}, {"patternProperties": {"a": {}}, "unevaluatedProperties": False}, {"not": {"patternProperties": {"a": {"const": 1}}}},
        {"not": {"propertyNames": {"pattern": "b"}}}, {"not": {"minProperties": 2}}, {"anyOf": [{"patternProperties": {"a": {"const": 0}}, "additionalProperties": False}, {"required": ["b"], "maxProperties": 1}]},
        {"oneOf": [{"propertyNames": {"pattern": "a"}}, {"minProperties": 2}]}, {"if": {"propertyNames": {"pattern": "a"}}, "then": {"required": ["aa"]}}, {"if": {"patternProperties": {"b": False}}, "else": {"maxProperties": 1}}]]


def _members():
    """Schemas that need three or four members: the structural variants about objects, and pairs of them."""
    r, names = random.Random(15), [k for k in ABOUT_OBJECTS if k in STRUCTURAL] + ["minProperties", "maxProperties"]
    more = {"minProperties": [{"minProperties": 3}, {"minProperties": 4}], "maxProperties": [{"maxProperties": 2}, {"maxProperties": 3}],
            "dependentRequired": [{"dependentRequired": {"a": ["b", "c"], "d": ["a"]}}]}
    out = [{"type": "object", **s} for k in STRUCTURAL if k in names for s in STRUCTURAL[k] + more.get(k, [])]
    for k, l in itertools.combinations(sorted(set(names) | {"properties", "required", "additionalProperties", "anyOf", "not"}), 2):
        s = _merged(r, ALL[k] + more.get(k, []), ALL[l] + more.get(l, []))
        out.append({"type": "object", **s} if r.random() < .7 else s)
    return out


def _items():
    """Schemas that need four or five items."""
    r, names = random.Random(16), ["contains", "minContains", "maxContains", "uniqueItems", "unevaluatedItems", "items", "prefixItems", "minItems", "maxItems", "not", "anyOf"]
    more = {"uniqueItems": [{"uniqueItems": True, "minItems": 4}, {"uniqueItems": True, "items": {"enum": [0, "a", None]}, "minItems": 3}], "minItems": [{"minItems": 4}], "maxItems": [{"maxItems": 4}],
            "minContains": [{"contains": {"const": 0}, "minContains": 3}], "maxContains": [{"contains": STRING, "minContains": 2, "maxContains": 3}],
            "unevaluatedItems": [{"prefixItems": [{}], "contains": STRING, "unevaluatedItems": NULL}]}
    out = [{"type": "array", **s} for k in names[:5] for s in ALL[k] + more.get(k, [])]
    for k, l in itertools.combinations(names, 2):
        if k in names[:5]:
            s = _merged(r, ALL[k] + more.get(k, []), ALL[l] + more.get(l, []))
            out.append({"type": "array", **s})
    return out


def worlds():
    """(name, lexemes, longest, options, schemas)."""
    wrap = lambda schemas: [(json.dumps(s), s) for s in schemas]  # noqa: E731
    members = ["{", '"a":0', '"a":null', '"b":0', '"c":null', '"d":0', ",", "}"]
    names = ['{"', "a", "b", '":0', '":1', "}", ',"']
    escaped = ['{"', "a", "\\u0061", "b", '":0', '":1', "}", ',"']
    compact, free = {"whitespace": "compact"}, {"whitespace": "compact", "order": "any"}
    classes = [{"type": "string", "pattern": p} for p in CLASSES] + [{"type": "string", "not": {"pattern": p}, "maxLength": 2} for p in CLASSES[::3]]
    return [
        ("patterns", ['"', "a", "b", "c"], 7, {}, wrap(_strings())),
        ("patterns, classes", ['"', "0", "a", "_", " ", "\\n", chr(0xc3), chr(0xa9)], 6, {}, wrap(classes)),
        ("patterns, escapes", ['"', "\\", "u", "0", "6", "1", "a", "n"], 9, {}, wrap([{"type": "string", "pattern": p} for p in ("^a", "^[a0]+$", r"\n", "^.$")])),
        ("patterns, code points", ['"', "a"] + [chr(c) for c in (0xf0, 0x9f, 0x98, 0x80, 0xc3, 0xa9)], 8, {}, wrap([{"type": "string", "pattern": p} for p in ("^.$", "^[^a]+$", "[\U0001f600-\U0001f64f]", "\u00e9$", r"^\W{2}$")])),
        ("names", names, 9, compact, wrap(_names())), ("names, any order", names, 9, free, wrap(_names())), ("names, escapes", escaped, 8, compact, wrap(_names()[::3])),
        ("members", members, 9, compact, wrap(_members())), ("members, any order", members, 9, free, wrap(_members())),
        ("items", ["[", "0", '"a"', "null", ",", "]"], 11, compact, wrap(_items())),
    ]


PLANTED = {
    "if": ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "type": "object"}, {}, '{"a":0}', "{}"), "then": ({"if": ARRAY, "then": {"minItems": 1}}, {}, "[]", "[0]"),
    "else": ({"if": ARRAY, "else": {"required": ["a"]}}, {}, '{"b":0}', '{"a":0}'), "patternProperties": ({"patternProperties": {"^a": INTEGER}}, {}, '{"a":null}', '{"b":null}'),
    "propertyNames": ({"propertyNames": {"enum": ["a", "b"]}}, {}, '{"c":0}', '{"b":0}'), "minProperties": ({"minProperties": 2}, {}, '{"a":0}', '{"a":0,"b":0}'),
    "maxProperties": ({"maxProperties": 1}, {}, '{"a":0,"b":0}', '{"a":0}'), "dependentRequired": ({"dependentRequired": {"a": ["b"]}}, {}, '{"a":0}', '{"b":0}'),
    "dependentSchemas": ({"dependentSchemas": {"a": {"maxProperties": 1}}}, {}, '{"a":0,"b":0}', '{"b":0,"c":0}'), "contains": ({"contains": INTEGER}, {}, "[]", "[null,0]"),
    "minContains": ({"contains": INTEGER, "minContains": 2}, {}, "[0,null]", "[0,0]"), "maxContains": ({"contains": INTEGER, "maxContains": 1}, {}, "[0,0]", "[0,null]"),
    "uniqueItems": ({"uniqueItems": True}, {}, "[null,null]", "[0,null]"), "unevaluatedProperties": ({"anyOf": [{"properties": {"a": INTEGER}}, {"properties": {"b": {}}}], "unevaluatedProperties": False}, {}, '{"a":null}', '{"a":0}'),
    "unevaluatedItems": ({"prefixItems": [{}], "unevaluatedItems": False}, {}, "[0,0]", "[0]"), "pattern": ({"pattern": "b|^$"}, {}, '"a"', "0"),
    "dependencies": ({"$schema": DRAFT[7], "dependencies": {"a": ["b"]}}, {}, '{"a":0}', '{"b":0}'), "items[]": ({"$schema": DRAFT[7], "items": [INTEGER]}, {}, "[null]", "[0,null]"),
    "additionalItems": ({"$schema": DRAFT[7], "items": [{}], "additionalItems": INTEGER}, {}, "[0,null]", "[null,0]"),
    "exclusiveMinimum bool": ({"$schema": DRAFT[4], "minimum": 0, "exclusiveMinimum": True}, {}, "0", "1"), "exclusiveMaximum bool": ({"$schema": DRAFT[4], "maximum": 1, "exclusiveMaximum": True}, {}, "1", "0"),
    "schema order": ({"properties": {"a": {}, "b": {}}}, {}, '{"b":0,"a":0}', '{"a":0,"b":0}'), "any order": ({"properties": {"a": {}, "b": {}}}, {"order": "any"}, '{"a":0,"a":0}', '{"b":0,"a":0}'),
}
