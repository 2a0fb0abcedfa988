package dev.reweave.look.compare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.common.Location;
import dev.reweave.common.Progress;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import java.util.List;

/** Looks whether the {@code .distcp} files of a folder hold what its {@code .metadata} tells. */
final class DistributedCheck {
  private static final String CHUNKS = ".distcp";

  /**
   * What was found.
   *
   * @param problems what is wrong; empty if nothing is
   */
  record Found(int shards, int tensors, long bytes, List<String> problems) {}

  private DistributedCheck() {}

  /** Whether a file of this name holds tensors of a distributed checkpoint. */
  static boolean isShard(String name) {
    return name.endsWith(CHUNKS);
  }

  /**
   * Looks at a folder.
   *
   * @param files in it
   */
  static Found of(Stores stores, Progress progress, Location folder, List<InputFile> files) {
    List<InputFile> shards = files.stream().filter(f -> isShard(f.name())).toList();
    if (shards.isEmpty()) {
      return new Found(0, 0, 0, List.of());
    }
    long bytes = shards.stream().mapToLong(InputFile::length).sum();
    try {
      Checkpoint read =
          new CheckpointReader(stores, new ThreadScanner(stores, progress))
              .read(folder, ReadOptions.defaults());
      return new Found(
          shards.size(), read.tensors().size() + read.aliases().size(), bytes, List.of());
    } catch (ReweaveException e) {
      return new Found(shards.size(), 0, bytes, List.of(e.getMessage()));
    }
  }
}
