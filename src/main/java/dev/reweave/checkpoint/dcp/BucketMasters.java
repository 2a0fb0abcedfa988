package dev.reweave.checkpoint.dcp;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.tensor.Agreement;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The tensors of a model as their masters in flat buckets make them up. */
final class BucketMasters {
  /** Elements that are compared at each end of a part of a tensor. */
  private static final int ENDS = 64;

  /** Parts that are compared: of more, some are left out evenly. */
  private static final int MOST_PARTS = 4096;

  private final List<DcpTensor> tensors;
  private final List<NamedTensor> buckets;
  private final ChunkLayouts layouts;
  private final List<BucketFit.Placed> places;

  /** By part of a tensor. Each rank has the parts that none of them cuts. */
  private final Map<LocalParameter.Part, List<Layout>> masters = new HashMap<>();

  /**
   * @param tensors the model's own
   * @param places of their masters
   */
  BucketMasters(
      List<DcpTensor> tensors,
      List<DcpTensor> buckets,
      ChunkLayouts layouts,
      List<BucketFit.Placed> places) {
    this.tensors = tensors;
    this.buckets =
        buckets.stream()
            .map(
                b ->
                    new NamedTensor(
                        TensorSpec.ofTorch(b.name(), b.dtype(), b.shape()), layouts.of(b)))
            .toList();
    this.layouts = layouts;
    this.places = places;
    places.forEach(
        p -> masters.computeIfAbsent(p.part(), part -> new ArrayList<>()).add(master(p)));
  }

  private Layout master(BucketFit.Placed placed) {
    NamedTensor bucket = buckets.get(placed.bucket());
    return bucket.narrowed(bucket.name(), 0, placed.offset(), placed.part().elements()).layout();
  }

  private record Compared(
      String name,
      DType type,
      int elements,
      SampledReads.Sample master,
      SampledReads.Sample weight) {}

  /**
   * Names of tensors of which a master does not round to the weight at an end of what a rank has.
   *
   * @param files that the layouts point into
   */
  Set<String> differing(MetadataScanner scanner, List<InputFile> files) {
    int step = 1 + (places.size() - 1) / MOST_PARTS;
    SampledReads reads = new SampledReads();
    List<Compared> compared = new ArrayList<>();
    for (int p = 0; p < places.size(); p += step) {
      LocalParameter.Part part = places.get(p).part();
      DcpTensor tensor = tensors.get(part.tensor());
      Layout weight = layouts.of(tensor.chunks().get(part.chunk()));
      Layout master = master(places.get(p));
      long end = part.elements();
      for (long from : new TreeSet<>(List.of(0L, Math.max(0, end - ENDS)))) {
        long to = Math.min(end, from + ENDS);
        compared.add(
            new Compared(
                tensor.name(),
                tensor.dtype(),
                (int) (to - from),
                reads.add(master, from, to),
                reads.add(weight, from, to)));
      }
    }
    reads.read(scanner, files);
    Set<String> differing = new TreeSet<>();
    for (Compared some : compared) {
      byte[] weight = some.weight().bytes();
      byte[] rounded = new byte[weight.length];
      Cast.between(DType.F32, some.type())
          .apply(some.master().bytes(), 0, rounded, 0, some.elements());
      if (Agreement.of(some.type(), rounded, weight, 0, some.elements()).differing() > 0) {
        differing.add(some.name());
      }
    }
    return differing;
  }

  /**
   * A tensor of the model, made of its masters; its own weights where it was trained in fp32.
   *
   * @param index among the model's tensors
   * @param name in the result
   * @throws IllegalArgumentException if its chunks do not make it up
   */
  NamedTensor tensor(int index, String name) {
    DcpTensor tensor = tensors.get(index);
    if (tensor.dtype() == DType.F32 || tensor.chunks().isEmpty()) {
      return new NamedTensor(
          TensorSpec.ofTorch(name, tensor.dtype(), tensor.shape()), layouts.of(tensor));
    }
    Map<DcpTensor.Chunk, Layout> byChunk = new HashMap<>();
    for (int c = 0; c < tensor.chunks().size(); c++) {
      DcpTensor.Chunk chunk = tensor.chunks().get(c);
      List<Layout> copies =
          masters.get(new LocalParameter.Part(index, c, chunk.stored().sizes().elements()));
      byChunk.put(
          chunk,
          copies.size() == 1
              ? copies.get(0)
              : new CombinedLayout(CombinedLayout.Kind.REPLICATED, copies));
    }
    return new NamedTensor(
        TensorSpec.ofTorch(name, DType.F32, tensor.shape()), ChunkLayouts.of(tensor, byChunk::get));
  }
}
