#!/usr/bin/env python3
"""Makes tiny models with adapters in them with the PEFT that is installed, and writes what they must convert to.

usage: make_adapters.py FOLDER [CASE...]

Each case gets a folder: model.pt, the state dict of the PeftModel, or checkpoint/ as DeepSpeed saved it, with the adapter_config.json that PEFT saves beside it
(in a folder of its own for a second adapter); adapter.safetensors, what save_pretrained writes; base.safetensors, the model
as it was before; merged.safetensors, what merge_and_unload makes, where it can; and versions.json.
"""

import copy
import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.update(CUDA_VISIBLE_DEVICES="", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", DS_ACCELERATOR="cpu",
                  DS_BUILD_OPS="0", OMP_NUM_THREADS="1", TORCHDYNAMO_DISABLE="1")

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM
from transformers.pytorch_utils import Conv1D

warnings.filterwarnings("ignore")

# With fewer columns torch multiplies matrices in another way than it does large ones.
TINY = dict(vocab_size=13, hidden_size=16, intermediate_size=20, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=1, tie_word_embeddings=False)


class Layers(nn.Module):
    """Every other kind of module that LoRA stands around."""

    def __init__(self):
        super().__init__()
        self.turned = Conv1D(12, 16)
        self.square = Conv1D(16, 16)
        self.kernel = nn.Conv2d(3, 4, (3, 2))
        self.point = nn.Conv2d(12, 5, 1)
        self.line = nn.Conv1d(3, 4, 2)
        self.attention = nn.MultiheadAttention(16, 2, bias=False)

    def forward(self, x):
        return self.square(x)


class Experts(nn.Module):
    """Fused experts as transformers 5 keeps them, or as gpt-oss does: with inputs as rows."""

    def __init__(self, turned, inner):
        super().__init__()
        shapes = [(3, 2 * inner, 16), (3, 16, inner)]
        if turned:
            self.is_transposed = True
            shapes = [(e, i, o) for e, o, i in shapes]
        self.gate_up_proj = nn.Parameter(torch.randn(shapes[0]))
        self.down_proj = nn.Parameter(torch.randn(shapes[1]))

    def forward(self, x):
        return x


class Mixture(nn.Module):
    def __init__(self, turned=False, inner=20):
        super().__init__()
        self.router = nn.Linear(16, 3, bias=False)
        self.experts = Experts(turned, inner)

    def forward(self, x):
        return self.experts(x)


def llama(**more):
    return LlamaForCausalLM(LlamaConfig(**{**TINY, **more}))


def qwen(**more):
    return Qwen2ForCausalLM(Qwen2Config(**{**TINY, **more}))


EXPERTS = ["experts.gate_up_proj", "experts.down_proj"]
CASES = {
    "patterns": (lambda: llama(num_hidden_layers=2), torch.bfloat16, dict(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"],
                 rank_pattern={"layers.1.self_attn.q_proj": 2, "down_proj": 3}, alpha_pattern={"v_proj": 5},
                 modules_to_save=["lm_head", "norm"])),
    "stabilised": (llama, torch.float16, dict(r=2, lora_alpha=7, use_rslora=True, target_modules=["k_proj", "up_proj"])),
    "biases": (qwen, torch.float32, dict(r=2, lora_alpha=4, bias="lora_only", target_modules=["q_proj", "o_proj"])),
    "all-biases": (qwen, torch.float32, dict(r=2, lora_alpha=4, bias="all", target_modules=["q_proj"])),
    "embeddings": (llama, torch.float32, dict(r=2, lora_alpha=3, target_modules=["embed_tokens", "lm_head", "o_proj"])),
    "dora": (llama, torch.float32, dict(r=2, lora_alpha=3, use_dora=True, target_modules=["q_proj", "embed_tokens"])),
    "layer-biases": (qwen, torch.float32, dict(r=2, lora_alpha=3, lora_bias=True, target_modules=["q_proj"])),
    "tokens": (llama, torch.float32, dict(r=2, lora_alpha=3, target_modules=["q_proj"], trainable_token_indices=[1, 4])),
    "several": (llama, torch.float32, dict(r=2, lora_alpha=3, target_modules=["q_proj"], modules_to_save=["lm_head"])),
    "layers": (Layers, torch.float32, dict(r=2, lora_alpha=3, target_modules=["turned", "square", "kernel", "point", "line", "attention"])),
    "experts": (Mixture, torch.float32, dict(r=2, lora_alpha=3, target_modules=[], target_parameters=EXPERTS,
                rank_pattern={"experts.gate_up_proj": 4})),
    "turned-experts": (lambda: Mixture(True, 16), torch.float32, dict(r=2, lora_alpha=3, target_modules=[], target_parameters=EXPERTS)),
}
ZERO = {"zero-2": 2, "zero-3": 3}
ZERO_OPTIONS = dict(r=2, lora_alpha=3, target_modules=["q_proj", "down_proj"], modules_to_save=["lm_head"])
SECOND = {"several": ("other", dict(r=3, lora_alpha=5, target_modules=["v_proj"]))}


def tensors(state):
    return {k: v.detach().clone().contiguous() for k, v in state.items()}


def fill(model, only=lambda name: True):
    """Random numbers for all that training changes, so that nothing is what it was."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if only(name) and p.is_floating_point():
                p.copy_(torch.randn(p.shape, generator=generator) * 0.3)


def make(folder, name):
    build, dtype, options = CASES[name]
    torch.manual_seed(3)
    model = build()
    fill(model)
    model = model.to(dtype)
    save_file(tensors(model.state_dict()), folder / "base.safetensors")
    adapted = get_peft_model(model, LoraConfig(**options))
    if name in SECOND:
        second, more = SECOND[name]
        adapted.add_adapter(second, LoraConfig(**more))
    fill(adapted, lambda n: "lora_" in n or "modules_to_save" in n or "tokens_delta" in n)
    if options.get("bias", "none") != "none":
        fill(adapted, lambda n: n.endswith(".bias") and (options["bias"] == "all" or ".base_layer." in n))
    torch.save(adapted.state_dict(), folder / "model.pt")
    save(adapted, folder)
    try:
        merged = adapted.merge_and_unload()
    except Exception as e:  # what PEFT does not merge is not merged by anybody
        print(f"{name}: not merged: {e!r}")
        return
    save_file(tensors(merged.state_dict()), folder / "merged.safetensors")


def save(adapted, folder):
    with tempfile.TemporaryDirectory() as saved:
        adapted.save_pretrained(saved)
        shutil.copy(Path(saved, "adapter_model.safetensors"), folder / "adapter.safetensors")
        shutil.copy(Path(saved, "adapter_config.json"), folder / "adapter_config.json")
        for second in Path(saved).glob("*/adapter_config.json"):
            to = folder / second.parent.name
            to.mkdir()
            shutil.copy(second, to)
            shutil.copy(second.parent / "adapter_model.safetensors", to / "adapter.safetensors")


def trained(rank, folder, stage):
    """One of two ranks of a run under ZeRO, which saves the whole model; the first one tells what it holds."""
    import deepspeed
    import torch.distributed as dist
    from deepspeed.utils import safe_get_full_fp32_param

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    os.environ.update(LOCAL_RANK=str(rank), RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo", init_method=f"file://{folder}/ranks", rank=rank, world_size=2)
    torch.manual_seed(3)
    model = llama()
    fill(model)
    model = model.to(torch.bfloat16).float()
    base = tensors(model.state_dict())
    adapted = get_peft_model(model, LoraConfig(**ZERO_OPTIONS))
    fill(adapted, lambda n: "lora_B" in n)
    after = copy.deepcopy(adapted)
    trainable = [p for p in adapted.parameters() if p.requires_grad]
    zero = {"stage": stage, "stage3_param_persistence_threshold": 0, "reduce_bucket_size": 10**6}
    engine, *_ = deepspeed.initialize(
        model=adapted, optimizer=torch.optim.AdamW(trainable, lr=1e-2), dist_init_required=False,
        config={"train_micro_batch_size_per_gpu": 2, "bf16": {"enabled": True}, "zero_optimization": zero,
                "zero_allow_untested_optimizer": True, "zero_force_ds_cpu_optimizer": False, "steps_per_print": 10**9})
    ids = torch.arange(12).reshape(2, 6) + rank
    for _ in range(2):
        engine.backward(engine(input_ids=ids, labels=ids).loss)
        engine.step()
    engine.save_checkpoint(f"{folder}/checkpoint")
    masters = {n: safe_get_full_fp32_param(p).detach().clone() for n, p in adapted.named_parameters() if p.requires_grad}
    if rank:
        return
    with torch.no_grad():
        for name, p in after.named_parameters():
            if name in masters:
                p.copy_(masters[name].reshape(p.shape))
    folder = Path(folder)
    save(after, folder)
    shutil.copy(folder / "adapter_config.json", folder / "checkpoint")
    (folder / "adapter_config.json").unlink()
    for script in ("zero_to_fp32.py", "zero_to_torch.py"):
        (folder / "checkpoint" / script).unlink(missing_ok=True)
    save_file(base, folder / "base.safetensors")
    save_file(tensors(after.merge_and_unload().state_dict()), folder / "merged.safetensors")


if __name__ == "__main__":
    root = Path(sys.argv[1])
    for case in sys.argv[2:] or [*CASES, *ZERO]:
        shutil.rmtree(root / case, ignore_errors=True)
        (root / case).mkdir(parents=True)
        if case in ZERO:
            torch.multiprocessing.spawn(trained, (str((root / case).resolve()), ZERO[case]), nprocs=2)
            (root / case / "ranks").unlink(missing_ok=True)
        else:
            make(root / case, case)
    versions = {m.__name__: m.__version__ for m in (peft, torch, transformers)}
    (root / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")
