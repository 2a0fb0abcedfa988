package dev.reweave.checkpoint.quantized;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Tells weights that are quantized in a way that is not undone here, from what their formats call
 * them. The types must be those of packed numbers as well: a model may call its tensors as it
 * likes.
 */
final class ForeignWeights {
  private static final Set<DType> CODES =
      Set.of(DType.U8, DType.I8, DType.I16, DType.U16, DType.I32, DType.U32, DType.I64);

  private final Map<String, TensorSpec> tensors;

  /**
   * Tells among all tensors.
   *
   * @param tensors by name
   */
  ForeignWeights(Map<String, TensorSpec> tensors) {
    this.tensors = tensors;
  }

  /** The tensors that are quantized so, each with what it is. */
  Map<String, String> find() {
    Map<String, String> found = new LinkedHashMap<>();
    tensors.values().forEach(t -> kind(t).ifPresent(kind -> found.put(t.name(), kind)));
    return found;
  }

  private Optional<String> kind(TensorSpec tensor) {
    String name = tensor.name();
    if (tensor.dtype().isPacked()) {
      return Optional.of(tensor.dtype().torchName());
    }
    if (!CODES.contains(tensor.dtype())) {
      return Optional.empty();
    }
    return switch (ScaleNames.lastPart(name)) {
      case "qweight", "qzeros" -> Optional.of("GPTQ or AWQ");
      case "weight_packed" -> Optional.of("packed by compressed-tensors");
      case "W_q" -> Optional.of("HQQ");
      default -> ofPair(tensor);
    };
  }

  private Optional<String> ofPair(TensorSpec tensor) {
    String name = tensor.name();
    if (has(name + ".absmax") || has(name + ".quant_map")) {
      return Optional.of("bitsandbytes");
    }
    if (name.endsWith("_blocks")
        && has(name.substring(0, name.length() - "_blocks".length()) + "_scales")) {
      return Optional.of("mxfp4");
    }
    if (ScaleNames.isWeight(name) && ScaleNames.beyond(name).stream().anyMatch(this::has)) {
      return Optional.of(tensor.dtype().torchName() + " with more than scales");
    }
    List<String> scales = ScaleNames.ofWeight(name).stream().filter(this::has).toList();
    return scales.isEmpty()
        ? Optional.empty()
        : Optional.of(tensor.dtype().torchName() + " with " + ScaleNames.lastPart(scales.get(0)));
  }

  private boolean has(String name) {
    return tensors.containsKey(name);
  }
}
