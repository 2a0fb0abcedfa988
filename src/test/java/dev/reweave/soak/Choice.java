package dev.reweave.soak;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * What one round does: all of it follows from the seed and the number of the round, but for how
 * long the machine takes.
 *
 * @param number of the round, from 0
 * @param made what is converted
 * @param old what is there before, and is replaced
 * @param source where the input is
 * @param options of the command that is killed, and of the one after it
 * @param again more options of the one after it
 * @param moment of the kill, from 0 to 1: see {@link Lengths#moment}
 */
record Choice(
    int number,
    String kind,
    Case made,
    Optional<Case> old,
    Source source,
    List<String> options,
    List<String> again,
    double moment) {
  private static final double REPLACING = 0.4;
  private static final double IN_STORE = 0.5;

  private static final List<List<String>> OPTIONS =
      List.of(
          List.of(),
          List.of(),
          List.of(),
          List.of("--no-resume"),
          List.of("--verify"),
          List.of("--no-proof", "--no-verify"));

  /** What the second command does beside: over a whole model it says that this may go. */
  private static final List<List<String>> AGAIN =
      List.of(List.of(), List.of(), List.of("--overwrite"), List.of("--overwrite", "--no-resume"));

  /** Where the input is. */
  enum Source {
    LOCAL_DISK,
    SAME_STORE
  }

  /** Chooses. */
  static Choice of(long seed, int number, List<String> kinds, List<Case> cases) {
    SplittableRandom random = new SplittableRandom(seed * 1_000_003 + number);
    String kind = kinds.get(number % kinds.size());
    Case made = one(random, cases);
    Optional<Case> old = Optional.empty();
    if (random.nextDouble() < REPLACING) {
      List<Case> others =
          cases.stream().filter(c -> !c.expected().hasBitsOf(made.expected())).toList();
      old = Optional.of(one(random, others));
    }
    Source source = random.nextDouble() < IN_STORE ? Source.SAME_STORE : Source.LOCAL_DISK;
    return new Choice(
        number,
        kind,
        made,
        old,
        source,
        one(random, OPTIONS),
        one(random, AGAIN),
        random.nextDouble());
  }

  private static <T> T one(SplittableRandom random, List<T> of) {
    return of.get(random.nextInt(of.size()));
  }
}
