#!/usr/bin/env python3
"""One JSON document through the C API, with nothing but ctypes.

usage: python/example.py [LIBRARY]        (default: build/lib/libweir.so)
"""
import ctypes
import json
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
weir = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build", "lib", "libweir.so"))
SCHEMA = {"type": "object", "properties": {"colour": {"enum": ["red", "green"]}, "shade": {"type": "integer", "minimum": 0, "maximum": 9}},
          "required": ["colour", "shade"], "additionalProperties": False}


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("row", ctypes.c_int32), ("byte", ctypes.c_int64),
                ("pointer", ctypes.c_char * 256), ("message", ctypes.c_char * 512)]


class GrammarOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("allocator", ctypes.c_void_p), ("whitespace", ctypes.c_int), ("indent", ctypes.c_uint32),
                ("whitespace_run", ctypes.c_uint32), ("order", ctypes.c_int), ("objects", ctypes.c_int), ("depth_limit", ctypes.c_uint32),
                ("strict", ctypes.c_bool), ("state_limit", ctypes.c_uint32), ("memory_limit", ctypes.c_size_t),
                ("work_limit", ctypes.c_uint64), ("progress", ctypes.c_void_p), ("progress_context", ctypes.c_void_p)]


class SamplerOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("allocator", ctypes.c_void_p), ("slot_count", ctypes.c_uint32), ("logits_width", ctypes.c_uint32)]


class SlotOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("grammar", ctypes.c_void_p), ("token_budget", ctypes.c_uint32), ("seed", ctypes.c_uint64),
                ("stop_ids", ctypes.c_void_p), ("stop_count", ctypes.c_uint32)]


class Step(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("row_count", ctypes.c_size_t), ("slots", ctypes.c_void_p), ("logits", ctypes.c_void_p),
                ("logits_stride", ctypes.c_size_t), ("sampling", ctypes.c_void_p), ("tokens", ctypes.c_void_p),
                ("logprobs", ctypes.c_void_p), ("statuses", ctypes.c_void_p)]


def call(name, *arguments):
    """A call that can fail; its error comes last."""
    error = Error()
    if getattr(weir, name)(*arguments, ctypes.byref(error)) != 0:
        raise RuntimeError(f"{name}: {error.message.decode()} (at #{error.pointer.decode()})")


def main():
    vocab, grammar, sampler = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    weir.weir_vocab_token.restype = ctypes.POINTER(ctypes.c_ubyte)
    text = json.dumps(SCHEMA).encode()
    spaced = GrammarOptions(ctypes.sizeof(GrammarOptions), None, 2, 0, 64, 0, 0, 128)  # 2: as json.dumps writes it
    call("weir_vocab_default", None, ctypes.byref(vocab))
    call("weir_grammar_from_json_schema", vocab, text, ctypes.c_size_t(len(text)), ctypes.byref(spaced), ctypes.byref(grammar))
    width = weir.weir_vocab_logits_width(vocab)
    call("weir_sampler_create", ctypes.byref(SamplerOptions(ctypes.sizeof(SamplerOptions), None, 1, width)), ctypes.byref(sampler))
    sequence = SlotOptions(ctypes.sizeof(SlotOptions), grammar, 64, 7, None, 0)
    call("weir_sampler_bind", sampler, ctypes.c_uint32(0), ctypes.byref(sequence))

    logits = (ctypes.c_float * width)()  # a model fills these before every step
    slot, token, status, length = ctypes.c_int32(0), ctypes.c_int32(), ctypes.c_uint32(), ctypes.c_uint32()
    where = [ctypes.addressof(x) for x in (slot, logits, token, status)]
    step = Step(ctypes.sizeof(Step), 1, where[0], where[1], width, None, where[2], None, where[3])
    document = b""
    while True:
        call("weir_sampler_step", sampler, ctypes.byref(step))
        if status.value != 0:  # the stop token was taken: the document is complete
            break
        found = weir.weir_vocab_token(vocab, ctypes.c_uint32(token.value), ctypes.byref(length))
        document += bytes(found[: length.value])
    print(document.decode())
    value = json.loads(document)
    assert value["colour"] in ("red", "green") and 0 <= value["shade"] <= 9
    for destroy, handle in (("sampler", sampler), ("grammar", grammar), ("vocab", vocab)):
        getattr(weir, f"weir_{destroy}_destroy")(handle)


if __name__ == "__main__":
    main()
