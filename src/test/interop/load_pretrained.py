#!/usr/bin/env python3
"""Trains tiny models of transformers, PEFT and diffusers, converts what was saved, and loads it with these libraries.

usage: load_pretrained.py FOLDER [--reweave FILE] [--only PATTERN]...

Each case gets a folder: ckpt/ as the trainer saved it, base/ with the model or config that it began with,
out/ as submit/reweave made it. An adapter's base is ckpt/, where its adapter_config.json is. The libraries have to find every key, none too many and none of another
shape, and hold bit for bit what the training processes held; so does what the Python loads which convert prints
for people to copy. Ranks are processes that talk by gloo.
Exit code 1 if one case is not so.
"""

import argparse
import fnmatch
import os
import shutil
import subprocess
import sys
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

# First, since it says what DeepSpeed and torch shall not do when they are imported.
from make_checkpoints import in_forks

import deepspeed
import diffusers
import peft
import torch
import torch.distributed as dist
import transformers
from deepspeed.utils import safe_get_full_fp32_param

from train import same_bits

PROJECT = Path(__file__).resolve().parents[3]
SECONDS = 300
STEPS = 2
WORDS = 37
EVERY_PART = {"stage3_param_persistence_threshold": 0}


@dataclass
class Case:
    """One kind of checkpoint, and how its result is loaded; base is the folder that --base names."""

    what: str
    train: Callable
    load: Callable
    world: int = 2
    args: list = field(default_factory=list)
    base: str = ""


def small(kind, **options):
    """A language model of a few thousand weights; sizes are odd, so that ranks share nothing evenly."""
    sizes = {"vocab_size": WORDS, "hidden_size": 16, "intermediate_size": 22, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64}
    config = getattr(transformers, f"{kind}Config")(**{**sizes, "tie_word_embeddings": False, **options})
    # Their kernel for grouped matrices wants sizes that no tiny model has.
    plain = {"experts_implementation": "eager"} if "Moe" in kind else {}
    return transformers.AutoModelForCausalLM.from_config(config, **plain)


def small_video():
    return diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=4, time_embed_dim=6, text_embed_dim=10,
        num_layers=2, sample_width=4, sample_height=4, sample_frames=5, max_text_seq_length=3)


def words(seed):
    return torch.randint(WORDS, (2, 6), generator=torch.Generator().manual_seed(seed))


def loss_of_words(model, seed):
    return model(input_ids=words(seed), labels=words(seed)).loss


def loss_of_video(model, seed):
    numbers = torch.Generator().manual_seed(seed)
    dtype = next(model.parameters()).dtype
    frames, text = torch.randn(1, 2, 4, 4, 4, generator=numbers), torch.randn(1, 3, 10, generator=numbers)
    return model(frames.to(dtype), text.to(dtype), torch.tensor([7])).sample.float().pow(2).mean()


def whole(state):
    """All of each tensor, whichever rank has it."""
    return {name: t.full_tensor() if hasattr(t, "full_tensor") else t.clone() for name, t in state.items()}


def sharded(make):
    """The model after some steps of FSDP2 over all ranks."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model, mesh = make(), init_device_mesh("cpu", (dist.get_world_size(),))
    for layer in model.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for number in range(STEPS):
        loss_of_words(model, number).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


def rank_files(make):
    """FSDP2, and a file of torch.save from each rank, as verl lays them out."""
    def train(rank, folder):
        model, world = sharded(make), dist.get_world_size()
        torch.save(model.state_dict(), f"{folder}/ckpt/model_world_size_{world}_rank_{rank}.pt")
        if rank == 0:
            model.config.save_pretrained(f"{folder}/ckpt/huggingface")
        return whole(model.state_dict())

    return train


def distributed(make):
    """FSDP2, and a distributed checkpoint of torch."""
    def train(rank, folder):
        import torch.distributed.checkpoint as dcp

        model = sharded(make)
        dcp.save({"model": model.state_dict()}, checkpoint_id=f"{folder}/ckpt")
        if rank == 0:
            model.config.save_pretrained(f"{folder}/base")
        return whole(model.state_dict())

    return train


def masters(engine):
    """Trained parameters as the optimizer has them, in fp32, and all persistent buffers."""
    held = {name: safe_get_full_fp32_param(p).detach().clone() for name, p in engine.module.named_parameters() if p.requires_grad}
    return held | {name: b.float().clone() for name, b in engine.module.named_buffers() if name in engine.module.state_dict()}


def by_deepspeed(model, loss, folder, stage, rank, **zero):
    """Some steps of ZeRO, and its checkpoint."""
    config = {"train_micro_batch_size_per_gpu": 1, "gradient_accumulation_steps": 1, "steps_per_print": 10**9,
              "zero_allow_untested_optimizer": True, "zero_force_ds_cpu_optimizer": False, "bf16": {"enabled": True},
              "zero_optimization": {"stage": stage, **zero}}
    deepspeed.init_distributed("gloo", dist_init_required=False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=config)
    for number in range(STEPS):
        engine.backward(loss(engine, 10 * number + rank))
        engine.step()
    engine.save_checkpoint(f"{folder}/ckpt", exclude_frozen_parameters=any(not p.requires_grad for p in model.parameters()))
    return masters(engine)


def zero(make, stage, loss=loss_of_words, **options):
    """ZeRO; the model that it began with is the base."""
    def train(rank, folder):
        model = make()
        if rank == 0:
            model.save_pretrained(f"{folder}/base")
        return by_deepspeed(model, loss, folder, stage, rank, **options)

    return train


def adapter(config, stage, **options):
    """ZeRO, of an adapter alone."""
    def train(rank, folder):
        model = small("Llama")
        if rank == 0:
            model.save_pretrained(f"{folder}/base")
        model = peft.get_peft_model(model, config())
        held = by_deepspeed(model, loss_of_words, folder, stage, rank, **options)
        if rank == 0:
            model.peft_config["default"].save_pretrained(f"{folder}/ckpt")
        return {name: t for name, t in held.items() if name in dict(model.named_parameters())}

    return train


def load_language_model(folder):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(folder / "out", dtype="auto", output_loading_info=True)
    return model.state_dict(), info


def load_video(folder):
    model, info = diffusers.CogVideoXTransformer3DModel.from_pretrained(
        folder / "out", torch_dtype=torch.float32, low_cpu_mem_usage=False, output_loading_info=True)
    return model.state_dict(), info


def load_adapter(folder):
    """PEFT tells missing keys by a warning, and unexpected ones where an adapter is loaded into its own place."""
    began = transformers.AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = peft.PeftModel.from_pretrained(began, folder / "out")
    again = model.load_adapter(folder / "out", "default")
    held = {name: p for name, p in model.state_dict().items() if ".default" in name}
    return held, {"missing_keys": again.missing_keys, "unexpected_keys": again.unexpected_keys,
                  "warnings": [str(w.message) for w in told if "adapter keys" in str(w.message)]}


def lora(**options):
    return lambda: peft.LoraConfig(**{"r": 3, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM",
                                      **options})


KEEP, FLOATS = ["--dtype", "keep"], ["--dtype", "float32"]
CASES = {
    "fsdp2-qwen3": Case("rank files of FSDP2, Qwen3", rank_files(lambda: small("Qwen3")), load_language_model, args=KEEP),
    "fsdp2-qwen3-tied": Case("the same, tied", rank_files(lambda: small("Qwen3", tie_word_embeddings=True)),
                             load_language_model, args=KEEP),
    "fsdp2-llama-bf16": Case("three ranks, Llama in bf16", rank_files(lambda: small("Llama").bfloat16()), load_language_model,
                             world=3, args=KEEP),
    "dcp-llama": Case("a distributed checkpoint of FSDP2, Llama", distributed(lambda: small("Llama")), load_language_model,
                      args=KEEP, base="base"),
    "zero3-qwen3-moe": Case("ZeRO-3, Qwen3-MoE with its experts in one tensor",
                            zero(lambda: small("Qwen3Moe", moe_intermediate_size=10, num_experts=4, num_experts_per_tok=2), 3,
                                 **EVERY_PART), load_language_model, args=FLOATS, base="base"),
    "zero2-cogvideox": Case("ZeRO-2, diffusers' CogVideoX transformer", zero(small_video, 2, loss_of_video), load_video,
                            args=FLOATS, base="base"),
    "zero2-lora": Case("ZeRO-2, a LoRA of PEFT with whole modules", adapter(lora(modules_to_save=["lm_head", "norm"]), 2),
                       load_adapter, args=KEEP, base="ckpt"),
    "zero3-lora": Case("the same under ZeRO-3", adapter(lora(modules_to_save=["lm_head", "norm"]), 3, **EVERY_PART),
                       load_adapter, args=KEEP, base="ckpt"),
    "zero2-dora": Case("ZeRO-2, DoRA with ranks by module", adapter(lora(use_dora=True, rank_pattern={"v_proj": 2}), 2),
                       load_adapter, args=KEEP, base="ckpt"),
}


def run(rank, folder, name):
    """Trains on one rank; the first writes what all hold."""
    case = CASES[name]
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(case.world), LOCAL_SIZE=str(case.world))
    torch.set_num_threads(1)
    torch.manual_seed(zlib.crc32(name.encode()) % 100_000)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=case.world)
    held = case.train(rank, folder)
    if rank == 0:
        torch.save(held, f"{folder}/held.pt")
    dist.barrier()
    dist.destroy_process_group()


def differences(held, loaded, info):
    """All that is wrong with what was loaded."""
    wrong = [f"{what}: {sorted(map(str, keys))[:3]}" for what, keys in info.items() if keys]
    wrong += [f"{name} is not there" for name in held if name not in loaded]
    wrong += [f"{name} was never trained" for name in loaded if name not in held]
    wrong += [f"{name} is not what was trained" for name, t in held.items() if name in loaded and not same_bits(t, loaded[name])]
    return wrong


def as_told(said, base):
    """What the Python loads that convert has printed; the base of an adapter may be left to who copies it."""
    code = said.split("next   load it with Python:\n\n", 1)[1].replace('"MODEL"', repr(str(base)))
    scope = {}
    exec(compile(code, "printed by convert", "exec"), scope)
    return scope["model"].state_dict()


def check(name, root, reweave):
    """Makes, converts and loads one case; says how many tensors there are, and what is wrong."""
    case, folder = CASES[name], root / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "ckpt").mkdir(parents=True)
    try:
        in_forks(case.world, str(folder), run, [str(folder), name])
    except RuntimeError as e:
        return 0, [f"not made: {e}"]
    command = [reweave, "convert", "-i", str(folder / "ckpt"), "-o", str(folder / "out"), *case.args]
    if case.base:
        command += ["--base", str(folder / case.base)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    if said.returncode:
        return 0, [f"exit code {said.returncode}: {(said.stderr or said.stdout).strip()[-500:]}"]
    held = torch.load(folder / "held.pt", weights_only=True)
    told = as_told(said.stdout, folder / "base")
    wrong = [f"{name} is another, by the printed Python" for name, t in held.items()
              if name not in told or not same_bits(t, told[name])]
    return len(held), differences(held, *case.load(folder)) + wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reweave", default=str(PROJECT / "submit" / "reweave"))
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    chosen = [n for n in CASES if not options.only or any(fnmatch.fnmatch(n, p) for p in options.only)]
    if not chosen:
        sys.exit(f"no case is called {' or '.join(options.only)}")
    transformers.utils.logging.disable_progress_bar()
    # Classes that are found by name are imported once, not in each rank.
    for kind in ("Llama", "Qwen3", "Qwen3Moe"):
        small(kind, **({"num_experts": 2} if kind == "Qwen3Moe" else {}))
    failed = 0
    for name in chosen:
        count, wrong = check(name, options.folder.resolve(), options.reweave)
        failed += bool(wrong)
        told = "; ".join(wrong[:4]) + (f"; and {len(wrong) - 4} more" if len(wrong) > 4 else "")
        print(f"{name}: WRONG: {told}" if wrong else f"{name}: {count} tensors loaded: {CASES[name].what}", flush=True)
    versions = ", ".join(f"{m.__name__} {m.__version__}" for m in (torch, transformers, peft, diffusers, deepspeed))
    print(f"{len(chosen) - failed} of {len(chosen)} right with {versions}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
