package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole conversions of weights with scales, with a base and in types that few files have. */
class QuantizedConversionTest {
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

  @Test
  void theyBecomeWhatTheyStandFor() throws IOException {
    Path made = convert(input("torch"), "bfloat16");
    assertEquals(
        StoredTensors.of(input("torch.safetensors"), DType.BF16), StoredTensors.inFolder(made));
    assertEquals(1, notes(made, "dequantized: ").size());
    Manifest.Figures figures = manifest(made).figures();
    assertEquals(5, figures.storagesChecked());
    assertEquals(0, figures.storagesUnchecked());
  }

  @Test
  void otherCodesAreRefusedAndNothingIsWritten() throws IOException {
    Path in = temp.resolve("in.safetensors");
    new SafetensorsFile()
        .with("a.weight", DType.I8, Shape.of(2, 4), new byte[] {1, 2, 3, 4, 5, 6, 7, 8})
        .with("a.weight_scale", Shape.of(2, 1), 0.5f, 0.25f)
        .write(in);
    ReweaveException e = assertThrows(ReweaveException.class, () -> convert(in, "float32"));
    assertEquals(
        "the weights are quantized in a way that is not undone: int8 with weight_scale (a.weight)",
        e.problem());
    assertFalse(Files.exists(temp.resolve("float32")));
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
    assertEquals("write safetensors: leave --format out", e.remedy());
    assertFalse(Files.exists(out));
  }

  private static PlanOptions torch() {
    return PlanOptions.DEFAULTS
        .withType(new TargetType.Keep())
        .withSizes(1L << 40, 64_000)
        .with(PlanOptions.FORMAT, Format.BIN);
  }
}
