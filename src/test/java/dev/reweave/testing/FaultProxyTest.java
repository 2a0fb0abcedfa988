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
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.FaultProxy.Recorded;
import dev.reweave.testing.FaultProxy.Request;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.AccessDeniedException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.Options.OpenFileOptions;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UploadHandle;
import org.apache.hadoop.fs.s3a.AWSServiceThrottledException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The proxy does what it is told, and S3A lives through what it should. */
class FaultProxyTest {
  private static final byte[] CONTENT = bytes(1_000_000);
  private static final int FROM = 500;
  private static final int LENGTH = 200_000;

  private String bucket;
  private FaultProxy proxy;
  private FileSystem fs;

  @BeforeEach
  void open() throws IOException {
    bucket = S3Samples.newBucket();
    proxy = FaultProxy.start(S3Server.shared());
    fs = S3Samples.open(bucket, configuration());
  }

  @AfterEach
  void close() throws IOException {
    fs.close();
    proxy.close();
  }

  private Configuration configuration() {
    Configuration conf = new Configuration();
    proxy.configure(conf);
    // As Reweave has it: the other stream of Hadoop 3.5 reads more, and leaves retries to the SDK.
    conf.set("fs.s3a.input.stream.type", "classic");
    conf.unset(S3Server.SIGNING);
    return conf;
  }

  private static boolean isRead(Request request) {
    return request.method().equals("GET") && !request.range().isEmpty();
  }

  private FSDataInputStream openOfKnownLength(Path path) throws IOException {
    return await(
        fs.openFile(path)
            .opt(
                OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_RANDOM)
            .optLong(OpenFileOptions.FS_OPTION_OPENFILE_LENGTH, CONTENT.length)
            .build());
  }

  /** Reads a range with this fault on the way; gives the status of each read. */
  private List<Integer> readDespite(Fault fault, int times) throws IOException {
    Path path = put(fs, "file", CONTENT);
    proxy.inject(FaultProxyTest::isRead, times, fault);
    byte[] read = new byte[LENGTH];
    try (FSDataInputStream in = openOfKnownLength(path)) {
      in.readFully(FROM, read);
    }
    assertArrayEquals(Arrays.copyOfRange(CONTENT, FROM, FROM + LENGTH), read);
    return proxy.requests().stream()
        .filter(recorded -> isRead(recorded.request()))
        .map(Recorded::status)
        .toList();
  }

  /** Uploads a file of two parts with this fault on the way; says how often each part was sent. */
  private List<Long> uploadDespite(String method, String query, Fault fault) throws IOException {
    Path path = new Path("/folder/two parts");
    proxy.inject(
        request -> request.method().equals(method) && request.query().startsWith(query), 1, fault);
    try (MultipartUploader uploader = fs.createMultipartUploader(path.getParent()).build()) {
      UploadHandle upload = begin(uploader, path);
      PartHandle first = part(uploader, upload, path, 1, bytes(PART));
      PartHandle second = part(uploader, upload, path, 2, bytes(1000));
      await(uploader.complete(upload, path, Map.of(1, first, 2, second)));
    }
    byte[] content = get(fs, path);
    assertArrayEquals(bytes(PART), Arrays.copyOf(content, PART));
    assertArrayEquals(bytes(1000), Arrays.copyOfRange(content, PART, content.length));
    return Stream.of("partNumber=1&", "partNumber=2&", "uploadId=")
        .map(prefix -> proxy.count(request -> request.query().startsWith(prefix)))
        .toList();
  }

  @Test
  void passesAllOnAndNotesIt() throws IOException {
    Path path = put(fs, "a folder/größe 模型", CONTENT);
    assertArrayEquals(CONTENT, get(fs, path));
    assertEquals(path, fs.listStatus(path.getParent())[0].getPath());

    Recorded last = proxy.requests().get(proxy.requests().size() - 1);
    assertEquals("/" + bucket, last.request().path());
    assertTrue(last.request().query().contains("prefix=a%20folder%2F"), last.request().query());
    assertEquals(200, last.status());
    Request write =
        proxy.requests().stream()
            .map(Recorded::request)
            .filter(request -> request.method().equals("PUT"))
            .findFirst()
            .orElseThrow();
    assertEquals("/" + bucket + "/a folder/größe 模型", write.path());
    assertEquals("100-continue", write.headers().get("expect"));
    assertEquals("aws-chunked", write.headers().get("content-encoding"));
  }

  @Test
  void passesTrailingChecksums() throws IOException {
    Configuration conf = configuration();
    conf.set("fs.s3a.create.checksum.algorithm", "CRC32C");
    try (FileSystem checked = S3Samples.open(bucket, conf)) {
      assertArrayEquals(CONTENT, get(checked, put(checked, "checked", CONTENT)));
    }
    assertEquals(
        1,
        proxy.count(
            request ->
                "x-amz-checksum-crc32c"
                    .equals(request.headers().getOrDefault("x-amz-trailer", ""))));
  }

  @Test
  void passesChunkedBodies() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(proxy.endpoint().resolve("/" + bucket + "/chunked"))
            .PUT(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(CONTENT)))
            .version(HttpClient.Version.HTTP_1_1)
            .build();
    assertEquals(
        200, HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode());
    assertEquals(
        1, proxy.count(r -> "chunked".equals(r.headers().getOrDefault("transfer-encoding", ""))));
    assertArrayEquals(CONTENT, get(fs, new Path("/chunked")));
  }

  @Test
  void aKnownLengthSparesARequest() throws IOException {
    Path path = put(fs, "file", CONTENT);
    proxy.clear();
    try (FSDataInputStream in = openOfKnownLength(path)) {
      in.readFully(FROM, new byte[LENGTH]);
    }
    assertEquals(
        List.of("GET bytes=500-200499"),
        proxy.requests().stream()
            .map(Recorded::request)
            .map(request -> request.method() + " " + request.range())
            .toList());
  }

  @Test
  void readsSurviveABurstOf503() throws IOException {
    assertEquals(List.of(503, 503, 503, 206), readDespite(Fault.status(503), 3));
  }

  @Test
  void readsSurvive500() throws IOException {
    assertEquals(List.of(500, 206), readDespite(Fault.status(500), 1));
  }

  @Test
  void readsSurviveResets() throws IOException {
    assertEquals(
        List.of(Recorded.NO_ANSWER, Recorded.NO_ANSWER, 206), readDespite(Fault.reset(), 2));
  }

  @Test
  void readsSurviveALostAnswer() throws IOException {
    assertEquals(List.of(206, 206), readDespite(Fault.lostAnswer(), 1));
  }

  @Test
  void readsSurviveACutBody() throws IOException {
    assertTrue(readDespite(Fault.cut(70_000), 1).size() > 1);
    // What is left is asked for, not all again.
    assertEquals(1, proxy.count(request -> request.range().startsWith("bytes=70500-")));
  }

  @Test
  void readsSurviveSlowness() throws IOException {
    assertEquals(List.of(206), readDespite(Fault.slow(10_000, Duration.ofMillis(1)), 1));
  }

  @Test
  void readsGiveUpInTheEnd() throws IOException {
    assertThrows(
        AWSServiceThrottledException.class,
        () -> readDespite(Fault.status(503), Integer.MAX_VALUE));
    assertEquals(6, proxy.count(FaultProxyTest::isRead));
  }

  @Test
  void aRefusalIsFinal() throws IOException {
    AccessDeniedException refused =
        assertThrows(AccessDeniedException.class, () -> readDespite(Fault.status(403), 1));
    assertTrue(refused.getMessage().contains("AccessDenied"), refused.getMessage());
    assertEquals(1, proxy.count(FaultProxyTest::isRead));
  }

  @Test
  void partsAreSentAgain() throws IOException {
    assertEquals(List.of(2L, 1L, 1L), uploadDespite("PUT", "partNumber=1&", Fault.status(503)));
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @Test
  void partsAreSentAgainAfterAReset() throws IOException {
    assertEquals(List.of(1L, 2L, 1L), uploadDespite("PUT", "partNumber=2&", Fault.reset()));
  }

  @Test
  void anUploadWhoseCompletionLostItsAnswerIsThere() throws IOException {
    assertEquals(List.of(1L, 1L, 2L), uploadDespite("POST", "uploadId=", Fault.lostAnswer()));
  }

  @Test
  void refusesNonsense() {
    assertThrows(IllegalArgumentException.class, () -> Fault.status(418));
    assertThrows(IllegalArgumentException.class, () -> Fault.cut(-1));
    assertThrows(IllegalArgumentException.class, () -> Fault.slow(0, Duration.ZERO));
    assertThrows(IllegalArgumentException.class, () -> Fault.slow(1, Duration.ofMinutes(1)));
  }

  @Test
  void aClosedProxyAnswersNobody() throws IOException {
    FaultProxy other = FaultProxy.start(S3Server.shared());
    other.close();
    Configuration conf = new Configuration();
    other.configure(conf);
    try (FileSystem unreachable = S3Samples.open(bucket, conf)) {
      assertThrows(ConnectException.class, () -> unreachable.listStatus(new Path("/")));
    }
  }
}
