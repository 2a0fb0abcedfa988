package dev.reweave.soak;

import java.util.ArrayList;
import java.util.List;

/**
 * What a round came to.
 *
 * @param first how the command ended that was to be killed
 * @param seen what a reader found then
 * @param reached how far it had come
 * @param failed what went wrong beside what was seen and what was left, in words
 * @param ending what is wrong behind the second command
 * @param waits how often a lock had to grow old that its killed holder had not written to its end
 */
record Outcome(
    Choice choice,
    Command.Ended first,
    Reader.Seen seen,
    Reached reached,
    List<String> failed,
    Ending.Complaints ending,
    int waits) {
  /** How far a command had come when it ended. */
  enum Reached {
    /** There is no trace of it. */
    NOTHING_WRITTEN,
    /** Something is kept out of sight. */
    STAGED,
    /** It began to make files visible, or to take old ones away. */
    PUBLISHING,
    /** It took away all that it kept. */
    ENDED
  }

  Outcome {
    failed = List.copyOf(failed);
  }

  /** Of a round that did not come to its end. */
  static Outcome broken(Choice choice, Exception why) {
    return new Outcome(
        choice,
        new Command.Ended(0, 0, ""),
        new Reader.Seen(Reader.State.NOTHING, ""),
        Reached.NOTHING_WRITTEN,
        List.of("the round broke off: " + why),
        new Ending.Complaints(List.of(), List.of()),
        0);
  }

  /** Whether the second command gave the right model. */
  boolean isMadeRight() {
    return failed.isEmpty() && ending.wrong().isEmpty();
  }

  /** All that is wrong, in words. */
  List<String> failures() {
    List<String> failures = new ArrayList<>(failed);
    if (seen.state() == Reader.State.PARTIAL) {
      failures.add("PARTIAL MODEL SEEN: " + seen.why());
    }
    failures.addAll(ending.wrong());
    ending.left().forEach(path -> failures.add("left over: " + path));
    return failures;
  }
}
