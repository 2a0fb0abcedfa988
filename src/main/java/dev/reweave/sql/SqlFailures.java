package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.ReweaveException;

/** What can be wrong with a query and with a catalog, in words of the user. */
final class SqlFailures {
  private SqlFailures() {}

  /** Several addresses, and the option {@code model}. */
  static ReweaveException oneNameForSeveral() {
    return ReweaveException.usage(
        "one name for several models",
        "option " + SourceOptions.MODEL,
        "leave it out, or load one address");
  }

  /** Neither {@code load(URI)} nor {@code path}. */
  static ReweaveException noAddress() {
    return ReweaveException.usage(
        "no address is given",
        "format reweave",
        "name a checkpoint: load(URI), or OPTIONS (path 'URI')");
  }

  /** The option {@code paths} is of another form. */
  static ReweaveException noArray(Throwable cause) {
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        "not a JSON array of addresses",
        "option " + SourceOptions.PATHS,
        "give one address as path",
        cause);
  }

  /** The option is misspelt. */
  static ReweaveException misspelt(Option<?> option, String given, IllegalArgumentException cause) {
    String label = option.values().label();
    String remedy =
        switch (label) {
          case "" -> "true or false";
          case "SIZE" -> "a number of bytes, such as 16MB";
          default -> label.replace("|", " or ");
        };
    return new ReweaveException(
        ReweaveException.Kind.USAGE, cause.getMessage(), "option " + given, remedy, cause);
  }

  /** {@code --catalog} is in the input or the base. */
  static ReweaveException catalogInside(String what, Location catalog, Location folder) {
    return ReweaveException.usage(
        "the catalog lies inside the " + what + ", which is never written to",
        catalog.uri(),
        "name a folder outside of " + folder);
  }

  /** The folder of the catalog cannot be written, or is full. */
  static ReweaveException notListed(String reason, Location catalog, Exception cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "the model is published, but its tensors could not be added to the catalog ("
            + reason
            + ")",
        catalog.uri(),
        "see to the catalog, then run the same command again: it adds them, and converts nothing",
        cause);
  }
}
