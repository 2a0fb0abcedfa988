package dev.reweave.checkpoint.deepspeed;

import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The trained parameters of a universal checkpoint, in the shapes that the model has. */
final class UniversalWeights {
  private static final int MOST_NAMES = 10;

  private final String place;
  private final Map<String, UniversalParameter> parameters = new TreeMap<>();
  private final Map<String, Shape> shapes;
  private final boolean cut;

  /**
   * @param place the folder of the parameters, for messages
   * @param shapes of the parameters of one model-parallel rank, in order; empty if not known
   * @param ranks tensor- and pipeline-parallel ranks
   */
  UniversalWeights(
      String place, List<UniversalParameter> parameters, Map<String, Shape> shapes, long ranks) {
    this.place = place;
    parameters.forEach(p -> this.parameters.put(p.tensor().name(), p));
    this.shapes = shapes;
    this.cut = ranks > 1;
  }

  void addTo(StateDict dict) {
    requireAll();
    List<String> names = new ArrayList<>(shapes.keySet());
    parameters.keySet().stream().filter(n -> !shapes.containsKey(n)).forEach(names::add);
    List<String> flat = new ArrayList<>();
    for (String name : names) {
      UniversalParameter parameter = parameters.get(name);
      dict.add(shaped(parameter));
      if (dict.has(name) && isFlat(parameter)) {
        flat.add(name);
      }
    }
    dict.note("universal checkpoint: " + names.size() + " parameters, each in a file of its own");
    int unlisted = names.size() - shapes.size();
    if (unlisted > 0) {
      dict.note(
          unlisted
              + " parameters are not in the model states, so they come "
              + (shapes.isEmpty() ? "" : "last, ")
              + "by name and in the shape in which they are stored");
    }
    if (!flat.isEmpty()) {
      dict.note(
          flat.size() + " parameters are flat, and their shapes are not known: " + some(flat));
    }
  }

  private void requireAll() {
    List<String> missing =
        shapes.keySet().stream().filter(name -> !parameters.containsKey(name)).toList();
    if (!missing.isEmpty()) {
      throw UniversalFailures.noFolders(missing.size(), shapes.size(), some(missing), place);
    }
  }

  /** Whether more dimensions were lost, as far as one can know. */
  private boolean isFlat(UniversalParameter parameter) {
    TensorSpec spec = parameter.tensor().spec();
    Shape shape = shapes.get(spec.name());
    return shape != null
        && spec.shape().rank() == 1
        && shape.rank() > 1
        && spec.elements() != shape.elements();
  }

  /**
   * The model states have the shape of one rank's part: that of the whole unless the parameter was
   * cut over tensor-parallel ranks, or padded, or has experts of several ranks.
   */
  private NamedTensor shaped(UniversalParameter parameter) {
    NamedTensor stored = parameter.tensor();
    Shape shape = shapes.getOrDefault(stored.name(), stored.spec().shape());
    if (shape.equals(stored.spec().shape())) {
      return stored;
    }
    if (shape.elements() == stored.spec().elements()) {
      return new NamedTensor(
          new TensorSpec(stored.name(), stored.spec().dtype(), shape), stored.layout());
    }
    if (cut || parameter.vocabulary() || parameter.whole()) {
      return stored;
    }
    throw UniversalFailures.otherShape(stored.name(), stored.spec().shape(), shape, place);
  }

  private static String some(List<String> names) {
    return String.join(", ", names.subList(0, Math.min(MOST_NAMES, names.size())))
        + (names.size() > MOST_NAMES ? ", …" : "");
  }
}
