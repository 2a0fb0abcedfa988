package dev.reweave.look.bug;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.PythonVersion;
import dev.reweave.manifest.Failure;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.PartRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a defect can be found by: figures, kinds, types of exceptions and lines of code. Names and
 * messages, which could say whose files these are, have no place in it.
 *
 * <p>It keeps little of each plan and failure, and no more than the first of many.
 */
public final class BugReport {
  private static final int MOST = 20;

  /** Their messages hold numbers and names of code. */
  private static final Set<Class<?>> PLAIN =
      Set.of(
          ArithmeticException.class,
          ArrayIndexOutOfBoundsException.class,
          ClassCastException.class,
          IndexOutOfBoundsException.class,
          NegativeArraySizeException.class,
          NullPointerException.class,
          StringIndexOutOfBoundsException.class);

  private static final String ABOUT =
      "Figures, kinds of errors and lines of code: no addresses, no names and no messages. Add what"
          + " was said on the screen, as far as it is nobody's secret.";

  /**
   * The program and what it runs on.
   *
   * @param versions by program
   * @param settings by key
   */
  public record Surroundings(
      Map<String, String> versions, int processors, long heapBytes, Map<String, String> settings) {}

  /**
   * What was run.
   *
   * @param words of the command line, without names
   * @param exitCode with which it ended
   */
  public record Command(List<String> words, int exitCode, double seconds) {}

  private record Thrown(Failure failure, List<String> trace) {}

  private final List<ObjectNode> plans = new ArrayList<>();
  private final List<Thrown> failures = new ArrayList<>();
  private int morePlans;
  private int moreFailures;

  /** Takes the figures of a plan that was made. */
  public void plan(Checkpoint checkpoint, ConversionPlan plan) {
    if (plans.size() == MOST) {
      morePlans++;
      return;
    }
    Map<String, Integer> stored = new TreeMap<>();
    Map<String, Integer> made = new TreeMap<>();
    for (PlannedFile shard : plan.shards()) {
      for (Segment.OfTensor tensor : shard.tensors()) {
        stored.merge(tensor.layout().dtype().torchName(), 1, Integer::sum);
        made.merge(tensor.spec().dtype().torchName(), 1, Integer::sum);
      }
    }
    Checkpoint.Source source = checkpoint.source();
    ObjectNode json =
        JsonNodeFactory.instance
            .objectNode()
            .put("framework", source.framework())
            .put("version", PythonVersion.isVersion(source.version()) ? source.version() : "")
            .put("zeroStage", source.stage())
            .put("ranks", source.worldSize())
            .put("precision", source.precision())
            .put("steps", source.tags().size())
            .put("weights", source.weights().name().toLowerCase(Locale.ROOT))
            .put("files", checkpoint.files().size())
            .put("fileBytes", checkpoint.files().stream().mapToLong(InputFile::length).sum())
            .put(
                "longestFile",
                checkpoint.files().stream().mapToLong(InputFile::length).max().orElse(0))
            .put("tensors", plan.tensors())
            .put("elements", plan.elements());
    stored.forEach(json.putObject("storedTypes")::put);
    made.forEach(json.putObject("madeTypes")::put);
    plans.add(
        json.put("shards", plan.shards().size())
            .put("copies", plan.copied().size())
            .put("chunks", plan.chunks(PartRule.FREE).size())
            .put("chunkBytes", plan.chunkBytes().orElse(PartRule.FREE.usualBytes()))
            .put("bytesToRead", plan.bytesToRead())
            .put("bytesToWrite", plan.bytesToWrite())
            .put("cautions", checkpoint.cautions().size()));
  }

  /** Takes a failure, as it was told and as it was thrown. */
  public void failure(Failure failure, Throwable thrown) {
    if (failures.size() == MOST) {
      moreFailures++;
    } else {
      failures.add(new Thrown(failure, trace(thrown)));
    }
  }

  /** Types of exceptions and lines of code, and messages of those that can hold no name. */
  private static List<String> trace(Throwable thrown) {
    List<String> lines = new ArrayList<>();
    List<Throwable> chain = new ArrayList<>();
    for (Throwable t = thrown; t != null && !chain.contains(t); t = t.getCause()) {
      chain.add(t);
      lines.add(
          t.getClass().getName()
              + (PLAIN.contains(t.getClass()) && t.getMessage() != null
                  ? ": " + t.getMessage()
                  : ""));
      for (StackTraceElement frame : t.getStackTrace()) {
        lines.add("  at " + frame);
      }
    }
    return lines;
  }

  /** The report as a JSON document. */
  public String toJson(Surroundings surroundings, Command command) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("about", ABOUT);
    surroundings.versions.forEach(json.putObject("versions")::put);
    json.putObject("machine")
        .put("processors", surroundings.processors)
        .put("heapBytes", surroundings.heapBytes);
    command.words.forEach(json.putArray("command")::add);
    json.put("exitCode", command.exitCode);
    json.put("seconds", Math.round(command.seconds * 10) / 10.0);
    ArrayNode errors = json.putArray("errors");
    for (Thrown thrown : failures) {
      ObjectNode error = errors.addObject().put("kind", thrown.failure.kind().toString());
      thrown.trace.forEach(error.putArray("trace")::add);
    }
    putMore(json, "moreErrors", moreFailures);
    plans.forEach(json.putArray("plans")::add);
    putMore(json, "morePlans", morePlans);
    surroundings.settings.forEach(json.putObject("settings")::put);
    try {
      return JsonMapper.builder()
              .enable(SerializationFeature.INDENT_OUTPUT)
              .build()
              .writeValueAsString(json)
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void putMore(ObjectNode json, String name, int more) {
    if (more > 0) {
      json.put(name, more);
    }
  }
}
