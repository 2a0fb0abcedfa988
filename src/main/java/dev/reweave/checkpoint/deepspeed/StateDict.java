package dev.reweave.checkpoint.deepspeed;

import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tensors of a checkpoint while they are put together, in order, with their tied names. */
final class StateDict {
  private final Map<String, NamedTensor> tensors = new LinkedHashMap<>();
  private final Map<String, String> aliases = new LinkedHashMap<>();
  private final List<String> notes = new ArrayList<>();

  /** Adds a tensor; one of the same name keeps its place and gets this content. */
  void add(NamedTensor tensor) {
    tensors.put(tensor.name(), tensor);
  }

  /** Adds what is not there yet of another, behind the tensors that are. */
  void addAll(StateDict other) {
    other.tensors.forEach(tensors::putIfAbsent);
    other.aliases.forEach(this::tie);
    other.notes.stream().filter(note -> !notes.contains(note)).forEach(notes::add);
  }

  /** The tensor of a name; only where {@link #hasTensor}. */
  NamedTensor tensor(String name) {
    return tensors.get(name);
  }

  boolean hasTensor(String name) {
    return tensors.containsKey(name);
  }

  boolean has(String name) {
    return tensors.containsKey(name) || aliases.containsKey(name);
  }

  /** Says that {@code alias} is another name of {@code name}, which may be an alias itself. */
  void tie(String alias, String name) {
    String kept = aliases.getOrDefault(name, name);
    if (tensors.containsKey(kept) && !has(alias)) {
      aliases.put(alias, kept);
    }
  }

  /** Puts tensors in the order of names, and behind them those that are not named, as they were. */
  void reorder(List<String> names) {
    Map<String, NamedTensor> before = new LinkedHashMap<>(tensors);
    tensors.clear();
    for (String name : names) {
      NamedTensor tensor = before.remove(name);
      if (tensor != null) {
        tensors.put(name, tensor);
      }
    }
    tensors.putAll(before);
  }

  void note(String note) {
    notes.add(note);
  }

  List<NamedTensor> tensors() {
    return List.copyOf(tensors.values());
  }

  Map<String, String> aliases() {
    return aliases;
  }

  List<String> notes() {
    return notes;
  }
}
