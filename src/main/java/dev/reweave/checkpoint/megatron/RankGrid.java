package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.TrainerArguments;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which rank of the model each file is of.
 *
 * @param tensor number of tensor-parallel ranks
 * @param pipeline number of pipeline stages
 * @param expert number of expert-parallel ranks
 * @param experts how many tensor-parallel ranks share an expert: all of them, or 1 where each has
 *     whole ones
 * @param files index of the file of each rank
 */
record RankGrid(int tensor, int pipeline, int expert, int experts, Map<Rank, Integer> files) {
  private static final String TENSOR = "tensor_model_parallel_size";
  private static final String PIPELINE = "pipeline_model_parallel_size";
  private static final String EXPERT = "expert_model_parallel_size";
  private static final String TENSOR_OF_EXPERTS = "expert_tensor_parallel_size";

  /** What the size of the first was called before there were stages. */
  private static final String OLD_TENSOR = "model_parallel_size";

  /** Of so many missing folders the names are told. */
  private static final int MOST_NAMES = 10;

  /** Arguments that say more are not believed. */
  private static final long MOST_RANKS = 10_000;

  /** One rank, from 0 in each direction. */
  record Rank(int tensor, int pipeline, int expert) {}

  /**
   * The grid that folders make up.
   *
   * @param arguments of the training: they tell whether a second number is a stage's or an
   *     expert-parallel rank's
   * @throws dev.reweave.common.ReweaveException if some are missing, or not of one training
   */
  static RankGrid of(List<RankFolder> folders, TrainerArguments arguments, String place) {
    int numbers = folders.get(0).numbers().size();
    boolean unstaged =
        numbers == 2 && degree(arguments, EXPERT) > 1 && degree(arguments, PIPELINE) <= 1;
    Map<Rank, Integer> files = new HashMap<>();
    int tensor = 0;
    int pipeline = 0;
    int expert = 0;
    for (int i = 0; i < folders.size(); i++) {
      List<Integer> n = folders.get(i).numbers();
      if (n.size() != numbers) {
        throw MegatronFailures.mixedFolders(
            folders.get(0).folder().name(), folders.get(i).folder().name(), place);
      }
      int second = numbers > 1 ? n.get(1) : 0;
      Rank rank = new Rank(n.get(0), unstaged ? 0 : second, unstaged ? second : last(n));
      files.put(rank, i);
      tensor = Math.max(tensor, rank.tensor() + 1);
      pipeline = Math.max(pipeline, rank.pipeline() + 1);
      expert = Math.max(expert, rank.expert() + 1);
    }
    RankGrid grid =
        new RankGrid(tensor, pipeline, expert, experts(arguments, tensor, place), files);
    grid.requireSaid(arguments, place);
    grid.requireWhole(unstaged, arguments, place);
    return grid;
  }

  /** How many tensor-parallel ranks share an expert. */
  private static int experts(TrainerArguments arguments, int tensor, String place) {
    long all = Math.max(tensor, degree(arguments, TENSOR));
    long said = arguments.number(TENSOR_OF_EXPERTS).orElse(all);
    if (arguments.number("num_experts").orElse(0L) == 0 || said == all) {
      return tensor;
    }
    if (said != 1) {
      throw MegatronFailures.expertsCutOtherwise(said, all, place);
    }
    return 1;
  }

  private static int last(List<Integer> numbers) {
    return numbers.size() > 2 ? numbers.get(2) : 0;
  }

  private static long degree(TrainerArguments arguments, String name) {
    return arguments.number(name).orElse(1L);
  }

  /** What is missing at the end is known by the arguments alone; more than they say is no step. */
  private void requireSaid(TrainerArguments arguments, String place) {
    requireNoMore(
        tensor, arguments.number(TENSOR).or(() -> arguments.number(OLD_TENSOR)), TENSOR, place);
    requireNoMore(pipeline, arguments.number(PIPELINE), PIPELINE, place);
    requireNoMore(expert, arguments.number(EXPERT), EXPERT, place);
  }

  private static void requireNoMore(int found, Optional<Long> said, String name, String place) {
    if (said.filter(s -> found > s).isPresent()
        || (said.isEmpty() && name.equals(EXPERT) && found > 1)) {
      throw MegatronFailures.otherDegree(found, said, name, place);
    }
  }

  /**
   * Requires the files of all ranks. Where experts are whole, a rank's file has those of one
   * expert-parallel rank and the share of one tensor-parallel rank of all else, not every pair of
   * which there is: all of each have to be in some file.
   */
  private void requireWhole(boolean unstaged, TrainerArguments arguments, String place) {
    int allTensor = (int) Math.max(tensor, Math.min(MOST_RANKS, degree(arguments, TENSOR)));
    int allPipeline = (int) Math.max(pipeline, Math.min(MOST_RANKS, degree(arguments, PIPELINE)));
    int allExpert = (int) Math.max(expert, Math.min(MOST_RANKS, degree(arguments, EXPERT)));
    List<String> missing = new ArrayList<>();
    for (int p = 0; p < allPipeline && missing.size() <= MOST_NAMES; p++) {
      for (int t = 0; t < allTensor && missing.size() <= MOST_NAMES; t++) {
        for (int e = 0; e < allExpert && missing.size() <= MOST_NAMES; e++) {
          if (!isThere(new Rank(t, p, e))) {
            missing.add(name(t, p, e, unstaged, allPipeline, allExpert));
          }
        }
      }
    }
    if (!missing.isEmpty()) {
      throw MegatronFailures.missingRanks(missing, place);
    }
  }

  private boolean isThere(Rank rank) {
    if (experts == tensor) {
      return files.containsKey(rank);
    }
    List<Rank> stage = ofStage(rank.pipeline());
    return stage.stream().anyMatch(r -> r.tensor() == rank.tensor())
        && stage.stream().anyMatch(r -> r.expert() == rank.expert());
  }

  private static String name(
      int t, int p, int e, boolean unstaged, int allPipeline, int allExpert) {
    List<Integer> numbers = new ArrayList<>(List.of(t));
    if (allPipeline > 1 && !unstaged) {
      numbers.add(p);
    }
    if (allExpert > 1) {
      numbers.add(e);
    }
    return RankFolder.name(numbers);
  }

  /** The ranks of a stage whose files are there, by their tensor-parallel numbers first. */
  List<Rank> ofStage(int stage) {
    return files.keySet().stream()
        .filter(rank -> rank.pipeline() == stage)
        .sorted(Comparator.comparingInt(Rank::tensor).thenComparingInt(Rank::expert))
        .toList();
  }
}
