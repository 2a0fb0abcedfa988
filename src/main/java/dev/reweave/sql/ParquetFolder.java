package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils;

/**
 * A folder of Parquet files, partitioned by model, to which each addition is one file, {@code
 * model=NAME/reweave-ID.parquet}: what has the same ID is added once. The file is written beside
 * under a name that readers pass over, and then moved to its place.
 *
 * @param address there or not
 */
record ParquetFolder(SparkSession session, Stores stores, Location address) {
  private static final String MODEL = TensorColumn.MODEL.column();

  /** Refuses this folder in one that is never written to. */
  void requireOutside(String what, Location folder) {
    if (folder.holds(address)) {
      throw SqlFailures.catalogInside(what, address, folder);
    }
  }

  /**
   * Adds rows of a model, which are of one partition, unless they are there.
   *
   * @return number of rows that were added
   */
  long add(String model, String id, Supplier<Dataset<Row>> rows) {
    Location partition = address.child(MODEL + "=" + ExternalCatalogUtils.escapePathName(model));
    Location file = partition.child("reweave-" + id + ".parquet");
    return stores.file(file).isPresent() ? 0 : write(rows.get(), file);
  }

  private long write(Dataset<Row> rows, Location file) {
    Location beside = address.child("_reweave-" + UUID.randomUUID());
    try {
      rows.drop(MODEL).write().parquet(beside.uri());
      List<InputFile> parts =
          stores.list(beside).files().stream().filter(f -> f.name().startsWith("part-")).toList();
      long count = session.read().parquet(parts.get(0).uri()).count();
      stores.moveIn(parts.get(0), file);
      return count;
    } finally {
      removeQuietly(beside);
    }
  }

  /** Readers pass over what is left there, and what went wrong first is what counts. */
  private void removeQuietly(Location folder) {
    try {
      stores.deleteTree(folder);
    } catch (ReweaveException left) {
      // A catalog that lets nothing be deleted has its rows all the same.
    }
  }
}
