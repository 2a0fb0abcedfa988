package dev.reweave.checkpoint.deepspeed;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of an expert's parameter in {@code deepspeed.moe.layer.MoE}: {@code
 * mlp.deepspeed_moe.experts.deepspeed_experts.3.fc.weight}. In a rank's own state the number counts
 * the experts that the rank has; in the files of experts, those of the whole model.
 *
 * @param before all before the number
 * @param number of the expert, from 0
 * @param after all behind it
 */
record ExpertName(String before, int number, String after) {
  // The last of several such parts of a name counts, as it does in DeepSpeed's own pattern.
  private static final Pattern NAME =
      Pattern.compile("(.*\\.deepspeed_moe\\.experts\\.deepspeed_experts\\.)(\\d{1,9})(.*)");

  /** Empty if a name is not that of an expert's parameter. */
  static Optional<ExpertName> of(String name) {
    Matcher m = NAME.matcher(name);
    return m.matches()
        ? Optional.of(new ExpertName(m.group(1), Integer.parseInt(m.group(2)), m.group(3)))
        : Optional.empty();
  }

  /** The same parameter of another expert of the layer. */
  String ofExpert(int other) {
    return before + other + after;
  }

  /** What the names of all parameters of the layer begin with, those of its gate among them. */
  String layer() {
    return before.substring(0, before.indexOf("experts.", before.lastIndexOf(".deepspeed_moe.")));
  }
}
