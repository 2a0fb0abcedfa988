package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.S3Server;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What stores like S3 answer, and what connectors cannot use, in words that help. */
class S3MessagesTest {
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final byte[] CONTENT =
      "0123456789".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

  private FaultProxy proxy;
  private Configuration conf;
  private String bucket;

  @BeforeEach
  void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration();
    proxy.signedSettings().forEach(conf::set);
    bucket = S3Server.shared().newBucket();
  }

  @AfterEach
  void stop() throws IOException {
    proxy.close();
  }

  private OutputFolder output() {
    return output(new Stores(conf));
  }

  private OutputFolder output(Stores stores) {
    return stores.outputFolder(stores.locate("s3a://" + bucket + "/models/a"));
  }

  /** One thing that is done in a store. */
  private enum Action {
    INITIATE,
    PART,
    COMPLETE,
    PUT,
    DELETE,
    DELETE_ALL,
    LIST,
    HEAD,
    READ;

    boolean asks(Request request) {
      return (request.method() + " " + request.query()).matches(pattern());
    }

    private String pattern() {
      return switch (this) {
        case INITIATE -> "POST uploads.*";
        case PART -> "PUT partNumber=.*";
        case COMPLETE -> "POST uploadId=.*";
        case PUT -> "PUT ";
        case DELETE -> "DELETE ";
        case DELETE_ALL -> "POST delete.*";
        case LIST -> "GET .*list-type=2.*";
        case HEAD -> "HEAD ";
        case READ -> "GET ";
      };
    }

    void work(Stores stores, OutputFolder output) {
      switch (this) {
        case INITIATE -> output.stage("x", CONTENT.length);
        case PART, COMPLETE -> write(stores, output);
        case PUT -> output.publish("small", CONTENT);
        case DELETE -> output.remove("small");
        case DELETE_ALL -> output.finish();
        case LIST -> output.names();
        case HEAD -> output.file("small");
        case READ -> output.readState("state");
      }
    }
  }

  private static void write(Stores stores, OutputFolder output) {
    StagedFile file = output.stage("x", CONTENT.length);
    try (ChunkSink sink = file.open(stores, new Part(1, 0, CONTENT.length))) {
      sink.write(CONTENT, 0, CONTENT.length);
      output.publish(file, sink.commit());
    } catch (IOException e) {
      throw Stores.unwritable(file.target(), e);
    }
  }

  private ReweaveException told(Action action, Fault fault) {
    Stores stores = new Stores(conf);
    OutputFolder output = output(stores);
    output.publish("small", CONTENT);
    output.writeState("state", CONTENT);
    output.writeState("more", CONTENT);
    proxy.inject(action::asks, FOREVER, fault);
    return assertThrows(ReweaveException.class, () -> action.work(stores, output));
  }

  @ParameterizedTest
  @CsvSource({
    "INITIATE, not allowed to write (no right to s3:PutObject)",
    "PART, not allowed to write (no right to s3:PutObject)",
    "COMPLETE, not allowed to write (no right to s3:PutObject)",
    "PUT, not allowed to write (no right to s3:PutObject)",
    "DELETE, not allowed to write (no right to s3:DeleteObject)",
    "DELETE_ALL, not allowed to write (no right to s3:DeleteObject)",
    "LIST, not allowed to read (no right to s3:ListBucket)",
    "HEAD, not allowed to read (no right to s3:GetObject or s3:ListBucket)",
    "READ, not allowed to read (no right to s3:GetObject)",
  })
  void theRightThatIsMissingIsNamed(Action action, String problem) {
    ReweaveException told = told(action, Fault.status(403));

    assertEquals(problem, told.problem());
    assertEquals(Kind.ACCESS_DENIED, told.kind());
  }

  @Test
  void whatAwsSaysOfRightsIsTaken() {
    ReweaveException told =
        told(
            Action.PUT,
            Fault.answer(
                403,
                "<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/a is not"
                    + " authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:x"
                    + "</Message></Error>"));

    assertEquals("not allowed to write (no right to kms:GenerateDataKey)", told.problem());
  }

  @ParameterizedTest
  @CsvSource({"PUT", "PART", "COMPLETE"})
  void whatArrivesDamagedIsNoWantOfSpace(Action action) {
    for (String code : List.of("BadDigest", "XAmzContentChecksumMismatch", "InvalidDigest")) {
      proxy.clear();

      ReweaveException told = told(action, Fault.error(400, code));

      assertEquals(Kind.STORE_FAILED, told.kind());
      assertTrue(told.problem().contains(code), told::getMessage);
      assertFalse(told.remedy().contains("space"), told::getMessage);
      assertTrue(told.remedy().startsWith("run the same command again"), told::getMessage);
    }
  }

  /** The store took a part, and tells of another checksum, however often it is sent. */
  @Test
  void whatTheStoreHasOtherwiseIsNoWantOfSpace() {
    ReweaveException told = StoreFailures.unwritable("s3a://b/x", StoreAnswer.damage(3));

    assertEquals(
        "cannot write (part 3 did not arrive in the store as it was sent)", told.problem());
    assertTrue(told.remedy().startsWith("run the same command again; if"), told::getMessage);
  }

  @ParameterizedTest
  @CsvSource({"PART", "COMPLETE"})
  void anUploadThatIsGone(Action action) {
    ReweaveException told = told(action, Fault.error(404, "NoSuchUpload"));

    assertEquals("an upload is not in the store any more", told.problem());
    assertEquals(Kind.STORE_FAILED, told.kind());
    assertTrue(told.remedy().endsWith("then run the same command again"), told::getMessage);
  }

  /** As some stores answer where there is no bucket, and S3A takes it for a missing file. */
  @ParameterizedTest
  @CsvSource({"PUT", "INITIATE"})
  void nowhereToWrite(Action action) {
    ReweaveException told = told(action, Fault.error(404, "NotFound"));

    assertEquals(Kind.NOT_FOUND, told.kind());
    assertEquals("no such bucket", told.problem());
  }

  @Test
  void nobodySaysWhoAsks() {
    conf.unset("fs.s3a.access.key");
    conf.unset("fs.s3a.secret.key");

    for (ReweaveException told :
        List.of(
            assertThrows(ReweaveException.class, () -> output().names()),
            assertThrows(ReweaveException.class, () -> output().stage("x", 10)))) {
      assertEquals("no credentials for the store were found", told.problem());
      assertEquals(Kind.ACCESS_DENIED, told.kind());
      assertTrue(told.remedy().contains("AWS_ACCESS_KEY_ID"), told::getMessage);
    }
    assertEquals(List.of(), proxy.requests());
  }

  @ParameterizedTest
  @CsvSource({
    "fs.s3a.connection.maximum, many",
    "fs.s3a.block.size, -3q",
    "fs.s3a.endpoint, http://a b",
    "fs.s3a.input.stream.type, none",
  })
  void aSettingIsNoAddress(String name, String value) {
    conf.set(name, value);

    ReweaveException told = assertThrows(ReweaveException.class, this::output);

    assertEquals(Kind.USAGE, told.kind());
    assertTrue(
        told.problem().startsWith("the settings of the store cannot be used (" + name + ": "),
        told::getMessage);
    assertEquals("correct them (--conf spark.hadoop." + name + "=…)", told.remedy());
  }

  @ParameterizedTest
  @ValueSource(strings = {"MD5", "CRC64"})
  void checksumsThatThisHadoopDoesNotKnow(String algorithm) {
    conf.set(UploadChecksums.ALGORITHM, algorithm);

    ReweaveException told = assertThrows(ReweaveException.class, this::output);

    assertEquals(Kind.USAGE, told.kind());
    assertEquals(
        "the settings of the store cannot be used (fs.s3a.create.checksum.algorithm: Checksum"
            + " algorithm is not supported: "
            + algorithm
            + ")",
        told.problem());
    assertEquals("set it to CRC32C, or to nothing for none", told.remedy());
  }

  /** AWS SDK 2.29 counts what it has read already. */
  @ParameterizedTest
  @CsvSource({
    "fs.s3a.create.checksum.algorithm, SHA256",
    "fs.s3a.bucket.BUCKET.create.checksum.algorithm, sha256",
  })
  void theSha256OfNothing(String name, String value) {
    conf.set(name.replace("BUCKET", bucket), value);
    Stores stores = new Stores(conf);
    Path folder = Stores.path(output(stores).address());
    Configuration ofBucket = stores.fileSystem(folder).getConf();
    UploadChecksums.require(ofBucket, "2.35.4", folder);

    ReweaveException told =
        assertThrows(
            ReweaveException.class, () -> UploadChecksums.require(ofBucket, "2.29.52", folder));

    assertEquals(Kind.USAGE, told.kind());
    assertTrue(
        told.problem()
            .startsWith("uploads over http cannot be sent with their SHA256: AWS SDK 2.2"),
        told::getMessage);
    assertEquals(
        "set fs.s3a.create.checksum.algorithm to CRC32C, or name an https endpoint", told.remedy());
    assertEquals(List.of(), proxy.requests());
  }

  @Test
  void laterVersionsCountRight() {
    List<Integer> least = List.of(2, 35);
    assertTrue(AwsSdk.isAtLeast(AwsSdk.version(), least), AwsSdk.version());
    for (String version : List.of("2.35.4", "2.40.0-preview", "3.0.1", "2.35")) {
      assertTrue(AwsSdk.isAtLeast(version, least), version);
    }
    for (String version : List.of("2.34.99", "2.9.1", "1.99.0", "")) {
      assertFalse(AwsSdk.isAtLeast(version, least), version);
    }
  }

  /** Hadoop before 3.5 refuses it itself. */
  @Test
  void aChecksumThatTheSdkCannotCount() {
    for (String name : List.of("CRC64NVME", "crc64_nvme")) {
      conf.set(UploadChecksums.ALGORITHM, name);

      ReweaveException told = assertThrows(ReweaveException.class, this::output);

      assertEquals("the AWS SDK cannot count CRC64NVME here", told.problem());
      assertEquals(Kind.ENVIRONMENT, told.kind());
    }
  }

  /** Who only reads sends none. */
  @Test
  void theSha256OfNothingIsOfNoMatterToReaders() {
    conf.set(UploadChecksums.ALGORITHM, "SHA256");
    Stores stores = new Stores(conf);

    assertEquals(List.of(), stores.list(stores.locate("s3a://" + bucket + "/")).files());
  }

  @ParameterizedTest
  @ValueSource(strings = {"CRC32C", "crc32c", "CRC32", "SHA1", "NONE", ""})
  void checksumsThatWork(String algorithm) {
    conf.set(UploadChecksums.ALGORITHM, algorithm);
    Stores stores = new Stores(conf);
    OutputFolder output = output(stores);

    write(stores, output);

    assertEquals(CONTENT.length, output.file("x").orElseThrow().length());
    boolean sent = !algorithm.isEmpty() && !algorithm.equals("NONE");
    assertEquals(
        sent ? 1 : 0,
        proxy.count(r -> Action.PART.asks(r) && r.headers().containsKey("x-amz-trailer")));
  }

  @Test
  void aKeyWithAQuestionMarkIsToldWhole() {
    OutputFolder output = output();
    output.publish("what?.json", CONTENT);
    assertEquals(List.of("what?.json"), output.names());

    ReweaveException told =
        StoreFailures.unreadable(
            output.file("what?.json").orElseThrow().uri(), new IOException("no"));

    assertEquals("s3a://" + bucket + "/models/a/what?.json", told.place());
  }
}
