package dev.reweave.checkpoint.dcp;

import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.tensor.DType;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Looks for the fp32 masters in buckets that do not say whose they are. Of the orders that are
 * known of Megatron-Core's parameters, the one is taken that gives buckets of these sizes and
 * chunks, and whose masters round to the model's weights: here where tensors begin and end, and
 * everywhere while they are converted.
 */
final class BucketSearch {
  private final List<DcpTensor> tensors;
  private final List<DcpTensor> buckets;
  private final String place;
  private final Set<List<BucketFit.Placed>> fitting = new LinkedHashSet<>();

  /**
   * Finds the orders that give these buckets.
   *
   * @param tensors the model's own
   * @param buckets those that hold masters
   * @param place the checkpoint, for messages
   * @throws ReweaveException if no order does that is known
   */
  BucketSearch(List<DcpTensor> tensors, List<DcpTensor> buckets, String place) {
    this.tensors = tensors;
    this.place = place;
    List<Bucket> names = buckets.stream().map(this::named).sorted(Bucket.IN_ORDER).toList();
    this.buckets =
        names.stream()
            .map(
                n ->
                    buckets.stream()
                        .filter(b -> b.name().equals(n.name()))
                        .findFirst()
                        .orElseThrow())
            .toList();
    requireTypes(names);
    BucketGrid grid = new BucketGrid(RankSlices.of(tensors, place), names, this.buckets, place);
    for (ParameterOrder order : ParameterOrder.known()) {
      grid.placed(order).ifPresent(fitting::add);
    }
    if (fitting.isEmpty()) {
      throw flat(
          "no order that is known of Megatron-Core's parameters gives buckets of these sizes");
    }
  }

  /** Where all masters are, in each order that gives these buckets. */
  List<List<BucketFit.Placed>> fitting() {
    return List.copyOf(fitting);
  }

  private ReweaveException flat(String why) {
    return DcpFailures.flatMasters(why, place);
  }

  private Bucket named(DcpTensor bucket) {
    Bucket name = Bucket.of(bucket.name()).orElseThrow(() -> flat("not known: " + bucket.name()));
    if (bucket.dtype() != DType.F32 || bucket.shape().rank() != 1) {
      throw flat(
          bucket.name() + " is " + bucket.dtype().torchName() + " of shape " + bucket.shape());
    }
    return name;
  }

  private void requireTypes(List<Bucket> names) {
    Set<String> trained = new TreeSet<>();
    tensors.stream()
        .map(DcpTensor::dtype)
        .filter(type -> type != DType.F32)
        .forEach(type -> trained.add("torch." + type.torchName()));
    Set<String> optimized = new TreeSet<>();
    names.forEach(name -> optimized.add(name.type()));
    if (trained.size() != 1 || !optimized.equals(trained)) {
      throw flat(
          "they are of parameters of "
              + String.join(", ", optimized)
              + ", and the model has tensors of "
              + String.join(", ", trained));
    }
  }

  /**
   * The one order whose masters round to the model's weights.
   *
   * @param files that the layouts point into
   * @throws ReweaveException if there is none, or several
   */
  BucketMasters proven(ChunkLayouts layouts, MetadataScanner scanner, List<InputFile> files) {
    List<BucketMasters> proven = new ArrayList<>();
    Set<String> differing = new LinkedHashSet<>();
    for (List<BucketFit.Placed> places : fitting) {
      BucketMasters masters = new BucketMasters(tensors, buckets, layouts, places);
      Set<String> others = masters.differing(scanner, files);
      if (others.isEmpty()) {
        proven.add(masters);
      }
      differing.addAll(others);
    }
    if (proven.isEmpty()) {
      throw flat(
          "in the order that gives buckets of these sizes they do not round to the model's weights,"
              + " as in "
              + FirstNames.of(List.copyOf(differing)));
    }
    if (proven.size() > 1) {
      throw flat("several orders of Megatron-Core's parameters give what the model has");
    }
    return proven.get(0);
  }
}
