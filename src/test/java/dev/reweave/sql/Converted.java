package dev.reweave.sql;

import dev.reweave.convert.Conversion;
import dev.reweave.testing.Locations;

/** What conversions in tests hand to a catalog, as the command line does. */
final class Converted {
  private Converted() {}

  static ConvertedModel of(Conversion.Outcome outcome, String output) {
    return new ConvertedModel(Locations.of(output), outcome.manifest(), outcome.digests());
  }
}
