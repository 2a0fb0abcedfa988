package dev.reweave.storage;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Checksums of one whole file.
 *
 * @param crc32c of all its bytes
 * @param sha256 in 64 lower-case hexadecimal digits, as the Hugging Face Hub shows it for files of
 *     git-lfs; empty if nobody asked for it
 */
public record FileDigest(int crc32c, String sha256) {
  /** Which digests of files are asked for. */
  public enum Wanted {
    CRC32C,
    /** Beside CRC32C the one that the Hugging Face Hub shows. */
    SHA256
  }

  /** Of a file that is in memory. */
  public static FileDigest of(byte[] content) {
    Sha256 sha256 = new Sha256();
    sha256.update(content, 0, content.length);
    return new FileDigest(Checksum.CRC_32C.of(content, 0, content.length), sha256.hex());
  }

  /** A SHA-256 that takes bytes as they come. */
  public static final class Sha256 {
    private final MessageDigest digest;

    /** Of nothing so far. */
    public Sha256() {
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }

    /** Takes {@code data[offset, offset + length)}. */
    public void update(byte[] data, int offset, int length) {
      digest.update(data, offset, length);
    }

    /** In lower-case hexadecimal digits; the next byte begins a new one. */
    public String hex() {
      return HexFormat.of().formatHex(digest.digest());
    }
  }
}
