package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;

/**
 * A folder of Parquet files with a row for each conversion, in the columns of {@link LakeRuns},
 * partitioned by model. Conversions that write the same bytes to the same place are one run, which
 * is added once.
 */
public final class RunCatalog implements ConversionCatalog {
  private final ParquetFolder folder;

  /** A catalog, there or not. */
  public RunCatalog(Cluster cluster, Stores stores, Location address) {
    this.folder = new ParquetFolder(SqlSession.of(cluster, stores), stores, address);
  }

  @Override
  public Subject subject() {
    return Subject.RUNS;
  }

  @Override
  public String address() {
    return folder.address().uri();
  }

  @Override
  public void requireOutside(String what, Location held) {
    folder.requireOutside(what, held);
  }

  /**
   * Refuses the folder of another catalog: who reads the outer one would find the files of both.
   *
   * @throws dev.reweave.common.ReweaveException if both are one folder, or one lies in the other
   */
  public void requireBeside(Location catalog) {
    Location runs = folder.address();
    if (catalog.holds(runs) || runs.holds(catalog)) {
      throw SqlFailures.oneCatalogInAnother(catalog, runs);
    }
  }

  @Override
  public long add(ConvertedModel converted) {
    try {
      return folder.add(
          converted.name(),
          converted.run(),
          () -> RunColumn.rows(folder.session(), converted).coalesce(1));
    } catch (Exception e) { // Scala lets any pass through methods that declare none.
      throw SqlFailures.runNotListed(Reason.of(e), address(), e);
    }
  }
}
