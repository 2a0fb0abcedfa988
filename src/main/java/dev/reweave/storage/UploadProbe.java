package dev.reweave.storage;

import dev.reweave.common.Location;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.s3a.S3AFileSystem;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ListMultipartUploadsRequest;
import software.amazon.awssdk.services.s3.model.ListPartsRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * Asks for an upload by its id, and for those of one key, which Hadoop has no means for. A part
 * that is sent to one that is gone is no question: some stores close the connection before they
 * have read it, so that it is sent again and again; and some take no upload to its end that has a
 * part more than they are told of.
 */
final class UploadProbe {
  private static final int NOT_FOUND = 404;

  private UploadProbe() {}

  /** Whether an upload may be open: it is not only where the store says so. */
  static boolean isOpen(FileSystem fs, MultipartFile upload) {
    // Where the connector is not on the class path, its classes must not be touched.
    return !fs.getClass().getName().equals(ObjectStatus.S3A) || OfS3a.isOpen(fs, upload);
  }

  /** Open uploads to one file, as far as that can be found out. */
  static List<StagedFile> to(FileSystem fs, Location target) {
    return fs.getClass().getName().equals(ObjectStatus.S3A) ? OfS3a.to(fs, target) : List.of();
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

    static List<StagedFile> to(FileSystem fs, Location target) {
      S3AFileSystem s3a = (S3AFileSystem) fs;
      String key = s3a.pathToKey(Stores.path(target));
      ListMultipartUploadsRequest request =
          ListMultipartUploadsRequest.builder().bucket(s3a.getBucket()).prefix(key).build();
      S3Client client = s3a.getS3AInternals().getAmazonS3Client("uploads that are open");
      try {
        return client.listMultipartUploads(request).uploads().stream()
            .filter(upload -> upload.key().equals(key))
            .map(upload -> upload.uploadId().getBytes(StandardCharsets.UTF_8))
            .<StagedFile>map(
                id -> new MultipartFile(target, StoreToken.of(ByteBuffer.wrap(id)).text(), 0))
            .toList();
      } catch (SdkException e) {
        // Who may not ask leaves them to the store.
        return List.of();
      }
    }
  }
}
