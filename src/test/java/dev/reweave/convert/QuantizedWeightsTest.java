package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StoredTensors;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights of 8 bits with scales, and what torch says they stand for. */
class QuantizedWeightsTest {
  private static final PlanOptions SMALL_CHUNKS = PlanOptions.DEFAULTS.withSizes(1L << 40, 64_000);

  @TempDir Path temp;

  private static Path input(String name) {
    return Fixtures.resource("quantized/" + name);
  }

  /** Converts, verifies, and gives the folder. */
  private Path convert(Object from, String type) throws IOException {
    return convert(
        Converting.between(from, temp.resolve(type)).planning(SMALL_CHUNKS).type(type), type);
  }

  private Path convert(Converting converting, String folder) throws IOException {
    converting.run();
    Path made = temp.resolve(folder);
    Verification.Result verified =
        new Verification(TestSpark.cluster(), TestSpark.stores()).run(Locations.of(made));
    assertEquals(List.of(), verified.problems());
    return made;
  }

  private static Manifest manifest(Path folder) throws IOException {
    return Manifest.parse(Files.readAllBytes(folder.resolve(Manifest.FILE_NAME)), "manifest");
  }

  private static List<String> notes(Path folder, String beginning) throws IOException {
    return manifest(folder).notes().stream().filter(n -> n.startsWith(beginning)).toList();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "deepseek",
        "comfyui",
        "blocks",
        "blocks-without-config",
        "usual-blocks",
        "channels",
        "channels-of-one-dimension",
        "tensor",
        "experts",
        "columns",
        "powers",
        "powers-as-bytes",
        "groups",
        "torch"
      })
  void theyBecomeWhatTheyStandFor(String name) throws IOException {
    Path expected = input(name + ".safetensors");
    assertEquals(
        StoredTensors.of(expected), StoredTensors.inFolder(convert(input(name), "float32")));
    for (DType narrow : List.of(DType.BF16, DType.F16)) {
      Path made = convert(input(name), narrow.torchName());
      assertEquals(StoredTensors.of(expected, narrow), StoredTensors.inFolder(made));
      assertEquals(1, notes(made, "dequantized: ").size());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"deepseek", "comfyui", "blocks", "channels", "experts", "powers", "unscaled"})
  void theyAreKeptBitForBit(String name) throws IOException {
    Path kept = convert(input(name), "keep");
    assertEquals(StoredTensors.inFolder(input(name)), StoredTensors.inFolder(kept));
    assertEquals(List.of(), notes(kept, "dequantized: "));
    assertEquals(name.equals("unscaled") ? 0 : 1, notes(kept, "quantized: ").size());
  }

  @Test
  void numbersWithoutScalesAreCast() throws IOException {
    Path made = convert(input("unscaled"), "float32");
    assertEquals(StoredTensors.of(input("unscaled.safetensors")), StoredTensors.inFolder(made));
    assertEquals(
        List.of(
            "of 8 bits without a scale, and cast as they are: 4 tensors: e5m2fnuz.weight,"
                + " e4m3fnuz.weight, e4m3fn.weight, e5m2.weight"),
        notes(made, "of 8 bits"));
  }

  @Test
  void whatIsLeftOutIsTold() throws IOException {
    assertEquals(
        List.of(
            "dequantized: 1 weight of float8_e4m3fn with scales in blocks of 4x4"
                + " (weight_scale_inv), value times scale in float32, rounded once; the scales are"
                + " left out: 1 tensor"),
        notes(convert(input("deepseek"), "bfloat16"), "dequantized: "));
    assertEquals(
        List.of("left out, since only quantized weights need them: 1 tensor: scaled_fp8"),
        notes(convert(input("comfyui"), "float16"), "left out"));
    assertEquals(
        List.of("left out, since only quantized weights need them: 1 tensor: a.input_scale"),
        notes(convert(input("channels"), "float32"), "left out"));
  }

  /** Scales are read with every part of a weight, and checked once. */
  @Test
  void everyChecksumIsCompared() throws IOException {
    Manifest.Figures figures = manifest(convert(input("torch"), "bfloat16")).figures();
    assertEquals(5, figures.storagesChecked());
    assertEquals(0, figures.storagesUnchecked());
  }

  @Test
  void aWeightOfManyChunks() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    byte[] values = new byte[3 * 200 * 331];
    random.nextBytes(values);
    for (int i = 0; i < values.length; i++) {
      values[i] &= (byte) 0xF7; // no NaN among them
    }
    float[] scales = new float[3 * 2 * 3];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = (float) random.nextDouble(1e-6, 1e-2);
    }
    ByteBuffer expected = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < values.length; i++) {
      int cell = i / (200 * 331) * 6 + i / 331 % 200 / 128 * 3 + i % 331 / 128;
      expected.putFloat(value(values[i]) * scales[cell]);
    }
    Path in = temp.resolve("model.safetensors");
    new SafetensorsFile()
        .with("experts.up", DType.F8_E4M3, Shape.of(3, 200, 331), values)
        .with("experts.up_scale_inv", Shape.of(3, 2, 3), scales)
        .write(in);

    Path made = convert(in, "float32");

    assertTrue(values.length * 4 > 10 * 64_000);
    ByteBuffer found =
        SafetensorsFile.read(made.resolve("model.safetensors")).content("experts.up");
    assertEquals(expected.rewind(), found.duplicate().rewind());
  }

  /** As the OCP's specification has it: 1 bit of sign, 4 of exponent, 3 of mantissa. */
  private static float value(byte bits) {
    int exponent = bits >> 3 & 0xF;
    int mantissa = bits & 7;
    float magnitude =
        exponent == 0
            ? Math.scalb((float) mantissa, -9)
            : Math.scalb((float) (8 + mantissa), exponent - 10);
    return bits < 0 ? -magnitude : magnitude;
  }

  @Test
  void aBaseIsTheSameModelWithItsScales() throws IOException {
    Path base = input("deepseek");
    Path made =
        convert(Converting.between(base, temp.resolve("out")).base(base).type("bfloat16"), "out");
    assertEquals(
        "{\"model_type\": \"qwen3\", \"torch_dtype\": \"bfloat16\"}",
        Files.readString(made.resolve("config.json")));
    assertEquals(
        List.of("the weights are not quantized: config.json comes without its quantization_config"),
        notes(made, "the weights are not quantized"));
    assertEquals(
        StoredTensors.of(input("deepseek.safetensors"), DType.BF16), StoredTensors.inFolder(made));
  }

  @Test
  void likeAQuantizedBaseTheyStayQuantized() throws IOException {
    Path base = input("deepseek");
    Path made = convert(Converting.between(base, temp.resolve("out")).base(base), "out");
    assertEquals(
        Files.readString(base.resolve("config.json")),
        Files.readString(made.resolve("config.json")));
    assertEquals(StoredTensors.inFolder(base), StoredTensors.inFolder(made));
  }

  @Test
  void likeAnotherBaseTheyDoNot() throws IOException {
    Path base = Files.createDirectory(temp.resolve("base"));
    SafetensorsFile.read(convert(input("deepseek"), "bfloat16").resolve("model.safetensors"))
        .write(base.resolve("model.safetensors"));
    Files.writeString(base.resolve("config.json"), "{\"model_type\": \"qwen3\"}");
    Path made =
        convert(Converting.between(input("deepseek"), temp.resolve("out")).base(base), "out");
    assertEquals(
        StoredTensors.of(input("deepseek.safetensors"), DType.BF16), StoredTensors.inFolder(made));
  }

  @Test
  void aConversionIsMadeAnewWhereTheConfigChanged() throws IOException {
    Path in = Fixtures.copy(input("blocks-without-config"), temp.resolve("in"));
    Path config = in.resolve("config.json");
    String text = "{\"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": ";
    Files.writeString(config, text + "[4, 4]}}");
    Path first = convert(in, "float32");
    Map<String, String> square = StoredTensors.inFolder(first);
    Files.writeString(config, text + "[4, 5]}}");
    Converting.between(in, first).planning(SMALL_CHUNKS).overwriting().run();
    assertFalse(square.equals(StoredTensors.inFolder(first)));
  }

  @Test
  void aDamagedConfigHarmsWhatIsKeptNot() throws IOException {
    Path in = Fixtures.copy(input("blocks-without-config"), temp.resolve("in"));
    Files.writeString(in.resolve("config.json"), "{");
    ReweaveException e = assertThrows(ReweaveException.class, () -> convert(in, "float32"));
    assertTrue(
        e.problem().contains("the config of quantized weights is no sound JSON"), e::problem);
    assertEquals(StoredTensors.inFolder(in), StoredTensors.inFolder(convert(in, "keep")));
  }

  /** Names are mapped when the weights are what they stand for. */
  @Test
  void mappingsSeeWeightsWithoutScales() throws IOException {
    Path rules = temp.resolve("rules.json");
    Files.writeString(
        rules,
        """
        {"name": "parts", "description": "experts one by one", "rules": [
          {"match": "(experts)\\\\.up_proj", "unstack": {"dim": 0, "into": "up.${index}"}}]}
        """);
    Path made =
        convert(
            Converting.between(input("experts"), temp.resolve("out"))
                .mapping(rules.toString())
                .type("float32"),
            "out");
    ByteBuffer whole =
        SafetensorsFile.read(input("experts.safetensors")).content("experts.up_proj");
    SafetensorsFile parts = SafetensorsFile.read(made.resolve("model.safetensors"));
    assertEquals(List.of("up.0", "up.1", "up.2"), parts.names());
    assertEquals(whole.slice(4 * 13 * 20, 4 * 13 * 20), parts.content("up.1"));
  }

  @ParameterizedTest
  @CsvSource({"keep, false", "float32, true", "bfloat16, true", "float16, true"})
  void otherCodesAreRefusedByNameAndKept(String type, boolean refused) throws IOException {
    Path in = temp.resolve("in.safetensors");
    new SafetensorsFile()
        .with("a.weight", DType.I8, Shape.of(2, 4), new byte[] {1, 2, 3, 4, 5, 6, 7, 8})
        .with("a.weight_scale", Shape.of(2, 1), 0.5f, 0.25f)
        .write(in);
    if (!refused) {
      Path kept = convert(in, type);
      assertEquals(StoredTensors.of(in), StoredTensors.inFolder(kept));
      return;
    }
    ReweaveException e = assertThrows(ReweaveException.class, () -> convert(in, type));
    assertEquals(
        "the weights are quantized in a way that is not undone: int8 with weight_scale (a.weight)",
        e.problem());
    assertEquals("keep them as they are: --dtype keep", e.remedy());
    assertFalse(Files.exists(temp.resolve(type)));
  }

  @Test
  void everyTypeOfSafetensorsIsKept() throws IOException {
    Path in = input("every-type.safetensors");
    Path made = convert(in, "keep");
    assertArrayEquals(
        Files.readAllBytes(in), Files.readAllBytes(made.resolve("model.safetensors")));
    assertEquals(22 * 24, manifest(made).result().elements());
  }

  @Test
  void torchKnowsPairsOfFourBits() throws IOException {
    Path in = input("fours.safetensors");
    assertArrayEquals(
        Files.readAllBytes(in),
        Files.readAllBytes(convert(input("fours"), "keep").resolve("model.safetensors")));
    Path out = temp.resolve("bin");
    Converting.between(in, out).planning(torch()).run();
    assertEquals(StoredTensors.of(in), StoredTensors.ofTorch(out.resolve("pytorch_model.bin")));
  }

  @Test
  void torchHasNoTypesOfSixBits() {
    Path out = temp.resolve("bin");
    ReweaveException e =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(input("every-type.safetensors"), out).planning(torch()).run());
    assertEquals("torch has no type for float6_e3m2fn elements of shape [3, 8]", e.problem());
    assertEquals("write safetensors: leave --format bin out", e.remedy());
    assertFalse(Files.exists(out));
  }

  private static PlanOptions torch() {
    return PlanOptions.DEFAULTS
        .withType(new TargetType.Keep())
        .withSizes(1L << 40, 64_000)
        .with(PlanOptions.FORMAT, Format.BIN);
  }
}
