package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.ReweaveException;
import dev.reweave.gather.ChunkTask;
import dev.reweave.look.compare.Comparison;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.Safeguards;
import dev.reweave.tensor.DType;
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
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models into which their adapters are merged, against {@code merge_and_unload} of PEFT 0.21.2. */
class MergedAdapterTest {
  private static final Path WITH_LAYERS =
      Fixtures.resource("reports").resolve("25-lora-run-with-base-layers");

  @TempDir Path temp;

  private static ReadOptions merging(String... config) {
    Options options = Options.NONE.with(AdapterChoice.MERGE_ADAPTER, AdapterChoice.Merging.MERGED);
    for (String address : config) {
      Option<Optional<String>> option = AdapterChoice.ADAPTER_CONFIG;
      options = options.with(option, Optional.of(address));
    }
    return new ReadOptions(options);
  }

  private Gathered merge(Path input, String type, String... config) {
    return Converting.between(input, temp.resolve("out"))
        .reading(merging(config))
        .type(type)
        .gather();
  }

  /**
   * Matrices with fewer columns than ten torch multiplies in another way, with more roundings:
   * within a last place of what is added, as the sum can be small.
   */
  private static void assertWithinALastPlace(float[] before, float[] theirs, float[] ours) {
    assertEquals(theirs.length, ours.length);
    for (int i = 0; i < theirs.length; i++) {
      float most = Math.ulp(Math.abs(theirs[i]) + Math.abs(before[i]));
      assertEquals(theirs[i], ours[i], most, "element " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "patterns",
        "stabilised",
        "biases",
        "embeddings",
        "several",
        "layers",
        "experts",
        "turned-experts"
      })
  void mergedWeightsAreThoseOfPeftBitForBit(String name) throws IOException {
    Gathered merged = merge(Fixtures.adapter(name).resolve("model.pt"), "keep");

    Map<String, String> theirs =
        StoredTensors.of(Fixtures.adapter(name).resolve("merged.safetensors"));
    Map<String, String> ours = new TreeMap<>(merged.tensors());
    if (name.equals("layers")) {
      theirs.keySet().removeAll(List.of(OUTPUT, KERNEL));
      ours.keySet().removeAll(List.of(OUTPUT, KERNEL));
    }
    assertEquals(theirs, ours);
    Map<String, String> before =
        StoredTensors.of(Fixtures.adapter(name).resolve("base.safetensors"));
    assertTrue(
        ours.keySet().stream().anyMatch(t -> !ours.get(t).equals(before.get(t))),
        "the adapter does something");
    assertEquals(1, merged.notes().stream().filter(n -> n.startsWith("adapter 'd")).count());
    assertEquals(List.of(), merged.unchecked());
  }

  private static final String OUTPUT = "attention.out_proj.weight";
  private static final String KERNEL = "kernel.weight";

  /**
   * {@code MultiheadAttention} of PEFT 0.21.2 adds the output's product in two steps, each rounded,
   * when it is merged and in each forward pass; and what a convolution multiplies is rounded in
   * another way.
   */
  @Test
  void mergedWeightsOfOtherLayersAreThoseOfPeftButForTheLastPlace() throws IOException {
    Gathered merged = merge(Fixtures.adapter("layers").resolve("model.pt"), "keep");
    SafetensorsFile before =
        SafetensorsFile.read(Fixtures.adapter("layers").resolve("base.safetensors"));
    SafetensorsFile theirs =
        SafetensorsFile.read(Fixtures.adapter("layers").resolve("merged.safetensors"));
    for (String name : List.of(OUTPUT, KERNEL)) {
      assertWithinALastPlace(
          before.floats(name), theirs.floats(name), floats(merged.content(name)));
    }
  }

  private static float[] floats(ByteBuffer content) {
    float[] numbers = new float[content.capacity() / Float.BYTES];
    content.asFloatBuffer().get(numbers);
    return numbers;
  }

  /** Factors and weights lie in flat partitions, of which each byte is checked once. */
  @ParameterizedTest
  @ValueSource(strings = {"zero-2", "zero-3"})
  void mergedMastersAreThoseOfPeft(String name) throws IOException {
    Gathered merged =
        Converting.between(Fixtures.adapter(name).resolve("checkpoint"), temp.resolve("out"))
            .reading(merging())
            .proving()
            .gather();

    assertEquals(
        StoredTensors.of(Fixtures.adapter(name).resolve("merged.safetensors")), merged.tensors());
    assertEquals(List.of(), merged.unchecked());
    if (name.equals("zero-2")) {
      assertTrue(
          merged.notes().stream()
              .anyMatch(
                  n ->
                      n.startsWith(
                          "--prove: not compared, since they are sums that only this result"
                              + " holds: 2 tensors, such as ")),
          () -> merged.notes().toString());
      assertTrue(merged.proof().orElseThrow().tensors() > 0);
    }
  }

  /** {@code verify --against} reads the checkpoint as the conversion did. */
  @Test
  void whatWasNotMergedIsComparedWithTheModuleLater() {
    Path input = Fixtures.adapter("zero-2").resolve("checkpoint");
    Map<String, ReadOptions> parts =
        Map.of(
            "merged", merging(),
            "adapter",
                ReadOptions.defaults()
                    .with(AdapterChoice.PART, Optional.of(AdapterChoice.Part.ADAPTER)));
    Map<String, Integer> compared = new TreeMap<>();
    parts.forEach(
        (name, options) -> {
          Path out = temp.resolve(name);
          Converting.between(input, out).reading(options).run();
          Comparison.Result result =
              new Comparison(TestSpark.cluster(), TestSpark.stores())
                  .run(
                      Locations.of(out), Locations.of(input), Optional.empty(), Safeguards.DEFAULT);
          compared.put(name, result.tensors());
        });
    // Of twelve weights, two are merged; two pairs of matrices, and a head beside them.
    assertEquals(Map.of("merged", 10, "adapter", 5), compared);
  }

  /** What is only multiplied is checked like all that is read. */
  @Test
  void aBitThatFlippedInAFactorIsFound() throws IOException {
    Path input = Fixtures.adapter("stabilised").resolve("model.pt");
    int all = Converting.between(input, temp.resolve("all")).gather().checked();
    assertEquals(all, merge(input, "keep").checked());

    byte[] file = Files.readAllBytes(input);
    byte[] factor =
        SafetensorsFile.read(Fixtures.adapter("stabilised").resolve("adapter.safetensors"))
            .content("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight")
            .array();
    file[indexOf(file, factor) + 2] ^= 1;
    Path damaged = Files.createDirectories(temp.resolve("damaged")).resolve("model.pt");
    Files.write(damaged, file);
    Path config = Fixtures.adapter("stabilised").resolve("adapter_config.json");
    String message = refusal(damaged, config.toString());
    assertTrue(message.startsWith("damaged weights: "), message);
    assertTrue(message.contains("which holds model.layers.0.mlp.up_proj.weight"), message);
  }

  private static int indexOf(byte[] all, byte[] part) {
    for (int at = 0; at + part.length <= all.length; at++) {
      if (Arrays.equals(all, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
    throw new AssertionError("the numbers are not in the file");
  }

  @Test
  void adaptersThatAreNoSumsAreRefused() {
    assertEquals(
        "the adapter is one of DoRA, whose weights are no sums: "
            + Locations.of(Fixtures.adapter("dora").resolve("model.pt")).uri()
            + "; leave --merge-adapter out, and merge both with PEFT: --part base and --part"
            + " adapter give it what it loads",
        refusal(Fixtures.adapter("dora").resolve("model.pt")));
    for (String other : List.of("layer-biases", "tokens")) {
      String message = refusal(Fixtures.adapter(other).resolve("model.pt"));
      assertTrue(message.startsWith("the adapter has base_model.model.model."), message);
      assertTrue(message.contains(", of which it is not known how it is merged: "), message);
    }
  }

  private String refusal(Path input, String... config) {
    return assertThrows(ReweaveException.class, () -> merge(input, "keep", config)).getMessage();
  }

  @Test
  void theScaleHasToBeKnown() throws IOException {
    Path input = WITH_LAYERS.resolve("checkpoint-1");
    String message = refusal(input);
    assertTrue(
        message.startsWith("what the adapter is multiplied by stands nowhere: lora_alpha is in no"),
        message);
    assertTrue(message.contains("--adapter-config"), message);
    Path other = Files.writeString(temp.resolve("other.json"), "{\"r\": 4, \"lora_alpha\": 4}");
    assertTrue(
        refusal(input, other.toString())
            .startsWith(
                "the adapter's matrices for model.layers.0.self_attn.q_proj are of rank 2, and its"
                    + " config says 4: "));
    Path odd = Files.writeString(temp.resolve("odd.json"), "{\"lora_alpha\": \"4\"}");
    assertTrue(
        refusal(input, odd.toString())
            .startsWith("the config of the adapter has \"4\" for lora_alpha: "));
    Path kind = Files.writeString(temp.resolve("kind.json"), "{\"peft_type\": \"IA3\"}");
    assertTrue(
        refusal(input, kind.toString()).startsWith("the adapter has peft_type IA3, of which"));
  }

  /** A run under FSDP, converted, verified, and converted again from its manifest. */
  @Test
  void aWholeRunIsMergedAndVerifiedAndRepeated() throws IOException {
    Path said = Files.writeString(temp.resolve("said.json"), "{\"lora_alpha\": 4}");
    Path out = temp.resolve("out");
    Manifest manifest =
        Converting.between(WITH_LAYERS.resolve("checkpoint-1"), out)
            .reading(merging(said.toString()))
            .run()
            .manifest();

    SafetensorsFile before = SafetensorsFile.read(WITH_LAYERS.resolve("base/model.safetensors"));
    SafetensorsFile theirs =
        SafetensorsFile.read(WITH_LAYERS.resolve("expected_merged.safetensors"));
    SafetensorsFile ours = SafetensorsFile.read(out.resolve("model.safetensors"));
    assertEquals(theirs.names(), ours.names());
    for (String name : theirs.names()) {
      assertWithinALastPlace(before.floats(name), theirs.floats(name), ours.floats(name));
    }
    assertTrue(
        manifest.input().files().stream().anyMatch(f -> f.name().endsWith("said.json")),
        "the config is one of the inputs");
    assertEquals(
        List.of(),
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(out))
            .problems());

    Path again = temp.resolve("again");
    AskedConversion asked = Converting.again(out, again);
    assertEquals(merging(said.toString()).adapter(), asked.options().reading().adapter());
    assertArrayEquals(
        Files.readAllBytes(out.resolve("model.safetensors")),
        Files.readAllBytes(again.resolve("model.safetensors")));
  }

  /** What the scale comes from decides the result, as a weight does. */
  @Test
  void anotherScaleIsAnotherConversion() throws IOException {
    Path said = Files.writeString(temp.resolve("said.json"), "{\"lora_alpha\": 4}");
    Converting conversion =
        Converting.between(WITH_LAYERS.resolve("checkpoint-1"), temp.resolve("out"))
            .reading(merging(said.toString()));
    assertEquals(Conversion.Outcome.Kind.CONVERTED, conversion.run().kind());
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, conversion.run().kind());
    Files.writeString(said, "{\"lora_alpha\": 40}");
    assertEquals(Conversion.Outcome.Kind.CONVERTED, conversion.overwriting().run().kind());
  }

  /** Random numbers of a few bits, so that sums of products of them are exact in F64 and F32. */
  private static float[] numbers(Random random, int count) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (random.nextInt(33) - 16) / 16f;
    }
    return numbers;
  }

  private static final String MODULE = "base_model.model.m.";

  private Path model(int rows, int columns, int rank) throws IOException {
    Random random = new Random(11);
    Path folder = Files.createDirectories(temp.resolve("in"));
    new SafetensorsFile()
        .with(
            MODULE + "base_layer.weight", Shape.of(rows, columns), numbers(random, rows * columns))
        .with(
            MODULE + "lora_A.default.weight",
            Shape.of(rank, columns),
            numbers(random, rank * columns))
        .with(MODULE + "lora_B.default.weight", Shape.of(rows, rank), numbers(random, rows * rank))
        .write(folder.resolve("model.safetensors"));
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"r\": " + rank + ", \"lora_alpha\": " + 2 * rank + "}");
    return folder;
  }

  private static float[] modelled(Path folder, int rows, int columns, int rank) throws IOException {
    SafetensorsFile file = SafetensorsFile.read(folder.resolve("model.safetensors"));
    float[] w = file.floats(MODULE + "base_layer.weight");
    float[] a = file.floats(MODULE + "lora_A.default.weight");
    float[] b = file.floats(MODULE + "lora_B.default.weight");
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        // Of few bits, so that it is exact in whatever order.
        double sum = 0;
        for (int k = 0; k < rank; k++) {
          sum += (double) b[i * rank + k] * a[k * columns + j];
        }
        w[i * columns + j] = (float) (w[i * columns + j] + 2 * sum);
      }
    }
    return w;
  }

  /** Chunks that begin and end within rows, in several files. */
  @Test
  void chunksBeginWithinRows() throws IOException {
    Path in = model(301, 777, 5);
    Path out = temp.resolve("out");
    Converting.between(in, out)
        .reading(merging())
        .planning(PlanOptions.DEFAULTS.withSizes(1L << 40, 64_000))
        .run();

    assertArrayEquals(
        modelled(in, 301, 777, 5),
        SafetensorsFile.read(out.resolve("model.safetensors")).floats("m.weight"));
  }

  /** The right matrix has more bytes than are kept: it is read some columns at a time. */
  @Test
  void aMatrixThatIsTooLargeToKeepIsReadInParts() throws IOException {
    int columns = 150_000;
    Path in = model(3, columns, 64);
    Gathered merged = merge(in, "float32");

    assertArrayEquals(modelled(in, 3, columns, 64), floats(merged.content("m.weight")));
    long held = ChunkTask.bufferBytes(LocalStores.ALL, merged.prepared().plan());
    long plain =
        ChunkTask.bufferBytes(
            LocalStores.ALL, Converting.between(in, temp.resolve("o")).prepare().plan());
    assertEquals((8 << 20) + (32 << 20), held - plain, "what --dry-run tells of a task's memory");
  }

  /** A base in 16 bits, summed in F32 and rounded once to what is asked for. */
  @Test
  void sumsAreRoundedOnceToTheTypeOfTheResult() throws IOException {
    Map<String, String> kept =
        new TreeMap<>(merge(Fixtures.adapter("patterns").resolve("model.pt"), "keep").tensors());
    Map<String, String> narrowed =
        merge(Fixtures.adapter("patterns").resolve("model.pt"), "bfloat16").tensors();
    assertEquals(kept, narrowed);
    Path out = temp.resolve("wide");
    Converting.between(Fixtures.adapter("patterns").resolve("model.pt"), out)
        .reading(merging())
        .planning(PlanOptions.DEFAULTS.withType(TargetType.parse("float32")))
        .run();
    assertEquals(kept, StoredTensors.of(out.resolve("model.safetensors"), DType.BF16));
  }
}
