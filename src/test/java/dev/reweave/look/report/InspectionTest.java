package dev.reweave.look.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.ThreadScanner;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.testing.Locations;
import dev.reweave.testing.SafetensorsFile;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What headers say beside their tensors, as people and programs see it. */
class InspectionTest {
  @TempDir Path temp;

  private Inspection inspected(Map<String, String> metadata) throws IOException {
    Path file = temp.resolve("model.safetensors");
    new SafetensorsFile().with("embed", Shape.of(2), 1, 2).saying(metadata).write(file);
    return Inspection.of(
        file.toString(),
        new CheckpointReader(TestSpark.stores(), new ThreadScanner(TestSpark.stores()))
            .read(Locations.of(file), ReadOptions.defaults()));
  }

  /** Lines of the facts that are neither of the file nor of its tensors. */
  private static List<String> said(Inspection inspection) {
    return inspection.lines().stream()
        .filter(line -> line.matches("(tied|metadata|note|left) .*"))
        .map(line -> line.replaceAll(" +", " "))
        .toList();
  }

  private static JsonNode json(Inspection inspection) throws JsonProcessingException {
    return new ObjectMapper().readTree(inspection.toJson());
  }

  @Test
  void tiedNamesAndMetadata() throws IOException {
    Inspection inspection =
        inspected(Map.of("format", "pt", "head", "embed", "title", "x", "ss_tag", "embed"));

    assertEquals(
        List.of("tied head = embed", "metadata ss_tag = embed", "metadata title = x"),
        said(inspection));
    assertEquals("{\"head\":\"embed\"}", json(inspection).get("tied").toString());
    assertEquals(
        "{\"format\":\"pt\",\"ss_tag\":\"embed\",\"title\":\"x\"}",
        json(inspection).get("metadata").toString());
  }

  @Test
  void longOnesAreShortenedForPeople() throws IOException {
    String text = "😀".repeat(150);

    Inspection inspection = inspected(Map.of("a\u001b[2J", "x\ny", "b", text));

    assertEquals(
        List.of("metadata a\\u001b[2J = x\\ny", "metadata b = " + "😀".repeat(100) + "…"),
        said(inspection));
    assertEquals(text, json(inspection).get("metadata").get("b").textValue());
  }

  @Test
  void anotherFormatIsTold() throws IOException {
    assertEquals(List.of(), said(inspected(Map.of("format", "pt"))));
    assertEquals(List.of("metadata format = mlx"), said(inspected(Map.of("format", "mlx"))));
  }

  /** Each folder of a pipeline is a model: names are tied to tensors beside them. */
  @Test
  void theFilesOfAPipeline() throws IOException {
    Map<String, SafetensorsHeader> headers =
        Map.of(
            "text/a-1.safetensors", header("embed", Map.of("head", "embed", "by", "x", "n", "1")),
            "text/a-2.safetensors", header("norm", Map.of("head", "embed", "by", "x", "n", "2")),
            "vae/v.safetensors", header("conv", Map.of("loop", "embed", "format", "pt")));

    Inspection inspection = Inspection.of("pipeline", headers);

    assertEquals(Map.of("head", "embed"), inspection.metadata().tied());
    assertEquals(
        Map.of(
            "by", "x",
            "n (text/a-1.safetensors)", "1",
            "n (text/a-2.safetensors)", "2",
            "loop", "embed",
            "format", "pt"),
        inspection.metadata().entries());
  }

  private static SafetensorsHeader header(String tensor, Map<String, String> metadata) {
    return SafetensorsHeader.layOut(
        List.of(new TensorSpec(tensor, DType.F32, Shape.of(1))), metadata);
  }
}
