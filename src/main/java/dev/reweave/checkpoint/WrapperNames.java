package dev.reweave.checkpoint;

import dev.reweave.common.FirstNames;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Names without the parts that modules around others put into them: they say how a model was run,
 * not what its parameters are called.
 */
public final class WrapperNames {
  /**
   * Attributes under which wrappers keep a module, of which no model has one of its own: {@code
   * OptimizedModule} ({@code torch/_dynamo/eval_frame.py}), {@code checkpoint_wrapper} ({@code
   * torch/distributed/algorithms/_checkpoint/checkpoint_wrapper.py}), FSDP of today and before
   * torch 1.13 ({@code torch/distributed/fsdp/_common_utils.py}), and Lightning's around DeepSpeed
   * and FSDP ({@code lightning/fabric/wrappers.py}).
   */
  private static final Set<String> WRAPPERS =
      Set.of(
          "_orig_mod",
          "_checkpoint_wrapped_module",
          "_fsdp_wrapped_module",
          "_fpw_module",
          "_forward_module");

  /** Where DDP and others keep it: a wrapper's if all names have it, as a model may have one. */
  private static final String MODULE = "module";

  private WrapperNames() {}

  /** A name without what can only be a wrapper's. */
  public static String without(String name) {
    return WRAPPERS.stream().noneMatch(name::contains) ? name : join(parts(name), WRAPPERS);
  }

  /**
   * The checkpoint under names without wrappers'; as it is, with a note, if two of its tensors
   * would get one name. Two names of one tensor can.
   */
  public static Checkpoint without(Checkpoint saved) {
    Map<String, String> names = names(saved.names());
    Set<String> taken = new TreeSet<>();
    Map<String, String> owners = new HashMap<>();
    names.forEach(
        (before, after) -> {
          if (!before.equals(after)) {
            List<String> left = new ArrayList<>(parts(before));
            parts(after).forEach(left::remove);
            left.forEach(part -> taken.add(part + "."));
          }
        });
    if (taken.isEmpty()) {
      return saved;
    }
    UnaryOperator<String> kept = name -> saved.aliases().getOrDefault(name, name);
    for (Map.Entry<String, String> entry : names.entrySet()) {
      String other = owners.putIfAbsent(entry.getValue(), entry.getKey());
      if (other != null && !kept.apply(other).equals(kept.apply(entry.getKey()))) {
        return saved.with(
            saved
                .remarks()
                .withNote(
                    "names keep their wrappers' parts ("
                        + String.join(", ", taken)
                        + "), without which two tensors would be called "
                        + FirstNames.of(List.of(entry.getValue()))
                        + ": "
                        + FirstNames.of(List.of(other, entry.getKey()))));
      }
    }
    return renamed(saved, names, taken);
  }

  private static Checkpoint renamed(
      Checkpoint saved, Map<String, String> names, Set<String> taken) {
    List<NamedTensor> tensors =
        saved.tensors().stream().map(t -> t.renamed(names.get(t.name()))).toList();
    Map<String, String> aliases = new LinkedHashMap<>();
    saved
        .aliases()
        .forEach(
            (alias, kept) -> {
              if (!names.get(alias).equals(names.get(kept))) {
                aliases.put(names.get(alias), names.get(kept));
              }
            });
    long changed = names.entrySet().stream().filter(e -> !e.getKey().equals(e.getValue())).count();
    String note =
        String.join(", ", taken)
            + " of wrappers left off "
            + changed
            + " of "
            + names.size()
            + " names; --names as-saved keeps them";
    return new Checkpoint(
        saved.source(),
        saved.files(),
        tensors,
        aliases,
        saved.metadata(),
        saved.remarks().withNote(note),
        saved.arguments());
  }

  /** What each name becomes, in the same order. */
  private static Map<String, String> names(List<String> saved) {
    Map<String, String> names = new LinkedHashMap<>();
    saved.forEach(name -> names.put(name, without(name)));
    while (!names.isEmpty() && names.values().stream().allMatch(WrapperNames::hasModule)) {
      names.replaceAll((before, after) -> withoutFirstModule(after));
    }
    return names;
  }

  private static boolean hasModule(String name) {
    return withoutFirstModule(name).length() < name.length();
  }

  private static String withoutFirstModule(String name) {
    List<String> parts = new ArrayList<>(parts(name));
    int first = parts.subList(0, parts.size() - 1).indexOf(MODULE);
    if (first >= 0) {
      parts.remove(first);
    }
    return String.join(".", parts);
  }

  private static List<String> parts(String name) {
    return Arrays.asList(name.split("\\.", -1));
  }

  /** The parts but those of {@code left}; the last is the parameter's own name. */
  private static String join(List<String> parts, Set<String> left) {
    String last = parts.get(parts.size() - 1);
    List<String> kept =
        parts.subList(0, parts.size() - 1).stream()
            .filter(part -> !left.contains(part))
            .collect(Collectors.toCollection(ArrayList::new));
    kept.add(last);
    return String.join(".", kept);
  }
}
