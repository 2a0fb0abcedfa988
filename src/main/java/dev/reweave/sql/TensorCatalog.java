package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;

/**
 * A folder of Parquet files with a row for each tensor of all models that were converted, in the
 * columns of {@link ReweaveSource}, partitioned by model. Conversions that write the same bytes are
 * added once, wherever they write them.
 */
public final class TensorCatalog implements ConversionCatalog {
  private final TensorRows rows;
  private final ParquetFolder folder;

  /** A catalog, there or not. */
  public TensorCatalog(Cluster cluster, Stores stores, Location address) {
    this.rows = new TensorRows(SqlSession.of(cluster, stores), cluster, stores);
    this.folder = new ParquetFolder(rows.session(), stores, address);
  }

  @Override
  public Subject subject() {
    return Subject.TENSORS;
  }

  @Override
  public String address() {
    return folder.address().uri();
  }

  @Override
  public void requireOutside(String what, Location held) {
    folder.requireOutside(what, held);
  }

  @Override
  public long add(ConvertedModel converted) {
    try {
      return folder.add(converted.name(), converted.fingerprint(), () -> rows.of(converted));
    } catch (Exception e) {
      // Not only runtime exceptions: Scala lets any pass through methods that declare none.
      throw SqlFailures.notListed(Reason.of(e), address(), e);
    }
  }
}
