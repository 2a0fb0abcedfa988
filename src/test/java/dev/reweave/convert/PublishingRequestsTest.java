package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Recorded;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the driver asks an object store while all executors wait for it. */
class PublishingRequestsTest {
  /** Each a wait for the store, and about as many for one shard as for a hundred. */
  private static final int MOST_REQUESTS = 30;

  private static final int SHARDS = 3;

  /** Before anything is sent, but reading: of the input, of the output, and of that when locked. */
  private static final int MOST_LOOKS = 12;

  private Configuration conf;
  private FaultProxy proxy;
  private FileSystem fs;

  @BeforeEach
  void start() throws IOException {
    conf = new Configuration(TestSpark.context().hadoopConfiguration());
    proxy = FaultProxy.start(S3Server.shared());
    proxy.configure(conf);
    fs = FileSystem.get(URI.create("s3a://" + S3Server.shared().newBucket()), conf);
  }

  @AfterEach
  void stop() throws IOException {
    fs.close();
    proxy.close();
  }

  private Converting converting(String fixture) throws IOException {
    String input = HadoopFiles.copy(Fixtures.folder(fixture + "/ckpt"), fs, "/runs/ckpt");
    proxy.clear();
    return Converting.between(input, fs.getUri() + "/models/new").in(new Stores(conf));
  }

  private List<Request> requests() {
    return proxy.requests().stream().map(Recorded::request).toList();
  }

  private static String shown(Request request) {
    return request.method() + " " + request.path() + "?" + request.query();
  }

  @Test
  void theStartLooksAtEachPlaceOnce() throws IOException {
    var unused = converting("z3_bf16_w2").run();

    List<String> looks =
        requests().stream()
            .takeWhile(r -> !r.query().contains("partNumber="))
            .filter(r -> !r.headers().containsKey("range"))
            .map(PublishingRequestsTest::shown)
            .toList();
    assertTrue(looks.size() <= MOST_LOOKS, looks.size() + " requests: " + looks);
  }

  @Test
  void publishingIsAFewRequestsAndCopiesNothing() throws IOException {
    int shards =
        converting("z2_bf16_w2")
            .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
            .run()
            .manifest()
            .result()
            .shards()
            .size();

    assertTrue(shards >= SHARDS, "shards: " + shards);
    List<Request> requests = requests();
    assertEquals(
        List.of(),
        requests.stream().filter(r -> r.headers().containsKey("x-amz-copy-source")).toList());
    int last = 0;
    for (int i = 0; i < requests.size(); i++) {
      last = requests.get(i).query().contains("partNumber=") ? i : last;
    }
    List<Request> behind = requests.subList(last + 1, requests.size());
    List<String> alone =
        behind.stream()
            .filter(r -> !r.path().contains("/.reweave/finished/"))
            .filter(r -> !r.query().contains("finished%2F"))
            .filter(r -> !r.query().startsWith("uploadId="))
            .map(PublishingRequestsTest::shown)
            .toList();
    assertTrue(alone.size() <= MOST_REQUESTS, alone.size() + " requests: " + alone);
  }
}
