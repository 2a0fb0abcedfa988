package dev.reweave.convert;

import dev.reweave.common.Location;
import dev.reweave.storage.Stores;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the user asks for, before it is known which steps that is.
 *
 * @param input the checkpoint
 * @param output where each result goes
 */
public record AskedConversion(Location input, OutputTemplate output, ConversionOptions options) {
  private static final String ALL = "all";
  private static final String NEW = "new";

  /** Where its tasks read and write: for each place that the output may name, one such. */
  public List<Location> addresses(Stores stores, LocalDate date) {
    List<Location> addresses = new ArrayList<>(List.of(input));
    addresses.add(output.fill(stores, Optional.of("tag"), date));
    options.base().ifPresent(base -> addresses.add(base.address()));
    return addresses;
  }

  /** Whether steps are asked for that may be several: {@code all} or {@code new}. */
  public boolean isOfSeveral() {
    return tag().filter(tag -> tag.equals(ALL) || tag.equals(NEW)).isPresent();
  }

  /** Whether steps are not asked for that have a finished result. */
  boolean isOfNewAlone() {
    return tag().filter(NEW::equals).isPresent();
  }

  private Optional<String> tag() {
    return options.reading().tag();
  }
}
