package dev.reweave.checkpoint.statedict;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Gathered;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.StorageContent;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.TorchZipWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Plain torch files: every kind of view, and every place where trainers put a state dict. */
class TorchViewsTest {
  private static final int ROWS = 700;
  private static final int COLUMNS = 301;
  private static final int ELEMENTS = ROWS * COLUMNS;

  @TempDir Path temp;

  /** Element {@code i} of the storage is {@code i}. */
  private static StorageContent counting() {
    return new StorageContent(
        DType.F32,
        ELEMENTS,
        (position, block, length) -> {
          ByteBuffer buffer = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
          for (int i = 0; i < length; i += Float.BYTES) {
            long element = (position + i) / Float.BYTES;
            buffer.putFloat(i, (float) element);
          }
        });
  }

  private static TensorValue view(long offset, Shape shape, Long... strides) {
    return new TensorValue("0", "FloatStorage", ELEMENTS, offset, shape, List.of(strides));
  }

  private Gathered gather(Object root) throws IOException {
    Path file = temp.resolve("weights.pt");
    TorchZipWriter.write(file, root, List.of(counting()));
    return Converting.between(file, temp.resolve("out"))
        .planning(PlanOptions.DEFAULTS.withSizes(1L << 40, 64_000).withType(new TargetType.Keep()))
        .gather();
  }

  @Test
  void viewsOfAllKinds() throws IOException {
    Shape turned = Shape.of(COLUMNS, ROWS);
    Gathered gathered =
        gather(
            PickleWriter.dict(
                "turned", view(0, turned, 1L, (long) COLUMNS),
                "part", view(COLUMNS + 2L, Shape.of(10, 5), (long) COLUMNS, 1L),
                "repeated", view(7, Shape.of(4, 3), 0L, 1L),
                "every second", view(1, Shape.of(100), 2L),
                "scalar", view(9, Shape.SCALAR),
                "nothing", view(0, Shape.of(0, 4), 4L, 1L)));

    Map<String, FloatBuffer> tensors = new TreeMap<>();
    gathered
        .tensors()
        .keySet()
        .forEach(name -> tensors.put(name, gathered.content(name).asFloatBuffer()));
    assertEquals(6, tensors.size());
    for (int c = 0; c < COLUMNS; c++) {
      for (int r = 0; r < ROWS; r++) {
        assertEquals(r * COLUMNS + c, tensors.get("turned").get(c * ROWS + r));
      }
    }
    for (int i = 0; i < 50; i++) {
      assertEquals(COLUMNS + 2 + i / 5 * COLUMNS + i % 5, tensors.get("part").get(i));
    }
    for (int i = 0; i < 12; i++) {
      assertEquals(7 + i % 3, tensors.get("repeated").get(i));
    }
    for (int i = 0; i < 100; i++) {
      assertEquals(1 + 2 * i, tensors.get("every second").get(i));
    }
    assertEquals(9, tensors.get("scalar").get(0));
    assertEquals(0, tensors.get("nothing").capacity());
  }

  @Test
  void aTransposedTensorIsReadOnceAndChecked() throws IOException {
    Gathered gathered =
        gather(PickleWriter.dict("turned", view(0, Shape.of(COLUMNS, ROWS), 1L, (long) COLUMNS)));

    assertEquals(1, gathered.checked());
  }

  @ParameterizedTest
  @ValueSource(strings = {"module", "state_dict", "model", "model_state_dict"})
  void wrappersThatTrainersUse(String wrapper) throws IOException {
    Gathered gathered =
        gather(
            PickleWriter.dict(
                "iteration",
                1000,
                wrapper,
                PickleWriter.dict(
                    "a", view(0, Shape.of(6), 1L), "b", view(0, Shape.of(6), 1L), "note", "x")));

    assertEquals(Map.of("b", "a"), gathered.aliases());
    assertEquals(List.of("1 entries of the state dict are no tensors: left out"), gathered.notes());
    assertEquals(5, gathered.content("a").asFloatBuffer().get(5));
  }

  @Test
  void aFileWithoutStateDict() {
    ReweaveException failure =
        assertThrows(
            ReweaveException.class, () -> gather(PickleWriter.dict("epoch", 3, "loss", 0.5)));

    assertTrue(failure.getMessage().startsWith("no state dict in this file"));
    assertTrue(failure.getMessage().contains("weights.pt"), failure.getMessage());
  }
}
