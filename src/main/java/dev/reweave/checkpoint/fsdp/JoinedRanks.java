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
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whole tensors of what all ranks have of them.
 *
 * @param tensors in the order of the first rank's state dict, then in that of others'
 * @param aliases names whose pieces are those of an earlier name, in all files
 * @param copied how many tensors have a piece that several ranks have
 * @param staged how many tensors are those of some ranks alone, of the stages of a pipeline
 */
record JoinedRanks(List<NamedTensor> tensors, Map<String, String> aliases, int copied, int staged) {
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
    int staged = 0;
    Map<String, BitSet> holders = holders(contents);
    requireStages(holders, set, contents);
    for (Map.Entry<String, BitSet> entry : holders.entrySet()) {
      String name = entry.getKey();
      List<TensorSlice> slices = slices(name, entry.getValue(), contents);
      requireAlike(name, entry.getValue(), set, slices);
      staged += slices.size() < contents.size() ? 1 : 0;
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
    return new JoinedRanks(tensors, aliases, copied, staged);
  }

  /** The numbers of the files that have each tensor. */
  private static Map<String, BitSet> holders(List<RankContent> contents) {
    Map<String, BitSet> holders = new LinkedHashMap<>();
    for (int i = 0; i < contents.size(); i++) {
      for (String name : contents.get(i).tensors().keySet()) {
        holders.computeIfAbsent(name, n -> new BitSet()).set(i);
      }
    }
    return holders;
  }

  private static List<TensorSlice> slices(String name, BitSet holders, List<RankContent> contents) {
    return holders.stream().mapToObj(i -> contents.get(i).tensors().get(name)).toList();
  }

  /**
   * All files have the same tensors, but for those of the stages of a pipeline, which have each
   * their own: of these the meshes tell that no other rank has a part. What the ranks of a stage
   * have whole, without a mesh, goes with what they share.
   */
  private static void requireStages(
      Map<String, BitSet> holders, RankSet set, List<RankContent> contents) {
    Map<String, BitSet> ofSome = new LinkedHashMap<>(holders);
    ofSome.values().removeIf(files -> files.cardinality() == contents.size());
    Set<BitSet> stages = new HashSet<>();
    ofSome.forEach(
        (name, files) -> {
          Set<Long> ranks = new HashSet<>();
          Set<Long> owners = new HashSet<>();
          files.stream()
              .forEach(
                  i -> {
                    ranks.add((long) set.files().get(i).name().rank());
                    owners.addAll(contents.get(i).owners().getOrDefault(name, List.of()));
                  });
          if (owners.equals(ranks)) {
            stages.add(files);
          }
        });
    ofSome.forEach(
        (name, files) -> {
          if (!stages.contains(files)) {
            throw FsdpFailures.notInFile(
                name,
                set.files().get(files.nextSetBit(0)).file().name(),
                set.files().get(files.nextClearBit(0)).file().uri());
          }
        });
  }

  private static void requireAlike(
      String name, BitSet files, RankSet set, List<TensorSlice> slices) {
    TensorSlice first = slices.get(0);
    int file = files.nextSetBit(0);
    for (TensorSlice other : slices.subList(1, slices.size())) {
      file = files.nextSetBit(file + 1);
      if (!other.whole().equals(first.whole())
          || other.dtype() != first.dtype()
          || !other.cut().equals(first.cut())) {
        throw FsdpFailures.otherwiseInFile(
            name, words(first), words(other), set.files().get(file).file().uri());
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
