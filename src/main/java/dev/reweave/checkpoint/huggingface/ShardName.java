package dev.reweave.checkpoint.huggingface;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of one shard of several says: {@code model-00001-of-00003.safetensors}, and all
 * that people have made of it: {@code model-00001-of-000163.safetensors} of DeepSeek-V3, {@code
 * model-00001-of-00002.fp16.safetensors} of transformers, {@code model_1_of_2.bin}.
 *
 * @param before the number, with what parts them
 * @param number of the shard, from 1
 * @param digits that numbers have at least
 * @param after the number, up to the end
 * @param count of all shards
 * @param end what stands behind the count: a variant, if there is one, and the suffix
 */
record ShardName(String before, int number, int digits, String after, int count, String end) {
  private static final Pattern SHARD =
      Pattern.compile(
          "(?<before>.+?[-_.])(?<number>\\d{1,9})(?<after>[-_]of[-_](?<count>\\d{1,9})"
              + "(?<end>(\\.[A-Za-z0-9_-]+)?\\.(safetensors|bin|pt|pth)))");

  /** Empty if it is no such name. */
  static Optional<ShardName> of(String name) {
    Matcher matcher = SHARD.matcher(name);
    return matcher.matches()
        ? Optional.of(
            new ShardName(
                matcher.group("before"),
                Integer.parseInt(matcher.group("number")),
                matcher.group("number").length(),
                matcher.group("after"),
                Integer.parseInt(matcher.group("count")),
                matcher.group("end")))
        : Optional.empty();
  }

  /** What all shards are called, with the variant: {@code model.fp16}. */
  String stem() {
    return before.substring(0, before.length() - 1) + end.substring(0, end.lastIndexOf('.'));
  }

  /** The last suffix, with its dot. */
  String suffix() {
    return end.substring(end.lastIndexOf('.'));
  }

  /** What the names of all shards of the model have in common, and no others. */
  String common() {
    return before + after;
  }

  /** The name of another shard of the same model. */
  String other(int other) {
    return before + String.format(Locale.ROOT, "%0" + digits + "d", other) + after;
  }
}
