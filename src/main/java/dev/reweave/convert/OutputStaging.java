package dev.reweave.convert;

import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.SmallFile;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.StagedFile;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives the files of a plan places in an output that is locked, and goes on where a killed run of
 * the same plan stopped.
 */
final class OutputStaging {
  /**
   * Files that have a place in the output.
   *
   * @param files all of the plan, by path
   * @param finished those of them that an earlier process completed, by path
   */
  record Begun(Map<String, StagedFile> files, Map<String, Journal.FileState> finished) {}

  private final OutputFolder output;
  private final Journal journal;

  OutputStaging(OutputFolder output, Journal journal) {
    this.output = output;
    this.journal = journal;
  }

  /**
   * Stages the files.
   *
   * @param fingerprint of the conversion
   * @param earlier whether finished files of an earlier run of it count
   */
  Begun begin(ConversionPlan plan, String fingerprint, Earlier earlier) {
    Optional<Journal.PlanState> begun =
        journal
            .begun()
            .filter(p -> earlier == Earlier.CONTINUE)
            .filter(p -> p.fingerprint().equals(fingerprint));
    if (begun.isPresent()) {
      Map<String, Journal.FileState> finished = journal.finished(begun.get());
      List<Boolean> there =
          ParallelCalls.answers(plan.files(), f -> output.hasStaged(f.path(), f.length()));
      for (int i = 0; i < there.size(); i++) {
        if (!there.get(i)) {
          finished.remove(plan.files().get(i).path());
        }
      }
      return new Begun(stagedBefore(plan, begun.get(), finished), finished);
    }
    journal.undoPublishing();
    output.clear();
    output.prepare(plan.bytesToWrite());
    return new Begun(stage(plan, fingerprint), Map.of());
  }

  private Map<String, StagedFile> stage(ConversionPlan plan, String fingerprint) {
    Map<String, StagedFile> staged = new HashMap<>();
    Map<String, String> tokens = new HashMap<>();
    List<StagedFile> files =
        ParallelCalls.allAnswers(plan.files(), f -> output.stage(f.path(), f.length()));
    for (int i = 0; i < files.size(); i++) {
      String path = plan.files().get(i).path();
      staged.put(path, files.get(i));
      tokens.put(path, files.get(i).token());
    }
    List<String> small = plan.smallFiles().stream().map(SmallFile::path).toList();
    journal.begin(new Journal.PlanState(fingerprint, tokens, small));
    return staged;
  }

  private Map<String, StagedFile> stagedBefore(
      ConversionPlan plan, Journal.PlanState begun, Map<String, Journal.FileState> finished) {
    Map<String, StagedFile> staged = new HashMap<>();
    List<StagedFile> files =
        ParallelCalls.allAnswers(plan.files(), file -> stagedBefore(file, begun, finished));
    for (int i = 0; i < files.size(); i++) {
      staged.put(plan.files().get(i).path(), files.get(i));
    }
    return staged;
  }

  private StagedFile stagedBefore(
      PlannedFile file, Journal.PlanState begun, Map<String, Journal.FileState> finished) {
    String name = file.path();
    String token = begun.tokens().getOrDefault(name, "");
    return finished.containsKey(name) || !token.isEmpty()
        ? output.stagedBefore(name, file.length(), token)
        : output.stage(name, file.length());
  }

  /** Takes away what is staged and what was published of it, since the conversion failed. */
  void abandon(RuntimeException cause) {
    quietly(journal::undoPublishing, cause);
    quietly(output::clear, cause);
  }

  /** What went wrong first is what the user must know, not what that made of the clean-up. */
  static void quietly(Runnable cleanUp, RuntimeException cause) {
    try {
      cleanUp.run();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }
}
