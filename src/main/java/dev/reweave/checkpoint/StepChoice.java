package dev.reweave.checkpoint;

import dev.reweave.common.ReweaveException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Several saved steps of one run, as {@code --average-tags} names them.
 *
 * @param tags those that are named; empty for the last ones
 * @param last how many of the last ones; 0 where they are named
 */
public record StepChoice(List<String> tags, int last) {
  private static final Pattern LAST = Pattern.compile("last:([1-9]\\d{0,5})");

  /** Fewer are no mean. */
  private static final int FEWEST = 2;

  public StepChoice {
    tags = List.copyOf(tags);
  }

  /**
   * What was given.
   *
   * @throws IllegalArgumentException if it names fewer than two steps, or one twice
   */
  public static StepChoice parse(String text) {
    Matcher matcher = LAST.matcher(text);
    boolean counted = matcher.matches();
    StepChoice choice =
        counted
            ? new StepChoice(List.of(), Integer.parseInt(matcher.group(1)))
            : new StepChoice(Arrays.stream(text.split(",", -1)).map(String::strip).toList(), 0);
    boolean enough =
        counted
            ? choice.last >= FEWEST
            : choice.tags.size() >= FEWEST
                && new HashSet<>(choice.tags).size() == choice.tags.size()
                && choice.tags.stream().noneMatch(String::isEmpty);
    if (!enough) {
      throw new IllegalArgumentException(
          "'" + text + "' is not two or more tags with commas between them, each once, nor last:N");
    }
    return choice;
  }

  /** The first that is named; empty where they are counted. */
  public Optional<String> first() {
    return tags.stream().findFirst();
  }

  /** Whether they are named, so that it does not matter what is saved meanwhile. */
  public boolean isNamed() {
    return last == 0;
  }

  /**
   * The steps by name.
   *
   * @param saved all that there are, in natural order
   * @param place where they lie, for messages
   * @throws ReweaveException if there are not so many
   */
  public StepChoice among(List<String> saved, String place) {
    if (isNamed()) {
      return this;
    }
    if (saved.size() < last) {
      throw CheckpointFailures.fewerSteps(last, saved, place);
    }
    return new StepChoice(saved.subList(saved.size() - last, saved.size()), 0);
  }

  /** As {@link #parse} takes it. */
  @Override
  public String toString() {
    return isNamed() ? String.join(",", tags) : "last:" + last;
  }
}
