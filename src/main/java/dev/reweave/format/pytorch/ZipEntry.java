package dev.reweave.format.pytorch;

/**
 * An entry as the central directory of a zip states it.
 *
 * @param flags general purpose bit flags
 * @param method 0 if stored as it is
 * @param crc32 0 if the writer was told to leave it out
 * @param stored bytes in the file
 * @param bytes bytes when unpacked
 * @param header position of the local header
 * @param end position of what follows the entry: another one, or the directory
 */
record ZipEntry(
    String name,
    int flags,
    int method,
    long crc32,
    long stored,
    long bytes,
    long header,
    long end) {

  /** Encrypted, strongly encrypted, or with hidden headers. */
  private static final int ENCRYPTED = 1 | 1 << 6 | 1 << 13;

  private static final int SIZES_BEHIND = 1 << 3;

  /** Whether an entry of these flags is as encrypted as this one. */
  boolean isEncryptedAs(int otherFlags) {
    return ((flags ^ otherFlags) & ENCRYPTED) == 0;
  }

  boolean isPlain() {
    return method == 0 && stored == bytes && (flags & ENCRYPTED) == 0;
  }

  /** Whether checksum and sizes stand behind the bytes, not in the local header. */
  boolean sizesBehind() {
    return (flags & SIZES_BEHIND) != 0;
  }
}
