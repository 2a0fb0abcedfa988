#!/usr/bin/env bash
# DeepSpeed 0.19.8, ZeRO-2 with zero_optimization.round_robin_gradients, two ranks on the CPU.
#
# With that option the parameters of a flat group lie in another order than the module has them.
# param_shapes follows that order, and zero_to_fp32 is right. The links between parameters and their
# fp32 masters are made in the module's order (stage_1_and_2.py walks bit16_groups, where the
# masters are those of round_robin_bit16_groups). So, without any error,
# - deepspeed.utils.safe_get_full_fp32_param gives the master of another parameter, and
# - ds_to_universal writes a universal checkpoint in which parameters of one shape have each other's
#   weights, and so does what is trained on from it.
# With parameter_alignment and gaps between parameters the links are right.
#
# Seen (1.weight and 2.weight have each other's masters; without the option all are right):
#   round robin: 1.weight zero_to_fp32 right, safe_get_full_fp32_param wrong, universal has 2.weight
#   round robin: 2.weight zero_to_fp32 right, safe_get_full_fp32_param wrong, universal has 1.weight
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.15.0 numpy ninja setuptools wheel packaging
DS_BUILD_OPS=0 "$folder/venv/bin/pip" install -q --no-build-isolation deepspeed==0.19.8
cat > "$folder/run.py" <<'PYTHON'
import os
import socket
import subprocess
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def train(rank, port, folder, round_robin):
    os.environ.update(
        RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    import deepspeed
    from deepspeed.utils import safe_get_full_fp32_param

    deepspeed.init_distributed("gloo")
    torch.manual_seed(1)
    model = torch.nn.Sequential(*[torch.nn.Linear(6, 6, bias=False) for _ in range(4)])
    config = {
        "train_micro_batch_size_per_gpu": 1,
        "bf16": {"enabled": True},
        "zero_allow_untested_optimizer": True,
        "zero_optimization": {"stage": 2, "round_robin_gradients": round_robin},
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    engine, *_ = deepspeed.initialize(model=model, config=config, optimizer=optimizer)
    for _ in range(2):
        engine.backward(engine(torch.randn(1, 6).bfloat16()).float().pow(2).sum())
        engine.step()
    # What ds_to_universal asks for.
    engine.save_checkpoint(
        folder, tag="step", client_state={"universal_checkpoint_info": {"universal_checkpoint_version": 0.2}, "iteration": 2})
    held = {
        name: (p.detach().clone(), safe_get_full_fp32_param(p).reshape(p.shape).clone())
        for name, p in engine.module.named_parameters()
    }
    if rank == 0:
        torch.save(held, f"{folder}/held.pt")
    dist.barrier()
    dist.destroy_process_group()


def seen(folder, round_robin):
    from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(train, (port, folder, round_robin), nprocs=2)
    subprocess.run(
        [sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal", "--input_folder", f"{folder}/step",
         "--output_folder", f"{folder}/universal", "--num_extract_workers", "1", "--num_merge_workers", "1"],
        check=True, capture_output=True)
    masters = get_fp32_state_dict_from_zero_checkpoint(folder, tag="step")
    held = torch.load(f"{folder}/held.pt")
    rows = []
    for name, (module, full) in held.items():
        universal = torch.load(f"{folder}/universal/zero/{name}/fp32.pt", weights_only=False)["param"]
        whose = [other for other, (m, _) in held.items() if torch.equal(universal.reshape(m.shape).to(m.dtype), m)]
        right = ["wrong", "right"]
        rows.append(
            f"{name} zero_to_fp32 {right[torch.equal(masters[name].to(module.dtype), module)]}, "
            f"safe_get_full_fp32_param {right[torch.equal(full.to(module.dtype), module)]}, "
            f"universal has {' '.join(whose)}")
    return rows


if __name__ == "__main__":
    root = sys.argv[1]
    import deepspeed

    assert deepspeed.__version__ == "0.19.8", deepspeed.__version__
    names = [f"{i}.weight" for i in range(4)]
    plain = seen(os.path.join(root, "plain"), False)
    robin = seen(os.path.join(root, "robin"), True)
    print(*[f"plain: {row}" for row in plain], *[f"round robin: {row}" for row in robin], sep="\n")
    fine = "{0} zero_to_fp32 right, safe_get_full_fp32_param right, universal has {0}"
    swapped = "{} zero_to_fp32 right, safe_get_full_fp32_param wrong, universal has {}"
    assert plain == [fine.format(n) for n in names], "changed without the option"
    assert robin == [
        fine.format("0.weight"),
        swapped.format("1.weight", "2.weight"),
        swapped.format("2.weight", "1.weight"),
        fine.format("3.weight"),
    ], "changed with the option"
    print("as seen with DeepSpeed", deepspeed.__version__, "and torch", torch.__version__)
PYTHON
DS_ACCELERATOR=cpu DS_BUILD_OPS=0 "$folder/venv/bin/python" "$folder/run.py" "$folder" 2> "$folder/errors" |
  grep -E '^(plain|round robin|as seen)' || { tail -20 "$folder/errors"; exit 1; }
