#!/usr/bin/env python3
"""Makes checkpoints with the DeepSpeed that is installed, on the CPU, and writes what they must convert to.

usage: make_checkpoints.py FOLDER [PATTERN...]

Each case gets a folder: ckpt/ as DeepSpeed saved it, expected.safetensors with what the engine held in
memory (fp32 masters gathered from all ranks; buffers and what is not trained as the module has it, in
the type that the conversion gives), and case.json. Ranks are processes that talk by gloo.
"""

import faulthandler
import fnmatch
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import time
import traceback
import zlib
from pathlib import Path

# Before torch is imported: no accelerator, nothing compiled (Muon would be), nothing fetched.
os.environ.update(DS_ACCELERATOR="cpu", DS_BUILD_OPS="0", CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1",
                  TORCHDYNAMO_DISABLE="1", TORCHINDUCTOR_COMPILE_THREADS="1", TOKENIZERS_PARALLELISM="false", HF_HUB_OFFLINE="1")

import deepspeed
import safetensors
import torch
import torch._dynamo
import torch._inductor.compile_fx
import transformers
from deepspeed.accelerator import get_accelerator
from safetensors.torch import save_file

import train
from cases import cases

SECONDS = 180
# Said of the CPU where fp16 would be slow.
get_accelerator().is_fp16_supported = lambda: True
# Compiled on first use otherwise; ranks talk by gloo without it.
deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
# Imports take longer than any case, torch's compiler the longest, which DeepSpeed imports late: ranks
# are forks of a process that has done them all, and has started no threads.
FORK = multiprocessing.get_context("fork")
VERSIONS = {m.__name__: m.__version__ for m in (torch, deepspeed, transformers, safetensors)}


def rank_process(rank, log, action, arguments):
    """Runs in a fork; output goes to a file that is shown if it fails."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    # Where a rank that hangs stands is in its log.
    faulthandler.dump_traceback_later(SECONDS - 10, file=sys.stderr)
    try:
        action(*([rank] + arguments if rank is not None else arguments))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def in_forks(count, folder, action, arguments):
    """Runs the action on all ranks; raises with the end of the first log of a failure."""
    ranks = range(count) if count else [None]
    started = [(f"{folder}/log-{rank}", FORK.Process(target=rank_process, args=(rank, f"{folder}/log-{rank}", action, arguments)))
               for rank in ranks]
    for _, process in started:
        process.start()
    end = time.monotonic() + SECONDS
    while any(p.is_alive() for _, p in started):
        # One that failed leaves the others waiting for it.
        if time.monotonic() > end or any(p.exitcode for _, p in started):
            for _, process in started:
                process.kill()
            break
        started[0][1].join(0.02)
    for _, process in started:
        process.join()
    failed = [(log, p) for log, p in started if p.exitcode]
    failed.sort(key=lambda pair: pair[1].exitcode < 0)
    if failed:
        log = Path(failed[0][0]).read_text(errors="replace")
        why = "took too long" if failed[0][1].exitcode < 0 else "failed"
        raise RuntimeError(f"a rank {why}:\n{log[-3000:]}")


def to_universal(checkpoint):
    """Replaces a checkpoint by the universal one that DeepSpeed's script makes of it."""
    from types import SimpleNamespace

    from deepspeed.checkpoint.ds_to_universal import main

    tag = (checkpoint / "latest").read_text().strip()
    main(SimpleNamespace(input_folder=str(checkpoint / tag), output_folder=str(checkpoint / f"{tag}_universal"),
                         num_extract_workers=1, num_merge_workers=1, keep_temp_folder=False, strict=True,
                         inject_missing_state=True))
    shutil.rmtree(checkpoint / tag)
    (checkpoint / "latest").unlink()


def converted(tensor, args):
    """As --dtype has it."""
    dtype = args[args.index("--dtype") + 1]
    return tensor.to(getattr(torch, dtype)) if tensor.is_floating_point() and dtype != "keep" else tensor


def digest(tensor):
    return {"dtype": str(tensor.dtype), "shape": list(tensor.shape),
            "sha256": hashlib.sha256(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()}


def joined(told):
    """What all ranks hold, whole; ranks that hold the same must hold the same bits."""
    held, taken = {}, {}
    for rank, one in enumerate(told):
        for name, tensor in one["held"].items():
            if name not in one["places"]:
                if not train.same_bits(held.setdefault(name, tensor), tensor):
                    raise RuntimeError(f"rank {rank} holds another {name} than the ranks before it")
                continue
            places, factors, shape = one["places"][name]
            if places.shape != tensor.shape:
                raise RuntimeError(f"rank {rank} holds {tuple(tensor.shape)} of {name}, not {tuple(places.shape)}")
            whole = held.setdefault(name, torch.zeros(shape, dtype=tensor.dtype)).view(-1)
            done = taken.setdefault(name, torch.zeros(whole.shape, dtype=torch.bool))
            # Padding of a slice has no place.
            here = places.reshape(-1) >= 0
            index, values = places.reshape(-1)[here], (tensor / factors.to(tensor.dtype)).reshape(-1)[here]
            again = done[index]
            if not train.same_bits(whole[index][again], values[again]):
                raise RuntimeError(f"rank {rank} holds other elements of {name} than the ranks before it")
            whole[index], done[index] = values, True
    holes = [name for name, done in taken.items() if not done.all()]
    if holes:
        raise RuntimeError(f"no rank holds some elements of {', '.join(holes)}")
    return held


def make(folder, name, what, spec):
    folder.mkdir(parents=True)
    seed = zlib.crc32(name.encode()) % 100_000
    in_forks(spec["world"], str(folder), train.run, [str(folder), spec, seed])
    if spec.get("universal"):
        in_forks(None, str(folder), to_universal, [folder / "ckpt"])
    told = [torch.load(folder / f"rank-{rank}.pt", weights_only=True) for rank in range(spec["world"])]
    held = joined(told)
    tied = {name: kept for rank in told for name, kept in rank["tied"].items()}
    args = spec.get("args", ["--dtype", "float32"])
    expected = {key: converted(tensor, args).contiguous() for key, tensor in held.items()}
    save_file(expected, folder / "expected.safetensors", metadata={"format": "pt"})
    for rest in [*folder.glob("rank-*.pt"), *folder.glob("log-*"), folder / "meeting"]:
        rest.unlink(missing_ok=True)
    size = sum(f.stat().st_size for f in (folder / "ckpt").rglob("*") if f.is_file())
    (folder / "case.json").write_text(json.dumps({
        "name": name, "what": what, "input": "ckpt", "versions": VERSIONS, "optimizer": told[0]["optimizer"], "tied": tied,
        "spec": spec, "ckpt_bytes": size, "args": args,
        "expected": {key: digest(tensor) for key, tensor in sorted(expected.items())}}, indent=1) + "\n")


def main(root, patterns):
    chosen = [c for c in cases() if not patterns or any(fnmatch.fnmatch(c[0], p) for p in patterns)]
    if not chosen:
        sys.exit(f"no case is called {' or '.join(patterns)}")
    failed = 0
    for name, what, spec in chosen:
        folder = Path(root).resolve() / name
        shutil.rmtree(folder, ignore_errors=True)
        try:
            make(folder, name, what, spec)
        except RuntimeError as e:
            failed += 1
            print(f"{name}: NOT MADE: {e}", flush=True)
    versions = ", ".join(f"{k} {v}" for k, v in VERSIONS.items())
    print(f"made {len(chosen) - failed} of {len(chosen)} checkpoints with {versions}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
