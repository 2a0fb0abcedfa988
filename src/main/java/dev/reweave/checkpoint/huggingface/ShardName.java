package dev.reweave.checkpoint.huggingface;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of one shard of several says: {@code model-00001-of-00003.safetensors}.
 *
 * @param stem what is before the number
 * @param number of the shard, from 1
 * @param count of all shards
 * @param suffix with its dot
 */
record ShardName(String stem, int number, int count, String suffix) {
  private static final Pattern SHARD =
      Pattern.compile(
          "(?<stem>.+?)-(?<number>\\d{5})-of-(?<count>\\d{5})(?<suffix>\\.safetensors|\\.bin)");

  /** Empty if it is no such name. */
  static Optional<ShardName> of(String name) {
    Matcher matcher = SHARD.matcher(name);
    return matcher.matches()
        ? Optional.of(
            new ShardName(
                matcher.group("stem"),
                Integer.parseInt(matcher.group("number")),
                Integer.parseInt(matcher.group("count")),
                matcher.group("suffix")))
        : Optional.empty();
  }

  /** The name of another shard of the same model. */
  String other(int other) {
    return String.format(Locale.ROOT, "%s-%05d-of-%05d%s", stem, other, count, suffix);
  }
}
