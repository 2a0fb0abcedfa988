package dev.reweave.checkpoint.dcp;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The parameters of a model of 16 bits as each rank of Megatron-Core has them, which the chunks of
 * its tensors tell: each is what one rank had of one layer, or a half of that.
 */
final class RankSlices {
  private static final String WORDS = "embedding.word_embeddings.weight";
  private static final String OUTPUT = "output_layer.weight";

  /** One parameter of all ranks. */
  record Key(ParameterName.Unit unit, long layer, String kind, long expert) {
    boolean isOfExpert() {
      return kind.startsWith(ParameterOrder.EXPERT);
    }

    boolean isGated() {
      return kind.endsWith("linear_fc1.weight") || kind.endsWith("linear_fc1.bias");
    }
  }

  /** What is one rank's, or a half of that. */
  private record Slice(int half, List<Long> offsets, String name, LocalParameter.Part part) {}

  private static final Comparator<Slice> IN_ORDER =
      Comparator.comparingInt(Slice::half)
          .thenComparing(Slice::offsets, RankSlices::compareOffsets);

  private final Map<Key, List<Slice>> slices = new HashMap<>();
  private final String place;

  private RankSlices(String place) {
    this.place = place;
  }

  /**
   * Those of a model.
   *
   * @param place the checkpoint, for messages
   * @throws ReweaveException if it has tensors that GPT models do not have
   */
  static RankSlices of(List<DcpTensor> tensors, String place) {
    RankSlices all = new RankSlices(place);
    for (int t = 0; t < tensors.size(); t++) {
      // What was trained in fp32 is its own master.
      if (tensors.get(t).dtype() != DType.F32) {
        all.add(t, tensors.get(t));
      }
    }
    all.slices.values().forEach(slices -> slices.sort(IN_ORDER));
    return all;
  }

  private void add(int index, DcpTensor tensor) {
    ParameterName name =
        ParameterName.of(tensor.name())
            .filter(n -> ParameterOrder.known().get(0).knows(n.unit(), n.kind()))
            .orElseThrow(() -> flat("where " + tensor.name() + " is among them is not known"));
    for (int c = 0; c < tensor.chunks().size(); c++) {
      DcpTensor.Chunk chunk = tensor.chunks().get(c);
      long[] dims = chunk.stored().sizes().dims();
      int at = 0;
      long layer = name.layer();
      long expert = name.expert();
      if (layer == ParameterName.STACKED) {
        layer = index(tensor, chunk, dims, at++);
      }
      if (expert == ParameterName.STACKED) {
        expert = index(tensor, chunk, dims, at);
      }
      slices
          .computeIfAbsent(new Key(name.unit(), layer, name.kind(), expert), k -> new ArrayList<>())
          .add(
              new Slice(
                  name.half(),
                  chunk.offsets(),
                  tensor.name(),
                  new LocalParameter.Part(index, c, chunk.stored().sizes().elements())));
    }
  }

  private long index(DcpTensor tensor, DcpTensor.Chunk chunk, long[] dims, int dim) {
    if (dims.length <= dim + 1 || dims[dim] != 1) {
      throw flat("the pieces of " + tensor.name() + " are not those of ranks");
    }
    return chunk.offsets().get(dim);
  }

  private static int compareOffsets(List<Long> a, List<Long> b) {
    for (int d = 0; d < Math.min(a.size(), b.size()); d++) {
      int order = Long.compare(a.get(d), b.get(d));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.size(), b.size());
  }

  /** How many ranks share each layer. */
  int tensorRanks() {
    return Math.max(1, count(new Key(ParameterName.Unit.EMBEDDING, 0, WORDS, 0)));
  }

  /** How many ranks share each expert; 0 without experts. */
  int expertTensorRanks() {
    String second = ParameterOrder.EXPERT + "linear_fc2.weight";
    return slices.keySet().stream()
        .filter(key -> key.kind().equals(second))
        .mapToInt(this::count)
        .max()
        .orElse(0);
  }

  /** The number of experts of a layer. */
  long experts() {
    return 1 + slices.keySet().stream().mapToLong(Key::expert).max().orElse(-1);
  }

  private int count(Key key) {
    return slices.getOrDefault(key, List.of()).size();
  }

  /**
   * The embedding of a model that has no output layer of its own: the last stage of a pipeline has
   * a copy.
   */
  List<LocalParameter> tied(int rank) {
    Key words = new Key(ParameterName.Unit.EMBEDDING, 0, WORDS, 0);
    boolean tied =
        slices.containsKey(words)
            && !slices.containsKey(new Key(ParameterName.Unit.BEHIND, 0, OUTPUT, 0));
    return tied ? List.of(parameter(words, rank, tensorRanks())) : List.of();
  }

  /**
   * What one rank of each stage has, in the order of a whole model: the embedding, each layer, and
   * what comes behind them. A pipeline is cut between these.
   *
   * @param wanted which of the parameters
   * @param rank of those that share them
   * @param ranks how many do
   */
  List<List<LocalParameter>> units(
      ParameterOrder order, Predicate<Key> wanted, int rank, int ranks) {
    Map<Long, List<LocalParameter>> layers = new TreeMap<>();
    List<LocalParameter> first = new ArrayList<>();
    List<LocalParameter> last = new ArrayList<>();
    slices.keySet().stream()
        .filter(wanted)
        .sorted(order.comparator())
        .forEach(
            key -> {
              List<LocalParameter> unit =
                  switch (key.unit()) {
                    case EMBEDDING -> first;
                    case LAYER -> layers.computeIfAbsent(key.layer(), l -> new ArrayList<>());
                    case BEHIND -> last;
                  };
              unit.add(parameter(key, rank, ranks));
            });
    List<List<LocalParameter>> units = new ArrayList<>();
    units.add(first);
    units.addAll(layers.values());
    units.add(last);
    units.removeIf(List::isEmpty);
    return units;
  }

  private LocalParameter parameter(Key key, int rank, int ranks) {
    List<Slice> all = slices.get(key);
    List<Slice> own;
    if (all.size() == 1) {
      own = all;
    } else if (all.size() == ranks) {
      own = List.of(all.get(rank));
    } else if (all.size() == 2 * ranks && key.isGated()) {
      own = List.of(all.get(rank), all.get(ranks + rank));
    } else {
      throw flat(
          all.get(0).name() + " is cut into " + all.size() + " pieces by " + ranks + " ranks");
    }
    return new LocalParameter(
        own.get(0).name(),
        own.stream().map(Slice::part).toList(),
        own.stream().mapToLong(slice -> slice.part().elements()).sum());
  }

  private ReweaveException flat(String why) {
    return DcpFailures.flatMasters(why, place);
  }
}
