package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.PickleWriter.Instance;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.SyntheticWeights.Segment;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The files of ZeRO-2: parameters lie one after another in a flat group, which is padded to a
 * multiple of twice the world size and cut into one partition per rank.
 */
final class ZeroTwoFiles {
  private final SyntheticOptions options;
  private final List<TensorSpec> params;
  private final SyntheticWeights weights;
  private final List<SyntheticWeights> moments;
  private final DeepSpeedTrees trees;
  private final long elements;
  private final long partition;

  ZeroTwoFiles(
      SyntheticOptions options,
      List<TensorSpec> params,
      SyntheticWeights weights,
      List<SyntheticWeights> moments) {
    this.options = options;
    this.params = params;
    this.weights = weights;
    this.moments = moments;
    this.trees = new DeepSpeedTrees(options);
    this.elements = params.stream().mapToLong(TensorSpec::elements).sum();
    this.partition = PartitionedLayout.sliceOf(elements, 2 * options.world()) * 2;
  }

  void write(Path folder) throws IOException {
    writeModel(folder.resolve("mp_rank_00_model_states.pt"));
    for (int rank = 0; rank < options.world(); rank++) {
      writeRank(folder.resolve("bf16_zero_pp_rank_" + rank + "_mp_rank_00_optim_states.pt"), rank);
    }
  }

  private void writeModel(Path path) throws IOException {
    TorchFile file = new TorchFile();
    List<Segment> all = segments(0, partition * options.world());
    TorchFile.Storage flat = file.add(weights.storage(DType.BF16, all));
    Map<Object, Object> module = dict();
    long offset = 0;
    for (TensorSpec param : params) {
      module.put(param.name(), flat.view(offset, param.shape()));
      offset += param.elements();
    }
    file.write(path, trees.modelStates(module, params));
  }

  private void writeRank(Path path, int rank) throws IOException {
    long from = rank * partition;
    List<Segment> segments = segments(from, from + partition);
    long padding = rank == options.world() - 1 ? partition * options.world() - elements : 0;
    TorchFile file = new TorchFile();
    Map<Object, Object> adam =
        trees.adam(
            file, List.of(moments.stream().map(m -> m.storage(DType.F32, segments)).toList()));
    TensorValue master =
        file.add(weights.storage(DType.F32, segments))
            .view(0, Shape.of(Math.max(0, partition - padding)))
            .trained();
    file.write(
        path,
        trees.optimizerFile(
            dict(
                "loss_scaler", DeepSpeedTrees.lossScaler(),
                "dynamic_loss_scale", false,
                "overflow", false,
                "clip_grad", 1.0,
                "base_optimizer_state", adam,
                "single_partition_of_fp32_groups", List.of(master),
                "zero_stage", PickleWriter.zeroStage(2),
                "group_paddings", List.of(padding),
                "partition_count", List.of(options.world()),
                "ds_version", DeepSpeedTrees.VERSION,
                "param_slice_mappings", List.of(new OrderedDict(addresses(segments))))));
  }

  private Map<Object, Object> addresses(List<Segment> segments) {
    Map<Object, Object> addresses = dict();
    long start = 0;
    for (Segment segment : segments) {
      if (segment.param() != SyntheticWeights.PADDING) {
        addresses.put(
            params.get(segment.param()).name(),
            new Instance(
                "deepspeed.utils.tensor_fragment",
                "fragment_address",
                dict("numel", segment.elements(), "start", start)));
      }
      start += segment.elements();
    }
    return addresses;
  }

  /** What lies in elements {@code [from, to)} of the flat group. */
  private List<Segment> segments(long from, long to) {
    List<Segment> segments = new ArrayList<>();
    long start = 0;
    for (int p = 0; p < params.size(); p++) {
      long end = start + params.get(p).elements();
      long first = Math.max(from, start);
      long last = Math.min(to, end);
      if (first < last) {
        segments.add(new Segment(p, first - start, last - first));
      }
      start = end;
    }
    if (to > start) {
      long first = Math.max(from, start);
      segments.add(new Segment(SyntheticWeights.PADDING, 0, to - first));
    }
    return segments;
  }
}
