package dev.reweave.checkpoint.dcp;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a tensor tells of where a GPT model of Megatron-Core registers it.
 *
 * @param layer {@link #STACKED} where all layers are one tensor; 0 outside of layers
 * @param kind the rest of the name, which all layers and experts share
 * @param expert {@link #STACKED} where all experts are one tensor; 0 outside of experts
 * @param half which half of a gated {@code linear_fc1}, where they are two tensors
 */
record ParameterName(Unit unit, long layer, String kind, long expert, int half) {
  /** The number is an index of the tensor. */
  static final long STACKED = -1;

  /** In what order the units of a model are registered. */
  enum Unit {
    EMBEDDING,
    LAYER,
    BEHIND
  }

  private static final Pattern LAYERS =
      Pattern.compile("(?:module\\.)?decoder\\.layers\\.(?:([0-9]{1,9})\\.)?([a-z].*)");
  private static final Pattern EXPERTS =
      Pattern.compile(
          "(mlp\\.experts\\.experts\\.)(?:([0-9]{1,9})\\.)?(linear_fc[12]\\.(?:weight|bias)(?:_[wv])?)");
  private static final Pattern HALVES =
      Pattern.compile("(.*\\blinear_fc1\\.(?:weight|bias))_([wv])");
  private static final Pattern EMBEDDINGS = Pattern.compile("(?:module\\.)?(embedding\\..+)");
  private static final Pattern ENDS =
      Pattern.compile("(?:module\\.)?(decoder\\.final_layernorm\\..+|output_layer\\..+)");

  /** Empty if it is none of a GPT model. */
  static Optional<ParameterName> of(String name) {
    Matcher layers = LAYERS.matcher(name);
    if (layers.matches()) {
      String kind = layers.group(2);
      Matcher experts = EXPERTS.matcher(kind);
      boolean isExpert = experts.matches();
      long expert = isExpert ? number(experts.group(2)) : 0;
      String whole = isExpert ? experts.group(1) + experts.group(3) : kind;
      Matcher halves = HALVES.matcher(whole);
      boolean isHalf = halves.matches();
      return Optional.of(
          new ParameterName(
              Unit.LAYER,
              number(layers.group(1)),
              isHalf ? halves.group(1) : whole,
              expert,
              isHalf && halves.group(2).equals("v") ? 1 : 0));
    }
    return of(Unit.EMBEDDING, EMBEDDINGS.matcher(name))
        .or(() -> of(Unit.BEHIND, ENDS.matcher(name)));
  }

  private static Optional<ParameterName> of(Unit unit, Matcher matcher) {
    return matcher.matches()
        ? Optional.of(new ParameterName(unit, 0, matcher.group(1), 0, 0))
        : Optional.empty();
  }

  private static long number(String digits) {
    return digits == null ? STACKED : Long.parseLong(digits);
  }
}
