"""The checkpoints that are made: a name, what it is there for, and how it is trained and saved.

A spec has: stage (of ZeRO), world (ranks), dtype (fp32, fp16, bf16), model (arguments of Tiny, or
kind of another model and its arguments), config (merged into DeepSpeed's), groups (of the
optimizer), still (words in names of parameters with a learning rate of 0: DeepSpeed 0.19.8 does not
sum the gradients of keys and values that two ranks hold, so that they would differ), save (arguments of save_checkpoint), init (built under
zero.Init), universal (saved by ds_to_universal too, which is
then what is converted), mesh (of FSDP2, in place of
DeepSpeed), args (of the conversion), wanted (master or module: which copy).
"""

ALIGNED = {"zero_optimization": {"parameter_alignment": True}}
ROUND_ROBIN = {"zero_optimization": {"round_robin_gradients": True}}
FP32_SUMS = {"data_types": {"grad_accum_dtype": "fp32"}}
# With the Adam of torch beside it: that of DeepSpeed would be compiled.
MUON = {"optimizer": {"type": "Muon", "params": {"lr": 0.01, "momentum": 0.9, "torch_adam": True}}}
FUSED = {"tensor_parallel": {"partition_config": {"use_default_specs": False, "layer_specs": [
    {"patterns": [r".*qkv_proj\.weight$"], "partition_type": "column", "shape": [[16, 8, 8], -1], "partition_dim": 0},
    {"patterns": [r".*gate_up_proj\.weight$"], "partition_type": "column", "shape": [2, -1], "partition_dim": 0},
    {"patterns": [r".*(o_proj|down_proj)\.weight$"], "partition_type": "row"}]}}}
ALL = {"tied": True, "frozen": True, "buffers": True, "one": True, "empty": True, "unused": True}


def merged(*configs):
    result = {}
    for config in configs:
        for key, value in config.items():
            result[key] = merged(result[key], value) if isinstance(value, dict) and key in result else value
    return result


def cases():
    """Yields (name, what, spec); those that have found most defects come first."""
    found = dict()

    def case(name, what, stage, world=2, dtype="bf16", **rest):
        if name in found:
            raise ValueError(f"two cases are called {name}")
        found[name] = (what, {"stage": stage, "world": world, "dtype": dtype, **rest})

    for stage in (1, 2):
        for world in (1, 2, 3, 4):
            case(f"align-z{stage}-w{world}", "parameter_alignment", stage, world,
                 model={"buffers": True, "one": True, "tied": world == 2}, config=ALIGNED)
        case(f"align-z{stage}-even", "parameter_alignment of sizes that leave hardly a gap", stage, 4,
             model={"even": True, "one": True}, config=ALIGNED)
        case(f"align-z{stage}-groups", "parameter_alignment, three groups", stage, 3,
             model=ALL, groups=3, config=ALIGNED)
        case(f"align-z{stage}-fp16", "parameter_alignment, fp16", stage, 2, "fp16",
             model=ALL, groups=2, config=ALIGNED)
        case(f"align-z{stage}-fp32", "parameter_alignment, fp32: other starts than in 16 bits", stage, 2, "fp32",
             model=ALL, groups=2, config=ALIGNED)
        case(f"align-z{stage}-off", "parameter_alignment false, as it is by default", stage, 3, groups=2,
             model=ALL, config={"zero_optimization": {"parameter_alignment": False}})
        case(f"uc-align-z{stage}", "universal checkpoint of one with parameter_alignment", stage, 2,
             model={"one": True}, groups=2, config=ALIGNED, universal=True)
    for world in (2, 3, 4):
        case(f"align-z2-round-robin-w{world}", "parameter_alignment, round robin, three groups", 2, world,
             model={"one": True, "buffers": True}, groups=3, config=merged(ALIGNED, ROUND_ROBIN))
    case("align-z1-bf16-optimizer", "parameter_alignment asked of BF16_Optimizer", 1, 3,
         model={"one": True}, groups=2, config=merged(ALIGNED, FP32_SUMS))

    for stage in (1, 2, 3):
        for dtype in ("fp32", "fp16", "bf16"):
            case(f"empty-z{stage}-{dtype}", "parameters without elements and with one", stage, 2, dtype,
                 model={"empty": True, "one": True})
        case(f"tied-z{stage}", "tied weights", stage, 2, model={"tied": True})
        case(f"uc-z{stage}", "universal checkpoint", stage, 2, model={}, universal=True)
        case(f"uc-z{stage}-all", "universal checkpoint: buffers, tied, frozen, empty, unused", stage, 2,
             model=ALL, universal=True)
        case(f"uc-z{stage}-tied", "universal checkpoint, tied", stage, 3, "fp16",
             model={"tied": True}, groups=2, universal=True)
        case(f"uc-z{stage}-buffers", "universal checkpoint: int, bool and float buffers", stage, 1,
             model={"buffers": True, "one": True}, universal=True)
    case("uc-z1-bf16-optimizer", "universal checkpoint of BF16_Optimizer", 1, 2,
         model=ALL, config=FP32_SUMS, universal=True)

    for stage in (1, 2, 3):
        for dtype in ("fp32", "fp16", "bf16"):
            for world in (1, 2, 3, 4):
                case(f"z{stage}-{dtype}-w{world}", "all that a model can have", stage, world, dtype,
                     model=ALL, groups=1 + world % 3)
        case(f"z{stage}-frozen", "frozen parameters", stage, 3, model={"frozen": True})
        case(f"z{stage}-exclude-frozen", "saved without frozen parameters", stage, 2, model={"frozen": True},
             save={"exclude_frozen_parameters": True}, args=["--dtype", "float32", "--exclude-frozen"],
             wanted="trained")
        case(f"z{stage}-buffer-fp32", "a buffer that keep_in_fp32_modules names", stage, 2,
             model={"buffers": True}, config={"data_types": {"keep_in_fp32_modules": ["scale"]}})
        case(f"z{stage}-to-bf16", "masters rounded", stage, 2, model=ALL, args=["--dtype", "bfloat16"])
        case(f"z{stage}-muon", "Muon", stage, 2, model={"one": True},
             config=MUON if stage < 3 else merged(MUON, {"zero_optimization": {"reduce_scatter": False}}))
    for stage in (1, 2):
        case(f"z{stage}-module", "the 16-bit module", stage, 2, model=ALL,
             args=["--weights", "model", "--dtype", "keep"], wanted="module")
        case(f"z{stage}-align-muon", "Muon with parameter_alignment", stage, 2, model={}, config=merged(MUON, ALIGNED))
    case("z2-round-robin", "round_robin_gradients, three groups", 2, 3, model=ALL, groups=3, config=ROUND_ROBIN)
    for world in (1, 2, 3, 4):
        case(f"z1-bf16-optimizer-w{world}", "BF16_Optimizer", 1, world, model=ALL, groups=1 + world % 3,
             config=FP32_SUMS)
    case("z2-fp32-sums", "ZeRO-2, gradients summed in fp32", 2, 2, model=ALL, config=FP32_SUMS)
    case("z1-muon-bf16-optimizer", "Muon under BF16_Optimizer", 1, 2, model={}, config=merged(MUON, FP32_SUMS))
    case("z3-sub-groups", "ZeRO-3, several sub-groups", 3, 2, model=ALL, groups=2,
         config={"zero_optimization": {"sub_group_size": 40}})
    case("z3-persistent", "ZeRO-3, no parameter kept whole", 3, 3, model=ALL,
         config={"zero_optimization": {"stage3_param_persistence_threshold": 0}})
    case("z3-init", "built under zero.Init", 3, 2, model=ALL, init=True)
    case("z3-16bit-model", "save_16bit_model", 3, 2, model={"tied": True, "frozen": True, "one": True},
         config={"zero_optimization": {"stage3_gather_16bit_weights_on_model_save": True}},
         gathered=True, args=["--dtype", "keep"], wanted="module")
    for dtype in ("fp32", "fp16", "bf16"):
        for world in (1, 2):
            case(f"z0-{dtype}-w{world}", "no ZeRO: the module", 0, world, dtype, model=ALL,
                 args=["--dtype", "keep"], wanted="module")

    for stage in (0, 1, 2):
        masters = {} if stage else {"args": ["--dtype", "keep"], "wanted": "module"}
        case(f"autotp-llama-z{stage}", "AutoTP, three key/value heads over two ranks", stage, 2,
             kind="llama", tensor=2, **masters)
        case(f"autotp-gpt-bigcode-z{stage}", "AutoTP, one key/value head: both ranks hold it, one has an empty slice",
             stage, 2, kind="gpt_bigcode", tensor=2, still=["c_attn"], **masters)
    for kind in ("qwen2", "gpt_neox", "codegen", "opt", "gptj"):
        case(f"autotp-{kind.replace('_', '-')}", f"AutoTP, {kind}", 1, 2, kind=kind, tensor=2)
        case(f"uc-autotp-{kind.replace('_', '-')}", f"universal checkpoint of AutoTP, {kind}", 2, 2, kind=kind, tensor=2,
             universal=True)
    for universal in (False, True):
        case("uc-" * universal + "autotp-fused", "AutoTP, fused parts of equal and unequal lengths", 1, 2, kind="fused",
             tensor=2, config=FUSED, universal=universal)
    case("autotp-llama-tied", "AutoTP, tied embeddings", 1, 2, kind="llama", tensor=2,
         model={"tie_word_embeddings": True})
    for stage in (1, 2):
        case(f"autotp-llama-z{stage}-w4", "AutoTP and data parallel", stage, 4, kind="llama", tensor=2)
        case(f"autotp-qwen2-z{stage}-align", "AutoTP and parameter_alignment", stage, 4, kind="qwen2", tensor=2,
             config=ALIGNED)
        case(f"uc-autotp-llama-z{stage}", "universal checkpoint of AutoTP", stage, 2, kind="llama", tensor=2,
             universal=True)

    # In bf16 it has BF16_Optimizer without ZeRO, too, whose masters Reweave does not take; it says so.
    for stage, dtype in ((0, "bf16"), (0, "fp16"), (1, "bf16"), (1, "fp16")):
        module = {} if stage else {"args": ["--weights", "model", "--dtype", "keep"], "wanted": "module"}
        case(f"pipe-z{stage}-{dtype}", "two pipeline stages", stage, 2, dtype, kind="pipe", pipe=2, **module)
        case(f"pipe-z{stage}-{dtype}-tied", "two pipeline stages with a tied layer, two data-parallel ranks", stage, 4,
             dtype, kind="pipe", pipe=2, model={"tied": True}, **module)
    case("pipe-z1-align", "two pipeline stages and parameter_alignment", 1, 2, kind="pipe", pipe=2, config=ALIGNED)
    for stage in (1, 2):
        case(f"moe-z{stage}", "experts over two ranks", stage, 2, kind="moe", model={"experts": 4, "parallel": 2})
        case(f"moe-z{stage}-w4", "experts over two of four ranks, each held twice", stage, 4, "fp16", kind="moe",
             model={"experts": 2, "parallel": 2})
    case("moe-z0", "experts, no ZeRO", 0, 2, kind="moe", model={"experts": 2, "parallel": 2},
         args=["--dtype", "keep"], wanted="module")
    case("moe-z2-align", "experts and parameter_alignment", 2, 2, kind="moe", model={"experts": 4, "parallel": 2},
         config=ALIGNED)

    for mesh in ([2], [3], [2, 2]):
        case(f"fsdp2-{'x'.join(map(str, mesh))}", "distributed checkpoint of torch, FSDP2", 0,
             4 if len(mesh) > 1 else mesh[0], "fp32", mesh=mesh, model={"buffers": True, "tied": mesh == [3]},
             args=["--dtype", "keep"])
    return [(name, what, spec) for name, (what, spec) in found.items()]
