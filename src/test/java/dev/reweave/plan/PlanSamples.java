package dev.reweave.plan;

import dev.reweave.storage.InputFile;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Locations;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Tensors with a storage each, and what else a plan is made of. */
final class PlanSamples {
  private PlanSamples() {}

  /** A tensor that is the whole of a storage of its name, at byte 64 of the first file. */
  static NamedTensor tensor(String name, DType type, long... dims) {
    Shape shape = Shape.of(dims);
    return new NamedTensor(
        new TensorSpec(name, type, shape),
        StoredLayout.contiguous(storage(0, name, type, shape.elements()), 0, shape));
  }

  static StorageRef storage(int file, String name, DType type, long elements) {
    return new StorageRef(
        file, name, 64, type, elements, StorageRef.Endian.LITTLE, StorageRef.NO_CRC);
  }

  /** The same as a segment of a file. */
  static Segment.OfTensor ofTensor(String name, DType type, long... dims) {
    NamedTensor tensor = tensor(name, type, dims);
    return new Segment.OfTensor(tensor.spec(), tensor.layout());
  }

  static List<InputFile> sources(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new InputFile(Locations.of("mem:/in" + i), 10_000, 0))
        .toList();
  }

  static FileNames names(Format format) {
    return new FileNames("transformer/", format.names("model", Optional.empty()), format);
  }

  /** A plan of these files, with chunks of at most so many bytes. */
  static ConversionPlan plan(long chunkBytes, PlannedFile... files) {
    return plan(Optional.of(chunkBytes), files);
  }

  /** The same, or with chunks of which nobody said how long they are. */
  static ConversionPlan plan(Optional<Long> chunkBytes, PlannedFile... files) {
    return new ConversionPlan(
        sources(1),
        1,
        List.of(files),
        List.of(),
        Optional.empty(),
        List.of(),
        chunkBytes,
        Witness.NONE);
  }
}
