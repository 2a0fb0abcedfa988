package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What headers of safetensors say beside their tensors, and files by their names. */
class MetadataConversionTest {
  /** Made by diffusers, PEFT and safetensors themselves. */
  private static final Path REAL = Path.of("src/test/resources/metadata");

  private static final Path LORA = REAL.resolve("pytorch_lora_weights.safetensors");
  private static final Path KOHYA = REAL.resolve("my_lora.safetensors");
  private static final PlanOptions KEEP = PlanOptions.DEFAULTS.withType(new TargetType.Keep());

  @TempDir Path temp;

  private Path out() {
    return temp.resolve("out");
  }

  private List<String> convert(Object input, PlanOptions planning) throws IOException {
    Converting.between(input, out()).planning(planning).run();
    assertEquals(
        List.of(),
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(out()))
            .problems());
    return manifest().notes();
  }

  private Manifest manifest() throws IOException {
    return Manifest.parse(Files.readAllBytes(out().resolve(Manifest.FILE_NAME)), "manifest");
  }

  private Map<String, String> metadata(String shard) throws IOException {
    return new TreeMap<>(SafetensorsFile.metadata(out().resolve(shard)));
  }

  private List<String> files() throws IOException {
    return manifest().fileNames().stream().filter(f -> !f.equals(Manifest.FILE_NAME)).toList();
  }

  private static PlanOptions as(Format format, Optional<String> weightsName) {
    return PlanOptions.DEFAULTS
        .withType(new TargetType.Keep())
        .withSizes(1L << 30, 64_000)
        .with(PlanOptions.WEIGHTS_NAME, weightsName)
        .with(PlanOptions.FORMAT, format);
  }

  private static SafetensorsFile tensor(String name) {
    return new SafetensorsFile().with(name, Shape.of(2, 2), 1, 2, 3, 4);
  }

  /** Two shards with an index, and what its metadata say beside the size. */
  private Path shards(Map<String, String> first, Map<String, String> second, String index)
      throws IOException {
    Path in = Files.createDirectories(temp.resolve("in"));
    tensor("a").saying(first).write(in.resolve("model-00001-of-00002.safetensors"));
    tensor("b").saying(second).write(in.resolve("model-00002-of-00002.safetensors"));
    Files.writeString(
        in.resolve("model.safetensors.index.json"),
        """
        {"metadata": {"total_size": 32%s}, "weight_map": {
          "a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
        """
            .formatted(index));
    return in;
  }

  @Test
  void rankAndAlphaOfAnAdapterStay() throws IOException {
    assertEquals(List.of(), convert(LORA, KEEP));

    assertEquals(List.of("pytorch_lora_weights.safetensors"), files());
    assertArrayEquals(
        Files.readAllBytes(LORA),
        Files.readAllBytes(out().resolve("pytorch_lora_weights.safetensors")));
  }

  @Test
  void alsoInOtherTypes() throws IOException {
    PlanOptions half = KEEP.withType(TargetType.parse("bfloat16"));

    assertEquals(List.of(), convert(REAL.resolve("pytorch_lora_weights.safetensors"), half));

    assertArrayEquals(
        Files.readAllBytes(REAL.resolve("expected-bf16.safetensors")),
        Files.readAllBytes(out().resolve("pytorch_lora_weights.safetensors")));
  }

  /** In shards too, each says all: loaders take the metadata of any. */
  @Test
  void inEveryShard() throws IOException {
    List<String> notes = convert(LORA, KEEP.withSizes(100, 64_000));

    Map<String, String> said = new TreeMap<>(SafetensorsFile.metadata(LORA));
    List<Manifest.Shard> shards = manifest().result().shards();
    assertEquals("pytorch_lora_weights-00001-of-00008.safetensors", shards.get(0).name());
    for (Manifest.Shard shard : shards) {
      assertEquals(said, metadata(shard.name()));
    }
    assertTrue(files().contains("pytorch_lora_weights.safetensors.index.json"));
    assertEquals(
        List.of(
            "libraries load adapters from one file: with a larger --max-shard-size this would be"
                + " one"),
        notes);
  }

  @Test
  void checksumsStayTrue() throws IOException {
    Map<String, String> said = new TreeMap<>(SafetensorsFile.metadata(KOHYA));
    assertTrue(said.containsKey("sshs_model_hash"));

    assertEquals(List.of(), convert(KOHYA, KEEP));

    said.put("format", "pt");
    assertEquals(said, metadata("my_lora.safetensors"));
    assertEquals(StoredTensors.of(KOHYA), StoredTensors.of(out().resolve("my_lora.safetensors")));
  }

  /**
   * What was made of other bytes is left out and told; that of the model it was trained on stays.
   */
  @Test
  void checksumsOfOtherBytesAreLeftOut() throws IOException {
    List<String> notes = convert(KOHYA, KEEP.withType(TargetType.parse("float16")));

    assertEquals(
        List.of(
            "metadata are left out that were made of the input's bytes, which the result has not:"
                + " modelspec.hash_sha256, sshs_legacy_hash, sshs_model_hash"),
        notes);
    assertEquals(
        Map.of(
            "format", "pt",
            "modelspec.title", "my_lora",
            "ss_network_alpha", "16",
            "ss_network_module", "networks.lora",
            "ss_vae_hash", "d636e597"),
        metadata("my_lora.safetensors"));
  }

  @Test
  void checksumsOfOtherNamesAreLeftOut() throws IOException {
    Path rules = temp.resolve("rules.json");
    Files.writeString(
        rules,
        "{\"name\": \"r\", \"description\": \"d\","
            + " \"rules\": [{\"prefix\": \"lora_unet_\", \"rename\": \"unet_$1\"}]}");

    Converting.between(KOHYA, out()).planning(KEEP).mapping(rules.toString()).run();

    assertEquals(
        List.of(
            "names mapped by r: d",
            "metadata are left out that were made of the input's bytes, which the result has not:"
                + " modelspec.hash_sha256, sshs_legacy_hash, sshs_model_hash",
            "names in the metadata are those of the input: the mapping does not change them"),
        manifest().notes());
  }

  @Test
  void whatFilesDoNotAgreeOnIsTold() throws IOException {
    Path in =
        shards(
            Map.of("format", "pt", "title", "t", "part", "1", "only", "here"),
            Map.of("format", "pt", "title", "t", "part", "2", "DCP_VERSION", "1.0"),
            ", \"total_parameters\": 8, \"license\": \"mit\", \"sizes\": [1]");

    List<String> notes = convert(in, KEEP.withSizes(16, 64_000));

    assertEquals(
        List.of(
            "metadata that the files do not agree on are left out: part",
            "metadata that not all files have, but none contradicts: only",
            "metadata of the index that are no text are left out: sizes"),
        notes);
    Map<String, String> all =
        Map.of("format", "pt", "title", "t", "only", "here", "license", "mit");
    assertEquals(all, metadata("model-00001-of-00002.safetensors"));
    assertEquals(all, metadata("model-00002-of-00002.safetensors"));
  }

  @Test
  void longKeysMakeNoLongNotes() throws IOException {
    String key = "k".repeat(100_000);
    Path in = shards(Map.of(key, "1"), Map.of(key, "2"), "");

    assertEquals(
        List.of("metadata that the files do not agree on are left out: " + "k".repeat(500) + "…"),
        convert(in, KEEP));
  }

  /** The files of a training run are no names for a model, be it an adapter. */
  @Test
  void noNamesOfTrainingFiles() throws IOException {
    Converting.between(Fixtures.folder("z2_bf16_w2_lora").resolve("ckpt"), out())
        .planning(KEEP)
        .withoutFrozen()
        .run();

    assertEquals(List.of("model.safetensors"), files());
  }

  @Test
  void tiedNamesAreNoMetadata() throws IOException {
    Path in = temp.resolve("model.safetensors");
    Map<String, String> said =
        Map.of("format", "pt", "head", "a", "ss_tag", "a", "modelspec.title", "a", "b", "b");
    tensor("a").saying(said).write(in);

    assertEquals(List.of(), convert(in, KEEP));

    assertEquals(Map.of("head", "a"), manifest().result().dropped());
    assertEquals(said, metadata("model.safetensors"));
    assertArrayEquals(
        Files.readAllBytes(in), Files.readAllBytes(out().resolve("model.safetensors")));
  }

  @Test
  void piecesAreToldOfNoMore() throws IOException {
    Path in = temp.resolve("model.safetensors");
    tensor("a")
        .saying(Map.of("format", "pt", "DCP_VERSION", "1.0", "DCP_SHARDING_INFO", "{}"))
        .write(in);

    convert(in, KEEP);

    assertEquals(Map.of("format", "pt"), metadata("model.safetensors"));
  }

  @ParameterizedTest
  @CsvSource({"pt", "mlx", "tf"})
  void aFormatStays(String format) throws IOException {
    Path in = temp.resolve("model.safetensors");
    tensor("a").saying(Map.of("format", format)).write(in);

    convert(in, KEEP);

    assertEquals(Map.of("format", format), metadata("model.safetensors"));
  }

  @Test
  void typesThatChangeAreToldOfNoMore() throws IOException {
    Path in = temp.resolve("model.safetensors");
    tensor("a").saying(Map.of("dtype", "float32", "total_size", "16", "x", "y")).write(in);

    List<String> notes = convert(in, KEEP.withType(TargetType.parse("bfloat16")));

    assertEquals(
        List.of(
            "metadata are left out that were made of the input's bytes, which the result has not:"
                + " total_size",
            "metadata are left out that tell the input's types: dtype"),
        notes);
    assertEquals(Map.of("format", "pt", "x", "y"), metadata("model.safetensors"));
  }

  @Test
  void noneIsAsGoodAsNull() throws IOException {
    Path in = REAL.resolve("null.safetensors");

    assertEquals(List.of(), convert(in, KEEP));

    assertEquals(Map.of("format", "pt"), metadata("model.safetensors"));
    assertEquals(StoredTensors.of(in), StoredTensors.of(out().resolve("model.safetensors")));
  }

  @Test
  void torchFilesHaveNoPlaceForIt() throws IOException {
    Converting.between(LORA, out()).planning(as(Format.BIN, Optional.empty())).run();

    assertEquals(
        List.of(
            "metadata are left out, as torch files have no place for them (--format safetensors"
                + " has): lora_adapter_metadata"),
        manifest().notes());
    assertEquals(List.of("pytorch_lora_weights.bin"), files());
  }

  @Test
  void longMetadataDoNotStandInManyHeaders() throws IOException {
    Path in = temp.resolve("model.safetensors");
    SafetensorsFile file = new SafetensorsFile();
    for (int i = 0; i < 60; i++) {
      file.with("t" + i, Shape.of(2), 1, i);
    }
    file.saying(Map.of("long", "x".repeat(2_000_000))).write(in);

    ReweaveException refused =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(in, out()).planning(KEEP.withSizes(8, 64_000)).run());

    assertEquals(
        "metadata of 2000004 bytes would stand in the header of each of 60 shards, and all of them"
            + " would take more than 100000000: the result; choose a larger --max-shard-size",
        refused.getMessage());
    convert(in, KEEP.withSizes(80, 64_000));
    assertEquals(6, manifest().result().shards().size());
  }

  /** The stem of the input where loaders look for it, or where it is all that tells an adapter. */
  @ParameterizedTest
  @CsvSource({
    "model, w, model",
    "diffusion_pytorch_model, w, diffusion_pytorch_model",
    "diffusion_pytorch_model.fp16, w, diffusion_pytorch_model",
    "model.fp16, w, model",
    "pytorch_lora_weights, w, pytorch_lora_weights",
    "adapter_model, w, adapter_model",
    "learned_embeds, w, learned_embeds",
    "consolidated, w, consolidated",
    "wan_fp8_scaled, w, model",
    "my-lora.v2, unet.q.lora_A.weight, my-lora.v2",
    "my lora, unet.q.lora_A.weight, pytorch_lora_weights",
    "whole, base.lora, model",
  })
  void namesThatLoadersLookFor(String stem, String tensor, String expected) throws IOException {
    Path in = tensor(tensor).write(temp.resolve(stem + ".safetensors"));

    convert(in, KEEP);

    assertEquals(List.of(expected + ".safetensors"), files());
  }

  @Test
  void anotherNameThatIsAskedFor() throws IOException {
    convert(LORA, as(Format.SAFETENSORS, Optional.of("mine")));

    assertEquals(List.of("mine.safetensors"), files());
  }

  @Test
  void theConfigOfAnAdapterComesAlong() throws IOException {
    Path in = Files.createDirectories(temp.resolve("in"));
    tensor("base_model.model.q.lora_A.weight").write(in.resolve("adapter_model.safetensors"));
    Files.writeString(in.resolve("adapter_config.json"), "{\"r\": 2, \"lora_alpha\": 16}\n");

    List<String> notes = convert(in, KEEP);

    assertEquals(List.of("adapter_config.json comes along: PEFT loads the adapter with it"), notes);
    assertEquals(List.of("adapter_model.safetensors", "adapter_config.json"), files());
    assertEquals(
        "{\"r\": 2, \"lora_alpha\": 16}\n", Files.readString(out().resolve("adapter_config.json")));
  }

  /** PEFT finds no other; MLX, whose config is called alike, looks for its own. */
  @ParameterizedTest
  @CsvSource({
    "adapter, peft_type, adapter_model",
    "my-lora.v2, peft_type, adapter_model",
    "pytorch_lora_weights, peft_type, pytorch_lora_weights",
    "adapters, fine_tune_type, adapters",
  })
  void anAdapterIsCalledAsItsConfigWantsIt(String stem, String key, String expected)
      throws IOException {
    Path in = Files.createDirectories(temp.resolve("in"));
    Path file = tensor("base_model.model.q.lora_A.weight").write(in.resolve(stem + ".safetensors"));
    Files.writeString(in.resolve("adapter_config.json"), "{\"" + key + "\": \"LORA\"}");

    convert(file, KEEP);

    assertEquals(List.of(expected + ".safetensors", "adapter_config.json"), files());
  }

  @Test
  void aConfigWithOtherNamesDoesNot() throws IOException {
    Path in = Files.createDirectories(temp.resolve("in"));
    tensor("q.lora_A.weight").write(in.resolve("adapter_model.safetensors"));
    Files.writeString(in.resolve("adapter_config.json"), "{}");
    Path rules = temp.resolve("rules.json");
    Files.writeString(
        rules,
        "{\"name\": \"r\", \"description\": \"d\","
            + " \"rules\": [{\"match\": \"(.*)\", \"rename\": \"base_model.$1\"}]}");

    Converting.between(in, out()).planning(KEEP).mapping(rules.toString()).run();

    assertEquals(
        "adapter_config.json beside the adapter is left out: it has names of the input: write one"
            + " for those that the mapping gives",
        manifest().notes().get(1));
    assertEquals(List.of("adapter_model.safetensors"), files());
  }

  @Test
  void theConfigOfAModelDoesNot() throws IOException {
    Path in = Files.createDirectories(temp.resolve("in"));
    tensor("q.weight").write(in.resolve("model.safetensors"));
    Files.writeString(in.resolve("adapter_config.json"), "{}");

    assertEquals(List.of(), convert(in, KEEP));

    assertEquals(List.of("model.safetensors"), files());
  }

  /** A second conversion of the result gives it once more. */
  @Test
  void thereAndBack() throws IOException {
    convert(KOHYA, KEEP.withSizes(30, 64_000));
    Map<String, String> said = metadata(manifest().result().shards().get(0).name());

    Path back = temp.resolve("back");
    Converting.between(out(), back).planning(KEEP).run();

    assertEquals(
        said, new TreeMap<>(SafetensorsFile.metadata(back.resolve("my_lora.safetensors"))));
    assertTrue(said.containsKey("ss_network_alpha"));
  }
}
