#!/usr/bin/env python3
"""Makes a checkpoint of Megatron-Core's distributed optimizer on the CPU, and writes its fp32 masters.

usage: make_megatron.py FOLDER [--tp N] [--pp N] [--ep N] [--dp N] [--bucket ELEMENTS] ...

FOLDER gets ckpt/ as megatron-core (tried: 0.16.1) saves it in the form dp_reshardable, and
expected_fp32.safetensors: the masters that the optimizers of all ranks held in memory, put in the place
of the model's own parameters and then where Megatron-Core's own sharded state dict puts these. Ranks
are processes that talk by gloo. It needs torch, megatron-core, safetensors and numpy.
"""

import argparse
import contextlib
import logging
import os
import shutil
import socket
import warnings
import zlib

os.environ.update(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1", TORCHDYNAMO_DISABLE="1")
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch
import torch.distributed as dist
import torch.multiprocessing
from safetensors.torch import save_file


def stay_on_cpu():
    """Megatron-Core asks for CUDA where it needs none: what it calls does nothing, or is on the CPU."""
    torch.compile = lambda f=None, **_: f if f else (lambda g: g)
    torch.cuda.is_available = lambda: False
    torch.cuda.current_device = lambda: "cpu"
    torch.cuda.synchronize = lambda *_, **__: None
    torch.cuda.stream = lambda *_, **__: contextlib.nullcontext()
    stream = type("Stream", (), {"wait_stream": lambda *_: None, "wait_event": lambda *_: None, "synchronize": lambda *_: None})
    torch.cuda.current_stream = lambda *_, **__: stream()
    torch.cuda.FloatTensor = lambda data=(), *_: torch.tensor(data, dtype=torch.float32)
    torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *_, **__: self
    for name in ("tensor", "zeros", "empty", "ones", "full"):
        make = getattr(torch, name)

        def on_cpu(*args, make=make, **kwargs):
            if str(kwargs.get("device", "")).startswith("cuda"):
                kwargs["device"] = "cpu"
            return make(*args, **kwargs)

        setattr(torch, name, on_cpu)
    # The optimizer sorts parameters by the names of their types, and knows those of CUDA alone.
    named = torch.Tensor.type
    torch.Tensor.type = lambda self, *args, **kwargs: (
        named(self, *args, **kwargs) if args or kwargs else named(self).replace("torch.", "torch.cuda."))


def seeded(name, shape, *numbers):
    generator = torch.Generator().manual_seed(zlib.crc32(repr((name, numbers)).encode()))
    return torch.randn(shape, generator=generator)


def model(ps, options):
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.models.gpt.gpt_model import GPTModel
    from megatron.core.tensor_parallel.random import CudaRNGStatesTracker
    from megatron.core.transformer.transformer_config import TransformerConfig

    CudaRNGStatesTracker.fork = lambda self, name=None: contextlib.nullcontext()
    config = TransformerConfig(
        num_layers=options.layers, hidden_size=options.hidden, num_attention_heads=4, num_query_groups=2,
        add_qkv_bias=options.biases, ffn_hidden_size=24, num_moe_experts=options.experts or None,
        moe_ffn_hidden_size=24 if options.experts else None,
        gated_linear_unit=True, activation_func=torch.nn.functional.silu, add_bias_linear=False, normalization="RMSNorm",
        use_cpu_initialization=True, gradient_accumulation_fusion=False, bias_activation_fusion=False,
        masked_softmax_fusion=False, bias_dropout_fusion=False, apply_rope_fusion=False,
        tensor_model_parallel_size=options.tp, pipeline_model_parallel_size=options.pp,
        expert_model_parallel_size=options.ep, params_dtype=torch.bfloat16, pipeline_dtype=torch.bfloat16)
    gpt = GPTModel(
        config, get_gpt_layer_local_spec(num_experts=options.experts or None, moe_grouped_gemm=False, normalization="RMSNorm"),
        vocab_size=32, max_sequence_length=32, pre_process=ps.is_pipeline_first_stage(),
        post_process=ps.is_pipeline_last_stage(), share_embeddings_and_output_weights=options.tied,
        position_embedding_type="rope").to(torch.bfloat16)
    for name, parameter in gpt.named_parameters():
        parameter.data.copy_((1 if "norm" in name else 0) + 0.25 * values(ps, name, parameter, "weight"))
    return config, gpt


def values(ps, name, parameter, what):
    """Others for each slice and each expert; the same for copies of one parameter."""
    stage = ps.get_pipeline_model_parallel_rank()
    rank = ps.get_tensor_model_parallel_rank() if getattr(parameter, "tensor_model_parallel", False) else 0
    expert = ps.get_expert_model_parallel_rank() if "experts" in name else 0
    if name == "output_layer.weight" and getattr(parameter, "shared_embedding", False):
        name, stage = "embedding.word_embeddings.weight", 0
    return seeded(name, parameter.shape, what, stage, rank, expert)


def in_order_of_transformer_engine(gpt):
    """Its layers cannot be made without a GPU, but the order in which they have their parameters can.

    A norm is a part of the projection behind it, and of the experts of a layer the first weights stand
    before the second ones.
    """
    parameters = list(gpt.named_parameters())

    def place(number):
        name, _ = parameters[number]
        if ".input_layernorm." in name:
            return next(n for n in range(number, len(parameters)) if ".linear_qkv." in parameters[n][0]) - 0.5, 0, 0
        if ".local_experts." in name:
            block = name[:name.index("local_experts.")]
            first = next(n for n, (other, _) in enumerate(parameters) if other.startswith(block + "local_experts."))
            return first, name.endswith("linear_fc2.weight"), number
        return number, 0, 0

    ordered = [parameters[number] for number in sorted(range(len(parameters)), key=place)]
    gpt.named_parameters = lambda *_, **__: iter(ordered)


def trained(ps, config, gpt, options):
    """The optimizer after one step, from which masters are finer than the weights."""
    from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig
    from megatron.core.optimizer import OptimizerConfig, get_megatron_optimizer

    gradients = {parameter: values(ps, name, parameter, "gradient") for name, parameter in gpt.named_parameters()}
    if options.fused:
        in_order_of_transformer_engine(gpt)
    ddp = DistributedDataParallel(
        config, DistributedDataParallelConfig(
            use_distributed_optimizer=True, grad_reduce_in_fp32=True, overlap_grad_reduce=options.bucket > 0,
            bucket_size=options.bucket or None),
        gpt, disable_bucketing=not options.bucket)
    optimizer = get_megatron_optimizer(
        OptimizerConfig(optimizer="adam", lr=1e-3, weight_decay=0.0, bf16=True, params_dtype=torch.bfloat16,
                        use_distributed_optimizer=True, clip_grad=0.0), [ddp], use_gloo_process_groups=True)
    for parameter, gradient in gradients.items():
        parameter.main_grad.copy_(gradient)
    for one in getattr(optimizer, "chained_optimizers", [optimizer]):
        for group in one.param_groups:
            group["lr"] = 1e-3
        one.step()
    ddp.start_param_sync(force_sync=True)
    return optimizer


def masters(ps, gpt, optimizer):
    """By name of the parameter on this rank; each data-parallel rank has a piece."""
    names = {parameter: name for name, parameter in gpt.named_parameters()}
    pieces = {}
    for one in getattr(optimizer, "chained_optimizers", [optimizer]):
        for parameters, shards in zip(one.model_float16_groups, one.shard_fp32_from_float16_groups):
            for parameter, shard in zip(parameters, shards):
                piece = one._get_model_param_range_map(parameter)["param"]
                pieces[names[parameter]] = (piece.start, piece.end, shard.detach().clone())
    here = (ps.get_tensor_model_parallel_rank(), ps.get_pipeline_model_parallel_rank())
    expert = ps.get_expert_model_parallel_rank()
    gathered = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, (here, expert, pieces))
    whole = {}
    for name, parameter in gpt.named_parameters():
        flat = torch.full((parameter.numel(),), float("nan"))
        for there, of_expert, others in gathered:
            if there == here and name in others and (of_expert == expert or "experts" not in name):
                start, end, shard = others[name]
                flat[start:end] = shard
        whole[name] = flat.view(parameter.shape)
        assert torch.equal(whole[name].to(torch.bfloat16), parameter.data), name
    return whole


def in_their_places(gpt, whole, metadata):
    """Tensors of the checkpoint's names, made of the masters of all ranks."""
    from megatron.core.dist_checkpointing.mapping import ShardedTensor, apply_factories

    for name, parameter in gpt.named_parameters():
        parameter.data = whole[name]
    state = gpt.sharded_state_dict(metadata=metadata)
    apply_factories(state)
    mine = []

    def visit(value):
        if isinstance(value, ShardedTensor):
            mine.append((value.key, value.global_shape, value.global_offset, value.data.detach().clone()))
        elif isinstance(value, (dict, list)):
            for part in value.values() if isinstance(value, dict) else value:
                visit(part)

    visit(state)
    gathered = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, mine)
    tensors = {}
    for key, shape, offset, data in (piece for rank in gathered for piece in rank):
        whole = tensors.setdefault(key, torch.full(shape, float("nan")))
        data = data.reshape((1,) * (len(shape) - data.dim()) + tuple(data.shape))
        whole[tuple(slice(o, o + s) for o, s in zip(offset, data.shape))] = data
    assert not any(tensor.isnan().any() for tensor in tensors.values())
    return tensors


def without_moments(state):
    """A fixture needs the masters alone."""
    if isinstance(state, dict):
        return {k: without_moments(v) for k, v in state.items() if k not in ("exp_avg", "exp_avg_sq")}
    return [without_moments(v) for v in state] if isinstance(state, list) else state


def rank_process(rank, world, port, options):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE=str(world), LOCAL_RANK=str(rank))
    stay_on_cpu()
    from megatron.core import dist_checkpointing, parallel_state as ps

    dist.init_process_group("gloo")
    ps.initialize_model_parallel(tensor_model_parallel_size=options.tp, pipeline_model_parallel_size=options.pp, expert_model_parallel_size=options.ep)
    config, gpt = model(ps, options)
    optimizer = trained(ps, config, gpt, options)
    metadata = {"singleton_local_shards": options.singleton, "chained_optim_avoid_prefix": True, "distrib_optim_sharding_type": "dp_reshardable"}
    with_group = dict(metadata, dp_cp_group=ps.get_data_parallel_group(with_context_parallel=True))
    weights = gpt.sharded_state_dict(metadata=with_group)
    state = optimizer.sharded_state_dict(weights, metadata=with_group)
    step = os.path.join(options.folder, "ckpt", "iter_0000010")
    if rank == 0:
        os.makedirs(step)
    dist.barrier()
    arguments = argparse.Namespace(
        num_layers=options.layers, hidden_size=options.hidden, num_attention_heads=4, num_query_groups=2, group_query_attention=True,
        tensor_model_parallel_size=options.tp, pipeline_model_parallel_size=options.pp)
    dist_checkpointing.save(
        {"iteration": 10, "checkpoint_version": 3.0, "args": arguments, "model": weights, "optimizer": state if options.moments else without_moments(state)},
        step, content_metadata=metadata)
    tensors = in_their_places(gpt, masters(ps, gpt, optimizer), with_group)
    if rank == 0:
        save_file(tensors, os.path.join(options.folder, "expected_fp32.safetensors"), {"format": "pt"})
        with open(os.path.join(options.folder, "ckpt", "latest_checkpointed_iteration.txt"), "w") as latest:
            latest.write("10")
    dist.barrier()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    for name, value in {"tp": 1, "pp": 1, "ep": 1, "dp": 2, "layers": 2, "hidden": 16, "experts": 0, "bucket": 0}.items():
        parser.add_argument("--" + name, type=int, default=value)
    for name in ("fused", "tied", "singleton", "biases", "moments"):
        parser.add_argument("--" + name, action="store_true")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    os.makedirs(options.folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    world = options.tp * options.pp * options.dp
    torch.multiprocessing.start_processes(rank_process, args=(world, port, options), nprocs=world, start_method="fork")


if __name__ == "__main__":
    main()
