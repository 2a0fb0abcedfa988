package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.PickleWriter.Call;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.PickleWriter.Tuple;
import dev.reweave.testing.SyntheticOptions.Moments;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the files of ZeRO-2 and 3 have in common, as DeepSpeed 0.19.6 writes them under bf16. */
final class DeepSpeedTrees {
  static final String VERSION = "0.19.6";

  private final SyntheticOptions options;

  DeepSpeedTrees(SyntheticOptions options) {
    this.options = options;
  }

  Map<Object, Object> modelStates(Map<?, ?> module, List<TensorSpec> params) {
    Map<Object, Object> shapes = dict();
    for (TensorSpec param : params) {
      // A string of its own, as in real files, not a reference to the name in the module.
      shapes.put(String.copyValueOf(param.name().toCharArray()), PickleWriter.size(param.shape()));
    }
    return dict(
        "module",
        new OrderedDict(module, dict("_metadata", metadata(params))),
        "buffer_names",
        List.of(),
        "optimizer",
        null,
        "param_shapes",
        List.of(new OrderedDict(shapes)),
        "frozen_param_shapes",
        new OrderedDict(dict()),
        "shared_params",
        dict(),
        "frozen_param_fragments",
        new OrderedDict(dict()),
        "lr_scheduler",
        null,
        "data_sampler",
        null,
        "random_ltd",
        null,
        "sparse_tensor_module_names",
        new Call("__builtin__", "set", List.of(List.of())),
        "skipped_steps",
        0,
        "global_steps",
        1,
        "global_samples",
        options.world(),
        "dp_world_size",
        options.world(),
        "mp_world_size",
        1,
        "checkpoint_parallel_dimensions",
        dict("pp_degree", 1, "tp_degree", 1),
        "ds_config",
        config(),
        "ds_version",
        VERSION);
  }

  /** The versions of all modules, outer ones first, that {@code state_dict()} leaves. */
  private static OrderedDict metadata(List<TensorSpec> params) {
    Map<Object, Object> versions = dict("", dict("version", 1));
    for (TensorSpec param : params) {
      for (int dot = param.name().indexOf('.');
          dot >= 0;
          dot = param.name().indexOf('.', dot + 1)) {
        versions.putIfAbsent(param.name().substring(0, dot), dict("version", 1));
      }
    }
    return new OrderedDict(versions);
  }

  Map<Object, Object> optimizerFile(Map<Object, Object> state) {
    return dict("optimizer_state_dict", state, "ds_config", config(), "ds_version", VERSION);
  }

  private Map<Object, Object> config() {
    Map<Object, Object> zero = dict("stage", options.stage());
    if (options.stage() == 3) {
      zero.put("stage3_param_persistence_threshold", 0);
      zero.put("sub_group_size", options.subGroupElements());
      zero.put("stage3_gather_16bit_weights_on_model_save", true);
    }
    return dict(
        "train_micro_batch_size_per_gpu",
        1,
        "gradient_accumulation_steps",
        1,
        "zero_allow_untested_optimizer",
        true,
        "steps_per_print",
        1_000_000_000,
        "gradient_clipping",
        1.0,
        "zero_optimization",
        zero,
        "bf16",
        dict("enabled", true));
  }

  static Instance lossScaler() {
    return new Instance(
        "deepspeed.runtime.fp16.loss_scaler",
        "LossScaler",
        dict("cur_scale", 1.0, "dynamic", false));
  }

  /**
   * The state of AdamW.
   *
   * @param groups first and second moments of each of its parameters: the flat (sub-)groups
   */
  Map<Object, Object> adam(TorchFile file, List<List<StorageContent>> groups) {
    Map<Object, Object> state = dict();
    List<Integer> indices = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      indices.add(g);
      if (options.moments() == Moments.ADAM) {
        TensorValue step = file.add(oneStep()).view(0, Shape.SCALAR);
        TensorValue first = file.vector(groups.get(g).get(0));
        TensorValue second = file.vector(groups.get(g).get(1));
        state.put(g, dict("step", step, "exp_avg", first, "exp_avg_sq", second));
      }
    }
    Map<Object, Object> group =
        dict(
            "lr",
            0.01,
            "betas",
            new Tuple(List.of(0.9, 0.999)),
            "eps",
            1e-8,
            "weight_decay",
            0.01,
            "amsgrad",
            false,
            "maximize",
            false,
            "foreach",
            null,
            "capturable",
            false,
            "differentiable",
            false,
            "fused",
            null,
            "decoupled_weight_decay",
            true,
            "params",
            indices);
    return dict("state", state, "param_groups", List.of(group));
  }

  private static StorageContent oneStep() {
    ByteBuffer step = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(1);
    return StorageContent.of(DType.F32, step.array());
  }
}
