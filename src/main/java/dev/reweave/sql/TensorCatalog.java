package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.UUID;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils;

/**
 * A folder of Parquet files with a row for each tensor of all models that were converted, in the
 * columns of {@link ReweaveSource}, partitioned by model. Each conversion adds one file, {@code
 * model=NAME/reweave-ID.parquet}, whose ID is the same for conversions that write the same bytes:
 * so it is added once, however often the conversion is repeated. The file is written beside under a
 * name that readers pass over, and then moved to its place.
 */
public final class TensorCatalog implements ConversionCatalog {
  private final SparkSession session;
  private final Cluster cluster;
  private final Stores stores;
  private final Location address;

  /** A catalog, there or not. */
  public TensorCatalog(Cluster cluster, Stores stores, Location address) {
    this.cluster = cluster;
    this.stores = stores;
    this.address = address;
    this.session = SqlSession.of(cluster, stores);
  }

  @Override
  public Subject subject() {
    return Subject.TENSORS;
  }

  @Override
  public String address() {
    return address.uri();
  }

  @Override
  public void requireOutside(String what, Location folder) {
    if (folder.holds(address)) {
      throw SqlFailures.catalogInside(what, address, folder);
    }
  }

  @Override
  public long add(ConvertedModel converted) {
    Location partition =
        address.child("model=" + ExternalCatalogUtils.escapePathName(converted.name()));
    Location file = partition.child("reweave-" + converted.fingerprint() + ".parquet");
    try {
      if (stores.file(file).isPresent()) {
        return 0;
      }
      return write(new TensorRows(session, cluster, stores).of(converted), file);
    } catch (Exception e) {
      // Not only runtime exceptions: Scala lets any pass through methods that declare none.
      throw SqlFailures.notListed(Reason.of(e), address.uri(), e);
    }
  }

  private long write(Dataset<Row> rows, Location file) {
    Location beside = address.child("_reweave-" + UUID.randomUUID());
    try {
      rows.drop(TensorColumn.MODEL.column()).write().parquet(beside.uri());
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
