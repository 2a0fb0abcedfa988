package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Adapter;
import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Comparison;
import dev.reweave.look.compare.Verification;
import dev.reweave.look.doctor.Depth;
import dev.reweave.look.doctor.Doctor;
import dev.reweave.look.doctor.Finding;
import dev.reweave.look.doctor.Severity;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.LocalStores;
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
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Adapters that were saved alone, merged into the models that they were trained on, against {@code
 * merge_and_unload} of PEFT 0.21.2.
 */
class AdapterOnBaseTest {
  private static final ReadOptions MERGING =
      ReadOptions.defaults().with(AdapterChoice.MERGE_ADAPTER, AdapterChoice.Merging.MERGED);

  @TempDir Path temp;

  /** What {@code save_pretrained} writes of an adapter. */
  private Path adapter(String name) throws IOException {
    Path folder = Files.createDirectories(temp.resolve("adapter"));
    Path made = Fixtures.adapter(name);
    Files.copy(
        made.resolve("adapter.safetensors"), folder.resolve(Adapter.WEIGHTS_NAME + ".safetensors"));
    Files.copy(made.resolve(Adapter.CONFIG_NAME), folder.resolve(Adapter.CONFIG_NAME));
    return folder;
  }

  /** The model before the training. */
  private Path base(String name) throws IOException {
    Path folder = Files.createDirectories(temp.resolve("base"));
    Files.copy(
        Fixtures.adapter(name).resolve("base.safetensors"), folder.resolve("model.safetensors"));
    return configured(folder);
  }

  private static Path configured(Path folder) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"architectures\": [\"Toy\"]}");
    return folder;
  }

  private static Map<String, String> merged(String name) throws IOException {
    return StoredTensors.of(Fixtures.adapter(name).resolve("merged.safetensors"));
  }

  private Converting merging(Path adapter, Path base) {
    return Converting.between(adapter, temp.resolve("out")).reading(MERGING).base(base);
  }

  private String refusal(Converting conversion) {
    return assertThrows(ReweaveException.class, conversion::gather).getMessage();
  }

  private static String uri(Path path) {
    return Locations.of(path).uri();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "patterns",
        "stabilised",
        "biases",
        "embeddings",
        "several",
        "experts",
        "turned-experts"
      })
  void mergedWeightsAreThoseOfPeftBitForBit(String name) throws IOException {
    Gathered merged = merging(adapter(name), base(name)).gather();

    assertEquals(merged(name), merged.tensors());
    assertEquals(
        1, merged.notes().stream().filter(n -> n.startsWith("adapter 'default' merged")).count());
    assertEquals("model.safetensors", merged.prepared().plan().shards().get(0).path());
    assertTrue(
        merged.prepared().inputs().stream().anyMatch(f -> f.uri().contains("/base/model")),
        "the base's weights are among what may not change");
  }

  /** But for the two kinds of layers that torch rounds in another way. */
  @Test
  void layersOfOtherKinds() throws IOException {
    Map<String, String> merged =
        new TreeMap<>(merging(adapter("layers"), base("layers")).gather().tensors());
    Map<String, String> theirs = new TreeMap<>(merged("layers"));
    assertEquals(theirs.keySet(), merged.keySet());
    List<String> rounded = List.of("attention.out_proj.weight", "kernel.weight");
    Map<String, String> before =
        StoredTensors.of(Fixtures.adapter("layers").resolve("base.safetensors"));
    rounded.forEach(tensor -> assertTrue(!merged.get(tensor).equals(before.get(tensor)), tensor));
    merged.keySet().removeAll(rounded);
    theirs.keySet().removeAll(rounded);
    assertEquals(theirs, merged);
  }

  /** Adapters of runs that saved them alone, whose masters are in flat partitions. */
  @ParameterizedTest
  @ValueSource(strings = {"zero-2", "zero-3"})
  void adaptersInCheckpoints(String name) throws IOException {
    Path base = base(name);
    ReadOptions alone = MERGING.with(ReadOptions.EXCLUDE_FROZEN, ReadOptions.Frozen.EXCLUDE);
    for (ReadOptions.Names names : ReadOptions.Names.values()) {
      Gathered merged =
          Converting.between(Fixtures.adapter(name).resolve("checkpoint"), temp.resolve("out"))
              .reading(alone.withNames(names))
              .base(base)
              .type("float32")
              .gather();
      assertEquals(merged(name), merged.tensors());
      assertEquals(List.of("safetensors files carry no checksums"), merged.unchecked());
    }
  }

  /** An index and its shards are what the base is, whatever lies beside them. */
  @Test
  void aBaseInShards() throws IOException {
    Path base = temp.resolve("sharded");
    Converting.between(Fixtures.adapter("patterns").resolve("base.safetensors"), base)
        .planning(PlanOptions.DEFAULTS.withSizes(3000, 64_000))
        .type("keep")
        .run();
    assertTrue(Files.exists(base.resolve("model.safetensors.index.json")));

    Gathered merged = merging(adapter("patterns"), configured(base)).gather();

    assertEquals(merged("patterns"), merged.tensors());
  }

  /** Converted, verified, compared, examined, and converted again from the manifest. */
  @Test
  void aWholeConversion() throws IOException {
    Path adapter = adapter("patterns");
    Path base = base("patterns");
    Path out = temp.resolve("out");
    Manifest manifest = merging(adapter, base).run().manifest();

    assertEquals(merged("patterns"), StoredTensors.of(out.resolve("model.safetensors")));
    assertEquals(
        List.of("model.safetensors", "adapter_model.safetensors", "adapter_config.json"),
        manifest.input().files().stream().map(f -> f.name()).toList());
    assertEquals(
        List.of(),
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(out))
            .problems());
    Comparison.Result compared =
        new Comparison(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(out), Locations.of(adapter), Optional.empty(), Safeguards.DEFAULT);
    assertTrue(compared.tensors() > 0, "what was not merged is as in the base");
    List<Finding> findings =
        new Doctor(LocalStores.ALL, new ThreadScanner(LocalStores.ALL))
            .examine(
                Locations.of(adapter), Optional.of(Locations.of(base)), MERGING, Depth.STRUCTURE);
    assertEquals(
        List.of(), findings.stream().filter(f -> f.severity() == Severity.PROBLEM).toList());

    Path again = temp.resolve("again");
    var unused = Converting.again(out, again);
    assertArrayEquals(
        Files.readAllBytes(out.resolve("model.safetensors")),
        Files.readAllBytes(again.resolve("model.safetensors")));
  }

  /** The base's weights decide the result, as those of the adapter do. */
  @Test
  void anotherBaseIsAnotherConversion() throws IOException {
    Path base = base("patterns");
    Converting conversion = merging(adapter("patterns"), base);
    assertEquals(Conversion.Outcome.Kind.CONVERTED, conversion.run().kind());
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, conversion.run().kind());
    byte[] weights = Files.readAllBytes(base.resolve("model.safetensors"));
    weights[weights.length - 1] ^= 1;
    Files.write(base.resolve("model.safetensors"), weights);
    assertEquals(Conversion.Outcome.Kind.CONVERTED, conversion.overwriting().run().kind());
  }

  @Test
  void withoutABase() throws IOException {
    Path adapter = adapter("patterns");

    assertEquals(
        "--merge-adapter asks for the model that the adapter was trained on, which is not in here: "
            + uri(adapter)
            + "; name the folder of that model as well, with --base of convert; or leave"
            + " --merge-adapter out, to have the adapter",
        refusal(Converting.between(adapter, temp.resolve("out")).reading(MERGING)));
  }

  @Test
  void aBaseOfAnotherModel() throws IOException {
    Path base = configured(Files.createDirectories(temp.resolve("base")));
    new SafetensorsFile()
        .with("other.weight", Shape.of(1), new float[1])
        .write(base.resolve("model.safetensors"));
    Path adapter = adapter("stabilised");

    String message = refusal(merging(adapter, base));
    assertTrue(
        message.startsWith("the adapter is for what the base does not have: model.layers.0."),
        message);
    assertTrue(message.contains(": " + uri(base) + "; name with --base the folder"), message);

    Files.writeString(
        adapter.resolve(Adapter.CONFIG_NAME),
        "{\"lora_alpha\": 4, \"base_model_name_or_path\": \"org/model\"}");
    assertTrue(
        refusal(merging(adapter, base)).endsWith(", which its config calls org/model"), message);
  }

  @Test
  void aBaseWithoutWeights() throws IOException {
    Path base = Files.createDirectories(temp.resolve("base"));
    Files.writeString(
        base.resolve("config.json"),
        "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\"}");

    assertEquals(
        "the base has no weights that the adapter could be merged into: "
            + uri(base)
            + "; name with --base the folder of the model that the adapter was trained on, with its"
            + " weights; or leave --merge-adapter out, to have the adapter",
        refusal(merging(adapter("patterns"), base)));
  }

  @Test
  void adaptersThatAreNoSums() throws IOException {
    assertTrue(
        refusal(merging(adapter("dora"), base("dora")))
            .startsWith("the adapter is one of DoRA, whose weights are no sums: "));
  }
}
