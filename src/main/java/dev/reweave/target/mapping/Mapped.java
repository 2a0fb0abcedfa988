package dev.reweave.target.mapping;

import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a mapping made of tensors.
 *
 * @param tensors in the order of their sources; a joined one stands where its first source stood
 * @param aliases tied names: each name that is not in {@code tensors} to the one that is
 * @param rows what became of each source, in order
 * @param notes what the user should know: what was left out, and why
 */
public record Mapped(
    List<NamedTensor> tensors, Map<String, String> aliases, List<Row> rows, List<String> notes) {

  public Mapped {
    tensors = List.copyOf(tensors);
    aliases = Collections.unmodifiableMap(new LinkedHashMap<>(aliases));
    rows = List.copyOf(rows);
    notes = List.copyOf(notes);
  }

  /**
   * What one tensor gives to another.
   *
   * @param source the tensor's name
   * @param target the name of what it becomes, or becomes a part of; empty where it is left out
   * @param shape of what it gives
   */
  public record Row(String source, String target, Shape shape) {}
}
