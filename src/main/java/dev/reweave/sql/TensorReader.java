package dev.reweave.sql;

import dev.reweave.gather.TensorDigest;
import dev.reweave.gather.TensorDigests;
import java.io.IOException;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.unsafe.types.UTF8String;

/** Makes the rows of one task, reading each tensor when it is its turn. */
final class TensorReader implements PartitionReader<InternalRow> {
  private final TensorWork work;
  private final TensorWork.Source source;
  private final TensorGroup group;
  private final TensorDigests digests;
  private int at;
  private InternalRow row = new GenericInternalRow(0);

  TensorReader(TensorWork work, TensorGroup group) {
    this.work = work;
    this.group = group;
    this.source = work.sources().get(group.source());
    this.digests = new TensorDigests(work.stores(), source.files());
    this.at = group.from();
  }

  @Override
  public boolean next() {
    if (at == group.to()) {
      return false;
    }
    row = row(at++);
    return true;
  }

  @Override
  public InternalRow get() {
    return row;
  }

  private InternalRow row(int index) {
    TensorEntry entry = source.entries().get(index);
    TensorDigest digest =
        source.isRead() ? digests.of(source.layouts().get(index)) : TensorDigest.NONE;
    Object[] values =
        work.columns().stream()
            .map(column -> column.value(entry, digest).map(TensorReader::internal).orElse(null))
            .toArray();
    return new GenericInternalRow(values);
  }

  private static Object internal(Object value) {
    if (value instanceof String text) {
      return UTF8String.fromString(text);
    }
    return value instanceof long[] numbers ? new GenericArrayData(numbers) : value;
  }

  @Override
  public void close() throws IOException {
    digests.close();
  }
}
