package dev.reweave.sql;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Location;
import dev.reweave.gather.TensorDigest;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/**
 * The rows of a result's tensors, in the columns of {@link ReweaveSource}. What the conversion did
 * not measure is read from the result.
 */
record TensorRows(SparkSession session, Cluster cluster, Stores stores) {
  /** All rows, in one partition, so that they become one file. */
  Dataset<Row> of(ConvertedModel converted) {
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
          .option(SourceOptions.MODEL, converted.name())
          .load(weights.uri())
          .withColumn(
              TensorColumn.TAG.column(),
              functions.nullif(functions.lit(converted.tag()), functions.lit("")))
          .repartition(1);
    }
    List<Row> rows = new ArrayList<>();
    for (NamedTensor tensor : listing.tensors()) {
      TensorEntry entry =
          TensorEntry.of(converted.name(), listing, tensor).withTag(converted.tag());
      TensorDigest digest = digests.getOrDefault(tensor.name(), TensorDigest.NONE);
      rows.add(
          RowFactory.create(
              Arrays.stream(TensorColumn.values())
                  .map(c -> c.value(entry, digest).map(TensorRows::external).orElse(null))
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
