package dev.reweave.job.gather;

import dev.reweave.ReweaveException;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Sums up what tasks read of each storage and compares it with the checksums in the files. */
public final class StorageChecks {
  private static final int MOST_NAMES = 10;

  private final Map<StorageRef, ReadTally.StorageShare> read = new HashMap<>();
  private final Set<StorageRef> unchecked = new HashSet<>();

  /** Adds what was read of storages. */
  public void add(List<ReadTally.StorageShare> shares) {
    shares.forEach(share -> read.merge(share.storage(), share, ReadTally::sum));
  }

  /** Takes storages out of the comparison: they are counted as unchecked. */
  public void leaveOut(List<StorageRef> storages) {
    unchecked.addAll(storages);
  }

  /** Leaves out what was not read as a whole. */
  public void leaveOutParts() {
    read.values().stream()
        .filter(share -> share.bytes() != share.storage().bytes())
        .forEach(share -> unchecked.add(share.storage()));
  }

  /** Number of storages whose checksum was compared. */
  public int checked() {
    Set<StorageRef> checked = new HashSet<>(read.keySet());
    checked.removeAll(unchecked);
    return checked.size();
  }

  /** Number of storages that could not be checked. */
  public int unchecked() {
    return unchecked.size();
  }

  /**
   * Compares.
   *
   * @throws ReweaveException if a storage is not as it was written
   */
  public void compare(ConversionPlan plan) {
    for (ReadTally.StorageShare share : read.values()) {
      StorageRef storage = share.storage();
      if (unchecked.contains(storage)) {
        continue;
      }
      if (share.bytes() != storage.bytes()) {
        throw new IllegalStateException(
            share.bytes() + " bytes were read of " + storage + ", which has " + storage.bytes());
      }
      if ((share.share() & 0xFFFFFFFFL) != storage.crc32()) {
        throw new ReweaveException(
            "damaged weights: the checksum of a storage is not the one that was saved with it",
            plan.sources().get(storage.file()).uri()
                + ", "
                + storage.name()
                + ", which holds "
                + String.join(", ", tensorsIn(plan, storage)),
            "copy the file from the training run again, or convert another tag");
      }
    }
  }

  private static List<String> tensorsIn(ConversionPlan plan, StorageRef storage) {
    List<String> names = new ArrayList<>();
    for (PlannedFile shard : plan.shards()) {
      for (Segment.Woven tensor : shard.tensors()) {
        boolean[] touches = {false};
        tensor.layout().runsIn(storage.file(), (s, offset, n) -> touches[0] |= s.equals(storage));
        if (touches[0]) {
          names.add(tensor.spec().name());
        }
      }
    }
    if (names.size() > MOST_NAMES) {
      int more = names.size() - MOST_NAMES;
      names.subList(MOST_NAMES, names.size()).clear();
      names.add("and " + more + " more");
    }
    return names;
  }
}
