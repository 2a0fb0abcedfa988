package dev.reweave.look.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.tensor.Deviation;
import dev.reweave.tensor.TensorSpec;
import java.util.List;
import java.util.Locale;

/** What differs, for programs. Numbers that are not finite are strings, as JSON has none. */
final class DiffJson {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private DiffJson() {}

  static String of(DiffReport report) {
    ObjectNode root = NODES.objectNode();
    root.put("equal", report.isEqual());
    root.put("summary", report.summary());
    root.set("first", side(report.first()));
    root.set("second", side(report.second()));
    report.criterion().tolerance().ifPresent(t -> root.put("tolerance", t));
    root.put("typesCount", report.criterion().types() == DiffCriterion.Types.COUNT);
    root.set("onlyInFirst", absent(report.onlyInFirst()));
    root.set("onlyInSecond", absent(report.onlyInSecond()));
    ArrayNode tensors = root.putArray("tensors");
    report.differing().forEach(row -> tensors.add(row(row, report)));
    report.rows().stream()
        .filter(row -> !report.differs(row))
        .forEach(row -> tensors.add(row(row, report)));
    root.put("bytesRead", report.bytesRead());
    report.notes().forEach(root.putArray("notes")::add);
    try {
      return JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build()
          .writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode side(DiffReport.Side side) {
    ObjectNode node = NODES.objectNode();
    node.put("path", side.path());
    node.put("framework", side.source().framework());
    node.put("version", side.source().version());
    node.put("tag", side.source().tag());
    node.put("weights", side.source().weights().name().toLowerCase(Locale.ROOT));
    node.put("tensors", side.tensors());
    return node;
  }

  private static ArrayNode absent(List<DiffReport.Absent> names) {
    ArrayNode array = NODES.arrayNode();
    for (DiffReport.Absent absent : names) {
      ObjectNode node = array.addObject().put("name", absent.name());
      absent.tiedTo().ifPresent(kept -> node.put("tiedTo", kept));
    }
    return array;
  }

  private static ObjectNode row(DiffReport.Row row, DiffReport report) {
    ObjectNode node = NODES.objectNode();
    node.put("name", row.name());
    if (row.names().size() > 1) {
      ArrayNode tied = node.putArray("tied");
      row.names().stream().skip(1).forEach(tied::add);
    }
    node.put("differs", report.differs(row));
    node.put("result", row.likeness().words());
    tensor(node.putObject("first"), row.first());
    tensor(node.putObject("second"), row.second());
    if (row.likeness().isCompared()) {
      Deviation deviation = row.deviation();
      node.put("elements", deviation.numbers());
      node.put("unequal", deviation.unequal());
      node.put("differing", deviation.differing());
      node.put("nanInFirst", deviation.broken().nanInFirst());
      node.put("nanInSecond", deviation.broken().nanInSecond());
      node.put("infinite", deviation.broken().infinite());
      number(node, "largestAbsolute", deviation.absolute());
      if (deviation.at() >= 0) {
        ArrayNode index = node.putArray("largestAt");
        for (long i : DiffText.index(row)) {
          index.add(i);
        }
      }
      number(node, "largestRelative", deviation.relative());
      number(node, "distance", deviation.distance());
      number(node, "cosine", deviation.cosine());
    }
    return node;
  }

  private static void tensor(ObjectNode node, TensorSpec spec) {
    node.put("name", spec.name());
    node.put("dtype", spec.dtype().torchName());
    ArrayNode shape = node.putArray("shape");
    for (long dim : spec.shape().dims()) {
      shape.add(dim);
    }
  }

  private static void number(ObjectNode node, String name, double number) {
    if (Double.isFinite(number)) {
      node.put(name, number);
    } else {
      node.put(name, String.valueOf(number));
    }
  }
}
