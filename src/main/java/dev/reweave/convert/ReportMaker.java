package dev.reweave.convert;

import dev.reweave.common.Location;
import java.util.Optional;

/** Makes a report of a conversion that is published, to lie beside its manifest. */
public interface ReportMaker {
  /** Where nobody asked for one. */
  ReportMaker NONE = (outcome, output) -> Optional.empty();

  /** The content of the file; empty if there is to be none. */
  Optional<byte[]> of(Conversion.Outcome outcome, Location output);
}
