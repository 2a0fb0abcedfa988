package dev.reweave.look.page;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.reweave.manifest.Versions;
import dev.reweave.spark.TaskSpan;
import dev.reweave.tensor.TensorStatistics;
import dev.reweave.tensor.ValueHistogram;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The data of a report as one JSON document, in columns: so it stays small for many tensors. */
final class ReportJson {
  /** Beyond these, numbers have the digits that a picture shows. */
  private static final int MOST_IN_FULL = 10_000;

  private static final MathContext SHOWN = new MathContext(6);

  private final ReportContent content;
  private final JsonGenerator json;

  private ReportJson(ReportContent content, JsonGenerator json) {
    this.content = content;
    this.json = json;
  }

  static byte[] of(ReportContent content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      new ReportJson(content, json).write();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private interface Value<T> {
    void write(T item) throws IOException;
  }

  private <T> void array(String name, List<T> items, Value<T> value) throws IOException {
    json.writeArrayFieldStart(name);
    for (T item : items) {
      value.write(item);
    }
    json.writeEndArray();
  }

  private void write() throws IOException {
    json.writeStartObject();
    json.writeNumberField("format", 1);
    json.writeStringField("title", title(content.subject().address()));
    json.writeStringField("made", content.subject().made());
    json.writeStringField("reweave", Versions.reweave());
    json.writeObjectFieldStart("subject");
    json.writeStringField("kind", content.subject().kind());
    json.writeStringField("address", content.subject().address());
    if (content.subject().against().isPresent()) {
      json.writeStringField("against", content.subject().against().get());
    }
    json.writeEndObject();
    array(
        "facts",
        content.told().facts(),
        fact -> json.writeArray(new String[] {fact.name(), fact.text()}, 0, 2));
    array(
        "checks",
        content.told().checks(),
        check -> {
          json.writeStartObject();
          json.writeStringField("name", check.name());
          json.writeStringField("verdict", check.verdict().words());
          json.writeStringField("text", check.text());
          json.writeEndObject();
        });
    array("warnings", content.told().warnings(), json::writeString);
    writeShards();
    writeTensors();
    if (content.subject().against().isPresent()) {
      array("onlyHere", content.unpaired().here(), json::writeString);
      array("onlyThere", content.unpaired().there(), json::writeString);
    }
    writeTasks();
    json.writeEndObject();
  }

  private static String title(String address) {
    String path = address.replaceAll("/+$", "");
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private void writeShards() throws IOException {
    Map<String, Integer> tensors = new HashMap<>();
    content.tensors().forEach(t -> tensors.merge(t.form().file(), 1, Integer::sum));
    array(
        "shards",
        content.shards(),
        file -> {
          json.writeStartObject();
          json.writeStringField("path", file.path());
          json.writeNumberField("bytes", file.bytes());
          json.writeNumberField("tensors", tensors.getOrDefault(file.path(), 0));
          json.writeEndObject();
        });
  }

  private void writeTensors() throws IOException {
    List<ReportContent.Tensor> tensors = content.tensors();
    List<String> dtypes = tensors.stream().map(t -> t.form().dtype()).distinct().toList();
    Map<String, Integer> shards = new HashMap<>();
    content.shards().forEach(file -> shards.putIfAbsent(file.path(), shards.size()));
    array("dtypes", dtypes, json::writeString);
    json.writeObjectFieldStart("tensors");
    array("name", tensors, t -> json.writeString(t.form().name()));
    array("dtype", tensors, t -> json.writeNumber(dtypes.indexOf(t.form().dtype())));
    array(
        "shape",
        tensors,
        t -> {
          long[] dims = t.form().shape().stream().mapToLong(Long::longValue).toArray();
          json.writeArray(dims, 0, dims.length);
        });
    array("shard", tensors, t -> json.writeNumber(shards.getOrDefault(t.form().file(), -1)));
    array("bytes", tensors, t -> json.writeNumber(t.form().bytes()));
    array("elements", tensors, t -> json.writeNumber(t.form().elements()));
    array("nans", tensors, t -> json.writeNumber(t.nans()));
    array("infinities", tensors, t -> json.writeNumber(t.infinities()));
    if (tensors.stream().anyMatch(t -> t.statistics().isPresent())) {
      array("zeros", tensors, t -> whole(t.statistics().map(TensorStatistics::zeros).orElse(-1L)));
      statistic("norm", ReportJson::norm);
      statistic("mean", s -> s.finite().mean());
      statistic("std", s -> s.finite().deviation());
      statistic("min", s -> s.finite().min());
      statistic("max", s -> s.finite().max());
    }
    if (content.subject().against().isPresent()) {
      array(
          "change",
          tensors,
          t -> number(t.change().map(ReportContent.Change::relative).orElse(Double.NaN)));
      array(
          "differing",
          tensors,
          t -> whole(t.change().map(ReportContent.Change::differing).orElse(-1L)));
    }
    json.writeEndObject();
    writeHistogram();
  }

  private void statistic(String name, ToDoubleFunction<TensorStatistics> value) throws IOException {
    Function<ReportContent.Tensor, Double> of =
        t -> t.statistics().map(s -> value.applyAsDouble(s)).orElse(Double.NaN);
    array(name, content.tensors(), t -> number(of.apply(t)));
  }

  /** Length of the finite numbers as a vector. */
  private static double norm(TensorStatistics statistics) {
    TensorStatistics.Finite finite = statistics.finite();
    return finite.count() == 0
        ? Double.NaN
        : Math.sqrt(finite.squares() + finite.count() * finite.mean() * finite.mean());
  }

  private void whole(long number) throws IOException {
    if (number < 0) {
      json.writeNull();
    } else {
      json.writeNumber(number);
    }
  }

  /** JSON has no number for what is not finite. */
  private void number(double value) throws IOException {
    if (!Double.isFinite(value)) {
      json.writeNull();
    } else if (value == Math.rint(value) && Math.abs(value) < 1e9) {
      json.writeNumber((long) value);
    } else if (content.tensors().size() <= MOST_IN_FULL) {
      json.writeNumber(value);
    } else {
      json.writeNumber(new BigDecimal(value).round(SHOWN).doubleValue());
    }
  }

  private void writeHistogram() throws IOException {
    List<long[]> all = new ArrayList<>();
    content.tensors().forEach(t -> all.add(t.histogram().counts()));
    if (all.stream().allMatch(counts -> counts.length == 0)) {
      return;
    }
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    for (long[] counts : all) {
      for (int bin = 0; bin < ValueHistogram.BINS; bin++) {
        varint(counts.length == 0 ? 0 : counts[bin], packed);
      }
    }
    json.writeObjectFieldStart("histogram");
    json.writeNumberField("lowest", ValueHistogram.LOWEST);
    json.writeNumberField("highest", ValueHistogram.HIGHEST);
    json.writeBinaryField("counts", packed.toByteArray());
    json.writeEndObject();
  }

  /** Unsigned LEB128, as in the DWARF format. */
  private static void varint(long value, ByteArrayOutputStream out) {
    long rest = value;
    while (rest > 0x7F) {
      out.write((int) ((rest & 0x7F) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  private void writeTasks() throws IOException {
    List<TaskSpan> tasks = content.tasks();
    long first = tasks.stream().mapToLong(TaskSpan::start).min().orElse(0);
    array(
        "tasks",
        tasks,
        task -> {
          json.writeStartObject();
          json.writeStringField("executor", task.executor().id());
          json.writeStringField("host", task.executor().host());
          json.writeStringField("what", task.what());
          json.writeNumberField("start", task.start() - first);
          json.writeNumberField("end", task.end() - first);
          json.writeNumberField("attempt", task.attempt());
          json.writeStringField("outcome", task.outcome().name().toLowerCase(Locale.ROOT));
          json.writeNumberField("read", task.read());
          json.writeNumberField("written", task.written());
          json.writeEndObject();
        });
  }
}
