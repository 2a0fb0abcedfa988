package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.spark.FileChecksums;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Reads what tasks wrote once more, and compares it with what they meant to write: before it is
 * published, or, where no one can read it before, before the index is.
 */
final class ReadBack {
  private final Stores stores;
  private final FileChecksums checksums;
  private final OutputFolder output;
  private final Checks checks;

  ReadBack(Stores stores, FileChecksums checksums, OutputFolder output, Checks checks) {
    this.stores = stores;
    this.checksums = checksums;
    this.output = output;
    this.checks = checks;
  }

  /**
   * Whether anything is to be read: for SHA-256, which has no sum of parts, it always is.
   *
   * @param staged what was written, of which the store may have checked all as it came
   */
  boolean isWanted(PlanRunner.Staged staged) {
    return checks.digest() == FileDigest.Wanted.SHA256
        || switch (checks.readBack()) {
          case ALWAYS -> true;
          case NEVER -> false;
          case UNCHECKED_BY_STORE ->
              output.isObjectStore()
                  && !staged.states().values().stream().allMatch(Journal.FileState::isChecked);
        };
  }

  /**
   * What was found.
   *
   * @param digests by path
   * @param failure that there is what was not written; empty if all is as it was written
   */
  record Found(Map<String, FileDigest> digests, Optional<ReweaveException> failure) {}

  /**
   * Reads all files, also those of earlier runs.
   *
   * @throws ReweaveException if that cannot be done
   */
  Found read(ConversionPlan plan, PlanRunner.Staged staged) {
    List<PlannedFile> files = plan.files();
    List<List<Location>> places =
        files.stream().map(f -> staged.files().get(f.path()).places()).toList();
    Map<Location, InputFile> present =
        stores.present(places.stream().flatMap(List::stream).toList());
    List<InputFile> found = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      PlannedFile file = files.get(i);
      Optional<InputFile> there =
          places.get(i).stream().filter(present::containsKey).map(present::get).findFirst();
      if (there.isEmpty()) {
        problems.add(file.path() + " is not there");
      } else if (there.get().length() != file.length()) {
        problems.add(
            String.format(
                Locale.ROOT,
                "%s has %d bytes, and %d were written",
                file.path(),
                there.get().length(),
                file.length()));
      } else {
        found.add(there.get());
      }
    }
    if (!problems.isEmpty()) {
      return new Found(Map.of(), failure(problems));
    }
    List<FileDigest> digests =
        checksums.read("verify: " + found.size() + " written files", found, checks.digest());
    Map<String, FileDigest> byPath = new TreeMap<>();
    for (int i = 0; i < files.size(); i++) {
      String path = files.get(i).path();
      int written = staged.states().get(path).crc32c();
      int read = digests.get(i).crc32c();
      if (read != written) {
        problems.add(
            path
                + " has CRC32C "
                + Checksum.hex(read)
                + ", and "
                + Checksum.hex(written)
                + " was written");
      }
      byPath.put(path, digests.get(i));
    }
    return new Found(byPath, failure(problems));
  }

  private Optional<ReweaveException> failure(List<String> problems) {
    return problems.isEmpty()
        ? Optional.empty()
        : Optional.of(
            ConversionFailures.readBackDiffers(problems, problems.size() - 1, output.address()));
  }
}
