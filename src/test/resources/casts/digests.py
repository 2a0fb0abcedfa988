"""Makes digests.txt: SHA-256 of what torch gives for the inputs of CastTest.

    python digests.py > digests.txt
"""

import hashlib

import numpy as np
import torch

torch.set_num_threads(1)  # one contiguous loop: no tails in the middle

SIXTEEN = np.arange(1 << 16, dtype=np.uint16)


def mantissas(bits, seconds):
    mask = (1 << bits) - 1
    out = []
    for a in range(bits):
        for b in seconds:
            for d in (-1, 0, 1):
                m = (((1 << a) | (1 << b)) + d) & mask
                out += [m, m ^ mask]
    return out


def structured(bits, seconds, exponents, sign, dtype):
    m = np.array(mantissas(bits, seconds), dtype=dtype)
    heads = np.array([s << sign | e << bits for s in (0, 1) for e in exponents], dtype=dtype)
    return (heads[:, None] | m[None, :]).reshape(-1)


def tensor(array, dtype):
    signed = {2: np.int16, 4: np.int32, 8: np.int64}[array.itemsize]
    return torch.from_numpy(array.view(signed)).view(dtype)


FLOATS = structured(23, range(23), range(256), 31, np.uint32)
DOUBLES = structured(
    52,
    (0, 28, 29, 41, 42, 44, 45),
    [0, 1] + list(range(1023 - 160, 1023 + 140)) + [2046, 2047],
    63,
    np.uint64,
)
INPUTS = {
    "F16": tensor(SIXTEEN, torch.float16),
    "BF16": tensor(SIXTEEN, torch.bfloat16),
    "F32": tensor(FLOATS, torch.float32),
    "F64": tensor(DOUBLES, torch.float64),
}
print("# Made by digests.py with torch", torch.__version__, torch.backends.cpu.get_cpu_capability())
for source, values in INPUTS.items():
    for target, result in INPUTS.items():
        # Twice, so that none is behind the last whole vector, where torch treats NaNs otherwise.
        given = torch.cat([values, values]).to(result.dtype)[: values.numel()]
        data = given.view(torch.uint8).numpy().tobytes()
        print(source, target, hashlib.sha256(data).hexdigest())
