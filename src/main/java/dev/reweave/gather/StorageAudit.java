package dev.reweave.gather;

import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.ReadRange;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.RunConsumer;
import dev.reweave.tensor.StorageRef;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads what no tensor needs of the storages of one file, such as alignment padding, so that their
 * checksums can be told; says which storages cannot be checked.
 */
public final class StorageAudit {
  /** Unneeded bytes that are read for the check's sake, at most: this many, … */
  private static final long MOST_EXTRA_BYTES = 1 << 20;

  /** … or this part of the storage. */
  private static final long MOST_EXTRA_PART = 64;

  private static final int BUFFER = 1 << 20;

  /**
   * What the storages of one file need for their check.
   *
   * @param reads what was read of the unneeded parts
   * @param unchecked storages that cannot be checked
   */
  public record Result(Reads reads, Map<StorageRef, Unchecked> unchecked) implements Serializable {}

  private record Span(long from, long to) {}

  private final Stores stores;
  private final ConversionPlan.Work work;
  private final int file;
  private final ReadLimit limit;
  private final ReadTally tally = new ReadTally();
  private final Map<StorageRef, Unchecked> unchecked = new LinkedHashMap<>();
  private final Set<StorageRef> besides = new HashSet<>();

  /**
   * An audit of one file.
   *
   * @param file its index in the plan
   */
  public StorageAudit(Stores stores, ConversionPlan.Work work, int file, ReadLimit limit) {
    this.stores = stores;
    this.work = work;
    this.file = file;
    this.limit = limit;
  }

  /** Reads what no tensor needed. */
  public Result run() {
    try (OpenFiles files = new OpenFiles(stores, work.sources(), limit.bucket())) {
      for (Map.Entry<StorageRef, List<Span>> used : used().entrySet()) {
        if (used.getKey().hasCrc()) {
          fill(used.getKey(), used.getValue(), files)
              .ifPresent(why -> unchecked.put(used.getKey(), why));
        } else {
          unchecked.put(used.getKey(), withoutChecksum(used.getKey()));
        }
      }
      return new Result(
          new Reads(
              tally.shares(),
              tally.bytes(),
              tally.requests(),
              files.repeatedReads(),
              files.waits()),
          unchecked);
    } catch (IOException e) {
      throw Stores.unreadable(work.sources().get(file).location(), e);
    }
  }

  private Map<StorageRef, List<Span>> used() {
    Map<StorageRef, List<Span>> used = new LinkedHashMap<>();
    for (PlannedFile planned : work.files()) {
      for (Segment.OfTensor tensor : planned.tensors()) {
        tensor.layout().runsIn(file, new Uses(used));
      }
    }
    used.keySet().removeIf(storage -> !storage.counts());
    return used;
  }

  /** Notes what is used of each storage. */
  private final class Uses implements RunConsumer {
    private final Map<StorageRef, List<Span>> used;

    Uses(Map<StorageRef, List<Span>> used) {
      this.used = used;
    }

    @Override
    public void run(StorageRef storage, long offset, long elements) {
      long size = storage.dtype().bytes();
      used.computeIfAbsent(storage, s -> new ArrayList<>())
          .add(new Span(offset * size, (offset + elements) * size));
    }

    /** Tasks read these as often as they need them, and tell nothing of it: here they count. */
    @Override
    public void beside(StorageRef storage, long offset, long count) {
      used.computeIfAbsent(storage, s -> new ArrayList<>());
      besides.add(storage);
    }
  }

  /** Why the file keeps no checksum of a storage. */
  private Unchecked withoutChecksum(StorageRef storage) {
    if (storage.crc32() == StorageRef.CRC_LEFT_OUT) {
      return Unchecked.SWITCHED_OFF;
    }
    String name = work.sources().get(file).name();
    return name.endsWith(".safetensors")
        ? Unchecked.SAFETENSORS
        : name.endsWith(".swp") ? Unchecked.OFFLOADED : Unchecked.OLD_FORMAT;
  }

  /** Reads what is missing, or tells why it does not. */
  private Optional<Unchecked> fill(StorageRef storage, List<Span> spans, OpenFiles files) {
    spans.sort(Comparator.comparingLong(Span::from));
    List<Span> gaps = new ArrayList<>();
    long extra = 0;
    long at = 0;
    spans.add(new Span(storage.bytes(), storage.bytes()));
    for (Span span : spans) {
      if (span.from() < at) {
        return Optional.of(Unchecked.OVERLAPPING);
      }
      if (span.from() > at) {
        gaps.add(new Span(at, span.from()));
        extra += span.from() - at;
      }
      at = span.to();
    }
    if (!besides.contains(storage)
        && extra > Math.max(MOST_EXTRA_BYTES, storage.bytes() / MOST_EXTRA_PART)) {
      return Optional.of(Unchecked.NOT_READ_WHOLE);
    }
    read(storage, gaps, new byte[(int) Math.min(BUFFER, extra)], files);
    return Optional.empty();
  }

  /** Reads as many gaps at once as fit in the buffer. */
  private void read(StorageRef storage, List<Span> gaps, byte[] buffer, OpenFiles files) {
    List<ReadRange> ranges = new ArrayList<>();
    int filled = 0;
    for (Span gap : gaps) {
      long from = gap.from();
      while (from < gap.to()) {
        int length = (int) Math.min(buffer.length - filled, gap.to() - from);
        ranges.add(new ReadRange(storage.position() + from, buffer, filled, length));
        filled += length;
        from += length;
        if (filled == buffer.length) {
          read(storage, ranges, files);
          ranges.clear();
          filled = 0;
        }
      }
    }
    read(storage, ranges, files);
  }

  private void read(StorageRef storage, List<ReadRange> ranges, OpenFiles files) {
    files.readFully(file, ranges);
    for (ReadRange range : ranges) {
      tally.requests(1, range.length());
      long position = range.position() - storage.position();
      tally.take(storage, position, range.buffer(), range.offset(), range.length());
    }
  }
}
