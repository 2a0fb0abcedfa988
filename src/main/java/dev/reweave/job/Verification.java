package dev.reweave.job;

import dev.reweave.ReweaveException;
import dev.reweave.plan.PlanOptions;
import dev.reweave.report.Manifest;
import dev.reweave.safetensors.SafetensorsHeader;
import dev.reweave.safetensors.SafetensorsIndex;
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
import java.util.Optional;
import java.util.zip.CRC32C;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** Reads a converted folder back and lists what is wrong with it. */
public final class Verification {
  private static final int MOST_JSON_BYTES = 256 << 20;
  private static final int BUFFER = 1 << 20;
  private static final String SHARD = ".safetensors";
  private static final String INDEX = ".safetensors.index.json";

  /**
   * What was found.
   *
   * @param shards number of shards
   * @param tensors number of tensors in readable shards
   * @param bytes bytes of the shards
   * @param checksums whether a manifest gave checksums, and all bytes were read
   * @param problems what is wrong; empty if nothing is
   */
  public record Result(
      int shards, int tensors, long bytes, boolean checksums, List<String> problems) {}

  private record ShardPart(int shard, InputFile file, long from, long to) implements Serializable {}

  private record PartCrc(int shard, int share) implements Serializable {}

  private final JavaSparkContext spark;
  private final Stores stores;
  private final List<String> problems = new ArrayList<>();

  /** A verification of one folder. */
  public Verification(JavaSparkContext spark, Stores stores) {
    this.spark = spark;
    this.stores = stores;
  }

  /**
   * Verifies a folder.
   *
   * @throws ReweaveException if there is nothing to verify, or it cannot be read
   */
  public Result run(String address) {
    List<InputFile> files = stores.list(address).files();
    List<InputFile> shards = files.stream().filter(f -> f.name().endsWith(SHARD)).toList();
    if (shards.isEmpty()) {
      throw new ReweaveException(
          "there are no .safetensors files here",
          stores.resolve(address),
          "name a folder that 'reweave convert' wrote");
    }
    Map<String, String> places = places(shards);
    checkIndex(files, shards, places);
    Optional<Manifest> manifest = manifest(files);
    manifest.ifPresent(m -> checkManifest(m, shards));
    return new Result(
        shards.size(),
        places.size(),
        shards.stream().mapToLong(InputFile::length).sum(),
        manifest.isPresent(),
        List.copyOf(problems));
  }

  private long totalSize;

  /** Reads every header; gives the shard of every tensor. */
  private Map<String, String> places(List<InputFile> shards) {
    Map<String, String> places = new LinkedHashMap<>();
    for (InputFile shard : shards) {
      try (RandomAccess access = stores.open(shard)) {
        for (SafetensorsHeader.Entry entry : SafetensorsHeader.read(access).entries()) {
          String other = places.put(entry.spec().name(), shard.name());
          totalSize += entry.spec().bytes();
          if (other != null) {
            problems.add(
                "tensor " + entry.spec().name() + " is in " + other + " and " + shard.name());
          }
        }
      } catch (ReweaveException e) {
        problems.add(e.getMessage());
      } catch (IOException e) {
        throw Stores.unreadable(shard.uri(), e);
      }
    }
    return places;
  }

  private void checkIndex(
      List<InputFile> files, List<InputFile> shards, Map<String, String> places) {
    List<InputFile> indexes = files.stream().filter(f -> f.name().endsWith(INDEX)).toList();
    if (indexes.isEmpty()) {
      if (shards.size() > 1) {
        problems.add(shards.size() + " shards, but no index");
      }
      return;
    }
    if (indexes.size() > 1) {
      problems.add("several indexes: " + indexes.stream().map(InputFile::name).toList());
      return;
    }
    InputFile file = indexes.get(0);
    SafetensorsIndex index;
    try {
      index = SafetensorsIndex.parse(stores.readAll(file, MOST_JSON_BYTES), file.uri());
    } catch (ReweaveException e) {
      problems.add(e.getMessage());
      return;
    }
    index
        .weightMap()
        .forEach(
            (name, shard) -> {
              if (!shard.equals(places.get(name))) {
                problems.add(
                    file.name()
                        + " says that "
                        + name
                        + " is in "
                        + shard
                        + ": it is "
                        + (places.containsKey(name) ? "in " + places.get(name) : "in no shard"));
              }
            });
    places.forEach(
        (name, shard) -> {
          if (!index.weightMap().containsKey(name)) {
            problems.add(file.name() + " does not name " + name + ", which is in " + shard);
          }
        });
    if (index.totalSize().isPresent() && index.totalSize().getAsLong() != totalSize) {
      problems.add(
          file.name()
              + " says total_size "
              + index.totalSize().getAsLong()
              + ": tensors have "
              + totalSize
              + " bytes");
    }
  }

  private Optional<Manifest> manifest(List<InputFile> files) {
    Optional<InputFile> file =
        files.stream().filter(f -> f.name().equals(Manifest.FILE_NAME)).findFirst();
    if (file.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          Manifest.parse(stores.readAll(file.get(), MOST_JSON_BYTES), file.get().uri()));
    } catch (ReweaveException e) {
      problems.add(e.getMessage());
      return Optional.empty();
    }
  }

  private void checkManifest(Manifest manifest, List<InputFile> shards) {
    Map<String, InputFile> present = new LinkedHashMap<>();
    shards.forEach(s -> present.put(s.name(), s));
    List<Manifest.Shard> toRead = new ArrayList<>();
    for (Manifest.Shard shard : manifest.result().shards()) {
      InputFile file = present.get(shard.name());
      if (file == null) {
        problems.add(shard.name() + " is missing");
      } else if (file.length() != shard.bytes()) {
        problems.add(
            shard.name() + " has " + file.length() + " bytes: " + shard.bytes() + " were written");
      } else {
        toRead.add(shard);
      }
    }
    List<String> known = manifest.result().shards().stream().map(Manifest.Shard::name).toList();
    present.keySet().stream()
        .filter(name -> !known.contains(name))
        .forEach(name -> problems.add(name + " is not of this conversion"));
    checkChecksums(toRead, present);
  }

  private void checkChecksums(List<Manifest.Shard> shards, Map<String, InputFile> files) {
    List<ShardPart> parts = new ArrayList<>();
    for (int s = 0; s < shards.size(); s++) {
      InputFile file = files.get(shards.get(s).name());
      long step = PlanOptions.DEFAULTS.chunkBytes();
      for (long from = 0; from < file.length(); from += step) {
        parts.add(new ShardPart(s, file, from, Math.min(file.length(), from + step)));
      }
    }
    int[] crcs = new int[shards.size()];
    Broadcast<Stores> shared = spark.broadcast(stores);
    try {
      new SparkTasks(spark)
          .run(
              "verify " + shards.size() + " shards",
              parts,
              part -> crc(shared.value(), part),
              result -> crcs[result.shard()] ^= result.share());
    } finally {
      shared.destroy();
    }
    for (int s = 0; s < crcs.length; s++) {
      String found = Manifest.hex(crcs[s]);
      if (!found.equals(shards.get(s).crc32c())) {
        problems.add(
            shards.get(s).name()
                + " has CRC32C "
                + found
                + ": "
                + shards.get(s).crc32c()
                + " was written");
      }
    }
  }

  private static PartCrc crc(Stores stores, ShardPart part) {
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
    return new PartCrc(part.shard(), Checksum.CRC_32C.share((int) crc.getValue(), behind));
  }
}
