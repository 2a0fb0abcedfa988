package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What of its input's name a result keeps, where neither an option, nor a base, nor a mapping says
 * how it is called. A model is {@code model}, whatever its file was called, but for names by which
 * loaders find a file, and for the file of an adapter, which has no other name.
 */
public final class InputName {
  private static final String ADAPTER_OF_DIFFUSERS = "pytorch_lora_weights";

  /** {@code diffusers/loaders/lora_base.py} and {@code peft/utils/constants.py}. */
  private static final Set<String> ADAPTERS = Set.of(ADAPTER_OF_DIFFUSERS, "adapter_model");

  /**
   * Of components of a pipeline ({@code diffusers/utils/constants.py}), of embeddings ({@code
   * diffusers/loaders/textual_inversion.py}), and of Mistral's own files.
   */
  private static final Set<String> LOOKED_FOR =
      Set.of("diffusion_pytorch_model", "learned_embeds", "consolidated");

  /** By what trainers say of an adapter: diffusers, and the scripts of kohya. */
  private static final Set<String> SAID_OF_ADAPTERS =
      Set.of("lora_adapter_metadata", "ss_network_module");

  private static final Pattern ADAPTER_TENSOR =
      Pattern.compile("(^|[._])(lora|loha|lokr|hada|oft)[._]");

  /** What stands beside such tensors in their file. */
  private static final Pattern BESIDE_THEM = Pattern.compile("\\.(alpha|dora_scale|diff|diff_b)$");

  private static final Pattern NUMBER = Pattern.compile("-\\d{4,6}-of-\\d{4,6}$");
  private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*");

  private InputName() {}

  /**
   * The first part of the names of the result's files; empty for the usual one.
   *
   * @param ofConfig what the library looks for whose config comes along with an adapter
   */
  static Optional<String> kept(Checkpoint checkpoint, Optional<String> ofConfig) {
    List<String> stems =
        checkpoint.files().stream().map(InputName::stem).distinct().limit(2).toList();
    if (stems.size() != 1) {
      return Optional.empty();
    }
    String stem = stems.get(0);
    String known = withoutVariant(stem);
    if (ADAPTERS.contains(known) || LOOKED_FOR.contains(known)) {
      return Optional.of(known);
    }
    if (!isAdapter(checkpoint)) {
      return Optional.empty();
    }
    return ofConfig.or(
        () -> Optional.of(FILE_NAME.matcher(stem).matches() ? stem : ADAPTER_OF_DIFFUSERS));
  }

  /** Whether this is what was trained beside a model, and not a model. */
  public static boolean isAdapter(Checkpoint checkpoint) {
    if (checkpoint.files().stream().allMatch(f -> ADAPTERS.contains(withoutVariant(stem(f))))) {
      return true;
    }
    // The files of a training run have names of their own kind, whatever is in them.
    if (!checkpoint.files().stream().allMatch(f -> f.name().endsWith(".safetensors"))) {
      return false;
    }
    if (checkpoint.metadata().keySet().stream().anyMatch(SAID_OF_ADAPTERS::contains)) {
      return true;
    }
    List<String> others =
        checkpoint.tensors().stream()
            .map(NamedTensor::name)
            .filter(name -> !ADAPTER_TENSOR.matcher(name).find())
            .toList();
    return others.size() < checkpoint.tensors().size()
        && others.stream().allMatch(name -> BESIDE_THEM.matcher(name).find());
  }

  private static String stem(InputFile file) {
    String name = file.name();
    int dot = name.lastIndexOf('.');
    return NUMBER.matcher(dot < 0 ? name : name.substring(0, dot)).replaceFirst("");
  }

  /** {@code fp16} in a name says of which type the input is, which the result need not be. */
  private static String withoutVariant(String stem) {
    int dot = stem.indexOf('.');
    return dot < 0 ? stem : stem.substring(0, dot);
  }
}
