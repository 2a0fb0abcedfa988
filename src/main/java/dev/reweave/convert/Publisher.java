package dev.reweave.convert;

import dev.reweave.manifest.Manifest;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.SmallFile;
import dev.reweave.plan.prepare.Strays;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.OutputLock;
import dev.reweave.storage.ParallelCalls;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes a staged result visible: what is copied first, then shards, each whole, then configs, the
 * index, the pipeline's index, and the manifest last. What an earlier conversion left, and what
 * loaders would take in the result's place, goes away in the opposite order, so that no index ever
 * names a file that is not there.
 */
final class Publisher {
  private final OutputFolder output;
  private final Journal journal;

  Publisher(OutputFolder output, Journal journal) {
    this.output = output;
    this.journal = journal;
  }

  /**
   * Publishes what tasks wrote. Without an index it is no model yet, but where there is one shard.
   *
   * @param earlier paths of the files of the conversion that is replaced
   * @param lock of the output, which must still be held
   */
  void publishFiles(
      ConversionPlan plan,
      PlanRunner.Staged staged,
      Collection<String> earlier,
      OutputLock.Held lock) {
    Asked asked = ask(lock);
    if (!asked.publishing()) {
      if (asked.names().contains(Manifest.FILE_NAME)) {
        output.remove(Manifest.FILE_NAME);
      }
      removeEarlier(plan, asked.names(), earlier);
      // From here on, what is visible is of this plan: a later process must not remove it again.
      journal.publishing();
    }
    publish(plan.copied(), staged);
    publish(plan.shards(), staged);
  }

  /** What is there. */
  private record Asked(boolean publishing, List<String> names) {}

  /** Each answer takes a store as long as all at once. */
  private Asked ask(OutputLock.Held lock) {
    boolean[] publishing = {false};
    List<String> names = new ArrayList<>();
    ParallelCalls.askAll(
        lock::check,
        () -> publishing[0] = journal.isPublishing(),
        () -> names.addAll(output.names()));
    return new Asked(publishing[0], names);
  }

  /** Publishes what makes it a model: configs, indexes, the manifest. */
  void publishIndex(ConversionPlan plan, Manifest manifest) {
    var unused = ParallelCalls.allAnswers(plan.configs(), this::publish);
    for (SmallFile file : plan.smallFiles()) {
      if (!plan.configs().contains(file)) {
        publish(file);
      }
    }
    output.publish(Manifest.FILE_NAME, manifest.toJson());
  }

  private SmallFile publish(SmallFile file) {
    output.publish(file.path(), file.content());
    return file;
  }

  private void publish(List<PlannedFile> files, PlanRunner.Staged staged) {
    List<String> paths = files.stream().map(PlannedFile::path).toList();
    var unused =
        ParallelCalls.allAnswers(
            paths,
            path -> {
              output.publish(staged.files().get(path), staged.states().get(path).receipts());
              return path;
            });
  }

  private void removeEarlier(
      ConversionPlan plan, List<String> present, Collection<String> earlier) {
    List<String> planned = new ArrayList<>();
    plan.last().forEach(f -> planned.add(f.path()));
    plan.index().ifPresent(f -> planned.add(f.path()));
    plan.configs().forEach(f -> planned.add(f.path()));
    plan.files().forEach(f -> planned.add(f.path()));
    Set<String> old = new LinkedHashSet<>(planned);
    old.addAll(earlier);
    old.addAll(Strays.among(present, planned));
    // Indexes first.
    old.retainAll(present);
    old.stream().filter(n -> n.endsWith(".json")).forEach(output::remove);
    Journal.removeAll(output, old.stream().filter(n -> !n.endsWith(".json")).toList());
  }
}
