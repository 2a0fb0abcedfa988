package dev.reweave.cli;

import dev.reweave.spark.LocalFiles;
import picocli.CommandLine.Option;

/** What the machines of a cluster have in common. */
final class ClusterArguments {
  @Option(
      names = "--shared-filesystem",
      description = "On a cluster: local paths are a file system that is mounted on every machine.")
  private boolean shared;

  LocalFiles localFiles() {
    return shared ? LocalFiles.SHARED : LocalFiles.OF_EACH_MACHINE;
  }
}
