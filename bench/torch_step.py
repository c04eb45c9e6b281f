#!/usr/bin/env python3
"""A step by PyTorch's own operators, beside bench-step: one JSON line for each batch.

    bench/torch_step.py [--rows N,...] [--columns N] [--seconds N]

Rows of bfloat16 logits, nearly normal with deviation 3; kinds "free" and "dense" (a mask of booleans on the device that
allows nine of ten columns). What serving stacks fall back to: logits to float, repetition penalty of a prompt of 1,000 tokens
("all"), masked_fill, argmax or: temperature, sort for top-k and top-p (joint for neither: top-p of what top-k kept), min-p,
softmax, multinomial. graph_us: a CUDA graph of 16 steps divided by 16, the median of repetitions; plain_us: the same launched
one by one. The masks are there already, and nothing is advanced."""
import argparse
import json
import statistics
import time

import torch

SETTINGS = {
    "greedy": dict(temperature=0.0),
    "temperature": dict(temperature=0.8),
    "top_p": dict(temperature=0.8, top_p=0.95),
    "top_k_top_p": dict(temperature=0.8, top_p=0.95, top_k=50),
    "all": dict(temperature=0.8, top_p=0.95, top_k=50, min_p=0.05, repetition=1.1),
}
CHAIN, PROMPT = 16, 1000


def step(logits, mask, prompt, temperature, top_p=1.0, top_k=0, min_p=0.0, repetition=1.0):
    x = logits.float()
    if repetition != 1.0:
        seen = x.gather(1, prompt)
        x.scatter_(1, prompt, torch.where(seen > 0, seen / repetition, seen * repetition))
    if mask is not None:
        x.masked_fill_(~mask, -torch.inf)
    if temperature == 0.0:
        return x.argmax(dim=-1)
    x.div_(temperature)
    if top_k or top_p < 1.0:
        x, order = x.sort(dim=-1)
        if top_k:
            x.masked_fill_(x < x[:, -top_k:-top_k + 1], -torch.inf)
        if top_p < 1.0:
            x.masked_fill_(x.softmax(dim=-1).cumsum(dim=-1) <= 1.0 - top_p, -torch.inf)
        x = torch.empty_like(x).scatter_(1, order, x)
    probabilities = x.softmax(dim=-1)
    if min_p:
        probabilities.masked_fill_(probabilities < min_p * probabilities.amax(dim=-1, keepdim=True), 0.0)
    return torch.multinomial(probabilities, 1).squeeze(1)


def timed(run, repeats, budget):
    """Microseconds of one run by events: the median."""
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    values, started = [], time.monotonic()
    for i in range(-2, repeats):
        begin.record()
        run()
        end.record()
        end.synchronize()
        if i >= 0:
            values.append(begin.elapsed_time(end) * 1000.0)
        if len(values) >= 3 and time.monotonic() - started > budget:
            break
    return statistics.median(values)


def captured(run):
    """A graph of CHAIN runs, or None where this PyTorch cannot capture one."""
    side = torch.cuda.Stream()
    try:
        with torch.cuda.stream(side):
            run()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(CHAIN):
                run()
        return graph
    except RuntimeError:
        torch.cuda.synchronize()
        return None


def measure(rows, columns, kind, name):
    logits = torch.randn(rows, columns, device="cuda").mul_(3.0).to(torch.bfloat16)
    mask = torch.rand(rows, columns, device="cuda") < 0.9 if kind == "dense" else None
    prompt = torch.stack([torch.randperm(columns, device="cuda")[:PROMPT]] * rows)

    def run():
        return step(logits, mask, prompt, **SETTINGS[name])

    drawn = run()
    allowed = mask is None or bool(mask.gather(1, drawn.unsqueeze(1)).all())
    if not allowed:
        raise SystemExit(f"torch_step: {rows} rows, {kind}, {name}: a token was drawn that the mask does not allow")
    plain = timed(lambda: [run() for _ in range(CHAIN)], 11, 0.2) / CHAIN
    graph = captured(run)
    line = {"bench": "torch", "device": torch.cuda.get_device_name(), "torch": torch.__version__, "rows": rows, "columns": columns, "dtype": "bf16",
            "kind": kind, "settings": name, "plain_us": round(plain, 3)}
    if graph is not None:
        line["graph_us"] = round(timed(graph.replay, 11, 0.2) / CHAIN, 3)
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1,8,32,128,512")
    parser.add_argument("--columns", type=int, default=128256)
    parser.add_argument("--seconds", type=float, default=1e6, help="no batch is begun behind so many")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    started, left_out = time.monotonic(), 0
    for rows in map(int, arguments.rows.split(",")):
        for kind in "free", "dense":
            for name in SETTINGS:
                if time.monotonic() - started < arguments.seconds:
                    measure(rows, arguments.columns, kind, name)
                else:
                    left_out += 1
    print(json.dumps({"bench": "torch-end", "device": torch.cuda.get_device_name(), "left_out": left_out}))


if __name__ == "__main__":
    main()
