package dev.reweave.checkpoint.dcp;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a bucket of {@code DistributedOptimizer}'s {@code dp_reshardable} state, as {@code
 * sharded_param_state_dp_reshardable} makes it.
 *
 * @param optimizer which of several chained ones
 * @param group index of the model-parallel rank: all data-parallel ranks of it share the bucket
 * @param buffer index of the buffer: one for each type of parameters of each stage of the rank
 * @param type of the parameters, such as {@code torch.bfloat16}
 * @param index in the buffer
 */
record Bucket(String name, int optimizer, int group, int buffer, String type, int index) {
  private static final Pattern NAME =
      Pattern.compile(
          "(?:chained_([0-9]{1,6})\\.)?optimizer\\.distributed\\.dp_group_idx_([0-9]{1,9})"
              + "\\.gbuf_idx_([0-9]{1,6})\\.dtype_\\((torch\\.\\w+), torch\\.\\w+\\)"
              + "\\.bucket_idx_([0-9]{1,9})\\.param");

  static final Comparator<Bucket> IN_ORDER =
      Comparator.comparingInt(Bucket::optimizer)
          .thenComparingInt(Bucket::group)
          .thenComparingInt(Bucket::buffer)
          .thenComparingInt(Bucket::index);

  /** What a tensor's name tells, if it is one of the masters in a bucket. */
  static Optional<Bucket> of(String name) {
    Matcher matcher = NAME.matcher(name);
    return matcher.matches()
        ? Optional.of(
            new Bucket(
                name,
                matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                Integer.parseInt(matcher.group(3)),
                matcher.group(4),
                Integer.parseInt(matcher.group(5))))
        : Optional.empty();
  }
}
