package dev.reweave.checkpoint;

import dev.reweave.checkpoint.TorchDicts.Chosen;
import dev.reweave.common.Counted;
import dev.reweave.common.Printable;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Averages in a list, one for each of {@code model.parameters()}, as diffusers' {@code EMAModel}
 * and {@code torch_ema} keep them. The names are those of the model that was saved with them: a
 * state dict has its parameters in that order, with buffers between them.
 */
final class ShadowParameters {
  /** What norms of batches keep, which are no parameters. */
  private static final Set<String> BUFFERS =
      Set.of("running_mean", "running_var", "num_batches_tracked");

  private static final String SHAPES = "param_shapes";
  private static final String FROZEN = "frozen_param_shapes";

  private final TorchValue root;
  private final Chosen list;
  private final Chosen model;
  private final Map<String, TorchTensor> tensors;

  private ShadowParameters(TorchValue root, Chosen list, Chosen model) {
    this.root = root;
    this.list = list;
    this.model = model;
    this.tensors = TensorEntries.ofModule(model.dict(), model.path()).requireRead().tensors();
  }

  /**
   * A list of averages, and the model of which they are some.
   *
   * @throws ReweaveException if there is no model beside them
   */
  static ShadowParameters of(TorchValue root, Chosen list) {
    Chosen model;
    try {
      model = new TorchDicts(root).ofModel();
    } catch (ReweaveException e) {
      throw CheckpointFailures.withoutNames(list.key(), list.dict().place());
    }
    return new ShadowParameters(root, list, model);
  }

  /**
   * All tensors of the model, the averaged ones in the place of its parameters.
   *
   * @throws ReweaveException if the two do not agree in number or in any shape
   */
  AveragedEntries named() {
    Map<String, String> owners = owners();
    Set<String> buffers = buffers();
    List<String> parameters =
        tensors.keySet().stream()
            .filter(name -> !buffers.contains(name) && !owners.containsKey(name))
            .toList();
    List<TorchValue> averages = list.dict().items();
    requireAgreement(parameters, averages);
    Map<String, TorchTensor> named = new LinkedHashMap<>();
    tensors.forEach(named::put);
    for (int i = 0; i < parameters.size(); i++) {
      named.put(parameters.get(i), averages.get(i).tensor());
    }
    owners.forEach((alias, owner) -> named.put(alias, named.get(owner)));
    String note =
        "the names of '"
            + Printable.text(list.key())
            + "' are those of the parameters of "
            + (model.key().isEmpty() ? "the model" : "'" + Printable.text(model.key()) + "'")
            + ", in their order: "
            + Counted.of(parameters.size(), "parameter");
    List<String> notes = new ArrayList<>(List.of(note));
    if (!buffers.isEmpty()) {
      notes.add(
          Counted.of(buffers.size(), "buffer") + " come as the model has them: none is averaged");
    }
    return new AveragedEntries(
        new TensorEntries(named, Map.of(), Map.of()), List.of(), List.copyOf(notes));
  }

  /** The name that {@code parameters()} meets first, by each further name of its tensor. */
  private Map<String, String> owners() {
    Map<TorchTensor, String> first = new HashMap<>();
    Map<String, String> owners = new LinkedHashMap<>();
    root.find("shared_params")
        .filter(TorchValue::isDict)
        .ifPresent(
            shared ->
                shared.entries().stream()
                    .filter(e -> tensors.containsKey(e.getKey()) && e.getValue().isText())
                    .filter(e -> tensors.containsKey(e.getValue().text()))
                    .forEach(e -> owners.put(e.getKey(), e.getValue().text())));
    tensors.forEach(
        (name, tensor) -> {
          String earlier = tensor.elements() == 0 ? null : first.putIfAbsent(tensor, name);
          if (earlier != null) {
            owners.putIfAbsent(name, earlier);
          }
        });
    owners.keySet().removeIf(name -> owners.get(name).equals(name));
    return owners;
  }

  /** As DeepSpeed lists them; of other state dicts, what can be no parameter. */
  private Set<String> buffers() {
    Set<String> buffers = new HashSet<>();
    Optional<TorchValue> listed = root.find("buffer_names").filter(TorchValue::isSequence);
    listed.ifPresent(names -> names.items().forEach(name -> buffers.add(name.text())));
    if (listed.isEmpty()) {
      tensors.forEach(
          (name, tensor) -> {
            boolean number = tensor.dtype().isCastable();
            if (!number || BUFFERS.contains(name.substring(name.lastIndexOf('.') + 1))) {
              buffers.add(name);
            }
          });
    }
    buffers.retainAll(tensors.keySet());
    return buffers;
  }

  private void requireAgreement(List<String> parameters, List<TorchValue> averages) {
    Map<String, Shape> shapes = shapes();
    int both = Math.min(parameters.size(), averages.size());
    for (int i = 0; i < both; i++) {
      String name = parameters.get(i);
      Shape shape = shapes.getOrDefault(name, tensors.get(name).shape());
      Shape average = averages.get(i).tensor().shape();
      if (!average.equals(shape)) {
        throw CheckpointFailures.notInOrder(
            list.key(),
            i,
            average + " where the model's parameter is " + name + " " + shape,
            list.dict().place());
      }
    }
    if (parameters.size() != averages.size()) {
      String first =
          parameters.size() > both
              ? "missing for the model's " + parameters.get(both)
              : averages.get(both).tensor().shape() + " beyond the last parameter of the model";
      throw CheckpointFailures.notInOrder(
          list.key(),
          both,
          first + ": " + averages.size() + " for " + Counted.of(parameters.size(), "parameter"),
          list.dict().place());
    }
  }

  /** What DeepSpeed says of parameters of which a rank has a part alone. */
  private Map<String, Shape> shapes() {
    Map<String, Shape> shapes = new HashMap<>();
    for (String key : List.of(SHAPES, FROZEN)) {
      root.find(key).stream()
          .flatMap(v -> v.isSequence() ? v.items().stream() : List.of(v).stream())
          .filter(TorchValue::isDict)
          .flatMap(group -> group.entries().stream())
          .forEach(e -> shapes.put(e.getKey(), e.getValue().shape()));
    }
    return shapes;
  }
}
