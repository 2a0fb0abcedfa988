package dev.reweave.convert;

import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.SmallFile;
import dev.reweave.plan.SpareNames;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.OutputContent;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.ProcessEnd;
import dev.reweave.storage.StagedFile;
import java.util.ArrayList;
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
   * @param plan with the names that its shards get here
   * @param files all of the plan, by path
   * @param finished those of them that an earlier process completed, by path
   */
  record Begun(
      ConversionPlan plan,
      Map<String, StagedFile> files,
      Map<String, Journal.FileState> finished) {}

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
   * @param there what the output holds
   */
  Begun begin(ConversionPlan plan, String fingerprint, Earlier earlier, OutputContent there) {
    boolean isStaged = there.isStaged();
    List<String> visible = there.names();
    Optional<Journal.PlanState> begun =
        (isStaged ? journal.begun() : Optional.<Journal.PlanState>empty())
            .filter(p -> earlier == Earlier.CONTINUE)
            .filter(p -> p.fingerprint().equals(fingerprint));
    if (begun.isPresent()) {
      output.tryMeans();
      return goOn(begunOf(plan, begun.get()), begun.get());
    }
    if (isStaged) {
      journal.undoPublishing();
      journal.clear();
      visible = output.names();
    } else {
      // Nobody knows of them but the store.
      var unused = output.abortUploads(List.of());
    }
    output.prepare(plan.bytesToWrite());
    ConversionPlan named =
        output.showsStaged() || plan.index().isEmpty() ? plan : SpareNames.beside(visible, plan);
    return new Begun(named, stage(named, fingerprint), Map.of());
  }

  /**
   * Gives up what a process began that died before it noted what: it has left a lock, and nothing
   * else that can be seen.
   */
  void giveUpUnnoted(ConversionPlan plan) {
    output.abortUploadsTo(
        SpareNames.of(plan).stream()
            .flatMap(p -> p.files().stream().map(PlannedFile::path))
            .distinct()
            .toList());
  }

  /** The plan under the names that its files have been given. */
  private static ConversionPlan begunOf(ConversionPlan plan, Journal.PlanState begun) {
    return SpareNames.of(plan).stream()
        .filter(p -> p.files().stream().allMatch(f -> begun.tokens().containsKey(f.path())))
        .findFirst()
        .orElse(plan);
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
    begin(plan, fingerprint, tokens);
    return staged;
  }

  private void begin(ConversionPlan plan, String fingerprint, Map<String, String> tokens) {
    List<String> small = plan.smallFiles().stream().map(SmallFile::path).toList();
    journal.begin(new Journal.PlanState(fingerprint, tokens, small));
  }

  private Begun goOn(ConversionPlan plan, Journal.PlanState begun) {
    Map<String, Journal.FileState> finished = journal.finished(begun);
    Map<String, String> tokens = new HashMap<>(begun.tokens());
    for (PlannedFile lost : lost(plan.files(), begun)) {
      finished.remove(lost.path());
      tokens.remove(lost.path());
    }
    Map<String, StagedFile> staged = new HashMap<>();
    List<StagedFile> files =
        ParallelCalls.allAnswers(plan.files(), file -> stagedBefore(file, tokens, finished));
    for (int i = 0; i < files.size(); i++) {
      String path = plan.files().get(i).path();
      staged.put(path, files.get(i));
      tokens.put(path, files.get(i).token());
    }
    if (!tokens.equals(begun.tokens())) {
      begin(plan, begun.fingerprint(), tokens);
    }
    return new Begun(plan, staged, finished);
  }

  /** What is not in the store any more. */
  private List<PlannedFile> lost(List<PlannedFile> files, Journal.PlanState begun) {
    List<Boolean> there =
        ParallelCalls.answers(
            files,
            f -> output.hasStaged(f.path(), f.length(), begun.tokens().getOrDefault(f.path(), "")));
    List<PlannedFile> lost = new ArrayList<>();
    for (int i = 0; i < there.size(); i++) {
      if (!there.get(i)) {
        lost.add(files.get(i));
      }
    }
    // What became visible of this plan is no upload any more.
    if (!lost.isEmpty() && journal.isPublishing()) {
      Optional<Replacement> replacement = journal.replacement();
      lost.removeIf(
          f ->
              output
                  .file(f.path())
                  .filter(o -> o.length() == f.length())
                  .filter(o -> replacement.filter(r -> isOld(o, f, r)).isEmpty())
                  .isPresent());
    }
    return lost;
  }

  private static boolean isOld(InputFile there, PlannedFile file, Replacement replacement) {
    return there.stamp().equals(replacement.before(file.path()));
  }

  private StagedFile stagedBefore(
      PlannedFile file, Map<String, String> tokens, Map<String, Journal.FileState> finished) {
    String name = file.path();
    String token = tokens.getOrDefault(name, "");
    return finished.containsKey(name) || !token.isEmpty()
        ? output.stagedBefore(name, file.length(), token)
        : output.stage(name, file.length());
  }

  /**
   * Takes away what is staged and what was published of it, since the conversion failed; but once
   * readers find the new model in place of an old one, the same command can only go on. What fails
   * because somebody stops the process is kept, and gone on with.
   */
  void abandon(RuntimeException cause) {
    if (ProcessEnd.isNear()) {
      return;
    }
    quietly(
        () -> {
          if (journal.isSwitched()) {
            return;
          }
          // What tells of visible files goes behind them.
          var unused = journal.undoPublishing();
          journal.clear();
        },
        cause);
  }

  /** What went wrong first is what the user must know, not what that made of the clean-up. */
  static void quietly(Runnable cleanUp, RuntimeException cause) {
    try {
      cleanUp.run();
    } catch (RuntimeException e) {
      cause.addSuppressed(new LeftBehind(e));
    }
  }
}
