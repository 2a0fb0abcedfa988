package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.FileDigest;
import dev.reweave.storage.Stores;
import dev.reweave.testing.Converting;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.SyntheticOptions;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.s3a.S3AFileSystem;
import org.apache.hadoop.fs.statistics.StreamStatisticNames;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an object store must hand out for a checkpoint with Adam moments beside the weights. */
class ReadAmplificationTest {
  private static final long WEIGHTS = 48_000_000;

  /** The end of a zip with its directory, and what is read ahead for small reads behind it. */
  private static final long METADATA_PER_FILE = 256 << 10;

  @TempDir Path temp;

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void fetchesTheWeightsAndNoMoments(int stage) throws IOException {
    SyntheticOptions adam = new SyntheticOptions(stage, 2).with(SyntheticOptions.Moments.ADAM);
    Path local = temp.resolve("in");
    var unused = SyntheticCheckpoint.write(local, adam, SyntheticCheckpoint.llama(WEIGHTS), 3);
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    try (FaultProxy proxy = FaultProxy.start(S3Server.shared())) {
      proxy.configure(conf);
      String bucket = S3Server.shared().newBucket();
      try (FileSystem fs = FileSystem.get(URI.create("s3a://" + bucket), conf)) {
        String input = HadoopFiles.copy(local, fs, "/runs/ckpt");
        proxy.clear();
        long before = fetched(fs);

        Manifest manifest = convert(input, fs.getUri() + "/models/new", conf);

        Manifest.Figures figures = manifest.figures();
        assertTrue(figures.bytesNeeded() >= WEIGHTS * 0.9, "needed: " + figures.bytesNeeded());
        assertTrue(
            figures.bytesRead() <= 1.02 * figures.bytesNeeded(), "read: " + figures.bytesRead());
        long files = manifest.input().files().size();
        long fetched = fetched(fs) - before;
        assertTrue(
            fetched <= 1.02 * figures.bytesNeeded() + files * METADATA_PER_FILE,
            "fetched: " + fetched + " for " + figures.bytesNeeded());
        assertEquals(
            0,
            proxy.count(r -> r.method().equals("HEAD") && r.path().endsWith("_states.pt")),
            "requests for what the listing has told");
        long gets =
            proxy.count(r -> r.method().equals("GET") && r.path().endsWith("_optim_states.pt"));
        assertTrue(
            gets <= figures.readRequests() + files * 8, gets + " of " + figures.readRequests());
      }
    }
  }

  private static Manifest convert(String input, String output, Configuration conf) {
    return Converting.between(input, output)
        .planning(
            PlanOptions.DEFAULTS.withSizes(20_000_000, 8_000_000).withType(new TargetType.Keep()))
        // Reading the result again, or a second copy, is another matter.
        .proving(Proving.NONE)
        .checking(
            new Checks(Checks.ReadBack.NEVER, FileDigest.Wanted.CRC32C, Checks.Nonfinite.WARN))
        .in(new Stores(conf))
        .run()
        .manifest();
  }

  /** Bytes that S3A took from the store, with those that it threw away. */
  private static long fetched(FileSystem fs) {
    Map<String, Long> counters = ((S3AFileSystem) fs).getIOStatistics().counters();
    return counters.getOrDefault(StreamStatisticNames.STREAM_READ_BYTES, 0L)
        + counters.getOrDefault(StreamStatisticNames.STREAM_READ_BYTES_DISCARDED_CLOSE, 0L)
        + counters.getOrDefault(StreamStatisticNames.STREAM_READ_VECTORED_READ_BYTES_DISCARDED, 0L);
  }
}
