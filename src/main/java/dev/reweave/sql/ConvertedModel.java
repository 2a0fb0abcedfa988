package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.gather.TensorDigest;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.prepare.BaseUsed;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;

/**
 * A model that a conversion has published, as a catalog takes it.
 *
 * @param output the result
 * @param manifest of it
 * @param digests by tensor, what it holds: of those that were measured while they were written
 */
public record ConvertedModel(
    Location output, Manifest manifest, Map<String, TensorDigest> digests) {
  /** What it is listed under. */
  String name() {
    return output.name();
  }

  /** The same for conversions that write the same bytes, wherever. */
  String fingerprint() {
    return manifest.fingerprint();
  }

  /** The same for conversions that write the same bytes to the same place. */
  String run() {
    byte[] what = (fingerprint() + "\n" + output.uri()).getBytes(StandardCharsets.UTF_8);
    return UUID.nameUUIDFromBytes(what).toString();
  }

  /** The saved step that it was made of; empty if the checkpoint has none. */
  String tag() {
    return manifest.input().tag();
  }

  /** The folder of the weights. */
  Location weights() {
    String component = manifest.baseUsed().map(BaseUsed::component).orElse("");
    return component.isEmpty() ? output : output.child(component);
  }
}
