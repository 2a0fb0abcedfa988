package dev.reweave.sql;

import java.util.List;
import java.util.Set;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** The tensors of one or several checkpoints. */
record TensorTable(SourceOptions source) implements SupportsRead {
  @Override
  public String name() {
    return "reweave " + String.join(", ", source.addresses());
  }

  @Override
  public Column[] columns() {
    return List.of(TensorColumn.values()).stream()
        .map(TensorColumn::sqlColumn)
        .toArray(Column[]::new);
  }

  /** As Spark 4.0 asks for the columns in places. */
  @Deprecated
  @Override
  public StructType schema() {
    return TensorColumn.schema();
  }

  @Override
  public Set<TableCapability> capabilities() {
    return Set.of(TableCapability.BATCH_READ);
  }

  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
    return new TensorScanBuilder(source);
  }
}
