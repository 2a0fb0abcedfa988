package dev.reweave.soak;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/** The rounds of one kind of store, counted. */
record Tally(String kind, List<Outcome> rounds) {
  Tally {
    rounds = List.copyOf(rounds);
  }

  private int count(Predicate<Outcome> which) {
    return (int) rounds.stream().filter(which).count();
  }

  private int sum(ToIntFunction<Outcome> of) {
    return rounds.stream().mapToInt(of).sum();
  }

  int failures() {
    return count(o -> !o.failures().isEmpty());
  }

  private Predicate<Outcome> killedAt(Outcome.Reached reached) {
    return o -> o.first().isKilled() && o.reached() == reached;
  }

  private Predicate<Outcome> killedAndSeen(Reader.State state) {
    return o -> o.first().isKilled() && o.seen().state() == state;
  }

  /** By heading of a column. */
  Map<String, Integer> counts() {
    Map<String, Integer> counts = new LinkedHashMap<>();
    counts.put("conversions", rounds.size());
    counts.put("killed", count(o -> o.first().isKilled()));
    counts.put("before it wrote", count(killedAt(Outcome.Reached.NOTHING_WRITTEN)));
    counts.put("while it staged", count(killedAt(Outcome.Reached.STAGED)));
    counts.put("while it published", count(killedAt(Outcome.Reached.PUBLISHING)));
    counts.put("behind its work", count(killedAt(Outcome.Reached.ENDED)));
    counts.put("ended by themselves", count(o -> !o.first().isKilled()));
    counts.put("replacing a model", count(o -> o.choice().old().isPresent()));
    counts.put("nothing visible after the kill", count(killedAndSeen(Reader.State.NOTHING)));
    counts.put("a whole model visible", count(killedAndSeen(Reader.State.WHOLE)));
    counts.put("a partial one seen", count(o -> o.seen().state() == Reader.State.PARTIAL));
    counts.put("made right by the rerun", count(Outcome::isMadeRight));
    counts.put("left over", sum(o -> o.ending().left().size()));
    counts.put("locks waited for", sum(Outcome::waits));
    counts.put("failures", failures());
    return counts;
  }
}
