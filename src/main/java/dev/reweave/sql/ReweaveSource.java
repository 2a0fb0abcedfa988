package dev.reweave.sql;

import java.util.Map;
import org.apache.spark.sql.connector.catalog.Table;
import org.apache.spark.sql.connector.catalog.TableProvider;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * Checkpoints and models as tables, a row for each tensor: {@code spark.read.format("reweave")
 * .load(URI)}, or in SQL {@code CREATE TEMPORARY VIEW t USING reweave OPTIONS (path 'URI')}.
 *
 * <p>Only metadata is read, unless a query asks for one of the columns from {@code crc32c} to
 * {@code zero_share}: then the tensors that its filters leave are read, in parallel. A task reads
 * one tensor after another, each in windows of a few megabytes, about 64 MB together; a tensor that
 * is bigger than that is read by one task alone, in the same memory.
 *
 * <p>Options: {@code path}; {@code tag}, {@code weights}, {@code mapping}, {@code followLinks} and
 * {@code maxMetadataBytes} as on the command line, but names are kept by default; {@code model},
 * the value of the column of that name; and settings of Hadoop's file systems, which begin with
 * {@code fs.}.
 */
public final class ReweaveSource implements TableProvider, DataSourceRegister {
  /** For Spark. */
  public ReweaveSource() {}

  @Override
  public String shortName() {
    return "reweave";
  }

  @Override
  public StructType inferSchema(CaseInsensitiveStringMap options) {
    return TensorColumn.schema();
  }

  @Override
  public Table getTable(
      StructType schema, Transform[] partitioning, Map<String, String> properties) {
    return new TensorTable(SourceOptions.of(new CaseInsensitiveStringMap(properties)));
  }
}
