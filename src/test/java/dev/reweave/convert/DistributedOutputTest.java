package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.FaultyFileSystem;
import dev.reweave.testing.FaultyFileSystem.Call;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Floats;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.VersionedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Results as {@code torch.distributed.checkpoint.save} would write them, read again. */
class DistributedOutputTest {
  @TempDir Path temp;

  private static PlanOptions distributed(long shardBytes, long chunkBytes) {
    return PlanOptions.DEFAULTS
        .withSizes(shardBytes, chunkBytes)
        .with(PlanOptions.FORMAT, Format.DCP);
  }

  private Path output() {
    return temp.resolve("out");
  }

  @AfterEach
  void heal() {
    FaultyFileSystem.heal();
  }

  private static void assertVerified(Path folder) {
    Verification.Result verified =
        new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(folder));
    assertEquals(List.of(), verified.problems());
    assertTrue(verified.checksums());
    assertTrue(verified.tensors() > 0 && verified.shards() > 0);
  }

  private static Map<String, String> digests(Path folder) throws IOException {
    Map<String, String> files = Fixtures.digests(folder);
    assertTrue(files.remove(Manifest.FILE_NAME) != null, "no manifest");
    return files;
  }

  /**
   * Tied names, empty and frozen tensors, buffers, slices, experts, and one that is DCP already.
   */
  @ParameterizedTest
  @CsvSource({
    "z1_fp16_w2, float32",
    "z2_fp32_w2_bn, keep",
    "z2_bf16_w2_empty, keep",
    "z3_bf16_w2_tied, bfloat16",
    "z3_bf16_w2_llama_tied, float16",
    "z3_bf16_w2_frozen, float32",
    "moe_z2_bf16_w2, bfloat16",
    "dcp_fsdp2_w3, keep"
  })
  void theWayOverItGivesTheSameFiles(String fixture, String type) throws IOException {
    Path input = Fixtures.folder(fixture).resolve("ckpt");
    Converting.between(input, temp.resolve("straight"))
        .planning(PlanOptions.DEFAULTS.withSizes(9_000, 64_000))
        .type(type)
        .run();

    Converting.between(input, output()).planning(distributed(3_000, 64_000)).type(type).run();

    assertVerified(output());
    Converting.between(output(), temp.resolve("over"))
        .planning(PlanOptions.DEFAULTS.withSizes(9_000, 64_000))
        .type("keep")
        .run();
    assertEquals(digests(temp.resolve("straight")), digests(temp.resolve("over")));
  }

  private static List<TensorSpec> parameters() {
    List<TensorSpec> parameters = new ArrayList<>();
    long[][] shapes = {{1009, 31}, {}, {31}, {7, 11, 1300}, {2, 3}, {5003}, {3000, 1000}};
    for (int i = 0; i < shapes.length; i++) {
      parameters.add(new TensorSpec("layer" + i + ".weight", DType.F32, Shape.of(shapes[i])));
    }
    return parameters;
  }

  /** Big tensors lie in several items, and the result is the same, whatever the store can do. */
  @Test
  void theSameBytesEverywhere() throws IOException {
    Path input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 3, parameters(), 7);
    PlanOptions planning = distributed(2_000_000, 64_000);
    Converting.between(input, output()).planning(planning).run();
    Map<String, String> expected = digests(output());
    assertEquals(
        List.of(".metadata", "__0_0.distcp", "__1_0.distcp"), List.copyOf(expected.keySet()));
    assertVerified(output());
    Converting.between(input, temp.resolve("straight")).run();
    Converting.between(output(), temp.resolve("over")).run();
    assertEquals(digests(temp.resolve("straight")), digests(temp.resolve("over")));

    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    FaultyFileSystem.configure(conf);
    String s3 = "s3a://" + S3Server.shared().newBucket() + "/out";
    String hdfs = TestHdfs.fileSystem().getUri() + "/distributed-output";
    String whole = "faulty:" + temp.resolve("whole");
    for (String to : List.of(whole, s3, hdfs)) {
      Converting.between(input, to).planning(planning).in(new Stores(conf)).run();

      org.apache.hadoop.fs.Path folder =
          new org.apache.hadoop.fs.Path(to.replaceFirst("^faulty:", "file:"));
      Map<String, String> made = HadoopFiles.digests(folder.getFileSystem(conf), folder.toString());
      made.remove(Manifest.FILE_NAME);
      assertEquals(expected, made, to);
    }
  }

  /**
   * Whichever call fails, nothing is there that torch would load, and the next run gets through.
   */
  @ParameterizedTest
  @EnumSource(names = {"CREATE", "RENAME"})
  void nothingIsThereBeforeItsMetadata(Call call) throws IOException {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    FaultyFileSystem.configure(conf);
    Stores stores = new Stores(conf);
    Path input = Fixtures.folder("z2_bf16_w2/ckpt");
    PlanOptions planning = distributed(400, 64_000);
    Converting.between(input, output()).planning(planning).run();
    Map<String, String> expected = digests(output());
    assertTrue(expected.size() > 3, expected::toString);
    FaultyFileSystem.heal();
    Converting.between(input, "faulty:" + temp.resolve("counted"))
        .planning(planning)
        .in(stores)
        .run();
    long calls = FaultyFileSystem.calls(call);
    assertTrue(calls > 5, call + ": " + calls);
    for (long number = 1; number <= calls; number++) {
      Path to = temp.resolve("models/" + call + number);
      Converting conversion =
          Converting.between(input, "faulty:" + to).planning(planning).in(stores);
      FaultyFileSystem.heal();
      FaultyFileSystem.fail(call, number);

      assertThrows(ReweaveException.class, conversion::run);

      assertFalse(Files.exists(to), "call " + number);
      FaultyFileSystem.heal();
      conversion.run();
      assertEquals(expected, digests(to), "call " + number);
    }
  }

  /** A store without renames has the old checkpoint until the new metadata takes the place. */
  @Test
  void shardsOfANewerOneHaveOtherNames() throws IOException {
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    String s3 = "s3a://" + S3Server.shared().newBucket() + "/out";
    org.apache.hadoop.fs.Path folder = new org.apache.hadoop.fs.Path(s3);
    List<List<String>> names = new ArrayList<>();
    for (String fixture : List.of("z2_bf16_w2", "z1_fp16_w2", "z2_bf16_w2")) {
      Converting.between(Fixtures.folder(fixture).resolve("ckpt"), s3)
          .planning(distributed(1L << 30, 64_000))
          .overwriting()
          .in(new Stores(conf))
          .run();

      names.add(List.copyOf(HadoopFiles.digests(folder.getFileSystem(conf), s3).keySet()));
      assertEquals(
          List.of(),
          new Verification(TestSpark.cluster(), new Stores(conf)).run(Locations.of(s3)).problems());
    }
    assertEquals(
        List.of(
            List.of(".metadata", "__0_0.distcp", "reweave.json"),
            List.of(".metadata", "__0_0-r.distcp", "reweave.json"),
            List.of(".metadata", "__0_0.distcp", "reweave.json")),
        names);
  }

  /** What is known of a tensor is known of all its items together. */
  @ParameterizedTest
  @EnumSource(names = {"SAMPLE", "SECOND_COPY"})
  void tensorsInSeveralItemsAreProvenAndToldAsOne(Proving proving) throws IOException {
    VersionedFiles files =
        new VersionedFiles(temp.resolve("in"), "0.19.8", 2, 4)
            .group(Floats.random("a", 1, 701, 700), Floats.random("b", 20, 701, 700));
    files.write();
    Manifest straight =
        Converting.between(temp.resolve("in"), temp.resolve("straight"))
            .proving(proving)
            .run()
            .manifest();

    Manifest made =
        Converting.between(temp.resolve("in"), output())
            .planning(distributed(1L << 30, 64_000))
            .proving(proving)
            .run()
            .manifest();

    assertEquals(straight.proven(), made.proven());
    assertTrue(made.proven().isPresent());
    assertEquals(known(straight), known(made));
    assertEquals(straight.result().tensors(), made.result().tensors());
    assertVerified(output());
  }

  /** Of each tensor, the checksum of its bytes and what is said of its elements. */
  private static List<String> known(Manifest manifest) {
    return manifest.result().weights().stream()
        .map(t -> t.name() + t.shape() + t.dtype() + t.crc32c() + t.nans() + t.subnormals())
        .sorted()
        .toList();
  }

  @Test
  void damageIsFound() throws IOException {
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output())
        .planning(distributed(400, 64_000))
        .run();
    Path shard = output().resolve("__1_0.distcp");
    byte[] bytes = Files.readAllBytes(shard);
    bytes[bytes.length / 2] ^= 4;
    Files.write(shard, bytes);
    Files.delete(output().resolve(".metadata"));

    List<String> problems =
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(output()))
            .problems();

    assertTrue(
        problems.stream().anyMatch(p -> p.startsWith("__1_0.distcp has CRC32C")),
        problems::toString);
    assertTrue(problems.contains(".metadata is missing"), problems::toString);
  }
}
