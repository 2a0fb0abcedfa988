package dev.reweave.tensor;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a tensor that an adapter has trained, as PEFT has it in memory, taken apart: {@code
 * MODULE.KIND.ADAPTER.REST}, with dots between.
 *
 * @param module that the adapter stands around; empty for the model itself
 * @param kind of the tensor, such as {@code lora_A} or {@code modules_to_save}
 * @param adapter its name among several of one model, such as {@code default}
 * @param rest what is behind it, such as {@code weight}; can be empty
 */
public record AdapterName(String module, String kind, String adapter, String rest) {
  /** What {@code get_peft_model} puts the model under. */
  static final String PREFIX = "base_model.model.";

  private static final String MODULES = "modules_to_save";
  private static final String TOKENS = "trainable_tokens_delta";
  private static final String OLD_TOKENS = "trainable_tokens_original";
  private static final String MAGNITUDE = "lora_magnitude_vector";

  /** {@code adapter_layer_names} of the layers in {@code peft/tuners} and {@code peft/utils}. */
  private static final Pattern TRAINED =
      Pattern.compile(
          "(?:(.*)\\.)?(lora_(?:[A-Z]|embedding_[A-Z]|magnitude_vector|[a-z]+)|"
              + MODULES
              + "|"
              + TOKENS
              + "|"
              + OLD_TOKENS
              + ")\\.([^.]+)(?:\\.(.+))?");

  private static final Pattern IN_FILE =
      Pattern.compile(
          "(?:(.*)\\.)?(lora_(?:[A-Z]|embedding_[A-Z]|magnitude_vector)|"
              + TOKENS
              + ")(?:\\.(weight|bias))?");

  /** In an adapter's file the kind is followed by this at once. */
  private static final Pattern PARAMETER = Pattern.compile("weight|bias");

  /** Takes a name apart; empty if it is none of an adapter in memory. */
  public static Optional<AdapterName> parse(String name) {
    Matcher matcher = TRAINED.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String rest = Optional.ofNullable(matcher.group(4)).orElse("");
    String kind = matcher.group(2);
    boolean asInFile = rest.isEmpty() && PARAMETER.matcher(matcher.group(3)).matches();
    if (asInFile || (rest.isEmpty() && kind.equals(MODULES))) {
      return Optional.empty();
    }
    String module = Optional.ofNullable(matcher.group(1)).orElse("");
    return Optional.of(new AdapterName(module, kind, matcher.group(3), rest));
  }

  /** Whether this is a whole module that was trained in the place of the model's own. */
  public boolean isOfModule() {
    return kind.equals(MODULES);
  }

  /** Whether these are rows of an embedding that were trained. */
  public boolean isOfTokens() {
    return kind.equals(TOKENS) || kind.equals(OLD_TOKENS);
  }

  /** Whether this is part of a LoRA layer. */
  public boolean isOfLayer() {
    return !isOfModule() && !isOfTokens();
  }

  /** Whether these are DoRA's magnitudes. */
  public boolean isMagnitude() {
    return kind.equals(MAGNITUDE);
  }

  /**
   * The name in the file that {@code save_pretrained} writes, without the adapter's ({@code
   * _remove_adapter_name_from_state_dict_key} in {@code peft/tuners/tuners_utils.py}); magnitudes
   * have no {@code .weight} there, as {@code LoraModel} says. Empty for what is not saved.
   */
  public Optional<String> inFile() {
    if (kind.equals(OLD_TOKENS)) {
      return Optional.empty();
    }
    String path = isOfModule() ? module : join(module, kind);
    boolean bare = rest.isEmpty() || (isMagnitude() && rest.equals("weight"));
    return Optional.of(prefixed(bare ? path : join(path, rest)));
  }

  /**
   * The name in memory of what has this one in an adapter's file ({@code
   * _insert_adapter_name_into_state_dict} in {@code peft/utils/save_and_load.py}). Empty for what
   * is no part of a layer there, such as a module that was trained.
   */
  public static Optional<String> inMemory(String inFile, String adapter) {
    Matcher matcher = IN_FILE.matcher(inFile);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String path = join(Optional.ofNullable(matcher.group(1)).orElse(""), matcher.group(2));
    String own = join(path, adapter);
    return Optional.of(
        Optional.ofNullable(matcher.group(3)).map(rest -> join(own, rest)).orElse(own));
  }

  /**
   * The name in memory of a tensor of a module that was trained.
   *
   * @param inBase its name in the model without adapters
   */
  public static String ofModule(String inBase, String adapter) {
    int dot = inBase.lastIndexOf('.');
    String module = PREFIX + inBase.substring(0, dot + 1);
    return module + MODULES + "." + adapter + "." + inBase.substring(dot + 1);
  }

  /** A name as in an adapter's file, where all begin in one way. */
  static String prefixed(String name) {
    return name.startsWith(PREFIX) ? name : PREFIX + name;
  }

  private static String join(String path, String part) {
    return path.isEmpty() ? part : path + "." + part;
  }
}
