package dev.reweave.checkpoint.deepspeed;

import dev.reweave.format.pytorch.TorchValue;
import java.io.Serializable;
import java.util.Optional;

/**
 * How many ranks the model was spread over.
 *
 * @param size tensor- times pipeline-parallel ranks; 1 where nothing is said
 * @param pipeline pipeline stages, and {@code tensor} tensor-parallel ranks of each; 0 where
 *     nothing is said
 */
record ParallelDegrees(long size, long pipeline, long tensor) implements Serializable {
  static ParallelDegrees of(TorchValue root) {
    Optional<TorchValue> dims =
        root.find("checkpoint_parallel_dimensions").filter(TorchValue::isDict);
    return new ParallelDegrees(
        number(root.find("mp_world_size"), 1),
        number(dims.flatMap(d -> d.find("pp_degree")), 0),
        number(dims.flatMap(d -> d.find("tp_degree")), 0));
  }

  private static long number(Optional<TorchValue> value, long otherwise) {
    return value.filter(TorchValue::isInteger).map(TorchValue::integer).orElse(otherwise);
  }
}
