package dev.reweave.gather;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.tensor.RunConsumer;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Sums up what tasks read of each storage and compares it with the checksums in the files. */
public final class StorageChecks {
  private static final int MOST_NAMES = 10;

  /**
   * Storages that were not compared with a checksum.
   *
   * @param why in words
   * @param files in which they are
   */
  public record LeftOut(String why, int storages, int files) {}

  private final Map<StorageRef, ReadTally.StorageShare> read = new HashMap<>();
  private final Map<StorageRef, Unchecked> unchecked = new HashMap<>();

  /** Adds what was read of storages. */
  public void add(List<ReadTally.StorageShare> shares) {
    shares.forEach(share -> read.merge(share.storage(), share, ReadTally::sum));
  }

  /** Takes storages out of the comparison: they are counted as unchecked. */
  public void leaveOut(Map<StorageRef, Unchecked> storages) {
    unchecked.putAll(storages);
  }

  /** Leaves out what was not read as a whole. */
  public void leaveOutParts() {
    read.values().stream()
        .filter(share -> share.bytes() != share.storage().bytes())
        .forEach(share -> unchecked.put(share.storage(), Unchecked.NOT_READ_WHOLE));
  }

  /** Number of storages whose checksum was compared. */
  public int checked() {
    Set<StorageRef> checked = new HashSet<>(read.keySet());
    checked.removeAll(unchecked.keySet());
    return checked.size();
  }

  /** Number of storages that could not be checked. */
  public int unchecked() {
    return unchecked.size();
  }

  /** Why these could not be checked, and how many for each reason. */
  public List<LeftOut> reasons() {
    Map<Unchecked, List<StorageRef>> storages = new EnumMap<>(Unchecked.class);
    unchecked.forEach(
        (storage, why) -> storages.computeIfAbsent(why, w -> new ArrayList<>()).add(storage));
    List<LeftOut> reasons = new ArrayList<>();
    storages.forEach(
        (why, all) ->
            reasons.add(
                new LeftOut(
                    why.reason(),
                    all.size(),
                    (int) all.stream().map(StorageRef::file).distinct().count())));
    return reasons;
  }

  /**
   * Compares.
   *
   * @throws ReweaveException if storages are not as they were written: names the first, and the
   *     tensors in it and in the others
   */
  public void compare(ConversionPlan plan) {
    List<StorageRef> damaged = new ArrayList<>();
    for (ReadTally.StorageShare share : read.values()) {
      StorageRef storage = share.storage();
      if (unchecked.containsKey(storage)) {
        continue;
      }
      if (share.bytes() != storage.bytes()) {
        throw new IllegalStateException(
            share.bytes() + " bytes were read of " + storage + ", which has " + storage.bytes());
      }
      if ((share.share() & 0xFFFFFFFFL) != storage.crc32()) {
        damaged.add(storage);
      }
    }
    damaged.sort(Comparator.comparingInt(StorageRef::file).thenComparingLong(StorageRef::position));
    if (!damaged.isEmpty()) {
      StorageRef first = damaged.get(0);
      List<StorageRef> others = damaged.subList(1, damaged.size());
      throw GatherFailures.damaged(
          plan.sources().get(first.file()).uri()
              + ", "
              + first.name()
              + ", which holds "
              + tensorsIn(plan, List.of(first))
              + (others.isEmpty()
                  ? ""
                  : "; and "
                      + others.size()
                      + (others.size() == 1
                          ? " more storage, which holds "
                          : " more storages, which hold ")
                      + tensorsIn(plan, others)));
    }
  }

  /** Finds out whether elements, or what they need beside them, lie in one of some storages. */
  private static final class Touching implements RunConsumer {
    private final Set<StorageRef> storages;
    private boolean found;

    Touching(Set<StorageRef> storages) {
      this.storages = storages;
    }

    @Override
    public void run(StorageRef storage, long offset, long elements) {
      found |= storages.contains(storage);
    }

    @Override
    public void beside(StorageRef storage, long offset, long count) {
      found |= storages.contains(storage);
    }
  }

  private static String tensorsIn(ConversionPlan plan, List<StorageRef> damaged) {
    Set<StorageRef> storages = new HashSet<>(damaged);
    int[] files = damaged.stream().mapToInt(StorageRef::file).distinct().toArray();
    List<String> names = new ArrayList<>();
    for (PlannedFile shard : plan.shards()) {
      for (Segment.OfTensor tensor : shard.tensors()) {
        Touching touching = new Touching(storages);
        for (int file : files) {
          tensor.layout().runsIn(file, touching);
        }
        if (touching.found) {
          names.add(tensor.spec().name());
        }
      }
    }
    if (names.size() > MOST_NAMES) {
      int more = names.size() - MOST_NAMES;
      names.subList(MOST_NAMES, names.size()).clear();
      names.add("and " + more + " more");
    }
    return String.join(", ", names);
  }
}
