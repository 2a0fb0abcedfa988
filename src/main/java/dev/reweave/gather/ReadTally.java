package dev.reweave.gather;

import dev.reweave.storage.Checksum;
import dev.reweave.tensor.StorageRef;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a task has read, and what that adds to the checksums of the storages. */
public final class ReadTally {
  /**
   * What one task adds to the check of one storage.
   *
   * @param share exclusive or of the read parts' shares, see {@link Checksum}
   * @param bytes how many bytes of the storage were read
   */
  public record StorageShare(StorageRef storage, int share, long bytes) implements Serializable {}

  private final Map<StorageRef, StorageShare> shares = new LinkedHashMap<>();
  private long bytes;
  private long requests;

  /**
   * Counts reads.
   *
   * @param count how many
   * @param length of all of them, in bytes
   */
  void requests(int count, long length) {
    requests += count;
    bytes += length;
  }

  /**
   * Takes needed bytes as the file has them.
   *
   * @param position their first byte in the storage
   */
  void take(StorageRef storage, long position, byte[] data, int offset, int length) {
    if (storage.hasCrc()) {
      int crc = Checksum.CRC_32.of(data, offset, length);
      int share = Checksum.CRC_32.share(crc, storage.bytes() - position - length);
      shares.merge(storage, new StorageShare(storage, share, length), ReadTally::sum);
    }
  }

  /** What two chunks have read of one storage. */
  public static StorageShare sum(StorageShare a, StorageShare b) {
    return new StorageShare(a.storage(), a.share() ^ b.share(), a.bytes() + b.bytes());
  }

  List<StorageShare> shares() {
    return new ArrayList<>(shares.values());
  }

  /** Bytes fetched, with those between needed ones. */
  public long bytes() {
    return bytes;
  }

  /** Number of reads. */
  long requests() {
    return requests;
  }
}
