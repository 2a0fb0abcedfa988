#!/usr/bin/env bash
# DeepSpeed 0.19.8, ZeRO-3, going on from a universal checkpoint (checkpoint.load_universal) with an
# optimizer of torch and two parameter groups, even with as many ranks as before.
#
# load_checkpoint says nothing and the parameters are right, but
# - all flat partitions get one count of steps, as one tensor. torch's optimizers count it up in place,
#   once for each partition: with two, the step after the third is the fifth, and Adam's bias
#   correction is that of another step from there on. (Optimizers that keep a Python number each, as
#   DeepSpeed's own do, are not touched by it.)
# - every group gets the hyperparameters of the first one in the file: a weight decay of 0.1 is 0 now,
# - what is not trained, frozen parameters and buffers, keeps the values that the new run began with,
#   though the model states that hold them lie beside.
#
# Seen:
#   first: the same
#   last: the same
#   frozen: another
#   buffer: another
#   saved: steps [3.0, 3.0], weight decay [0.0, 0.1]
#   loaded: steps [3.0, 3.0], weight decay [0.0, 0.0]
#   saved, one step on: steps [4.0, 4.0], weight decay [0.0, 0.1]
#   loaded, one step on: steps [5.0, 5.0], weight decay [0.0, 0.0]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 numpy ninja setuptools wheel packaging
DS_BUILD_OPS=0 "$folder/venv/bin/pip" install -q --no-build-isolation deepspeed==0.19.8
cat > "$folder/run.py" <<'PYTHON'
import os
import subprocess
import sys

import deepspeed
import torch

FOLDER = sys.argv[1]
CONFIG = {
    "train_micro_batch_size_per_gpu": 1, "zero_allow_untested_optimizer": True,
    "zero_force_ds_cpu_optimizer": False, "steps_per_print": 10**9, "zero_optimization": {"stage": 3}}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.frozen, self.last = (torch.nn.Linear(4, 4, bias=False) for _ in range(3))
        self.frozen.requires_grad_(False)
        self.register_buffer("scale", torch.rand(1))

    def forward(self, x):
        return (self.last(self.frozen(self.first(x)).tanh()) * self.scale).square().mean()


def engine_of(seed, **more):
    torch.manual_seed(seed)
    model = Model()
    groups = [{"params": [model.first.weight], "weight_decay": 0.0},
              {"params": [model.last.weight], "weight_decay": 0.1}]
    engine, *_ = deepspeed.initialize(
        model=model, optimizer=torch.optim.AdamW(groups, lr=0.01), config={**CONFIG, **more})
    return engine


def step(engine, seed):
    engine.backward(engine(torch.rand(1, 4, generator=torch.Generator().manual_seed(seed))))
    engine.step()


def told(engine):
    inner = engine.optimizer.optimizer
    steps = [state["step"].item() for state in inner.state.values() if "step" in state]
    return f"steps {steps}, weight decay {[group['weight_decay'] for group in inner.param_groups]}"


def whole(param):
    with deepspeed.zero.GatheredParameters([param]):
        return param.detach().clone()


deepspeed.init_distributed("gloo")
saved = engine_of(1)
for number in range(3):
    step(saved, number)
saved.save_checkpoint(FOLDER)
subprocess.run(
    [sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal", "--input_folder", f"{FOLDER}/global_step3",
     "--output_folder", f"{FOLDER}/global_step3_universal"],
    check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
loaded = engine_of(2, checkpoint={"load_universal": True})
loaded.load_checkpoint(FOLDER)
out = []
for name in ("first", "last", "frozen"):
    same = torch.equal(whole(getattr(saved.module, name).weight), whole(getattr(loaded.module, name).weight))
    out.append(f"{name}: {'the same' if same else 'another'}")
out.append(f"buffer: {'the same' if torch.equal(saved.module.scale, loaded.module.scale) else 'another'}")
out.append(f"saved: {told(saved)}")
out.append(f"loaded: {told(loaded)}")
step(saved, 3)
step(loaded, 3)
out.append(f"saved, one step on: {told(saved)}")
out.append(f"loaded, one step on: {told(loaded)}")
print(*out, sep="\n")
assert out == [
    "first: the same",
    "last: the same",
    "frozen: another",
    "buffer: another",
    "saved: steps [3.0, 3.0], weight decay [0.0, 0.1]",
    "loaded: steps [3.0, 3.0], weight decay [0.0, 0.0]",
    "saved, one step on: steps [4.0, 4.0], weight decay [0.0, 0.1]",
    "loaded, one step on: steps [5.0, 5.0], weight decay [0.0, 0.0]",
], "changed"
print("as seen with DeepSpeed", deepspeed.__version__, "and torch", torch.__version__)
PYTHON
export DS_ACCELERATOR=cpu DS_BUILD_OPS=0 RANK=0 LOCAL_RANK=0 WORLD_SIZE=1 MASTER_ADDR=127.0.0.1 MASTER_PORT=29611
"$folder/venv/bin/python" "$folder/run.py" "$folder/checkpoint" 2> "$folder/errors" |
  grep -E '^(first|last|frozen|buffer|saved|loaded|as seen)' || { tail -20 "$folder/errors"; exit 1; }
