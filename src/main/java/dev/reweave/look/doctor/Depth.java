package dev.reweave.look.doctor;

/** How much of the files is read. */
public enum Depth {
  /** Structures, and the first and last bytes of each file. */
  STRUCTURE,
  /** All bytes that a file keeps a checksum of. */
  CHECKSUMS
}
