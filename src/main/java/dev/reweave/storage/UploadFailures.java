package dev.reweave.storage;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.io.IOException;
import org.apache.hadoop.fs.Path;

/** What can be wrong with multipart uploads, in words of the user. */
final class UploadFailures {
  private UploadFailures() {}

  /** Who writes may not abort uploads, or the store fails. */
  static ReweaveException kept(int count, Location first, Path folder, IOException cause) {
    return new ReweaveException(
        StoreFailures.isDenied(cause)
            ? ReweaveException.Kind.ACCESS_DENIED
            : ReweaveException.Kind.STORE_FAILED,
        "parts of "
            + (count == 1 ? "an upload" : count + " uploads")
            + " stay in the store, which did not abort them, first that of "
            + first.name()
            + " ("
            + StoreAnswer.text(cause)
            + ")",
        folder.toString(),
        "run reweave clean on it, for which s3:AbortMultipartUpload is to be allowed",
        cause);
  }

  /** {@code fs.s3a.create.checksum.algorithm} is SHA256, which this SDK cannot do without TLS. */
  static ReweaveException checksumOfNothing(String sdk, String address) {
    return ReweaveException.usage(
        "uploads over http cannot be sent with their SHA256: AWS SDK "
            + sdk
            + " sends that of nothing",
        address,
        "set fs.s3a.create.checksum.algorithm to CRC32C, or name an https endpoint");
  }

  /**
   * {@code fs.s3a.create.checksum.algorithm} is CRC64NVME, and aws-crt is not on the class path.
   */
  static ReweaveException uncountedChecksum(String address) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "the AWS SDK cannot count CRC64NVME here",
        address,
        "set fs.s3a.create.checksum.algorithm to CRC32C, or put software.amazon.awssdk.crt:aws-crt"
            + " on the class path");
  }
}
