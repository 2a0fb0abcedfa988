#!/usr/bin/env bash
# transformers 5.24.0 and diffusers 0.42.1: whole file or index, where a folder has both.
#
# Both write model weights as one NAME.safetensors, or as shards with NAME.safetensors.index.json, and
# both can be there: save_pretrained takes away the earlier save's shards, but not its whole file and
# not its index. Which of the two is the model then is not a rule of the format.
# - transformers' from_pretrained takes the whole file. So weights that save_pretrained wrote as shards
#   over a whole file are not what from_pretrained gives from that folder: it gives the earlier ones.
# - diffusers' from_pretrained takes the index. So the earlier shards are given where a newer whole file
#   was put beside them, and after its own save_pretrained of a whole file over shards it asks for the
#   shards that this save took away.
# Where weights are given, no key is missing or unexpected, and nothing is logged or warned about.
#
# Seen:
#   transformers, shards saved over a whole file: 1 whole, 1 index, 2 shards, gives earlier, told 0
#   transformers, whole file put beside shards: 1 whole, 1 index, 2 shards, gives later, told 0
#   transformers, whole file saved over shards: 1 whole, 1 index, 0 shards, gives later, told 0
#   diffusers, shards saved over a whole file: 1 whole, 1 index, 2 shards, gives later, told 0
#   diffusers, whole file put beside shards: 1 whole, 1 index, 2 shards, gives earlier, told 0
#   diffusers, whole file saved over shards: 1 whole, 1 index, 0 shards, refuses for a missing shard
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 transformers==5.24.0 diffusers==0.42.1 safetensors==0.8.0 \
  huggingface_hub==2.4.0 accelerate==1.15.0
cat > "$folder/run.py" <<'PYTHON'
import json
import logging
import os
import shutil
import sys
import warnings
from pathlib import Path

import diffusers
import torch
import transformers

# What the two log at warning or above; "told" counts these, warnings, and keys missing, unexpected or mismatched.
records = []


class Collect(logging.Handler):
    def emit(self, record):
        if record.levelno >= logging.WARNING:
            records.append(record)


for library in ("transformers", "diffusers"):
    logging.getLogger(library).addHandler(Collect())


def llama(value):
    config = transformers.LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)
    return filled(transformers.LlamaForCausalLM(config), value)


def transformer(value):
    return filled(
        diffusers.DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=8, num_layers=2, sample_size=8,
                                        norm_num_groups=4), value)


def filled(model, value):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)
    return model


def save(model, folder, shards):
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    model.save_pretrained(folder, max_shard_size=int(size * 0.7) if shards else 10 * size)


def holds(folder):
    names = os.listdir(folder)
    whole = [n for n in names if n.endswith(".safetensors") and "-of-" not in n]
    index = [n for n in names if n.endswith(".safetensors.index.json")]
    shards = [n for n in names if "-of-" in n]
    return f"{len(whole)} whole, {len(index)} index, {len(shards)} shards", whole, index


def given(kind, folder):
    records.clear()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            model, info = kind.from_pretrained(folder, output_loading_info=True)
        except OSError as refusal:
            _, _, index = holds(folder)
            named = set(json.loads(Path(folder, index[0]).read_text())["weight_map"].values())
            assert any(shard in str(refusal) for shard in named), refusal
            return "refuses for a missing shard"
    keys = sum(len(info[k]) for k in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    values = {v for p in model.parameters() for v in p.unique().tolist()}
    weights = {(1.0,): "earlier", (2.0,): "later"}[tuple(values)]
    for told in (*records, *warned):
        print(told, file=sys.stderr)
    return f"gives {weights}, told {len(records) + len(warned) + keys}"


def seen(library, make, root):
    earlier, later = make(1.0), make(2.0)
    rows = []

    folder = os.path.join(root, library, "over-whole")
    save(earlier, folder, shards=False)
    save(later, folder, shards=True)
    rows.append(f"{library}, shards saved over a whole file: {holds(folder)[0]}, {given(type(earlier), folder)}")

    folder, other = os.path.join(root, library, "beside"), os.path.join(root, library, "other")
    save(earlier, folder, shards=True)
    save(later, other, shards=False)
    shutil.copy(os.path.join(other, holds(other)[1][0]), folder)
    rows.append(f"{library}, whole file put beside shards: {holds(folder)[0]}, {given(type(earlier), folder)}")

    folder = os.path.join(root, library, "over-shards")
    save(earlier, folder, shards=True)
    save(later, folder, shards=False)
    rows.append(f"{library}, whole file saved over shards: {holds(folder)[0]}, {given(type(earlier), folder)}")
    return rows


if __name__ == "__main__":
    assert (transformers.__version__, diffusers.__version__) == ("5.24.0", "0.42.1")
    rows = seen("transformers", llama, sys.argv[1]) + seen("diffusers", transformer, sys.argv[1])
    print(*rows, sep="\n")
    assert rows == [
        "transformers, shards saved over a whole file: 1 whole, 1 index, 2 shards, gives earlier, told 0",
        "transformers, whole file put beside shards: 1 whole, 1 index, 2 shards, gives later, told 0",
        "transformers, whole file saved over shards: 1 whole, 1 index, 0 shards, gives later, told 0",
        "diffusers, shards saved over a whole file: 1 whole, 1 index, 2 shards, gives later, told 0",
        "diffusers, whole file put beside shards: 1 whole, 1 index, 2 shards, gives earlier, told 0",
        "diffusers, whole file saved over shards: 1 whole, 1 index, 0 shards, refuses for a missing shard",
    ], "changed"
    print("as seen with transformers", transformers.__version__, "and diffusers", diffusers.__version__)
PYTHON
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" "$folder/run.py" "$folder" 2> "$folder/errors" |
  grep -E '^(transformers|diffusers|as seen)' || { tail -20 "$folder/errors"; exit 1; }
