package dev.reweave.look.compare;

import dev.reweave.common.FirstNames;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.spark.SparkTasks;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Tells which tensors in files with wrong checksums are not what was written, from where the
 * manifest says they are: what stands in a damaged header is not believed.
 */
final class DamagedTensors {
  private static final int BUFFER = 1 << 20;

  /** Most pieces of one task, so that shards of tiny tensors make no huge ones. */
  private static final int MOST_PIECES = 4096;

  /** Bytes {@code [from, to)} of a file that are of one tensor, and how many are behind them. */
  private record TensorRange(int tensor, long from, long to, long behind) implements Serializable {}

  private record Stretch(InputFile file, List<TensorRange> pieces) implements Serializable {
    long bytes() {
      return pieces.stream().mapToLong(piece -> piece.to() - piece.from()).sum();
    }
  }

  private record Share(int tensor, int crc32c) implements Serializable {}

  private final Cluster cluster;
  private final Stores stores;

  DamagedTensors(Cluster cluster, Stores stores) {
    this.cluster = cluster;
    this.stores = stores;
  }

  /**
   * Reads the tensors of these files.
   *
   * @param weights all tensors of the result
   * @param damaged files of the length that was written, by path
   * @return by path of a file, what is to be said of its tensors; nothing of files that have none
   */
  Map<String, String> in(List<WrittenTensor> weights, Map<String, InputFile> damaged) {
    Map<String, String> found = new TreeMap<>();
    names(weights, damaged).forEach((shard, bad) -> found.put(shard, words(bad)));
    return found;
  }

  /** By path of a file, the names of its tensors whose bytes are not what the manifest says. */
  Map<String, List<String>> names(List<WrittenTensor> weights, Map<String, InputFile> damaged) {
    Map<String, Long> left = new TreeMap<>();
    damaged.forEach((path, file) -> left.put(path, file.length()));
    List<WrittenTensor> tensors = new ArrayList<>();
    for (WrittenTensor tensor : weights) {
      InputFile file = damaged.get(tensor.shard());
      // A manifest can be edited: what is not in the file is not looked for, and no byte of it
      // again and again.
      // A tensor of a distributed checkpoint can lie there in several pieces.
      if (file != null
          && !DistributedCheck.isShard(tensor.shard())
          && tensor.offset() >= 0
          && tensor.bytes().filter(b -> b <= file.length() - tensor.offset()).isPresent()
          && left.merge(tensor.shard(), -tensor.bytes().orElse(0L), Long::sum) >= 0) {
        tensors.add(tensor);
      }
    }
    int[] crcs = new int[tensors.size()];
    List<Stretch> stretches = stretches(tensors, damaged);
    if (!stretches.isEmpty()) {
      Shared<Stores> shared = cluster.share(stores);
      try {
        cluster
            .tasks()
            .run(
                "verify: the tensors in " + damaged.size() + " damaged files",
                stretches,
                SparkTasks.Amounts.bytes(Stretch::bytes),
                stretch -> read(shared.value(), stretch),
                shares -> shares.forEach(share -> crcs[share.tensor()] ^= share.crc32c()));
      } finally {
        shared.close();
      }
    }
    Map<String, List<String>> names = new TreeMap<>();
    for (int i = 0; i < crcs.length; i++) {
      WrittenTensor tensor = tensors.get(i);
      List<String> ofFile = names.computeIfAbsent(tensor.shard(), shard -> new ArrayList<>());
      if (!Checksum.hex(crcs[i]).equals(tensor.crc32c())) {
        ofFile.add(tensor.name());
      }
    }
    return names;
  }

  private static String words(List<String> names) {
    if (names.isEmpty()) {
      return "its tensors are what was written, and what is around them is not";
    }
    return (names.size() == 1 ? "damaged is tensor " : "damaged are " + names.size() + " tensors: ")
        + FirstNames.of(names);
  }

  private static List<Stretch> stretches(
      List<WrittenTensor> tensors, Map<String, InputFile> files) {
    List<Stretch> stretches = new ArrayList<>();
    List<TensorRange> pieces = new ArrayList<>();
    long bytes = 0;
    long most = PartRule.FREE.usualBytes();
    for (int i = 0; i < tensors.size(); i++) {
      WrittenTensor tensor = tensors.get(i);
      InputFile file = files.get(tensor.shard());
      long end = tensor.offset() + tensor.bytes().orElse(0L);
      for (long from = tensor.offset(); from < end; from += most) {
        long to = Math.min(end, from + most);
        pieces.add(new TensorRange(i, from, to, end - to));
        bytes += to - from;
        if (bytes >= most || pieces.size() == MOST_PIECES) {
          stretches.add(new Stretch(file, List.copyOf(pieces)));
          pieces.clear();
          bytes = 0;
        }
      }
      boolean last = i + 1 == tensors.size() || !tensors.get(i + 1).shard().equals(tensor.shard());
      if (last && !pieces.isEmpty()) {
        stretches.add(new Stretch(file, List.copyOf(pieces)));
        pieces.clear();
        bytes = 0;
      }
    }
    return stretches;
  }

  /** Tensors that lie side by side are read with one request. */
  private static List<Share> read(Stores stores, Stretch stretch) {
    List<Share> shares = new ArrayList<>();
    byte[] buffer = new byte[BUFFER];
    long start = 0;
    long end = 0;
    try (RandomAccess access = stores.open(stretch.file())) {
      for (TensorRange piece : stretch.pieces()) {
        CRC32C crc = new CRC32C();
        long at = piece.from();
        while (at < piece.to()) {
          if (at < start || at >= end) {
            start = at;
            end = Math.min(stretch.file().length(), at + buffer.length);
            access.readFully(start, buffer, 0, (int) (end - start));
          }
          int length = (int) (Math.min(piece.to(), end) - at);
          crc.update(buffer, (int) (at - start), length);
          at += length;
        }
        int share = Checksum.CRC_32C.share((int) crc.getValue(), piece.behind());
        shares.add(new Share(piece.tensor(), share));
      }
    } catch (IOException e) {
      throw Stores.unreadable(stretch.file().location(), e);
    }
    return shares;
  }
}
