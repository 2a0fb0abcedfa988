package dev.reweave.look.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.EnumFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.Weights;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.ByteSize;
import dev.reweave.target.mapping.Mapped;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What an address holds, told from metadata alone.
 *
 * @param source what wrote it
 * @param files how many hold the tensors
 * @param mapped what a mapping makes of them; empty if there is none
 * @param metadata what stands in the files beside the tensors
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@JsonPropertyOrder({"path", "source", "files", "parameters", "bytes", "dtypes"})
public record Inspection(
    String path,
    @JsonUnwrapped Checkpoint.Source source,
    int files,
    List<Row> tensors,
    List<Renamed> mapped,
    @JsonUnwrapped FolderMetadata metadata,
    List<String> notes,
    List<NotTaken> notTaken) {
  /** Metadata can be of megabytes: people see so much of an entry, programs all of it. */
  private static final int MOST_CHARS = 100;

  /** What files of safetensors are said to be from. */
  private static final String SAFETENSORS = "safetensors";

  /** How a source is told among the rest. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  private interface SourceJson {
    @JsonProperty("zeroStage")
    int stage();
  }

  /** One tensor; {@code file} only where a tensor lies in one. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Row(
      String name, String dtype, List<Long> shape, long elements, long bytes, String file) {
    static Row of(TensorSpec spec, String file) {
      return new Row(
          spec.name(),
          spec.dtype().torchName(),
          Arrays.stream(spec.shape().dims()).boxed().toList(),
          spec.elements(),
          spec.bytes(),
          file);
    }
  }

  /** What a mapping makes of a tensor; {@code to} is empty where it is left out. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Renamed(String from, String to, List<Long> shape) {}

  /** What a checkpoint is. */
  public static Inspection of(String path, Checkpoint checkpoint) {
    return of(path, checkpoint, List.of(), checkpoint.notes());
  }

  /**
   * What a checkpoint is, and what a mapping makes of it.
   *
   * @param rows what becomes of each tensor
   */
  public static Inspection of(
      String path, Checkpoint checkpoint, List<Mapped.Row> rows, List<String> notes) {
    return new Inspection(
        path,
        checkpoint.source(),
        checkpoint.files().size(),
        checkpoint.tensors().stream().map(t -> Row.of(t.spec(), file(checkpoint, t))).toList(),
        rows.stream()
            .map(
                r ->
                    new Renamed(
                        r.source(), r.target(), Arrays.stream(r.shape().dims()).boxed().toList()))
            .toList(),
        new FolderMetadata(
            new TreeMap<>(checkpoint.aliases()), new TreeMap<>(checkpoint.metadata())),
        Stream.concat(checkpoint.cautions().stream().map(Caution::text), notes.stream()).toList(),
        checkpoint.notTaken());
  }

  /** The file of a tensor that lies in one as the module has it; empty for others. */
  private static String file(Checkpoint checkpoint, NamedTensor tensor) {
    return checkpoint.source().weights() == Weights.MODEL
            && tensor.layout() instanceof StoredLayout stored
        ? checkpoint.files().get(stored.storage().file()).name()
        : "";
  }

  /**
   * What a folder of safetensors files is.
   *
   * @param headers by path of the file in the folder
   */
  public static Inspection of(String path, Map<String, SafetensorsHeader> headers) {
    List<Row> rows = new ArrayList<>();
    headers.forEach(
        (file, header) -> header.entries().forEach(e -> rows.add(Row.of(e.spec(), file))));
    FolderMetadata metadata = FolderMetadata.of(headers);
    Checkpoint.Source source =
        new Checkpoint.Source(SAFETENSORS, "", -1, 1, "", "", List.of(), Weights.MODEL);
    return new Inspection(
        path, source, headers.size(), rows, List.of(), metadata, List.of(), List.of());
  }

  /** Elements of all tensors. */
  @JsonProperty
  public long parameters() {
    return tensors.stream().mapToLong(Row::elements).sum();
  }

  /** Bytes of all tensors. */
  @JsonProperty
  public long bytes() {
    return tensors.stream().mapToLong(Row::bytes).sum();
  }

  /** How many tensors there are of each type. */
  @JsonProperty
  public Map<String, Integer> dtypes() {
    Map<String, Integer> dtypes = new TreeMap<>();
    tensors.forEach(r -> dtypes.merge(r.dtype(), 1, Integer::sum));
    return dtypes;
  }

  /** One JSON document. */
  public String toJson() {
    try {
      return JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(EnumFeature.WRITE_ENUMS_TO_LOWERCASE)
          .addMixIn(Checkpoint.Source.class, SourceJson.class)
          .build()
          .writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The folder of a tensor's model among those of a pipeline; empty where there is one model. */
  String component(Row row) {
    boolean inFiles = source.framework().equals(SAFETENSORS);
    return inFiles ? row.file().substring(0, Math.max(0, row.file().lastIndexOf('/'))) : "";
  }

  /** For people: a few facts and a table of tensors. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>(facts());
    lines.add("");
    lines.addAll(mapped.isEmpty() ? tensorLines() : mappedLines());
    return lines;
  }

  /** For people: what it is, how much, and what has to be known. */
  public List<String> facts() {
    Table facts = new Table(2).row("path", path);
    facts.row("framework", (source.framework() + " " + source.version()).strip());
    if (source.stage() >= 0) {
      facts.row("ZeRO stage", String.valueOf(source.stage()));
      facts.row("world size", String.valueOf(source.worldSize()));
    }
    if (!source.precision().isEmpty()) {
      facts.row("trained in", source.precision());
    }
    if (!source.tag().isEmpty()) {
      List<String> tags = source.tags();
      String all = tags.size() > 1 ? "  (all: " + String.join(", ", tags) + ")" : "";
      facts.row("tag", source.tag() + all);
    }
    if (source.stage() >= 0) {
      facts.row(
          "weights", source.weights() == Weights.MASTER ? "fp32 masters" : "the module's own");
    }
    facts.row("files", String.valueOf(files));
    facts.row("tensors", tensors.size() + " " + dtypes());
    facts.row("parameters", String.format(Locale.ROOT, "%,d", parameters()));
    facts.row("bytes", bytes() + " (" + ByteSize.format(bytes()) + ")");
    metadata.tied().forEach((dropped, kept) -> facts.row("tied", dropped + " = " + kept));
    metadata.entries().forEach((key, value) -> metadataRow(facts, key, value));
    notes.forEach(note -> facts.row("note", note));
    notTaken.forEach(left -> facts.row("left", left.text()));
    return facts.lines();
  }

  /** Every file says {@code format = pt}. */
  private static void metadataRow(Table facts, String key, String value) {
    if (!key.equals("format") || !value.equals("pt")) {
      facts.row("metadata", shortened(key) + " = " + shortened(value));
    }
  }

  private static String shortened(String text) {
    return text.codePointCount(0, text.length()) <= MOST_CHARS
        ? text
        : text.substring(0, text.offsetByCodePoints(0, MOST_CHARS)) + "…";
  }

  private List<String> mappedLines() {
    Table table = new Table(3).row("name", "becomes", "shape");
    for (Renamed row : mapped) {
      table.row(row.from(), row.to().isEmpty() ? "(left out)" : row.to(), row.shape().toString());
    }
    return table.lines();
  }

  private List<String> tensorLines() {
    Table table = new Table(3).row("name", "dtype", "shape", "bytes");
    for (Row row : tensors) {
      table.row(
          row.name(),
          row.dtype(),
          row.shape().toString(),
          String.format(Locale.ROOT, "%,d", row.bytes()));
    }
    return table.lines();
  }
}
