package dev.reweave.checkpoint.huggingface;

import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.safetensors.SavedOffsets;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.GridLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whole tensors of the slices that PyTorch's distributed checkpoint writes in safetensors, a file
 * or several for each rank, where it does not consolidate them.
 *
 * <p>The files say where a slice begins and how long it is. How long the tensor is, nobody says: it
 * ends where the last slice does, as {@code HuggingFaceStorageReader} of torch 2.15 has it.
 *
 * @param tensors in the order of the first files that have them
 * @param notes what was decided
 */
record Slices(List<NamedTensor> tensors, List<String> notes) {
  /** A slice of a tensor, from these indexes on. */
  private record Slice(SliceName file, String uri, NamedTensor tensor, List<Long> offsets) {
    boolean isEmpty() {
      return tensor.spec().elements() == 0;
    }

    /** The rank's number, and where its slice is, as one value. */
    List<Object> box() {
      return List.of(offsets, tensor.spec().shape());
    }
  }

  /**
   * Puts slices together.
   *
   * @throws ReweaveException if files are missing, as far as that can be told, or slices do not
   *     make up their tensors
   */
  static Slices of(WeightFiles weights, List<ShardContent> contents) {
    Map<String, List<Slice>> byTensor = new LinkedHashMap<>();
    for (ShardContent content : contents) {
      Map<String, List<Long>> offsets =
          SavedOffsets.in(content.metadata(), content.file().uri()).orElse(Map.of());
      SliceName file = SliceName.of(content.file().name()).orElseThrow();
      for (NamedTensor tensor : content.tensors()) {
        List<Long> at = offsets.get(tensor.name());
        if (at == null) {
          throw HuggingFaceFailures.sliceWithoutOffset(tensor.name(), content.file().uri());
        }
        List<Slice> slices = byTensor.computeIfAbsent(tensor.name(), n -> new ArrayList<>());
        slices.add(new Slice(file, content.file().uri(), tensor, at));
        requireAlike(slices.get(0), slices.get(slices.size() - 1));
      }
    }
    requireAllFiles(weights, byTensor);
    List<NamedTensor> tensors = new ArrayList<>();
    byTensor.values().forEach(slices -> tensors.add(whole(slices)));
    return new Slices(tensors, notes(byTensor, tensors));
  }

  /** Why the tensors of a file of another name cannot be taken for whole; empty if they can. */
  static Optional<ReweaveException> refusalOf(ShardContent content) {
    try {
      return SavedOffsets.in(content.metadata(), content.file().uri())
          .orElse(Map.of())
          .entrySet()
          .stream()
          .filter(e -> e.getValue().stream().anyMatch(offset -> offset > 0))
          .findFirst()
          .map(
              e ->
                  HuggingFaceFailures.sliceUnderOtherName(
                      e.getKey(), e.getValue(), content.file().uri()));
    } catch (ReweaveException e) {
      return Optional.of(e);
    }
  }

  private static void requireAllFiles(WeightFiles weights, Map<String, List<Slice>> byTensor) {
    List<SliceName> names =
        weights.shards().stream().flatMap(s -> SliceName.of(s.name()).stream()).toList();
    List<SliceSet.Held> held = new ArrayList<>();
    for (List<Slice> slices : byTensor.values()) {
      BitSet ranks = new BitSet();
      slices.forEach(slice -> ranks.set(slice.file().rank()));
      held.add(new SliceSet.Held(slices.get(0).file().part(), ranks, isOpen(slices)));
    }
    new SliceSet(names, held).requireAll(weights.shards().get(0).folder().uri());
  }

  private static void requireAlike(Slice first, Slice other) {
    TensorSpec spec = other.tensor().spec();
    int rank = first.tensor().spec().shape().rank();
    if (spec.dtype() != first.tensor().spec().dtype()
        || spec.shape().rank() != rank
        || other.offsets().size() != rank) {
      throw HuggingFaceFailures.slicesOfTwoTensors(
          first.tensor().spec(), first.offsets(), spec, other.offsets(), other.uri());
    }
  }

  private static NamedTensor whole(List<Slice> slices) {
    Slice first = slices.get(0);
    TensorSpec spec = first.tensor().spec();
    try {
      TensorSpec whole = new TensorSpec(spec.name(), spec.dtype(), ends(slices));
      if (whole.elements() == 0) {
        return new NamedTensor(whole, first.tensor().layout());
      }
      Map<List<Object>, List<Slice>> boxes = new LinkedHashMap<>();
      slices.stream()
          .filter(slice -> !slice.isEmpty())
          .forEach(slice -> boxes.computeIfAbsent(slice.box(), b -> new ArrayList<>()).add(slice));
      List<GridLayout.Block> blocks = new ArrayList<>();
      for (List<Slice> copies : boxes.values()) {
        Slice one = copies.get(0);
        blocks.add(
            new GridLayout.Block(one.offsets(), one.tensor().spec().shape(), combined(copies)));
      }
      boolean one = blocks.size() == 1;
      GridLayout grid = new GridLayout(whole.shape(), blocks);
      return new NamedTensor(whole, one ? combined(boxes.values().iterator().next()) : grid);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw HuggingFaceFailures.slicesDoNotFit(spec.name(), first.uri(), e);
    }
  }

  /** Replicas of one slice, which should be the same. */
  private static Layout combined(List<Slice> copies) {
    List<Layout> layouts = copies.stream().map(s -> s.tensor().layout()).toList();
    return layouts.size() == 1
        ? layouts.get(0)
        : new CombinedLayout(CombinedLayout.Kind.REPLICATED, layouts);
  }

  private static Shape ends(List<Slice> slices) {
    long[] ends = new long[slices.get(0).offsets().size()];
    for (Slice slice : slices) {
      for (int d = 0; d < ends.length; d++) {
        ends[d] =
            Math.max(
                ends[d],
                Math.addExact(slice.offsets().get(d), slice.tensor().spec().shape().dim(d)));
      }
    }
    return Shape.of(ends);
  }

  private static List<String> notes(Map<String, List<Slice>> byTensor, List<NamedTensor> tensors) {
    List<String> notes = new ArrayList<>();
    long ranks =
        byTensor.values().stream()
            .flatMap(List::stream)
            .mapToInt(s -> s.file().rank())
            .distinct()
            .count();
    notes.add(
        Counted.of(tensors.size(), "tensor")
            + " put together from the slices that "
            + Counted.of(ranks, "rank")
            + " saved");
    long copied =
        byTensor.values().stream()
            .filter(
                of ->
                    of.stream().filter(s -> !s.isEmpty()).map(Slice::box).distinct().count()
                        < of.stream().filter(s -> !s.isEmpty()).count())
            .count();
    if (copied > 0) {
      notes.add(
          Counted.of(copied, "tensor")
              + " with slices that several ranks saved: the first is taken");
    }
    if (byTensor.values().stream().anyMatch(Slices::isOpen)) {
      notes.add(
          "the files do not say how many ranks there were: had the last ones been left behind, the"
              + " tensors would end too early; compare their shapes with the model's, as --base"
              + " does");
    }
    return notes;
  }

  /**
   * Whether, as far as its slices tell, there may be more of a tensor. There is not where the last
   * rank has less of it than the others: the dimension was not divided evenly.
   */
  private static boolean isOpen(List<Slice> slices) {
    Slice first = slices.get(0);
    for (int d = 0; d < first.offsets().size(); d++) {
      long widest = 0;
      long last = 0;
      long width = 0;
      for (Slice slice : slices) {
        long wide = slice.tensor().spec().shape().dim(d);
        long at = slice.offsets().get(d);
        widest = Math.max(widest, wide);
        if (at >= last) {
          last = at;
          width = wide;
        }
      }
      if (last > 0 && width < widest) {
        return false;
      }
    }
    return !first.offsets().isEmpty();
  }
}
