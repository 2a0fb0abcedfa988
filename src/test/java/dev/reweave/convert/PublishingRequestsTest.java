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
import org.junit.jupiter.api.Test;

/** What the driver asks an object store while all executors wait for it. */
class PublishingRequestsTest {
  /** Each a wait for the store, and about as many for one shard as for a hundred. */
  private static final int MOST_REQUESTS = 30;

  private static final int SHARDS = 3;

  /** Before anything is sent, but reading: of the input, of the output, and of that when locked. */
  private static final int MOST_LOOKS = 12;

  @Test
  void theStartLooksAtEachPlaceOnce() throws IOException {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    try (FaultProxy proxy = FaultProxy.start(S3Server.shared())) {
      proxy.configure(conf);
      String bucket = S3Server.shared().newBucket();
      try (FileSystem fs = FileSystem.get(URI.create("s3a://" + bucket), conf)) {
        String input = HadoopFiles.copy(Fixtures.folder("z3_bf16_w2/ckpt"), fs, "/runs/ckpt");
        proxy.clear();

        var unused =
            Converting.between(input, fs.getUri() + "/models/new").in(new Stores(conf)).run();

        List<String> looks =
            proxy.requests().stream()
                .map(Recorded::request)
                .takeWhile(r -> !r.query().contains("partNumber="))
                .filter(r -> !r.headers().containsKey("range"))
                .map(r -> r.method() + " " + r.path() + "?" + r.query())
                .toList();
        assertTrue(looks.size() <= MOST_LOOKS, looks.size() + " requests: " + looks);
      }
    }
  }

  @Test
  void publishingIsAFewRequestsAndCopiesNothing() throws IOException {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    try (FaultProxy proxy = FaultProxy.start(S3Server.shared())) {
      proxy.configure(conf);
      String bucket = S3Server.shared().newBucket();
      try (FileSystem fs = FileSystem.get(URI.create("s3a://" + bucket), conf)) {
        String input = HadoopFiles.copy(Fixtures.folder("z2_bf16_w2/ckpt"), fs, "/runs/ckpt");
        proxy.clear();

        int shards =
            Converting.between(input, fs.getUri() + "/models/new")
                .planning(PlanOptions.DEFAULTS.withSizes(400, 64_000))
                .in(new Stores(conf))
                .run()
                .manifest()
                .result()
                .shards()
                .size();

        assertTrue(shards >= SHARDS, "shards: " + shards);
        List<Request> requests = proxy.requests().stream().map(Recorded::request).toList();
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
                .map(r -> r.method() + " " + r.path() + "?" + r.query())
                .toList();
        assertTrue(alone.size() <= MOST_REQUESTS, alone.size() + " requests: " + alone);
      }
    }
  }
}
