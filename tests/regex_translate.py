"""regex_translate.py - a pattern of ECMA-262 in, the same for Python's re (with re.ASCII) out.

Only what differs is rewritten: . \\s \\S $ \\B, empty classes, escapes that Python reads otherwise, braces that count nothing,
\\p{..}. Untranslatable is raised where Python has no equal. Wrong patterns may come out as anything: they are compared by
their refusal, not by what they match."""
import itertools
import re
import unicodedata

SPACES = [(9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
          (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)]
DIGITS = [(48, 57)]
WORDS = [(48, 57), (65, 90), (95, 95), (97, 122)]
LINE_ENDS = [(10, 10), (13, 13), (0x2028, 0x2029)]
CONTROLS = {"t": 9, "n": 10, "r": 13, "v": 11, "f": 12}
ALIASES = {"Letter": "L", "digit": "Nd", "Lowercase_Letter": "Ll", "Uppercase_Letter": "Lu"}


class Untranslatable(Exception):
    pass


def complement(ranges):
    at = 0
    for lo, hi in sorted(ranges):
        if lo > at:
            yield at, lo - 1
        at = max(at, hi + 1)
    if at <= 0x10FFFF:
        yield at, 0x10FFFF


def category_ranges(name):
    name = ALIASES.get(name, name)
    if not re.fullmatch("[CLMNPSZ][a-z]?", name):
        raise Untranslatable("property")
    at, found = 0, []
    for inside, run in itertools.groupby(unicodedata.category(chr(c)).startswith(name) for c in range(0x110000)):
        length = sum(1 for _ in run)
        if inside:
            found.append((at, at + length - 1))
        at += length
    return found


def class_text(ranges):
    """A class of Python's; [] matches nothing."""
    ranges = list(ranges)
    if not ranges:
        return "(?!)"
    return "[" + "".join(f"\\U{lo:08x}-\\U{hi:08x}" for lo, hi in ranges) + "]"


class Translator:
    def __init__(self, pattern):
        self.text, self.at = pattern, 0

    def take(self, regex):
        found = re.compile(regex, re.S).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def escape(self):
        """Behind a backslash: the ranges it stands for."""
        if found := self.take("[dDwWsS]"):
            ranges = {"d": DIGITS, "w": WORDS, "s": SPACES}[found[0].lower()]
            return list(complement(ranges)) if found[0].isupper() else ranges
        if found := self.take(r"([pP])\{(?:gc=|General_Category=)?([A-Za-z_]*)\}"):
            ranges = category_ranges(found[2])
            return list(complement(ranges)) if found[1] == "P" else ranges
        if found := self.take(r"u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"):
            value = 0x10000 + ((int(found[1], 16) - 0xD800) << 10) + int(found[2], 16) - 0xDC00
        elif (found := self.take(r"u\{([0-9a-fA-F]+)\}")) or (found := self.take("u([0-9a-fA-F]{4})")) or (
                found := self.take("x([0-9a-fA-F]{2})")):
            value = int(found[1], 16)
        elif found := self.take("c([a-zA-Z])"):
            value = ord(found[1]) & 31
        elif self.take("0(?![0-9])"):
            value = 0
        elif found := self.take("[1-9k]"):
            raise Untranslatable("back reference")
        elif found := self.take("[tnrvf]"):
            value = CONTROLS[found[0]]
        elif found := self.take("[^a-zA-Z0-9]"):
            value = ord(found[0])
        else:
            raise Untranslatable("escape")
        return [(value, value)]

    def class_atom(self):
        if self.take(r"\\b"):
            return [(8, 8)]
        if self.take(r"\\"):
            return self.escape()
        value = ord(self.take(".")[0])
        return [(value, value)]

    def class_(self):
        negated, ranges = self.take(r"\^"), []
        while not self.take("]"):
            if self.at == len(self.text):
                raise Untranslatable("open class")
            left = self.class_atom()
            if not self.take("-(?!]|$)"):
                ranges += left
                continue
            right = self.class_atom()
            if len(left) == len(right) == 1 and left[0][0] == left[0][1] and right[0][0] == right[0][1]:
                ranges.append((left[0][0], right[0][0]))
                if left[0][0] > right[0][0]:
                    raise Untranslatable("range")
            else:
                ranges += [*left, (45, 45), *right]
        return class_text(complement(ranges) if negated else ranges)

    def piece(self):
        """One construct, in Python's spelling."""
        if found := self.take(r"\(\?<(?![=!])[^>]*>"):
            return "(?:"
        if found := self.take(r"\(\?(?!<?[=!]|:)"):
            raise Untranslatable("group")
        if found := self.take(r"\((\?<?[=!])?(?:\?:)?"):
            return found[0] if found[1] else "(?:"
        if found := self.take(r"[|)^*?+]|\{\d+(,\d*)?\}"):
            return found[0]
        if self.take(r"\$"):
            return r"\Z"
        if self.take(r"\."):
            return class_text(complement(LINE_ENDS))
        if self.take(r"\["):
            return self.class_()
        if self.take(r"\\b"):
            return r"\b"
        if self.take(r"\\B"):
            return r"(?!\b)"  # Python's \B does not match the empty text
        if self.take(r"\\"):
            return class_text(self.escape())
        return re.escape(self.take(".")[0])


def translate(pattern):
    """The text of the pattern for re.compile(..., re.ASCII)."""
    translator, pieces = Translator(pattern), []
    while translator.at < len(pattern):
        pieces.append(translator.piece())
    return "".join(pieces)
