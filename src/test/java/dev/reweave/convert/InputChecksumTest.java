package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.FlatGroup;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of bits that flipped in the input, and of storages that no checksum guards. */
class InputChecksumTest {
  private static final int TENSORS = 14;

  @TempDir Path temp;

  private List<Path> optimizerFiles(int ranks) throws IOException {
    List<TensorSpec> tensors =
        IntStream.range(0, TENSORS)
            .mapToObj(i -> new TensorSpec("layer%02d".formatted(i), DType.F32, Shape.of(500)))
            .toList();
    var unused = SyntheticCheckpoint.write(temp.resolve("in"), 2, ranks, tensors, 7);
    return FlatGroup.optimizerFiles(temp.resolve("in").resolve(SyntheticCheckpoint.TAG));
  }

  /** In the middle, where nothing but masters are. */
  private static void flipBit(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    content[content.length / 2] ^= 1;
    Files.write(file, content);
  }

  private ReweaveException failure() {
    ReweaveException failure =
        assertThrows(
            ReweaveException.class,
            () -> Converting.between(temp.resolve("in"), temp.resolve("out")).run());
    assertTrue(Files.notExists(temp.resolve("out")), "something was published");
    return failure;
  }

  @Test
  void theFirstTensorsOfADamagedStorageAreNamed() throws IOException {
    Path file = optimizerFiles(1).get(0);
    flipBit(file);

    ReweaveException failure = failure();

    assertEquals(
        "damaged weights: the checksum of a storage is not the one that was saved with it",
        failure.problem());
    assertTrue(
        failure
            .place()
            .matches(
                "file:"
                    + file
                    + ", data/\\d+, which holds layer00, layer01, layer02, layer03, layer04,"
                    + " layer05, layer06, layer07, layer08, layer09, and 4 more"),
        failure.place());
  }

  @Test
  void theFirstOfSeveralDamagedStoragesIsNamedAndTheTensorsOfAll() throws IOException {
    List<Path> files = optimizerFiles(3);
    for (Path file : files) {
      flipBit(file);
    }

    String place = failure().place();

    assertTrue(
        place.matches(
            "file:"
                + files.get(0)
                + ", data/\\d+, which holds layer00, layer01, layer02, layer03, layer04; and 2 more"
                + " storages, which hold layer04, layer05, layer06, layer07, layer08, layer09,"
                + " layer10, layer11, layer12, layer13"),
        place);
  }

  private Manifest.Unchecked unchecked(Path input) {
    Manifest manifest = Converting.between(input, temp.resolve("out")).run().manifest();
    assertEquals(1, manifest.figures().unchecked().size(), manifest.figures()::toString);
    Manifest.Unchecked unchecked = manifest.figures().unchecked().get(0);
    assertEquals(manifest.figures().storagesUnchecked(), unchecked.storages());
    List<String> summary = Summary.result(manifest, "out");
    String line =
        "         "
            + unchecked.storages()
            + " in "
            + unchecked.files()
            + (unchecked.files() == 1 ? " file: " : " files: ")
            + unchecked.why();
    assertTrue(summary.contains(line), summary::toString);
    return unchecked;
  }

  @Test
  void theOldFormat() {
    assertEquals(
        new Manifest.Unchecked("files of torch.save's legacy format carry no checksums", 2, 2),
        unchecked(Fixtures.folder("legacy_z3_bf16_w2_tied/ckpt")));
  }

  @Test
  void zipsWithoutChecksums() {
    assertEquals(
        new Manifest.Unchecked(
            "they were saved without checksums: torch.serialization.set_crc32_options(False)",
            1,
            1),
        unchecked(Fixtures.resource("torch/no_crc.pt")));
  }

  @Test
  void safetensors() {
    Path model = temp.resolve("model");
    Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), model).run();

    assertEquals(
        new Manifest.Unchecked("safetensors files carry no checksums", 12, 1), unchecked(model));
  }

  @Test
  void whereAllIsCheckedNothingIsTold() {
    Manifest manifest =
        Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("out"))
            .run()
            .manifest();

    assertEquals(List.of(), manifest.figures().unchecked());
    assertTrue(Summary.result(manifest, "out").contains("       checksums of 2 storages verified"));
  }
}
