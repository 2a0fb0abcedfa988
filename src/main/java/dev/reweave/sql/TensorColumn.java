package dev.reweave.sql;

import dev.reweave.gather.TensorDigest;
import dev.reweave.storage.Checksum;
import dev.reweave.tensor.TensorStatistics;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.sql.connector.catalog.Column;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** A column of the table of tensors. Values are of Java's own types. */
enum TensorColumn {
  MODEL(Type.TEXT, Known.ALWAYS),
  TAG(Type.TEXT, Known.PERHAPS),
  NAME(Type.TEXT, Known.ALWAYS),
  DTYPE(Type.TEXT, Known.ALWAYS),
  SHAPE(Type.INTEGERS, Known.ALWAYS),
  ELEMENTS(Type.INTEGER, Known.ALWAYS),
  BYTES(Type.INTEGER, Known.ALWAYS),
  SHARD(Type.TEXT, Known.PERHAPS),
  OFFSET_START(Type.INTEGER, Known.PERHAPS),
  OFFSET_END(Type.INTEGER, Known.PERHAPS),
  CRC32C(Type.TEXT, Known.FROM_WEIGHTS),
  MIN(Type.NUMBER, Known.FROM_WEIGHTS),
  MAX(Type.NUMBER, Known.FROM_WEIGHTS),
  MEAN(Type.NUMBER, Known.FROM_WEIGHTS),
  STD(Type.NUMBER, Known.FROM_WEIGHTS),
  NAN_COUNT(Type.INTEGER, Known.FROM_WEIGHTS),
  INF_COUNT(Type.INTEGER, Known.FROM_WEIGHTS),
  ZERO_SHARE(Type.NUMBER, Known.FROM_WEIGHTS);

  private enum Type {
    TEXT,
    INTEGER,
    INTEGERS,
    NUMBER
  }

  /** When a column has a value, and what must be read for it. */
  private enum Known {
    /** For every tensor, from metadata. */
    ALWAYS,
    /** For some tensors, from metadata. */
    PERHAPS,
    /** From the tensor's elements: a number is NULL where there are none. */
    FROM_WEIGHTS
  }

  private final Type type;
  private final Known known;

  TensorColumn(Type type, Known known) {
    this.type = type;
    this.known = known;
  }

  /** Its name in SQL. */
  String column() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The column of this name. */
  static Optional<TensorColumn> named(String column) {
    return Arrays.stream(values()).filter(c -> c.column().equals(column)).findFirst();
  }

  /** Whether a tensor must be read for it. */
  boolean needsWeights() {
    return known == Known.FROM_WEIGHTS;
  }

  /** Whether it has a value of this type for every tensor, without reading any. */
  boolean alwaysHolds(Class<?> values) {
    boolean fits =
        values == Object.class
            || (values == String.class && type == Type.TEXT)
            || (values == Long.class && type == Type.INTEGER);
    return known == Known.ALWAYS && fits;
  }

  /**
   * The value in a tensor's row; empty for NULL.
   *
   * @param digest of no elements where no column {@link #needsWeights()}
   */
  Optional<?> value(TensorEntry entry, TensorDigest digest) {
    TensorStatistics statistics = digest.statistics();
    return switch (this) {
      case MODEL -> Optional.of(entry.model());
      case TAG -> text(entry.tag());
      case NAME -> Optional.of(entry.spec().name());
      case DTYPE -> Optional.of(entry.spec().dtype().torchName());
      case SHAPE -> Optional.of(entry.spec().shape().dims());
      case ELEMENTS -> Optional.of(entry.spec().elements());
      case BYTES -> Optional.of(entry.spec().bytes());
      case SHARD -> text(entry.shard());
      case OFFSET_START -> position(entry.from());
      case OFFSET_END -> position(entry.to());
      case CRC32C -> Optional.of(Checksum.hex(digest.crc32c()));
      case MIN -> number(statistics.finite().min());
      case MAX -> number(statistics.finite().max());
      case MEAN -> number(statistics.finite().mean());
      case STD -> number(statistics.finite().deviation());
      case NAN_COUNT -> Optional.of(statistics.nans());
      case INF_COUNT -> Optional.of(statistics.infinities());
      case ZERO_SHARE -> number(statistics.zeroShare());
    };
  }

  private static Optional<String> text(String text) {
    return Optional.of(text).filter(t -> !t.isEmpty());
  }

  private static Optional<Long> position(long position) {
    return Optional.of(position).filter(p -> p >= 0);
  }

  private static Optional<Double> number(double number) {
    return Optional.of(number).filter(n -> !n.isNaN());
  }

  private DataType sqlType() {
    return switch (type) {
      case TEXT -> DataTypes.StringType;
      case INTEGER -> DataTypes.LongType;
      case INTEGERS -> DataTypes.createArrayType(DataTypes.LongType, false);
      case NUMBER -> DataTypes.DoubleType;
    };
  }

  private boolean isNullable() {
    return known == Known.PERHAPS || type == Type.NUMBER;
  }

  /** As a table declares it. */
  Column sqlColumn() {
    return Column.create(column(), sqlType(), isNullable());
  }

  /** The schema of some columns. */
  static StructType schema(List<TensorColumn> columns) {
    return new StructType(
        columns.stream()
            .map(c -> DataTypes.createStructField(c.column(), c.sqlType(), c.isNullable()))
            .toArray(StructField[]::new));
  }

  /** The schema of the whole table. */
  static StructType schema() {
    return schema(List.of(values()));
  }
}
