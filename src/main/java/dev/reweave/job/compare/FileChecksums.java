package dev.reweave.job.compare;

import dev.reweave.job.spark.SparkTasks;
import dev.reweave.plan.PlanOptions;
import dev.reweave.report.Manifest;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** Reads files in parallel and compares their checksums with those that were written. */
final class FileChecksums {
  private static final int BUFFER = 1 << 20;

  private record FilePart(int index, InputFile file, long from, long to) implements Serializable {}

  private record PartCrc(int index, int share) implements Serializable {}

  private final JavaSparkContext spark;
  private final Stores stores;

  FileChecksums(JavaSparkContext spark, Stores stores) {
    this.spark = spark;
    this.stores = stores;
  }

  /**
   * Compares.
   *
   * @param written what the manifest says
   * @param files of that length, by path
   * @return by path, what is wrong
   */
  Map<String, String> compare(List<Manifest.Shard> written, Map<String, InputFile> files) {
    List<FilePart> parts = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      InputFile file = files.get(written.get(i).name());
      long step = PlanOptions.DEFAULTS.chunkBytes();
      for (long from = 0; from < file.length(); from += step) {
        parts.add(new FilePart(i, file, from, Math.min(file.length(), from + step)));
      }
    }
    int[] crcs = new int[written.size()];
    Broadcast<Stores> shared = spark.broadcast(stores);
    try {
      new SparkTasks(spark)
          .run(
              "verify: the checksums of " + written.size() + " files",
              parts,
              part -> crc(shared.value(), part),
              result -> crcs[result.index()] ^= result.share());
    } finally {
      shared.destroy();
    }
    Map<String, String> problems = new LinkedHashMap<>();
    for (int i = 0; i < crcs.length; i++) {
      String found = Manifest.hex(crcs[i]);
      Manifest.Shard file = written.get(i);
      if (!found.equals(file.crc32c())) {
        problems.put(
            file.name(),
            file.name() + " has CRC32C " + found + ": " + file.crc32c() + " was written");
      }
    }
    return problems;
  }

  private static PartCrc crc(Stores stores, FilePart part) {
    CRC32C crc = new CRC32C();
    byte[] buffer = new byte[BUFFER];
    try (RandomAccess access = stores.open(part.file())) {
      for (long at = part.from(); at < part.to(); at += buffer.length) {
        int length = (int) Math.min(buffer.length, part.to() - at);
        access.readFully(at, buffer, 0, length);
        crc.update(buffer, 0, length);
      }
    } catch (IOException e) {
      throw Stores.unreadable(part.file().uri(), e);
    }
    long behind = part.file().length() - part.to();
    return new PartCrc(part.index(), Checksum.CRC_32C.share((int) crc.getValue(), behind));
  }
}
