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
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a staged result visible: what is copied first, then shards, each whole, then configs, the
 * index, the pipeline's index, and the manifest last. What an earlier conversion left, and what
 * loaders would take in the result's place, goes away before, in the opposite order, so that no
 * index ever names a file that is not there; in an object store it goes last, so that there is a
 * whole model at any time.
 */
final class Publisher {
  private final OutputFolder output;
  private final Journal journal;
  private Optional<Replacement> replacement = Optional.empty();

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
    if (asked.publishing()) {
      replacement = journal.replacement();
    } else {
      begin(plan, asked.names(), earlier);
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

  private void begin(ConversionPlan plan, List<String> present, Collection<String> earlier) {
    Set<String> old = old(plan, present, earlier);
    // Where nothing but the names of files ties several of them together, old ones must go first.
    boolean isOne = plan.index().isPresent() || plan.shards().size() == 1;
    if (!old.isEmpty() && isOne && !output.showsStaged() && !isTaken(plan, present)) {
      Replacement begun = Replacement.of(output, plan, List.copyOf(old));
      if (plan.index().isEmpty()) {
        // What it says must not stand beside other weights, not even for a moment.
        output.read(Manifest.FILE_NAME).ifPresent(m -> journal.keep(Manifest.FILE_NAME, m));
      }
      journal.replacing(begun);
      if (plan.index().isEmpty() && !begun.before(Manifest.FILE_NAME).isEmpty()) {
        output.remove(Manifest.FILE_NAME);
      }
      replacement = Optional.of(begun);
      return;
    }
    if (!old.isEmpty()) {
      // The manifest goes first, and nothing else tells of all that belongs to the old model.
      journal.removing(old);
    }
    old.remove(Manifest.FILE_NAME);
    if (present.contains(Manifest.FILE_NAME)) {
      output.remove(Manifest.FILE_NAME);
    }
    Journal.removeModel(output, old);
    // From here on, what is visible is of this plan: a later process must not remove it again.
    journal.publishing();
  }

  /** Whether shards that the index names would take the place of others. */
  private static boolean isTaken(ConversionPlan plan, List<String> present) {
    return plan.index().isPresent()
        && !Collections.disjoint(present, plan.shards().stream().map(PlannedFile::path).toList());
  }

  /**
   * Publishes what makes it a model, configs, indexes, the manifest, and takes away what is left of
   * the one that it replaces.
   */
  void publishIndex(ConversionPlan plan, Manifest manifest) {
    var unused = ParallelCalls.allAnswers(plan.configs(), file -> publishConfig(plan, file));
    for (SmallFile file : plan.smallFiles()) {
      if (!plan.configs().contains(file)) {
        output.publish(file.path(), file.content());
      }
    }
    output.publish(Manifest.FILE_NAME, manifest.toJson());
    replacement.ifPresent(r -> r.removeOld(output));
  }

  /** Until the index comes, the old model must be able to have its own again. */
  private SmallFile publishConfig(ConversionPlan plan, SmallFile file) {
    if (plan.index().isPresent() && replacement.isPresent()) {
      Optional<byte[]> there = keep(file.path(), replacement.get());
      if (there.filter(content -> Arrays.equals(content, file.content())).isPresent()) {
        return file;
      }
    }
    output.publish(file.path(), file.content());
    return file;
  }

  private Optional<byte[]> keep(String path, Replacement begun) {
    if (begun.before(path).isEmpty() || journal.kept(path).isPresent()) {
      return Optional.empty();
    }
    Optional<byte[]> there = output.read(path);
    there.ifPresent(content -> journal.keep(path, content));
    return there;
  }

  /**
   * Says that the old model is gone if a file that is not what was written took its place: what
   * clears up behind a failure removes it then, as it does where there was no old one.
   */
  void takeBack(ConversionPlan plan) {
    if (replacement.isPresent() && plan.index().isEmpty()) {
      journal.publishing();
    }
  }

  private void publish(List<PlannedFile> files, PlanRunner.Staged staged) {
    List<String> paths = files.stream().map(PlannedFile::path).toList();
    var unused =
        ParallelCalls.allAnswers(
            paths,
            path -> {
              output.publish(
                  staged.files().get(path),
                  staged.states().get(path).receipts(),
                  replacement.map(r -> r.before(path)).orElse(""));
              return path;
            });
  }

  /**
   * What is there and must not stay as it is: the manifest, what is made anew, and what misleads.
   */
  private static Set<String> old(
      ConversionPlan plan, List<String> present, Collection<String> earlier) {
    List<String> planned = new ArrayList<>();
    plan.last().forEach(f -> planned.add(f.path()));
    plan.index().ifPresent(f -> planned.add(f.path()));
    plan.configs().forEach(f -> planned.add(f.path()));
    plan.files().forEach(f -> planned.add(f.path()));
    Set<String> old = new LinkedHashSet<>(planned);
    old.addAll(earlier);
    old.addAll(Strays.among(present, planned));
    old.add(Manifest.FILE_NAME);
    old.retainAll(present);
    return old;
  }
}
