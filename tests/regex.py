#!/usr/bin/env python3
"""regex.py - automata of patterns against engines that nobody here wrote.

usage: regex.py --bin build/bin/weir-regex-match [--data WEIR_DATA] [--full] [--seed N]

Patterns: every `pattern` and name under `patternProperties` of maskbench's dev split and of the JSON Schema Test Suite, the
hard ones in this file, and random ones that mix all constructs. Judges: Python's re, behind a translation of what differs
(tests/regex_translate.py), Node's RegExp where node is installed, and the labels of the Test Suite. Strings: walks through
the automaton that end in acceptance, mutations of them, random ones over the pattern's own alphabet, and all short ones.
Differences and intersections of automata are judged by the same verdicts. Exit 0 only without a difference."""
import argparse
import collections
import itertools
import json
import lzma
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unicodedata
import warnings

import regex_translate

HARD = [
    "", "a", "^$", "$^", "^", "$", "a^b", "a$b", "(^a|b$)", "^a|^b", "(^|x)a($|y)", "^^a$$", "(?:^)*a", "(a|)", "|", "(|a)b",
    "a*", "^a*$", "^(a|b)*abb$", "^a{0}$", "^a{2}$", "^a{2,}$", "^a{0,3}b$", "^(a{2}){3}$", "^(a?){3}$", "^(a*)*$", "^(a|b|)+$",
    "^a??b+?c*?$", "^(?:a{0,2}b){1,3}$", "^[a-c]{2,4}[b-d]{1,3}$", "[^]", "[]", "a[]b|c", "^[^]$", "^[^\\s\\S]$", ".", "^.*$",
    "^.$", "^[\\w-.]+$", "^[a-\\d]$", "^[\\d-z]$", "^[-a]$", "^[a-]$", "^[\\]]$", "^[^\\]]$", "^[[]$", "]", "}", "{", "a{", "a{,3}",
    "x{1", "a{1,2", "a{a}", "^\\{\\}$", "\\d+\\.\\d+", "\\D", "\\W", "\\S", "^\\s*$", "^\\t\\n\\r\\v\\f\\0$", "\\x41\\u0042\\u{43}",
    "^\\ud83d\\ude00$", "^[\\ud83d\\ude00-\\ud83d\\ude02]$", "^\\u{1F600}$", "^[😀é]$", "^\\cA$", "^\\/\\-\\_\\\"\\ \\:\\é$",
    "\\ba\\b", "\\Ba\\B", "^\\b", "\\b$", "^\\B$", "\\B", "^\\Ba|b\\B$", "\\b\\b", "a\\bb", "-\\b-", "(\\b|a)b", "(?:a\\b|\\bb)+",
    "^(?=a)", "^(?!a)", "^(?=.*a)(?=.*b).{2,3}$", "^(?!.*--)[a-]+$", "^((?!ab)[ab])*$", "((?=ab)a|b)+$", "^(?!(?!a))",
    "(?=a)(?=b)", "(?!a|b)c?$", "^(?:(?=a|b(?!b))[ab])*$", "(?=a$)a|b(?=$)", "^(?=(a|b)*$)(?!b)", "(?=a)*b", "(?!a){0}a", "(?!a){2}b",
    "a(?=\\b)", "a(?!\\b)", "(?=\\ba)", "(?=^a)|b", "\\b(?=^a)|b", "(?:(?!a.{2}b)[ab])+$", "^(?:(?=(a|b)).)*$",
    "(?<=a)b", "(?<!a)b", "(?<=^a)b", "(?<=^|a)b", "(?<!^)b", "(?<=ab|b)a", "(?<=a*b)a", "(?<=a{2,})b", "(?<!a+b)a", "(?<=\\ba)b",
    "(?<=a\\b)-", "(?<=a$)", "(?<!a$)$", "(?<=(?<=a)b)a", "(?<!(?<!a)b)a", "(?<=a(?=b))b", "(?<=(?=ab))a", "(?<!(?!b)a)b",
    "(?=(?<=a)b)", "(?!(?<=a)b)b", "^(?:a(?<=a)|b(?<!ab))*$", "(?<=)a", "(?<!)a", "(?<=[^])a", "(?<=(?<!\\b)a)\\b", "(?<!a(?!b))b$",
    "^[a-zA-Z0-9_-]{1,255}$", "^([a-z]{1,63}\\.){1,8}[a-z]{2,63}$", "^(?<year>\\d{4})-(?<month>0[1-9]|1[0-2])$",
    "^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]*[a-zA-Z0-9])\\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\\-]*[A-Za-z0-9])$",
    "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$", "^.{0,80}x.{0,80}$", "a.{3}b", "^.*a.{5}$",
    "^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)(?=.*[^\\da-zA-Z]).{8,64}$", "^(?!\\.)(?!.*\\.\\.)[a-z.]{1,20}(?<!\\.)$",
    "^(foo|foobar|fob|f|bar|baz|)$", "^(abc|abd|ab|xbc|a)c*$", "(ab|a)(bc|c)?$", "^(a|a|a)b$", "^([ab]a|[ab]b|a)$",
    "^\\p{L}+$", "^\\p{Lu}\\p{Ll}*$", "\\P{L}", "^[\\p{Nd}_]+$", "^[^\\p{L}]$", "^[\\P{L}a]$", "^\\p{digit}+$", "^\\p{gc=Zs}$",
    "^\\p{Letter}{1,3}$", "\\p{S}|\\p{P}", "^\\p{Cn}$",
]
REFUSED = [
    "(", ")", "a)", "(a", "(?", "(?:", "[", "[a", "[a-", "[b-a]", "*", "+a", "a**", "a+++", "(*a)", "|*", "{1}", "a{2,1}", "a{1}{2}", "^*",
    "$+", "\\b?", "(?<=a)*", "\\", "\\1", "(a)\\1", "\\k<a>", "\\u12", "\\u{}", "\\u{110000}", "\\xg1", "\\c1", "\\01", "[\\1]", "\\A", "\\Z",
    "\\p{Foo}", "\\p{Script=Latin}", "\\pL", "\\p{L", "(?i)a", "(?i:a)", "(?-i:a)", "(?P<a>b)", "(?>a)", "(?#a)", "(?<>a)", "(?<1>a)", "(?<a",
    "(?<a b>c)", "[\\B]", "\\a", "\\u", "\\x", "[\\c]",
]
CHUNK_SECONDS = 5


def pattern_texts(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "pattern" and isinstance(value, str):
                yield value
            if key == "patternProperties" and isinstance(value, dict):
                yield from value
            yield from pattern_texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from pattern_texts(value)


def dev_patterns(data):
    with lzma.open(data / "maskbench" / "dev.jsonl.xz", "rt", encoding="utf-8") as lines:
        return sorted({text for line in lines for text in pattern_texts(json.loads(line)["schema"])})


def suite_patterns(data):
    """Patterns of the Test Suite, and (pattern, string, valid) of the schemas that are nothing but a pattern."""
    found, labels = set(), []
    for path in sorted((data / "json-schema-test-suite" / "tests").rglob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            schema = group["schema"]
            found.update(pattern_texts(schema))
            if isinstance(schema, dict) and set(schema) <= {"$schema", "pattern", "type"} and "pattern" in schema:
                labels += [(schema["pattern"], t["data"], t["valid"]) for t in group["tests"] if isinstance(t["data"], str)]
    return sorted(found), labels


# --- random patterns -----------------------------------------------------------------------------------------------

ATOMS = ["a", "b", "c", "-", "[ab]", "[^a]", ".", "\\w", "\\W", "[a-c]", "\\n"]
ZERO = ["^", "$", "\\b", "\\B"]
QUANTIFIERS = ["*", "+", "?", "{2}", "{0,2}", "{1,3}", "{2,}", "*?", "??", "{0}"]


def random_pattern(r, depth):
    kind = r.random()
    if depth == 0 or kind < .12:
        return r.choice(ATOMS)
    below = lambda: random_pattern(r, depth - 1)  # noqa: E731
    if kind < .40:
        return below() + below()
    if kind < .55:
        return "(?:" + below() + r.choice(["|", "|", "|(?:)|"]) + below() + ")"
    if kind < .72:
        return "(?:" + below() + ")" + r.choice(QUANTIFIERS)
    if kind < .80:
        return r.choice(ZERO)
    if kind < .92:
        return r.choice(["(?=", "(?!"]) + below() + ")"
    return r.choice(["(?<=", "(?<!"]) + below() + ")"


SOUP = ["a", "b", "-", ",", "1", "(", ")", ")", "(?:", "(?=", "(?!", "(?<=", "(?<n>", "[", "]", "]", "[^", "{", "}", "{1}", "{,2}", "{1,",
        "{2,1}", "*", "+", "?", "|", "^", "$", "\\b", "\\-", "\\d", "\\]", "\\\\", ".", "a-b", "b-a", "\\w-"]


def random_soup(r):
    """Constructs without a grammar: mostly wrong."""
    return "".join(r.choices(SOUP, k=r.randrange(2, 9)))


# --- strings -------------------------------------------------------------------------------------------------------

def distances(states):
    """The least number of code points from each state to acceptance."""
    far = [0 if s[0] else None for s in states]
    back = collections.defaultdict(list)
    for i, state in enumerate(states):
        for edge in state[1:]:
            back[edge[2]].append(i)
    queue = [i for i, d in enumerate(far) if d == 0]
    for i in queue:
        for j in back[i]:
            if far[j] is None:
                far[j] = far[i] + 1
                queue.append(j)
    return far


def fault_of(automaton):
    """What the header promises and this automaton breaks; None: nothing."""
    states = automaton["states"]
    if automaton["start"] != (0 if states else -1):
        return "start"
    if None in distances(states):
        return "a state from which nothing is accepted"
    reached = [0] if states else []
    for state in reached:
        last_hi, last_to = -2, None
        for lo, hi, to in states[state][1:]:
            if not last_hi < lo <= hi or hi > 0x10FFFF or (lo <= 0xDFFF and hi >= 0xD800):
                return "ranges"
            if last_hi + 1 == lo and last_to == to:
                return "neighbours that are not joined"
            last_hi, last_to = hi, to
            if to == len(reached):
                reached.append(to)
            elif to > len(reached):
                return "numbers"
    if states and len(reached) != len(states):
        return "a state that is not reached"
    blocks, count = [s[0] for s in states], 0
    while len(set(blocks)) != count:  # Moore
        count = len(set(blocks))
        names = {}
        blocks = [names.setdefault((blocks[i], *joined(s[1:], blocks)), len(names)) for i, s in enumerate(states)]
    return "two equal states" if count != len(states) else None


def joined(edges, blocks):
    """The ranges by block of their target, neighbours of one block joined."""
    out = []
    for lo, hi, to in edges:
        if out and out[-1][1] + 1 == lo and out[-1][2] == blocks[to]:
            out[-1] = (out[-1][0], hi, blocks[to])
        else:
            out.append((lo, hi, blocks[to]))
    return out


def walk(r, automaton, far, steps):
    """A string that the automaton accepts: `steps` steps by chance, then towards acceptance."""
    states, state, out = automaton["states"], automaton["start"], []
    while steps > 0 or not states[state][0]:
        edges = states[state][1:]
        if not edges:
            break
        if steps <= 0:
            edges = [e for e in edges if far[e[2]] < far[state]]
        lo, hi, state = r.choice(edges)
        printable = [c for c in (r.randrange(97, 123), r.randrange(48, 58), 45, 46, 95) if lo <= c <= hi]
        out.append(chr(r.choice([lo, hi, r.randint(lo, hi), *printable, *printable])))
        steps -= 1
    return "".join(out)


def alphabet_of(r, pattern, automaton, size):
    """Characters that matter: those of the pattern, and the ends of edges."""
    own = [c for c in pattern if c.isalnum() or c in "-_. /:"]
    ends = {c for s in automaton["states"][:40] for e in s[1:40] for c in (e[0], e[1])} | {10, 95, 45, 97, 48, 0x2028}
    ends |= {c + 1 for c in ends}
    found = [chr(c) for c in sorted(ends) if c <= 0x10FFFF and not 0xD800 <= c < 0xE000] + sorted(set(own)) * 2
    return [r.choice(found) for _ in range(size)]


def mutate(r, text, letters):
    at = r.randrange(len(text) + 1)
    return r.choice([text[:at] + text[at + 1:], text[:at] + r.choice(letters) + text[at:], text[:at] + r.choice(letters) + text[at + 1:],
                     text[:at] + text[max(0, at - 2):], text + "\n", "\n" + text, text[::-1], r.choice(letters) + text,
                     text + r.choice(letters)])


def strings_for(r, pattern, automaton, full):
    letters = alphabet_of(r, pattern, automaton, 12)
    strings = {"", "\n"}
    if automaton["start"] >= 0:
        far = distances(automaton["states"])
        for _ in range(60 if full else 20):
            text = walk(r, automaton, far, r.choice([0, 1, 2, 3, 5, 8, 13]))
            strings.add(text)
            strings.update(mutate(r, text, letters) for _ in range(3))
    for _ in range(200 if full else 40):
        strings.add("".join(r.choices(letters, k=r.randrange(1, 9))))
    few = sorted(set(r.choices(letters, k=4)))
    for length in range(1, 6 if full else 4):
        strings.update(map("".join, itertools.product(few, repeat=length)))
    return sorted(strings)


# --- judges --------------------------------------------------------------------------------------------------------

class Slow(Exception):
    pass


def on_alarm(*_):
    raise Slow


def python_verdicts(pattern, strings):
    """'0110...', or the reason why there is none."""
    if re.search(r"\\[pP]", pattern) and not same_unicode():
        return None, "another version of Unicode"
    try:
        compiled = re.compile(regex_translate.translate(pattern), re.ASCII)
    except regex_translate.Untranslatable as error:
        return None, str(error)
    except (re.error, OverflowError) as error:
        return None, "variable lookbehind" if "look-behind" in str(error) else "Python: " + str(error).split(" at ")[0]
    signal.setitimer(signal.ITIMER_REAL, CHUNK_SECONDS)
    try:
        return "".join("01"[compiled.search(s) is not None] for s in strings), None
    except Slow:
        return None, "too slow"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


NODE = r"""
const vm = require("vm");
const script = new vm.Script("strings.map(s => re.test(s) ? '1' : '0').join('')");
for (const line of require("fs").readFileSync(process.argv[1], "utf8").split("\n")) {
  if (!line) continue;
  const {pattern, strings} = JSON.parse(line);
  let re = null, out = {};
  try { re = new RegExp(pattern, "u"); } catch (error) {
    try { re = new RegExp(pattern); out.lenient = true; } catch (error) { out.error = error.message; }
  }
  if (re) try { out.matches = script.runInNewContext({re, strings}, {timeout: 5000}); } catch (error) { out.slow = true; }
  console.log(JSON.stringify(out));
}
"""


def run_lines(command, lines):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
        file.flush()
        done = subprocess.run([*command, file.name], stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    assert len(answers) == len(lines), f"{len(answers)} answers to {len(lines)} lines"
    return answers


def same_unicode():
    """Whether this Python has the version of Unicode that the library has."""
    data = pathlib.Path(__file__).resolve().parent.parent / "host" / "regex_unicode.inc"
    return f"Unicode {unicodedata.unidata_version}:" in data.read_text(encoding="ascii")[:200]


def comparable(pattern, answer, strings):
    """Which strings Node's verdict counts for."""
    if answer.get("lenient"):  # without the u flag: code units, and other escapes
        return [not re.search(r"\\[upP]", pattern) and all(c < "\U00010000" for c in s) for s in strings]
    if re.search(r"\\B|\(\?<?[=!]", pattern):  # V8 looks for matches of no length inside surrogate pairs too
        strings = [s if max(s, default="") < "\U00010000" else None for s in strings]
    if not re.search(r"\\[pP]", pattern):
        return [s is not None for s in strings]
    same = same_unicode()
    return [same and s is not None and all(unicodedata.category(c) != "Cn" for c in s) for s in strings]  # Node may assign more


# --- the comparison ------------------------------------------------------------------------------------------------

class Check:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.node = shutil.which("node")
        self.counts, self.refused, self.untranslated = collections.Counter(), collections.Counter(), collections.Counter()
        self.differences, self.verdicts = 0, {}

    def differ(self, *words):
        self.differences += 1
        if self.differences <= 40:
            print("DIFFERENCE", *words)

    def compare(self, name, pattern, strings, ours, theirs, counted=None):
        self.counts[f"{name} strings"] += len(strings)
        for i, s in enumerate(strings):
            if ours[i] != theirs[i] and (counted is None or counted[i]):
                self.differ(name, json.dumps(pattern), json.dumps(s), "here", ours[i], "there", theirs[i])
                return

    def run(self, patterns, bound=None, soup=False):
        """Compiles, makes strings, compares; of a soup what is refused must be wrong."""
        automata = run_lines([self.options.bin, "--automata"], [{"pattern": p} for p in patterns])
        lines, wrong = [], []
        for pattern, automaton in zip(patterns, automata):
            self.counts["patterns"] += 1
            if "error" in automaton:
                self.refused[re.sub(r"^byte \d+ of the pattern: ", "", automaton["error"])] += 1
                wrong.append({"pattern": pattern, "strings": []})
                continue
            fault = fault_of(automaton) if len(automaton["states"]) < 300 else None
            if fault:
                self.differ("structure", json.dumps(pattern), fault)
                continue
            strings = bound or strings_for(self.random, pattern, automaton, self.options.full)
            lines.append({"pattern": pattern, "strings": strings})
        ours = run_lines([self.options.bin], lines)
        for line, judge in zip(wrong, run_lines([self.node, "-e", NODE, "--"], wrong) if self.node and soup else []):
            if "error" not in judge:
                self.differ("only refused here", json.dumps(line["pattern"]))
        judges = run_lines([self.node, "-e", NODE, "--"], lines) if self.node else [None] * len(lines)
        for line, mine, judge in zip(lines, ours, judges):
            pattern, strings = line["pattern"], line["strings"]
            self.counts["compiled"] += 1
            self.counts["strings"] += len(strings)
            self.counts["matches"] += mine["matches"].count("1")
            verdicts, why = python_verdicts(pattern, strings)
            if why:
                self.untranslated[why] += 1
            else:
                self.compare("python", pattern, strings, mine["matches"], verdicts)
            if judge and "Duplicate capture group name" in judge.get("error", ""):
                continue  # without back references a name means nothing
            if judge and "error" in judge:
                self.differ("node refuses", json.dumps(pattern), judge["error"])
            elif judge and "matches" in judge:
                self.compare("node", pattern, strings, mine["matches"], judge["matches"], comparable(pattern, judge, strings))
        return lines, ours

    def refusals(self):
        for pattern, answer in zip(REFUSED, run_lines([self.options.bin], [{"pattern": p} for p in REFUSED])):
            if answer.get("status") != "WEIR_ERROR_SCHEMA" or not re.match(r"byte \d+ of the pattern: ", answer.get("error", "")):
                self.differ("not refused", json.dumps(pattern), answer)

    def labels(self, labels):
        for (pattern, text, valid), answer in zip(labels, run_lines([self.options.bin], [
                {"pattern": p, "strings": [s]} for p, s, _ in labels])):
            self.counts["labels"] += 1
            if answer.get("matches", valid and "1" or "0") != "01"[valid]:
                self.differ("label", json.dumps(pattern), json.dumps(text), "valid" if valid else "invalid")

    def combinations(self, lines, strings):
        """Intersections and differences of neighbours against the verdicts of both."""
        pairs = list(zip(lines, lines[1:]))
        asked = [{"pattern": a["pattern"], key: b["pattern"], "strings": strings} for a, b in pairs for key in ("and", "minus")]
        single = {line["pattern"]: answer["matches"] for line, answer in zip(lines, run_lines([self.options.bin], [
            {"pattern": line["pattern"], "strings": strings} for line in lines]))}
        for question, answer in zip(asked, run_lines([self.options.bin], asked)):
            other = question.get("and", question.get("minus"))
            wanted = "".join("01"[a == "1" and (b == "1") == ("and" in question)] for a, b in zip(
                single[question["pattern"]], single[other]))
            self.counts["combinations"] += 1
            if answer.get("matches") != wanted:
                self.differ("combination", json.dumps({k: v for k, v in question.items() if k != "strings"}))


def show(name, counter):
    for why, count in counter.most_common():
        print(f"{name} {count}: {why}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, on_alarm)
    check = Check(options)
    if options.data and options.data.is_dir():
        check.run(dev_patterns(options.data))
        patterns, labels = suite_patterns(options.data)
        check.run(patterns)
        check.labels(labels)
        print("real patterns", dict(check.counts))
    else:
        print("skipped real patterns: WEIR_DATA is not set")
    check.run(HARD)
    check.refusals()
    small = ["".join(s) for n in range(6) for s in itertools.product("ab-\n", repeat=n)]
    few = sorted({check.random.choice(["%s", "^(?:%s)$"]) % random_pattern(check.random, check.random.choice([2, 3, 4, 5]))
                  for _ in range(20000 if options.full else 2000)})
    lines, _ = check.run(few, small if options.full else small[:341])
    soups = sorted({random_soup(check.random) for _ in range(100000 if options.full else 10000)})
    check.run(soups, small[:341], soup=True)
    check.combinations(check.random.sample(lines, min(len(lines), 400)), small[:341])
    show("refused", check.refused)
    show("not for Python", check.untranslated)
    counts = check.counts
    print(f"seed={options.seed} patterns={counts['patterns']} compiled={counts['compiled']} strings={counts['strings']} "
          f"matches={counts['matches']} python_strings={counts['python strings']} node_strings={counts['node strings']} "
          f"labels={counts['labels']} combinations={counts['combinations']} refused={sum(check.refused.values())} "
          f"untranslated={sum(check.untranslated.values())} differences={check.differences}")
    sys.exit(bool(check.differences))


if __name__ == "__main__":
    main()
