#!/usr/bin/env bash
# torch 2.15.0: a tensor without dimensions becomes zero when safetensors are consolidated.
#
# HuggingFaceStorageWriter(save_distributed=True, enable_consolidation=True) writes each rank's part
# to sharded/ and then puts the parts together in files that libraries load. A 0-d tensor, such as a
# temperature, a logit scale or a step, is right in sharded/ and 0.0 in the consolidated file, with no
# error and no warning; as one element of a 1-d tensor the same number survives. Who loads or converts
# the consolidated model has another one than was trained, and checksums agree with the wrong file.
#
# Seen:
#   sharded: scale 2.5, weight [0.0, 1.0, 2.0, 3.0], one [2.5]
#   consolidated: scale 0.0, weight [0.0, 1.0, 2.0, 3.0], one [2.5]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 numpy safetensors==0.8.0
cat > "$folder/run.py" <<'PYTHON'
import pathlib
import sys

import torch
import torch.distributed.checkpoint as dcp
from safetensors.torch import load_file
from torch.distributed.checkpoint import HuggingFaceStorageWriter

folder = pathlib.Path(sys.argv[1])
state = {"weight": torch.arange(4.0), "scale": torch.tensor(2.5), "one": torch.tensor([2.5])}
writer = HuggingFaceStorageWriter(
    path=str(folder),
    save_distributed=True,
    enable_consolidation=True,
    fqn_to_index_mapping={name: 1 for name in state},
)
dcp.save(state, storage_writer=writer)


def told(path):
    tensors = load_file(path)
    return ", ".join(f"{name} {tensors[name].tolist()}" for name in ("scale", "weight", "one"))


print("torch", torch.__version__)
print("sharded:", told(next((folder / "sharded").glob("*.safetensors"))))
print("consolidated:", told(next(folder.glob("*.safetensors"))))
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/run.py" "$folder/model" | tee "$folder/seen"
grep -qx 'sharded: scale 2.5, weight \[0.0, 1.0, 2.0, 3.0\], one \[2.5\]' "$folder/seen"
grep -qx 'consolidated: scale 0.0, weight \[0.0, 1.0, 2.0, 3.0\], one \[2.5\]' "$folder/seen"
echo "as described"
