#!/usr/bin/env bash
# DeepSpeed 0.19.8, ZeRO-1 and 2: parameters without elements count as one parameter.
#
# DeepSpeedEngine._get_shared_params tells tied parameters by data_ptr(), which is 0 for every tensor
# without elements. A model with two of them is saved with one as the second name of the other in
# shared_params. zero_to_fp32 then gives the second the first one's shape under ZeRO-2, with no
# error, and neither of them under ZeRO-1; load_state_dict of the result fails for such a model.
#
# Seen:
#   stage 1: shared_params {'other': 'none'}, zero_to_fp32 gives none: nothing, other: nothing
#   stage 2: shared_params {'other': 'none'}, zero_to_fp32 gives none: (0, 3), other: (0, 3)
# where the shapes are none (0, 3) and other (5, 0).
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


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 4)
        self.none = torch.nn.Parameter(torch.empty(0, 3))
        self.other = torch.nn.Parameter(torch.empty(5, 0))

    def forward(self, x):
        return self.layer(x)


def train(rank, port, folder, stage):
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    import deepspeed

    deepspeed.init_distributed("gloo")
    model = Model()
    config = {
        "train_micro_batch_size_per_gpu": 1,
        "bf16": {"enabled": True},
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {"stage": stage},
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    engine, *_ = deepspeed.initialize(model=model, config=config, optimizer=optimizer)
    engine.backward(engine(torch.randn(1, 4).bfloat16()).float().sum())
    engine.step()
    engine.save_checkpoint(folder, tag="step")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    import deepspeed
    from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

    assert deepspeed.__version__ == "0.19.8", deepspeed.__version__
    rows = []
    for stage in (1, 2):
        folder = os.path.join(sys.argv[1], f"stage{stage}")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        mp.spawn(train, (port, folder, stage), nprocs=2)
        states = torch.load(f"{folder}/step/mp_rank_00_model_states.pt", weights_only=False)
        masters = get_fp32_state_dict_from_zero_checkpoint(folder, tag="step")
        shapes = {n: tuple(masters[n].shape) if n in masters else "nothing" for n in ("none", "other")}
        rows.append(
            f"stage {stage}: shared_params {dict(states['shared_params'])}, zero_to_fp32 gives "
            f"none: {shapes['none']}, other: {shapes['other']}")
    print(*rows, sep="\n")
    assert rows == [
        "stage 1: shared_params {'other': 'none'}, zero_to_fp32 gives none: nothing, other: nothing",
        "stage 2: shared_params {'other': 'none'}, zero_to_fp32 gives none: (0, 3), other: (0, 3)",
    ], "changed"
    print("as seen with DeepSpeed", deepspeed.__version__, "and torch", torch.__version__)
PYTHON
DS_ACCELERATOR=cpu DS_BUILD_OPS=0 "$folder/venv/bin/python" "$folder/run.py" "$folder" 2> "$folder/errors" |
  grep -E '^(stage|as seen)' || { tail -20 "$folder/errors"; exit 1; }
