package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.NotTaken;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Locations;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models in safetensors and torch files as input: in other shards, types, names and formats. */
class ModelConversionTest {
  private static final long WHOLE = 1L << 40;

  @TempDir Path temp;

  private static PlanOptions keeping(long shardBytes) {
    return PlanOptions.DEFAULTS.withSizes(shardBytes, 64_000).withType(new TargetType.Keep());
  }

  private static PlanOptions torch(long shardBytes) {
    return PlanOptions.DEFAULTS
        .withType(new TargetType.Keep())
        .withSizes(shardBytes, 64_000)
        .with(PlanOptions.FORMAT, Format.BIN);
  }

  private static Path checkpoint(String fixture) {
    return Fixtures.folder(fixture).resolve("ckpt");
  }

  /** Converts into a folder of this name, and gives the folder. */
  private Path convert(Object input, String output, PlanOptions planning) throws IOException {
    Path folder = temp.resolve(output);
    Converting.between(input, folder).planning(planning).run();
    Verification.Result verified =
        new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(folder));
    assertEquals(List.of(), verified.problems());
    return folder;
  }

  private static Map<String, String> files(Path folder) throws IOException {
    Map<String, String> files = Fixtures.digests(folder);
    files.remove(Manifest.FILE_NAME);
    return files;
  }

  private static Manifest manifest(Path folder) throws IOException {
    return Manifest.parse(Files.readAllBytes(folder.resolve(Manifest.FILE_NAME)), "manifest");
  }

  @Test
  void otherShards() throws IOException {
    List<TensorSpec> parameters = new ArrayList<>();
    long[][] shapes = {{1009, 31}, {}, {31}, {7, 11, 13}, {0, 3}, {2, 3}, {5003}, {300, 100}};
    for (int i = 0; i < shapes.length; i++) {
      parameters.add(new TensorSpec("layer" + i + ".weight", DType.F32, Shape.of(shapes[i])));
    }
    SyntheticCheckpoint.write(temp.resolve("in"), 3, 3, parameters, 11);
    Path one = convert(temp.resolve("in"), "one", keeping(WHOLE));
    Path direct = convert(temp.resolve("in"), "direct", keeping(100_000));

    Path shards = convert(one, "shards", keeping(100_000));

    assertEquals(files(direct), files(shards));
    assertTrue(manifest(shards).result().shards().size() > 2);
    assertEquals("safetensors", manifest(shards).input().framework());
    assertEquals(files(one), files(convert(shards, "again", keeping(WHOLE))));
  }

  /** What comes out depends on the tensors, not on how the input was sharded. */
  @ParameterizedTest
  @ValueSource(strings = {"z2_fp32_w2_bn", "z1_fp16_w2_frozen", "cog_z3_bf16_w2"})
  void howTheInputWasShardedMeansNothing(String fixture) throws IOException {
    Path one = convert(checkpoint(fixture), "one", keeping(WHOLE));
    long bytes = Files.size(one.resolve("model.safetensors"));
    Path many = convert(checkpoint(fixture), "many", keeping(bytes / 9));

    Path fromOne = convert(one, "fromOne", keeping(bytes / 5));
    Path fromMany = convert(many, "fromMany", keeping(bytes / 5));

    assertTrue(files(fromOne).size() > 2);
    assertEquals(files(fromOne), files(fromMany));
    assertEquals(files(one), files(convert(fromMany, "again", keeping(WHOLE))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"z2_fp32_w2_bn", "z3_bf16_w2_llama_tied", "legacy_z3_bf16_w2_tied"})
  void toTorchFilesAndBack(String fixture) throws IOException {
    Path one = convert(checkpoint(fixture), "one", keeping(WHOLE));

    Path bin = convert(one, "bin", torch(WHOLE));
    long bytes = Files.size(one.resolve("model.safetensors"));
    Path bins = convert(one, "bins", torch(bytes / 5));
    assertTrue(files(bins).size() > 2);

    assertEquals(files(one), files(convert(bin, "fromBin", keeping(WHOLE))));
    Path fromBins = convert(bins, "fromBins", keeping(WHOLE));
    assertEquals(files(one), files(fromBins));
    assertEquals("PyTorch", manifest(fromBins).input().framework());
    assertEquals(0, manifest(fromBins).figures().storagesUnchecked());
    assertEquals(
        files(convert(checkpoint(fixture), "direct", torch(WHOLE))).keySet(), files(bin).keySet());
    assertEquals(
        StoredTensors.ofTorch(temp.resolve("direct/pytorch_model.bin")),
        StoredTensors.ofTorch(bin.resolve("pytorch_model.bin")));
  }

  @Test
  void tiedNamesStay() throws IOException {
    Path shards = convert(checkpoint("z3_bf16_w2_llama_tied"), "shards", keeping(3_000));
    Map<String, String> tied = manifest(shards).result().dropped();
    assertEquals(1, tied.size());

    Path one = convert(shards, "one", keeping(WHOLE));
    assertEquals(tied, manifest(one).result().dropped());
    assertEquals(tied, manifest(convert(one, "more", keeping(5_000))).result().dropped());
    Map<String, String> bin =
        StoredTensors.ofTorch(convert(shards, "bin", torch(WHOLE)).resolve("pytorch_model.bin"));
    tied.forEach((dropped, kept) -> assertEquals(bin.get(kept), bin.get(dropped)));
    assertEquals(manifest(shards).result().tensors() + 1, bin.size());
  }

  @Test
  void otherTypes() throws IOException {
    Path one = convert(checkpoint("z1_fp16_w2"), "one", keeping(WHOLE));
    PlanOptions half = keeping(300).withType(new TargetType.Fixed(DType.BF16));

    assertEquals(
        StoredTensors.of(one.resolve("model.safetensors"), DType.BF16),
        StoredTensors.of(
            convert(one, "cast", half.withSizes(WHOLE, 64_000)).resolve("model.safetensors")));
  }

  @Test
  void otherNames() throws IOException {
    Path sat = Fixtures.folder("sat_z2_bf16_w2");
    Converting.between(sat.resolve("ckpt"), temp.resolve("sat"))
        .planning(keeping(2_000))
        .mapping("none")
        .run();
    Path diffusers = convert(temp.resolve("sat"), "diffusers", keeping(WHOLE));

    String file = manifest(diffusers).result().shards().get(0).name();
    assertEquals(
        StoredTensors.of(sat.resolve("expected_diffusers_fp32.safetensors")),
        StoredTensors.of(diffusers.resolve(file)));
  }

  @Test
  void whatZeroThreeGathers() throws IOException {
    Path fixture = Fixtures.folder("z3_bf16_w2_save16");

    Path out = convert(fixture.resolve("ckpt/model16"), "out", keeping(WHOLE));

    Map<String, String> tensors = StoredTensors.of(out.resolve("model.safetensors"));
    manifest(out).result().dropped().forEach((name, kept) -> tensors.put(name, tensors.get(kept)));
    assertEquals(StoredTensors.of(fixture.resolve("expected_model16.safetensors")), tensors);
    assertEquals(Map.of("lm_head.weight", "wte.weight"), manifest(out).result().dropped());
  }

  @Test
  void oneFileOrItsIndex() throws IOException {
    Path one = convert(checkpoint("z2_bf16_w2"), "one", keeping(WHOLE));
    Path shards = convert(checkpoint("z2_bf16_w2"), "shards", keeping(400));

    assertEquals(
        files(one), files(convert(one.resolve("model.safetensors"), "fromFile", keeping(WHOLE))));
    Path index = shards.resolve("model.safetensors.index.json");
    assertEquals(files(one), files(convert(index, "fromIndex", keeping(WHOLE))));

    String first = manifest(shards).result().shards().get(0).name();
    ReweaveException refusal =
        assertThrows(
            ReweaveException.class, () -> convert(shards.resolve(first), "part", keeping(WHOLE)));
    assertTrue(refusal.remedy().endsWith("name its index: file:" + index), refusal.getMessage());
  }

  @Test
  void aComponentOfAPipeline() throws IOException {
    Path component = Fixtures.folder("base_pipeline").resolve("transformer");
    Path shards = Fixtures.folder("base_pipeline_sharded_transformer");
    Map<String, String> expected =
        StoredTensors.of(component.resolve("diffusion_pytorch_model.safetensors"));

    for (Path input : List.of(component, shards)) {
      Path out = convert(input, input.getFileName().toString(), keeping(WHOLE));
      assertEquals(expected, StoredTensors.of(out.resolve("diffusion_pytorch_model.safetensors")));
    }
  }

  @Test
  void weightsWithoutVariantAreTaken() throws IOException {
    Path one = convert(checkpoint("z2_bf16_w2"), "one", keeping(WHOLE));
    Path both = Fixtures.copy(one, temp.resolve("both"));
    Files.copy(
        convert(checkpoint("z1_fp16_w2"), "other", keeping(WHOLE)).resolve("model.safetensors"),
        both.resolve("model.fp16.safetensors"));

    Path out = temp.resolve("out");
    Converting.between(both, out).planning(keeping(WHOLE)).run();

    assertEquals(files(one), files(out));
    assertEquals(
        List.of("model.fp16.safetensors, 12 tensors, not read: name it to convert it"),
        manifest(out).notTaken().stream().map(NotTaken::text).toList());
  }

  /** Reads and writes where nothing is a local file. */
  @Test
  void withinS3() throws IOException {
    Path shards = convert(checkpoint("z3_bf16_w2_llama_tied"), "shards", keeping(3_000));
    Path expected = convert(shards, "expected", keeping(6_000));
    Configuration conf = new Configuration(TestSpark.context().hadoopConfiguration());
    S3Server.shared().configure(conf);
    String bucket = "s3a://" + S3Server.shared().newBucket();
    try (FileSystem fs = FileSystem.newInstance(java.net.URI.create(bucket), conf)) {
      String input = HadoopFiles.copy(shards, fs, "/in");
      String universal =
          HadoopFiles.copy(Fixtures.folder("uc_from_z2_bf16_w2").resolve("ckpt"), fs, "/universal");

      Converting.between(input, bucket + "/out")
          .planning(keeping(6_000))
          .in(new Stores(conf))
          .run();
      Converting.between(universal, bucket + "/out2")
          .planning(keeping(WHOLE))
          .in(new Stores(conf))
          .run();

      Map<String, String> made = HadoopFiles.digests(fs, bucket + "/out");
      made.remove(Manifest.FILE_NAME);
      assertEquals(files(expected), made);
      made = HadoopFiles.digests(fs, bucket + "/out2");
      made.remove(Manifest.FILE_NAME);
      assertEquals(files(convert(checkpoint("z2_bf16_w2"), "direct", keeping(WHOLE))), made);
    }
  }
}
