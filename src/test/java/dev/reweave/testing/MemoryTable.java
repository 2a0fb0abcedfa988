package dev.reweave.testing;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.SupportsWrite;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.expressions.Transform;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.connector.write.BatchWrite;
import org.apache.spark.sql.connector.write.DataWriter;
import org.apache.spark.sql.connector.write.DataWriterFactory;
import org.apache.spark.sql.connector.write.LogicalWriteInfo;
import org.apache.spark.sql.connector.write.PhysicalWriteInfo;
import org.apache.spark.sql.connector.write.SupportsOverwrite;
import org.apache.spark.sql.connector.write.Write;
import org.apache.spark.sql.connector.write.WriteBuilder;
import org.apache.spark.sql.connector.write.WriterCommitMessage;
import org.apache.spark.sql.sources.EqualTo;
import org.apache.spark.sql.sources.Filter;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** A table of {@link MemoryCatalog}. */
public final class MemoryTable implements SupportsRead, SupportsWrite {
  /** What becomes of commits. */
  public enum Commits {
    /** They are made. */
    SUCCEED,
    /** They fail. */
    FAIL,
    /** Those fail that would replace rows, as where a file has rows of others as well. */
    ADD_ALONE
  }

  private final String name;
  private final Column[] columns;
  private final Transform[] partitions;
  private final Set<TableCapability> capabilities =
      EnumSet.of(
          TableCapability.BATCH_READ,
          TableCapability.BATCH_WRITE,
          TableCapability.OVERWRITE_BY_FILTER);
  private final List<InternalRow> rows = new ArrayList<>();
  private Commits commits = Commits.SUCCEED;
  private int made;

  /** An empty table. */
  public MemoryTable(String name, Column[] columns, Transform... partitions) {
    this.name = name;
    this.columns = columns.clone();
    this.partitions = partitions.clone();
  }

  /** The same without one of the things that it can do. */
  public MemoryTable without(TableCapability capability) {
    capabilities.remove(capability);
    return this;
  }

  /** What becomes of commits from now on. */
  public void let(Commits become) {
    commits = become;
  }

  /** How many commits were made. */
  public int commitsMade() {
    return made;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Column[] columns() {
    return columns.clone();
  }

  @Override
  public Transform[] partitioning() {
    return partitions.clone();
  }

  @Override
  public Set<TableCapability> capabilities() {
    return capabilities;
  }

  private StructType type() {
    StructType type = new StructType();
    for (Column column : columns) {
      type = type.add(column.name(), column.dataType(), column.nullable());
    }
    return type;
  }

  private record Part(List<InternalRow> rows)
      implements InputPartition, WriterCommitMessage, Serializable {}

  private record Readers() implements PartitionReaderFactory {
    @Override
    public PartitionReader<InternalRow> createReader(InputPartition partition) {
      Iterator<InternalRow> left = ((Part) partition).rows().iterator();
      return new PartitionReader<>() {
        private InternalRow row;

        @Override
        public boolean next() {
          row = left.hasNext() ? left.next() : null;
          return row != null;
        }

        @Override
        public InternalRow get() {
          return row;
        }

        @Override
        public void close() {}
      };
    }
  }

  private record Snapshot(StructType type, List<InternalRow> rows) implements Scan, Batch {
    @Override
    public StructType readSchema() {
      return type;
    }

    @Override
    public Batch toBatch() {
      return this;
    }

    @Override
    public InputPartition[] planInputPartitions() {
      return new InputPartition[] {new Part(rows)};
    }

    @Override
    public PartitionReaderFactory createReaderFactory() {
      return new Readers();
    }
  }

  @Override
  public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
    return () -> new Snapshot(type(), List.copyOf(rows));
  }

  private record Writers() implements DataWriterFactory {
    @Override
    public DataWriter<InternalRow> createWriter(int partition, long task) {
      List<InternalRow> written = new ArrayList<>();
      return new DataWriter<>() {
        @Override
        public void write(InternalRow row) {
          written.add(row.copy());
        }

        @Override
        public WriterCommitMessage commit() {
          return new Part(List.copyOf(written));
        }

        @Override
        public void abort() {}

        @Override
        public void close() {}
      };
    }
  }

  private final class Change implements SupportsOverwrite, Write, BatchWrite {
    private Filter[] replaced = {};

    @Override
    public WriteBuilder overwrite(Filter[] filters) {
      replaced = filters.clone();
      return this;
    }

    @Override
    public Write build() {
      return this;
    }

    @Override
    public BatchWrite toBatch() {
      return this;
    }

    @Override
    public DataWriterFactory createBatchWriterFactory(PhysicalWriteInfo info) {
      return new Writers();
    }

    @Override
    public void commit(WriterCommitMessage[] parts) {
      if (commits == Commits.FAIL || (commits == Commits.ADD_ALONE && replaced.length > 0)) {
        throw new IllegalStateException("the lake is closed");
      }
      if (replaced.length > 0) {
        rows.removeIf(row -> Arrays.stream(replaced).allMatch(filter -> holds(filter, row)));
      }
      Arrays.stream(parts).forEach(part -> rows.addAll(((Part) part).rows()));
      made++;
    }

    /** Of the conditions that Reweave has, and those that Spark adds to them. */
    private boolean holds(Filter filter, InternalRow row) {
      return !(filter instanceof EqualTo equal)
          || row.getUTF8String(type().fieldIndex(equal.attribute()))
              .toString()
              .equals(equal.value());
    }

    @Override
    public void abort(WriterCommitMessage[] parts) {}
  }

  @Override
  public WriteBuilder newWriteBuilder(LogicalWriteInfo info) {
    return new Change();
  }
}
