package dev.reweave.spark;

import dev.reweave.common.Option;

/** What local paths lead to on the machines of a cluster. */
public enum LocalFiles {
  /** To a disk of each machine's own: what one task writes, no other one finds. */
  OF_EACH_MACHINE,
  /** To the same files everywhere, since a file system is mounted under the same path. */
  SHARED;

  /** What the machines have in common. */
  public static final Option<LocalFiles> SHARED_FILESYSTEM =
      Option.flag("shared-filesystem", OF_EACH_MACHINE, SHARED)
          .about(Option.Part.COMMAND)
          .under(Option.Theme.STORES)
          .help("On a cluster: local paths are a file system that is mounted on every machine.");
}
