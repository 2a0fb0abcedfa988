package dev.reweave.report;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.reweave.Redacted;
import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.PlannedShard;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was read, with what versions and options, and the checksums of what was written: {@code
 * reweave.json} in the output folder, written last.
 *
 * @param reweave version of Reweave
 * @param spark version of Spark
 * @param fingerprint the same for conversions that write the same bytes
 * @param command the same for conversions that were asked for with the same options
 * @param started when the conversion began, ISO 8601, UTC
 * @param seconds how long it took
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Manifest(
    String reweave,
    String spark,
    String fingerprint,
    String command,
    String started,
    double seconds,
    Input input,
    Options options,
    Result result,
    Figures figures,
    List<String> notes) {

  // JSON leaves empty values out, and Jackson gives null for what is absent.
  public Manifest {
    notes = orEmpty(notes);
    fingerprint = orEmpty(fingerprint);
    command = orEmpty(command);
  }

  private static <T> List<T> orEmpty(List<T> list) {
    return list == null ? List.of() : List.copyOf(list);
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  /** Name of the file in the output folder. */
  public static final String FILE_NAME = "reweave.json";

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /** The checkpoint; {@code modified} in milliseconds since the epoch. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Input(
      String path,
      String tag,
      String framework,
      String version,
      int zeroStage,
      int worldSize,
      String weights,
      List<SourceFile> files) {
    public Input {
      tag = orEmpty(tag);
      version = orEmpty(version);
      files = orEmpty(files);
    }
  }

  /** One file of the checkpoint; {@code modified} in milliseconds since the epoch. */
  public record SourceFile(String name, long bytes, long modified) {}

  /** The options that decide what the result looks like. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Options(
      String dtype, String frozen, long maxShardBytes, String weightsName, long chunkBytes) {}

  /** What was written; {@code dropped} has each tied name that was left out and the kept one. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Result(
      int tensors, long elements, List<Shard> shards, String index, Map<String, String> dropped) {
    public Result {
      shards = orEmpty(shards);
      index = orEmpty(index);
      dropped = dropped == null ? Map.of() : Map.copyOf(dropped);
    }
  }

  /** One file of weights; the checksum as eight hexadecimal digits. */
  public record Shard(String name, long bytes, String crc32c) {}

  /** What it took; see {@link RunFigures}. */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Figures(
      long bytesRead,
      long bytesNeeded,
      long bytesWritten,
      long readRequests,
      int resumedShards,
      int storagesChecked,
      int storagesUnchecked) {}

  /**
   * What is known of a run before it reads weights.
   *
   * @param inputPath full address of the checkpoint
   */
  public record Origin(
      String fingerprint, String command, String inputPath, String sparkVersion, Instant start) {}

  /** Puts together what a finished run knows of itself. */
  public static Manifest of(
      Origin origin,
      Checkpoint checkpoint,
      PlanOptions planning,
      ReadOptions reading,
      ConversionPlan plan,
      RunFigures run) {
    Checkpoint.Source source = checkpoint.source();
    return new Manifest(
        Versions.reweave(),
        origin.sparkVersion(),
        origin.fingerprint(),
        origin.command(),
        origin.start().truncatedTo(ChronoUnit.SECONDS).toString(),
        Duration.between(origin.start(), Instant.now()).toMillis() / 1000.0,
        new Input(
            Redacted.text(origin.inputPath()),
            source.tag(),
            source.framework(),
            source.version(),
            source.stage(),
            source.worldSize(),
            source.weights().name().toLowerCase(Locale.ROOT),
            checkpoint.files().stream().map(Manifest::sourceFile).toList()),
        new Options(
            planning.dtype().map(DType::torchName).orElse("keep"),
            reading.frozen().name().toLowerCase(Locale.ROOT),
            planning.maxShardBytes(),
            planning.weightsName(),
            planning.chunkBytes()),
        new Result(
            plan.tensors(),
            checkpoint.tensors().stream().mapToLong(t -> t.spec().elements()).sum(),
            shards(plan, run.crc32c()),
            plan.index().isPresent() ? plan.indexName() : "",
            new TreeMap<>(checkpoint.aliases())),
        new Figures(
            run.bytesRead(),
            run.bytesNeeded(),
            plan.bytesToWrite(),
            run.requests(),
            run.resumedShards(),
            run.storagesChecked(),
            run.storagesUnchecked()),
        checkpoint.notes());
  }

  private static SourceFile sourceFile(InputFile file) {
    return new SourceFile(file.name(), file.length(), file.modified());
  }

  private static List<Shard> shards(ConversionPlan plan, List<Integer> crcs) {
    List<Shard> shards = new ArrayList<>();
    for (int i = 0; i < crcs.size(); i++) {
      PlannedShard shard = plan.shards().get(i);
      shards.add(new Shard(shard.fileName(), shard.length(), hex(crcs.get(i))));
    }
    return shards;
  }

  /** Names of all files that the conversion made visible. */
  public List<String> fileNames() {
    List<String> names = new ArrayList<>(result.shards().stream().map(Shard::name).toList());
    names.add(FILE_NAME);
    if (!result.index().isEmpty()) {
      names.add(result.index());
    }
    return names;
  }

  /** A checksum as it stands in the manifest. */
  public static String hex(int crc) {
    return String.format(Locale.ROOT, "%08x", crc);
  }

  /** The content of the file. */
  public byte[] toJson() {
    try {
      return (JSON.writeValueAsString(this) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads a manifest.
   *
   * @param place where it was found, for messages
   * @throws ReweaveException if it is none
   */
  public static Manifest parse(byte[] json, String place) {
    try {
      Manifest manifest = JSON.readValue(json, Manifest.class);
      if (manifest != null && manifest.result() != null && !manifest.result().shards().isEmpty()) {
        return manifest;
      }
      throw new IOException("no list of shards");
    } catch (IOException e) {
      throw new ReweaveException(
          "this is no manifest of a conversion", place, "convert again with --overwrite", e);
    }
  }
}
