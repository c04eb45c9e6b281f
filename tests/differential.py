#!/usr/bin/env python3
"""differential.py TOOL [ARGUMENTS] - runs a differential test tool whose validator may panic on references in a circle.

TOOL is the path of a Python file with validator(schema), World and main(). Schemas with an in-place cycle of references send
the validator into recursion without end; where its native part meets the limit first, it raises PanicException, which is
no Exception. Here that counts as the RecursionError that it is, so that the tool leaves such schemas out."""
import importlib.util
import os
import sys

os.environ.setdefault("RUST_BACKTRACE", "0")
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[1])))
spec = importlib.util.spec_from_file_location("tool", sys.argv[1])
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
original = tool.validator


class Validator:
    def __init__(self, schema):
        self.inner = original(schema)

    def is_valid(self, value):
        try:
            return self.inner.is_valid(value)
        except BaseException as e:
            if type(e).__name__ == "PanicException":
                raise RecursionError from None
            raise


tool.validator = Validator
sys.argv = sys.argv[1:]
tool.main()
