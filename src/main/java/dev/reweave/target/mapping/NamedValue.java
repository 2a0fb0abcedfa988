package dev.reweave.target.mapping;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * A number that rules of a mapping refer to, and where it is found.
 *
 * @param trained what of the trainer's own numbers tells it: the first that is there
 * @param configured what of the base's config tells it, the same
 * @param kind what holds where both tell it
 */
record NamedValue(List<Amount> trained, List<Amount> configured, Kind kind) {
  NamedValue {
    trained = List.copyOf(trained);
    configured = List.copyOf(configured);
  }

  /** What holds where trainer and base tell a number. */
  enum Kind {
    /** They have to say the same, and one of them has to say it. */
    SAME,
    /** The base can say more, and counts; it need not be known at all. */
    ROOM
  }

  OptionalLong ofTrainer(ModelFacts facts) {
    return first(trained, facts::trained);
  }

  OptionalLong ofBase(ModelFacts facts) {
    return first(configured, facts::configured);
  }

  private static OptionalLong first(List<Amount> from, Function<String, OptionalLong> numbers) {
    return from.stream()
        .map(amount -> amount.value(numbers))
        .filter(OptionalLong::isPresent)
        .findFirst()
        .orElse(OptionalLong.empty());
  }
}
