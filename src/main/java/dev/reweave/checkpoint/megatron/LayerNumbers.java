package dev.reweave.checkpoint.megatron;

import java.util.Collection;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The numbers of layers in names, which each stage of the pipeline counts from 0: {@code
 * decoder.layers.0.…} of Megatron-Core, {@code language_model.encoder.layers.0.…} of the models
 * before it.
 */
final class LayerNumbers {
  private static final Pattern LAYER =
      Pattern.compile(
          "(?<before>(?:language_model\\.)?(?:decoder|encoder|transformer)\\.layers\\.)"
              + "(?<number>\\d{1,6})(?<after>\\..+)");

  private LayerNumbers() {}

  /**
   * How many layers names are of.
   *
   * @throws dev.reweave.common.ReweaveException if their numbers have a gap
   */
  static int count(Collection<String> names, String place) {
    TreeSet<Integer> numbers = new TreeSet<>();
    for (String name : names) {
      Matcher layer = LAYER.matcher(name);
      if (layer.matches()) {
        numbers.add(Integer.parseInt(layer.group("number")));
      }
    }
    if (!numbers.isEmpty() && numbers.last() != numbers.size() - 1) {
      throw MegatronFailures.gapInLayers(numbers.size(), numbers.last(), place);
    }
    return numbers.size();
  }

  /** The name with the number of its layer in the whole model. */
  static String shifted(String name, int before) {
    Matcher layer = LAYER.matcher(name);
    return layer.matches()
        ? layer.group("before")
            + (Integer.parseInt(layer.group("number")) + before)
            + layer.group("after")
        : name;
  }
}
