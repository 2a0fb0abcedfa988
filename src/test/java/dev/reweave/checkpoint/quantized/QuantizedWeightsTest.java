package dev.reweave.checkpoint.quantized;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.StoredTensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
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

  private Gathered gather(Object from, String type) {
    return Converting.between(from, temp.resolve("out")).planning(SMALL_CHUNKS).type(type).gather();
  }

  private static List<String> notes(Gathered gathered, String beginning) {
    return gathered.notes().stream().filter(n -> n.startsWith(beginning)).toList();
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
    assertEquals(StoredTensors.of(expected), gather(input(name), "float32").tensors());
    for (DType narrow : List.of(DType.BF16, DType.F16)) {
      Gathered made = gather(input(name), narrow.torchName());
      assertEquals(StoredTensors.of(expected, narrow), made.tensors());
      assertEquals(1, notes(made, "dequantized: ").size());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"deepseek", "comfyui", "blocks", "channels", "experts", "powers", "unscaled"})
  void theyAreKeptBitForBit(String name) throws IOException {
    Gathered kept = gather(input(name), "keep");
    assertEquals(StoredTensors.inFolder(input(name)), kept.tensors());
    assertEquals(List.of(), notes(kept, "dequantized: "));
    assertEquals(name.equals("unscaled") ? 0 : 1, notes(kept, "quantized: ").size());
  }

  @Test
  void numbersWithoutScalesAreCast() throws IOException {
    Gathered made = gather(input("unscaled"), "float32");
    assertEquals(StoredTensors.of(input("unscaled.safetensors")), made.tensors());
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
        notes(gather(input("deepseek"), "bfloat16"), "dequantized: "));
    assertEquals(
        List.of("left out, since only quantized weights need them: 1 tensor: scaled_fp8"),
        notes(gather(input("comfyui"), "float16"), "left out"));
    assertEquals(
        List.of("left out, since only quantized weights need them: 1 tensor: a.input_scale"),
        notes(gather(input("channels"), "float32"), "left out"));
  }

  /** Scales are read with every part of a weight, and checked once. */
  @Test
  void everyChecksumIsCompared() throws IOException {
    Gathered made = gather(input("torch"), "bfloat16");
    assertEquals(5, made.checked());
    assertEquals(List.of(), made.unchecked());
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

    Gathered made = gather(in, "float32");

    assertTrue(values.length * 4 > 10 * 64_000);
    assertEquals(expected.rewind(), made.content("experts.up"));
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
  void aDamagedConfigHarmsWhatIsKeptNot() throws IOException {
    Path in = Fixtures.copy(input("blocks-without-config"), temp.resolve("in"));
    Files.writeString(in.resolve("config.json"), "{");
    ReweaveException e = assertThrows(ReweaveException.class, () -> gather(in, "float32"));
    assertTrue(
        e.problem().contains("the config of quantized weights is no sound JSON"), e::problem);
    assertEquals(StoredTensors.inFolder(in), gather(in, "keep").tensors());
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
    Gathered made =
        Converting.between(input("experts"), temp.resolve("out"))
            .mapping(rules.toString())
            .type("float32")
            .gather();
    ByteBuffer whole =
        SafetensorsFile.read(input("experts.safetensors")).content("experts.up_proj");
    assertEquals(Set.of("up.0", "up.1", "up.2"), made.tensors().keySet());
    assertEquals(whole.slice(4 * 13 * 20, 4 * 13 * 20), made.content("up.1"));
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
      assertEquals(StoredTensors.of(in), gather(in, type).tensors());
      return;
    }
    ReweaveException e = assertThrows(ReweaveException.class, () -> gather(in, type));
    assertEquals(
        "the weights are quantized in a way that is not undone: int8 with weight_scale (a.weight)",
        e.problem());
    assertEquals("keep them as they are: --dtype keep", e.remedy());
  }
}
