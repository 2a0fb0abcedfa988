package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.plan.PlanOptions;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SyntheticCheckpoint;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every element of checkpoints with more ranks than a real run on one machine has. */
class SyntheticConversionTest {
  @TempDir Path temp;

  private static List<TensorSpec> parameters() {
    List<TensorSpec> parameters = new ArrayList<>();
    long[][] shapes = {{1009, 31}, {}, {31}, {7, 11, 13}, {1}, {2, 3}, {5003}, {40, 1000}};
    for (int i = 0; i < shapes.length; i++) {
      parameters.add(new TensorSpec("layer" + i + ".weight", DType.F32, Shape.of(shapes[i])));
    }
    return parameters;
  }

  /** Ranks 10 and 11 come after rank 9 by number, before rank 2 by name. */
  @ParameterizedTest
  @CsvSource({
    "2, 1, 150000, 64000",
    "2, 3, 150000, 64000",
    "2, 12, 150000, 64000",
    "3, 1, 150000, 64000",
    "3, 3, 150000, 64000",
    "3, 12, 150000, 64000",
    "2, 5, 100, 64000",
    "3, 5, 400000, 100000"
  })
  void givesEveryElement(int stage, int world, long shard, long chunk) throws IOException {
    List<TensorSpec> parameters = parameters();
    SyntheticCheckpoint written =
        SyntheticCheckpoint.write(temp.resolve("in"), stage, world, parameters, 5);
    PlanOptions plan = PlanOptions.DEFAULTS.withSizes(shard, chunk);

    Converting.between(temp.resolve("in"), temp.resolve("out")).planning(plan).run();

    int compared = 0;
    Stores stores = TestSpark.stores();
    for (var file : stores.list(Locations.of(temp.resolve("out"))).files()) {
      if (file.name().endsWith(".safetensors")) {
        try (RandomAccess access = stores.open(file)) {
          SafetensorsHeader header = SafetensorsHeader.read(access);
          for (SafetensorsHeader.Entry entry : header.entries()) {
            compare(access, header, entry, parameters.indexOf(entry.spec()), written);
            compared++;
          }
        }
      }
    }
    assertEquals(parameters.size(), compared);
  }

  private static void compare(
      RandomAccess access,
      SafetensorsHeader header,
      SafetensorsHeader.Entry entry,
      int parameter,
      SyntheticCheckpoint written)
      throws IOException {
    byte[] bytes = new byte[(int) entry.spec().bytes()];
    access.readFully(header.position(entry), bytes, 0, bytes.length);
    FloatBuffer actual = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    for (int i = 0; i < actual.capacity(); i++) {
      int element = i;
      assertEquals(
          written.value(parameter, i),
          actual.get(i),
          () -> entry.spec().name() + "[" + element + "]");
    }
  }
}
