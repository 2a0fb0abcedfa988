package dev.reweave.manifest;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.Weights;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.plan.prepare.MappingUsed;
import dev.reweave.storage.FolderPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

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
 * @param output address of the folder
 * @param mapping null where names were kept
 * @param base null where there was none
 * @param proof null where nothing was proven
 * @param cautions what was not known of the checkpoint
 * @param notTaken what lay there and is not in the result
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
    String output,
    RecordedOptions options,
    MappingUsed mapping,
    BaseUsed base,
    Result result,
    Proof proof,
    Figures figures,
    List<String> notes,
    List<Caution> cautions,
    List<NotTaken> notTaken) {

  // JSON leaves empty values out, and Jackson gives null for what is absent.
  public Manifest {
    notes = orEmpty(notes);
    cautions = orEmpty(cautions);
    notTaken = orEmpty(notTaken);
    fingerprint = orEmpty(fingerprint);
    command = orEmpty(command);
    reweave = orEmpty(reweave);
    input = input == null ? new Input("", "", "", "", 0, 0, "", List.of()) : input;
    options = options == null ? RecordedOptions.NONE : options;
    output = orEmpty(output);
  }

  private static <T> List<T> orEmpty(List<T> list) {
    require(
        list == null || list.stream().noneMatch(Objects::isNull), "a list with nothing in a place");
    return list == null ? List.of() : List.copyOf(list);
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  /** What a manifest that was changed says is not believed where it could do harm. */
  private static void require(boolean sound, String what) {
    if (!sound) {
      throw new IllegalArgumentException(what);
    }
  }

  /** The mapping that was applied, if there was one. */
  public Optional<MappingUsed> mappingUsed() {
    return Optional.ofNullable(mapping);
  }

  /** What was proven of the weights, if anything. */
  public Optional<Proof> proven() {
    return Optional.ofNullable(proof);
  }

  /** The base, if there was one. */
  public Optional<BaseUsed> baseUsed() {
    return Optional.ofNullable(base);
  }

  /** Name of the file in the output folder. */
  public static final String FILE_NAME = FileNames.MANIFEST;

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
      path = orEmpty(path);
      framework = orEmpty(framework);
      weights = orEmpty(weights);
      tag = orEmpty(tag);
      version = orEmpty(version);
      files = orEmpty(files);
    }

    /** What was read. */
    public Checkpoint.Source source() {
      Weights copy = weights.equals("master") ? Weights.MASTER : Weights.MODEL;
      return new Checkpoint.Source(
          framework, version, zeroStage, worldSize, "", tag, List.of(), copy);
    }
  }

  /**
   * Something in the checkpoint that was not known; see {@link dev.reweave.checkpoint.Caution}.
   *
   * @param kind such as {@code unknown-key}
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Caution(String kind, String name, String problem, String place, String remedy) {
    public Caution {
      kind = orEmpty(kind);
      name = orEmpty(name);
      problem = orEmpty(problem);
      place = orEmpty(place);
      remedy = orEmpty(remedy);
    }

    static Caution of(dev.reweave.checkpoint.Caution caution) {
      return new Caution(
          caution.kind().toString(),
          caution.name(),
          caution.problem(),
          caution.place(),
          caution.remedy());
    }

    /** In one line: what, where, and what to do. */
    public String text() {
      return problem + " (" + place + "): " + remedy;
    }
  }

  /** One file of the checkpoint; {@code modified} in milliseconds since the epoch. */
  public record SourceFile(String name, long bytes, long modified) {}

  /**
   * What was written.
   *
   * @param files beside the shards: copies, configs, indexes
   * @param index of the shards, or empty
   * @param dropped each tied name that was left out and the kept one
   * @param weights its tensors, in the order of their bytes; empty in manifests of older versions
   * @param differences by tensor, elements that differ between ranks that should have copies; the
   *     first rank's were taken
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Result(
      int tensors,
      long elements,
      List<Shard> shards,
      List<Shard> files,
      String index,
      Map<String, String> dropped,
      List<WrittenTensor> weights,
      Map<String, Long> differences) {
    public Result {
      shards = orEmpty(shards);
      files = orEmpty(files);
      weights = orEmpty(weights);
      differences = differences == null ? Map.of() : Map.copyOf(differences);
      index = orEmpty(index);
      dropped = dropped == null ? Map.of() : Map.copyOf(dropped);
    }
  }

  /**
   * One file, by its path.
   *
   * @param crc32c in eight hexadecimal digits
   * @param sha256 in 64; empty if nobody asked for it
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Shard(String name, long bytes, String crc32c, String sha256) {
    public Shard {
      sha256 = orEmpty(sha256);
      require(name != null && FolderPath.isInside(name), "a file that is not in the folder");
      require(bytes >= 0, "a file of " + bytes + " bytes");
      require(crc32c != null && crc32c.matches("[0-9a-f]{8}"), "a file without its CRC32C");
      require(sha256.matches("|[0-9a-f]{64}"), "a SHA-256 that is none");
    }
  }

  /**
   * What comparing the fp32 masters with the module's own weights came to.
   *
   * @param verdict in words
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Proof(int tensors, long elements, String verdict) {}

  /**
   * Storages of the input that were not compared with a checksum.
   *
   * @param why in words
   * @param files in which they are
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Unchecked(String why, int storages, int files) {}

  /**
   * What it took; see {@link RunFigures}.
   *
   * @param filesCheckedByStore files of the result whose parts the store compared with checksums as
   *     they came
   * @param filesReadBack files of the result that were read again before it was published
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Figures(
      long bytesRead,
      long bytesNeeded,
      long bytesWritten,
      long readRequests,
      int resumedFiles,
      int storagesChecked,
      int storagesUnchecked,
      List<Unchecked> unchecked,
      int filesCheckedByStore,
      int filesReadBack) {
    public Figures {
      unchecked = orEmpty(unchecked);
    }
  }

  /** Paths of all files that the conversion made visible. */
  public List<String> fileNames() {
    List<String> names = new ArrayList<>();
    Stream.concat(result.shards().stream(), result.files().stream())
        .forEach(file -> names.add(file.name()));
    names.add(FILE_NAME);
    return names;
  }

  /** The same, and that of a report which may have been made of it. */
  public List<String> ownNames() {
    List<String> names = new ArrayList<>(fileNames());
    names.add(FileNames.REPORT);
    return names;
  }

  /** The content of the file. */
  public byte[] toJson() {
    return ManifestJson.write(this);
  }

  /**
   * Reads a manifest.
   *
   * @param place where it was found, for messages
   * @throws ReweaveException if it is none
   */
  public static Manifest parse(byte[] json, String place) {
    return ManifestJson.read(json, place);
  }
}
