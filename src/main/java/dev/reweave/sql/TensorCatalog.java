package dev.reweave.sql;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.gather.TensorDigest;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.catalog.ExternalCatalogUtils;
import org.apache.spark.sql.functions;

/**
 * A folder of Parquet files with a row for each tensor of all models that were converted, in the
 * columns of {@link ReweaveSource}, partitioned by model. Each conversion adds one file, {@code
 * model=NAME/reweave-ID.parquet}, whose ID is the same for conversions that write the same bytes:
 * so it is added once, however often the conversion is repeated. The file is written beside under a
 * name that readers pass over, and then moved to its place.
 */
public final class TensorCatalog {
  private static final String WAREHOUSE = "spark.sql.warehouse.dir";

  private final SparkSession session;
  private final Cluster cluster;
  private final Stores stores;
  private final Location address;

  /** A catalog, there or not. */
  public TensorCatalog(Cluster cluster, Stores stores, Location address) {
    this.cluster = cluster;
    this.stores = stores;
    this.address = address;
    this.session = session(cluster);
  }

  /** Spark makes a folder for tables of its own, by default where the process was started. */
  private SparkSession session(Cluster cluster) {
    SparkSession.Builder builder = SparkSession.builder();
    if (SparkSession.getDefaultSession().isEmpty()
        && !cluster.context().getConf().contains(WAREHOUSE)) {
      try {
        Path folder = Files.createTempDirectory("reweave-sql-");
        folder.toFile().deleteOnExit();
        builder.config(WAREHOUSE, folder.toUri().toString());
      } catch (IOException e) {
        throw Stores.unwritable(stores.locate(System.getProperty("java.io.tmpdir")), e);
      }
    }
    return builder.getOrCreate();
  }

  /** Its full address. */
  public Location address() {
    return address;
  }

  /**
   * Refuses a catalog in a folder that is never written to.
   *
   * @param what the folder is, such as {@code input}
   * @throws ReweaveException if it is that folder, or lies in it
   */
  public void requireOutside(String what, Location folder) {
    if (folder.holds(address)) {
      throw SqlFailures.catalogInside(what, address, folder);
    }
  }

  /**
   * Adds the tensors of a conversion's result, unless they are there. What the conversion did not
   * measure is read from the result.
   *
   * @return number of rows that were added
   * @throws ReweaveException if it cannot be done; the result stays what it is
   */
  public long add(ConvertedModel converted) {
    String model = converted.output().name();
    Location partition = address.child("model=" + ExternalCatalogUtils.escapePathName(model));
    Location file = partition.child("reweave-" + converted.fingerprint() + ".parquet");
    try {
      if (stores.file(file).isPresent()) {
        return 0;
      }
      return write(rows(converted, model), file);
    } catch (Exception e) {
      // Not only runtime exceptions: Scala lets any pass through methods that declare none.
      String cause = e instanceof ReweaveException known ? known.problem() : String.valueOf(e);
      throw SqlFailures.notListed(cause.lines().findFirst().orElse(""), address, e);
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

  /** All rows, in one partition, so that they become one file. */
  private Dataset<Row> rows(ConvertedModel converted, String model) {
    Location weights = converted.weights();
    TensorListing listing =
        TensorListing.read(cluster, stores, weights, ReadOptions.defaults(), MappingChoice.NONE);
    Map<String, TensorDigest> digests = converted.digests();
    boolean known =
        listing.tensors().stream()
            .allMatch(t -> t.spec().elements() == 0 || digests.containsKey(t.name()));
    if (!known) {
      return session
          .read()
          .format(ReweaveSource.class.getName())
          .load(weights.uri())
          .withColumn(
              TensorColumn.TAG.column(),
              functions.nullif(functions.lit(converted.tag()), functions.lit("")))
          .repartition(1);
    }
    List<Row> rows = new ArrayList<>();
    for (NamedTensor tensor : listing.tensors()) {
      TensorEntry entry = TensorEntry.of(model, listing, tensor).withTag(converted.tag());
      TensorDigest digest = digests.getOrDefault(tensor.name(), TensorDigest.NONE);
      rows.add(
          RowFactory.create(
              Arrays.stream(TensorColumn.values())
                  .map(c -> c.value(entry, digest).map(TensorCatalog::external).orElse(null))
                  .toArray()));
    }
    return session.createDataFrame(rows, TensorColumn.schema()).coalesce(1);
  }

  private static Object external(Object value) {
    return value instanceof long[] numbers
        ? Arrays.stream(numbers).boxed().toArray(Long[]::new)
        : value;
  }
}
