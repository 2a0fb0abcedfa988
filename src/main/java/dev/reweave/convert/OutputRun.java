package dev.reweave.convert;

import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.gather.TensorDigest;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.Provenance;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.SmallFile;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.OutputLock;
import dev.reweave.storage.Overlapped;
import dev.reweave.storage.StagedFile;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The part of a conversion that touches the output: takes the lock, goes on where a killed run
 * stopped, runs the plan, publishes, and leaves nothing behind if that fails.
 */
final class OutputRun {
  /**
   * What has become visible.
   *
   * @param digests by tensor, what it holds, where that was asked for
   */
  record Published(Manifest manifest, Map<String, TensorDigest> digests) {}

  private final ConversionRequest request;
  private final OutputCheck check;
  private final OutputFolder output;
  private final Journal journal;
  private final ConversionPlan plan;
  private final Provenance provenance;
  private final UnchangedInputs inputs;
  private final ReadBack readBack;

  OutputRun(
      ConversionRequest request,
      OutputCheck check,
      ConversionPlan plan,
      Provenance provenance,
      UnchangedInputs inputs,
      ReadBack readBack) {
    this.request = request;
    this.check = check;
    this.output = check.output();
    this.journal = new Journal(output);
    this.plan = plan;
    this.provenance = provenance;
    this.inputs = inputs;
    this.readBack = readBack;
  }

  Published run(PlanRunner runner) {
    check.requireRoom(journal);
    boolean existed = output.exists();
    try (OutputLock.Held lock = output.lock().take("reweave convert " + request.output())) {
      check.requireRoom(journal);
      Published published = runLocked(runner, lock);
      output.finish();
      return published;
    } catch (RuntimeException e) {
      if (!existed) {
        quietly(output::removeIfEmpty, e);
      }
      throw e;
    }
  }

  private Published runLocked(PlanRunner runner, OutputLock.Held lock) {
    try {
      PlanRunner.Staged result = runOnUnchanged(runner);
      boolean reads = readBack.isWanted();
      Map<String, FileDigest> read = new HashMap<>();
      if (reads && output.showsStaged()) {
        read.putAll(readBack.require(plan, result));
      }
      lock.check();
      List<String> earlier = check.manifest().map(Manifest::fileNames).orElse(List.of());
      Publisher publisher = new Publisher(output, journal);
      publisher.publishFiles(plan, result, earlier);
      if (reads && !output.showsStaged()) {
        read.putAll(readBack.require(plan, result));
        lock.check();
      }
      Manifest manifest = provenance.manifest(plan, result.figures(), read);
      publisher.publishIndex(plan, manifest);
      return new Published(manifest, result.digests());
    } catch (RuntimeException e) {
      quietly(journal::undoPublishing, e);
      quietly(output::clear, e);
      throw e;
    }
  }

  /** What went wrong first is what the user must know, not what that made of the clean-up. */
  private static void quietly(Runnable cleanUp, RuntimeException cause) {
    try {
      cleanUp.run();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private PlanRunner.Staged runOnUnchanged(PlanRunner runner) {
    PlanRunner.Staged result;
    try {
      result = runStaged(runner);
    } catch (RuntimeException e) {
      throw inputs.cause(e);
    }
    inputs.require();
    return result;
  }

  private PlanRunner.Staged runStaged(PlanRunner runner) {
    Optional<Journal.PlanState> begun =
        journal
            .begun()
            .filter(p -> request.earlier() == Earlier.CONTINUE)
            .filter(p -> p.fingerprint().equals(provenance.fingerprint()));
    if (begun.isPresent()) {
      Map<String, Journal.FileState> finished = journal.finished(begun.get());
      plan.files().stream()
          .filter(f -> !output.hasStaged(f.path(), f.length()))
          .forEach(f -> finished.remove(f.path()));
      return runner.run(plan, output, journal, stagedBefore(begun.get(), finished), finished);
    }
    journal.undoPublishing();
    output.clear();
    output.prepare(plan.bytesToWrite());
    return runner.run(plan, output, journal, stage(), Map.of());
  }

  private Map<String, StagedFile> stage() {
    Map<String, StagedFile> staged = new HashMap<>();
    Map<String, String> tokens = new HashMap<>();
    List<StagedFile> files =
        Overlapped.allAnswers(plan.files(), f -> output.stage(f.path(), f.length()));
    for (int i = 0; i < files.size(); i++) {
      String path = plan.files().get(i).path();
      staged.put(path, files.get(i));
      tokens.put(path, files.get(i).token());
    }
    List<String> small = plan.smallFiles().stream().map(SmallFile::path).toList();
    journal.begin(new Journal.PlanState(provenance.fingerprint(), tokens, small));
    return staged;
  }

  private Map<String, StagedFile> stagedBefore(
      Journal.PlanState begun, Map<String, Journal.FileState> finished) {
    Map<String, StagedFile> staged = new HashMap<>();
    for (PlannedFile file : plan.files()) {
      String name = file.path();
      String token = begun.tokens().getOrDefault(name, "");
      staged.put(
          name,
          finished.containsKey(name) || !token.isEmpty()
              ? output.stagedBefore(name, file.length(), token)
              : output.stage(name, file.length()));
    }
    return staged;
  }
}
