package dev.reweave.format.safetensors;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Names of tensors among the metadata of a header or an index: where two names mean one tensor,
 * {@code save_pretrained} writes one, and says of the other in the metadata which was kept ({@code
 * huggingface_hub/serialization/_torch.py}, {@code _clean_state_dict_for_safetensors}).
 */
public final class TiedNames {
  /** Keys that mean something else, whatever their values are. */
  private static final Pattern NO_NAME =
      Pattern.compile("|" + SafetensorsHeader.METADATA_KEY + "|format|(ss|sshs)_.*|modelspec\\..*");

  private TiedNames() {}

  /**
   * The entries that tie a name to a tensor: the key is no tensor, and the value is the name of
   * one. All others are metadata.
   *
   * @param metadata in any order, which is kept
   * @param tensors names of all tensors of the model
   * @return each dropped name and the one that was kept
   */
  public static Map<String, String> among(Map<String, String> metadata, Set<String> tensors) {
    Map<String, String> ties = new LinkedHashMap<>();
    metadata.forEach(
        (key, value) -> {
          if (tensors.contains(value)
              && !tensors.contains(key)
              && !NO_NAME.matcher(key).matches()) {
            ties.put(key, value);
          }
        });
    return ties;
  }
}
