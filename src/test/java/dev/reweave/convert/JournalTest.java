package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.gather.TensorDigest;
import dev.reweave.manifest.TensorFacts;
import dev.reweave.storage.OutputFolder;
import dev.reweave.storage.PartReceipt;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.ValueFacts;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
  @TempDir Path temp;

  /** A killed run's finished files keep what was measured, where nothing has a mean too. */
  @Test
  void recordsKeepWhatWasMeasured() {
    OutputFolder output = TestSpark.stores().outputFolder(Locations.of(temp.resolve("out")));
    output.prepare(100);
    Journal journal = new Journal(output);
    Journal.PlanState plan = new Journal.PlanState("f", Map.of("a", ""), List.of());
    byte[] nan = {0, 0, (byte) 0xC0, 0x7F};
    byte[] numbers = {0, 0, 0, 0, 0, 0, (byte) 0x80, 0x3F};
    Journal.FileState state =
        new Journal.FileState(
            "a",
            7,
            List.of(),
            List.of(),
            Map.of(
                "hopeless", new TensorFacts(ValueFacts.of(DType.F32, nan, 0, 1, 7), 1),
                "good", new TensorFacts(ValueFacts.of(DType.F32, numbers, 0, 2, 0), -1)),
            Map.of(),
            Map.of(),
            Map.of(
                "hopeless", TensorDigest.of(DType.F32, nan, 0, 1, 0),
                "good", TensorDigest.of(DType.F32, numbers, 0, 2, 12)));
    journal.begin(plan);
    journal.finish(state);

    assertEquals(state, journal.finished(plan).get("a"));
    assertEquals(plan, journal.begun().orElseThrow());
  }

  /** Whatever is cut off or changed of a record, its work is done again. */
  @Test
  void recordsThatWereChangedAreNone() throws IOException {
    OutputFolder output = TestSpark.stores().outputFolder(Locations.of(temp.resolve("out")));
    output.prepare(100);
    Journal journal = new Journal(output);
    Journal.PlanState plan = new Journal.PlanState("f", Map.of("a", ""), List.of("b"));
    journal.begin(plan);
    journal.finish(
        new Journal.FileState(
            "a",
            7,
            List.of(new PartReceipt(1, "t")),
            List.of(),
            Map.of(),
            Map.of(),
            Map.of(),
            Map.of()));
    for (String name : List.of("plan.json", "finished/a.json")) {
      byte[] whole = output.readState(name).orElseThrow();
      for (int i = 0; i < whole.length; i++) {
        byte[] changed = whole.clone();
        changed[i] ^= 1;
        output.writeState(name, changed);
        assertEquals(false, isKnown(journal, plan, name), "byte " + i);
        output.writeState(name, Arrays.copyOf(whole, i));
        assertEquals(false, isKnown(journal, plan, name), "cut at " + i);
      }
      for (String other : List.of("null", "{}", "[]", "7", "{\"fingerprint\":null}", "\u0000")) {
        output.writeState(name, other.getBytes(StandardCharsets.UTF_8));
        assertEquals(false, isKnown(journal, plan, name), other);
      }
      output.writeState(name, whole);
      assertEquals(true, isKnown(journal, plan, name), name);
    }
  }

  private static boolean isKnown(Journal journal, Journal.PlanState plan, String name) {
    return name.equals("plan.json")
        ? journal.begun().isPresent()
        : !journal.finished(plan).isEmpty();
  }

  /** What an older version recorded cannot stand in the manifest: that file is made again. */
  @Test
  void recordsThatKnowNothingOfTensorsAreNone() {
    OutputFolder output = TestSpark.stores().outputFolder(Locations.of(temp.resolve("out")));
    output.prepare(100);
    output.writeState(
        "finished/a.json",
        "{\"path\":\"a\",\"crc32c\":7,\"receipts\":[],\"shares\":[],\"differences\":{},\"proofs\":{}}"
            .getBytes(StandardCharsets.UTF_8));

    assertEquals(
        Map.of(),
        new Journal(output).finished(new Journal.PlanState("f", Map.of("a", ""), List.of())));
  }
}
