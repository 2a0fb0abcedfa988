package dev.reweave.sql;

import dev.reweave.common.Location;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.types.StructType;

/** One query of the table of tensors: reads metadata in the driver, once, and cuts the rest up. */
final class TensorScan implements Scan, Batch {
  /** Bytes of tensors that one task reads, unless one tensor has more. */
  private static final long TASK_BYTES = 64L << 20;

  /** Rows that one task makes at most. */
  private static final int TASK_ROWS = 10_000;

  private record Planned(List<TensorGroup> groups, PartitionReaderFactory factory) {}

  private final SourceOptions source;
  private final List<TensorColumn> columns;
  private final Predicate<TensorEntry> wanted;
  private final List<Filter> filters;
  private Planned planned;

  TensorScan(
      SourceOptions source,
      List<TensorColumn> columns,
      Predicate<TensorEntry> wanted,
      List<Filter> filters) {
    this.source = source;
    this.columns = columns;
    this.wanted = wanted;
    this.filters = filters;
  }

  @Override
  public StructType readSchema() {
    return TensorColumn.schema(columns);
  }

  @Override
  public String description() {
    return "reweave "
        + String.join(", ", source.addresses())
        + ", columns "
        + columns.stream().map(TensorColumn::column).toList()
        + ", filters "
        + filters
        + (needsWeights() ? ", reads weights" : ", reads metadata alone");
  }

  private boolean needsWeights() {
    return columns.stream().anyMatch(TensorColumn::needsWeights);
  }

  @Override
  public Batch toBatch() {
    return this;
  }

  @Override
  public InputPartition[] planInputPartitions() {
    return planned().groups().toArray(InputPartition[]::new);
  }

  @Override
  public PartitionReaderFactory createReaderFactory() {
    return planned().factory();
  }

  /** Spark asks for both parts one after the other, and for the first one several times. */
  private synchronized Planned planned() {
    if (planned == null) {
      planned = plan();
    }
    return planned;
  }

  private Planned plan() {
    SparkSession session = SparkSession.active();
    Cluster cluster = new Cluster(JavaSparkContext.fromSparkContext(session.sparkContext()));
    Stores stores = SqlSession.stores(source);
    List<TensorWork.Source> sources = new ArrayList<>();
    List<TensorGroup> groups = new ArrayList<>();
    for (String given : source.addresses()) {
      Location address = stores.locate(given);
      TensorListing listing =
          TensorListing.read(cluster, stores, address, source.reading(), source.mapping());
      String model = source.modelName(address);
      List<TensorEntry> entries = new ArrayList<>();
      List<NamedTensor> tensors = new ArrayList<>();
      for (NamedTensor tensor : listing.tensors()) {
        TensorEntry entry = TensorEntry.of(model, listing, tensor);
        if (wanted.test(entry)) {
          entries.add(entry);
          tensors.add(tensor);
        }
      }
      addGroups(sources.size(), entries, groups);
      sources.add(
          needsWeights()
              ? new TensorWork.Source(
                  entries, listing.files(), tensors.stream().map(NamedTensor::layout).toList())
              : new TensorWork.Source(entries, List.of(), List.of()));
    }
    Shared<TensorWork> work = cluster.share(new TensorWork(stores, columns, sources));
    return new Planned(groups, new TensorReaderFactory(work));
  }

  private void addGroups(int index, List<TensorEntry> entries, List<TensorGroup> groups) {
    int from = 0;
    long bytes = 0;
    for (int at = 0; at < entries.size(); at++) {
      long size = needsWeights() ? entries.get(at).spec().bytes() : 0;
      if (at > from && (bytes + size > TASK_BYTES || at - from == TASK_ROWS)) {
        groups.add(new TensorGroup(index, from, at));
        from = at;
        bytes = 0;
      }
      bytes += size;
    }
    if (from < entries.size()) {
      groups.add(new TensorGroup(index, from, entries.size()));
    }
  }
}
