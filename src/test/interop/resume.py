"""DeepSpeed goes on from universal checkpoints that Reweave makes, with other numbers of ranks.

usage: resume.py FOLDER [--only NAME ...] [--reference]

With --reference, DeepSpeed's own ds_to_universal.py converts, which shows what it can do.

Each case is trained on two ranks, saved, and trained on. Its checkpoint is converted, and then loaded
by 1, 2 and 4 ranks that began with other weights: masters and moments must be those of the run that
saved, bit for bit; so must the losses of all samples of the next step. Those of the step after it have
gone through sums in another order, and are compared to some digits.
"""

import argparse
import fnmatch
import os
import pathlib
import shutil
import subprocess
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
REWEAVE = HERE.parents[2] / "submit" / "reweave"
SAMPLES = 4
BEFORE, AFTER = 3, 2

CASES = {
    "zero1-bf16": {"stage": 1, "dtype": "bf16"},
    "zero1-fp32-frozen": {"stage": 1, "dtype": "fp32", "model": {"frozen": True}},
    "zero2-bf16-tied": {"stage": 2, "dtype": "bf16", "model": {"tied": True}},
    # DeepSpeed 0.19.8 shows no moments of several groups of ZeRO-1 and 2 to who asks for them.
    "zero1-fp32-groups": {"stage": 1, "dtype": "fp32", "groups": 2, "keys": []},
    "zero2-fp32": {"stage": 2, "dtype": "fp32"},
    "zero3-bf16-frozen-tied": {"stage": 3, "dtype": "bf16", "model": {"frozen": True, "tied": True}},
    "zero3-fp32-groups": {"stage": 3, "dtype": "fp32", "groups": 2},
    "bf16-optimizer": {
        "stage": 1, "dtype": "bf16", "groups": 2, "config": {"data_types": {"grad_accum_dtype": "fp32"}}},
    "zero2-lion": {"stage": 2, "dtype": "fp32", "optimizer": "lion"},
    "zero2-adagrad": {"stage": 2, "dtype": "fp32", "optimizer": "adagrad"},
}


def config_of(case, world, universal):
    config = {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": SAMPLES // world,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "gradient_clipping": 1.0,
        "steps_per_print": 10**9,
        "zero_optimization": {"stage": case["stage"], "reduce_bucket_size": 10**6},
        "checkpoint": {"load_universal": universal},
        **case.get("config", {}),
    }
    if case["dtype"] != "fp32":
        config[case["dtype"]] = {"enabled": True}
    return config


def lion(groups):
    """Sign of a blend of gradient and momentum, in a few lines; its one state is exp_avg."""
    import torch

    class Lion(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 1e-3, "betas": (0.9, 0.99)})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    held = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                    blend = held.lerp(p.grad, 1 - group["betas"][0])
                    p.add_(blend.sign(), alpha=-group["lr"])
                    held.lerp_(p.grad, 1 - group["betas"][1])

    return Lion(groups)


def rank_main(job):
    """One rank of one run."""
    import deepspeed
    import torch
    import torch.distributed as dist
    from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

    import models

    case, world = job["case"], job["world"]
    deepspeed.init_distributed("gloo")
    # What is frozen, DeepSpeed does not bring back: it is there from the model that training began with.
    torch.manual_seed(1 if case.get("model", {}).get("frozen") else job["seed"])
    model = models.Tiny(**case.get("model", {}))
    trained = [p for p in model.parameters() if p.requires_grad]
    count = case.get("groups", 1)
    groups = [{"params": trained[i::count], "weight_decay": 0.1 * i} for i in range(count)]
    kind = case.get("optimizer", "adamw")
    optimizer = {
        "adamw": lambda: torch.optim.AdamW(groups, lr=1e-2),
        "adagrad": lambda: torch.optim.Adagrad(groups, lr=1e-2),
        "lion": lambda: lion(groups),
    }[kind]()
    keys = {"adamw": ["exp_avg", "exp_avg_sq"], "adagrad": ["sum"], "lion": ["exp_avg"]}[kind]
    keys = case.get("keys", keys)
    engine, *_ = deepspeed.initialize(
        model=model, optimizer=optimizer, config=config_of(case, world, "load" in job))
    if case["dtype"] == "fp32":
        engine.module.float()

    def step(number):
        losses = {}
        for turn in range(SAMPLES // world):
            sample = turn * world + dist.get_rank()
            numbers = torch.Generator().manual_seed(1000 * number + sample)
            ids = torch.randint(models_words(engine), (1, 5), generator=numbers)
            loss = engine(ids)
            losses[sample] = loss.item()
            engine.backward(loss)
            engine.step()
        every = [None] * world
        dist.all_gather_object(every, losses)
        return [value for _, value in sorted(sum((list(d.items()) for d in every), []))]

    def models_words(of):
        return of.module.words

    def held():
        state = {}
        for name, param in engine.module.named_parameters():
            if not param.requires_grad:
                continue
            state[name + "|fp32"] = safe_get_full_fp32_param(param)
            for key in keys:
                state[f"{name}|{key}"] = safe_get_full_optimizer_state(param, key)
        return {k: v.detach().clone().reshape(-1) for k, v in state.items() if v is not None}

    if "load" in job:
        path, client = engine.load_checkpoint(job["load"])
        if path is None or client.get("mark") != 17:
            raise RuntimeError(f"not loaded: {path}, {client}")
        if case["stage"] == 3:
            # DeepSpeed 0.19.8 gives all its partitions one count of steps, as one tensor, which torch's
            # optimizers then count up once for each of them.
            for state in engine.optimizer.optimizer.state.values():
                if torch.is_tensor(state.get("step")):
                    state["step"] = state["step"].clone()
    else:
        for number in range(BEFORE):
            step(number)
        engine.save_checkpoint(job["save"], client_state={"mark": 17})
    if engine.global_steps != BEFORE:
        raise RuntimeError(f"at step {engine.global_steps}")
    states = held()
    losses = [step(BEFORE + number) for number in range(AFTER)]
    if dist.get_rank() == 0:
        torch.save({"states": states, "losses": losses, "lr": optimizer.param_groups[0]["lr"]}, job["result"])
    dist.barrier()
    dist.destroy_process_group()


def run(job, folder, name):
    """All ranks of a run, each a process of its own that has all packages loaded already."""
    children = {}
    port = str(20000 + (os.getpid() * 7 + len(list(folder.parent.rglob("*.log")))) % 30000)
    for rank in range(job["world"]):
        child = os.fork()
        if child == 0:
            forked(job, folder / f"{name}-{rank}.log", rank, port)
        children[child] = rank
    failed = {}
    while children:
        child, status = os.wait()
        rank = children.pop(child)
        if status:
            failed[rank] = status
            # The others would wait for it.
            for other in children:
                os.kill(other, 9)
    if failed:
        last = "".join((folder / f"{name}-{rank}.log").read_text(encoding="utf-8")[-1500:] for rank in failed)
        raise RuntimeError(f"{name} failed: {last}")
    import torch

    return torch.load(job["result"], weights_only=False)


def forked(job, log, rank, port):
    """Runs a rank in this process, and ends it."""
    code = 1
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.environ.update(
            RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(job["world"]), MASTER_ADDR="127.0.0.1",
            MASTER_PORT=port)
        rank_main(job)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def compared(before, after, exact):
    """What is not the same, in a line; empty if all is."""
    import torch

    if not before["states"] or not before["states"].keys() <= after["states"].keys():
        return f"states of {sorted(before['states'].keys() - after['states'].keys())[:4]}"
    for name, tensor in before["states"].items():
        other = after["states"][name]
        if tensor.shape != other.shape or not torch.equal(tensor, other):
            return f"{name} differs"
    if before["losses"][0] != after["losses"][0]:
        return f"losses {before['losses'][0]} and {after['losses'][0]}"
    near = torch.allclose(torch.tensor(before["losses"][1]), torch.tensor(after["losses"][1]), rtol=exact)
    return "" if near else f"later losses {before['losses'][1]} and {after['losses'][1]}"


def converter(folder, reference):
    """The command that makes the universal checkpoint."""
    if reference:
        return [
            sys.executable, "-m", "deepspeed.checkpoint.ds_to_universal", "--inject_missing_state", "--input_folder",
            str(folder / "ckpt" / f"global_step{BEFORE}"), "--output_folder",
            str(folder / "universal" / f"global_step{BEFORE}_universal")]
    return [
        os.environ.get("REWEAVE", str(REWEAVE)), "convert", "-i", str(folder / "ckpt"), "-o", str(folder / "universal"), "--format", "universal",
        "--prove"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--reference", action="store_true")
    asked = parser.parse_args()
    os.environ.update(DS_ACCELERATOR="cpu", OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="")
    import deepspeed
    import torch

    torch.set_num_threads(1)
    wrong = 0
    chosen = {n: c for n, c in CASES.items() if not asked.only or any(fnmatch.fnmatch(n, o) for o in asked.only)}
    for name, case in chosen.items():
        folder = pathlib.Path(asked.folder).resolve() / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        found = []
        try:
            job = {"case": case, "world": 2, "seed": 1, "save": str(folder / "ckpt"), "result": str(folder / "saved.pt")}
            before = run(job, folder, "save")
            made = subprocess.run(converter(folder, asked.reference), capture_output=True, text=True, check=False)
            if made.returncode:
                raise RuntimeError(made.stderr or made.stdout)
            for world in (1, 2, 4):
                job = {"case": case, "world": world, "seed": 100 + world, "load": str(folder / "universal"),
                       "result": str(folder / f"loaded-{world}.pt")}
                after = run(job, folder, f"load-{world}")
                what = compared(before, after, 1e-5 if case["dtype"] == "fp32" else 2e-2)
                if what:
                    found.append(f"{world} ranks: {what}")
            said = "the same on 1, 2 and 4 ranks" if not found else "; ".join(found)
        except RuntimeError as failure:
            found.append("failed")
            said = str(failure)
        wrong += bool(found)
        print(f"{name}: {said}", flush=True)
    print(f"{len(chosen) - wrong} of {len(chosen)} right with torch {torch.__version__}, deepspeed "
          f"{deepspeed.__version__}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
