package dev.reweave.checkpoint.raw;

import dev.reweave.checkpoint.*;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.*;
import dev.reweave.tensor.StorageRef.Endian;
import java.util.*;
import java.util.regex.*;
import java.util.stream.Stream;

/** A folder with one file of float32 for each tensor, such as {@code head.weight.17x8.f32}. */
public final class RawFormat implements CheckpointFormat {
  private static final Pattern NAME = Pattern.compile("(.+)\\.(\\d{1,9}(?:x\\d{1,9})*)\\.f32");

  @Override
  public List<Contents> in(Place place) {
    List<InputFile> files =
        place.listing().files().stream().filter(f -> NAME.matcher(f.name()).matches()).toList();
    return files.isEmpty() ? List.of() : List.of(new Folder(place, files));
  }

  private record Folder(Place place, List<InputFile> raw) implements Contents {
    @Override
    public String name() {
      return place.name();
    }

    @Override
    public Location address() {
      return place.address();
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      return raw;
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      List<NamedTensor> tensors = new ArrayList<>();
      raw.forEach(file -> tensors.add(tensor(file, tensors.size())));
      Checkpoint.Source source =
          new Checkpoint.Source("raw floats", "", -1, 1, "", "", List.of(), Weights.MODEL);
      return new Checkpoint(source, raw, tensors, Map.of(), List.of());
    }

    private static NamedTensor tensor(InputFile file, int index) {
      Matcher name = NAME.matcher(file.name());
      Shape shape =
          Shape.of(Stream.of(name.replaceFirst("$2").split("x")).map(Long::valueOf).toList());
      if (shape.elements() * DType.F32.bytes() != file.length()) {
        throw RawFailures.otherSize(file, shape);
      }
      StorageRef bytes =
          new StorageRef(
              index, "all", 0, DType.F32, shape.elements(), Endian.LITTLE, StorageRef.NO_CRC);
      return new NamedTensor(
          new TensorSpec(name.replaceFirst("$1"), DType.F32, shape),
          StoredLayout.contiguous(bytes, 0, shape));
    }
  }

  /** What is said of files that are not whole. */
  private static final class RawFailures {
    /** The file was cut off, or its name is that of another tensor. */
    static ReweaveException otherSize(InputFile file, Shape shape) {
      return new ReweaveException(
          file.length() + " bytes for a tensor of " + shape, file.uri(), "copy the file again");
    }
  }
}
