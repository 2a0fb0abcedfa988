package dev.reweave.testing;

import dev.reweave.storage.Stores;
import org.apache.hadoop.conf.Configuration;

/** Stores for files on this machine, for which no Spark is started. */
public final class LocalStores {
  /** With Hadoop's defaults. */
  public static final Stores ALL = new Stores(new Configuration());

  private LocalStores() {}
}
