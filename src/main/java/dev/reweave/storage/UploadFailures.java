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

  /** {@code fs.s3a.create.checksum.algorithm} is SHA256, which the SDK cannot do without TLS. */
  static ReweaveException checksumOfNothing(String address) {
    return ReweaveException.usage(
        "uploads over http cannot be sent with their SHA256: the AWS SDK sends that of nothing",
        address,
        "set fs.s3a.create.checksum.algorithm to CRC32C, or name an https endpoint");
  }
}
