package dev.reweave.manifest;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.common.Counted;
import dev.reweave.storage.ByteSize;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How a conversion ended, for schedulers and for the table of several.
 *
 * @param input address of the checkpoint, without credentials
 * @param output address of the folder for the result, without credentials
 * @param tag of the saved step, or empty
 * @param manifest of the result; empty if there is none
 * @param warnings of its values, for people; none where they do not want any
 * @param seconds that it took
 * @param failure empty unless it failed
 */
public record ConversionEnd(
    Status status,
    String input,
    String output,
    String tag,
    Optional<Manifest> manifest,
    List<String> warnings,
    double seconds,
    Optional<Throwable> failure) {

  /** Whether there is a result, and whether it was made now. */
  public enum Status {
    CONVERTED("converted"),
    UP_TO_DATE("up to date"),
    FAILED("failed");

    private final String text;

    Status(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** One that came to nothing. */
  public static ConversionEnd failed(
      String input, String output, String tag, double seconds, Throwable failure) {
    return new ConversionEnd(
        Status.FAILED,
        input,
        output,
        tag,
        Optional.empty(),
        List.of(),
        seconds,
        Optional.of(failure));
  }

  private static Failure explained(Throwable failure) {
    return Failure.of(failure, "reweave convert");
  }

  /** One line of JSON; members without a value are left out. */
  public String toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("status", status.toString());
    putText(json, "input", input);
    putText(json, "output", output);
    putText(json, "tag", tag);
    manifest.ifPresent(
        m -> {
          json.put("tensors", m.result().tensors());
          json.put("bytes", bytes(m));
          json.put("files", files(m).count());
          putValues(json, m.result().weights());
          putCautions(json, m.cautions());
          if (!m.notes().isEmpty()) {
            m.notes().forEach(json.putArray("notes")::add);
          }
        });
    json.put("seconds", Math.round(seconds * 1000) / 1000.0);
    failure.ifPresent(
        f -> {
          Failure error = explained(f);
          json.putObject("error")
              .put("kind", error.kind().toString())
              .put("problem", error.problem())
              .put("place", error.place())
              .put("remedy", error.remedy());
        });
    return json.toString();
  }

  private static void putValues(ObjectNode json, List<WrittenTensor> tensors) {
    if (!tensors.isEmpty()) {
      json.put("nans", tensors.stream().mapToLong(WrittenTensor::nans).sum());
      json.put("infinities", tensors.stream().mapToLong(WrittenTensor::infinities).sum());
      json.put("overflows", tensors.stream().mapToLong(WrittenTensor::overflows).sum());
      json.put("underflows", tensors.stream().mapToLong(WrittenTensor::underflows).sum());
    }
  }

  private static void putCautions(ObjectNode json, List<Manifest.Caution> cautions) {
    if (!cautions.isEmpty()) {
      ArrayNode array = json.putArray("cautions");
      for (Manifest.Caution caution : cautions) {
        array
            .addObject()
            .put("kind", caution.kind())
            .put("name", caution.name())
            .put("problem", caution.problem())
            .put("place", caution.place())
            .put("remedy", caution.remedy());
      }
    }
  }

  private static void putText(ObjectNode json, String name, String text) {
    if (!text.isEmpty()) {
      json.put(name, text);
    }
  }

  private static Stream<Manifest.Shard> files(Manifest manifest) {
    return Stream.concat(manifest.result().shards().stream(), manifest.result().files().stream());
  }

  private static long bytes(Manifest manifest) {
    return files(manifest).mapToLong(Manifest.Shard::bytes).sum();
  }

  /** In words, how much was made or why not. */
  public String details() {
    return failure
        .map(f -> explained(f).text())
        .or(
            () ->
                manifest.map(
                    m ->
                        String.format(
                            Locale.ROOT,
                            "%s, %s, %.1f s",
                            Counted.of(m.result().tensors(), "tensor"),
                            ByteSize.format(bytes(m)),
                            seconds)))
        .orElse("");
  }
}
