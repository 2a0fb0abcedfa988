package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.StoredCopies;
import dev.reweave.checkpoint.TrainerArguments;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Slicing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Whole tensors of what all ranks have of them, under names in the whole model. */
final class JoinedRanks {
  /** What the last stage calls its copy of a tied embedding, and what the first stage has. */
  private static final Map<String, String> TIED =
      Map.of(
          "output_layer.weight", "embedding.word_embeddings.weight",
          "language_model.output_layer.weight", "language_model.embedding.word_embeddings.weight",
          "word_embeddings_for_head.weight", "language_model.embedding.word_embeddings.weight");

  /** Older models were tied without an argument that says so. */
  private static final String ALWAYS_TIED = "word_embeddings_for_head.weight";

  private static final Slicing COPIED = new Slicing.Copied(CombinedLayout.Kind.REPLICATED);

  private final RankGrid grid;
  private final List<RankStates> states;
  private final TrainerArguments arguments;
  private final TensorShares shares;
  private final String place;

  /** By name, for each tensor-parallel rank, the copies of its part. */
  private final Map<String, List<List<NamedTensor>>> parts = new LinkedHashMap<>();

  private final List<NamedTensor> tensors = new ArrayList<>();
  private Optional<String> tied = Optional.empty();

  JoinedRanks(
      RankGrid grid,
      List<RankStates> states,
      TrainerArguments arguments,
      TensorShares shares,
      String place) {
    this.grid = grid;
    this.states = states;
    this.arguments = arguments;
    this.shares = shares;
    this.place = place;
  }

  /** In the order of the stages, and in a stage in that of its first rank. */
  List<NamedTensor> tensors() {
    return List.copyOf(tensors);
  }

  /** The name of a copy of the embedding that the last stage keeps; empty if there is none. */
  Optional<String> tied() {
    return tied;
  }

  /**
   * Puts tensors together.
   *
   * @throws dev.reweave.common.ReweaveException if the files are not of one model, or of one that
   *     was cut in a way that is not known
   */
  JoinedRanks join() {
    int virtual = states.get(0).chunks().size();
    int layers = 0;
    // A rank with several stages has every so manieth of the pipeline.
    for (int v = 0; v < virtual; v++) {
      for (int p = 0; p < grid.pipeline(); p++) {
        Set<String> names = chunk(grid.ofStage(p).get(0), v).keySet();
        add(p, v, names, layers);
        layers += LayerNumbers.count(names, place);
      }
    }
    requireAllLayers(layers);
    List<String> unknown = new ArrayList<>();
    parts.forEach((name, ofRanks) -> whole(name, ofRanks, unknown).ifPresent(tensors::add));
    if (!unknown.isEmpty()) {
      throw MegatronFailures.notKnown(unknown, place);
    }
    return this;
  }

  private void requireAllLayers(int layers) {
    Optional<Long> said = arguments.number("num_layers");
    if (layers > 0 && said.filter(s -> s != layers).isPresent()) {
      throw MegatronFailures.otherLayers(layers, said.get(), place);
    }
  }

  private Map<String, NamedTensor> chunk(RankGrid.Rank rank, int v) {
    List<Map<String, NamedTensor>> chunks = states.get(grid.files().get(rank)).chunks();
    int virtual = states.get(0).chunks().size();
    if (chunks.size() != virtual) {
      throw MegatronFailures.otherStages(virtual, chunks.size(), place);
    }
    return chunks.get(v);
  }

  /** Adds what all ranks have of one stage. */
  private void add(int p, int v, Set<String> names, int layersBefore) {
    int experts = ExpertNumbers.count(names);
    for (RankGrid.Rank rank : grid.ofStage(p)) {
      Map<String, NamedTensor> own = chunk(rank, v);
      requireSame(names, own.keySet());
      requireSame(own.keySet(), names);
      for (String name : names) {
        add(rank.tensor(), wholeName(name, layersBefore, rank.expert() * experts), own.get(name));
      }
    }
  }

  private void requireSame(Set<String> names, Set<String> others) {
    names.stream()
        .filter(name -> !others.contains(name))
        .findFirst()
        .ifPresent(
            name -> {
              throw MegatronFailures.otherTensors(name, place);
            });
  }

  /** What a tensor of a stage and an expert-parallel rank is called in the whole model. */
  private String wholeName(String name, int layersBefore, int expertsBefore) {
    if (ExpertNumbers.isOfAll(name) && grid.tensor() * grid.expert() > 1) {
      throw MegatronFailures.expertsInOneTensor(name, place);
    }
    String numbered =
        ExpertNumbers.of(name).map(expert -> expert.shifted(expertsBefore)).orElse(name);
    return LayerNumbers.shifted(numbered, layersBefore);
  }

  private void add(int t, String name, NamedTensor tensor) {
    String own = name;
    if (isTied(name)) {
      own = TIED.get(name);
      tied = Optional.of(name);
    }
    List<List<NamedTensor>> ofRanks = parts.computeIfAbsent(own, n -> emptyLists());
    ofRanks.get(t).add(tensor.renamed(own));
  }

  private boolean isTied(String name) {
    String embedding = TIED.get(name);
    boolean said =
        arguments.values().containsKey("untie_embeddings_and_output_weights")
            && !arguments.isTrue("untie_embeddings_and_output_weights");
    return embedding != null && parts.containsKey(embedding) && (said || name.equals(ALWAYS_TIED));
  }

  private List<List<NamedTensor>> emptyLists() {
    List<List<NamedTensor>> lists = new ArrayList<>();
    for (int t = 0; t < grid.tensor(); t++) {
      lists.add(new ArrayList<>());
    }
    return lists;
  }

  /** Empty, and noted as not known, where it is not known how ranks share it. */
  private Optional<NamedTensor> whole(
      String name, List<List<NamedTensor>> ofRanks, List<String> unknown) {
    boolean copies = ExpertNumbers.of(name).isPresent() ? grid.experts() == 1 : grid.tensor() == 1;
    Optional<Slicing> slicing = copies ? Optional.of(COPIED) : shares.of(name);
    if (slicing.isEmpty()) {
      unknown.add(name);
      return Optional.empty();
    }
    try {
      if (slicing.get() instanceof Slicing.Copied copied) {
        return Optional.of(one(copied, ofRanks.stream().flatMap(List::stream).toList()));
      }
      return Optional.of(
          slicing.get().whole(ofRanks.stream().map(same -> one(COPIED, same)).toList()));
    } catch (IllegalArgumentException e) {
      throw MegatronFailures.doNotFit(name, grid.tensor(), place, e);
    }
  }

  private static NamedTensor one(Slicing copied, List<NamedTensor> copies) {
    return copies.size() == 1 || (copied.equals(COPIED) && StoredCopies.areSame(copies))
        ? copies.get(0)
        : copied.whole(copies);
  }
}
