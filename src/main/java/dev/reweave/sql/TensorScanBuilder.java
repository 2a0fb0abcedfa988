package dev.reweave.sql;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.SupportsPushDownFilters;
import org.apache.spark.sql.connector.read.SupportsPushDownRequiredColumns;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.types.StructType;

/** Takes from a query what saves reading: its columns, and filters on metadata. */
final class TensorScanBuilder implements SupportsPushDownFilters, SupportsPushDownRequiredColumns {
  private final SourceOptions source;
  private final List<Filter> pushed = new ArrayList<>();
  private Predicate<TensorEntry> wanted = entry -> true;
  private List<TensorColumn> columns = List.of(TensorColumn.values());

  TensorScanBuilder(SourceOptions source) {
    this.source = source;
  }

  @Override
  public Filter[] pushFilters(Filter[] filters) {
    List<Filter> left = new ArrayList<>();
    for (Filter filter : filters) {
      Optional<Predicate<TensorEntry>> predicate = FactFilter.of(filter);
      if (predicate.isPresent()) {
        wanted = wanted.and(predicate.get());
        pushed.add(filter);
      } else {
        left.add(filter);
      }
    }
    return left.toArray(Filter[]::new);
  }

  @Override
  public Filter[] pushedFilters() {
    return pushed.toArray(Filter[]::new);
  }

  @Override
  public void pruneColumns(StructType required) {
    columns =
        Arrays.stream(required.fieldNames())
            .map(name -> TensorColumn.named(name).orElseThrow())
            .toList();
  }

  @Override
  public Scan build() {
    return new TensorScan(source, columns, wanted, List.copyOf(pushed));
  }
}
