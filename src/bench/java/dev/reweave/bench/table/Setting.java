package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What all rows are measured with.
 *
 * @param product this one
 * @param base another build of it, to be held against
 * @param peer what else makes safetensors of such checkpoints
 * @param pairs how often each side counts
 * @param files checkpoints and results
 */
record Setting(
    Product product, Optional<Product> base, Optional<Peer> peer, int pairs, WorkFiles files) {
  /** Names of the sides. */
  static final String NOW = "now";

  static final String BASE = "base";
  static final String PEER = "peer";

  /**
   * Lets what is still to be written come to the disk, so that no run pays for the one before it.
   */
  static void settle() throws IOException, InterruptedException {
    ProcessRun.run(Map.of(), List.of("sync"));
  }

  /** Converts a checkpoint to a folder that is not there yet. */
  static ProcessRun.Taken convert(Product product, Path from, Path to, String dtype)
      throws IOException, InterruptedException {
    settle();
    return product.run("convert", "-i", from.toString(), "-o", to.toString(), "--dtype", dtype);
  }

  /** Copies a folder to one that is not there yet, and deletes the copy. */
  ProcessRun.Taken copy(Path folder) throws IOException, InterruptedException {
    Path copy = files.fresh("copy");
    settle();
    ProcessRun.Taken taken =
        ProcessRun.run(Map.of(), List.of("cp", "-r", folder.toString(), copy.toString()));
    files.delete(copy);
    return taken;
  }
}
