package dev.reweave.spark;

import dev.reweave.storage.Checksum;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.storage.TokenBucket;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/** Reads whole files in parallel and tells their checksums. */
public final class FileChecksums {
  /** So many tasks for each that runs at a time keep all busy to the end. */
  private static final int ROUNDS = 8;

  private record FilePart(int index, InputFile file, long from, long to) implements Serializable {}

  /**
   * What is known of one part.
   *
   * @param share of the file's CRC32C, see {@link Checksum}
   * @param sha256 of the part, which is the file; empty if that was not asked for
   */
  private record PartDigest(int index, int share, String sha256) implements Serializable {}

  private final Cluster cluster;
  private final Stores stores;
  private final ReadLimit limit;
  private final long partBytes;

  /**
   * Checksums of files in these stores.
   *
   * @param limit how fast a task reads at most
   * @param partBytes bytes of a file that are worth a task
   */
  public FileChecksums(Cluster cluster, Stores stores, ReadLimit limit, long partBytes) {
    this.cluster = cluster;
    this.stores = stores;
    this.limit = limit;
    this.partBytes = partBytes;
  }

  /**
   * Reads all files, each byte once. For CRC32C alone, a file is the work of several tasks; SHA-256
   * goes from the first byte to the last, so that it is the work of one.
   *
   * @param description what the user sees in Spark's own pages
   * @return by the order of the files
   * @throws dev.reweave.common.ReweaveException if one cannot be read
   */
  public List<FileDigest> read(
      String description, List<InputFile> files, FileDigest.Wanted digest) {
    SparkTasks tasks = cluster.tasks();
    long all = files.stream().mapToLong(InputFile::length).sum();
    long ofTask = Math.max(partBytes, all / tasks.slots() / ROUNDS);
    List<FilePart> parts = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      InputFile file = files.get(i);
      long step = digest == FileDigest.Wanted.SHA256 ? Long.MAX_VALUE : ofTask;
      long from = 0;
      do {
        long to = file.length() - from > step ? from + step : file.length();
        parts.add(new FilePart(i, file, from, to));
        from = to;
      } while (from < file.length());
    }
    int[] crcs = new int[files.size()];
    String[] hashes = new String[files.size()];
    Arrays.fill(hashes, "");
    Shared<Stores> shared = cluster.share(stores);
    ReadLimit most = limit;
    try {
      tasks.run(
          description,
          parts,
          SparkTasks.Amounts.bytes(part -> part.to() - part.from()),
          part -> digest(shared.value(), part, digest, most.bucket()),
          result -> {
            crcs[result.index()] ^= result.share();
            hashes[result.index()] = result.sha256();
          });
    } finally {
      shared.close();
    }
    List<FileDigest> digests = new ArrayList<>();
    for (int i = 0; i < crcs.length; i++) {
      digests.add(new FileDigest(crcs[i], hashes[i]));
    }
    return digests;
  }

  private static PartDigest digest(
      Stores stores, FilePart part, FileDigest.Wanted digest, TokenBucket bucket) {
    CRC32C crc = new CRC32C();
    FileDigest.Sha256 sha256 = new FileDigest.Sha256();
    LongConsumer meter = SparkTasks.meter();
    try (RandomAccess access = stores.open(part.file())) {
      byte[] buffer = new byte[(int) Math.min(access.stride(), part.to() - part.from())];
      for (long at = part.from(); at < part.to(); at += buffer.length) {
        int length = (int) Math.min(buffer.length, part.to() - at);
        bucket.take(length);
        access.readFully(at, buffer, 0, length);
        crc.update(buffer, 0, length);
        meter.accept(length);
        if (digest == FileDigest.Wanted.SHA256) {
          sha256.update(buffer, 0, length);
        }
      }
    } catch (IOException e) {
      throw Stores.unreadable(part.file().location(), e);
    }
    long behind = part.file().length() - part.to();
    return new PartDigest(
        part.index(),
        Checksum.CRC_32C.share((int) crc.getValue(), behind),
        digest == FileDigest.Wanted.SHA256 ? sha256.hex() : "");
  }
}
