package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.PartitionedLayout;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.PickleWriter.TensorWithAttributes;
import dev.reweave.testing.SyntheticWeights.Segment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The files of ZeRO-3: each parameter is cut into equal slices, one per rank, the last ones padded;
 * a rank's slices lie one after another in flat sub-groups of whole slices.
 */
final class ZeroThreeFiles {
  private final SyntheticOptions options;
  private final List<TensorSpec> params;
  private final SyntheticWeights weights;
  private final List<SyntheticWeights> moments;
  private final DeepSpeedTrees trees;

  ZeroThreeFiles(
      SyntheticOptions options,
      List<TensorSpec> params,
      SyntheticWeights weights,
      List<SyntheticWeights> moments) {
    this.options = options;
    this.params = params;
    this.weights = weights;
    this.moments = moments;
    this.trees = new DeepSpeedTrees(options);
  }

  void write(Path folder) throws IOException {
    for (int rank = 0; rank < options.world(); rank++) {
      int same = rank - Math.max(1, options.devices());
      if (options.weights() == SyntheticOptions.Weights.SPARSE && same >= 0) {
        Files.createLink(folder.resolve(modelName(rank)), folder.resolve(modelName(same)));
      } else {
        writeModel(folder.resolve(modelName(rank)), rank);
      }
      String name = "bf16_zero_pp_rank_" + rank + "_mp_rank_00_optim_states.pt";
      writeRank(folder.resolve(name), rank);
    }
  }

  private static String modelName(int rank) {
    return "zero_pp_rank_" + rank + "_mp_rank_00_model_states.pt";
  }

  private void writeModel(Path path, int rank) throws IOException {
    TorchFile file = new TorchFile();
    Map<Object, Object> module = dict();
    for (TensorSpec param : params) {
      TensorValue empty = file.vector(StorageContent.of(DType.BF16));
      module.put(param.name(), empty.on(options.device(rank)));
    }
    file.write(path, trees.modelStates(module, params));
  }

  private void writeRank(Path path, int rank) throws IOException {
    List<int[]> groups = subGroups();
    TorchFile file = new TorchFile();
    Map<Object, Object> adam =
        trees.adam(file, groups.stream().map(g -> contents(moments, g, rank)).toList());
    List<TensorWithAttributes> flat = new ArrayList<>();
    for (int[] group : groups) {
      TensorValue tensor =
          file.vector(contents(List.of(weights), group, rank).get(0))
              .trained()
              .on(options.device(rank));
      flat.add(new TensorWithAttributes(tensor, dict("ds_id", group[0] + "_" + (group[1] - 1))));
    }
    file.write(
        path,
        trees.optimizerFile(
            dict(
                "zero_stage",
                PickleWriter.zeroStage(3),
                "loss_scaler",
                DeepSpeedTrees.lossScaler(),
                "dynamic_loss_scale",
                false,
                "overflow",
                false,
                "partition_count",
                options.world(),
                "optimizer_state_dict",
                adam,
                "fp32_flat_groups",
                flat)));
  }

  private List<StorageContent> contents(List<SyntheticWeights> kinds, int[] group, int rank) {
    if (options.weights() == SyntheticOptions.Weights.SPARSE) {
      long elements = IntStream.range(group[0], group[1]).mapToLong(this::slice).sum();
      return kinds.stream().map(k -> StorageContent.zeros(DType.F32, elements)).toList();
    }
    List<Segment> segments = new ArrayList<>();
    for (int p = group[0]; p < group[1]; p++) {
      long elements = params.get(p).elements();
      long slice = slice(p);
      long first = Math.min(elements, rank * slice);
      long last = Math.min(elements, first + slice);
      if (first < last) {
        segments.add(new Segment(p, first, last - first));
      }
      if (last - first < slice) {
        segments.add(new Segment(SyntheticWeights.PADDING, 0, slice - (last - first)));
      }
    }
    return kinds.stream().map(kind -> kind.storage(DType.F32, segments)).toList();
  }

  /** First and last (exclusive) parameter of each sub-group. */
  private List<int[]> subGroups() {
    List<int[]> groups = new ArrayList<>();
    int first = 0;
    long size = 0;
    for (int p = 0; p < params.size(); p++) {
      size += slice(p);
      if (size >= options.subGroupElements() || p == params.size() - 1) {
        groups.add(new int[] {first, p + 1});
        first = p + 1;
        size = 0;
      }
    }
    return groups;
  }

  private long slice(int param) {
    return PartitionedLayout.sliceOf(params.get(param).elements(), options.world());
  }
}
