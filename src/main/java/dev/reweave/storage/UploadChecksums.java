package dev.reweave.storage;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Checksums that go to an S3 store with each part of an upload: it refuses what does not arrive as
 * it was sent, and answers with the checksum of what it took.
 */
final class UploadChecksums {
  /** S3A's setting, since Hadoop 3.4.2; empty for none. */
  static final String ALGORITHM = "fs.s3a.create.checksum.algorithm";

  /** Part of S3 for long, known best to stores like it, and what Reweave counts with itself. */
  private static final String CRC_32C = "CRC32C";

  /**
   * The SDK signs what it sends without TLS. 2.29, which Hadoop 3.4.2 is built with, has read it
   * all before it counts this one; 2.35, that of Hadoop 3.5.0, counts it right.
   */
  private static final String SHA_256 = "SHA256";

  private static final List<Integer> SDK_WITH_SHA_256 = List.of(2, 35);

  /** Known to Hadoop 3.5; the SDK counts it with a library that is not part of it. */
  private static final String CRC_64 = "CRC64NVME";

  private static final String CRC_64_CLASS = "software.amazon.awssdk.crt.checksums.CRC64NVME";

  /** What Hadoop 3.5 calls none, and earlier ones refuse; an empty setting all of them know. */
  private static final String NONE = "NONE";

  private static final String ENDPOINT = "fs.s3a.endpoint";
  private static final String ENCRYPTED = "fs.s3a.connection.ssl.enabled";

  /** The SDK sends checksums with its own signatures; with those of others it forgets them. */
  private static final List<String> OTHER_SIGNATURES =
      List.of(
          "fs.s3a.signing-algorithm",
          "fs.s3a.s3.signing-algorithm",
          "fs.s3a.custom.signers",
          "fs.s3a.http.signer.enabled");

  private static final String CREDENTIALS = "fs.s3a.aws.credentials.provider";
  private static final String NO_CREDENTIALS = "AnonymousAWSCredentialsProvider";

  /** How the handle of a part begins that S3A gives. */
  private static final String S3A_PART = "S3A-part01";

  /**
   * What a store answered for a part.
   *
   * @param algorithm in S3's words
   * @param value in Base64
   */
  record Told(String algorithm, String value) {
    /** Whether it can be the checksum of these bytes, as far as that can be told. */
    boolean isOf(byte[] data, int length) {
      return !algorithm.equals(CRC_32C) || value.equals(crc32c(data, length));
    }
  }

  private UploadChecksums() {}

  /** Asks for checksums, unless the settings say something else of them. */
  static void addTo(Configuration conf) {
    String set = conf.get(ALGORITHM);
    if (set == null && !isSignedOtherwise(conf)) {
      conf.set(ALGORITHM, CRC_32C);
    } else if (set != null && set.strip().equalsIgnoreCase(NONE)) {
      conf.set(ALGORITHM, "");
    }
  }

  /**
   * Refuses checksums that cannot work with a store. What S3A itself does not know it refuses.
   *
   * @throws dev.reweave.common.ReweaveException if the SDK would send wrong ones
   */
  static void require(FileSystem fs, Path folder) {
    if (!fs.getClass().getName().equals(ObjectStatus.S3A)) {
      return;
    }
    // With what is set for the bucket alone.
    require(fs.getConf(), AwsSdk.version(), folder);
  }

  /**
   * The same of settings.
   *
   * @param sdk version of the SDK
   */
  static void require(Configuration conf, String sdk, Path folder) {
    String algorithm = conf.get(ALGORITHM, "").strip().toUpperCase(Locale.ROOT);
    if (algorithm.equals(SHA_256) && !isEncrypted(conf)) {
      if (!AwsSdk.isAtLeast(sdk, SDK_WITH_SHA_256)) {
        throw UploadFailures.checksumOfNothing(sdk, folder.toString());
      }
    }
    if (algorithm.replace("_", "").equals(CRC_64) && !AwsSdk.has(CRC_64_CLASS)) {
      throw UploadFailures.uncountedChecksum(folder.toString());
    }
  }

  private static boolean isEncrypted(Configuration conf) {
    String endpoint = conf.getTrimmed(ENDPOINT, "").toLowerCase(Locale.ROOT);
    return endpoint.contains("://")
        ? !endpoint.startsWith("http:")
        : conf.getBoolean(ENCRYPTED, true);
  }

  private static boolean isSignedOtherwise(Configuration conf) {
    return OTHER_SIGNATURES.stream().anyMatch(name -> !isUnset(conf.get(name, "")))
        || conf.get(CREDENTIALS, "").contains(NO_CREDENTIALS);
  }

  private static boolean isUnset(String value) {
    return value.isBlank() || value.equals("false");
  }

  /**
   * The checksum in the handle of a part; empty where a store or Hadoop knows none, or gives
   * handles of a form that is not known here.
   */
  static Optional<Told> of(byte[] handle) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(handle))) {
      if (!in.readUTF().equals(S3A_PART)) {
        return Optional.empty();
      }
      in.readUTF(); // path
      in.readUTF(); // upload
      in.readInt(); // number
      in.readLong(); // length
      in.readUTF(); // ETag
      return in.available() == 0
          ? Optional.empty()
          : Optional.of(new Told(in.readUTF(), in.readUTF()));
    } catch (IOException e) {
      // A handle is the store's own: another form is no error.
      return Optional.empty();
    }
  }

  /** As S3 writes it: in Base64, the highest byte first. */
  static String crc32c(byte[] data, int length) {
    byte[] bytes = new byte[Integer.BYTES];
    ByteBuffer.wrap(bytes).putInt(Checksum.CRC_32C.of(data, 0, length));
    return Base64.getEncoder().encodeToString(bytes);
  }
}
