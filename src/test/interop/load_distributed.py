#!/usr/bin/env python3
"""Converts checkpoints with --format dcp, and has torch.distributed.checkpoint load each on several processes.

usage: load_distributed.py FOLDER [--reweave FILE] [--only PATTERN]...

Each case gets a folder with out/ as submit/reweave made it. On one, two and three processes that talk by gloo, torch
loads it into plain tensors, into DTensors that are cut along each dimension, and into a model that FSDP2 has sharded;
all have to be bit for bit what is expected. What out/.metadata tells has to be what torch's own save tells of a state
dict that is cut in the same way, but for where in the files it lies.
Exit code 1 if one case is not so.
"""

import argparse
import dataclasses
import fnmatch
import os
import pickle
import shutil
import socket
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
import torch.multiprocessing as multiprocessing
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint.filesystem import CURRENT_DCP_VERSION
from torch.distributed.checkpoint.metadata import ChunkStorageMetadata, TensorStorageMetadata
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

PROJECT = Path(__file__).resolve().parents[3]
FIXTURES = PROJECT / "src/test/resources/fixtures"
WORLDS = (1, 2, 3)
SECONDS = 300


@dataclasses.dataclass
class Case:
    """What is converted, and with which options; expected is a safetensors file that holds the same."""

    input: Path
    expected: Path
    args: list


def fixture(name, *args):
    return lambda folder: Case(FIXTURES / name / "ckpt", FIXTURES / name / "expected.safetensors", list(args))


def many_types(*args):
    """Tensors of all types and odd shapes, some of which lie in several items."""
    def make(folder):
        torch.manual_seed(5)
        tensors = {
            "wide": torch.randn(301, 1003), "block.deep": torch.randn(2, 3, 40007).half(), "none": torch.zeros(0, 5),
            "scalar": torch.tensor(1.5), "bf16": torch.randn(3, 71, 211).bfloat16(), "bool": torch.rand(3, 5) > 0.5,
            "long": torch.arange(40009), "byte": torch.randint(0, 255, (70001,), dtype=torch.uint8),
            "float8": torch.randn(100, 900).to(torch.float8_e4m3fn), "complex": torch.randn(5, 7, dtype=torch.complex64),
            "uint16": torch.arange(300).to(torch.uint16), "double": torch.randn(11, dtype=torch.float64),
            "name.with/all kinds of 'signs' \u00e4": torch.randn(3)}
        (folder / "in").mkdir()
        save_file(tensors, folder / "in/model.safetensors")
        return Case(folder / "in", folder / "in/model.safetensors", ["--dtype", "keep", *args])

    return make


CASES = {
    "zero1": fixture("z1_fp16_w2"),
    "zero2-shards": fixture("z2_bf16_w2", "--max-shard-size", "400"),
    "zero3": fixture("z3_fp16_w3"),
    "zero3-tied": fixture("z3_bf16_w2_tied"),
    "fsdp2": fixture("dcp_fsdp2_w3", "--dtype", "keep"),
    "types": many_types(),
    "types-in-items": many_types("--chunk-size", "64KB", "--max-shard-size", "700KB"),
}


def bits(tensor):
    tensor = tensor.detach().contiguous().reshape(-1)
    return tensor.view(torch.uint8) if tensor.numel() else tensor


def require_same(found, expected, name):
    if found.dtype != expected.dtype or found.shape != expected.shape:
        raise AssertionError(f"{name} is {found.dtype} {tuple(found.shape)}, not {expected.dtype} {tuple(expected.shape)}")
    if not torch.equal(bits(found), bits(expected)):
        raise AssertionError(f"{name} has other bits")


def other(tensor):
    """A tensor of the same type and shape that holds something else."""
    return (bits(tensor).clone() ^ 0x55).view(tensor.dtype).reshape(tensor.shape) if tensor.numel() else tensor.clone()


def sharded(tensors, mesh, dim):
    """DTensors cut along a dimension; those that torch cannot cut so are whole everywhere."""
    cut = {}
    for name, tensor in tensors.items():
        placement = Shard(dim) if tensor.dim() > dim and tensor.numel() else Replicate()
        cut[name] = distribute_tensor(other(tensor), mesh, [placement], src_data_rank=None)
    return cut


class Holder(torch.nn.Module):
    """A model whose parameters have the names of a state dict."""

    def __init__(self, tensors):
        super().__init__()
        for name, tensor in tensors.items():
            module = self
            *path, last = name.split(".")
            for part in path:
                if part not in dict(module.named_children()):
                    module.add_module(part, torch.nn.Module())
                module = getattr(module, part)
            module.register_parameter(last, torch.nn.Parameter(other(tensor)))


def load(rank, world, port, folder, expected_file):
    """One process of several."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    warnings.filterwarnings("ignore")
    dist.init_process_group("gloo", rank=rank, world_size=world)
    try:
        expected = load_file(expected_file)
        plain = {name: other(tensor) for name, tensor in expected.items()}
        dcp.load(plain, checkpoint_id=folder)
        for name, tensor in expected.items():
            require_same(plain[name], tensor, name)
        mesh = init_device_mesh("cpu", (world,))
        # gloo does not carry all types: each process cuts out its own part, and compares what it loads with that.
        for dim in (0, 1):
            cut = sharded(expected, mesh, dim)
            dcp.load(cut, checkpoint_id=folder)
            for name, tensor in expected.items():
                part = distribute_tensor(tensor, mesh, cut[name].placements, src_data_rank=None)
                require_same(cut[name].to_local(), part.to_local(), f"{name} along {dim}")
        fsdp(expected, mesh, folder)
    finally:
        dist.destroy_process_group()


def fsdp(expected, mesh, folder):
    """A model that FSDP2 has sharded; it shards floating-point tensors with elements."""
    from torch.distributed.fsdp import fully_shard

    shardable = {n: t for n, t in expected.items() if t.dtype in (torch.float32, torch.bfloat16, torch.float16)
                 and t.dim() > 0 and t.numel() and " " not in n}
    by_type = {}
    for name, tensor in shardable.items():
        by_type.setdefault(tensor.dtype, {})[name] = tensor
    for tensors in by_type.values():
        model = Holder(tensors)
        fully_shard(model, mesh=mesh)
        state = model.state_dict()
        if set(state) != set(tensors):
            raise AssertionError(f"the model has other names: {sorted(set(state) ^ set(tensors))}")
        dcp.load(state, checkpoint_id=folder)
        model.load_state_dict(state)
        for name, parameter in model.named_parameters():
            require_same(parameter.full_tensor(), tensors[name], f"FSDP2 {name}")


def metadata_of_torch(expected, ours, folder):
    """What torch's own save tells of the same tensors, cut as ours are."""
    from torch.distributed.checkpoint.default_planner import DefaultSavePlanner
    from torch.distributed.checkpoint.metadata import MetadataIndex, TensorProperties
    from torch.distributed.checkpoint.planner import SavePlan, TensorWriteData, WriteItem, WriteItemType

    class Planner(DefaultSavePlanner):
        def create_local_plan(self):
            items = []
            for name, told in ours.state_dict_metadata.items():
                tensor = self.state_dict[name]
                for chunk in told.chunks:
                    items.append(WriteItem(
                        index=MetadataIndex(name, chunk.offsets), type=WriteItemType.SHARD,
                        tensor_data=TensorWriteData(
                            chunk=ChunkStorageMetadata(torch.Size(chunk.offsets), torch.Size(chunk.sizes)),
                            properties=TensorProperties.create_from_tensor(tensor), size=tensor.size())))
            self.plan = dataclasses.replace(SavePlan(items), planner_data=self.mappings)
            return self.plan

        def lookup_object(self, index):
            tensor = self.state_dict[index.fqn]
            told = ours.state_dict_metadata[index.fqn]
            chunk = next(c for c in told.chunks if tuple(c.offsets) == tuple(index.offset))
            for dim, (offset, size) in enumerate(zip(chunk.offsets, chunk.sizes)):
                tensor = tensor.narrow(dim, offset, size)
            return tensor.clone()

    shutil.rmtree(folder, ignore_errors=True)
    state = {name: expected[name] for name in ours.state_dict_metadata}
    dcp.save(state, checkpoint_id=folder, planner=Planner(), no_dist=True)
    return read_metadata(folder)


def read_metadata(folder):
    with open(folder / ".metadata", "rb") as file:
        return pickle.load(file)


def without_strides(told):
    """torch writes strides from 2.15 on, and those before it do not take them."""
    same = {}
    for name, tensor in told.items():
        assert isinstance(tensor, TensorStorageMetadata), name
        same[name] = dataclasses.replace(tensor, properties=dataclasses.replace(tensor.properties, strides=None))
    return same


def compare_metadata(expected, folder, work):
    ours = read_metadata(folder)
    theirs = metadata_of_torch(expected, ours, work)
    if list(ours.state_dict_metadata) != list(theirs.state_dict_metadata):
        raise AssertionError("the metadata has its tensors in another order")
    if without_strides(ours.state_dict_metadata) != without_strides(theirs.state_dict_metadata):
        raise AssertionError("the metadata tells otherwise of a tensor")
    if ours.planner_data != theirs.planner_data:
        raise AssertionError("the metadata tells otherwise how names lead to tensors")
    def index(metadata):
        return sorted((i.fqn, tuple(i.offset), i.index) for i in metadata.storage_data)
    if index(ours) != index(theirs):
        raise AssertionError("the metadata has other indexes of items")
    lengths = {(i.fqn, tuple(i.offset)): place.length for i, place in theirs.storage_data.items()}
    for i, place in ours.storage_data.items():
        if place.length != lengths[(i.fqn, tuple(i.offset))]:
            raise AssertionError(f"an item of {i.fqn} has {place.length} bytes, torch's {lengths[(i.fqn, tuple(i.offset))]}")
        if place.transform_descriptors is not None:
            raise AssertionError(f"an item of {i.fqn} is transformed")
    if ours.version != theirs.version or ours.version != CURRENT_DCP_VERSION:
        raise AssertionError(f"version {ours.version}, torch's {theirs.version}")
    fields = [{f.name for f in dataclasses.fields(m) if hasattr(m, f.name)} for m in (ours.storage_meta, theirs.storage_meta)]
    if fields[0] != fields[1]:
        raise AssertionError(f"what is told of the save has fields {fields}")
    return len(ours.storage_data)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def convert(reweave, case, out, log):
    command = [str(reweave), "convert", "-i", str(case.input), "-o", str(out), "--format", "dcp", *case.args]
    with open(log, "w") as file:
        if subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, timeout=SECONDS).returncode:
            raise AssertionError("conversion failed: " + log.read_text()[-1500:])


def run(name, make, reweave, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    case = make(folder)
    out = folder / "out"
    convert(reweave, case, out, folder / "convert.log")
    expected = load_file(case.expected)
    items = compare_metadata(expected, out, folder / "torchs")
    for world in WORLDS:
        multiprocessing.spawn(load, args=(world, free_port(), str(out), str(case.expected)), nprocs=world)
    shards = len(list(out.glob("*.distcp")))
    return f"{len(expected)} tensors, {items} items in {shards} file{'s' if shards > 1 else ''}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reweave", type=Path, default=PROJECT / "submit/reweave")
    parser.add_argument("--only", action="append", default=[])
    args = parser.parse_args()
    chosen = [n for n in CASES if not args.only or any(fnmatch.fnmatch(n, p) for p in args.only)]
    if not chosen:
        sys.exit(f"no case is called so: {', '.join(args.only)}; there are {', '.join(CASES)}")
    print(f"torch {torch.__version__}, on {', '.join(map(str, WORLDS))} processes", flush=True)
    wrong = 0
    for name in chosen:
        try:
            print(f"right  {name}: {run(name, CASES[name], args.reweave, args.folder / name)}", flush=True)
        except Exception as failure:
            wrong += 1
            (args.folder / name / "failure.log").write_text(traceback.format_exc())
            print(f"WRONG  {name}: {failure}", flush=True)
    print(f"{len(chosen) - wrong} of {len(chosen)} cases are right", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
