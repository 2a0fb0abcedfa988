package dev.reweave.look.bug;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.manifest.Failure;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.PartRule;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a defect can be found by, without a name of a store, machine, person or folder, without
 * credentials and without values of weights.
 *
 * <p>It keeps little of each plan and failure, and no more than the first of many.
 */
public final class BugReport {
  private static final int MOST = 20;

  private static final String ABOUT =
      "Names of stores, machines, people and folders are replaced, the same one by the same"
          + " placeholder; names of tensors are not, and no values are here. Look it through before"
          + " you send it.";

  /**
   * The program and what it runs on.
   *
   * @param versions by program
   * @param settings by key; without a value where that is nobody's business
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

  private record Plan(
      Checkpoint.Source source,
      int files,
      long fileBytes,
      long longestFile,
      int tensors,
      long elements,
      Map<String, Integer> stored,
      Map<String, Integer> made,
      int shards,
      int copies,
      int chunks,
      long chunkBytes,
      long bytesToRead,
      long bytesToWrite,
      List<String> notes) {}

  private record Thrown(Failure failure, String trace) {}

  private final List<Plan> plans = new ArrayList<>();
  private final List<Thrown> failures = new ArrayList<>();
  private int morePlans;
  private int moreFailures;

  /** Takes the figures of a plan that was made. */
  public void plan(Checkpoint checkpoint, ConversionPlan plan, List<String> notes) {
    if (plans.size() == MOST) {
      morePlans++;
      return;
    }
    Map<String, Integer> stored = new TreeMap<>();
    Map<String, Integer> made = new TreeMap<>();
    for (PlannedFile shard : plan.shards()) {
      for (Segment.Woven tensor : shard.tensors()) {
        stored.merge(tensor.layout().dtype().torchName(), 1, Integer::sum);
        made.merge(tensor.spec().dtype().torchName(), 1, Integer::sum);
      }
    }
    plans.add(
        new Plan(
            checkpoint.source(),
            checkpoint.files().size(),
            checkpoint.files().stream().mapToLong(InputFile::length).sum(),
            checkpoint.files().stream().mapToLong(InputFile::length).max().orElse(0),
            plan.tensors(),
            plan.elements(),
            stored,
            made,
            plan.shards().size(),
            plan.copies().size(),
            plan.chunks(PartRule.FREE).size(),
            plan.chunkBytes(),
            plan.bytesToRead(),
            plan.bytesToWrite(),
            Stream.concat(checkpoint.cautions().stream().map(Caution::problem), notes.stream())
                .limit(MOST)
                .toList()));
  }

  /** Takes a failure, as it was told and as it was thrown. */
  public void failure(Failure failure, Throwable thrown) {
    if (failures.size() == MOST) {
      moreFailures++;
      return;
    }
    StringWriter trace = new StringWriter();
    thrown.printStackTrace(new PrintWriter(trace));
    failures.add(new Thrown(failure, trace.toString()));
  }

  /** The report as a JSON document, with what these placeholders stand for taken out. */
  public String toJson(Surroundings surroundings, Command command, Placeholders names) {
    for (Plan plan : plans) {
      names.name(plan.source.tag());
      plan.source.tags().forEach(names::name);
    }
    failures.stream()
        .map(f -> f.failure.place())
        .filter(BugReport::isAddress)
        .forEach(names::address);
    // What the last text shows may be a word of the first.
    json(surroundings, command, names);
    try {
      return JsonMapper.builder()
              .enable(SerializationFeature.INDENT_OUTPUT)
              .build()
              .writeValueAsString(json(surroundings, command, names))
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether a place is nothing but an address, which may have spaces in it. */
  private static boolean isAddress(String place) {
    return place.matches("(?:[A-Za-z][A-Za-z0-9+.-]+:)?/.*")
        && !place.matches(".*(?:, | and | storage | entry |: | \\().*");
  }

  private ObjectNode json(Surroundings surroundings, Command command, Placeholders names) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("about", ABOUT);
    ObjectNode versions = json.putObject("versions");
    surroundings.versions.forEach((program, version) -> versions.put(program, names.text(version)));
    json.putObject("machine")
        .put("processors", surroundings.processors)
        .put("heapBytes", surroundings.heapBytes);
    ArrayNode words = json.putArray("command");
    command.words.forEach(words::add);
    json.put("exitCode", command.exitCode);
    json.put("seconds", Math.round(command.seconds * 10) / 10.0);
    ArrayNode errors = json.putArray("errors");
    for (Thrown thrown : failures) {
      ObjectNode error =
          errors
              .addObject()
              .put("kind", thrown.failure.kind().toString())
              .put("problem", names.text(thrown.failure.problem()))
              .put("place", names.text(thrown.failure.place()))
              .put("remedy", names.text(thrown.failure.remedy()));
      ArrayNode trace = error.putArray("trace");
      names.text(thrown.trace).lines().map(l -> l.replace("\t", "  ")).forEach(trace::add);
    }
    putMore(json, "moreErrors", moreFailures);
    ArrayNode made = json.putArray("plans");
    plans.forEach(plan -> put(made.addObject(), plan, names));
    putMore(json, "morePlans", morePlans);
    ObjectNode settings = json.putObject("settings");
    surroundings.settings.forEach((key, value) -> settings.put(key, names.text(value)));
    return json;
  }

  private static void putMore(ObjectNode json, String name, int more) {
    if (more > 0) {
      json.put(name, more);
    }
  }

  private static void put(ObjectNode json, Plan plan, Placeholders names) {
    Checkpoint.Source source = plan.source;
    json.put("framework", names.text(source.framework()))
        .put("version", names.text(source.version()))
        .put("zeroStage", source.stage())
        .put("ranks", source.worldSize())
        .put("precision", source.precision())
        .put("tag", names.name(source.tag()))
        .put("steps", source.tags().size())
        .put("weights", source.weights().name().toLowerCase(Locale.ROOT))
        .put("files", plan.files)
        .put("fileBytes", plan.fileBytes)
        .put("longestFile", plan.longestFile)
        .put("tensors", plan.tensors)
        .put("elements", plan.elements);
    putCounts(json.putObject("storedTypes"), plan.stored);
    putCounts(json.putObject("madeTypes"), plan.made);
    json.put("shards", plan.shards)
        .put("copies", plan.copies)
        .put("chunks", plan.chunks)
        .put("chunkBytes", plan.chunkBytes)
        .put("bytesToRead", plan.bytesToRead)
        .put("bytesToWrite", plan.bytesToWrite);
    ArrayNode notes = json.putArray("notes");
    plan.notes.forEach(note -> notes.add(names.text(note)));
  }

  private static void putCounts(ObjectNode json, Map<String, Integer> counts) {
    counts.forEach(json::put);
  }
}
