package dev.reweave.sql;

import dev.reweave.checkpoint.NotTaken;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.WrittenTensor;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.plan.prepare.MappingUsed;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** A column of the list of runs. Values are as Spark takes them in rows. */
enum RunColumn {
  MODEL(Type.TEXT),
  RUN(Type.TEXT),
  FINGERPRINT(Type.TEXT),
  TAG(Type.TEXT),
  INPUT(Type.TEXT),
  OUTPUT(Type.TEXT),
  STARTED(Type.TIME),
  SECONDS(Type.NUMBER),
  REWEAVE(Type.TEXT),
  SPARK(Type.TEXT),
  FRAMEWORK(Type.TEXT),
  FRAMEWORK_VERSION(Type.TEXT),
  OPTIONS(Type.TEXTS_BY_NAME),
  MAPPING(Type.TEXT),
  BASE(Type.TEXT),
  TENSORS(Type.INTEGER),
  ELEMENTS(Type.INTEGER),
  BYTES(Type.INTEGER),
  FILES(Type.INTEGER),
  BYTES_READ(Type.INTEGER),
  STORAGES_CHECKED(Type.INTEGER),
  STORAGES_UNCHECKED(Type.INTEGER),
  FILES_CHECKED_BY_STORE(Type.INTEGER),
  FILES_READ_BACK(Type.INTEGER),
  PROOF(Type.TEXT),
  NAN_COUNT(Type.INTEGER),
  INF_COUNT(Type.INTEGER),
  OVERFLOW_COUNT(Type.INTEGER),
  UNDERFLOW_COUNT(Type.INTEGER),
  CAUTIONS(Type.TEXTS),
  NOT_TAKEN(Type.TEXTS);

  private enum Type {
    TEXT,
    TEXTS,
    TEXTS_BY_NAME,
    INTEGER,
    NUMBER,
    TIME
  }

  private final Type type;

  RunColumn(Type type) {
    this.type = type;
  }

  private DataType sqlType() {
    return switch (type) {
      case TEXT -> DataTypes.StringType;
      case TEXTS -> DataTypes.createArrayType(DataTypes.StringType, false);
      case TEXTS_BY_NAME ->
          DataTypes.createMapType(DataTypes.StringType, DataTypes.StringType, false);
      case INTEGER -> DataTypes.LongType;
      case NUMBER -> DataTypes.DoubleType;
      case TIME -> DataTypes.TimestampType;
    };
  }

  /** Its name in SQL. */
  String column() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The schema of the whole table. */
  static StructType schema() {
    return new StructType(
        Arrays.stream(values())
            .map(c -> DataTypes.createStructField(c.column(), c.sqlType(), true))
            .toArray(StructField[]::new));
  }

  /** The row of a conversion. */
  static Dataset<Row> rows(SparkSession session, ConvertedModel converted) {
    Object[] values = Arrays.stream(values()).map(c -> c.value(converted).orElse(null)).toArray();
    return session.createDataFrame(List.of(RowFactory.create(values)), schema());
  }

  /** The value in the row of a conversion; empty for NULL. */
  private Optional<?> value(ConvertedModel converted) {
    Manifest manifest = converted.manifest();
    return switch (this) {
      case MODEL -> Optional.of(converted.name());
      case RUN -> Optional.of(converted.run());
      case FINGERPRINT -> text(converted.fingerprint());
      case TAG -> text(converted.tag());
      case INPUT -> text(manifest.input().path());
      case OUTPUT -> Optional.of(converted.output().uri());
      case STARTED -> instant(manifest.started());
      case SECONDS -> Optional.of(manifest.seconds());
      case REWEAVE -> text(manifest.reweave());
      case SPARK -> text(manifest.spark());
      case FRAMEWORK -> text(manifest.input().framework());
      case FRAMEWORK_VERSION -> text(manifest.input().version());
      case OPTIONS -> Optional.of(options(manifest));
      case MAPPING -> manifest.mappingUsed().map(MappingUsed::name).flatMap(RunColumn::text);
      case BASE -> manifest.baseUsed().map(BaseUsed::path).flatMap(RunColumn::text);
      case PROOF -> manifest.proven().map(Manifest.Proof::verdict).flatMap(RunColumn::text);
      case CAUTIONS -> texts(manifest.cautions().stream().map(Manifest.Caution::text));
      case NOT_TAKEN -> texts(manifest.notTaken().stream().map(NotTaken::text));
      default -> number(manifest);
    };
  }

  private Optional<Long> number(Manifest manifest) {
    Manifest.Result result = manifest.result();
    Manifest.Figures figures = manifest.figures();
    return switch (this) {
      case TENSORS -> Optional.of((long) result.tensors());
      case ELEMENTS -> Optional.of(result.elements());
      case BYTES -> Optional.of(files(result).mapToLong(Manifest.Shard::bytes).sum());
      case FILES -> Optional.of(files(result).count());
      case BYTES_READ -> Optional.of(figures.bytesRead());
      case STORAGES_CHECKED -> Optional.of((long) figures.storagesChecked());
      case STORAGES_UNCHECKED -> Optional.of((long) figures.storagesUnchecked());
      case FILES_CHECKED_BY_STORE -> Optional.of((long) figures.filesCheckedByStore());
      case FILES_READ_BACK -> Optional.of((long) figures.filesReadBack());
      case NAN_COUNT -> sum(result, WrittenTensor::nans);
      case INF_COUNT -> sum(result, WrittenTensor::infinities);
      case OVERFLOW_COUNT -> sum(result, WrittenTensor::overflows);
      case UNDERFLOW_COUNT -> sum(result, WrittenTensor::underflows);
      default -> throw new IllegalStateException(column() + " is no number");
    };
  }

  private static Stream<Manifest.Shard> files(Manifest.Result result) {
    return Stream.concat(result.shards().stream(), result.files().stream());
  }

  /** Manifests of older versions do not tell of the tensors. */
  private static Optional<Long> sum(Manifest.Result result, ToLongFunction<WrittenTensor> count) {
    return Optional.of(result.weights())
        .filter(weights -> !weights.isEmpty())
        .map(weights -> weights.stream().mapToLong(count).sum());
  }

  private static Map<String, String> options(Manifest manifest) {
    Map<String, String> options = new TreeMap<>();
    manifest.options().values().forEach((key, value) -> options.put(key, String.valueOf(value)));
    return options;
  }

  private static Optional<String> text(String text) {
    return Optional.of(text).filter(t -> !t.isEmpty());
  }

  private static Optional<List<String>> texts(Stream<String> texts) {
    return Optional.of(texts.toList());
  }

  /** A manifest can have been changed. */
  private static Optional<Timestamp> instant(String started) {
    try {
      return Optional.ofNullable(started).map(Instant::parse).map(Timestamp::from);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }
}
