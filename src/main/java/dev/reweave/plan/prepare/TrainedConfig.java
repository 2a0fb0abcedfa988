package dev.reweave.plan.prepare;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.SmallFile;
import dev.reweave.target.base.ConfigFit;
import dev.reweave.target.mapping.MadeConfig;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The {@code config.json} that a mapping makes of the arguments that the trainer stored, where no
 * base has one.
 */
final class TrainedConfig {
  private static final String NAME = "config.json";

  private TrainedConfig() {}

  /**
   * Makes it; there is none of what is no whole model, or has no such mapping.
   *
   * @param most the floating-point type that most elements of the result have
   */
  static OwnConfigs of(
      Checkpoint checkpoint, Renaming renaming, PlanOptions planning, Optional<DType> most) {
    if (planning.only().isPresent()) {
      return OwnConfigs.NONE;
    }
    Map<String, TensorSpec> tensors = new HashMap<>();
    renaming.byName().forEach((name, tensor) -> tensors.put(name, tensor.spec()));
    Map<String, Shape> shapes = new HashMap<>();
    tensors.forEach((name, spec) -> shapes.put(name, spec.shape()));
    return renaming
        .mapping()
        .flatMap(mapping -> mapping.config(checkpoint.arguments().values(), shapes))
        .map(made -> of(made, tensors, most))
        .orElse(OwnConfigs.NONE);
  }

  private static OwnConfigs of(
      MadeConfig made, Map<String, TensorSpec> tensors, Optional<DType> most) {
    if (made.json().isEmpty()) {
      return OwnConfigs.told(made.notes());
    }
    ObjectNode json = made.json().get();
    List<String> contradictions = new ArrayList<>(ConfigFit.contradictions(json, tensors));
    ConfigFit.missingHead(json, tensors).ifPresent(contradictions::add);
    if (!contradictions.isEmpty()) {
      return OwnConfigs.told(
          List.of(
              "no config.json is made: what the trainer's arguments say does not fit the weights: "
                  + String.join("; ", contradictions)));
    }
    // Both the old and the new releases of transformers read this key.
    most.ifPresent(type -> json.put("torch_dtype", type.torchName()));
    List<String> notes = new ArrayList<>(made.notes());
    notes.add(
        "config.json is made of the trainer's arguments ("
            + json.path("architectures").path(0).asText()
            + "): the tokenizer, and which tokens begin and end a text, are not among them");
    return OwnConfigs.made(new SmallFile(NAME, MadeConfig.bytes(json)), notes);
  }
}
