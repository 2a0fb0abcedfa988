package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.FileDigest;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Values that the type of the result cannot hold. */
class OverflowTest {
  private static final int ELEMENTS = 100_000;

  @TempDir Path temp;

  /** Every 1000th element is 70000, one is infinite already, one is not a number. */
  private static StorageContent large() {
    return new StorageContent(
        DType.F32,
        ELEMENTS,
        (position, block, length) -> {
          ByteBuffer buffer = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
          for (int i = 0; i < length; i += Float.BYTES) {
            long element = (position + i) / Float.BYTES;
            float value = element % 1000 == 0 ? (element % 2000 == 0 ? -70_000f : 70_000f) : 0.5f;
            value = element == 7 ? Float.NEGATIVE_INFINITY : element == 8 ? Float.NaN : value;
            buffer.putFloat(i, value);
          }
        });
  }

  private static TensorValue view(long offset, long elements) {
    return new TensorValue("0", "FloatStorage", ELEMENTS, offset, Shape.of(elements), List.of(1L));
  }

  private Manifest convert(String type) throws IOException {
    Path file = temp.resolve("weights.pt");
    Object root =
        PickleWriter.dict(
            "whole", view(0, 90_000), "small", view(90_001, 999), "one", view(91_000, 1));
    TorchZipWriter.write(file, root, List.of(large()));
    return Converting.between(file, temp.resolve("out"))
        .planning(PlanOptions.DEFAULTS.withSizes(1L << 40, 64_000))
        .type(type)
        .run()
        .manifest();
  }

  private static Map<String, Long> overflows(Manifest manifest) {
    return manifest.result().weights().stream()
        .filter(t -> t.overflows() > 0)
        .collect(Collectors.toMap(WrittenTensor::name, WrittenTensor::overflows));
  }

  @Test
  void infiniteInHalfPrecisionIsCountedAndNamed() throws IOException {
    Manifest manifest = convert("float16");

    assertEquals(Map.of("one", 1L, "whole", 90L), overflows(manifest));
    List<String> summary = Summary.result(manifest, "out");
    assertTrue(
        summary.contains(
            "warning 91 values of 2 tensors became infinite in the cast: one (1), whole (90);"
                + " --dtype bfloat16 or float32 holds them"),
        summary::toString);
  }

  /** What no narrower type holds is not sent to one. */
  @ParameterizedTest
  @CsvSource({"float16", "bfloat16", "float32"})
  void doublesAreKeptAsTheyAre(String type) throws IOException {
    Path file = temp.resolve("doubles.pt");
    StorageContent doubles =
        new StorageContent(
            DType.F64,
            10,
            (position, block, length) -> {
              ByteBuffer buffer = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
              for (int i = 0; i < length; i += Double.BYTES) {
                buffer.putDouble(i, 1e300);
              }
            });
    TensorValue view =
        new TensorValue("0", "DoubleStorage", 10, 0, Shape.of(5, 2), List.of(2L, 1L));
    TorchZipWriter.write(file, PickleWriter.dict("huge", view), List.of(doubles));
    Checks failing =
        new Checks(
            Checks.ReadBack.UNCHECKED_BY_STORE, FileDigest.Wanted.CRC32C, Checks.Nonfinite.FAIL);
    Converting conversion = Converting.between(file, temp.resolve("out")).checking(failing);

    ReweaveException e = assertThrows(ReweaveException.class, () -> conversion.type(type).run());
    assertTrue(e.remedy().startsWith("cast to a type that holds them (--dtype keep); "), e::remedy);
    conversion.type("keep").run();
  }

  @ParameterizedTest
  @CsvSource({"bfloat16", "float32"})
  void othersHoldThem(String type) throws IOException {
    assertEquals(Map.of(), overflows(convert(type)));
  }
}
