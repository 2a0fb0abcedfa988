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
    return new Stores(new Configuration(false)).locate(address.toString());
  }
}
