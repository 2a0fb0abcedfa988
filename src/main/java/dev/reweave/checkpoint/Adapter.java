package dev.reweave.checkpoint;

import dev.reweave.storage.InputFile;
import java.util.List;
import java.util.Optional;

/**
 * An adapter that is a checkpoint's only model.
 *
 * @param config the text of its {@code adapter_config.json}; empty if it would not be whole
 * @param file what the config was read from, or a part of it; empty if it was made
 * @param missing keys that the config would need, if it is not whole
 */
public record Adapter(Optional<String> config, Optional<InputFile> file, List<String> missing) {
  /** What PEFT looks for beside the weights. */
  public static final String CONFIG_NAME = "adapter_config.json";

  /** The first part of the names of its files ({@code peft/utils/constants.py}). */
  public static final String WEIGHTS_NAME = "adapter_model";

  private static final String SCALE = "lora_alpha";

  public Adapter {
    missing = List.copyOf(missing);
  }

  /** What becomes of its config. */
  public String note() {
    if (config.isEmpty()) {
      return "no "
          + CONFIG_NAME
          + " is written, and PEFT loads no adapter without one: names and shapes do not tell "
          + String.join(", ", missing)
          + "; name with --adapter-config a file that does, such as "
          + example();
    }
    return CONFIG_NAME
        + (file.isEmpty()
            ? " is made from names and shapes"
            : " comes along, from " + file.get().uri());
  }

  /**
   * Requires a config that PEFT loads.
   *
   * @param place of the checkpoint, for messages
   * @throws dev.reweave.common.ReweaveException if there is none
   */
  public void requireConfig(String place) {
    if (config.isEmpty()) {
      throw CheckpointFailures.noAdapterConfig(String.join(", ", missing), example(), place);
    }
  }

  private String example() {
    return missing.contains(SCALE) ? "{\"" + SCALE + "\": 16}" : "{\"" + missing.get(0) + "\": …}";
  }
}
