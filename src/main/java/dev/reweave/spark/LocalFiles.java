package dev.reweave.spark;

/** What local paths lead to on the machines of a cluster. */
public enum LocalFiles {
  /** To a disk of each machine's own: what one task writes, no other one finds. */
  OF_EACH_MACHINE,
  /** To the same files everywhere, since a file system is mounted under the same path. */
  SHARED
}
