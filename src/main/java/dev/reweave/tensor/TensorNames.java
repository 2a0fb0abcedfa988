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

  private static final int SHOWN_CHARS = 200;
  private static final String RENAME =
      "rename or drop the tensor where it was saved: this is no name of a parameter";

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
        throw new ReweaveException(
            "two tensors are called " + shown(name), place, "keep one of them where it was saved");
      }
      if (other != null) {
        throw new ReweaveException(
            "the names "
                + spelled(other)
                + " and "
                + spelled(name)
                + " are the same text in two spellings of Unicode",
            place,
            "rename one of them where it was saved");
      }
    }
  }

  private static void requireUsable(String name, String place) {
    if (name.isEmpty()) {
      throw new ReweaveException("a tensor has an empty name", place, RENAME);
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw new ReweaveException(
          "the name " + shown(name) + " has half a surrogate pair, which UTF-8 cannot write",
          place,
          RENAME);
    }
    // Three bytes are the most that one char takes.
    if (name.length() > MOST_BYTES / 3) {
      int bytes = name.getBytes(StandardCharsets.UTF_8).length;
      if (bytes > MOST_BYTES) {
        throw new ReweaveException(
            "the name " + shown(name) + " has " + bytes + " bytes, more than " + MOST_BYTES,
            place,
            RENAME);
      }
    }
    if (name.equals(METADATA)) {
      throw new ReweaveException(
          "the name '" + METADATA + "' means metadata in a safetensors file", place, RENAME);
    }
  }

  private static String shown(String name) {
    return "'" + (name.length() <= SHOWN_CHARS ? name : name.substring(0, SHOWN_CHARS) + "…") + "'";
  }

  /** In ASCII, as the two look the same. */
  private static String spelled(String name) {
    StringBuilder ascii = new StringBuilder();
    for (char c : shown(name).toCharArray()) {
      if (c < 0x80) {
        ascii.append(c);
      } else {
        ascii.append(String.format("\\u%04x", (int) c));
      }
    }
    return ascii.toString();
  }
}
