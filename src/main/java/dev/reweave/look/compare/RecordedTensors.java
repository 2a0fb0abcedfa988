package dev.reweave.look.compare;

import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Compares what a manifest tells of single tensors with shards that are as they were written. That
 * reads no more than their headers: the checksum of a file follows from those of its header and its
 * tensors.
 */
final class RecordedTensors {
  private static final String SAFETENSORS = ".safetensors";

  private final Stores stores;
  private final DamagedTensors damaged;

  /**
   * @param damaged finds the tensors, where a checksum among those of a shard is another
   */
  RecordedTensors(Stores stores, DamagedTensors damaged) {
    this.stores = stores;
    this.damaged = damaged;
  }

  /**
   * What the manifest tells otherwise than the shards; nothing if it tells of no tensors, as those
   * of older versions.
   *
   * @param sound files with the length and CRC32C that the manifest has, by path
   */
  List<String> problems(Manifest manifest, Map<String, InputFile> sound) {
    if (manifest.result().weights().isEmpty()) {
      return List.of();
    }
    Map<String, Map<String, WrittenTensor>> told = new HashMap<>();
    manifest
        .result()
        .weights()
        .forEach(t -> told.computeIfAbsent(t.shard(), s -> new LinkedHashMap<>()).put(t.name(), t));
    List<String> problems = new ArrayList<>();
    Map<String, InputFile> wrong = new TreeMap<>();
    for (Manifest.Shard shard : manifest.result().shards()) {
      Optional<SafetensorsHeader> header =
          Optional.ofNullable(sound.get(shard.name()))
              .filter(file -> file.name().endsWith(SAFETENSORS))
              .flatMap(this::header);
      if (header.isPresent()) {
        List<String> others = new ArrayList<>();
        Map<String, WrittenTensor> tensors = told.getOrDefault(shard.name(), Map.of());
        int crc = checksum(header.get(), new HashMap<>(tensors), others);
        if (!others.isEmpty()) {
          problems.add(problem("tells otherwise of", others, shard.name()));
        } else if (!Checksum.hex(crc).equals(shard.crc32c())) {
          wrong.put(shard.name(), sound.get(shard.name()));
        }
      }
    }
    damaged
        .names(manifest.result().weights(), wrong)
        .forEach((shard, names) -> problems.add(problem("has the wrong CRC32C for", names, shard)));
    return problems;
  }

  private static String problem(String what, List<String> names, String shard) {
    return Manifest.FILE_NAME
        + " "
        + what
        + " "
        + Counted.of(names.size(), "tensor")
        + " of "
        + shard
        + ": "
        + FirstNames.of(names);
  }

  private Optional<SafetensorsHeader> header(InputFile file) {
    try (RandomAccess access = stores.open(file)) {
      return Optional.of(SafetensorsHeader.read(access));
    } catch (ReweaveException e) {
      return Optional.empty(); // That is found, and told, where index and headers are compared.
    } catch (IOException e) {
      throw Stores.unreadable(file.location(), e);
    }
  }

  /**
   * The checksum of a file with these tensors.
   *
   * @param others takes the names of tensors that are told of otherwise
   */
  private static int checksum(
      SafetensorsHeader header, Map<String, WrittenTensor> told, List<String> others) {
    byte[] start = header.bytes();
    long length = header.fileLength();
    int crc =
        Checksum.CRC_32C.share(Checksum.CRC_32C.of(start, 0, start.length), length - start.length);
    for (SafetensorsHeader.Entry entry : header.entries()) {
      WrittenTensor tensor = told.remove(entry.spec().name());
      if (tensor == null || !isOf(tensor, entry.spec(), header.position(entry))) {
        others.add(entry.spec().name());
      } else {
        int ofTensor = Integer.parseUnsignedInt(tensor.crc32c(), 16);
        crc ^= Checksum.CRC_32C.share(ofTensor, length - header.dataStart() - entry.end());
      }
    }
    others.addAll(told.keySet());
    return crc;
  }

  private static boolean isOf(WrittenTensor tensor, TensorSpec spec, long position) {
    return tensor.dtype().equals(spec.dtype().torchName())
        && tensor.shape().equals(Arrays.stream(spec.shape().dims()).boxed().toList())
        && tensor.offset() == position
        && tensor.crc32c().matches("[0-9a-f]{8}");
  }
}
