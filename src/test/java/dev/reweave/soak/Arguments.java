package dev.reweave.soak;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What {@code submit/soak} was asked for.
 *
 * @param only the one round that is run again; empty for all
 * @param atOnce rounds side by side
 */
record Arguments(int conversions, List<String> kinds, long seed, OptionalInt only, int atOnce) {
  private static final List<String> KINDS = List.of("local", "hdfs", "s3", "minio");

  Arguments {
    kinds = List.copyOf(kinds);
    if (conversions < 1 || atOnce < 1) {
      throw new IllegalArgumentException("nothing to do");
    }
    for (String kind : kinds) {
      if (!KINDS.contains(kind)) {
        throw new IllegalArgumentException(kind + " is none of " + KINDS);
      }
    }
  }

  static Arguments of(List<String> words) {
    int conversions = 1000;
    List<String> kinds = KINDS;
    long seed = System.nanoTime() % 1_000_000;
    OptionalInt only = OptionalInt.empty();
    int atOnce = 2;
    for (int i = 0; i < words.size(); i += 2) {
      if (i + 1 == words.size()) {
        throw new IllegalArgumentException(words.get(i) + " needs a value");
      }
      String value = words.get(i + 1);
      switch (words.get(i)) {
        case "--conversions" -> conversions = Integer.parseInt(value);
        case "--kinds" -> kinds = List.of(value.split(",", -1));
        case "--seed" -> seed = Long.parseLong(value);
        case "--round" -> only = OptionalInt.of(Integer.parseInt(value));
        case "--at-once" -> atOnce = Integer.parseInt(value);
        default -> throw new IllegalArgumentException("unknown: " + words.get(i));
      }
    }
    return new Arguments(conversions, kinds, seed, only, atOnce);
  }

  /** The numbers of the rounds. */
  List<Integer> rounds() {
    return only.isPresent()
        ? List.of(only.getAsInt())
        : IntStream.range(0, conversions).boxed().toList();
  }

  /** The command that runs one of the rounds again. */
  String repeating(int round) {
    return "submit/soak --seed %d --kinds %s --round %d"
        .formatted(seed, String.join(",", kinds), round);
  }
}
