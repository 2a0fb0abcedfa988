package dev.reweave.sql;

import dev.reweave.common.Location;

/** A place outside of the results where it is listed what was converted. */
public interface ConversionCatalog {
  /** What it has rows of. */
  enum Subject {
    /** A row for each tensor of a result. */
    TENSORS,
    /** A row for each conversion. */
    RUNS
  }

  /** What it has rows of. */
  Subject subject();

  /** Its name or full address. */
  String address();

  /**
   * Refuses a catalog in a folder that is never written to; where tables lie is the business of
   * those who keep them.
   *
   * @param what the folder is, such as {@code input}
   * @throws dev.reweave.common.ReweaveException if it is that folder, or lies in it
   */
  default void requireOutside(String what, Location folder) {}

  /**
   * Adds what is to be listed of a conversion, unless it is there.
   *
   * @return number of rows that were added
   * @throws dev.reweave.common.ReweaveException if it cannot be done; the result stays what it is
   */
  long add(ConvertedModel converted);
}
