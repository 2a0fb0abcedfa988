package dev.reweave.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.SyntheticOptions.Moments;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SyntheticCheckpointTest {
  /** The model of the fixtures z2_bf16_w2 and z3_bf16_w2. */
  private static final List<TensorSpec> MODEL =
      List.of(
          spec("layers.0.weight", 13, 7),
          spec("layers.0.bias", 13),
          spec("layers.1.weight", 5, 13),
          spec("layers.1.bias", 5),
          spec("layers.2.weight", 3, 5),
          spec("layers.2.bias", 3),
          spec("norms.0.weight", 13),
          spec("norms.0.bias", 13),
          spec("norms.1.weight", 5),
          spec("norms.1.bias", 5),
          spec("norms.2.weight", 3),
          spec("norms.2.bias", 3));

  @TempDir Path root;

  private static TensorSpec spec(String name, long... dims) {
    return new TensorSpec(name, DType.F32, Shape.of(dims));
  }

  /**
   * All files have the entries of those that DeepSpeed wrote for this model, of the same sizes at
   * the same places, and the same pickles but for the number of steps.
   */
  @ParameterizedTest
  @CsvSource({"2, z2_bf16_w2, 3", "3, z3_bf16_w2, 4"})
  void writesWhatDeepSpeedWrites(int stage, String fixture, int files) throws Exception {
    SyntheticOptions options = new SyntheticOptions(stage, 2).with(Moments.ADAM);
    SyntheticCheckpoint.write(root, options, MODEL, 1);
    Path real =
        Path.of(getClass().getResource("/fixtures/" + fixture + "/ckpt/latest").toURI())
            .resolveSibling("global_step3");
    assertEquals(names(real), names(tag()));
    assertEquals(files, names(real).size());
    for (String name : names(real)) {
      try (ZipFile expected = new ZipFile(real.resolve(name).toFile());
          ZipFile given = new ZipFile(tag().resolve(name).toFile())) {
        assertEquals(entries(expected), entries(given), name);
        String pickle = entries(expected).get(0);
        String path = pickle.substring(0, pickle.indexOf(' '));
        byte[] wanted = read(expected, path);
        setStep(wanted, "global_steps", 3, 1);
        setStep(wanted, "global_samples", 6, 2);
        assertArrayEquals(wanted, read(given, path), name);
      }
      assertEquals(Files.size(real.resolve(name)), Files.size(tag().resolve(name)), name);
    }
    assertEquals("global_step1", Files.readString(root.resolve("latest")));
  }

  private static void setStep(byte[] pickle, String key, int from, int to) {
    String text = new String(pickle, StandardCharsets.ISO_8859_1);
    int at = text.indexOf(key);
    if (at >= 0) {
      at = text.indexOf('K', at) + 1;
      assertEquals(from, pickle[at]);
      pickle[at] = (byte) to;
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "3", "5"})
  void partitionsTheGroupOfZeroTwo(int world) throws IOException {
    SyntheticCheckpoint checkpoint = SyntheticCheckpoint.write(root, 2, world, MODEL, 7);
    List<Float> expected = new ArrayList<>();
    for (int p = 0; p < MODEL.size(); p++) {
      for (long e = 0; e < MODEL.get(p).elements(); e++) {
        expected.add(checkpoint.value(p, e));
      }
    }
    int elements = expected.size();
    while (expected.size() % (2 * world) != 0) {
      expected.add(Float.NaN);
    }
    List<Float> given = new ArrayList<>();
    for (int r = 0; r < world; r++) {
      given.addAll(floats("bf16_zero_pp_rank_" + r + "_mp_rank_00_optim_states", 0));
    }
    assertEquals(expected, given);
    ByteBuffer module = storage("mp_rank_00_model_states", 0);
    for (int i = 0; i < elements; i++) {
      float half = Float.intBitsToFloat(module.getShort(2 * i) << 16);
      assertEquals(expected.get(i), half, Math.abs(expected.get(i)) / 256);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1000000, 1", "2, 60, 2", "3, 1, 12", "4, 20, 4"})
  void partitionsEachParameterOfZeroThree(int world, long subGroup, int groups) throws IOException {
    SyntheticOptions options = new SyntheticOptions(3, world).withSubGroupElements(subGroup);
    SyntheticCheckpoint checkpoint = SyntheticCheckpoint.write(root, options, MODEL, 7);
    for (int r = 0; r < world; r++) {
      List<Float> expected = new ArrayList<>();
      for (int p = 0; p < MODEL.size(); p++) {
        long elements = MODEL.get(p).elements();
        long slice = (elements + world - 1) / world;
        for (long e = r * slice; e < (r + 1) * slice; e++) {
          expected.add(e < elements ? checkpoint.value(p, e) : Float.NaN);
        }
      }
      List<Float> given = new ArrayList<>();
      for (int g = 0; g < groups; g++) {
        given.addAll(floats("bf16_zero_pp_rank_" + r + "_mp_rank_00_optim_states", g));
      }
      assertEquals(expected, given);
    }
  }

  @Test
  void givesNormalValuesAroundZero() throws IOException {
    List<TensorSpec> params = List.of(spec("a", 200_000), spec("b", 200_000), spec("c", 0));
    SyntheticCheckpoint checkpoint = SyntheticCheckpoint.write(root, 2, 1, params, 3);
    List<Float> given = floats("bf16_zero_pp_rank_0_mp_rank_00_optim_states", 0);
    double sum = 0;
    for (int p = 0; p < 2; p++) {
      for (int e = 0; e < 200_000; e++) {
        float value = checkpoint.value(p, e);
        assertEquals(value, given.get(p * 200_000 + e));
        assertTrue(Math.abs(value) >= 0x1p-11 && Math.abs(value) < 0x1p-7);
        sum += value;
      }
    }
    assertEquals(0, sum / 400_000, 1e-4);
    assertTrue(given.stream().distinct().count() > 390_000);
  }

  @Test
  void makesLlamasOfAnySize() {
    for (long bytes = 50_000_000; bytes < 1L << 44; bytes *= 3) {
      long given = SyntheticCheckpoint.llama(bytes).stream().mapToLong(TensorSpec::bytes).sum();
      assertEquals(1.0, (double) given / bytes, 0.15);
    }
  }

  /** Terabytes of zeros take no room; ranks on GPUs of one number have one file of model states. */
  @Test
  void zerosTakeNoRoom() throws IOException {
    List<TensorSpec> params = List.of(spec("a", 1 << 20, 1 << 20), spec("b", 1 << 22));
    SyntheticOptions options = new SyntheticOptions(3, 4).onDevices(2).sparse();

    SyntheticCheckpoint.write(root, options, params, 1);

    Path masters = tag().resolve("bf16_zero_pp_rank_3_mp_rank_00_optim_states.pt");
    assertTrue(Files.size(masters) > 1L << 40);
    try (ZipFile zip = new ZipFile(masters.toFile())) {
      assertEquals(1L << 40, zip.stream().skip(4).findFirst().orElseThrow().getSize());
    }
    assertTrue(Files.isSameFile(model(1), model(3)));
    assertEquals(-1, Files.mismatch(model(0), model(2)));
    assertTrue(Files.mismatch(model(0), model(1)) > 0);
    CRC32 crc = new CRC32();
    crc.update(new byte[5_000_001]);
    TorchZipWriter.write(
        root.resolve("zeros.pt"), List.of(), List.of(StorageContent.zeros(DType.U8, 5_000_001)));
    try (ZipFile zip = new ZipFile(root.resolve("zeros.pt").toFile())) {
      assertEquals(crc.getValue(), zip.getEntry("zeros/data/0").getCrc());
      assertArrayEquals(new byte[5_000_001], read(zip, "zeros/data/0"));
    }
  }

  private Path model(int rank) {
    return tag().resolve("zero_pp_rank_" + rank + "_mp_rank_00_model_states.pt");
  }

  @Test
  void passesTheEntriesOfAPlainZip() throws IOException {
    int count = 70_000;
    List<StorageContent> storages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      storages.add(StorageContent.of(DType.U8, (byte) i));
    }
    Path file = root.resolve("many.pt");
    TorchZipWriter.write(file, List.of(), storages);
    try (ZipFile zip = new ZipFile(file.toFile())) {
      assertEquals(count + 6, zip.size());
      assertArrayEquals(new byte[] {(byte) 69_999}, read(zip, "many/data/69999"));
    }
  }

  @Test
  void refusesOtherStagesAndTypes() {
    assertThrows(IllegalArgumentException.class, () -> new SyntheticOptions(1, 2));
    assertThrows(IllegalArgumentException.class, () -> new SyntheticOptions(2, 0));
    List<TensorSpec> half = List.of(new TensorSpec("a", DType.F16, Shape.of(2)));
    assertThrows(
        IllegalArgumentException.class, () -> SyntheticCheckpoint.write(root, 2, 1, half, 0));
  }

  private Path tag() {
    return root.resolve(SyntheticCheckpoint.TAG);
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  private static List<String> entries(ZipFile zip) {
    return zip.stream().map(e -> e.getName() + " " + e.getSize() + " " + e.getMethod()).toList();
  }

  /** Reads an entry; java.util.zip checks its size, and we its checksum. */
  private static byte[] read(ZipFile zip, String path) throws IOException {
    ZipEntry entry = zip.getEntry(path);
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] bytes = in.readAllBytes();
      CRC32 crc = new CRC32();
      crc.update(bytes);
      assertEquals(entry.getCrc(), crc.getValue(), path);
      return bytes;
    }
  }

  private ByteBuffer storage(String name, int key) throws IOException {
    try (ZipFile zip = new ZipFile(tag().resolve(name + ".pt").toFile())) {
      return ByteBuffer.wrap(read(zip, name + "/data/" + key)).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  private List<Float> floats(String name, int key) throws IOException {
    ByteBuffer bytes = storage(name, key);
    List<Float> floats = new ArrayList<>();
    while (bytes.hasRemaining()) {
      floats.add(bytes.getFloat());
    }
    return floats;
  }
}
