package dev.reweave.look.page;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;

/** Data of a report as it could be of a model with layers and experts, and what it was made of. */
final class SampleReport {
  static final int BINS = 64;
  private static final int LOWEST = -24;
  private static final int HIGHEST = 7;
  private static final int SHARDS = 5;

  /** A tensor of the sample. Its numbers are null where the report has none. */
  static final class Row {
    String name;
    int dtype;
    int[] shape;
    int shard;
    long elements;
    long bytes;
    long nans;
    long infinities;
    long zeros;
    double norm;
    double mean;
    double std;
    double change;
    long[] bins;
  }

  record Task(String executor, long start, long end, int attempt, String outcome, long read) {}

  final List<Row> rows = new ArrayList<>();
  final List<Task> tasks = new ArrayList<>();
  final List<String> dtypes = List.of("float32", "bfloat16");
  private final Random random = new Random(7);
  private String title = "sample";
  private boolean measured = true;
  private boolean compared;

  /** A model of {@code layers} layers, with experts in them or without. */
  static SampleReport model(int layers, int experts) {
    SampleReport sample = new SampleReport();
    sample.add("model.embed_tokens.weight", 32_000, 4096);
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      sample.add(prefix + "input_layernorm.weight", 4096);
      for (String part : List.of("q", "k", "v", "o")) {
        sample.add(prefix + "self_attn." + part + "_proj.weight", 4096, 4096);
      }
      for (int expert = 0; expert < Math.max(1, experts); expert++) {
        String of = prefix + (experts == 0 ? "mlp." : "mlp.experts." + expert + ".");
        for (String part : List.of("gate", "up", "down")) {
          sample.add(of + part + "_proj.weight", 2048, 1408);
        }
      }
    }
    sample.add("model.norm.weight", 4096);
    sample.add("lm_head.weight", 32_000, 4096);
    sample.run();
    return sample;
  }

  private void add(String name, int... shape) {
    Row row = new Row();
    row.name = name;
    row.dtype = shape.length == 1 ? 0 : 1;
    row.shape = shape;
    row.elements = 1;
    for (int size : shape) {
      row.elements *= size;
    }
    row.bytes = row.elements * (row.dtype == 0 ? 4 : 2);
    row.shard = rows.size() * 31 % SHARDS;
    row.nans = rows.size() % 97 == 13 ? 2 : 0;
    row.zeros = rows.size() % 3 == 0 ? random.nextInt(500) : 0;
    row.std = seven(0.01 + random.nextDouble() / 50);
    row.mean = seven(random.nextGaussian() / 1000);
    row.norm = seven(row.std * Math.sqrt((double) row.elements));
    boolean touched = name.contains("q_proj") && name.matches(".*\\.[1-9]*[02468]\\..*");
    row.change = touched ? seven(Math.exp(-2 - 8 * random.nextDouble())) : 0;
    row.bins = bins(row.elements);
    rows.add(row);
  }

  /** As many figures as the numbers of weights have. */
  private static double seven(double x) {
    return Double.parseDouble(String.format(java.util.Locale.ROOT, "%.6e", x));
  }

  /** About half of what is left in each further bin, on both sides of zero. */
  private long[] bins(long elements) {
    long[] bins = new long[BINS];
    double left = elements / 2.0;
    for (int exponent = -6; exponent >= LOWEST; exponent--) {
      int at = exponent - LOWEST;
      bins[31 - at] = (long) (left * (0.4 + random.nextDouble() / 10));
      bins[32 + at] = (long) (left * (0.4 + random.nextDouble() / 10));
      left /= 2;
    }
    return bins;
  }

  private void run() {
    for (int i = 0; i < 40; i++) {
      long start = i / 4 * 1000L + i;
      String outcome = i == 17 ? "failed" : i == 23 ? "killed" : "done";
      long length = i == 30 ? 2900 : 800 + random.nextInt(200);
      tasks.add(
          new Task(
              String.valueOf(i % 4 + 1),
              start,
              start + length,
              i == 21 ? 1 : 0,
              outcome,
              1000L * i));
    }
  }

  SampleReport compared() {
    compared = true;
    return this;
  }

  SampleReport unmeasured() {
    measured = false;
    tasks.clear();
    return this;
  }

  SampleReport named(String newTitle, UnaryOperator<String> names) {
    title = newTitle;
    rows.forEach(row -> row.name = names.apply(row.name));
    return this;
  }

  String shard(int shard) {
    return "model-%05d-of-%05d.safetensors".formatted(shard + 1, SHARDS);
  }

  byte[] json() {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("format", 1);
    root.put("title", title);
    root.put("made", "2026-12-01T05:00:00Z");
    root.put("reweave", "0.1.0");
    Map<String, Object> subject = new LinkedHashMap<>();
    subject.put("kind", "conversion");
    subject.put("address", "/models/" + title);
    if (compared) {
      subject.put("against", "/models/base");
    }
    root.put("subject", subject);
    root.put("facts", List.of(List.of("Input", "/runs/" + title), List.of("Step", "global_step8")));
    root.put(
        "checks",
        List.of(
            Map.of("name", "CRCs of the input", "verdict", "passed", "text", "12 entries"),
            Map.of("name", "Names", "verdict", "failed", "text", title),
            Map.of("name", "Base", "verdict", "not made", "text", "no base was given")));
    root.put("warnings", List.of("A warning of " + title));
    root.put("shards", shards());
    root.put("dtypes", dtypes);
    root.put("tensors", columns());
    if (compared) {
      root.put("onlyHere", List.of(title + ".here"));
      root.put("onlyThere", List.of());
    }
    if (measured) {
      root.put(
          "histogram",
          Map.of(
              "lowest",
              LOWEST,
              "highest",
              HIGHEST,
              "counts",
              Base64.getEncoder().encodeToString(counts())));
    }
    root.put("tasks", tasks.stream().map(this::task).toList());
    try {
      return new ObjectMapper().writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<Map<String, Object>> shards() {
    List<Map<String, Object>> shards = new ArrayList<>();
    for (int i = 0; i < SHARDS; i++) {
      int shard = i;
      List<Row> own = rows.stream().filter(row -> row.shard == shard).toList();
      long bytes = own.stream().mapToLong(row -> row.bytes).sum();
      shards.add(Map.of("path", shard(i), "bytes", bytes + 800, "tensors", own.size()));
    }
    return shards;
  }

  private Map<String, Object> columns() {
    Map<String, Object> columns = new LinkedHashMap<>();
    columns.put("name", rows.stream().map(row -> row.name).toList());
    columns.put("dtype", rows.stream().map(row -> row.dtype).toList());
    columns.put("shape", rows.stream().map(row -> row.shape).toList());
    columns.put("shard", rows.stream().map(row -> row.shard).toList());
    columns.put("bytes", rows.stream().map(row -> row.bytes).toList());
    columns.put("elements", rows.stream().map(row -> row.elements).toList());
    columns.put("nans", rows.stream().map(row -> row.nans).toList());
    columns.put("infinities", rows.stream().map(row -> row.infinities).toList());
    if (measured) {
      columns.put("zeros", rows.stream().map(row -> row.zeros).toList());
      columns.put("norm", rows.stream().map(row -> row.norm).toList());
      columns.put("mean", rows.stream().map(row -> row.mean).toList());
      columns.put("std", rows.stream().map(row -> row.std).toList());
      columns.put("min", rows.stream().map(row -> seven(-3.3 * row.std)).toList());
      columns.put("max", rows.stream().map(row -> seven(3.1 * row.std)).toList());
    }
    if (compared) {
      columns.put("change", rows.stream().map(row -> row.change).toList());
      columns.put("differing", rows.stream().map(r -> r.change == 0 ? 0 : r.elements / 2).toList());
    }
    return columns;
  }

  private byte[] counts() {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    for (Row row : rows) {
      for (long count : row.bins) {
        long left = count;
        while (left > 127) {
          packed.write((int) (left & 127) | 128);
          left >>= 7;
        }
        packed.write((int) left);
      }
    }
    return packed.toByteArray();
  }

  private Map<String, Object> task(Task task) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("executor", task.executor);
    map.put("host", "host-" + task.executor);
    map.put("what", "convert: " + title + " at " + task.start);
    map.put("start", task.start);
    map.put("end", task.end);
    map.put("attempt", task.attempt);
    map.put("outcome", task.outcome);
    map.put("read", task.read);
    map.put("written", task.read / 2);
    return map;
  }
}
