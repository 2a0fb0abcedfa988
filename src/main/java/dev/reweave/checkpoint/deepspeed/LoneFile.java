package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.NotTaken;
import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Shape;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One torch file that was named by itself, which can be one of those that make up a DeepSpeed
 * checkpoint: what such a file holds of a model is seldom all of it.
 */
public final class LoneFile {
  /** What a universal checkpoint has of each parameter. */
  private static final Pattern OF_PARAMETER =
      Pattern.compile("(.*)/zero/[^/]+/(fp32|exp_avg|exp_avg_sq|step)\\.pt");

  /** Keys that nobody else puts beside {@code module}. */
  private static final List<String> OWN_KEYS =
      List.of("ds_version", "ds_config", "param_shapes", "dp_world_size", "mp_world_size");

  private static final List<String> PARTITIONS =
      List.of("zero_stage", "partition_count", "single_partition_of_fp32_groups");

  private final InputFile file;
  private final Optional<RankFile> rank;
  private final List<RankFile> ranks;

  /**
   * @param rank what its name tells; empty if it is not named like a rank's file
   * @param ranks the files of ranks that lie in its folder, itself included
   */
  private LoneFile(InputFile file, Optional<RankFile> rank, List<RankFile> ranks) {
    this.file = file;
    this.rank = rank;
    this.ranks = ranks;
  }

  /** Looks what lies beside a file, if its name is that of a rank's. */
  public static LoneFile of(Stores stores, InputFile file) {
    Optional<RankFile> rank = RankFile.of(file);
    List<RankFile> ranks =
        rank.isEmpty()
            ? List.of()
            : stores.list(file.folder()).files().stream()
                .flatMap(f -> RankFile.of(f).stream())
                .toList();
    return new LoneFile(file, rank, ranks);
  }

  /** Whether it is named like the file of a rank. */
  public boolean isOfRank() {
    return rank.isPresent();
  }

  /** What helps whoever names a part. */
  public String remedy() {
    if (ranks.size() > 1) {
      return "name the folder with the files of all ranks: " + file.folder();
    }
    return "name the folder that save_checkpoint wrote, with the files of all ranks in it";
  }

  /**
   * Refuses a file whose name tells that it is a part, whatever it holds.
   *
   * @throws ReweaveException if it is one
   */
  public void requireWholeByName() {
    var matcher = OF_PARAMETER.matcher(file.uri());
    if (matcher.matches()) {
      throw LoneFileFailures.parameter(matcher.group(1), file.uri());
    }
    refusal()
        .ifPresent(
            e -> {
              throw e;
            });
  }

  /** What to say of a part, as its name tells; empty for a file that can be whole. */
  private Optional<ReweaveException> refusal() {
    String place = file.uri();
    return rank.flatMap(
        named ->
            switch (named.kind()) {
              case OPTIMIZER -> Optional.of(LoneFileFailures.optimizerStates(place, remedy()));
              case EXPERT_OPTIMIZER ->
                  Optional.of(LoneFileFailures.optimizerStatesOfExperts(place, remedy()));
              case LAYER -> Optional.of(LoneFileFailures.layer(place, remedy()));
              case EXPERT -> Optional.of(LoneFileFailures.expert(place, remedy()));
              case MODEL ->
                  named.modelRank() == 0
                      ? Optional.empty()
                      : Optional.of(LoneFileFailures.modelRank(named.modelRank(), place, remedy()));
              case PARTITIONED_MODEL, OFFLOADED, UNKNOWN -> Optional.empty();
            });
  }

  /**
   * Refuses a file that tells of itself that it is a part.
   *
   * @param root what it holds
   * @param named the dict that the user asks for by its key; empty for the module
   * @param remedy what to do instead
   * @throws ReweaveException if its tensors are a part of the model's, or pieces of them
   */
  public static void requireWhole(TorchValue root, Optional<TorchValue> named, String remedy) {
    boolean partitions =
        root.find("optimizer_state_dict")
            .filter(s -> PARTITIONS.stream().anyMatch(key -> s.find(key).isPresent()))
            .isPresent();
    if (partitions) {
      throw LoneFileFailures.optimizerStates(root.place(), remedy);
    }
    if (!isModelStates(root)) {
      return;
    }
    ParallelDegrees parallel = ParallelDegrees.of(root);
    long ranks = Math.max(parallel.size(), Math.max(parallel.pipeline(), parallel.tensor()));
    if (ranks > 1) {
      throw LoneFileFailures.oneOfModelRanks(ranks, root.place(), remedy);
    }
    TorchValue dict = named.or(() -> root.find("module")).orElse(root);
    if (named.isEmpty() && (dict == root || !dict.isDict() || dict.entries().isEmpty())) {
      throw LoneFileFailures.besideLayers(root.place(), remedy);
    }
    if (!Experts.of(root).isEmpty()) {
      throw LoneFileFailures.besideExperts(root.place(), remedy);
    }
    if (dict.isDict()) {
      requireUnpartitioned(root, dict, remedy);
    }
  }

  private static boolean isModelStates(TorchValue root) {
    return root.isDict()
        && root.entries().stream().anyMatch(e -> e.getKey().equals("module"))
        && OWN_KEYS.stream().anyMatch(key -> root.find(key).isPresent());
  }

  /** Under ZeRO-3 each rank has a slice of a parameter, and a placeholder in the module. */
  private static void requireUnpartitioned(TorchValue root, TorchValue dict, String remedy) {
    Map<String, Shape> shapes = new HashMap<>();
    ModelPickle.groups(root).forEach(shapes::putAll);
    root.find("frozen_param_shapes")
        .filter(TorchValue::isDict)
        .ifPresent(d -> d.entries().forEach(e -> shapes.put(e.getKey(), e.getValue().shape())));
    List<Map.Entry<String, TorchValue>> tensors =
        dict.entries().stream().filter(e -> e.getValue().isTensor()).toList();
    long known = tensors.stream().filter(e -> shapes.containsKey(e.getKey())).count();
    long pieces =
        tensors.stream()
            .filter(e -> shapes.containsKey(e.getKey()))
            .filter(e -> e.getValue().tensor().elements() != shapes.get(e.getKey()).elements())
            .count();
    long empty = tensors.stream().filter(e -> e.getValue().tensor().elements() == 0).count();
    boolean partitioned = TrainingSetup.of(root).stage() == 3;
    if (pieces > 0 || (partitioned && (known == 0 || empty > known))) {
      throw pieces == 0 || empty == pieces
          ? LoneFileFailures.placeholders(Math.max(pieces, empty), root.place(), remedy)
          : LoneFileFailures.slices(pieces, root.place(), remedy);
    }
  }

  /** Whether a dict that a trainer keeps beside the module has whole tensors. */
  static boolean hasWhole(TorchValue root, TorchValue dict) {
    try {
      requireWhole(root, Optional.of(dict), "");
      return true;
    } catch (ReweaveException e) {
      return false;
    }
  }

  /** What lies beside it and has the same weights in fp32. */
  public List<NotTaken> beside() {
    long masters = ranks.stream().filter(f -> f.kind() == RankFile.Kind.OPTIMIZER).count();
    return masters == 0
        ? List.of()
        : List.of(
            new NotTaken(
                "fp32 masters in " + Counted.of(masters, "*_optim_states.pt file"),
                NotTaken.UNCOUNTED,
                "not read: name the folder to convert them: " + file.folder(),
                file.folder().uri()));
  }
}
