package dev.reweave.bench.table;

import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.SyntheticMegatron;
import dev.reweave.testing.SyntheticOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Checkpoints and results in one folder, written when they are first asked for.
 *
 * @param folder where there is room for some 30 GB
 */
record WorkFiles(Path folder) {
  private static final int STAGE = 3;
  private static final int RANKS = 4;
  private static final int TENSOR_RANKS = 2;

  /** Of the checkpoint that is called 2.08 GB, in F32 masters. */
  static final long SMALL = 2_000_000_000L;

  /** Of the one that is called about 6 GB. */
  static final long LARGE = 6_000_000_000L;

  /** A ZeRO-3 checkpoint of masters of about this size. */
  Path checkpoint(long masterBytes) throws IOException {
    return written("masters-" + masterBytes, masterBytes, new SyntheticOptions(STAGE, RANKS));
  }

  /** The same beside Adam moments, as a real one has them: three times as many bytes. */
  Path checkpointWithMoments(long masterBytes) throws IOException {
    return written(
        "adam-" + masterBytes,
        masterBytes,
        new SyntheticOptions(STAGE, RANKS).with(SyntheticOptions.Moments.ADAM));
  }

  /** The same in files that have all zeros and take no room on the disk. */
  Path sparseCheckpointWithMoments(long masterBytes) throws IOException {
    return written(
        "sparse-" + masterBytes,
        masterBytes,
        new SyntheticOptions(STAGE, RANKS).with(SyntheticOptions.Moments.ADAM).sparse());
  }

  /** A checkpoint of Megatron-Core of about this size, all F32. */
  Path megatron(long bytes) throws IOException {
    Path checkpoint = folder.resolve("megatron-" + bytes);
    if (!Files.exists(checkpoint)) {
      SyntheticMegatron.write(checkpoint, TENSOR_RANKS, SyntheticMegatron.Form.ofBytes(bytes), 1);
    }
    return checkpoint;
  }

  private Path written(String name, long masterBytes, SyntheticOptions options) throws IOException {
    Path checkpoint = folder.resolve(name);
    if (!Files.exists(checkpoint)) {
      SyntheticCheckpoint.write(checkpoint, options, SyntheticCheckpoint.llama(masterBytes), 1);
    }
    return checkpoint;
  }

  /** A place where nothing is. */
  Path fresh(String name) throws IOException {
    Path path = folder.resolve(name);
    delete(path);
    return path;
  }

  /** Deletes a folder, if it is there. */
  void delete(Path path) throws IOException {
    if (Files.exists(path)) {
      try (Stream<Path> paths = Files.walk(path)) {
        for (Path file : paths.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  /** Bytes of all files in a folder. */
  static long bytes(Path folder) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }
}
