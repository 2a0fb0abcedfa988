package dev.reweave.target.base;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Finds the component of a base that a result is meant for. */
final class ComponentChoice {
  private static final List<String> PREFERRED = List.of("transformer", "unet");

  private final BaseFolder base;
  private final Optional<String> variant;

  ComponentChoice(BaseFolder base, Optional<String> variant) {
    this.base = base;
    this.variant = variant;
  }

  Component choose(Optional<String> wanted, Optional<String> mapped, Collection<String> names) {
    if (!base.isPipeline()) {
      if (wanted.isPresent()) {
        throw BaseFailures.noComponents(wanted.get());
      }
      return read("");
    }
    if (wanted.isPresent()) {
      return named(wanted.get(), "--component " + wanted.get());
    }
    if (mapped.isPresent()) {
      return named(mapped.get(), "component " + mapped.get() + " of the mapping");
    }
    return byNames(names);
  }

  private Component named(String folder, String place) {
    if (!base.components().containsKey(folder)) {
      throw BaseFailures.noSuchComponent(candidates(), place);
    }
    return read(folder);
  }

  private Component byNames(Collection<String> names) {
    List<String> candidates = candidates();
    if (candidates.isEmpty()) {
      throw BaseFailures.noComponentHasSafetensors(base.address().uri());
    }
    if (candidates.size() == 1) {
      return read(candidates.get(0));
    }
    Set<String> wanted = Set.copyOf(names);
    Map<String, Long> matches = new TreeMap<>();
    for (String folder : candidates) {
      // The variant is that of the component which is chosen in the end.
      Component any = new ComponentReader(base, folder).readAny();
      matches.put(folder, any.tensors().keySet().stream().filter(wanted::contains).count());
    }
    long best = matches.values().stream().mapToLong(Long::longValue).max().orElse(0);
    List<String> tied = new ArrayList<>(matches.keySet());
    tied.removeIf(folder -> matches.get(folder) < best);
    String chosen = tied.size() == 1 ? tied.get(0) : preferred(tied);
    Component component = read(chosen);
    tied.remove(chosen);
    return best == 0 || tied.isEmpty()
        ? component
        : component.withNote(
            "tensors are called alike in "
                + Shortened.list(tied)
                + " and in "
                + chosen
                + ", which was taken; --component names another");
  }

  private String preferred(List<String> folders) {
    return PREFERRED.stream()
        .filter(folders::contains)
        .findFirst()
        .orElseThrow(() -> BaseFailures.whichComponent(candidates(), base.address().uri()));
  }

  /** Components with safetensors. */
  private List<String> candidates() {
    return base.components().keySet().stream()
        .filter(folder -> base.names(folder).stream().anyMatch(WeightFile::isSafetensors))
        .toList();
  }

  private Component withoutWeights() {
    boolean adapter = !base.files().containsKey(FolderClass.CONFIG);
    return new Component(
        "",
        base.address(),
        WeightNames.of(adapter ? "adapter_model" : usualStem(), variant),
        Map.of(),
        Map.of(),
        Map.of(),
        Optional.empty(),
        List.of(
            "the base has no weights, so names and shapes of the tensors were compared with "
                + (adapter ? "nothing" : "its config.json alone")));
  }

  /** What the library looks for that has written the config. */
  private String usualStem() {
    return FolderClass.isOfDiffusers(base.json(FolderClass.CONFIG))
        ? "diffusion_pytorch_model"
        : "model";
  }

  private Component read(String folder) {
    if (!base.hasWeights()) {
      return withoutWeights();
    }
    return new ComponentReader(base, folder).read(variant);
  }
}
