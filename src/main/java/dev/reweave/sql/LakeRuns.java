package dev.reweave.sql;

import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;
import org.apache.spark.sql.SparkSession;

/** A table with a row for each conversion: what its manifest says of it. */
public final class LakeRuns implements ConversionCatalog {
  private final LakeTable table;

  private LakeRuns(LakeTable table) {
    this.table = table;
  }

  /**
   * A table that can be written; it is made if it is not there.
   *
   * @throws dev.reweave.common.ReweaveException if it could not be
   */
  public static LakeRuns of(Cluster cluster, Stores stores, TableName name) {
    SparkSession session = SqlSession.of(cluster, stores);
    LakeTable table = new LakeTable(session, name, RunColumn.schema());
    table.require();
    return new LakeRuns(table);
  }

  @Override
  public Subject subject() {
    return Subject.RUNS;
  }

  @Override
  public String address() {
    return table.name().toString();
  }

  @Override
  public long add(ConvertedModel converted) {
    try {
      return table.add(converted, () -> RunColumn.rows(table.session(), converted));
    } catch (Exception e) { // Scala lets any pass through methods that declare none.
      throw SqlFailures.runNotListed(Reason.of(e), address(), e);
    }
  }
}
