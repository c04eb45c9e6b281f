#!/usr/bin/env python3
"""small_world.py - all texts of a small world against hundreds of tiny schemas, judged by a reference validator.

usage: small_world.py --bin build/bin/weir-small-world [--full] [--no-refusals] [--jobs N] [--only WORD] [--sample N] [--show N]

For each schema the program walks the machine over every text of the world (all JSON texts of up to 11 lexemes over three
keys and four scalars, 13 with --full; or all strings over a small alphabet) and says which it accepts, how it completes
the prefixes on the way, and where it contradicts itself. Here the validator judges: accepted = valid, up to the named
policies, and every completion is valid. The policies: keys stand in schema order, or in any; a listed key is named once,
and of other texts that name a key twice only acceptance is judged; names and strings that are told apart have one spelling,
exponents under numeric keywords one form, so that of other spellings only acceptance is judged. A schema that is refused
because a keyword is not supported is counted by keyword; with --no-refusals it is a difference. Exit 0 only if no difference
is left, every pair of keywords is there, and the judge sees each planted fault. Of the completions one of N is judged (32).

With --bin build/bin/weir-recogniser-world the tests' own recogniser walks the world: what is found then is a fault of the tests.
"""
import argparse
import collections
import functools
import itertools
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time

import reference
import small_world_schemas as schemas
import small_world_structural as structural

KEYS = ['"a"', '"b"', '"c"']
CHUNK = 6          # schemas a process
CHUNK_SECONDS = 240


# --- worlds --------------------------------------------------------------------------------------------------------

class Text:
    """A JSON text: its value, and what a policy may ask of it."""

    __slots__ = ("text", "value", "duplicate", "key", "ordered")

    def __init__(self, text, value, duplicate):
        self.text, self.value, self.duplicate = text, value, duplicate
        self.key = _key(value)
        self.ordered = text.count(b":") < 2  # fewer than two members: in any order


def _key(value):
    """Equal for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, default=str)


@functools.lru_cache(None)
def nested(scalars, longest):
    """All JSON texts of up to `longest` lexemes."""
    by_length = collections.defaultdict(list)      # values of n lexemes
    items, members = collections.defaultdict(list), collections.defaultdict(list)
    for n in range(1, longest + 1):
        v = by_length[n]
        if n == 1:
            v += scalars
        if n == 2:
            v += ["[]", "{}"]
        v += ["[" + x + "]" for x in items[n - 2]] + ["{" + x + "}" for x in members[n - 2]]
        items[n] = v + [x + "," + y for i in range(1, n - 1) for x in by_length[i] for y in items[n - 1 - i]]
        pairs = lambda m: [k + ":" + x for k in KEYS for x in by_length[m - 2]]
        members[n] = pairs(n) + [x + "," + y for i in range(3, n - 3) for x in pairs(i) for y in members[n - 1 - i]]
    return [Text(t.encode(), *reference.read(t.encode())) for n in range(1, longest + 1) for t in by_length[n]]


_NUMBER_PREFIX = re.compile(rb"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?[0-9]*)?)?\Z")
_STRING_PREFIX = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*(?:"|\\|\\u[0-9a-fA-F]{0,3})?\Z')
_TOKEN = re.compile(rb'[ \n]+|[{}\[\],:]|"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[^ \n{}\[\],:"]+', re.S)


def may_continue(text):
    """Whether some JSON text begins like this; never False where one does."""
    stack, state = [], "value"  # value, first (item or ]), key0 (key or }), key, colon, after
    for m in _TOKEN.finditer(text):
        t = m.group()
        if t[:1] in b" \n":
            if m.start() == 0:
                return False
            continue
        if t in (b"{", b"["):
            if state not in ("value", "first"):
                return False
            stack.append(t)
            state = "key0" if t == b"{" else "first"
        elif t in (b"}", b"]"):
            if not stack or state not in (("key0", "after") if t == b"}" else ("first", "after")) or stack.pop() != (b"{" if t == b"}" else b"["):
                return False
            state = "after"
        elif t == b",":
            if state != "after" or not stack:
                return False
            state = "key" if stack[-1] == b"{" else "value"
        elif t == b":":
            if state != "colon":
                return False
            state = "value"
        elif t[:1] == b'"':
            if state not in ("value", "first", "key", "key0") or not _STRING_PREFIX.match(t):
                return False
            state = "colon" if state in ("key", "key0") else "after"
        else:
            words = (b"null", b"true", b"false")
            if state not in ("value", "first") or not (_NUMBER_PREFIX.match(t) or any(w.startswith(t) for w in words)):
                return False
            state = "after"
    return True


@functools.lru_cache(None)
def spelled(lexemes, longest):
    """All JSON texts that are sequences of up to `longest` lexemes."""
    out, pieces = {}, [x.encode("latin-1") for x in lexemes]
    layer = {b""}
    for _ in range(longest):
        layer = {t + p for t in layer for p in pieces if may_continue(t + p)}
        for t in layer:
            try:
                out[t] = Text(t, *reference.read(t))
            except ValueError:
                pass
    return list(out.values())


def printed(lexemes, longest, dumps):
    """The texts that `dumps` prints for the values over the lexemes, as far as `longest` lexemes go."""
    plain = tuple(x for x in lexemes if x.strip())
    out = {}
    for t in spelled(plain, min(longest, 8)):
        text = dumps(t.value).encode()
        if not t.duplicate and len(re.findall(rb'"a"|.', text, re.S)) <= longest:
            out[text] = Text(text, t.value, False)
    return list(out.values())


# --- what is judged --------------------------------------------------------------------------------------------------

def lines(full, sample=None):
    """Every line for the program, with what the judge needs."""
    out = []

    def add(name, schema, lexemes, longest, options, nest):
        out.append({"id": len(out), "name": name, "schema_text": json.dumps(schema), "options": options, "lexemes": lexemes,
                    "max": longest, "nest": nest, "sample": sample or (16 if full else 32)})

    def add_nested(name, schema, options, longest):
        text = json.dumps(schema)
        named = [set(re.findall(r'null|true|false|"a"|[0-9.]+', text)) & set(s) for s in schemas.SCALARS]
        scalars = max(range(3), key=lambda i: (len(named[i]), -((len(out) + i) % 3)))
        spaced = options.get("whitespace") == "spaced"
        add(name, schema, ["{", "}", "[", "]"] + ([", ", ": "] if spaced else [",", ":"]) + KEYS +
            [s for s in schemas.SCALARS[scalars] if s not in KEYS], longest, {"whitespace": "compact", **options}, True)
        out[-1].update(scalars=schemas.SCALARS[scalars], keys=[k for k in KEYS if k not in schemas.SCALARS[scalars]])

    for name, schema in schemas.pairs() + schemas.corners():
        add_nested(name, schema, {}, 13 if full else 11)
    for name, schema, options in schemas.options():
        add_nested(name, schema, options, 13 if full else 11)
    for name, schema, options in structural.pairs() + structural.nested() + structural.older() + structural.corners():
        add_nested(name, schema, options, 11 if full else 9)
    for name, lexemes, longest, options, group in schemas.lexical() + structural.worlds():
        for text, schema in group:
            add(f"{name}: {text}", schema, lexemes, longest, options, False)
    return out


def texts_of(line):
    options = line["options"]
    if line["nest"]:
        return nested(tuple(line["scalars"]), line["max"])
    lexemes, longest = tuple(line["lexemes"]), line["max"]
    if options.get("whitespace", "any") == "any" or not any(x.isspace() for x in lexemes):
        return spelled(lexemes, longest)
    dumps = dumps_of(options)
    return printed(lexemes, longest, dumps)


def dumps_of(options):
    """The one spelling of a value under a white-space policy that has one."""
    policy = options.get("whitespace", "any")
    form = {"compact": {"separators": (",", ":")}, "spaced": {}, "pretty": {"indent": options.get("indent", 2)}}.get(policy)
    return None if form is None else functools.partial(json.dumps, ensure_ascii=False, default=str, **form)


_EXPONENT = re.compile(rb"-?[0-9.]+[eE][+-]?[0-9]+")
_NORMAL = re.compile(rb"-?[1-9](?:\.[0-9]+)?[eE][+-]?([0-9]{1,3})")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.S)


def usual_spelling(text):
    """Whether every string is spelled as json.dumps does."""
    return all(json.dumps(json.loads(s), ensure_ascii=False).encode("utf-8", "surrogatepass") == s for s in _QUOTED.findall(text))


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


class Judge:
    """One schema under its options."""

    def __init__(self, line):
        self.options, text = line["options"], line["schema_text"]
        self.schema = json.loads(text)
        self.validator = reference.validator(self.schema)
        self.order = reference.Order(self.schema)
        self.verdicts = {}
        self.free = self.options.get("order") == "any"
        self.names_strings = self.free or bool(re.search(
            r'"(?:const|enum|\w*[pP]roperties|required|pattern|propertyNames|depend\w+|uniqueItems|contains)": ', text))
        self.numeric = bool(re.search(r'"(?:const|enum|minimum|maximum|exclusiveM\w+|uniqueItems)": |integer', text))
        self.integers = "integer" in text or "uniqueItems" in text
        self.dumps = dumps_of(self.options)
        self.run = self.options.get("whitespace_run", 64)

    def valid(self, t):
        if t.key not in self.verdicts:
            self.verdicts[t.key] = self.validator.is_valid(t.value)
        return self.verdicts[t.key]

    def expected(self, t):
        """Must the text be accepted? True, False, or None: it need not be."""
        if not self.valid(t) or not self.allowed(t) or len(t.text) > self.options.get("budget", len(t.text)):
            return False
        if self.dumps is None and not self.space(t.text, t.value):
            return False
        if t.duplicate:
            return None
        return None if self.odd(t) else True

    def allowed(self, t):
        """The policies that refuse for certain."""
        o = self.options
        if t.duplicate and self.order.repeats(t.value):
            return False
        if not self.free and not t.ordered and not t.duplicate and not self.order.holds(t.value):
            return False
        if "depth" in o and depth_of(t.value) > o["depth"]:
            return False
        return not (o.get("objects") == "closed" and self.order.unlisted(t.value))

    def odd(self, t):
        """The policies that may refuse."""
        if self.numeric and not all(map(self.usual_exponent, _EXPONENT.findall(t.text))):
            return True
        if b"\\" in t.text and (reference.has_lone_surrogate(t.value) or self.names_strings and not usual_spelling(t.text)):
            return True
        return self.options.get("objects") == "closed" and self.order.unlisted(t.value) is not None

    def usual_exponent(self, number):
        """Whether this spelling may be relied on under a numeric keyword."""
        form = _NORMAL.fullmatch(number)
        return not self.integers and form is not None and int(form[1]) <= 400

    def space(self, text, value):
        """Whether the white space of an accepted text is what its policy writes."""
        if self.dumps is None:
            return max(map(len, re.findall(rb"[ \t\n\r]+", _QUOTED.sub(b'""', text))), default=0) <= self.run
        squeezed, form = re.sub(rb"[^\s{}\[\],:]+", b"v", _QUOTED.sub(b"s", text)), self.dumps(value).encode()
        return squeezed == re.sub(rb"[^\s{}\[\],:]+", b"v", _QUOTED.sub(b"s", form))


def refusal(result):
    """What a schema was refused for, when that is no more than a keyword that is not supported; else None."""
    if result["status"] != "refused" or "not supported" not in result["message"]:
        return None
    named = re.search(r'"([^"]+)"( as an array)?|options\.(\w+)', result["message"])
    return result["message"][:60] if named is None else named[3] or named[1] + (named[2] or "")


def judge(line, result):
    """The differences of one schema: (kind, text) each. Counts come as a second value."""
    out = []
    if result["status"] not in ("ok", "unsatisfiable"):
        return [(result["status"], result["message"])], collections.Counter()
    j, world = Judge(line), texts_of(line)
    accepted = {t.encode("latin-1") for t in result["accepted"]}
    spaced = line["nest"] and line["options"].get("whitespace") == "spaced"
    known = set()
    for t in world:
        if spaced:
            text = t.text.replace(b",", b", ").replace(b":", b": ")
        else:
            text = t.text
        known.add(text)
        want, got = j.expected(t), text in accepted
        if got and want is False:
            out.append(("wrong accept", text))
        elif not got and want:
            out.append(("wrong reject", text))
    others = [("accepted outside the world", t) for t in accepted - known]
    completions = {t.encode("latin-1") for t in result["completions"]}
    others += [("wrong completion", t) for t in completions - known - accepted]
    if "budget" not in line["options"]:  # a budget counts tokens, a completion may have fewer of them than bytes
        others += [("wrong completion", t) for t in completions & known - accepted]
    for kind, text in others:
        try:
            t = Text(text, *reference.read(text))
            ok = text not in known and j.valid(t) and j.allowed(t) and (t.duplicate or j.space(text, t.value))
        except ValueError:
            ok = False
        if not ok:
            out.append((kind, text))
    out += [(f["kind"], f["text"].encode("latin-1")) for f in result["faults"]]
    counts = collections.Counter(schemas=1, texts=len(world), accepted=len(accepted), states=result["states"],
                                 completions=len(completions), unknown=result.get("unknown", 0))
    return sorted(out, key=lambda d: len(d[1])), counts


def missing_pairs(todo):
    """Pairs of keywords, of one draft, that no schema has together."""
    covered = {pair for l in todo for pair in itertools.combinations(sorted(structural.keywords(json.loads(l["schema_text"]))), 2)}
    return structural.wanted_pairs() - covered


# --- running the program ---------------------------------------------------------------------------------------------

def walk(program, chunk):
    """The program's line for each line; a crash or a hang is a result too, of the line that it was at."""
    results = {}
    while len(results) < len(chunk):
        rest = [l for l in chunk if l["id"] not in results]
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
            f.writelines(json.dumps(l, ensure_ascii=False) + "\n" for l in rest)
            f.flush()
            try:
                run = subprocess.run([program, f.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=CHUNK_SECONDS)
                out, why = run.stdout, f"exit {run.returncode} {run.stderr[-400:].decode('utf-8', 'replace')}"
            except subprocess.TimeoutExpired as e:
                out, why = e.stdout or b"", f"no answer in {CHUNK_SECONDS} s"
        for text in out.split(b"\n")[:-1]:
            r = json.loads(text)
            results[r["id"]] = r
        missing = [l["id"] for l in rest if l["id"] not in results]
        if missing:
            results[missing[0]] = {"id": missing[0], "status": "crash", "message": why}
    return results


def work(job):
    """For each line of a chunk: the line, its differences, counts, and the keyword that it was refused for."""
    program, chunk, may_refuse = job
    results, out = walk(program, chunk), []
    for l in chunk:
        keyword = refusal(results[l["id"]]) if may_refuse else None
        out.append((l, *(([], collections.Counter()) if keyword else judge(l, results[l["id"]])), keyword))
    return out


def planted(program, line):
    """How many of the faults planted in a right result the judge sees, and how many were planted."""
    right = walk(program, [line])[line["id"]]
    if right["status"] != "ok":
        return 0, 1
    accepted, texts = right["accepted"], [t.text.decode("latin-1") for t in texts_of(line)]
    rejected = next(t for t in texts if t not in accepted)
    faults = [{"accepted": accepted[1:]}, {"accepted": accepted[:-1]}, {"accepted": accepted + [rejected]},
              {"accepted": accepted + ['{"a":1']}, {"accepted": accepted + ['{"a":"b"} ']}, {"completions": right["completions"] + [rejected]},
              {"completions": right["completions"] + ["[0"]}, {"completions": right["completions"] + ['{"b":true}']}, {"status": "refused"},
              {"faults": [{"kind": "planted", "text": "["}]}]
    return seen(line, right, faults)


def seen(line, right, faults):
    """How many of the faults the judge sees in a result that it finds right otherwise, and how many there are."""
    clean = not judge(line, right)[0]
    return (sum(bool(judge(line, {**right, **f})[0]) for f in faults) if clean else 0), len(faults)


def planted_structural():
    """The same for each structural keyword, in a result that the judge's own verdicts make right."""
    total = collections.Counter()
    for keyword, (schema, options, bad, good) in structural.PLANTED.items():
        line = {"schema_text": json.dumps(schema), "options": {"whitespace": "compact", **options}, "max": 9, "nest": True, "scalars": schemas.SCALARS[0]}
        j = Judge(line)
        accepted = [t.text.decode() for t in texts_of(line) if j.expected(t)]
        right = {"status": "ok", "states": 0, "accepted": accepted, "completions": [], "faults": []}
        faults = [{"accepted": accepted + [bad]}, {"accepted": [t for t in accepted if t != good]}, {"completions": [bad]}]
        found, planted_here = seen(line, right, faults)
        total.update(seen=found, planted=planted_here)
        if found != planted_here:
            print(f"  {keyword}: {found} of {planted_here} planted faults seen")
    return total["seen"], total["planted"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    p.add_argument("--full", action="store_true")
    p.add_argument("--no-refusals", action="store_true")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--only", default="")
    p.add_argument("--sample", type=int)
    p.add_argument("--show", type=int, default=12)
    a = p.parse_args()
    start = time.time()
    todo = [l for l in lines(a.full, a.sample) if a.only in l["name"]]
    chunks = [(a.bin, todo[i:i + CHUNK], not a.no_refusals) for i in range(0, len(todo), CHUNK)]
    total, kinds, refused, broken = collections.Counter(), collections.Counter(), collections.Counter(), 0
    with multiprocessing.Pool(a.jobs) as pool:
        for done in pool.imap_unordered(work, chunks):
            for line, differences, counts, keyword in done:
                total += counts
                kinds.update(k for k, _ in differences)
                refused.update([keyword] if keyword else [])
                broken += bool(differences)
                if differences and broken <= a.show:
                    print(f"  {line['name']}: {line['schema_text']} {json.dumps(line['options'])}")
                    for kind, text in differences[:3]:
                        print(f"    {kind}: {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}")
    if total["unknown"]:
        print(f"  {total['unknown']} prefixes without a verdict")
    missing = missing_pairs(todo)
    probe = next(l for l in lines(False) if l["name"] == "additionalProperties/enum")
    found, set_up = map(sum, zip(planted(a.bin, probe), planted_structural()))
    for kind, count in kinds.most_common():
        print(f"  {count} {kind}")
    if refused:
        print("  refused: " + ", ".join(f"{k} {n}" for k, n in refused.most_common()))
    for pair in [] if a.only else sorted(missing):
        print(f"  no schema has {' and '.join(pair)}")
    print(f"small world: {len(todo)} schemas, {total['schemas']} judged, {sum(refused.values())} refused by name, "
          f"{total['texts']} texts, {total['accepted']} accepted, {total['states']} states, {total['completions']} completions, "
          f"{sum(kinds.values())} differences in {broken} schemas, {found} of {set_up} planted faults seen, {time.time() - start:.0f} s")
    sys.exit(bool(kinds) or found != set_up or not todo or (not a.only and bool(missing)))


if __name__ == "__main__":
    main()
