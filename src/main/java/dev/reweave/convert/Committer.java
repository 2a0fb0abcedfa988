package dev.reweave.convert;

import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.Provenance;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.OutputLock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes a plan that has run visible, all of it or nothing, with the manifest last. */
final class Committer {
  private final OutputFolder output;
  private final Journal journal;
  private final OutputLock.Held lock;
  private final ReadBack readBack;

  /**
   * A committer for one output.
   *
   * @param lock of the output, which has to be held to the end
   */
  Committer(OutputFolder output, Journal journal, OutputLock.Held lock, ReadBack readBack) {
    this.output = output;
    this.journal = journal;
    this.lock = lock;
    this.readBack = readBack;
  }

  /**
   * Commits.
   *
   * @param staged what the run of the plan came to
   * @param earlier paths of the files of the conversion that is replaced
   * @return the manifest that stands beside the result
   * @throws ReweaveException if the store does not hold what was written, or somebody took the lock
   *     over
   */
  Manifest commit(
      ConversionPlan plan, PlanRunner.Staged staged, List<String> earlier, Provenance provenance) {
    boolean reads = readBack.isWanted(staged);
    Map<String, FileDigest> read = new HashMap<>();
    if (reads && output.showsStaged()) {
      read.putAll(digests(readBack.read(plan, staged)));
    }
    Publisher publisher = new Publisher(output, journal);
    publisher.publishFiles(plan, staged, earlier, lock);
    if (reads && !output.showsStaged()) {
      ReadBack.Found found = readBack.read(plan, staged);
      if (found.failure().isPresent()) {
        publisher.takeBack(plan);
      }
      read.putAll(digests(found));
      lock.check();
    }
    Manifest manifest = provenance.manifest(plan, staged.figures(), read);
    publisher.publishIndex(plan, manifest);
    return manifest;
  }

  private static Map<String, FileDigest> digests(ReadBack.Found found) {
    found
        .failure()
        .ifPresent(
            failure -> {
              throw failure;
            });
    return found.digests();
  }
}
