package dev.reweave.sql;

import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;

/**
 * A table with a row for each tensor of all models that were converted: the columns of {@link
 * ReweaveSource}, and the run.
 */
public final class LakeTensors implements ConversionCatalog {
  private final LakeTable table;
  private final TensorRows rows;

  private LakeTensors(LakeTable table, TensorRows rows) {
    this.table = table;
    this.rows = rows;
  }

  /**
   * A table that can be written; it is made if it is not there.
   *
   * @throws dev.reweave.common.ReweaveException if it could not be
   */
  public static LakeTensors of(Cluster cluster, Stores stores, TableName name) {
    SparkSession session = SqlSession.of(cluster, stores);
    LakeTable table =
        new LakeTable(
            session, name, TensorColumn.schema().add(LakeTable.RUN, DataTypes.StringType));
    table.require();
    return new LakeTensors(table, new TensorRows(session, cluster, stores));
  }

  @Override
  public Subject subject() {
    return Subject.TENSORS;
  }

  @Override
  public String address() {
    return table.name().toString();
  }

  @Override
  public long add(ConvertedModel converted) {
    try {
      return table.add(
          converted,
          () -> rows.of(converted).withColumn(LakeTable.RUN, functions.lit(converted.run())));
    } catch (Exception e) { // Scala lets any pass through methods that declare none.
      throw SqlFailures.notListed(Reason.of(e), address(), e);
    }
  }
}
