"""One rank of one training run: trains, saves, and tells what the engine holds in memory."""

import os

import deepspeed
import torch
import torch.distributed as dist
from deepspeed.utils import safe_get_full_fp32_param

import models
from cases import merged

STEPS = 2


def config_of(spec):
    """DeepSpeed's configuration."""
    dtype, stage = spec["dtype"], spec["stage"]
    own = {
        "train_micro_batch_size_per_gpu": 2,
        "gradient_accumulation_steps": 2 if "pipe" in spec else 1,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "gradient_clipping": 1.0,
        "steps_per_print": 10**9,
    }
    if stage:
        own["zero_optimization"] = {"stage": stage, "reduce_bucket_size": 10**6}
    if dtype == "bf16":
        own["bf16"] = {"enabled": True}
    if dtype == "fp16":
        own["fp16"] = {"enabled": True, "initial_scale_power": 4}
    if "tensor" in spec:
        own["tensor_parallel"] = {"autotp_size": spec["tensor"]}
    return merged(own, spec.get("config", {}))


def model_of(spec):
    options, kind = spec.get("model", {}), spec.get("kind", "tiny")
    if kind == "moe":
        return models.Experts(**options)
    if kind == "pipe":
        return models.pipe(stages=spec["pipe"], **options)
    own = {"tiny": models.Tiny, "fused": models.Fused}
    return own[kind](**options) if kind in own else models.language_model(kind, **options)


def optimizer_of(model, spec):
    """AdamW over so many groups as the case wants; parameters come in turn, so that groups mix layers."""
    still = [p for n, p in model.named_parameters() if any(word in n for word in spec.get("still", []))]
    trained = [p for p in model.parameters() if p.requires_grad and all(p is not q for q in still)]
    count = spec.get("groups", 1)
    groups = [{"params": trained[i::count], "weight_decay": 0.1 * i} for i in range(count)]
    if spec.get("kind") == "moe":
        from deepspeed.moe.utils import split_params_into_different_moe_groups_for_optimizer as split

        groups = split([{"params": trained, "name": "all", "weight_decay": 0.1}])
    if still:
        groups.append({"params": still, "lr": 0.0})
    return torch.optim.AdamW(groups, lr=1e-2)


def step(engine, spec, seed):
    # Ranks of one tensor-parallel group must see the same data.
    seed = 1000 * seed + dist.get_rank() // spec.get("tensor", 1)
    numbers = torch.Generator().manual_seed(seed)
    if "pipe" in spec:
        words = models.PIPE_WORDS
        batch = torch.randint(words, (2, 5), generator=numbers)
        engine.train_batch(iter([(batch, batch)] * 4))
        return
    model = engine.module
    words = getattr(model, "words", None) or model.config.vocab_size
    ids = torch.randint(words, (2, 5), generator=numbers)
    loss = engine(input_ids=ids, labels=ids).loss if hasattr(model, "config") else engine(ids)
    engine.backward(loss)
    engine.step()


def gathered(param):
    """The whole parameter as the module holds it, a copy."""
    if getattr(param, "ds_numel", 1) == 0:
        return torch.zeros(param.ds_shape, dtype=param.dtype)
    with deepspeed.zero.GatheredParameters([param], enabled=hasattr(param, "ds_id")):
        return param.detach().clone()


def master(param):
    """The whole fp32 master, or the parameter itself where no optimizer has it."""
    held = gathered(param)
    if not param.requires_grad:
        return held
    if held.numel() == 0:
        return held.float()
    full = safe_get_full_fp32_param(param)
    if full is None:
        if held.dtype != torch.float32:
            raise RuntimeError("the engine gives no master of a trained parameter")
        return held
    full = full.detach().clone().reshape(held.shape)
    # A check of this script: the module's weight is the master, rounded.
    if not same_bits(full.to(held.dtype), held):
        raise RuntimeError("the master that the engine gives is not what the module holds, rounded")
    return full


def same_bits(one, other):
    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(
        one.contiguous().reshape(-1).view(torch.uint8), other.contiguous().reshape(-1).view(torch.uint8))


def places(spec):
    """Name -> where each element of this rank's slice stands in the whole parameter, its factor, the whole's shape.

    The engine itself says it: it slices a model whose weights are their own places, counted from 1.
    Its own way to join slices does not do, for it refuses layers that ranks share by an affine map.
    """
    def sliced(fill):
        model = model_of(spec)
        shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
        with torch.no_grad():
            for param in model.parameters():
                param.copy_(fill(param))
        config = {k: v for k, v in config_of(spec).items() if k not in ("zero_optimization", "bf16", "fp16")}
        engine, *_ = deepspeed.initialize(model=model, config=config)
        return {name: p.detach().clone() for name, p in engine.module.named_parameters()}, shapes

    counted, shapes = sliced(lambda p: torch.arange(1, p.numel() + 1, dtype=torch.float32).reshape(p.shape))
    factors, _ = sliced(torch.ones_like)
    return {name: ((counted[name] / factors[name]).long() - 1, factors[name], shapes[name]) for name in counted}


def tied_names(module):
    """Name -> the name under which named_parameters has the same parameter."""
    first = {}
    tied = {}
    for name, param in module.named_parameters(remove_duplicate=False):
        if first.setdefault(id(param), name) != name:
            tied[name] = first[id(param)]
    return tied


def expert_name(name, spec):
    """The name with the expert's number in the whole layer, in place of that on this rank."""
    marker = ".deepspeed_experts."
    if marker not in name:
        return name
    head, tail = name.split(marker)
    local, rest = tail.split(".", 1)
    here = spec["model"]["experts"] // spec["model"]["parallel"]
    number = (dist.get_rank() % spec["model"]["parallel"]) * here + int(local)
    return f"{head}{marker}{number}.{rest}"


def in_memory(engine, spec):
    """Name -> tensor of all that the conversion shall give, and the tied names, on this rank."""
    wanted = spec.get("wanted", "master")
    take = gathered if wanted == "module" else master
    tied = tied_names(engine.module)
    params = {name: p for name, p in engine.module.named_parameters() if wanted != "trained" or p.requires_grad}
    held = {name: take(p) for name, p in params.items()}
    if spec.get("kind") == "moe":
        held = {expert_name(name, spec): t for name, t in held.items()}
    if "pipe" in spec and wanted == "module":
        # The files of layers have no names but their numbers: a tied layer goes by its first one.
        held = {name.replace("tied_modules.words.", "0."): t for name, t in held.items()}
    for name, buffer in engine.module.named_buffers():
        owner, _, leaf = name.rpartition(".")
        if leaf not in engine.module.get_submodule(owner)._non_persistent_buffers_set:
            held[name] = buffer.detach().clone()
    return held, tied


def run_fsdp(folder, spec, seed):
    """The same with FSDP2 and a distributed checkpoint of torch, no DeepSpeed."""
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import get_model_state_dict
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model = model_of(spec)
    mesh = init_device_mesh("cpu", tuple(spec["mesh"]), mesh_dim_names=("replicas", "shards")[-len(spec["mesh"]):])
    for layer in model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = optimizer_of(model, spec)
    for number in range(STEPS):
        ids = torch.randint(model.words, (2, 5), generator=torch.Generator().manual_seed(seed + number))
        model(ids).backward()
        optimizer.step()
        optimizer.zero_grad()
    state = get_model_state_dict(model)
    dcp.save({"model": state}, checkpoint_id=f"{folder}/ckpt")
    tied = tied_names(model)
    return {name: value.full_tensor() if hasattr(value, "full_tensor") else value.clone()
            for name, value in state.items() if name not in tied}, tied


def run_engine(folder, spec, seed):
    """Trains with DeepSpeed, and saves; returns what this rank holds, tied names, and the optimizer."""
    deepspeed.init_distributed("gloo", dist_init_required=False)
    if spec.get("init"):
        with deepspeed.zero.Init(config_dict_or_path=config_of(spec)):
            model = model_of(spec)
    else:
        model = model_of(spec)
    if "optimizer" in spec.get("config", {}):
        owner = {"model_parameters": [p for p in model.parameters() if p.requires_grad]}
    else:
        owner = {"optimizer": optimizer_of(model, spec)}
    engine, *_ = deepspeed.initialize(model=model, config=config_of(spec), **owner)
    for number in range(STEPS):
        step(engine, spec, seed + number)
    if spec.get("gathered"):
        engine.save_16bit_model(f"{folder}/ckpt", "pytorch_model.bin")
    else:
        engine.save_checkpoint(f"{folder}/ckpt", **spec.get("save", {}))
    return *in_memory(engine, spec), type(engine.optimizer).__name__


def run(rank, folder, spec, seed):
    """Trains and saves into folder/ckpt; writes what this rank holds to folder/rank-N.pt."""
    world = spec["world"]
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world), LOCAL_SIZE=str(world))
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=world)
    if "mesh" in spec:
        (held, tied), optimizer = run_fsdp(folder, spec, seed), "AdamW"
    else:
        held, tied, optimizer = run_engine(folder, spec, seed)
    torch.save({"held": held, "tied": tied, "places": places(spec) if "tensor" in spec else {},
                "optimizer": optimizer}, f"{folder}/rank-{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()
