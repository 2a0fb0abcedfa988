package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.Checksum;
import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.Locations;
import dev.reweave.testing.PlainCount;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.WeightsFile;
import dev.reweave.testing.ZipChecksums;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the manifest and the summary tell of weights that training or a cast has spoilt. */
class IllWeightsTest {
  private static final int LARGE = 60_000;

  @TempDir Path temp;

  private static PlanOptions planning(TargetType type, Format format, long shard, long chunk) {
    return PlanOptions.DEFAULTS
        .withType(type)
        .withSizes(shard, chunk)
        .with(PlanOptions.FORMAT, format);
  }

  private Manifest convert(PlanOptions planning) {
    return Converting.between(temp.resolve("weights.pt"), temp.resolve("out"))
        .planning(planning)
        .run()
        .manifest();
  }

  /** Bits of every kind in every floating-point type, in tensors that span chunks. */
  private void writeWild() throws IOException {
    WeightsFile file = new WeightsFile();
    SplittableRandom random = new SplittableRandom(5);
    for (DType type : List.of(DType.F64, DType.F32, DType.BF16, DType.F16)) {
      byte[] content = new byte[LARGE * type.bytes()];
      random.nextBytes(content);
      Arrays.fill(content, 0, 800, (byte) 0);
      file.with("wild." + type, type, Shape.of(300, 200), content);
      file.with("zero." + type, type, Shape.of(200, 200), new byte[200 * 200 * type.bytes()]);
      byte[] same = new byte[200 * 200 * type.bytes()];
      Arrays.fill(same, (byte) 0x3F);
      file.with("same." + type, type, Shape.of(200, 200), same);
    }
    file.with("empty", DType.F32, Shape.of(0, 4));
    file.with("scalar", DType.F32, Shape.SCALAR, (byte) 0, (byte) 0, (byte) 0x80, (byte) 0x3F);
    file.write(temp.resolve("weights.pt"));
  }

  @ParameterizedTest
  @CsvSource({
    "float16, SAFETENSORS, 200000",
    "float16, BIN, 200000",
    "bfloat16, SAFETENSORS, 5000000",
    "float32, SAFETENSORS, 5000000",
    "float32, BIN, 5000000",
    "keep, SAFETENSORS, 200000"
  })
  void tensorsAreCountedAsTheyAreWritten(String type, Format format, long shard)
      throws IOException {
    writeWild();

    Manifest manifest = convert(planning(TargetType.parse(type), format, shard, 64_000));

    List<WrittenTensor> tensors = manifest.result().weights();
    assertEquals(manifest.result().tensors(), tensors.size());
    // Entries of a zip file are of storages, and what is empty has none.
    assertEquals(format == Format.BIN ? 13 : 14, tensors.size());
    for (WrittenTensor tensor : tensors) {
      byte[] file = Files.readAllBytes(temp.resolve("out").resolve(tensor.shard()));
      int from = (int) tensor.offset();
      byte[] bytes = Arrays.copyOfRange(file, from, from + tensor.bytes().orElseThrow().intValue());
      DType dtype = DType.ofTorchName(tensor.dtype()).orElseThrow();
      PlainCount expected = PlainCount.of(dtype, bytes);
      assertEquals(
          Checksum.hex(Checksum.CRC_32C.of(bytes, 0, bytes.length)),
          tensor.crc32c(),
          tensor.name());
      assertEquals(expected.nans(), tensor.nans(), tensor.name());
      assertEquals(expected.infinities(), tensor.infinities(), tensor.name());
      assertEquals(expected.subnormals(), tensor.subnormals(), tensor.name());
      assertEquals(tensor.name().startsWith("zero."), tensor.zero(), tensor.name());
      assertEquals(tensor.name().startsWith("same."), tensor.constant(), tensor.name());
    }
    Path written = temp.resolve("out").resolve(Manifest.FILE_NAME);
    assertEquals(
        tensors, Manifest.parse(Files.readAllBytes(written), "manifest").result().weights());
  }

  @Test
  void chunksAndShardsDoNotChangeWhatIsTold() throws IOException {
    writeWild();
    TargetType half = new TargetType.Fixed(DType.F16);
    Map<String, WrittenTensor> few =
        byName(convert(planning(half, Format.SAFETENSORS, 1L << 30, 64_000)));
    Fixtures.remove(temp.resolve("out"));
    Map<String, WrittenTensor> many =
        byName(convert(planning(half, Format.SAFETENSORS, 90_000, 8 << 20)));

    assertEquals(few.keySet(), many.keySet());
    few.forEach((name, tensor) -> assertEquals(facts(tensor), facts(many.get(name)), name));
  }

  private static List<Object> facts(WrittenTensor tensor) {
    return List.of(
        tensor.crc32c(),
        tensor.nans(),
        tensor.infinities(),
        tensor.subnormals(),
        tensor.overflows(),
        tensor.underflows(),
        tensor.zero(),
        tensor.constant());
  }

  private static Map<String, WrittenTensor> byName(Manifest manifest) {
    return manifest.result().weights().stream()
        .collect(Collectors.toMap(WrittenTensor::name, t -> t, (a, b) -> a, TreeMap::new));
  }

  private static List<String> warnings(Manifest manifest) {
    return Summary.result(manifest, "out").stream().filter(l -> l.startsWith("warning")).toList();
  }

  /** One of each illness, beside what is as it should be though it looks alike. */
  private void writePatient() throws IOException {
    new WeightsFile()
        .floats("nan.weight", Shape.of(20, 10), i -> i < 2 ? Double.NaN : 0.01 * i)
        .floats("one.nan", Shape.of(20), i -> i == 9 ? Double.NaN : 1)
        .floats("inf", Shape.of(20), i -> i == 3 ? Double.NEGATIVE_INFINITY : i)
        .floats("huge", Shape.of(20, 10), i -> i % 100 == 1 ? 70_000 : i == 2 ? 3.4e38 : 1 + i)
        .floats("tiny", Shape.of(20, 10), i -> i % 100 == 1 ? 1e-9 : i == 2 ? 1e-44 : 1 + i)
        .floats("small", Shape.of(20, 10), i -> i % 4 == 1 ? 1e-6 : 1 + i)
        .floats("zero.weight", Shape.of(20, 10), i -> i % 2 == 0 ? 0.0 : -0.0)
        .floats("same.weight", Shape.of(20, 10), i -> 0.5)
        .floats("norm.weight", Shape.of(200), i -> 1)
        .floats("norm.bias", Shape.of(200), i -> 0)
        .floats("gate", Shape.of(1, 1), i -> 0)
        .floats("norm.of.a.matrix", Shape.of(1, 200), i -> 1)
        .floats("bias.of.a.volume", Shape.of(1, 200, 1), i -> 0)
        .with("mask", DType.BOOL, Shape.of(2, 2), (byte) 1, (byte) 1, (byte) 1, (byte) 1)
        .with("count", DType.I64, Shape.of(1, 1), new byte[8])
        .write(temp.resolve("weights.pt"));
  }

  private Manifest convert(String type) {
    return convert(planning(TargetType.parse(type), Format.SAFETENSORS, 5_000_000_000L, 64_000));
  }

  @Test
  void theSummaryNamesTheWorstFirst() throws IOException {
    writePatient();

    assertEquals(
        List.of(
            "warning 3 values of 2 tensors are NaN: nan.weight (2), one.nan (1)",
            "warning 1 value of 1 tensor is infinite in the checkpoint: inf (1)",
            "warning 3 values of 1 tensor became infinite in the cast: huge (3);"
                + " --dtype bfloat16 or float32 holds them",
            "warning 1 tensor is zero throughout: zero.weight",
            "warning 1 tensor is one value throughout: same.weight",
            "warning 3 values of 1 tensor became zero in the cast: tiny (3);"
                + " --dtype bfloat16 or float32 holds them",
            "warning many values of 1 tensor are subnormal, and so less exact than others:"
                + " small (25 %)"),
        warnings(convert("float16")));
  }

  @Test
  void aTypeOfTheSameRangeLosesLess() throws IOException {
    writePatient();

    assertEquals(
        List.of(
            "warning 3 values of 2 tensors are NaN: nan.weight (2), one.nan (1)",
            "warning 1 value of 1 tensor is infinite in the checkpoint: inf (1)",
            "warning 1 value of 1 tensor became infinite in the cast: huge (1);"
                + " --dtype keep leaves them as they are",
            "warning 1 tensor is zero throughout: zero.weight",
            "warning 1 tensor is one value throughout: same.weight",
            "warning 1 value of 1 tensor became zero in the cast: tiny (1);"
                + " --dtype keep leaves them as they are"),
        warnings(convert("bfloat16")));
  }

  @Test
  void factsOfTensorsThatNobodyIsWarnedOf() throws IOException {
    writePatient();

    Map<String, WrittenTensor> tensors = byName(convert("keep"));

    assertTrue(tensors.get("norm.weight").constant());
    assertTrue(tensors.get("norm.bias").zero());
    assertTrue(tensors.get("mask").constant());
    assertTrue(tensors.get("gate").zero());
    assertTrue(tensors.get("count").zero());
    assertEquals(1, tensors.get("tiny").subnormals());
    assertEquals(0, tensors.get("tiny").underflows());
  }

  @Test
  void manyNamesAreShortened() throws IOException {
    WeightsFile file = new WeightsFile();
    for (int i = 10; i < 22; i++) {
      file.floats("w" + i, Shape.of(2, 2), element -> 0);
    }
    file.write(temp.resolve("weights.pt"));

    assertEquals(
        List.of(
            "warning 12 tensors are zero throughout:"
                + " w10, w11, w12, w13, w14, w15, w16, w17, w18, w19, …"),
        warnings(convert("bfloat16")));
  }

  @ParameterizedTest
  @EnumSource(Weights.class)
  void nansOfMastersAndOfTheModule(Weights weights) throws IOException {
    Path input = Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("in"));
    Path step = input.resolve("global_step3");
    if (weights == Weights.MASTER) {
      FlatGroup group = FlatGroup.of(step).get(0);
      List<byte[]> contents = group.read();
      ByteBuffer first = ByteBuffer.wrap(contents.get(0)).order(ByteOrder.LITTLE_ENDIAN);
      first.putInt(0, 0x7f800001).putInt(4, 0xffc12345).putInt(12, 0xff800000);
      group.write(contents);
    } else {
      plantInModule(step.resolve("mp_rank_00_model_states.pt"));
    }

    Manifest manifest =
        Converting.between(input, temp.resolve("out"))
            .weights(weights)
            .type("bfloat16")
            // The other copy has none.
            .proving(Proving.NONE)
            .run()
            .manifest();

    assertEquals(
        List.of(
            "warning 2 values of 1 tensor are NaN: layers.0.weight (2)",
            "warning 1 value of 1 tensor is infinite in the checkpoint: layers.0.weight (1)"),
        warnings(manifest));
  }

  private static void plantInModule(Path file) throws IOException {
    StoredLayout layout;
    try (RandomAccess access =
        TestSpark.stores().open(TestSpark.stores().file(Locations.of(file)).orElseThrow())) {
      TorchFile torch = TorchFile.read(access, 0);
      layout = torch.layout(torch.root().at("module").at("layers.0.weight").tensor());
    }
    assertEquals(DType.BF16, layout.dtype());
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(layout.storage().position() + layout.offset() * Short.BYTES);
      // 0x7f81, 0xffff and 0xff80, little-endian.
      bytes.write(new byte[] {(byte) 0x81, 0x7f, -1, -1, (byte) 0x80, -1});
    }
    ZipChecksums.remove(file);
  }
}
