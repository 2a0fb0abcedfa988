package dev.reweave.storage;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.s3a.S3AFileSystem;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ListPartsRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Asks for an upload by its id, which Hadoop has no means for. A part that is sent to one that is
 * gone is no question: some stores close the connection before they have read it, so that it is
 * sent again and again; and some take no upload to its end that has a part more than they are told
 * of.
 */
final class UploadProbe {
  private static final int NOT_FOUND = 404;

  private UploadProbe() {}

  /** Whether an upload may be open: it is not only where the store says so. */
  static boolean isOpen(FileSystem fs, MultipartFile upload) {
    // Where the connector is not on the class path, its classes must not be touched.
    return !fs.getClass().getName().equals(ObjectStatus.S3A) || OfS3a.isOpen(fs, upload);
  }

  private static final class OfS3a {
    private OfS3a() {}

    static boolean isOpen(FileSystem fs, MultipartFile upload) {
      S3AFileSystem s3a = (S3AFileSystem) fs;
      ByteBuffer id = upload.handle().bytes();
      ListPartsRequest request =
          ListPartsRequest.builder()
              .bucket(s3a.getBucket())
              .key(s3a.pathToKey(Stores.path(upload.target())))
              .uploadId(StandardCharsets.UTF_8.decode(id).toString())
              .maxParts(1)
              .build();
      S3Client client = s3a.getS3AInternals().getAmazonS3Client("whether an upload is open");
      try {
        var unused = client.listParts(request);
        return true;
      } catch (S3Exception e) {
        // Who may not ask finds out when it is used.
        return e.statusCode() != NOT_FOUND;
      } catch (SdkException e) {
        return true;
      }
    }
  }
}
