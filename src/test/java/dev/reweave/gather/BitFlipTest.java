package dev.reweave.gather;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.StorageRef;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.ProvableFixtures;
import dev.reweave.testing.TestSpark;
import dev.reweave.testing.ZipChecksums;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A bit that changed in the weights of a checkpoint is found wherever it is, or its storage is told
 * as one that could not be checked. Tries a few bytes of each storage that a conversion reads, and
 * all of them with {@code -Dreweave.flips=all}.
 */
class BitFlipTest {
  private static final boolean ALL = "all".equals(System.getProperty("reweave.flips"));

  /** Bytes that are tried of a storage, and as many of its padding, beside its first and last. */
  private static final int SAMPLES = 3;

  /** As often the byte is restored, and must be found sound. */
  private static final int FLIPS_PER_CONTROL = 100;

  /** Legacy files have no checksums: the numbers of storages that are read of them. */
  private static final Map<String, Integer> WITHOUT_CHECKSUMS =
      Map.of("legacy_z2_fp16_w3", 6, "legacy_z3_bf16_w2_tied", 2);

  @TempDir Path temp;

  static List<String> fixtures() throws IOException {
    try (Stream<Path> folders = Files.list(Fixtures.resource("fixtures"))) {
      return folders
          .filter(folder -> Files.isDirectory(folder.resolve("ckpt")))
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  private Path copy(String fixture) throws IOException {
    return Fixtures.copy(Fixtures.folder(fixture).resolve("ckpt"), temp.resolve("in"));
  }

  private Converting converting(String fixture) {
    return ProvableFixtures.converting(fixture, temp.resolve("in"), temp.resolve("out"));
  }

  private DirectRun run(Converting converting) {
    return DirectRun.of(TestSpark.stores(), converting.request());
  }

  /** Changes bits of a byte of a storage; the same again restores it. */
  private static void flip(DirectRun run, StorageRef storage, long at, int bits)
      throws IOException {
    String path = run.address(storage).replaceFirst("^file:", "");
    try (RandomAccessFile file = new RandomAccessFile(path, "rw")) {
      file.seek(storage.position() + at);
      int changed = file.read() ^ bits;
      file.seek(storage.position() + at);
      file.write(changed);
    }
  }

  /** The bytes of a storage to be tried. */
  private static long[] bytes(DirectRun run, StorageRef storage) {
    if (ALL) {
      return LongStream.range(0, storage.bytes()).toArray();
    }
    SplittableRandom random = new SplittableRandom(storage.bytes());
    long[] padding = run.padding(storage);
    LongStream.Builder bytes = LongStream.builder().add(0).add(storage.bytes() - 1);
    for (int i = 0; i < SAMPLES; i++) {
      bytes.add(random.nextLong(storage.bytes()));
      if (padding.length > 0) {
        bytes.add(padding[random.nextInt(padding.length)]);
      }
    }
    return bytes.build().distinct().toArray();
  }

  @ParameterizedTest
  @MethodSource("fixtures")
  void everyByteIsCheckedOrToldAsUnchecked(String fixture) throws IOException {
    copy(fixture);
    check(run(converting(fixture)), WITHOUT_CHECKSUMS.getOrDefault(fixture, 0));
  }

  /** The module's own weights, which lie in other storages, some as views of one. */
  @ParameterizedTest
  @MethodSource("dev.reweave.testing.ProvableFixtures#flat")
  void everyByteOfTheModuleIsCheckedOrToldAsUnchecked(String fixture) throws IOException {
    copy(fixture);
    DirectRun run = run(converting(fixture).weights(Weights.MODEL));
    check(run, fixture.startsWith("legacy_") ? run.storages().size() : 0);
  }

  /** Flips bits of all storages that have a checksum. */
  private static void check(DirectRun run, int unchecked) throws IOException {
    List<StorageRef> checked = new ArrayList<>(run.storages());
    checked.removeAll(run.unchecked());
    assertEquals(unchecked, run.unchecked().size());
    assertEquals(run.storages().size() - unchecked, run.checked());

    int flips = 0;
    for (StorageRef storage : checked) {
      Optional<String> damage = Optional.of(run.damage(storage));
      for (long at : bytes(run, storage)) {
        int bit = 1 << (flips % Byte.SIZE);
        flip(run, storage, at, bit);
        assertEquals(damage, run.found(storage, at), () -> "bit " + bit + " of byte " + at);
        flip(run, storage, at, bit);
        if (flips++ % FLIPS_PER_CONTROL == 0) {
          assertEquals(Optional.empty(), run.found(storage, at), () -> "byte " + at + " restored");
        }
      }
    }
    assertTrue(flips >= 2 * checked.size(), "flips: " + flips);
  }

  /** The same through Spark: nothing becomes visible, and the input stays as it was. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "dcp_mesh_w4",
        "moe_z2_bf16_w2",
        "pipe_z1_bf16_pp2",
        "tp2_z1_fp16_w2",
        "uc_from_z3_frozen",
        "z1_bf16opt_w2",
        "z3_fp32_w2_groups"
      })
  void aConversionThatReadsAChangedBitGivesNothing(String fixture) throws IOException {
    Path input = copy(fixture);
    DirectRun run = run(converting(fixture));
    StorageRef storage = run.storages().get(run.storages().size() / 2);
    flip(run, storage, storage.bytes() - 1, 1);
    Map<String, String> before = Fixtures.digests(input);

    ReweaveException failure =
        assertThrows(ReweaveException.class, () -> converting(fixture).run());

    assertEquals(run.damage(storage), failure.getMessage());
    assertFalse(Files.exists(temp.resolve("out")));
    assertEquals(before, Fixtures.digests(input));
  }

  /** As saved with {@code torch.serialization.set_crc32_options(False)}, or before torch 1.6. */
  @ParameterizedTest
  @ValueSource(strings = {"z2_bf16_w2", "z3_fp16_w3", "legacy_z2_fp16_w3"})
  void whatHasNoChecksumIsToldAsUnchecked(String fixture) throws IOException {
    Path input = copy(fixture);
    try (Stream<Path> files = Files.walk(input)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".pt")).toList()) {
        ZipChecksums.remove(file);
      }
    }
    DirectRun run = run(converting(fixture));
    int storages = run.storages().size();
    StorageRef storage = run.storages().get(storages - 1);
    flip(run, storage, 0, 1);

    Manifest manifest = converting(fixture).run().manifest();

    assertEquals(0, manifest.figures().storagesChecked());
    assertEquals(storages, manifest.figures().storagesUnchecked());
    String line =
        "       checksums of 0 storages verified, " + storages + " storages could not be checked:";
    assertTrue(Summary.result(manifest, "out").contains(line), line);
  }
}
