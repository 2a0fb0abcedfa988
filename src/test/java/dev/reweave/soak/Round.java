package dev.reweave.soak;

import dev.reweave.manifest.Manifest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Starts a conversion, kills it, looks at what is there, runs it again, and looks again. */
final class Round {
  private static final String FOLDER = "model/";

  /** The lock of a process that died while it wrote it falls behind three minutes. */
  private static final Duration LOCK = Duration.ofSeconds(190);

  private static final String LOCKED = "another job is at work on this output";
  private static final String OVERWRITE = "--overwrite";
  private static final String UP_TO_DATE = "up to date";

  private final Choice choice;
  private final Store store;
  private final Inputs.Input input;
  private final Lengths lengths;
  private final Evidence evidence;

  private final List<String> failed = new ArrayList<>();
  private int waits;

  Round(Choice choice, Store store, Inputs inputs, Lengths lengths, Evidence evidence) {
    this.choice = choice;
    this.store = store;
    this.input = inputs.of(choice);
    this.lengths = lengths;
    this.evidence = evidence;
  }

  /** Runs it; what was wrong is kept. */
  Outcome run() throws IOException, InterruptedException {
    try (Site site = store.site("round-" + choice.number())) {
      choice.old().ifPresent(old -> evidence.note("old model: " + old.name()));
      if (choice.old().isPresent()) {
        site.put(inFolder(choice.old().get().expected().files()));
      }
      Command.Ended first = kill(site);
      Map<String, byte[]> after = site.files();
      Reader.Seen seen = reader().look(Ending.below(after, FOLDER));
      if (seen.state() == Reader.State.PARTIAL) {
        // A store can have answered the last request of the killed process between two files.
        after = site.files();
        seen = reader().look(Ending.below(after, FOLDER));
      }
      requireEnd(first, seen);
      evidence.keep("after-first", after);
      again(site);
      Map<String, byte[]> end = site.files();
      evidence.keep("after-second", end);
      Ending.Complaints ending =
          new Ending(choice.made().expected(), FOLDER, names()).look(end, site.openUploads());
      failed.addAll(input.changed());
      Outcome.Reached reached = reached(after);
      if (first.isKilled()) {
        lengths.killed(choice.kind(), reached);
      }
      Outcome outcome = new Outcome(choice, first, seen, reached, failed, ending, waits);
      if (!outcome.failures().isEmpty()) {
        evidence.write(outcome.failures());
      }
      site.remove();
      return outcome;
    }
  }

  private static Map<String, byte[]> inFolder(Map<String, byte[]> files) {
    Map<String, byte[]> inFolder = new TreeMap<>();
    files.forEach((path, content) -> inFolder.put(FOLDER + path, content));
    return inFolder;
  }

  private List<String> command(Site site, List<String> more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "convert",
                "-i",
                input.address(),
                "-o",
                site.address() + "/" + FOLDER.substring(0, FOLDER.length() - 1)));
    arguments.addAll(choice.made().arguments());
    arguments.addAll(choice.options());
    if (choice.old().isPresent()) {
      arguments.add(OVERWRITE);
    }
    more.stream().filter(option -> !arguments.contains(option)).forEach(arguments::add);
    return Command.reweave(site.settings(), arguments);
  }

  private Command.Ended kill(Site site) throws IOException, InterruptedException {
    List<String> command = command(site, List.of());
    Duration after = lengths.moment(choice.kind(), choice.moment());
    evidence.note("killed after " + after.toMillis() + " ms: " + String.join(" ", command));
    Command.Ended first = Command.kill(command, evidence.log("first"), after);
    evidence.note("ended with " + first.exitCode() + " after " + first.seconds() + " s");
    return first;
  }

  private void requireEnd(Command.Ended first, Reader.Seen seen) {
    if (first.isKilled()) {
      return;
    }
    if (first.exitCode() != 0) {
      failed.add("the first command failed by itself with " + first.exitCode());
    } else if (!seen.why().startsWith(choice.made().expected().name())) {
      failed.add("the first command ended by itself without its model");
    } else if (!first.said().contains(UP_TO_DATE)) {
      lengths.add(choice.kind(), first.seconds());
    }
  }

  /** What the second command has beside: a whole model is only made anew where it may go. */
  private List<String> more() {
    List<String> more = new ArrayList<>(choice.again());
    if (choice.options().contains("--no-resume") && !more.contains(OVERWRITE)) {
      more.add(OVERWRITE);
    }
    return more;
  }

  private void again(Site site) throws IOException, InterruptedException {
    List<String> command = command(site, more());
    evidence.note("then: " + String.join(" ", command));
    Command.Ended second = Command.run(command, evidence.log("second"));
    while (second.exitCode() != 0 && second.said().contains(LOCKED) && waits < 2) {
      waits++;
      evidence.note("waiting for the lock");
      Thread.sleep(LOCK.toMillis());
      second = Command.run(command, evidence.log("second"));
    }
    if (second.exitCode() != 0) {
      failed.add("the second command failed with " + second.exitCode() + ": " + second.said());
    } else if (!second.said().contains(UP_TO_DATE)) {
      lengths.add(choice.kind(), second.seconds());
    }
  }

  private boolean isObjectStore() {
    return store instanceof S3Store;
  }

  private Reader reader() {
    List<Model> models = new ArrayList<>(List.of(choice.made().expected()));
    choice.old().ifPresent(old -> models.add(old.expected().as("old " + old.name())));
    return new Reader(
        models,
        choice.old().isPresent() && isObjectStore()
            ? Reader.Wanted.ALWAYS_A_MODEL
            : Reader.Wanted.MODEL_OR_NOTHING);
  }

  private Ending.Names names() {
    boolean replaces = choice.old().isPresent() || more().contains(OVERWRITE);
    return replaces && isObjectStore() ? Ending.Names.SPARE : Ending.Names.USUAL;
  }

  private Outcome.Reached reached(Map<String, byte[]> after) {
    Map<String, byte[]> before =
        choice.old().map(old -> inFolder(old.expected().files())).orElse(Map.of());
    boolean isKept = after.keySet().stream().anyMatch(path -> path.contains("/.reweave"));
    boolean isChanged = !Reader.visible(after).keySet().equals(before.keySet());
    if (!isKept) {
      return isMade(after) ? Outcome.Reached.ENDED : Outcome.Reached.NOTHING_WRITTEN;
    }
    return isChanged || after.containsKey(FOLDER + ".reweave/publishing")
        ? Outcome.Reached.PUBLISHING
        : Outcome.Reached.STAGED;
  }

  private boolean isMade(Map<String, byte[]> after) {
    byte[] manifest = after.get(FOLDER + Manifest.FILE_NAME);
    return manifest != null
        && choice
            .old()
            .map(old -> !Arrays.equals(old.expected().files().get(Manifest.FILE_NAME), manifest))
            .orElse(true);
  }
}
