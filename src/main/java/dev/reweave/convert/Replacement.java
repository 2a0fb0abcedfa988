package dev.reweave.convert;

import dev.reweave.manifest.Manifest;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.SmallFile;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.ParallelCalls;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How a result takes the place of a model in an object store, where one object is replaced at a
 * time: what the new one needs comes beside the old one, one object decides which of them readers
 * find, and what only the old one had goes last.
 *
 * @param decides path of the index, or of the weights where they are in one file
 * @param old paths of what goes last, in this order
 * @param before paths of what the result has and the old model has too, each with the stamp of the
 *     old file
 */
record Replacement(String decides, List<String> old, Map<String, String> before) {

  /**
   * What replacing comes to.
   *
   * @param old paths of all that is there and must not stay as it is
   */
  static Replacement of(OutputFolder output, ConversionPlan plan, List<String> old) {
    List<String> made = new ArrayList<>(plan.paths());
    made.add(Manifest.FILE_NAME);
    List<String> both = made.stream().filter(old::contains).toList();
    Map<String, String> before = new HashMap<>();
    List<String> stamps = ParallelCalls.answers(both, path -> stamp(output, path));
    for (int i = 0; i < both.size(); i++) {
      before.put(both.get(i), stamps.get(i));
    }
    List<String> last = new ArrayList<>(old);
    last.removeAll(made);
    return new Replacement(decisive(plan), last, before);
  }

  private static String decisive(ConversionPlan plan) {
    List<PlannedFile> shards = plan.shards();
    return plan.index().map(SmallFile::path).orElseGet(() -> shards.get(shards.size() - 1).path());
  }

  private static String stamp(OutputFolder output, String path) {
    return output.file(path).map(InputFile::stamp).orElse("");
  }

  /** The stamp of the file that a file of the result takes the place of; empty if there is none. */
  String before(String path) {
    return before.getOrDefault(path, "");
  }

  /** Whether readers find the new model. */
  boolean isSwitched(OutputFolder output) {
    return output.file(decides).filter(f -> !f.stamp().equals(before(decides))).isPresent();
  }

  /**
   * Takes away what only the old model has.
   *
   * @return paths of what was there
   */
  List<String> removeOld(OutputFolder output) {
    List<String> gone = new ArrayList<>(old);
    gone.retainAll(output.names());
    Journal.removeModel(output, gone);
    return gone;
  }

  /**
   * Ends what a process left that was killed, with the one model whole that readers find: what is
   * left of the other is removed.
   *
   * @param plan which the process ran
   * @return paths of what was removed
   */
  List<String> settle(OutputFolder output, Journal journal, Journal.PlanState plan) {
    if (isSwitched(output)) {
      List<String> gone = new ArrayList<>(removeOld(output));
      // That of the old model says nothing of this one.
      if (!before(Manifest.FILE_NAME).isEmpty()
          && stamp(output, Manifest.FILE_NAME).equals(before(Manifest.FILE_NAME))) {
        output.remove(Manifest.FILE_NAME);
        gone.add(Manifest.FILE_NAME);
      }
      return gone;
    }
    List<String> gone =
        output.names().stream()
            .filter(plan::publishes)
            .filter(n -> !before.containsKey(n))
            .toList();
    Journal.removeAll(output, gone);
    for (String path : before.keySet()) {
      journal.kept(path).ifPresent(content -> output.publish(path, content));
    }
    return gone;
  }
}
