package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.gather.TensorDigest;
import java.util.Map;

/**
 * A model that a conversion has published, as a catalog takes it.
 *
 * @param output the result
 * @param component folder of the weights in it; empty for the result itself
 * @param tag the saved step that it was made of; empty if the checkpoint has none
 * @param fingerprint the same for conversions that write the same bytes
 * @param digests by tensor, what it holds: of those that were measured while they were written
 */
public record ConvertedModel(
    Location output,
    String component,
    String tag,
    String fingerprint,
    Map<String, TensorDigest> digests) {
  /** The folder of the weights. */
  Location weights() {
    return component.isEmpty() ? output : output.child(component);
  }
}
