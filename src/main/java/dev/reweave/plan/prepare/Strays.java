package dev.reweave.plan.prepare;

import dev.reweave.target.base.WeightlessModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Files in a folder of weights that loaders take in place of these weights, or beside them, by
 * their names. The order in which they look, as seen with transformers 5.24 ({@code
 * _get_resolved_checkpoint_files}) and diffusers 0.42 ({@code ModelMixin.from_pretrained}):
 *
 * <ul>
 *   <li>transformers: {@code model.safetensors}, its index, {@code pytorch_model.bin}, its index;
 *   <li>diffusers: the index, then the single file; safetensors before {@code .bin};
 *   <li>both, asked for a variant: the files of that alone;
 *   <li>transformers, where peft is installed: with an {@code adapter_config.json} the adapter that
 *       it tells of, on top of the model; without a {@code config.json} on top of another one.
 * </ul>
 */
public final class Strays {
  private static final List<String> OF_MODELS =
      List.of("model", "pytorch_model", "diffusion_pytorch_model", "adapter_model");

  /** Weights that are no model, but are put on top of one. */
  private static final Set<String> OF_ADAPTERS = Set.of("adapter_model", "pytorch_lora_weights");

  private static final Pattern WEIGHTS =
      Pattern.compile("(?<stem>[^.]+?)(\\..+?)?(-\\d+-of-\\d+)?(\\..+?)?\\.(safetensors|bin)");

  private Strays() {}

  /**
   * The strays in a place for a result.
   *
   * @param present paths of what is there
   * @param made paths of the result's files, or of those that it will have
   * @return in the order of {@code present}
   */
  public static List<String> among(Collection<String> present, Collection<String> made) {
    Map<String, Set<String>> stems = new TreeMap<>();
    for (String path : made) {
      Matcher weights = WEIGHTS.matcher(nameOf(path));
      if (weights.matches()) {
        stems
            .computeIfAbsent(folderOf(path), f -> new LinkedHashSet<>())
            .add(weights.group("stem"));
      }
    }
    Map<String, Pattern> loaded = new TreeMap<>();
    stems.forEach((folder, own) -> loaded.put(folder, loadedBeside(own)));
    Set<String> ours = new HashSet<>(made);
    List<String> strays = new ArrayList<>();
    for (String path : present) {
      Pattern names = loaded.get(folderOf(path));
      if (names != null && !ours.contains(path) && names.matcher(nameOf(path)).matches()) {
        strays.add(path);
      }
    }
    return strays;
  }

  /** Weights of other names beside the result, which loaders that take every file would take. */
  public static List<String> others(Collection<String> present, Collection<String> made) {
    Set<String> folders =
        made.stream()
            .filter(path -> WEIGHTS.matcher(nameOf(path)).matches())
            .map(Strays::folderOf)
            .collect(Collectors.toSet());
    Set<String> known = new HashSet<>(made);
    known.addAll(among(present, made));
    return present.stream()
        .filter(path -> path.endsWith(".safetensors") && folders.contains(folderOf(path)))
        .filter(path -> !known.contains(path))
        .toList();
  }

  private static Pattern loadedBeside(Set<String> own) {
    Set<String> stems = new LinkedHashSet<>(own);
    boolean model = !OF_ADAPTERS.containsAll(own);
    if (model) {
      stems.addAll(OF_MODELS);
    }
    String any = stems.stream().map(Pattern::quote).collect(Collectors.joining("|", "(", ")"));
    return Pattern.compile(
        any
            + "(\\.[A-Za-z0-9_-]+?)?(-\\d+-of-\\d+)?(\\.[A-Za-z0-9_-]+)?\\.(safetensors|bin)|"
            + any
            + "\\.(safetensors|bin)\\.index(\\.[A-Za-z0-9_-]+)?\\.json"
            + (model ? "|" + Pattern.quote(WeightlessModel.ADAPTER_CONFIG) : ""));
  }

  private static String folderOf(String path) {
    return path.substring(0, path.lastIndexOf('/') + 1);
  }

  private static String nameOf(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }
}
