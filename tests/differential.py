#!/usr/bin/env python3
"""differential.py TOOL [ARGUMENTS] - runs a differential test tool whose validator may panic on references in a circle.

TOOL is the path of a Python file with validator(schema), World and main(). Schemas with an in-place cycle of references send
the validator into recursion without end; where its native part meets the limit first, it raises PanicException, which is
no Exception. Here both are one error that is a RecursionError, so that the tool leaves such a document out, and a ValueError,
so that a generated document which the validator cannot judge is a fault and not the end of the run."""
import importlib.util
import os
import sys

os.environ.setdefault("RUST_BACKTRACE", "0")
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[1])))
spec = importlib.util.spec_from_file_location("tool", sys.argv[1])
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
original = tool.validator


class Circle(RecursionError, ValueError):
    """References in a circle."""


class Validator:
    def __init__(self, schema):
        self.inner = original(schema)

    def is_valid(self, value):
        try:
            return self.inner.is_valid(value)
        except BaseException as e:
            if isinstance(e, RecursionError) or type(e).__name__ == "PanicException":
                raise Circle("references in a circle") from None
            raise


tool.validator = Validator
sys.argv = sys.argv[1:]
tool.main()
