"""Quantized weights, and what torch makes of them: value times scale in float32.

Made with torch 2.15 and safetensors 0.8: python make.py
Each folder is a case; CASE.safetensors beside it has the weights in float32.
"""

import json
import math
import os
import shutil
import struct

import torch
from safetensors import safe_open
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(18)


def spread(scales, block, shape):
    for dim, (length, size) in enumerate(zip(block, shape)):
        scales = scales.repeat_interleave(length, dim).narrow(dim, 0, size)
    return scales


def quantized(shape, block, dtype=torch.float8_e4m3fn, of_scales=torch.float32):
    weights = torch.randn(*shape) * 3e-3
    grid = [math.ceil(size / length) for size, length in zip(shape, block)]
    scales = torch.rand(grid) * 2e-5 + 1e-6
    if of_scales == torch.float8_e8m0fnu:
        scales = torch.pow(2.0, torch.randint(-18, -12, grid).float())
    scales = scales.to(of_scales)
    factors = spread(scales.float(), block, shape)
    values = (weights / factors).clamp(-400, 400).to(dtype)
    return values, scales, values.float() * factors


def case(name, tensors, expected, config=None, files=1, torch_file=False):
    folder = f"{HERE}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    if config:
        whole = {"model_type": "qwen3", "quantization_config": config, "torch_dtype": "bfloat16"}
        json.dump(whole, open(f"{folder}/config.json", "w"))
    if torch_file:
        torch.save(tensors, f"{folder}/pytorch_model.bin")
    elif files == 1:
        save_file(tensors, f"{folder}/model.safetensors", {"format": "pt"})
    else:
        items, weight_map = list(tensors.items()), {}
        for i in range(files):
            file = f"model-{i + 1:05d}-of-{files:05d}.safetensors"
            save_file(dict(items[i::files]), f"{folder}/{file}", {"format": "pt"})
            weight_map.update({key: file for key, _ in items[i::files]})
        total = sum(t.numel() * t.element_size() for t in tensors.values())
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        json.dump(index, open(f"{folder}/model.safetensors.index.json", "w"))
    if expected:
        whole = {key: value.float().contiguous() for key, value in expected.items()}
        save_file(whole, f"{folder}.safetensors", {"format": "pt"})


NORM = torch.linspace(0.5, 1.5, 8).bfloat16()
FP8 = {"quant_method": "fp8", "weight_block_size": [8, 8]}

w, s, e = quantized((20, 13), (8, 8))
weights = {"a.weight": w, "a.weight_scale_inv": s, "norm.weight": NORM}
case("blocks", weights, {"a.weight": e, "norm.weight": NORM}, FP8)
w, s, e = quantized((10, 6), (4, 4))
case("blocks-without-config", {"a.weight": w, "a.weight_scale_inv": s}, {"a.weight": e})
w, s, e = quantized((192, 9), (128, 128))
case("usual-blocks", {"a.weight": w, "a.weight_scale_inv": s}, {"a.weight": e})
w, s, e = quantized((16, 12), (1, 12), of_scales=torch.bfloat16)
linear = {"weights": {"num_bits": 8, "type": "float", "strategy": "channel"}}
tensors = {"a.weight": w, "a.weight_scale": s, "a.input_scale": torch.tensor([1.5])}
config = {"quant_method": "compressed-tensors", "config_groups": {"group_0": linear}}
case("channels", tensors, {"a.weight": e}, config)
tensors = {"a.weight": w, "a.weight_scale": s.float().flatten()}
case("channels-of-one-dimension", tensors, {"a.weight": e}, files=2)
w, s, e = quantized((16, 12), (16, 12), torch.float8_e5m2)
tensors = {"a.weight": w, "a.weight_scale": s.reshape([]), "a.bias": NORM, "k_scale": s[0].clone()}
case("tensor", tensors, {"a.weight": e, "a.bias": NORM}, {"quant_method": "fp8"})
w, s, e = quantized((3, 13, 20), (1, 8, 8))
tensors = {"experts.up_proj": w, "experts.up_proj_scale_inv": s}
case("experts", tensors, {"experts.up_proj": e}, FP8, files=2)
w, s, e = quantized((3, 13, 20), (1, 13, 1))
case("columns", {"experts.up_proj": w, "experts.up_proj_scale": s}, {"experts.up_proj": e})
w, s, e = quantized((16, 16), (8, 8), of_scales=torch.float8_e8m0fnu)
tensors = {"a.weight": w, "a.weight_scale_inv": s}
case("powers", tensors, {"a.weight": e}, FP8)
tensors = {"a.weight": w, "a.weight_scale_inv": s.view(torch.uint8)}
case("powers-as-bytes", tensors, {"a.weight": e}, FP8)
w, s, e = quantized((6, 64), (1, 32), of_scales=torch.float8_e8m0fnu)
case("groups", {"a.weight": w, "a.weight_scale": s}, {"a.weight": e})
w, s, e = quantized((20, 13), (8, 8))
v, t, f = quantized((14, 9), (14, 9), torch.float8_e4m3fnuz)
tensors = {
    "a.weight": w.t(),
    "a.weight_scale_inv": s.t(),
    "b.weight": v,
    "b.weight_scale": t.reshape(1),
    "norm.weight": NORM,
}
expected = {"a.weight": e.t(), "b.weight": f, "norm.weight": NORM}
case("torch", tensors, expected, FP8, torch_file=True)
tensors = {}
for name in ["e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz"]:
    values = torch.arange(256, dtype=torch.uint8)
    tensors[f"{name}.weight"] = values.view(getattr(torch, f"float8_{name}"))
case("unscaled", tensors, {key: value for key, value in tensors.items()})
pairs = torch.arange(32, dtype=torch.uint8).reshape(4, 8).view(torch.float4_e2m1fn_x2)
case("fours", {"a.weight": pairs, "norm.weight": NORM}, None, torch_file=True)
save_file({"a.weight": pairs, "norm.weight": NORM}, f"{HERE}/fours.safetensors", {"format": "pt"})

# Written by hand, in the order of the reference's Dtype: no library of Python names F6.
ORDER = (
    "U64 I64 F64 C64 F32 U32 I32 BF16 F16 U16 I16 F8_E5M2FNUZ F8_E4M3FNUZ F8_E8M0 F8_E4M3 F8_E5M2"
    " I8 U8 F6_E3M2 F6_E2M3 F4 BOOL"
)
BITS = {"F4": 4, "F6_E3M2": 6, "F6_E2M3": 6, "BOOL": 8, "C64": 64, "BF16": 16}
header, content = {"__metadata__": {"format": "pt"}}, b""
for i, dtype in enumerate(ORDER.split()):
    size = BITS.get(dtype) or int(dtype[1:].split("_")[0])
    data = bytes((i * 37 + b * 11) % (2 if dtype == "BOOL" else 120) for b in range(3 * size))
    offsets = [len(content), len(content) + len(data)]
    header[f"t.{dtype}"] = {"dtype": dtype, "shape": [3, 8], "data_offsets": offsets}
    content += data
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(f"{HERE}/every-type.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + content)
with safe_open(f"{HERE}/every-type.safetensors", "pt") as read:
    assert len(read.keys()) == len(ORDER.split())
