#!/usr/bin/env python3
"""Writes host/regex_unicode.inc: the general category of every code point, from Python's unicodedata.

    scripts/unicode_classes.py > host/regex_unicode.inc

Runs of one category in ascending order, each a number: length * 32 + the category's place in CATEGORIES, which is that
in host/regex_unicode.c."""
import itertools
import textwrap
import unicodedata

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()


def main():
    runs = itertools.groupby(unicodedata.category(chr(c)) for c in range(0x110000))
    numbers = ", ".join(str(sum(1 for _ in run) * 32 + CATEGORIES.index(name)) for name, run in runs)
    print(f"/* Written by scripts/unicode_classes.py from Unicode {unicodedata.unidata_version}: length * 32 + category. */")
    print(textwrap.fill(numbers + ",", 118))


if __name__ == "__main__":
    main()
