package dev.reweave.testing;

import dev.reweave.common.Location;
import dev.reweave.storage.Stores;
import org.apache.hadoop.conf.Configuration;

/** Places of tests, as stores would name them. */
public final class Locations {
  private Locations() {}

  /**
   * What is at an address.
   *
   * @param address a path on this machine, or the full address of a place in any store
   */
  public static Location of(Object address) {
    String text = address.toString();
    return text.matches("[a-zA-Z][a-zA-Z0-9+.-]*:.*")
        ? new Location(text.replaceFirst("^file:/{2,3}", "file:/"))
        : new Stores(new Configuration(false)).locate(text);
  }
}
