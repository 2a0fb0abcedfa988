package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.manifest.Manifest;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SyntheticCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A checkpoint four times as big as the memory: 2 GB of fp32 masters over four ranks, one tensor of
 * them alone bigger than the heap of 512 MB.
 */
class BigCheckpointIT {
  private static final long BYTES = 2_000_000_000L;
  private static final int SAMPLES_PER_TENSOR = 200;
  private static final Map<String, String> SMALL_HEAP = Map.of("REWEAVE_MEMORY", "512m");

  @TempDir(cleanup = CleanupMode.ALWAYS)
  Path temp;

  /** A large embedding, layers of odd sizes, and the norms between them. */
  private static List<TensorSpec> parameters() {
    List<TensorSpec> parameters = new ArrayList<>();
    parameters.add(parameter("embed.weight", 70_001, 2048));
    long left = BYTES - parameters.get(0).bytes();
    for (int layer = 0; left > 0; layer++) {
      List<TensorSpec> block =
          List.of(
              parameter("layers." + layer + ".mlp.weight", 5_463, 2048),
              parameter("layers." + layer + ".mlp.bias", 5_463),
              parameter("layers." + layer + ".norm.weight", 2048));
      parameters.addAll(block);
      left -= block.stream().mapToLong(TensorSpec::bytes).sum();
    }
    return parameters;
  }

  private static TensorSpec parameter(String name, long... dims) {
    return new TensorSpec(name, DType.F32, Shape.of(dims));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void convertsInAHeapOf512Megabytes(int stage) throws Exception {
    List<TensorSpec> parameters = parameters();
    Path input = temp.resolve("in");
    Path output = temp.resolve("out");
    SyntheticCheckpoint written = SyntheticCheckpoint.write(input, stage, 4, parameters, stage);

    Launcher.Result converted =
        Launcher.run(SMALL_HEAP, "convert", "-i", input.toString(), "-o", output.toString());
    assertEquals(0, converted.exitCode(), converted::toString);

    Manifest.Figures figures =
        Manifest.parse(Files.readAllBytes(output.resolve("reweave.json")), "manifest").figures();
    long needed = parameters.stream().mapToLong(TensorSpec::bytes).sum();
    if (stage == 3) {
      assertEquals(needed, figures.bytesNeeded());
    } else {
      // With the sample of the module's weights.
      assertTrue(
          needed < figures.bytesNeeded() && figures.bytesNeeded() < needed * 1.01,
          "needed: " + figures.bytesNeeded());
    }
    assertTrue(figures.bytesRead() <= needed * 1.01, "read: " + figures.bytesRead());

    Launcher.Result verified = Launcher.run(SMALL_HEAP, "verify", output.toString());
    assertEquals(0, verified.exitCode(), verified::toString);
    assertEquals(parameters.size(), compareSamples(output, parameters, written));
  }

  /** Compares elements at random places and the first and last; gives the number of tensors. */
  private static int compareSamples(
      Path output, List<TensorSpec> parameters, SyntheticCheckpoint written) throws IOException {
    Stores stores = new Stores(new Configuration());
    Random random = new Random(1);
    int tensors = 0;
    for (var file : stores.list(Locations.of(output)).files()) {
      if (!file.name().endsWith(".safetensors")) {
        continue;
      }
      try (RandomAccess access = stores.open(file)) {
        SafetensorsHeader header = SafetensorsHeader.read(access);
        for (SafetensorsHeader.Entry entry : header.entries()) {
          int parameter = parameters.indexOf(entry.spec());
          assertTrue(parameter >= 0, () -> "unexpected " + entry.spec());
          tensors++;
          long last = entry.spec().elements() - 1;
          for (int i = 0; i < SAMPLES_PER_TENSOR; i++) {
            long element = i == 0 ? 0 : i == 1 ? last : random.nextLong(last + 1);
            byte[] bytes = new byte[Float.BYTES];
            access.readFully(header.position(entry) + element * Float.BYTES, bytes, 0, 4);
            float actual = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getFloat();
            assertEquals(
                written.value(parameter, element),
                actual,
                () -> entry.spec().name() + "[" + element + "]");
          }
        }
      }
    }
    assertTrue(Files.exists(output.resolve("reweave.json")));
    return tensors;
  }
}
