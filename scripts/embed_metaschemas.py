#!/usr/bin/env python3
"""Prints host/metaschema.inc: the metaschemas and vocabularies of drafts 4 to 2020-12 as C text.

    pip install jsonschema-specifications==2025.9.1
    scripts/embed_metaschemas.py > host/metaschema.inc
"""
import importlib.metadata
import json

from jsonschema_specifications import REGISTRY

PACKAGE = "jsonschema-specifications"
OMITTED = "http://json-schema.org/draft-03/schema"
WIDTH = 104  # columns of C text in a line


def licence():
    for path in importlib.metadata.files(PACKAGE):
        if path.name == "COPYING":
            return path.read_text().strip()
    raise SystemExit(f"{PACKAGE} has no COPYING")


def pieces(text):
    """The text as contents of C string literals, one a line."""
    line = ""
    for character in text:
        escaped = {'"': '\\"', "\\": "\\\\"}.get(character, character)
        assert " " <= character <= "~" and "??" not in line + escaped, "the text is plain ASCII without trigraphs"
        if len(line) + len(escaped) > WIDTH:
            yield line
            line = ""
        line += escaped
    yield line


def main():
    version = importlib.metadata.version(PACKAGE)
    print(f"/* Printed by scripts/embed_metaschemas.py from {PACKAGE} {version} (PyPI), white space removed:\n"
          f" * METASCHEMA(uri, TEXT(piece)...). The package's licence:\n *")
    print("\n".join(f" * {line}".rstrip() for line in licence().split("\n")) + " */")
    for uri in sorted(uri for uri in REGISTRY if uri != OMITTED):
        text = json.dumps(REGISTRY.contents(uri), separators=(",", ":"))
        print(f'METASCHEMA("{uri}",')
        print("\n".join(f'    TEXT("{piece}")' for piece in pieces(text)) + ")")


if __name__ == "__main__":
    main()
