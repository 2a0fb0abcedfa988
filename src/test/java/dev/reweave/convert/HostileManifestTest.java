package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.reweave.common.Options;
import dev.reweave.common.ReweaveException;
import dev.reweave.look.compare.Verification;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A {@code reweave.json} that somebody has changed: it is believed in nothing that could harm. */
class HostileManifestTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> OTHERS =
      List.of(
          "null",
          "7",
          "-1",
          "1.5",
          "true",
          "\"x\"",
          "\"\"",
          "[]",
          "{}",
          "[null]",
          "[7]",
          "{\"a\": null}",
          "[{}]",
          "\"../x\"",
          "1e400",
          "99999999999999999999");

  @TempDir Path temp;

  private Path output() {
    return temp.resolve("out");
  }

  private Path file() {
    return output().resolve(Manifest.FILE_NAME);
  }

  private Converting converting() {
    return Converting.between(Fixtures.folder("z2_bf16_w2/ckpt"), output());
  }

  @BeforeEach
  void convert() {
    converting().run();
  }

  private void edit(Consumer<ObjectNode> change) throws IOException {
    ObjectNode root = (ObjectNode) JSON.readTree(file().toFile());
    change.accept(root);
    Files.writeString(file(), root.toString());
  }

  /** All documents that are this one but for one value. */
  private static List<JsonNode> variants(JsonNode node) throws IOException {
    List<JsonNode> variants = new ArrayList<>();
    for (String other : OTHERS) {
      variants.add(JSON.readTree(other));
    }
    if (node instanceof ObjectNode object) {
      for (Map.Entry<String, JsonNode> member : object.properties()) {
        for (JsonNode value : variants(member.getValue())) {
          variants.add(object.deepCopy().set(member.getKey(), value));
        }
        variants.add(object.deepCopy().without(member.getKey()));
      }
    } else if (node instanceof ArrayNode array && !array.isEmpty()) {
      for (JsonNode value : variants(array.get(0))) {
        variants.add(array.deepCopy().set(0, value));
      }
    }
    return variants;
  }

  @Test
  void whateverIsChangedIsReadOrRefused() throws IOException {
    edit(
        root -> {
          ObjectNode rules = root.putObject("mapping").put("name", "m").putObject("rules");
          rules.put("name", "m").put("description", "d").putArray("rules");
          root.putObject("base").put("path", "x").put("mode", "copy").put("component", "unet");
          root.putObject("proof").put("tensors", 1).put("elements", 1).put("verdict", "same");
        });
    List<JsonNode> variants = variants(JSON.readTree(file().toFile()));
    assertTrue(variants.size() > 500, () -> "only " + variants.size());
    int read = 0;
    for (JsonNode variant : variants) {
      Files.writeString(file(), variant.toString());
      try {
        Manifest manifest = Manifest.parse(Files.readAllBytes(file()), file().toString());
        assertFalse(
            manifest.fileNames().stream().anyMatch(n -> n.contains("..")), variant::toString);
        manifest.result().weights().forEach(t -> t.bytes());
        again();
        read++;
      } catch (ReweaveException e) {
        assertTrue(e.getMessage().length() < 1000, e::getMessage);
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError(variant.toString(), e);
      }
    }
    assertTrue(read > 50, "only " + read);
  }

  private AskedConversion again() {
    return RepeatedConversion.read(TestSpark.stores(), Locations.of(file()), Options.NONE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../other/mine.safetensors",
        "a/../../other/mine.safetensors",
        "/etc/hostname",
        "a//b",
        "./a",
        "a/.",
        "",
        "\u0000",
      })
  void namesThatLeadElsewhereAreRefused(String name) throws IOException {
    Path mine = Files.createDirectories(temp.resolve("other")).resolve("mine.safetensors");
    Files.writeString(mine, "mine");
    edit(root -> ((ObjectNode) root.at("/result/shards/0")).put("name", name));

    List<String> problems =
        new Verification(TestSpark.cluster(), TestSpark.stores())
            .run(Locations.of(output()))
            .problems();
    assertEquals(1, problems.size(), problems::toString);
    assertTrue(
        problems.get(0).startsWith("this is no manifest of a conversion ("), problems::toString);

    ReweaveException occupied = assertThrows(ReweaveException.class, () -> converting().run());
    assertEquals(ReweaveException.Kind.OUTPUT_OCCUPIED, occupied.kind());
    converting().overwriting().run();
    assertEquals("mine", Files.readString(mine));
    assertThrows(ReweaveException.class, () -> convertAgainOf(name));
  }

  private void convertAgainOf(String name) throws IOException {
    edit(root -> ((ObjectNode) root.at("/result/shards/0")).put("name", name));
    again();
  }
}
