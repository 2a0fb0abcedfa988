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

  /** Of a run that was killed in its last step, when all else was done. */
  @Test
  void aLockThatAKilledRunLeftGoesAndOneOfALivingRunStays() throws Exception {
    converting(input).run();
    Map<String, String> made = Fixtures.digests(temp.resolve("out"));
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    String host = java.net.InetAddress.getLocalHost().getHostName();
    Path lock = temp.resolve("out/.reweave.lock");
    Path takeOver = temp.resolve("out/.reweave.lock.takeover");

    Files.writeString(lock, holder(host, dead.pid()));
    Files.writeString(takeOver, holder(host, dead.pid()));
    assertEquals(Optional.empty(), finished(converting(input).request()));
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, converting(input).run().kind());
    assertEquals(made, Fixtures.digests(temp.resolve("out")));

    Files.writeString(takeOver, holder(host, dead.pid()));
    Files.writeString(lock, holder("far.example", 1));
    assertEquals(Conversion.Outcome.Kind.UP_TO_DATE, converting(input).run().kind());
    assertEquals(List.of(false, true), List.of(Files.exists(takeOver), Files.exists(lock)));

    Files.delete(lock);
    Files.writeString(takeOver, holder(host, dead.pid()));
    assertEquals(
        Conversion.Outcome.Kind.CONVERTED,
        converting(input).type("float16").overwriting().run().kind());
    assertEquals(List.of(false, false), List.of(Files.exists(takeOver), Files.exists(lock)));
  }

  private static String holder(String host, long pid) {
    String now = java.time.Instant.now().toString();
    return "{\"id\":\"x\",\"job\":\"a\",\"host\":\"%s\",\"pid\":%d,\"started\":\"%s\",\"renewed\":\"%s\"}"
        .formatted(host, pid, now, now);
  }

  @Test
  void aStrangersFileIsNone() throws IOException {
    Files.createDirectories(temp.resolve("out"));
    Files.write(temp.resolve("out/reweave.json"), "{\"a\": 1}".getBytes(StandardCharsets.UTF_8));

    assertEquals(Optional.empty(), finished(converting(input).request()));
  }
}
