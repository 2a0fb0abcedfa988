package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.ReweaveException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How a model was spread: tensor-parallel ranks of pipeline stages. Rank {@code r} of a file name's
 * {@code mp_rank} is tensor rank {@code r % tensor} of stage {@code r / tensor}.
 *
 * @param pipeline number of stages
 * @param tensor number of tensor-parallel ranks of each
 */
record Grid(int pipeline, int tensor) {
  /**
   * The grid that model states tell, or where they do not, the names of files.
   *
   * @param ranks what each rank's model states say, in rank order
   * @param layers the layer files
   * @param missing takes the files of ranks that are not there
   * @throws ReweaveException if ranks are too many, or of another run
   */
  static Grid of(
      String folder, List<ModelRank> ranks, List<LayerFile> layers, MissingFiles missing) {
    ParallelDegrees parallel = ranks.get(0).states().run().parallel();
    long known = Math.max(parallel.size(), ranks.get(ranks.size() - 1).index() + 1);
    long tensor = PipelineLayers.tensorRanks(layers);
    long pipeline = known / tensor;
    if (parallel.pipeline() > 0 && parallel.tensor() > 0) {
      pipeline = parallel.pipeline();
      tensor = parallel.tensor();
    } else if (layers.isEmpty()) {
      tensor = known;
      pipeline = 1;
    } else if (known % tensor != 0) {
      throw RankFileFailures.layersDoNotFit(known, tensor, folder);
    }
    checkRanks(ranks, pipeline, tensor, missing);
    if (!layers.isEmpty() && PipelineLayers.tensorRanks(layers) != tensor) {
      throw RankFileFailures.layersDiffer(PipelineLayers.tensorRanks(layers), tensor, folder);
    }
    requireSameRun(ranks);
    return new Grid((int) pipeline, (int) tensor);
  }

  private static void checkRanks(
      List<ModelRank> ranks, long pipeline, long tensor, MissingFiles missing) {
    // Both come from a file: their product can be more than fits.
    boolean fits = pipeline <= Long.MAX_VALUE / tensor;
    long all = fits ? pipeline * tensor : Long.MAX_VALUE;
    String count = fits ? String.valueOf(all) : pipeline + " x " + tensor;
    String spread =
        pipeline == 1
            ? count + " tensor-parallel ranks"
            : count + " ranks (" + pipeline + " pipeline stages, tensor-parallel " + tensor + ")";
    for (ModelRank rank : ranks) {
      if (rank.index() >= all) {
        throw RankFileFailures.foreignModelRank(
            rank.index(), count.equals("1") ? "one" : spread, rank.modelFile().file().uri());
      }
    }
    List<RankFile> likely = ranks.get(0).rankFiles();
    missing.addNumbered(
        "rank",
        ranks.stream().map(ModelRank::index).collect(Collectors.toSet()),
        all,
        spread,
        rank -> likely.stream().map(f -> f.addressOfModelRank(rank)).toList());
  }

  private static void requireSameRun(List<ModelRank> ranks) {
    ModelStates.Run first = ranks.get(0).states().run();
    for (ModelRank rank : ranks) {
      ModelStates.Run other = rank.states().run();
      if (other.step() != first.step() || !other.parallel().equals(first.parallel())) {
        throw RankFileFailures.modelRanksDisagree(
            ranks.get(0).modelFile().file().uri(), rank.modelFile().file().name());
      }
    }
  }

  /** The rank that has this share of a stage. */
  int rank(int stage, int tensorRank) {
    return stage * tensor + tensorRank;
  }

  /** Says how the model was spread; nothing of a model that was not. */
  List<String> notes() {
    if (pipeline * tensor == 1) {
      return List.of();
    }
    return List.of(
        "put together from "
            + (tensor == 1 ? "" : tensor + " tensor-parallel ranks")
            + (tensor > 1 && pipeline > 1 ? " of each of " : "")
            + (pipeline == 1 ? "" : pipeline + " pipeline stages"));
  }
}
