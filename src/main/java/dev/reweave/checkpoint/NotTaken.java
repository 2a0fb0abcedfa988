package dev.reweave.checkpoint;

import dev.reweave.common.Counted;
import dev.reweave.common.Redacted;
import java.io.Serializable;

/**
 * What lies at an address, or in a file that was opened, and is not in the result.
 *
 * @param name what it is, as people find it again: {@code model.safetensors}, {@code 'ema' in
 *     last.pt}
 * @param tensors how many it holds; {@link #UNCOUNTED} where that was not found out
 * @param reason why it is not taken, with what to do to have it: {@code not read: name it to
 *     convert it}
 * @param place its address
 */
public record NotTaken(String name, long tensors, String reason, String place)
    implements Serializable {
  /** In place of a number of tensors that nobody knows. */
  public static final long UNCOUNTED = -1;

  public NotTaken {
    if (name.isBlank() || reason.isBlank() || tensors < UNCOUNTED) {
      throw new IllegalArgumentException("nothing that can be told: " + name + ": " + reason);
    }
    place = Redacted.text(place);
  }

  /** In one line: what, how much, and why. */
  public String text() {
    return name + (tensors < 0 ? "" : ", " + Counted.grouped(tensors, "tensor")) + ", " + reason;
  }
}
