package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.KeptState;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The policy in the manual is what a conversion asks for: a store that refuses all else is enough.
 */
class S3RightsTest {
  private static final Path PAGE = Path.of("src", "site", "markdown", "stores.md");
  private static final int FOREVER = Integer.MAX_VALUE;
  private static final List<String> ALL =
      List.of("List", "Read", "WriteAndOverwrite", "Resume", "FindLostUploads");

  @TempDir Path temp;
  private final Set<String> asked = new ConcurrentSkipListSet<>();
  private FaultProxy proxy;
  private Configuration conf;
  private String training;
  private String models;
  private FileSystem fs;
  private String input;

  @BeforeEach
  void start() throws IOException {
    proxy = FaultProxy.start(S3Server.shared());
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy.signedSettings().forEach(conf::set);
    training = S3Server.shared().newBucket();
    models = S3Server.shared().newBucket();
    Configuration direct = new Configuration(conf);
    S3Server.shared().configure(direct);
    try (FileSystem inputs = FileSystem.newInstance(URI.create("s3a://" + training), direct)) {
      input = HadoopFiles.copy(Fixtures.folder("z2_bf16_w2/ckpt"), inputs, "/runs/ckpt");
    }
    fs = FileSystem.newInstance(URI.create("s3a://" + models), direct);
  }

  @AfterEach
  void stop() throws IOException {
    fs.close();
    FileSystem.get(fs.getUri(), conf).close();
    FileSystem.get(URI.create(input), conf).close();
    proxy.close();
  }

  private static JsonNode statements() throws IOException {
    String page = Files.readString(PAGE);
    String section = page.substring(page.indexOf("<a id=\"rights\">"));
    String json = section.substring(section.indexOf("```json") + 7);
    return new ObjectMapper().readTree(json.substring(0, json.indexOf("```"))).get("Statement");
  }

  /** What statements of the manual allow, each as {@code s3:GetObject arn:aws:s3:::models/*}. */
  private static Set<String> allowed(List<String> sids) throws IOException {
    Set<String> allowed = new TreeSet<>();
    for (JsonNode statement : statements()) {
      if (sids.contains(statement.get("Sid").asText())) {
        for (String action : texts(statement.get("Action"))) {
          texts(statement.get("Resource")).forEach(on -> allowed.add(action + " " + on));
        }
      }
    }
    return allowed;
  }

  private static Set<String> texts(JsonNode one) {
    Set<String> texts = new TreeSet<>();
    if (one.isArray()) {
      one.forEach(text -> texts.add(text.asText()));
    } else {
      texts.add(one.asText());
    }
    return texts;
  }

  /** What a request needs, by the reference of S3's actions, in the words of the manual. */
  private String needed(Request request) {
    String[] path = request.path().split("/", 3);
    String bucket = Map.of(training, "training", models, "models").getOrDefault(path[1], path[1]);
    boolean ofObject = path.length == 3 && !path[2].isEmpty();
    boolean ofUpload = request.query().contains("uploadId=");
    String action =
        switch (request.method() + (ofObject ? " object" : " bucket")) {
          case "GET object" -> ofUpload ? "ListMultipartUploadParts" : "GetObject";
          case "HEAD object" -> "GetObject";
          case "PUT object", "POST object" -> "PutObject";
          case "DELETE object" -> ofUpload ? "AbortMultipartUpload" : "DeleteObject";
          case "GET bucket" ->
              request.query().startsWith("uploads") ? "ListBucketMultipartUploads" : "ListBucket";
          case "HEAD bucket" -> "ListBucket";
          case "POST bucket" -> "DeleteObject";
          default -> throw new IllegalArgumentException(request.toString());
        };
    // It deletes several objects with one request to their bucket.
    boolean onObjects = ofObject || action.equals("DeleteObject");
    return "s3:" + action + " arn:aws:s3:::" + bucket + (onObjects ? "/*" : "");
  }

  /** Refuses what is not allowed, from now on. */
  private void allow(List<String> sids) throws IOException {
    Set<String> allowed = allowed(sids);
    proxy.clear();
    proxy.inject(
        r -> {
          String needed = needed(r);
          asked.add(needed);
          return !allowed.contains(needed);
        },
        FOREVER,
        Fault.status(403));
  }

  private String output() {
    return fs.getUri() + "/a/model";
  }

  private int resumed(Object to, String type) {
    return Converting.between(input, to)
        .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
        .type(type)
        .existing(ExistingOutput.REPLACE)
        .in(new Stores(conf))
        .run()
        .manifest()
        .figures()
        .resumedFiles();
  }

  /** Converts, replaces, goes on where a run was killed, fails and cleans. */
  private void doAll(List<String> sids, int resumedOfKilled) throws IOException {
    allow(sids);
    assertEquals(0, resumed(output(), "bfloat16"));
    assertEquals(0, resumed(output(), "float32"));
    KeptState kept = new KeptState(fs, output());
    proxy.inject(
        r -> r.method().equals("POST") && r.query().startsWith("uploadId=") && kept.take(),
        FOREVER,
        Fault.status(500));
    assertThrows(ReweaveException.class, () -> resumed(output(), "bfloat16"));
    assertEquals(List.of(), S3Server.shared().pendingUploads(models));
    kept.restore(name -> true);
    allow(sids);
    assertEquals(resumedOfKilled, resumed(output(), "bfloat16"));
    Stores stores = new Stores(conf);
    assertEquals(List.of(), new Cleanup(stores).run(stores.locate(output())));
    assertEquals(List.of(), S3Server.shared().pendingUploads(models));
  }

  @Test
  void thePolicyIsAllThatIsAskedForAndNoMore() throws IOException {
    doAll(ALL, 0);

    assertEquals(allowed(ALL), asked);
  }

  @Test
  void toReadIsEnoughForReaders() throws IOException {
    allow(List.of("List", "Read"));

    assertEquals(0, resumed(temp.resolve("out"), "bfloat16"));

    Set<String> reading = allowed(List.of("List", "Read"));
    reading.removeIf(right -> right.contains(":models"));
    assertEquals(reading, asked);
  }

  @Test
  void theLastTwoCanBeLeftOut() throws IOException {
    allow(List.of("List", "Read", "WriteAndOverwrite"));

    assertEquals(0, resumed(output(), "bfloat16"));
    assertEquals(0, resumed(output(), "float32"));
    Stores stores = new Stores(conf);
    assertEquals(List.of(), new Cleanup(stores).run(stores.locate(output())));
  }
}
