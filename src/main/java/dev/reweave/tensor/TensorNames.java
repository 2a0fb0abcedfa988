package dev.reweave.tensor;

import dev.reweave.common.ReweaveException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * What the name of a tensor may be. Any character is allowed that UTF-8 can write, as torch and
 * safetensors allow it; what would make two names one, on some disk or for some reader, is not.
 */
public final class TensorNames {
  /** Longest name, in bytes of UTF-8: as long as a path may be on Linux. */
  static final int MOST_BYTES = 4096;

  /** What a safetensors header keeps of the file in the place of a tensor. */
  private static final String METADATA = "__metadata__";

  private TensorNames() {}

  /**
   * Refuses names that a model cannot have.
   *
   * @param names of all tensors of one model, tied ones too
   * @param place whose they are, for messages
   * @throws ReweaveException if one is empty, too long, no Unicode or taken, or two are the same
   *     text
   */
  public static void require(Collection<String> names, String place) {
    Map<String, String> normal = new HashMap<>();
    for (String name : names) {
      requireUsable(name, place);
      String other = normal.putIfAbsent(Normalizer.normalize(name, Normalizer.Form.NFC), name);
      if (other != null && other.equals(name)) {
        throw TensorFailures.sameName(name, place);
      }
      if (other != null) {
        throw TensorFailures.sameText(other, name, place);
      }
    }
  }

  private static void requireUsable(String name, String place) {
    if (name.isEmpty()) {
      throw TensorFailures.emptyName(place);
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw TensorFailures.nameNotUnicode(name, place);
    }
    // Three bytes are the most that one char takes.
    if (name.length() > MOST_BYTES / 3) {
      int bytes = name.getBytes(StandardCharsets.UTF_8).length;
      if (bytes > MOST_BYTES) {
        throw TensorFailures.nameTooLong(name, bytes, MOST_BYTES, place);
      }
    }
    if (name.equals(METADATA)) {
      throw TensorFailures.nameMeansMetadata(METADATA, place);
    }
  }
}
