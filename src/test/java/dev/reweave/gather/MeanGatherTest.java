package dev.reweave.gather;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.plan.Chunk;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ReadLimit;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.CombinedLayout.Kind;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.MeanLayout;
import dev.reweave.tensor.MovedLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.LocalStores;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Means of steps that are longer than the buffers of a task, and of what ranks have copies of. */
class MeanGatherTest {
  private static final int ROWS = 1499;
  private static final int COLUMNS = 1999;
  private static final int ELEMENTS = ROWS * COLUMNS;

  @TempDir Path temp;
  private final List<InputFile> files = new ArrayList<>();
  private final List<byte[]> contents = new ArrayList<>();

  private static byte[] bytes(DType type, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    ByteBuffer wide = ByteBuffer.allocate(ELEMENTS * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ELEMENTS; i++) {
      wide.putFloat((float) random.nextDouble() - 0.5f);
    }
    byte[] narrow = new byte[ELEMENTS * type.bytes()];
    Cast.between(DType.F32, type).apply(wide.array(), 0, narrow, 0, ELEMENTS);
    return narrow;
  }

  @BeforeEach
  void clear() {
    files.clear();
    contents.clear();
  }

  /** A tensor in a file of its own, which is the first of its step. */
  private Layout step(DType type, int seed) throws IOException {
    byte[] content = bytes(type, seed);
    Path path = Files.write(temp.resolve("step" + files.size()), content);
    files.add(LocalStores.ALL.file(Locations.of(path)).orElseThrow());
    contents.add(content);
    StorageRef storage =
        new StorageRef(0, "data", 0, type, ELEMENTS, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
    return MovedLayout.shifted(
        StoredLayout.contiguous(storage, 0, Shape.of(ROWS, COLUMNS)), files.size() - 1);
  }

  /** As a plain loop adds them up. */
  private byte[] straight(DType type, int... steps) {
    byte[] wide = new byte[ELEMENTS * 4];
    ByteBuffer mean = ByteBuffer.allocate(ELEMENTS * 4).order(ByteOrder.LITTLE_ENDIAN);
    double[] sums = new double[ELEMENTS];
    for (int step : steps) {
      Cast.between(type, DType.F32).apply(contents.get(step), 0, wide, 0, ELEMENTS);
      ByteBuffer floats = ByteBuffer.wrap(wide).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < ELEMENTS; i++) {
        sums[i] += floats.getFloat(4 * i);
      }
    }
    for (int i = 0; i < ELEMENTS; i++) {
      mean.putFloat((float) (sums[i] / steps.length));
    }
    return mean.array();
  }

  private ChunkResult gather(Layout layout, DType to) {
    TensorSpec spec = new TensorSpec("w", to, Shape.of(ROWS, COLUMNS));
    return gather(new Segment.OfTensor(spec, layout));
  }

  private ChunkResult gather(Segment.OfTensor tensor) {
    PlannedFile file =
        new PlannedFile("model.safetensors", PlannedFile.Role.WEIGHTS, List.of(tensor));
    return new ChunkTask(
            LocalStores.ALL,
            new ConversionPlan.Work(files, List.of(file), List.of()),
            new Chunk(0, 1, 0, file.length()),
            List.of(),
            ReadLimit.NONE,
            Measuring.NOTHING,
            "")
        .tryOut(bytes -> {});
  }

  private static int crc32c(byte[] content) {
    CRC32C crc = new CRC32C();
    crc.update(content);
    return (int) crc.getValue();
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16", "F16"})
  void longerThanTheBuffers(DType type) throws IOException {
    MeanLayout mean = new MeanLayout(List.of(step(type, 1), step(type, 2), step(type, 3)));

    ChunkResult result = gather(mean, DType.F32);

    assertEquals(crc32c(straight(type, 0, 1, 2)), result.crc32c());
    assertEquals(3L * ELEMENTS * type.bytes(), result.reads().bytes());
    byte[] narrow = new byte[ELEMENTS * 2];
    Cast.between(DType.F32, DType.BF16).apply(straight(type, 0, 1, 2), 0, narrow, 0, ELEMENTS);
    assertEquals(crc32c(narrow), gather(mean, DType.BF16).crc32c());
  }

  /** Ranks whose copies are not the same are told of in a mean, too. */
  @Test
  void ofCopies() throws IOException {
    Layout first = step(DType.F32, 1);
    CombinedLayout second =
        new CombinedLayout(Kind.REPLICATED, List.of(step(DType.F32, 2), step(DType.F32, 2)));
    CombinedLayout third =
        new CombinedLayout(Kind.REPLICATED, List.of(step(DType.F32, 3), step(DType.F32, 4)));
    MeanLayout mean = new MeanLayout(List.of(first, second, third));

    ChunkResult result = gather(mean, DType.F32);

    assertEquals(crc32c(straight(DType.F32, 0, 1, 3)), result.crc32c());
    long apart = 0;
    ByteBuffer one = ByteBuffer.wrap(contents.get(3));
    ByteBuffer other = ByteBuffer.wrap(contents.get(4));
    for (int i = 0; i < ELEMENTS; i++) {
      apart += one.getInt(4 * i) == other.getInt(4 * i) ? 0 : 1;
    }
    assertEquals(apart, result.tensors().get(0).differences());
  }

  /** A mapping's part of it: some columns. */
  @Test
  void aPart() throws IOException {
    MeanLayout mean = new MeanLayout(List.of(step(DType.F32, 1), step(DType.F32, 2)));
    TensorSpec spec = new TensorSpec("w", DType.F32, Shape.of(ROWS, COLUMNS));
    NamedTensor part = new NamedTensor(spec, mean).narrowed("p", 1, 700, 999);

    ChunkResult result = gather(new Segment.OfTensor(part.spec(), part.layout()));

    byte[] all = straight(DType.F32, 0, 1);
    byte[] wanted = new byte[ROWS * 999 * 4];
    for (int row = 0; row < ROWS; row++) {
      System.arraycopy(all, (row * COLUMNS + 700) * 4, wanted, row * 999 * 4, 999 * 4);
    }
    assertEquals(crc32c(wanted), result.crc32c());
  }
}
