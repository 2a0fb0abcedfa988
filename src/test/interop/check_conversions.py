#!/usr/bin/env python3
"""Converts checkpoints with submit/reweave and compares every bit with what stands beside them.

usage: check_conversions.py [--reweave FILE] [--jobs N] FOLDER... [--only PATTERN]...

Each FOLDER has a folder for each case: case.json (input, args, tied), the checkpoint that it names,
expected.safetensors, and where the result should look like a model of the Hub, hf/ with that model,
which the conversion then gets as its --base. Exit code 1 if any tensor is missing, not expected, or
of other name, shape, type or bits.
"""

import argparse
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors import safe_open

SECONDS = 300
# A conversion of a few kilobytes is over before a second compiler pays.
ENVIRONMENT = {"REWEAVE_JAVA_OPTS": "-XX:TieredStopAtLevel=1", **os.environ}
PROJECT = Path(__file__).resolve().parents[3]


def read(folder):
    """Tensors of all safetensors in the folder, and the other names that their headers tell."""
    tensors, aliases, twice = {}, {}, []
    for file in sorted(folder.rglob("*.safetensors")):
        with safe_open(file, "pt") as shard:
            aliases.update((shard.metadata() or {}).items())
            for name in shard.keys():
                if name in tensors:
                    twice.append(f"{name} is in two shards")
                tensors[name] = shard.get_tensor(name)
    aliases.pop("format", None)
    return tensors, aliases, twice


def difference(got, expected):
    """What is other about a tensor, or none."""
    if got.dtype != expected.dtype:
        return f"is {got.dtype}, not {expected.dtype}"
    if got.shape != expected.shape:
        return f"has shape {list(got.shape)}, not {list(expected.shape)}"
    one, other = (t.contiguous().reshape(-1).view(torch.uint8).reshape(t.numel(), -1) if t.numel() else t for t in (got, expected))
    others = int((one != other).any(-1).sum()) if got.numel() else 0
    return f"differs in {others} of {got.numel()} elements" if others else None


def compare(output, expected, tied):
    """All that is wrong with a result."""
    got, aliases, wrong = read(output)
    used = set()
    for name, tensor in expected.items():
        # Of tied names, the result has one, and tells the others; which one it has is its own choice.
        also = [name, aliases.get(name), *(other for other, kept in tied.items() if kept == name)]
        under = next((n for n in also if n in got), None)
        used.add(under)
        if under is None:
            wrong.append(f"{name} is missing")
        elif difference(got[under], tensor):
            wrong.append(f"{name} {difference(got[under], tensor)}")
    for other, kept in tied.items():
        if other in got:
            used.add(other)
            if kept in expected and difference(got[other], expected[kept]):
                wrong.append(f"{other}, tied to {kept}, {difference(got[other], expected[kept])}")
        elif aliases.get(other) not in got:
            wrong.append(f"{other}, tied to {kept}, is not told")
    wrong += [f"{name} was not expected" for name in got if name not in used]
    return len(got), wrong


def check(folder, reweave):
    """Converts one case; says how many tensors are right, and what is wrong."""
    case = json.loads((folder / "case.json").read_text())
    with tempfile.TemporaryDirectory(prefix="reweave-") as temp:
        output = Path(temp) / "out"
        command = [reweave, "convert", "-i", str(folder / case.get("input", "ckpt")), "-o", str(output),
                   *case.get("args", ["--dtype", "float32"])]
        if (folder / "hf").is_dir():
            command += ["--base", str(folder / "hf")]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, env=ENVIRONMENT)
        except subprocess.TimeoutExpired:
            return 0, [f"the conversion took more than {SECONDS} seconds"]
        if run.returncode:
            said = run.stderr.strip().splitlines() or run.stdout.strip().splitlines() or ["nothing was said"]
            return 0, [f"exit code {run.returncode}: {said[-1]}"]
        with safe_open(folder / "expected.safetensors", "pt") as file:
            expected = {name: file.get_tensor(name) for name in file.keys()}
        return compare(output, expected, case.get("tied", {}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--reweave", default=str(PROJECT / "submit" / "reweave"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    found = [f.parent for folder in options.folders for f in sorted(folder.glob("*/case.json"))]
    chosen = [f for f in found if not options.only or any(fnmatch.fnmatch(f.name, p) for p in options.only)]
    if not chosen:
        sys.exit(f"no case.json in {', '.join(map(str, options.folders))}")
    # Builds the jar if it must, once, before several conversions would.
    subprocess.run([options.reweave, "--version"], capture_output=True, check=False)
    right, versions = 0, set()
    with ThreadPoolExecutor(options.jobs) as pool:
        for folder, (count, wrong) in zip(chosen, pool.map(lambda f: check(f, options.reweave), chosen)):
            made_by = json.loads((folder / "case.json").read_text()).get("versions", {})
            versions.add(f"DeepSpeed {made_by.get('deepspeed')}, torch {made_by.get('torch')}, "
                         f"transformers {made_by.get('transformers')}")
            right += not wrong
            if wrong:
                shown = "; ".join(wrong[:4]) + (f"; and {len(wrong) - 4} more" if len(wrong) > 4 else "")
                print(f"{folder.name}: WRONG in {len(wrong)}: {shown}", flush=True)
            else:
                print(f"{folder.name}: right, {count} tensors", flush=True)
    print(f"{len(chosen)} checkpoints of {'; '.join(sorted(versions))}: {right} right, {len(chosen) - right} wrong")
    return 0 if right == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
