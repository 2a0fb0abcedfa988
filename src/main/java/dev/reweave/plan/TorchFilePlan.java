package dev.reweave.plan;

import dev.reweave.format.pytorch.TorchFileLayout;
import dev.reweave.format.pytorch.TorchFilePiece;
import dev.reweave.format.pytorch.TorchFileTail;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** Where each byte of a {@code torch.save} file comes from. */
final class TorchFilePlan {
  private TorchFilePlan() {}

  /**
   * The central directory, which has the checksums of all storages.
   *
   * @param segments by storage, the index of its segment; -1 for one without bytes
   */
  private record Directory(TorchFileTail tail, List<Integer> segments) implements Segment.Tail {
    @Override
    public long length() {
      return tail.length();
    }

    @Override
    public byte[] bytes(List<Integer> crc32) {
      return tail.bytes(segments.stream().mapToInt(s -> s < 0 ? 0 : crc32.get(s)).toArray());
    }
  }

  /**
   * The file.
   *
   * @param path in the output folder
   * @param layouts where the elements of each of its tensors are
   */
  static PlannedFile of(String path, TorchFileLayout file, Function<TensorSpec, Layout> layouts) {
    List<TensorSpec> tensors = file.tensors();
    List<Segment> segments = new ArrayList<>();
    Integer[] places = new Integer[tensors.size()];
    Arrays.fill(places, -1);
    for (TorchFilePiece piece : file.pieces(0, file.length())) {
      if (piece instanceof TorchFilePiece.Literal literal) {
        segments.add(new Segment.Literal(literal.bytes()));
      } else if (piece instanceof TorchFilePiece.Slot slot) {
        TensorSpec spec = tensors.get(slot.tensor());
        places[slot.tensor()] = segments.size();
        segments.add(new Segment.OfTensor(spec, layouts.apply(spec)));
      } else if (piece instanceof TorchFileTail tail) {
        segments.add(new Directory(tail, List.of(places)));
      }
    }
    return new PlannedFile(path, PlannedFile.Role.WEIGHTS, segments);
  }
}
