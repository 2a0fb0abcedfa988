package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.format.safetensors.SafetensorsIndex;
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
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestHdfs;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Results as {@code torch.save} would write them. */
class TorchOutputTest {
  @TempDir Path temp;

  private static PlanOptions torch(long shardBytes, long chunkBytes) {
    return PlanOptions.DEFAULTS
        .withSizes(shardBytes, chunkBytes)
        .with(PlanOptions.FORMAT, Format.BIN);
  }

  private Path output() {
    return temp.resolve("out");
  }

  private void assertVerified() {
    Verification.Result verified =
        new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(output()));
    assertEquals(List.of(), verified.problems());
    assertTrue(verified.checksums());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"z1_fp16_w2", "z2_bf16_w2", "z3_fp16_w3", "z2_fp32_w2_bn", "cog_z2_bf16_w2"})
  void oneFileHasTheExpectedTensors(String fixture) throws IOException {
    Path folder = Fixtures.folder(fixture);

    Converting.between(folder.resolve("ckpt"), output())
        .planning(torch(5_000_000_000L, 64_000))
        .run();

    Converting.between(folder.resolve("ckpt"), temp.resolve("safetensors")).run();
    assertEquals(
        StoredTensors.of(temp.resolve("safetensors/model.safetensors")),
        StoredTensors.ofTorch(output().resolve("pytorch_model.bin")));
    assertEquals(
        List.of("pytorch_model.bin", "reweave.json"),
        List.copyOf(Fixtures.digests(output()).keySet()));
    assertVerified();
  }

  @Test
  void tiedTensorsShareAStorageAndBothNamesAreThere() throws IOException {
    Path input = Fixtures.folder("z3_bf16_w2_llama_tied").resolve("ckpt");

    Manifest manifest =
        Converting.between(input, output())
            .planning(torch(5_000_000_000L, 64_000))
            .run()
            .manifest();

    Map<String, String> tensors = StoredTensors.ofTorch(output().resolve("pytorch_model.bin"));
    String dropped = manifest.result().dropped().keySet().iterator().next();
    String kept = manifest.result().dropped().get(dropped);
    assertEquals(tensors.get(kept), tensors.get(dropped));
    assertEquals(manifest.result().tensors() + 1, tensors.size());
    assertVerified();
  }

  @Test
  void shardsHaveAnIndexWithAllNames() throws IOException {
    Path input = Fixtures.folder("z3_bf16_w2_llama_tied").resolve("ckpt");

    Manifest manifest =
        Converting.between(input, output()).planning(torch(8_000, 64_000)).run().manifest();

    SafetensorsIndex index =
        SafetensorsIndex.parse(
            Files.readAllBytes(output().resolve("pytorch_model.bin.index.json")), "index");
    Map<String, String> tensors = new TreeMap<>();
    Map<String, String> places = new TreeMap<>();
    for (Manifest.Shard shard : manifest.result().shards()) {
      Map<String, String> held = StoredTensors.ofTorch(output().resolve(shard.name()));
      tensors.putAll(held);
      held.keySet().forEach(name -> places.put(name, shard.name()));
    }
    assertTrue(manifest.result().shards().size() > 2);
    assertEquals(places, new TreeMap<>(index.weightMap()));
    assertEquals(Map.of(), index.droppedNames());
    assertEquals(manifest.result().tensors() + manifest.result().dropped().size(), tensors.size());
    assertVerified();
  }

  private static List<TensorSpec> parameters() {
    List<TensorSpec> parameters = new ArrayList<>();
    long[][] shapes = {{1009, 31}, {}, {31}, {7, 11, 13}, {0, 3}, {2, 3}, {5003}, {3000, 1000}};
    for (int i = 0; i < shapes.length; i++) {
      parameters.add(new TensorSpec("layer" + i + ".weight", DType.F32, Shape.of(shapes[i])));
    }
    return parameters;
  }

  /** The same bytes, however the work is cut and whatever the store can do. */
  @Test
  void theSameBytesEverywhere() throws IOException {
    Path input = temp.resolve("in");
    SyntheticCheckpoint.write(input, 3, 3, parameters(), 7);
    Converting.between(input, output()).planning(torch(1L << 40, 1 << 30)).run();
    Map<String, String> expected = Fixtures.digests(output());
    expected.remove(Manifest.FILE_NAME);
    assertEquals(List.of("pytorch_model.bin"), List.copyOf(expected.keySet()));
    assertVerified();

    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    FaultyFileSystem.configure(conf);
    FaultyFileSystem.heal();
    String s3 = "s3a://" + S3Server.shared().newBucket() + "/out";
    String hdfs = TestHdfs.fileSystem().getUri() + "/torch-output";
    String whole = "faulty:" + temp.resolve("whole");
    for (String to : List.of(temp.resolve("chunks").toString(), whole, s3, hdfs)) {
      Converting.between(input, to).planning(torch(1L << 40, 64_000)).in(new Stores(conf)).run();

      org.apache.hadoop.fs.Path folder =
          new org.apache.hadoop.fs.Path(to.replaceFirst("^faulty:", "file:"));
      Map<String, String> made = HadoopFiles.digests(folder.getFileSystem(conf), folder.toString());
      made.remove(Manifest.FILE_NAME);
      assertEquals(expected, made, to);
    }
  }

  /** The central directory has the CRC-32 of each storage, though its bytes came in many tasks. */
  @Test
  void everyEntryHasItsChecksum() throws IOException {
    SyntheticCheckpoint.write(temp.resolve("in"), 2, 2, parameters(), 3);
    Converting.between(temp.resolve("in"), output()).planning(torch(1L << 40, 64_000)).run();

    int entries = 0;
    try (ZipFile zip = new ZipFile(output().resolve("pytorch_model.bin").toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        CRC32 crc = new CRC32();
        try (InputStream in = zip.getInputStream(entry)) {
          crc.update(in.readAllBytes());
        }
        assertEquals(entry.getCrc(), crc.getValue(), entry.getName());
        entries++;
      }
    }
    assertTrue(entries >= parameters().size() + 6, "entries: " + entries);
  }

  @Test
  void underTheNameOfTheBase() throws IOException {
    PlanOptions planning = torch(1L << 40, 64_000);

    Converting.between(Fixtures.folder("cog_z2_bf16_w2").resolve("ckpt"), output())
        .planning(planning)
        .base(Fixtures.folder("base_pipeline"))
        .run();

    assertEquals(
        StoredTensors.of(
            Fixtures.folder("cog_z2_bf16_w2").resolve("expected.safetensors"), DType.BF16),
        StoredTensors.ofTorch(output().resolve("transformer/diffusion_pytorch_model.bin")));
    assertFalse(Files.exists(output().resolve("transformer/diffusion_pytorch_model.safetensors")));
    assertVerified();
  }
}
