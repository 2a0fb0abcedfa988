package dev.reweave.look.compare;

import dev.reweave.checkpoint.huggingface.WeightFiles;
import dev.reweave.checkpoint.huggingface.WeightsCheck;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.FileChecksums;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Reads a converted folder back, with the folders below it, and lists what is wrong with it. */
public final class Verification {
  private static final int MOST_JSON_BYTES = 256 << 20;

  /**
   * What was found.
   *
   * @param shards number of files of weights
   * @param tensors number of tensors in readable ones
   * @param bytes bytes of these files
   * @param checksums whether a manifest gave checksums, and all bytes were read
   * @param problems what is wrong; empty if nothing is
   */
  public record Result(
      int shards, int tensors, long bytes, boolean checksums, List<String> problems) {}

  private final Cluster cluster;
  private final Stores stores;
  private final List<String> problems = new ArrayList<>();

  /** A verification of one folder. */
  public Verification(Cluster cluster, Stores stores) {
    this.cluster = cluster;
    this.stores = stores;
  }

  /**
   * Verifies a folder.
   *
   * @throws ReweaveException if there is nothing to verify, or it cannot be read
   */
  public Result run(Location address) {
    Map<String, InputFile> files = stores.tree(address);
    Map<String, List<InputFile>> folders = new TreeMap<>();
    files.forEach(
        (path, file) ->
            folders
                .computeIfAbsent(
                    path.substring(0, path.lastIndexOf('/') + 1), f -> new ArrayList<>())
                .add(file));
    int shards = 0;
    int tensors = 0;
    long bytes = 0;
    for (Map.Entry<String, List<InputFile>> folder : folders.entrySet()) {
      for (WeightFiles weights : WeightFiles.among(stores, folder.getValue())) {
        WeightsCheck check = WeightsCheck.of(stores, weights);
        check.unreadable().forEach(e -> problems.add(folder.getKey() + e.getMessage()));
        check.disagreements().forEach(e -> problems.add(folder.getKey() + e.problem()));
        shards += weights.shards().size();
        tensors += check.tensors().size();
        bytes += weights.shards().stream().mapToLong(InputFile::length).sum();
      }
      DistributedCheck.Found found =
          DistributedCheck.of(
              stores, cluster.progress(), inside(address, folder.getKey()), folder.getValue());
      problems.addAll(found.problems());
      shards += found.shards();
      tensors += found.tensors();
      bytes += found.bytes();
    }
    Optional<Manifest> manifest = manifest(files);
    if (shards == 0) {
      // Of kinds that no index ties together, the manifest alone says what belongs to them.
      Manifest made = manifest.orElseThrow(() -> CompareFailures.noWeights(address));
      shards = made.result().shards().size();
      tensors = made.result().weights().size();
      bytes = made.result().shards().stream().mapToLong(Manifest.Shard::bytes).sum();
    }
    manifest.ifPresent(m -> checkManifest(m, files));
    return new Result(shards, tensors, bytes, manifest.isPresent(), List.copyOf(problems));
  }

  /** Whether loaders would take a file that is there for one of the result's. */
  private static boolean isTaken(String path, Manifest manifest) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    String folder = path.substring(0, path.length() - name.length());
    return WeightFiles.isWeights(name)
        || DistributedCheck.isShard(name)
        || (name.endsWith(".pt")
            && manifest.result().shards().stream()
                .map(Manifest.Shard::name)
                .anyMatch(
                    shard ->
                        shard.endsWith(".pt")
                            && shard.substring(0, shard.lastIndexOf('/') + 1).equals(folder)));
  }

  private static Location inside(Location address, String folder) {
    return folder.isEmpty() ? address : address.child(folder.substring(0, folder.length() - 1));
  }

  private Optional<Manifest> manifest(Map<String, InputFile> files) {
    InputFile file = files.get(Manifest.FILE_NAME);
    if (file == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(Manifest.parse(stores.readAll(file, MOST_JSON_BYTES), file.uri()));
    } catch (ReweaveException e) {
      problems.add(e.getMessage());
      return Optional.empty();
    }
  }

  private void checkManifest(Manifest manifest, Map<String, InputFile> present) {
    List<Manifest.Shard> toRead = new ArrayList<>();
    Set<String> known = new TreeSet<>();
    Stream.concat(manifest.result().shards().stream(), manifest.result().files().stream())
        .forEach(
            written -> {
              known.add(written.name());
              InputFile file = present.get(written.name());
              if (file == null) {
                problems.add(written.name() + " is missing");
              } else if (file.length() != written.bytes()) {
                problems.add(
                    written.name()
                        + " has "
                        + file.length()
                        + " bytes: "
                        + written.bytes()
                        + " were written");
              } else {
                toRead.add(written);
              }
            });
    present.forEach(
        (path, file) -> {
          if (!known.contains(path) && isTaken(path, manifest)) {
            problems.add(path + " is not of this conversion");
          }
        });
    Map<String, String> damaged = compare(toRead, present);
    addDamaged(damaged, manifest, present);
    Map<String, InputFile> sound = new TreeMap<>();
    toRead.stream()
        .map(Manifest.Shard::name)
        .filter(path -> !damaged.containsKey(path))
        .forEach(path -> sound.put(path, present.get(path)));
    problems.addAll(
        new RecordedTensors(stores, new DamagedTensors(cluster, stores)).problems(manifest, sound));
  }

  /**
   * Compares the checksums of files of the right length with those that were written.
   *
   * @return by path, whose CRC32C is another
   */
  private Map<String, String> compare(
      List<Manifest.Shard> written, Map<String, InputFile> present) {
    boolean sha256 = written.stream().anyMatch(file -> !file.sha256().isEmpty());
    List<FileDigest> found =
        new FileChecksums(cluster, stores, ReadLimit.NONE, PartRule.FREE.usualBytes())
            .read(
                "verify: the checksums of " + written.size() + " files",
                written.stream().map(file -> present.get(file.name())).toList(),
                sha256 ? FileDigest.Wanted.SHA256 : FileDigest.Wanted.CRC32C);
    Map<String, String> damaged = new LinkedHashMap<>();
    for (int i = 0; i < found.size(); i++) {
      Manifest.Shard file = written.get(i);
      String crc = Checksum.hex(found.get(i).crc32c());
      if (!crc.equals(file.crc32c())) {
        damaged.put(
            file.name(),
            file.name() + " has CRC32C " + crc + ": " + file.crc32c() + " was written");
      } else if (!file.sha256().isEmpty() && !found.get(i).sha256().equals(file.sha256())) {
        problems.add(
            file.name()
                + " has SHA-256 "
                + found.get(i).sha256()
                + ": "
                + file.sha256()
                + " was written");
      }
    }
    return damaged;
  }

  /** With the names of the tensors, where that can be told. */
  private void addDamaged(
      Map<String, String> damaged, Manifest manifest, Map<String, InputFile> present) {
    Map<String, InputFile> files = new TreeMap<>();
    damaged.keySet().forEach(path -> files.put(path, present.get(path)));
    Map<String, String> tensors =
        new DamagedTensors(cluster, stores).in(manifest.result().weights(), files);
    damaged.forEach(
        (path, problem) ->
            problems.add(tensors.containsKey(path) ? problem + "; " + tensors.get(path) : problem));
  }
}
