#!/usr/bin/env bash
# PEFT 0.21.2, LoRA around torch.nn.MultiheadAttention.
#
# A LoRA layer stands for W + scale x B A. Around MultiheadAttention there are two: one for in_proj, one
# for out_proj. Merging adds the product of out_proj to its weight and then asks out_proj to merge itself,
# which adds it again. As the layer's forward pass merges, runs and unmerges, it is so in training too: an
# adapter that another program applies by the formula, once, is not the one that was trained. The
# adapter's file says nothing of it.
#
# Seen:
#   Linear: merged 1 x, forward 1 x
#   MultiheadAttention in_proj: merged 1 x, forward 1 x
#   MultiheadAttention out_proj: merged 2 x, forward 2 x
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 transformers==5.24.0 peft==0.21.2 numpy
cat > "$folder/run.py" <<'PYTHON'
import copy

import torch
from peft import LoraConfig, get_peft_model

SCALE = 3.0


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(8, 8)
        self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        x = self.line(x)
        return self.attention(x, x, x, need_weights=False)[0]


def weights(model):
    return {
        "Linear": model.line.weight,
        "MultiheadAttention in_proj": model.attention.in_proj_weight,
        "MultiheadAttention out_proj": model.attention.out_proj.weight,
    }


torch.manual_seed(0)
plain = Model().eval()
config = LoraConfig(r=2, lora_alpha=2 * SCALE, target_modules=["line", "attention"], init_lora_weights=False)
adapted = get_peft_model(copy.deepcopy(plain), config).eval()
layers = {
    "Linear": "line.",
    "MultiheadAttention in_proj": "attention.",
    "MultiheadAttention out_proj": "attention.base_layer.out_proj.",
}
state = {name.removeprefix("base_model.model."): t.clone() for name, t in adapted.state_dict().items()}
products = {
    kind: SCALE * state[at + "lora_B.default.weight"] @ state[at + "lora_A.default.weight"]
    for kind, at in layers.items()
}
x = torch.randn(1, 3, 8)
with torch.no_grad():
    expected = adapted(x)
    merged = weights(adapted.merge_and_unload())

    def forward(times):
        by_hand = copy.deepcopy(plain)
        for kind, weight in weights(by_hand).items():
            weight += times[kind] * products[kind]
        return by_hand(x)

    once = dict.fromkeys(layers, 1)
    combinations = [{**once, kind: n} for kind in layers for n in (1, 2)]
    fitting = [c for c in combinations if torch.allclose(forward(c), expected, atol=1e-6)]
    assert len({tuple(c.values()) for c in fitting}) == 1, fitting
    for kind, weight in weights(plain).items():
        times = [n for n in (1, 2) if torch.allclose(weight + n * products[kind], merged[kind], atol=1e-6)]
        assert len(times) == 1, (kind, times)
        print(f"{kind}: merged {times[0]} x, forward {fitting[0][kind]} x")
PYTHON
"$folder/venv/bin/python" "$folder/run.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   //p' "$0" | diff - "$folder/seen"
