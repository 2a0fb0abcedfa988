package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.PlanOptions;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conversions that are tried in part. */
class SampleRunTest {
  @TempDir Path temp;

  private SampleRun.Result tryOut(Path input, double part) {
    ConversionRequest request =
        Converting.between(input, temp.resolve("out"))
            .planning(PlanOptions.DEFAULTS.withSizes(1L << 40, 64_000))
            .request();
    return new SampleRun(TestSpark.cluster(), TestSpark.stores()).run(request, part);
  }

  private Path large() throws IOException {
    List<TensorSpec> parameters = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      parameters.add(new TensorSpec("layer" + i + ".weight", DType.F32, Shape.of(160, 100)));
    }
    SyntheticCheckpoint.write(temp.resolve("in"), 3, 2, parameters, 1);
    return temp.resolve("in");
  }

  @ParameterizedTest
  @CsvSource({"0.0001, 1", "0.1, 5", "0.5, 21", "1, 41"})
  void readsThatPartAndWritesNothing(double part, int chunks) throws IOException {
    SampleRun.Sample sample = tryOut(large(), part).sample();

    assertEquals(41, sample.ofChunks());
    assertEquals(chunks, sample.chunks());
    assertTrue(sample.bytesMade() <= chunks * 64_000L);
    assertTrue(sample.bytesRead() <= sample.bytesMade() + 16, "read " + sample.bytesRead());
    assertEquals(part == 1 ? 2 : 0, sample.checked());
    assertFalse(Files.exists(temp.resolve("out")));
  }

  @Test
  void findsDamage() throws IOException {
    Path input = Fixtures.folder("corrupt/z2_flipped_byte/ckpt");

    ReweaveException failure = assertThrows(ReweaveException.class, () -> tryOut(input, 1));

    assertTrue(failure.getMessage().startsWith("damaged weights"), failure.getMessage());
    assertFalse(Files.exists(temp.resolve("out")));
  }

  @Test
  void refusesWhatTheConversionWouldRefuse() throws IOException {
    Files.createDirectories(temp.resolve("out"));
    Files.writeString(temp.resolve("out/mine.txt"), "mine");

    ReweaveException failure =
        assertThrows(ReweaveException.class, () -> tryOut(Fixtures.folder("z2_bf16_w2/ckpt"), 0.5));

    assertTrue(failure.getMessage().startsWith("the output is not empty"), failure.getMessage());
  }
}
