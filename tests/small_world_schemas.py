"""small_world_schemas.py - the schemas of the small world: every pair of the core keywords, and the hard corners by hand.

Out: pairs() and corners(), lists of (name, schema); lexical(), a list of (name, lexemes, longest, options, schemas)."""
import itertools
import json
import random

# Four scalars a world; a schema gets the world that has most of what it names.
SCALARS = [["0", "1", '"a"', "null"], ["0", '"a"', "true", "null"], ["1", "1.0", '"a"', "false"]]

# Two to four tiny variants of each keyword, over the keys a b c and the scalars of the world.
VARIANTS = {
    "type": [{"type": "object"}, {"type": "array"}, {"type": ["integer", "null"]}, {"type": ["string", "array"]},
             {"type": ["object", "number"]}],
    "properties": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"b": {"const": 1}, "a": {}}},
                   {"properties": {"a": False, "c": {"type": ["null", "object"]}}}],
    "required": [{"required": ["a"]}, {"required": ["c", "a"]}, {"required": ["b"]}],
    "additionalProperties": [{"additionalProperties": False}, {"additionalProperties": {"type": "integer"}},
                             {"additionalProperties": {"type": ["object", "null"]}}],
    "items": [{"items": {"type": "integer"}}, {"items": {"type": ["array", "null"]}}, {"items": False}],
    "prefixItems": [{"prefixItems": [{"type": "string"}]}, {"prefixItems": [{}, {"const": 0}]},
                    {"prefixItems": [{"type": ["array", "integer"]}, False]}],
    "minItems": [{"minItems": 1}, {"minItems": 2}, {"minItems": 3}],
    "maxItems": [{"maxItems": 0}, {"maxItems": 1}, {"maxItems": 2}],
    "minLength": [{"minLength": 1}, {"minLength": 2}],
    "maxLength": [{"maxLength": 0}, {"maxLength": 1}],
    "enum": [{"enum": [0, "a", [1], {"a": 1}]}, {"enum": [{"a": 0, "b": 1}, {"a": 0}, None]},
             {"enum": [[], {}, [0, 1], [0, [1]]]}, {"enum": [1, {"c": {"b": 0}}]}],
    "const": [{"const": {"b": 0, "a": 1}}, {"const": 1}, {"const": [0, {"a": None}]}, {"const": "a"}],
    "minimum": [{"minimum": 1}, {"minimum": 0.5}],
    "maximum": [{"maximum": 0}, {"maximum": 0.5}],
    "exclusiveMinimum": [{"exclusiveMinimum": 0}, {"exclusiveMinimum": 1}],
    "exclusiveMaximum": [{"exclusiveMaximum": 1}, {"exclusiveMaximum": 0}],
    "anyOf": [{"anyOf": [{"required": ["a"]}, {"type": "array"}]}, {"anyOf": [{"properties": {"a": {"const": 0}}}, {"minItems": 2}]},
              {"anyOf": [{"properties": {"b": {"type": "null"}}, "required": ["b"]}, {"properties": {"c": {"minimum": 1}}}]}],
    "oneOf": [{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"oneOf": [{"type": "integer"}, {"minimum": 1}]},
              {"oneOf": [{"items": {"type": "integer"}}, {"maxItems": 1}]},
              {"oneOf": [{"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"const": 1}, "b": {}}}]}],
    "allOf": [{"allOf": [{"type": ["object", "array"]}, {"required": ["b"]}]}, {"allOf": [{"minItems": 1}, {"items": {"type": "integer"}}]},
              {"allOf": [{"properties": {"b": {"type": "integer"}}}, {"properties": {"a": {"minimum": 1}, "b": {"const": 0}}}]}],
    "not": [{"not": {"required": ["a"]}}, {"not": {"type": "integer"}}, {"not": {"properties": {"a": {"type": "integer"}}}},
            {"not": {"items": {"const": 1}}}],
    "$ref": [{"$ref": "#/$defs/x"}, {"$ref": "#/$defs/y"}, {"$ref": "#/$defs/z"}],
}
DEFS = {
    "x": {"properties": {"a": {"type": ["integer", "null"]}, "b": {}}, "required": ["b"]},
    "y": {"items": {"$ref": "#/$defs/y"}, "maxItems": 2},
    "z": {"type": ["object", "integer"], "properties": {"c": {"$ref": "#/$defs/z"}}, "additionalProperties": False},
}

# Places for a schema in another one.
NESTS = {
    "not": lambda s: {"not": s},
    "anyOf": lambda s: {"anyOf": [s, {"const": {"a": 1}}, {"type": "array", "minItems": 2}]},
    "oneOf": lambda s: {"oneOf": [s, {"type": ["object", "string"]}, {"maxItems": 1, "type": "array"}]},
    "allOf": lambda s: {"allOf": [{"properties": {"b": {"type": ["integer", "array"]}}}, s]},
    "$ref": lambda s: {"$defs": {"s": s}, "anyOf": [{"$ref": "#/$defs/s"}, {"items": {"$ref": "#/$defs/s"}, "type": "array"}]},
    "items": lambda s: {"type": "array", "items": s},
    "prefixItems": lambda s: {"prefixItems": [{"type": "integer"}, s], "items": False, "type": "array"},
    "properties": lambda s: {"type": "object", "properties": {"b": s, "a": {}}},
    "additionalProperties": lambda s: {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": s},
}


def _with_defs(schema):
    """The schema with the definitions that it names, and those that they name."""
    schema = dict(schema)
    need = {k for k in DEFS if f'"#/$defs/{k}"' in json.dumps(schema)}
    if need:
        schema["$defs"] = {**schema.get("$defs", {}), **{k: DEFS[k] for k in sorted(need)}}
    return schema


def pairs():
    """Every pair of keywords, beside each other and one under the other."""
    out, r = [], random.Random(11)
    for k, l in itertools.combinations(VARIANTS, 2):
        s = {**r.choice(VARIANTS[k]), **r.choice(VARIANTS[l])}
        if r.random() < .5:  # the order of the text is the order of the keys
            s = dict(reversed(s.items()))
        out.append((f"{k}+{l}", _with_defs(s)))
    for nest, wrap in NESTS.items():
        for k in VARIANTS:
            out.append((f"{nest}/{k}", _with_defs(wrap(r.choice(VARIANTS[k])))))
    return out


def keywords(schema):
    """The core keywords that a schema uses, in it or under it."""
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    out = set(schema) & set(VARIANTS)
    for k, v in schema.items():
        if k in ("properties", "$defs"):
            out |= keywords(list(v.values()))
        elif k not in ("const", "enum"):
            out |= keywords(v)
    return out


def corners():
    """What pairs do not reach: threes, names that only `required` knows, recursion, nothing, finite sets."""
    obj, integer, null = {"type": "object"}, {"type": "integer"}, {"type": "null"}
    ref = lambda name: {"$ref": "#/$defs/" + name}
    tree = {"$defs": {"t": {"type": "object", "properties": {"a": {"anyOf": [ref("t"), null]}, "b": integer},
                            "required": ["a"], "additionalProperties": False}}, **ref("t")}
    deep = {"$defs": {"n": {"type": "array", "items": ref("n"), "minItems": 1, "maxItems": 2}}, "anyOf": [ref("n"), integer]}
    return [(f"corner {i}", s) for i, s in enumerate([
        True, {}, False, {"not": {}}, {"type": "object", "not": {}},
        # names that only `required` knows
        {"required": ["a", "b"], "additionalProperties": integer}, {"required": ["b", "a"], "type": "object"},
        {"required": ["c"], "properties": {"a": {}}, "additionalProperties": False},
        {"required": ["b"], "properties": {"a": integer}, "additionalProperties": {"type": ["array", "null"]}},
        {"not": {"required": ["a", "b"]}}, {"oneOf": [{"required": ["a"]}, {"required": ["a", "b"]}]},
        {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"c": integer}},
        {"oneOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["c"]}], "type": "object"},
        {"required": ["a"], "not": {"required": ["b"]}}, {"required": ["a"], "not": {"required": ["a"]}},
        {"not": {"required": ["a"]}, "properties": {"a": {}}}, {"required": ["a"], "properties": {"a": False}},
        {"required": ["a"], "additionalProperties": False}, {"anyOf": [{"required": ["a"], "additionalProperties": False}, integer]},
        # unlisted keys whose values decide
        {"not": {"additionalProperties": integer}}, {"not": {"additionalProperties": False}},
        {"not": {"properties": {"a": {}}, "additionalProperties": {"const": 0}}},
        {"oneOf": [{"additionalProperties": integer}, {"additionalProperties": {"const": 1}}], "type": "object"},
        {"oneOf": [{"additionalProperties": integer}, {"properties": {"a": {}}, "additionalProperties": False}], "type": "object"},
        {"anyOf": [{"additionalProperties": integer}, {"additionalProperties": null}], "type": "object"},
        {"anyOf": [{"properties": {"a": integer}, "additionalProperties": {"type": "string"}},
                   {"properties": {"b": integer}, "additionalProperties": False, "required": ["b"]}], "type": "object"},
        {"allOf": [{"properties": {"a": integer}, "additionalProperties": {"type": ["integer", "string"]}},
                   {"properties": {"b": {}}, "additionalProperties": {"type": ["integer", "null"]}}]},
        {"allOf": [{"properties": {"a": {}}, "additionalProperties": False}, {"properties": {"b": {}}, "additionalProperties": False}]},
        {"not": {"type": "object", "additionalProperties": {"not": {"const": 0}}}},
        {"not": {"allOf": [{"additionalProperties": integer}, {"required": ["b"]}]}},
        {"type": "object", "not": {"anyOf": [{"additionalProperties": integer}, {"additionalProperties": {"type": "string"}}]}},
        {"required": ["a"], "not": {"additionalProperties": {"type": "string"}}},
        {"type": "object", "additionalProperties": {"oneOf": [integer, {"const": 1}, null]}},
        {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": integer}},
        # places in arrays
        {"prefixItems": [integer], "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "type": "array"},
        {"prefixItems": [integer, null], "items": False, "type": "array"}, {"prefixItems": [integer, False], "type": "array"},
        {"prefixItems": [integer, False], "minItems": 2, "type": "array"}, {"items": False, "minItems": 1, "type": "array"},
        {"prefixItems": [integer], "items": False, "minItems": 2}, {"minItems": 3, "maxItems": 2}, {"type": "array", "minItems": 3, "maxItems": 2},
        {"not": {"prefixItems": [integer, null]}}, {"not": {"prefixItems": [integer], "items": null, "minItems": 1}},
        {"not": {"minItems": 2}}, {"not": {"maxItems": 1}}, {"type": "array", "not": {"minItems": 1, "maxItems": 2}},
        {"oneOf": [{"minItems": 1}, {"maxItems": 2}], "type": "array"}, {"oneOf": [{"minItems": 2}, {"items": integer}], "type": "array"},
        {"anyOf": [{"minItems": 3}, {"items": null}], "type": "array"}, {"anyOf": [{"maxItems": 1, "items": integer}, {"minItems": 2, "items": null}], "type": "array"},
        {"type": "array", "items": {"type": "array", "minItems": 1, "maxItems": 1, "items": integer}, "minItems": 2},
        {"oneOf": [{"prefixItems": [integer]}, {"prefixItems": [{}, integer]}, {"maxItems": 1}], "type": "array"},
        {"allOf": [{"prefixItems": [{"type": ["integer", "null"]}]}, {"prefixItems": [{"type": ["integer", "string"]}, integer]}, {"items": {}}]},
        {"type": "array", "items": {"not": {"type": "array"}}, "not": {"items": {"type": "integer"}}},
        {"anyOf": [{"prefixItems": [{"properties": {"b": {}}}]}, True]}, {"not": {"prefixItems": [{"properties": {"a": {}}}], "type": "string"}},
        # finite sets of objects and arrays
        {"enum": [{"a": 1, "b": [0]}, {"a": 1, "b": [0, 1]}, {"b": 1}]}, {"enum": [[0, 1], [0, "a"], [1], []]},
        {"const": {}}, {"const": []}, {"const": [[], {}]}, {"not": {"const": {"a": 0}}}, {"not": {"enum": [[], {}, 0]}},
        {"not": {"const": {"a": 0, "b": 1}}, "type": "object"}, {"not": {"enum": [{"a": 0}, {"a": 1}]}, "required": ["a"], "type": "object"},
        {"not": {"const": [0, [1]]}, "type": "array"}, {"const": {"b": 0, "a": 1}, "properties": {"a": integer}},
        {"properties": {"a": integer}, "const": {"b": 0, "a": 1}}, {"oneOf": [{"const": {"a": 0}}, {"enum": [{"a": 0}, {"a": 1}]}]},
        {"anyOf": [{"const": {"a": 0}}, {"properties": {"a": {"const": 1}}, "required": ["a"]}], "type": "object"},
        {"enum": [{"a": {"b": 0}}, {"a": {"c": 0}}, {"a": []}], "properties": {"a": obj}},
        {"enum": []}, {"enum": [0, 0, 0.0]}, {"enum": [1, "a"], "type": "string"}, {"enum": [1, [1]], "not": {"const": 1}},
        {"allOf": [{"enum": [{"a": 0}, [0], 1]}, {"enum": [[0], 1, {"b": 0}]}]}, {"const": 1, "not": {"const": 1}},
        {"items": {"enum": [0, "a"]}, "maxItems": 2, "type": "array"}, {"items": {"not": {"enum": [0, "a"]}}, "type": "array"},
        # recursion
        tree, deep, {"$defs": {"n": {"anyOf": [null, {"type": "array", "items": ref("n"), "maxItems": 1}]}}, **ref("n")},
        {"type": ["object", "null"], "additionalProperties": {"$ref": "#"}}, {"items": {"$ref": "#"}, "not": {"const": 1}},
        {"properties": {"a": {"not": {"$ref": "#"}}}, "required": ["a"], "type": "object"},
        {"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1}, {"anyOf": [{"type": "array", "items": {"$ref": "#"}, "minItems": 2}, null]},
        {"type": "object", "properties": {"b": integer, "a": {"oneOf": [{"$ref": "#"}, {"required": ["b"]}, null]}}, "additionalProperties": False},
        {"$id": "http://x.y/root", "$defs": {"p": {"$anchor": "here", "type": "array", "items": {"$ref": "#/$defs/q"}}, "q": {"$id": "q", "type": "integer"}},
         "anyOf": [{"$ref": "#here"}, {"$ref": "q"}]},
        {"oneOf": [{"$ref": "#/$defs/l"}, {"$ref": "#/$defs/m"}], "$defs": {"l": {"type": "array", "items": ref("m")}, "m": {"type": ["array", "null"], "items": ref("l"), "maxItems": 1}}},
        # nothing, or nothing but a corner
        {"allOf": [integer, null]}, {"allOf": [{"type": "number"}, {"type": "integer"}]},
        {"oneOf": [True, True]}, {"oneOf": [True, False]}, {"oneOf": [{}, integer]}, {"anyOf": [False, False]}, {"anyOf": [False, null]},
        {"not": {"not": integer}}, {"not": {"not": {"not": {"required": ["a"]}}}}, {"type": "object", "properties": {"a": {"allOf": [integer, null]}}},
        {"type": "object", "required": ["a"], "properties": {"a": {"anyOf": [False, {"type": "array", "items": False}]}}},
        {"minimum": 1, "maximum": 0}, {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, {"minLength": 2, "maxLength": 1}, {"type": "string", "minLength": 2, "maxLength": 1},
        {"not": {"type": ["object", "array", "string", "number", "boolean", "null"]}}, {"not": {"type": ["object", "array", "string", "number", "boolean"]}},
        {"type": "boolean"}, {"not": {"type": "boolean"}}, {"enum": [True, False]}, {"enum": [True, 1]}, {"const": False}, {"oneOf": [{"type": "boolean"}, {"enum": [True, 1]}]},
        # several levels
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "object", "required": ["b"]}, {"type": "object", "required": ["c"]}]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "required": ["b"], "additionalProperties": False,
         "properties": {"b": integer}}}}, "required": ["a"], "additionalProperties": False},
        {"oneOf": [{"properties": {"a": {"const": 0}}, "required": ["a"]}, {"properties": {"a": {"const": 1}, "b": integer}, "required": ["a", "b"]}]},
        {"anyOf": [{"properties": {"b": {"const": 1}, "a": integer}}, {"properties": {"a": null, "b": {"const": 0}}}], "required": ["a", "b"]},
        {"allOf": [{"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"anyOf": [{"required": ["b"]}, {"required": ["c"]}]}], "type": "object"},
        {"not": {"anyOf": [{"required": ["a"]}, {"type": ["array", "integer"]}]}},
        {"not": {"properties": {"a": {"not": {"type": "integer"}}}, "required": ["a"]}},
        {"properties": {"a": {"properties": {"b": {"properties": {"c": integer}, "required": ["c"]}}, "required": ["b"]}}, "required": ["a"]},
        {"properties": {"c": {}, "a": {}}, "anyOf": [{"properties": {"b": integer, "a": {}}}, {"required": ["c"]}]},
        {"allOf": [{"properties": {"b": {}}}, {"$ref": "#/$defs/k"}], "properties": {"c": {}}, "$defs": {"k": {"properties": {"a": {}, "b": integer}}}},
        {"type": ["array", "object"], "items": integer, "additionalProperties": integer, "minItems": 2, "required": ["a"]},
    ])]


def options():
    """(name, schema, options): other policies than compact white space and open objects, on schemas that they may hurt."""
    out = []
    for i, (name, schema) in enumerate(corners()):
        if i % 9 != 0 and "$ref" not in json.dumps(schema):
            continue
        for o in ({"depth": 1}, {"depth": 2}, {"budget": 5}, {"budget": 9}, {"objects": "closed"}, {"whitespace": "any"},
                  {"whitespace": "spaced"}):
            out.append((name + " " + json.dumps(o), schema, o))
    return out


# --- lexical worlds ----------------------------------------------------------------------------------------------

def _wrap(schemas):
    return [(json.dumps(s), s) for s in schemas]


def lexical():
    """Spelling: all strings over small alphabets against schemas of one scalar, of white space and of keys."""
    number, integer, string = {"type": "number"}, {"type": "integer"}, {"type": "string"}
    bounds = [{}, number, integer, {"type": ["integer", "string"]}, {"not": integer}, {"not": number}, {"minimum": 0}, {"minimum": 1, **number},
              {"maximum": 9, **number}, {"maximum": 10, "minimum": 9, **integer}, {"exclusiveMinimum": 0, **number}, {"exclusiveMinimum": 0, "maximum": 1, **number},
              {"exclusiveMaximum": 0, **number}, {"exclusiveMaximum": 10, "exclusiveMinimum": 9, **number}, {"minimum": -1, "maximum": 1, **integer},
              {"minimum": -1, "maximum": 1, **number}, {"minimum": -0.9, "maximum": 0.1, **number}, {"minimum": 0.99, "exclusiveMaximum": 1.01, **number},
              {"const": 1}, {"const": 0}, {"const": -1.9}, {"enum": [1, 10, 1.1]}, {"not": {"const": 1}, **number}, {"not": {"const": 0}, **integer},
              {"not": {"minimum": 1}, **number}, {"oneOf": [integer, {"minimum": 1}], **number}, {"anyOf": [{"maximum": -1}, {"minimum": 9.1}], **integer},
              {"oneOf": [{"minimum": 0}, {"maximum": 9}], **number}, {"minimum": 100, **integer}, {"minimum": 1e2, "maximum": 1e3, **integer},
              {"maximum": -99, **number}, {"minimum": 1.0, "maximum": 1.9, "not": {"const": 1.1}}, {"exclusiveMinimum": 0.09, "exclusiveMaximum": 0.1, **number},
              {"type": ["number", "null"], "minimum": 10, "maximum": 10}, {"minimum": 10, "maximum": 9, **number}]
    lengths = [{}, string, {"minLength": 1, **string}, {"maxLength": 1, **string}, {"minLength": 2, "maxLength": 2, **string}, {"maxLength": 0, **string},
               {"const": "a"}, {"const": ""}, {"const": "\u00e9"}, {"const": "u0"}, {"enum": ["a", "\u00e9a", "", "a0"]}, {"not": {"const": "a"}, **string}, {"not": {"enum": ["", "a", "u"]}, **string},
               {"not": {"maxLength": 1}, **string}, {"not": {"minLength": 2}, **string}, {"oneOf": [{"minLength": 1}, {"maxLength": 1}], **string},
               {"anyOf": [{"maxLength": 1}, {"const": "aa0"}], **string}, {"oneOf": [{"maxLength": 2}, {"enum": ["a", "\u00e9", "0"]}], **string}, {"not": string}]
    codes = [string, {}, {"maxLength": 1, **string}, {"minLength": 1, "maxLength": 1, **string}, {"minLength": 2, **string}, {"maxLength": 2, "not": {"maxLength": 1}, **string},
             {"const": "\U0001f600"}, {"const": "\\n"}, {"const": "\""}, {"const": "\n"}, {"enum": ["/", "n", "\U0001f600\U0001f600"]}, {"not": {"const": "\U0001f600"}, **string},
             {"not": {"enum": ["\"", "/", "a"]}, "maxLength": 1, **string}]
    keys = [{"type": "object"}, {"properties": {"a": {"const": 1}}, "type": "object"}, {"properties": {"a": {"const": 1}}, "additionalProperties": {"const": 0}, "type": "object"},
            {"properties": {"aa": {"const": 1}}, "required": ["aa"], "type": "object"}, {"not": {"required": ["a"]}, "type": "object"},
            {"not": {"properties": {"a": {"const": 0}}}, "type": "object"}, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"},
            {"additionalProperties": {"const": 0}, "type": "object"}, {"not": {"additionalProperties": {"const": 0}}, "type": "object"},
            {"properties": {"a": {}, "ab": {}, "b": {}}, "additionalProperties": False, "type": "object"}, {"properties": {"": {"const": 1}}, "required": [""], "type": "object"},
            {"required": ["a"], "type": "object"}, {"const": {"a": 1}}, {"not": {"const": {"a": 1}}, "type": "object"}]
    space = [{}, {"type": "object", "properties": {"a": {}}}, {"type": "array", "minItems": 1, "maxItems": 2}, {"type": "array", "items": {"type": "array"}},
             {"const": {"a": [1]}}, {"type": ["integer", "object"]}, {"not": {"type": "array", "minItems": 1}}]
    later = [{"anyOf": [{"prefixItems": [{"properties": {"b": {}}}]}, True]}, {"not": {"prefixItems": [{"properties": {"a": {}}}], "type": "string"}},
             {"prefixItems": [{"properties": {"b": {}, "a": {}}}, {"properties": {"a": {}}}], "items": {"properties": {"b": {}}}},
             {"anyOf": [{"prefixItems": [{"$ref": "#"}]}, {"properties": {"b": {}}}]}, {"prefixItems": [{"required": ["b"]}], "items": {"required": ["a"]}},
             {"oneOf": [{"items": {"properties": {"b": {}}}, "maxItems": 1}, {"prefixItems": [{"properties": {"a": {}}}]}]}]
    spaces = ["{", "}", "[", "]", ",", ":", '"a"', "1", " "]
    bytes_of = lambda *values: [chr(v) for v in values]
    return [
        ("numbers", ["-", "0", "1", "9", ".", "e", "+"], 6, {}, _wrap(bounds)),
        ("numbers, long", ["0", "1", ".", "9"], 7, {}, _wrap([b for b in bounds if "minimum" in b or "exclusiveMinimum" in b][:8])),
        ("numbers, exponents", ["1", "0", "e", "-", "."], 7, {}, _wrap([b for b in bounds if b][::3])),
        ("strings", ['"', "\\", "u", "0", "a"] + bytes_of(0xc3, 0xa9), 8, {}, _wrap(lengths)),
        ("strings, escapes", ['"', "\\ud83d", "\\ude00", "\\u", "00", "6", "1", "\\", "n", "/"], 6, {}, _wrap(codes)),
        ("strings, code points", ['"'] + bytes_of(0xf0, 0x9f, 0x98, 0x80, 0xed, 0xc0, 0x0a), 7, {}, _wrap(codes[:7] + codes[11:12])),
        ("keys", ['{"', "a", "\\u0061", "b", '":0', '":1', "}", ',"'], 8, {}, _wrap(keys)),
        ("objects in arrays", ["[", '{"a":0', '{"b":0', ',"a":0', ',"b":0', "}", ",", "]"], 10, {"whitespace": "compact"}, _wrap(later)),
        ("space, any", spaces + ["\n"], 7, {"whitespace": "any", "whitespace_run": 2}, _wrap(space)),
        ("space, spaced", spaces, 9, {"whitespace": "spaced"}, _wrap(space)),
        ("space, compact", spaces, 9, {"whitespace": "compact"}, _wrap(space)),
        ("space, pretty", spaces + ["\n"], 12, {"whitespace": "pretty", "indent": 1}, _wrap(space)),
        ("space, pretty 0", spaces + ["\n"], 12, {"whitespace": "pretty", "indent": 0}, _wrap(space[:4])),
    ]
