package dev.reweave.sql;

import dev.reweave.spark.Shared;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;

/** Makes the readers of a query's tasks. */
record TensorReaderFactory(Shared<TensorWork> work) implements PartitionReaderFactory {
  @Override
  public PartitionReader<InternalRow> createReader(InputPartition partition) {
    return new TensorReader(work.value(), (TensorGroup) partition);
  }
}
