package dev.reweave.checkpoint.fsdp;

import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.GridLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StorageRef.Endian;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whole tensors of what all ranks have of them.
 *
 * @param tensors in the order of the first rank's state dict
 * @param aliases names whose pieces are those of an earlier name, in all files
 * @param copied how many tensors have a piece that several ranks have
 */
record JoinedRanks(List<NamedTensor> tensors, Map<String, String> aliases, int copied) {
  /** Where a piece is. */
  private record Box(List<Long> offsets, Shape sizes) {}

  /**
   * Puts tensors together.
   *
   * @throws dev.reweave.common.ReweaveException if the files are not of one model, or pieces do not
   *     make up a tensor
   */
  static JoinedRanks of(RankSet set, List<RankContent> contents) {
    List<NamedTensor> tensors = new ArrayList<>();
    Map<String, String> aliases = new LinkedHashMap<>();
    Map<List<TensorSlice>, String> first = new HashMap<>();
    int copied = 0;
    requireSameNames(set, contents);
    for (String name : contents.get(0).tensors().keySet()) {
      List<TensorSlice> slices = contents.stream().map(c -> c.tensors().get(name)).toList();
      requireAlike(name, set, slices);
      boolean empty = slices.get(0).whole().elements() == 0;
      String same = empty ? null : first.putIfAbsent(slices, name);
      if (same != null) {
        aliases.put(name, same);
        continue;
      }
      Map<Box, List<Layout>> boxes = boxes(slices);
      copied += boxes.values().stream().anyMatch(copies -> copies.size() > 1) ? 1 : 0;
      tensors.add(tensor(name, slices.get(0), boxes, set));
    }
    return new JoinedRanks(tensors, aliases, copied);
  }

  private static void requireSameNames(RankSet set, List<RankContent> contents) {
    Map<String, TensorSlice> first = contents.get(0).tensors();
    for (int i = 1; i < contents.size(); i++) {
      Map<String, TensorSlice> other = contents.get(i).tensors();
      String firstFile = set.files().get(0).file().name();
      String otherFile = set.files().get(i).file().name();
      for (String name : first.keySet()) {
        if (!other.containsKey(name)) {
          throw FsdpFailures.notInFile(name, firstFile, set.files().get(i).file().uri());
        }
      }
      for (String name : other.keySet()) {
        if (!first.containsKey(name)) {
          throw FsdpFailures.notInFile(name, otherFile, set.files().get(0).file().uri());
        }
      }
    }
  }

  private static void requireAlike(String name, RankSet set, List<TensorSlice> slices) {
    TensorSlice first = slices.get(0);
    for (int i = 1; i < slices.size(); i++) {
      TensorSlice other = slices.get(i);
      if (!other.whole().equals(first.whole())
          || other.dtype() != first.dtype()
          || !other.cut().equals(first.cut())) {
        throw FsdpFailures.otherwiseInFile(
            name, words(first), words(other), set.files().get(i).file().uri());
      }
    }
  }

  private static String words(TensorSlice slice) {
    return slice.dtype()
        + " "
        + slice.whole()
        + (slice.cut().isWhole() ? ", a plain tensor" : ", " + slice.cut().how());
  }

  private static Map<Box, List<Layout>> boxes(List<TensorSlice> slices) {
    Map<Box, List<Layout>> boxes = new LinkedHashMap<>();
    for (TensorSlice slice : slices) {
      for (TensorSlice.Piece piece : slice.pieces()) {
        boxes
            .computeIfAbsent(new Box(piece.offsets(), piece.sizes()), b -> new ArrayList<>())
            .add(piece.layout());
      }
    }
    return boxes;
  }

  private static NamedTensor tensor(
      String name, TensorSlice like, Map<Box, List<Layout>> boxes, RankSet set) {
    try {
      TensorSpec spec = TensorSpec.ofTorch(name, like.dtype(), like.whole());
      if (spec.elements() == 0) {
        StorageRef nothing =
            new StorageRef(0, name, 0, like.dtype(), 0, Endian.LITTLE, StorageRef.NO_CRC);
        return new NamedTensor(spec, StoredLayout.contiguous(nothing, 0, spec.shape()));
      }
      List<GridLayout.Block> blocks = new ArrayList<>();
      boxes.forEach(
          (box, copies) ->
              blocks.add(new GridLayout.Block(box.offsets(), box.sizes(), combined(copies))));
      GridLayout grid = new GridLayout(like.whole(), blocks);
      return new NamedTensor(
          spec, blocks.size() == 1 ? combined(boxes.values().iterator().next()) : grid);
    } catch (IllegalArgumentException e) {
      throw FsdpFailures.piecesDoNotFit(name, set.files().get(0).file().folder().uri(), e);
    }
  }

  /** Replicas of one piece, which should be the same. */
  private static Layout combined(List<Layout> copies) {
    return copies.size() == 1
        ? copies.get(0)
        : new CombinedLayout(CombinedLayout.Kind.REPLICATED, copies);
  }
}
