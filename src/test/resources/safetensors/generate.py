"""Writes the samples of this folder with the reference libraries.

Made with safetensors 0.8.0, torch 2.13.0 and huggingface_hub 2.0.0.
"""

import json
import random
from pathlib import Path

import torch
from huggingface_hub.serialization._base import parse_size_to_int, split_state_dict_into_shards_factory
from safetensors.torch import save

HERE = Path(__file__).parent

DTYPES = """bool uint8 int8 float8_e5m2 float8_e4m3fn float8_e8m0fnu float8_e4m3fnuz
float8_e5m2fnuz int16 uint16 float16 bfloat16 int32 uint32 float32 complex64 float64 int64
uint64""".split()

# As Samples.NAMES in the tests.
NAMES = [
    "",
    "plain.weight",
    "Plain.weight",
    'quote " backslash \\ slash /',
    "\x00\x01\x07\b\t\n\x0b\f\r\x1b\x1f",
    "del \x7f c1 \x80\x9f nbsp \xa0",
    "café",
    "重み",
    "separators \u2028\u2029",
    "private \ue000",
    "replacement \ufffd",
    "\uffff",
    "\ufeffmark",
    "emoji \U0001f600",
    "\U0001f600",
    "\U0010ffff",
    "metadata",
    "total_size",
]


def tensors():
    shapes = [(), (0,), (1,), (2, 3), (0, 4), (1, 1, 2)]
    out = {}
    for i, dtype in enumerate(DTYPES):
        for j in (1, 0):
            out[f"{dtype}.{j}"] = torch.zeros(shapes[(i + j) % len(shapes)], dtype=getattr(torch, dtype))
    return out


def named():
    return {name: torch.zeros(1, dtype=torch.uint8) for name in NAMES}


def index(dropped, total, names, shards):
    weights = {name: f"model-{i % shards + 1:05d}-of-{shards:05d}.safetensors" for i, name in enumerate(names)}
    content = {"metadata": {**{"total_size": total}, **dropped}, "weight_map": weights}
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def packing(rng):
    cases = []
    for _ in range(200):
        limit = rng.choice(["10", "100", "1KB", "1.5KB", "0.3kb", "2 MB"])
        limit_bytes = int(limit) if limit.isdigit() else parse_size_to_int(limit)
        top = rng.choice([limit_bytes // 4, limit_bytes, limit_bytes * 2])
        fixed = [0, limit_bytes - 1, limit_bytes, limit_bytes + 1]
        sizes = [
            rng.choice(fixed) if rng.random() < 0.2 else rng.randint(0, max(1, top))
            for _ in range(rng.randint(0, 24))
        ]
        split = split_state_dict_into_shards_factory(
            {str(i): size for i, size in enumerate(sizes)},
            get_storage_size=lambda size: size,
            max_shard_size=limit_bytes,
            filename_pattern="model{suffix}.safetensors",
        )
        shards = {name: [int(t) for t in held] for name, held in split.filename_to_tensors.items()}
        cases.append({"limit": limit, "bytes": limit_bytes, "sizes": sizes, "shards": shards})
    return cases


def sizes(rng):
    out = {}
    for _ in range(300):
        number = rng.choice([str(rng.randint(1, 99)), f"{rng.uniform(0.01, 50):.{rng.randint(1, 9)}f}"])
        text = number + rng.choice(["", " ", "  "]) + rng.choice(["KB", "MB", "GB", "TB", "kb", "Gb"])
        out[text] = parse_size_to_int(text)
    return out


def main():
    rng = random.Random(7)
    (HERE / "dtypes.safetensors").write_bytes(save(tensors(), {"format": "pt"}))
    (HERE / "names.safetensors").write_bytes(save(named(), {"clé \U0001f600": 'a "b"\n\x01\x7f'}))
    (HERE / "bare.safetensors").write_bytes(save({"a": torch.zeros(2)}))
    (HERE / "none.safetensors").write_bytes(save({}))
    (HERE / "names.index.json").write_text(index({"z\U0001f600": "a", "lm_head": "embed", "\ue000": "a"}, 123456789012, NAMES, 3))
    (HERE / "bare.index.json").write_text(index({}, 0, [], 1))
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in packing(rng))
    (HERE / "packing.json").write_text(f"[\n{lines}\n]\n")
    (HERE / "sizes.json").write_text(json.dumps(sizes(rng), indent=0) + "\n")


main()
