package dev.reweave.tensor;

import java.util.Collection;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Names of tensors in a model into which PEFT has put an adapter's layers ({@code
 * peft/tuners/lora/layer.py}, {@code peft/utils/other.py}). They are what it has in memory, which
 * neither it nor another library loads.
 */
public final class AdapterNames {
  /** What an adapter trains: its matrices, and whole modules beside them. */
  private static final Pattern TRAINED =
      Pattern.compile(
          "(?:.*\\.)?(?:lora_(?:A|B|embedding_A|embedding_B|magnitude_vector)|modules_to_save"
              + "|trainable_tokens_delta)\\.[^.]+(?:\\..*)?");

  /** A module of the model that an adapter stands around, or that it trains a copy of. */
  private static final Pattern REPLACED =
      Pattern.compile("(?:.*\\.)?(?:base_layer|original_module)\\..*");

  private AdapterNames() {}

  private static boolean isTrained(String name) {
    return TRAINED.matcher(name).matches();
  }

  /**
   * What can be done with a model that has an adapter's layers in it; empty if these are names of
   * something else, an adapter alone among it.
   *
   * @param names of all tensors
   */
  public static Optional<String> inModel(Collection<String> names) {
    boolean isThere =
        names.stream().anyMatch(AdapterNames::isTrained)
            && names.stream().anyMatch(n -> REPLACED.matcher(n).matches());
    return Optional.of(
            "this is a model with the layers of an adapter in it, under the names that PEFT has in"
                + " memory ("
                + names.stream().filter(AdapterNames::isTrained).count()
                + " of "
                + names.size()
                + " tensors are the adapter's): --mapping peft-adapter makes the adapter alone, as"
                + " PEFT loads it, and --mapping peft-base the model without what the adapter"
                + " trained; they are not merged here, but PEFT's merge_and_unload does that with"
                + " both")
        .filter(text -> isThere);
  }
}
