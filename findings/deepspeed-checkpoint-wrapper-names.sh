#!/usr/bin/env bash
# DeepSpeed 0.19.8, ZeRO-2, modules in torch's checkpoint_wrapper (activation checkpointing).
#
# checkpoint_wrapper takes its "_checkpoint_wrapped_module." out of the names of state_dict(), and puts
# it back in load_state_dict; a wrapper's own named_parameters() has it out too. That of a module
# around it has not, nor has a walk over named_children(). DeepSpeed makes param_shapes of the former
# and buffer_names of the latter, and takes the buffers out of state_dict() by those. So one checkpoint
# has two names for one tensor, and zero_to_fp32, with no error,
# - gives parameters the wrapper's name, which neither the model without wrapper nor the wrapped one
#   (it puts the prefix in a second time) loads,
# - leaves out the wrapped buffers, as no name of state_dict() is in buffer_names. That is so too where
#   the whole model is wrapped and the parameters' names are clean.
# The module's state dict in the same checkpoint is whole and loads.
#
# Seen (both modules of the model have linear.weight and the buffer scale):
#   nothing wrapped, module: 0.scale 0.linear.weight 1.scale 1.linear.weight
#   nothing wrapped, param_shapes: 0.linear.weight 1.linear.weight
#   nothing wrapped, buffer_names: 0.scale 1.scale
#   nothing wrapped, zero_to_fp32: 0.linear.weight 0.scale 1.linear.weight 1.scale
#   nothing wrapped, load_state_dict of module: loads
#   nothing wrapped, load_state_dict of zero_to_fp32: loads, without the wrapper loads
#   block wrapped, module: 0.scale 0.linear.weight 1.scale 1.linear.weight
#   block wrapped, param_shapes: 0.linear.weight 1._checkpoint_wrapped_module.linear.weight
#   block wrapped, buffer_names: 0.scale 1._checkpoint_wrapped_module.scale
#   block wrapped, zero_to_fp32: 0.linear.weight 0.scale 1._checkpoint_wrapped_module.linear.weight
#   block wrapped, load_state_dict of module: loads
#   block wrapped, load_state_dict of zero_to_fp32: refused, without the wrapper refused
#   model wrapped, module: 0.scale 0.linear.weight 1.scale 1.linear.weight
#   model wrapped, param_shapes: 0.linear.weight 1.linear.weight
#   model wrapped, buffer_names: _checkpoint_wrapped_module.0.scale _checkpoint_wrapped_module.1.scale
#   model wrapped, zero_to_fp32: 0.linear.weight 1.linear.weight
#   model wrapped, load_state_dict of module: loads
#   model wrapped, load_state_dict of zero_to_fp32: refused, without the wrapper refused
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 numpy ninja setuptools wheel packaging
DS_BUILD_OPS=0 "$folder/venv/bin/pip" install -q --no-build-isolation deepspeed==0.19.8
cat > "$folder/run.py" <<'PYTHON'
import os
import socket
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 4, bias=False)
        self.register_buffer("scale", torch.full((4,), 2.0))

    def forward(self, x):
        return self.linear(x) * self.scale.to(x.dtype)


def model(wrapped):
    torch.manual_seed(1)
    blocks = torch.nn.Sequential(Block(), Block())
    if wrapped == "block":
        blocks[1] = checkpoint_wrapper(blocks[1])
    return checkpoint_wrapper(blocks) if wrapped == "model" else blocks


def train(rank, port, folder, wrapped):
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    import deepspeed

    deepspeed.init_distributed("gloo")
    module = model(wrapped)
    config = {
        "train_micro_batch_size_per_gpu": 1,
        "bf16": {"enabled": True},
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {"stage": 2},
    }
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-2)
    engine, *_ = deepspeed.initialize(model=module, config=config, optimizer=optimizer)
    engine.backward(engine(torch.randn(1, 4).bfloat16()).float().pow(2).sum())
    engine.step()
    engine.save_checkpoint(folder, tag="step")
    dist.destroy_process_group()


def loads(module, state_dict):
    try:
        module.load_state_dict(state_dict)
        return "loads"
    except RuntimeError as refusal:
        print(refusal, file=sys.stderr)
        return "refused"


def seen(folder, wrapped):
    from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(train, (port, folder, wrapped), nprocs=1)
    states = torch.load(f"{folder}/step/mp_rank_00_model_states.pt", weights_only=False)
    masters = get_fp32_state_dict_from_zero_checkpoint(folder, tag="step")
    masters = {name: masters[name] for name in masters}
    return [
        f"module: {' '.join(states['module'])}",
        f"param_shapes: {' '.join(states['param_shapes'][0])}",
        f"buffer_names: {' '.join(states['buffer_names'])}",
        f"zero_to_fp32: {' '.join(sorted(masters))}",
        f"load_state_dict of module: {loads(model(wrapped), states['module'])}",
        f"load_state_dict of zero_to_fp32: {loads(model(wrapped), masters)}, "
        f"without the wrapper {loads(model(None), masters)}",
    ]


if __name__ == "__main__":
    import deepspeed

    assert deepspeed.__version__ == "0.19.8", deepspeed.__version__
    rows = []
    for wrapped in (None, "block", "model"):
        folder = os.path.join(sys.argv[1], wrapped or "nothing")
        rows += [f"{wrapped or 'nothing'} wrapped, {row}" for row in seen(folder, wrapped)]
    print(*rows, sep="\n")
    assert rows == [
        "nothing wrapped, module: 0.scale 0.linear.weight 1.scale 1.linear.weight",
        "nothing wrapped, param_shapes: 0.linear.weight 1.linear.weight",
        "nothing wrapped, buffer_names: 0.scale 1.scale",
        "nothing wrapped, zero_to_fp32: 0.linear.weight 0.scale 1.linear.weight 1.scale",
        "nothing wrapped, load_state_dict of module: loads",
        "nothing wrapped, load_state_dict of zero_to_fp32: loads, without the wrapper loads",
        "block wrapped, module: 0.scale 0.linear.weight 1.scale 1.linear.weight",
        "block wrapped, param_shapes: 0.linear.weight 1._checkpoint_wrapped_module.linear.weight",
        "block wrapped, buffer_names: 0.scale 1._checkpoint_wrapped_module.scale",
        "block wrapped, zero_to_fp32: 0.linear.weight 0.scale 1._checkpoint_wrapped_module.linear.weight",
        "block wrapped, load_state_dict of module: loads",
        "block wrapped, load_state_dict of zero_to_fp32: refused, without the wrapper refused",
        "model wrapped, module: 0.scale 0.linear.weight 1.scale 1.linear.weight",
        "model wrapped, param_shapes: 0.linear.weight 1.linear.weight",
        "model wrapped, buffer_names: _checkpoint_wrapped_module.0.scale _checkpoint_wrapped_module.1.scale",
        "model wrapped, zero_to_fp32: 0.linear.weight 1.linear.weight",
        "model wrapped, load_state_dict of module: loads",
        "model wrapped, load_state_dict of zero_to_fp32: refused, without the wrapper refused",
    ], "changed"
    print("as seen with DeepSpeed", deepspeed.__version__, "and torch", torch.__version__)
PYTHON
DS_ACCELERATOR=cpu DS_BUILD_OPS=0 "$folder/venv/bin/python" "$folder/run.py" "$folder" 2> "$folder/errors" |
  grep -E '^(nothing|block|model|as seen)' || { tail -20 "$folder/errors"; exit 1; }
