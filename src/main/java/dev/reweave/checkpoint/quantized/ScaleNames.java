package dev.reweave.checkpoint.quantized;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;

/**
 * What the tensors beside a quantized weight are called. The names are those of transformers and
 * DeepSeek ({@code weight_scale_inv}, and {@code gate_up_proj_scale_inv} of stacked experts),
 * compressed-tensors, ModelOpt and fbgemm ({@code weight_scale}), ComfyUI ({@code scale_weight},
 * and {@code weight_scale} since it knows several formats), Mistral ({@code qscale_weight}), and of
 * DeepSeek's own code ({@code scale}). All of them are factors, those called inverse too.
 */
final class ScaleNames {
  private static final String WEIGHT = "weight";
  private static final String PACKED = "weight_packed";

  /** Of what goes into a layer or comes out of it, which weights alone do not need. */
  private static final List<String> OF_ACTIVATIONS =
      List.of(
          "input_scale",
          "scale_input",
          "activation_scale",
          "input_scale_ub",
          "output_scale",
          "qscale_act");

  /** Of the keys and values that an attention caches: one number each. */
  private static final Set<String> OF_CACHES =
      Set.of("k_scale", "v_scale", "q_scale", "kv_scale", "prob_scale");

  private static final String COMFY_LAYER = "comfy_quant";
  private static final String COMFY_MODEL = "scaled_fp8";

  /** Beside a weight, what says that one scale is not all there is to know. */
  private static final List<String> BEYOND =
      List.of(
          "weight_scale_2",
          "weight_global_scale",
          "weight_scalar",
          "weight_zero_point",
          "pre_quant_scale",
          "SCB");

  private ScaleNames() {}

  /** What stands before {@code weight} in the names of a layer; the whole of other names. */
  private static String layer(String weight) {
    return isWeight(weight) ? weight.substring(0, weight.length() - WEIGHT.length()) : weight + "_";
  }

  /** Whether it is called as the weight of a layer. */
  static boolean isWeight(String name) {
    return name.equals(WEIGHT) || name.endsWith("." + WEIGHT);
  }

  /** The name of a weight, of which compressed-tensors writes the packed codes. */
  static String withoutPacking(String name) {
    return lastPart(name).equals(PACKED)
        ? name.substring(0, name.length() - PACKED.length()) + WEIGHT
        : name;
  }

  /** What the scales of a weight can be called. */
  static List<String> ofWeight(String weight) {
    String layer = layer(weight);
    return isWeight(weight)
        ? List.of(
            weight + "_scale_inv",
            weight + "_scale",
            layer + "scale_weight",
            layer + "qscale_weight",
            layer + "scale")
        : List.of(weight + "_scale_inv", weight + "_scale");
  }

  /** What may stand beside a weight and its scales, and goes with them. */
  static List<String> beside(String weight) {
    List<String> names =
        new ArrayList<>(OF_ACTIVATIONS.stream().map(n -> layer(weight) + n).toList());
    names.add(comfy(weight));
    return names;
  }

  /** ComfyUI's description of a layer. */
  static String comfy(String weight) {
    return layer(weight) + COMFY_LAYER;
  }

  /** What may stand beside a weight that needs more than its scales. */
  static List<String> beyond(String weight) {
    return BEYOND.stream().map(n -> layer(weight) + n).toList();
  }

  /** Whether it says that the model is quantized, and is nothing else. */
  static boolean isMarker(String name) {
    return lastPart(name).equals(COMFY_MODEL);
  }

  /** Whether it can be the scale of a cache. */
  static boolean isOfCache(String name) {
    return OF_CACHES.contains(lastPart(name));
  }

  /** Whether nothing but the scales of a weight is called so. */
  static boolean isScale(String name) {
    String last = lastPart(name);
    return last.endsWith("_scale_inv")
        || last.equals("weight_scale")
        || last.equals("scale_weight")
        || last.equals("qscale_weight");
  }

  /** Whether some scale, of weights or of activations, can be called so. */
  static boolean mayBeScale(String name) {
    return lastPart(name).contains("scale");
  }

  /**
   * A tensor that can only be the scale of a weight, under a name that no writer that is known
   * gives it: {@code w_scale}, {@code weight.scale} of torchao beside {@code weight.qdata}, {@code
   * _scale} beside {@code _data}.
   *
   * @param weight of which no scale is known
   * @param names of all tensors
   */
  static Optional<String> unknownOf(String weight, NavigableSet<String> names) {
    List<String> places = new ArrayList<>(List.of(weight + "_", weight + "."));
    String last = lastPart(weight);
    if (last.equals(WEIGHT) || last.contains("data")) {
      String module = weight.substring(0, weight.length() - last.length());
      places.add(module);
      places.add(module + WEIGHT + ".");
      if (module.endsWith("." + WEIGHT + ".")) {
        places.add(module.substring(0, module.length() - WEIGHT.length() - 1));
      }
    }
    for (String place : places) {
      for (String name : names.tailSet(place)) {
        if (!name.startsWith(place)) {
          break;
        }
        boolean beside = name.indexOf('.', place.length()) < 0;
        if (beside && !name.equals(weight) && isOfSomeWeight(lastPart(name))) {
          return Optional.of(name);
        }
      }
    }
    return Optional.empty();
  }

  private static boolean isOfSomeWeight(String last) {
    return last.contains("scale") && !OF_ACTIVATIONS.contains(last) && !OF_CACHES.contains(last);
  }

  /** Behind the last dot. */
  static String lastPart(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }
}
