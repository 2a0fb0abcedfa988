package dev.reweave.testing;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UploadHandle;

/** A bucket of the shared server with what the tests of the test store do to it. */
final class S3Samples {
  static final int PART = 5 << 20;

  private S3Samples() {}

  /** A new bucket's name. */
  static String newBucket() throws IOException {
    return S3Server.shared().newBucket();
  }

  /** A file system that no other test shares. */
  static FileSystem open(String bucket, Configuration conf) throws IOException {
    return FileSystem.newInstance(new Path("s3a://" + bucket + "/").toUri(), conf);
  }

  static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  static Path put(FileSystem fs, String key, byte[] content) throws IOException {
    Path path = new Path(fs.getUri() + "/" + key);
    try (FSDataOutputStream out = fs.create(path, false)) {
      out.write(content);
    }
    return path;
  }

  static byte[] get(FileSystem fs, Path path) throws IOException {
    try (FSDataInputStream in = fs.open(path)) {
      return in.readAllBytes();
    }
  }

  static UploadHandle begin(MultipartUploader uploader, Path path) throws IOException {
    return await(uploader.startUpload(path));
  }

  static PartHandle part(
      MultipartUploader uploader, UploadHandle upload, Path path, int number, byte[] content)
      throws IOException {
    return await(
        uploader.putPart(
            upload, number, number == 2, path, new ByteArrayInputStream(content), content.length));
  }

  static <T> T await(Future<T> future) throws IOException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
