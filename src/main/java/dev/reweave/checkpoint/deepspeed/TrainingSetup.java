package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchValue;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * What the configuration that DeepSpeed saves beside the weights says.
 *
 * @param stage ZeRO stage; 0 where nothing is said
 * @param worldSize data-parallel ranks; 1 where nothing is said
 * @param precision {@code fp32}, {@code fp16}, {@code bf16}, or empty where nothing is said
 * @param quantizesFrozen whether ZeRO++ keeps frozen parameters as integers with scales
 * @param roundRobin whether ZeRO-1 and 2 put parameters into flat groups in another order than the
 *     module's
 */
record TrainingSetup(
    int stage, int worldSize, String precision, boolean quantizesFrozen, boolean roundRobin)
    implements Serializable {
  /** Where nothing is known, not even a stage. */
  static final TrainingSetup UNKNOWN = new TrainingSetup(-1, 1, "", false, false);

  static TrainingSetup of(TorchValue root) {
    Optional<TorchValue> config = root.find("ds_config").filter(TorchValue::isDict);
    Optional<TorchValue> zero = config.flatMap(c -> c.find("zero_optimization"));
    String precision = config.isPresent() ? "fp32" : "";
    for (String key : List.of("fp16", "bf16", "bfloat16")) {
      if (isTrue(config.flatMap(c -> c.find(key)), "enabled")) {
        precision = key.equals("fp16") ? key : "bf16";
      }
    }
    return new TrainingSetup(
        number(zero.flatMap(z -> z.find("stage")), 0),
        number(root.find("dp_world_size"), 1),
        precision,
        isTrue(zero, "zero_quantized_nontrainable_weights"),
        isTrue(zero, "round_robin_gradients"));
  }

  private static boolean isTrue(Optional<TorchValue> dict, String key) {
    return dict.flatMap(d -> d.find(key))
        .filter(TorchValue::isTruth)
        .map(TorchValue::truth)
        .orElse(false);
  }

  private static int number(Optional<TorchValue> value, int otherwise) {
    return value
        .filter(TorchValue::isInteger)
        .map(v -> (int) Math.min(Integer.MAX_VALUE, v.integer()))
        .orElse(otherwise);
  }
}
