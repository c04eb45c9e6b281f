"""random_schemas.py - random schemas and documents over small pools, so that keywords meet each other: for the brute-force check
and for comparing the recogniser's validator with the reference validator.

    random_schemas.py --bin build/bin/weir-recogniser-world [--schemas N] [--documents N] [--seed N]

compares, for schemas of every draft and both orders of keys, the recogniser with the reference validator: its own validator
says the same, valid documents are reached, others are not. Exit 1 on a difference. Run by hand; needs PyPI's jsonschema."""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

NAMES, STRINGS, NUMBERS = ["a", "b", "ab", "c"], ["", "a", "ab", "\u00e9", "\U0001f600", 'a"'], [0, 1, 2, -1, 0.5, 10]
VALUES = [None, True, *NUMBERS[:4], *STRINGS[:4], [], [1, "a"], {"a": 1}, {"b": None, "a": [2]}]
PATTERNS = ["^a", "b$", "^[ab]+$", "a|b", "^.{2}$", "^(a|ab)(c|bcd)?$", "\\d", "^a*$", "^[^a]*$", "^\\w+$"]
URIS = {4: "http://json-schema.org/draft-04/schema#", 6: "http://json-schema.org/draft-06/schema#", 7: "http://json-schema.org/draft-07/schema#",
        2019: "https://json-schema.org/draft/2019-09/schema", 2020: "https://json-schema.org/draft/2020-12/schema"}
# Keywords by the first and the last draft that has them; the rest is in all. The reference validator for 2019-09 does not see
# what a nested unevaluatedProperties has evaluated, so those two come with 2020-12 only.
SINCE = {"const": 6, "contains": 6, "propertyNames": 6, "if": 7, "prefixItems": 2020, "dependentRequired": 2019, "dependentSchemas": 2019, "unevaluatedProperties": 2020,
         "unevaluatedItems": 2020, "exclusiveMinimum": 6, "exclusiveMaximum": 6}
UNTIL = {"dependencies": 7, "items[]": 2019, "strict": 4}
CORE = ("type properties required additionalProperties items prefixItems minItems maxItems minLength maxLength minimum exclusiveMaximum anyOf oneOf allOf not "
        "enum").split()


def makers(r, below, leaf):
    """keyword -> the members that it brings. `leaf`: a schema of one level."""
    some_names = lambda: r.sample(NAMES, r.randrange(1, 3))  # noqa: E731
    count = lambda k, n: (lambda: {k: r.randrange(n)})  # noqa: E731
    return {
        "type": lambda: {"type": r.choice(["object", "array", "string", "integer", "number", ["string", "null"], ["object", "array"]])},
        "properties": lambda: {"properties": {k: below() for k in r.sample(NAMES, r.randrange(1, 4))}}, "required": lambda: {"required": some_names()},
        "additionalProperties": lambda: {"additionalProperties": r.choice([False, below()])}, "items": lambda: {"items": below()},
        "prefixItems": lambda: {"prefixItems": [below() for _ in range(r.randrange(1, 3))]}, "minItems": count("minItems", 3), "maxItems": count("maxItems", 4),
        "minLength": count("minLength", 3), "maxLength": count("maxLength", 4), "minimum": lambda: {"minimum": r.choice(NUMBERS)}, "maximum": lambda: {"maximum": r.choice(NUMBERS)},
        "exclusiveMinimum": lambda: {"exclusiveMinimum": r.choice(NUMBERS)}, "exclusiveMaximum": lambda: {"exclusiveMaximum": r.choice(NUMBERS)},
        "anyOf": lambda: {"anyOf": [below(), below()]}, "oneOf": lambda: {"oneOf": [below(), below()]}, "allOf": lambda: {"allOf": [below(), below()]}, "not": lambda: {"not": below()},
        "enum": lambda: {"enum": r.sample(VALUES, 4)}, "const": lambda: {"const": r.choice(VALUES)},
        "if": lambda: {"if": below(), "then": below(), **({"else": below()} if r.random() < .5 else {})}, "pattern": lambda: {"pattern": r.choice(PATTERNS)},
        "patternProperties": lambda: {"patternProperties": {p: below() for p in r.sample(PATTERNS, r.randrange(1, 3))}},
        "propertyNames": lambda: {"propertyNames": r.choice([{"maxLength": 1}, {"pattern": r.choice(PATTERNS)}, {"enum": ["a", "ab"]}, {"not": {"const": "a"}}, leaf()])},
        "minProperties": count("minProperties", 4), "maxProperties": count("maxProperties", 4), "dependentRequired": lambda: {"dependentRequired": {r.choice(NAMES): some_names()}},
        "dependentSchemas": lambda: {"dependentSchemas": {r.choice(NAMES): below()}}, "dependencies": lambda: {"dependencies": {r.choice(NAMES): r.choice([some_names(), below()])}},
        "contains": lambda: {"contains": below(), **(count("minContains", 3)() if r.random() < .3 else {}), **(count("maxContains", 3)() if r.random() < .3 else {})},
        "uniqueItems": lambda: {"uniqueItems": True}, "unevaluatedProperties": lambda: {"unevaluatedProperties": r.choice([False, leaf()])},
        "unevaluatedItems": lambda: {"unevaluatedItems": r.choice([False, leaf()])}, "strict": lambda: {r.choice(["exclusiveMinimum", "exclusiveMaximum"]): r.random() < .8, "minimum": 0, "maximum": 1},
        "items[]": lambda: {"items": [below() for _ in range(r.randrange(1, 3))], **({"additionalItems": below()} if r.random() < .6 else {})},
    }


def schema(r, depth, keywords, draft=2020):
    """Any mixture of the keywords; references go to #/$defs/x and #/$defs/z."""
    below = lambda: schema(r, depth - 1, keywords, draft)  # noqa: E731
    leaf = lambda: schema(r, 0, keywords, draft)  # noqa: E731
    if depth <= 0 or r.random() < .1:
        return r.choice([{} if draft == 4 else True, {"type": r.choice(["string", "integer", "number", "boolean", "null", "array", "object"])},
                         {"enum": [r.choice(VALUES)]}, {"enum": r.sample(VALUES, 3)}, {"$ref": "#/$defs/x"}, {"$ref": "#/$defs/z"}])
    known = makers(r, below, leaf)
    have = [k for k in keywords if SINCE.get(k, 4) <= draft <= UNTIL.get(k, 2020)]
    out = {}
    for k in r.sample(have, min(len(have), r.choice([1, 2, 2, 3, 4]))):
        out.update(known[k]())
    if not isinstance(out.get("items"), list):
        out.pop("additionalItems", None)  # says nothing there, and the reference validator fails on it
    return out


def rooted(r, keywords, draft=2020):
    """A schema with the definitions that it may name."""
    s = schema(r, r.choice([1, 2, 2, 3]), keywords, draft)
    z = {"type": ["object", "null"], "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/z"}}, "additionalProperties": False}
    return {**({} if draft == 2020 else {"$schema": URIS[draft]}), "allOf": [s], "$defs": {"x": {"minLength": 1, "minItems": 1}, "z": z}}


def all_keywords():
    return list(makers(random.Random(0), dict, dict))


def document(r, depth=3):
    kind = r.random()
    if depth == 0 or kind < .4:
        return r.choice([None, True, False, r.choice(NUMBERS), r.choice(NUMBERS), r.choice(STRINGS), r.choice(STRINGS)])
    if kind < .65:
        return [document(r, depth - 1) for _ in range(r.randrange(5))]
    return {k: document(r, depth - 1) for k in r.sample(NAMES + ["d", "aa"], r.randrange(5))}


def line_for(r, number, count):
    """(a line for the program, the expected verdicts)."""
    import reference
    s = rooted(r, all_keywords(), r.choice([4, 6, 7, 2019, 2020, 2020, 2020]))
    order, free = reference.Order(s), r.random() < .4
    validator = reference.validator(s)
    documents = [document(r) for _ in range(count)]
    documents = documents if free else [order.sort(x) for x in documents]
    verdicts = "".join(str(int(validator.is_valid(reference.exact(x)))) for x in documents)
    return {"id": number, "schema_text": json.dumps(s), "options": {"order": "any"} if free else {},
            "texts": [json.dumps(x, ensure_ascii=False) for x in documents]}, verdicts


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    p.add_argument("--schemas", type=int, default=2000)
    p.add_argument("--documents", type=int, default=40)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    r = random.Random(a.seed)
    cases = [line_for(r, i, a.documents) for i in range(a.schemas)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as f:
        f.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line, _ in cases)
    run = subprocess.run([a.bin, f.name], capture_output=True, text=True)
    os.unlink(f.name)
    answers = {answer["id"]: answer for answer in map(json.loads, run.stdout.splitlines())}
    differences = valid = unknown = 0
    for line, verdicts in cases:
        got = answers.get(line["id"], {"message": f"exit {run.returncode} {run.stderr[-200:]}"})
        reached = got.get("reached", "")
        valid += verdicts.count("1")
        unknown += reached.count("2")
        wrong = [t for t, v, w, k in zip(line["texts"], verdicts, got.get("valid", ""), reached) if v != w or k not in (v, "2")]
        if wrong or len(reached) != len(verdicts):
            differences += 1
            print(line["schema_text"], line["options"], got["message"], wrong[:3])
    print(f"random schemas, seed {a.seed}: {len(cases)} schemas, {len(cases) * a.documents} documents, {valid} valid, {unknown} without a verdict, "
          f"{differences} schemas with a difference")
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
