package dev.reweave.testing;

import static dev.reweave.testing.S3Samples.PART;
import static dev.reweave.testing.S3Samples.await;
import static dev.reweave.testing.S3Samples.begin;
import static dev.reweave.testing.S3Samples.bytes;
import static dev.reweave.testing.S3Samples.get;
import static dev.reweave.testing.S3Samples.part;
import static dev.reweave.testing.S3Samples.put;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileRange;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UploadHandle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What other tests may expect of S3A and the server together. */
class S3ServerTest {
  private String bucket;
  private FileSystem fs;

  @BeforeEach
  void open() throws IOException {
    bucket = S3Samples.newBucket();
    Configuration conf = new Configuration();
    S3Server.shared().configure(conf);
    fs = S3Samples.open(bucket, conf);
  }

  @AfterEach
  void close() throws IOException {
    fs.close();
  }

  @Test
  void keepsFilesOfAnyName() throws IOException {
    for (String name : List.of("plain", "with space", "größe 模型 🧵", "a+b%20c&d=e#f")) {
      Path path = put(fs, "folder/" + name, bytes(1000));
      assertArrayEquals(bytes(1000), get(fs, path), name);
      assertEquals(1000, fs.getFileStatus(path).getLen(), name);
    }
    assertEquals(
        List.of("a+b%20c&d=e#f", "größe 模型 🧵", "plain", "with space"),
        Stream.of(fs.listStatus(new Path("/folder")))
            .map(status -> status.getPath().getName())
            .sorted()
            .toList());
  }

  @Test
  void refusesToOverwriteUnasked() throws IOException {
    Path path = put(fs, "once", bytes(10));
    assertThrows(FileAlreadyExistsException.class, () -> put(fs, "once", bytes(20)));
    assertArrayEquals(bytes(10), get(fs, path));
  }

  @Test
  void readsRangesTogether() throws Exception {
    Path path = put(fs, "ranges", bytes(300_000));
    List<FileRange> ranges =
        List.of(FileRange.createFileRange(7, 100), FileRange.createFileRange(200_000, 50_000));
    try (FSDataInputStream in = fs.open(path)) {
      in.readVectored(ranges, ByteBuffer::allocate);
      for (FileRange range : ranges) {
        int from = (int) range.getOffset();
        assertArrayEquals(
            Arrays.copyOfRange(bytes(300_000), from, from + range.getLength()),
            range.getData().get().array());
      }
    }
  }

  @Test
  void completesAnUploadOfTwoParts() throws IOException {
    Path path = new Path("/sub folder/two parts");
    try (MultipartUploader uploader = fs.createMultipartUploader(path.getParent()).build()) {
      UploadHandle upload = begin(uploader, path);
      PartHandle second = part(uploader, upload, path, 2, bytes(PART + 1));
      PartHandle first = part(uploader, upload, path, 1, bytes(PART));
      assertEquals(List.of("sub folder/two parts"), S3Server.shared().pendingUploads(bucket));
      assertFalse(fs.exists(path));

      await(uploader.complete(upload, path, Map.of(1, first, 2, second)));
    }
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
    byte[] content = get(fs, path);
    assertEquals(2 * PART + 1, content.length);
    assertArrayEquals(bytes(PART), Arrays.copyOf(content, PART));
    assertArrayEquals(bytes(PART + 1), Arrays.copyOfRange(content, PART, content.length));
  }

  @Test
  void anAbortedUploadLeavesNothing() throws IOException {
    Path path = new Path("/aborted");
    try (MultipartUploader uploader = fs.createMultipartUploader(path.getParent()).build()) {
      UploadHandle upload = begin(uploader, path);
      assertNotNull(part(uploader, upload, path, 1, bytes(100)));
      assertEquals(List.of("aborted"), S3Server.shared().pendingUploads(bucket));
      await(uploader.abort(upload, path));
    }
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
    assertFalse(fs.exists(path));
  }

  @Test
  void endsWithItsFiles() throws Exception {
    S3Mock server = S3Mock.start();
    server.createBucket("short-lived");
    assertEquals(List.of(), server.pendingUploads("short-lived"));
    server.close();
    assertFalse(Files.exists(server.folder()));
    HttpRequest request = HttpRequest.newBuilder(server.endpoint()).build();
    assertThrows(
        ConnectException.class,
        () -> HttpClient.newHttpClient().send(request, BodyHandlers.discarding()));
  }
}
