#!/usr/bin/env python3
"""Instructions a logit of the step's hot loops, by kernel, from the machine code; and which memory they read.

    bench/instructions.py [--arch sm_90] [SOURCE.cu | FILE.cubin]...      kernels/step_*.cu without any

Of each innermost loop that loads vectors of 16 bytes: "way" is the longest way of one thread through it, in instructions, and
"all" what stands there; a warp whose threads part takes more than the one and at most the other. Functions called from it are
not counted. "logits" is what the vectors of the longest way hold (8 of 16 bits or 4 floats each). Loads that are "global"
come from the row in memory, "shared" from where a block keeps it, "generic" from either; a loop with shared loads alone may be
one over the candidates of a selection. So a row of V columns costs V times its bytes for each pass whose loads are global, and
once in all where only the first is; which passes a step takes is said by the variants in kernels/step.cuh, printed first.

At full bandwidth an H200 has about 14 issue slots a bf16 logit and 28 a float, and under 2 or 4 special functions (MUFU).

Needs nvcc, and nvdisasm: NVDISASM, in PATH or CUDA_HOME, or of PyPI's nvidia-cuda-nvdisasm."""
import argparse
import bisect
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = os.environ.get("CUDA_HOME", "/usr/local/cuda")
MEMORY = {"LDG": "global", "LDS": "shared", "LD": "generic"}


def find_tool(name):
    found = [os.environ.get(name.upper()), shutil.which(name), shutil.which(os.path.join(HOME, "bin", name))]
    found += [tool for path in sys.path for tool in glob.glob(os.path.join(path, "nvidia", "*", "bin", name))]
    tool = next(filter(None, found), None)
    if not tool:
        sys.exit(f"instructions: {name}: not found in {name.upper()}, PATH, CUDA_HOME or PyPI's nvidia-cuda-{name}")
    return tool


def compiled(source, arch, folder):
    out = os.path.join(folder, pathlib.Path(source).stem + ".cubin")
    includes = [f"-I{ROOT / path}" for path in ("", "include", "kernels", "host")]
    subprocess.run([find_tool("nvcc"), "-cubin", "-std=c++17", "-O3", "--fmad=false", f"-arch={arch}", *includes, str(source), "-o", out], check=True)
    return out


def demangled(name):
    """A kernel, or the function in it: without parameters."""
    name = name.rsplit("$", 1)[-1]
    tool = shutil.which("c++filt")
    said = subprocess.run([tool, name], capture_output=True, text=True, check=True).stdout.strip() if tool else name
    said = re.sub(r"\(anonymous namespace\)::|_INTERNAL_\w+::", "", said)
    return re.sub(r"^(?:[\w:*& ]+ )?(\w+)(<.*)?\(.*$", r"\1", said)


class Function:
    def __init__(self, kernel, name):
        self.kernel, self.name = kernel, name
        self.code = []  # (address, instruction)
        self.labels = {}

    def loops(self):
        """The innermost loops: (first, last) address, where the last branches back."""
        places = [address for address, _ in self.code]
        found = set()
        for address, text in self.code:
            branch = re.search(r"\bBRA(?:\.\w+)*\s.*`\((\.L_x_\d+)\)", text)
            target = self.labels.get(branch.group(1)) if branch else None
            if target is not None and target <= address:
                found.add((target, address))
        inner = [loop for loop in found if not any(other != loop and loop[0] <= other[0] and other[1] <= loop[1] for other in found)]
        return [(loop, self.code[bisect.bisect_left(places, loop[0]):bisect.bisect_right(places, loop[1])]) for loop in sorted(inner)]


def functions_of(text):
    """Every function of a disassembly, with the kernel whose section it stands in."""
    kernel = current = None
    waiting = []
    for line in text.splitlines():
        section = re.match(r"\s*\.section\s+\.text\.([^,]+)", line)
        label = re.match(r"(\.L_x_\d+):", line)
        start = re.match(r"([$_A-Za-z][\w$]*):", line)
        code = re.match(r"\s*/\*([0-9a-f]{4,})\*/\s+(.*?)\s*;", line)
        if section:
            kernel, current = section.group(1), None
        elif label:
            waiting.append(label.group(1))
        elif start and kernel:
            if current:
                yield current
            current = Function(kernel, start.group(1))
        elif code and current:
            address = int(code.group(1), 16)
            current.labels.update({name: address for name in waiting})
            waiting = []
            current.code.append((address, code.group(2)))
        if section or line.startswith("//"):
            if current:
                yield current
            current = None
    if current:
        yield current


def operation(text):
    return re.sub(r"^@!?U?P\w+\s+", "", text).split()[0]


def longest_way(function, code, weight):
    """The largest sum of weights along any way forward through the loop's code."""
    index = {address: i for i, (address, _) in enumerate(code)}
    best, rejoin = [0] * (len(code) + 1), {}
    for address, text in code:
        set_up = re.match(r"(?:@\S+ )?BSSY(?:\.\w+)* (B\d+), `\((\.L_x_\d+)\)", text)
        if set_up:
            rejoin[address] = set_up.groups()
    for i in range(len(code) - 1, -1, -1):
        address, text = code[i]
        name, ways = operation(text).split(".")[0], [best[i + 1]]
        target = re.search(r"`\((\.L_x_\d+)\)", text) if name == "BRA" else None
        goes = function.labels.get(target.group(1)) if target else None
        if name == "BSYNC":
            barrier = re.search(r"(B\d+)", text.split("BSYNC")[1]).group(1)
            opened = [at for at in rejoin if at < address and rejoin[at][0] == barrier]
            goes = function.labels.get(rejoin[max(opened)][1]) if opened else None
        if goes is not None and goes > address:
            ways.append(best[index.get(goes, len(code))])
        if (goes is not None or name in ("BRA", "EXIT", "RET")) and not text.startswith("@"):
            ways = ways[1:] or [0]
        best[i] = weight(text) + max(ways)
    return best[0]


def describe(function, code, per_vector):
    """One line for a loop that loads vectors, or None."""
    loads = {}
    for name in (operation(text) for _, text in code):
        kind = MEMORY.get(name.split(".")[0])
        if kind and ".128" in name:
            loads[kind] = loads.get(kind, 0) + 1
    if not loads:
        return None
    of_row = [kind for kind in ("global", "generic") if kind in loads] or ["shared"]

    def is_load(text):
        return ".128" in operation(text) and MEMORY.get(operation(text).split(".")[0]) in of_row

    def is_counted(text):
        return not operation(text).startswith("NOP")

    logits = per_vector * longest_way(function, code, is_load)
    way, total = longest_way(function, code, is_counted), sum(is_counted(text) for _, text in code)
    special, atomics, calls = (sum(operation(text).startswith(kinds) for _, text in code) for kinds in ("MUFU", ("ATOM", "RED"), "CALL"))
    where = ", ".join(f"{count} {kind}" for kind, count in sorted(loads.items()))
    return f"{demangled(function.name):25} {where:20} {logits:6} {way:6} {total:6} {way / logits:10.1f} {total / logits:10.1f} {special:5} {atomics:7} {calls:5}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", default="sm_90")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    variants = re.search(r"/\* step\.cuh.*?\*/", (ROOT / "kernels/step.cuh").read_text(), re.S)
    print(variants.group(0) if variants else "kernels/step.cuh does not open with its variants", "\n")
    with tempfile.TemporaryDirectory() as folder:
        for file in arguments.files or sorted(map(str, (ROOT / "kernels").glob("step_*.cu"))):
            per_vector = 4 if "f32" in os.path.basename(file) else 8
            cubin = compiled(file, arguments.arch, folder) if file.endswith(".cu") else file
            text = subprocess.run([find_tool("nvdisasm"), "-c", cubin], capture_output=True, text=True, check=True).stdout
            kernel = None
            for function in sorted(functions_of(text), key=lambda f: f.kernel):
                for _, code in function.loops():
                    line = describe(function, code, per_vector)
                    if line and function.kernel != kernel:
                        kernel = function.kernel
                        print(f"{demangled(kernel)}\n  {'function':25} {'loads of 16 bytes':20} {'logits':>6} {'way':>6} {'all':>6} {'way/logit':>10} {'all/logit':>10} {'MUFU':>5} {'atomics':>7} {'calls':>5}")
                    if line:
                        print(f"  {line}")


if __name__ == "__main__":
    main()
