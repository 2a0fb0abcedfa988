package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.Versions;
import dev.reweave.testing.Converting;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which result counts as finished, so that it need not be looked at again. */
class FinishedOutputTest {
  @TempDir Path temp;

  private final Path input = Fixtures.folder("z2_bf16_w2/ckpt");

  private Converting converting(Path checkpoint) {
    return Converting.between(checkpoint, temp.resolve("out"));
  }

  private Optional<String> finished(ConversionRequest request) {
    return new OutputCheck(TestSpark.stores(), request).finished().map(Manifest::fingerprint);
  }

  @Test
  void itIsOfTheSameInputAndOptions() throws IOException {
    String made = converting(input).run().manifest().fingerprint();
    Path other = Fixtures.copy(input, temp.resolve("in"));

    assertEquals(Optional.of(made), finished(converting(input).request()));
    assertEquals(Optional.empty(), finished(converting(other).request()));
    assertEquals(Optional.empty(), finished(converting(input).type("keep").request()));
    assertEquals(Optional.empty(), finished(converting(input).proving().request()));
    assertEquals(Optional.empty(), finished(ofStep(converting(input).request(), "global_step3")));
  }

  private static ConversionRequest ofStep(ConversionRequest request, String tag) {
    return new ConversionRequest(request.input(), request.output(), request.options().ofStep(tag));
  }

  @Test
  void anotherVersionMayHaveMadeIt() throws IOException {
    ConversionRequest request = converting(input).request();
    String made = converting(input).run().manifest().fingerprint();
    Path file = temp.resolve("out/reweave.json");
    String manifest = Files.readString(file);
    Files.writeString(
        file,
        manifest
            .replace(Versions.reweave(), "0.0.1")
            .replace(Fingerprint.command(request), Fingerprint.command(request, "0.0.1")));

    assertEquals(Optional.of(made), finished(request));
  }

  @Test
  void whatAKilledRunLeftIsNotOverlooked() throws IOException {
    converting(input).run();
    new Journal(TestSpark.stores().outputFolder(Locations.of(temp + "/out")))
        .begin(new Journal.PlanState("any", Map.of(), List.of()));

    assertEquals(Optional.empty(), finished(converting(input).request()));
  }

  @Test
  void aStrangersFileIsNone() throws IOException {
    Files.createDirectories(temp.resolve("out"));
    Files.write(temp.resolve("out/reweave.json"), "{\"a\": 1}".getBytes(StandardCharsets.UTF_8));

    assertEquals(Optional.empty(), finished(converting(input).request()));
  }
}
