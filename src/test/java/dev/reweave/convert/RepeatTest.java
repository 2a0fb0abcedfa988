package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.Conversion.Outcome.Kind;
import dev.reweave.convert.ConversionRequest.Earlier;
import dev.reweave.convert.ConversionRequest.ExistingOutput;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.OutputLock;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same command again: after success, after a change, beside another run. */
class RepeatTest {
  private static final String STEP = "global_step3";

  @TempDir Path temp;
  private Path input;
  private Path output;

  @BeforeEach
  void copyInput() throws IOException {
    input = Fixtures.copy(Fixtures.folder("z2_bf16_w2/ckpt"), temp.resolve("in"));
    output = temp.resolve("out");
  }

  private Conversion.Outcome convert(ExistingOutput existing, Earlier earlier) {
    return convert(400, existing, earlier);
  }

  private Conversion.Outcome convert(long shard, ExistingOutput existing, Earlier earlier) {
    return new Conversion(TestSpark.cluster(), TestSpark.stores())
        .run(
            new ConversionRequest(
                Locations.of(input),
                Locations.of(output),
                new ConversionOptions(
                    ReadOptions.defaults(),
                    PlanOptions.DEFAULTS.withSizes(shard, 64_000).withType(new TargetType.Keep()),
                    existing,
                    earlier)));
  }

  private void trainOn() throws IOException {
    Path newer = Fixtures.folder("z1_bf16_w2/ckpt").resolve(STEP);
    for (String name : Fixtures.digests(newer).keySet()) {
      Files.copy(
          newer.resolve(name),
          input.resolve(STEP).resolve(name),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  @Test
  void afterSuccessThereIsNothingToDo() throws IOException {
    assertEquals(Kind.CONVERTED, convert(ExistingOutput.REFUSE, Earlier.CONTINUE).kind());
    Map<String, String> made = Fixtures.digests(output);

    assertEquals(Kind.UP_TO_DATE, convert(ExistingOutput.REFUSE, Earlier.CONTINUE).kind());
    assertEquals(Kind.UP_TO_DATE, convert(ExistingOutput.REPLACE, Earlier.CONTINUE).kind());
    assertEquals(made, Fixtures.digests(output));
  }

  @Test
  void aDamagedResultIsMadeAgain() throws IOException {
    convert(ExistingOutput.REFUSE, Earlier.CONTINUE);
    Map<String, String> made = Fixtures.digests(output);
    Files.delete(output.resolve("model-00002-of-00003.safetensors"));

    assertEquals(Kind.CONVERTED, convert(ExistingOutput.REFUSE, Earlier.CONTINUE).kind());

    made.remove("reweave.json");
    Map<String, String> again = Fixtures.digests(output);
    again.remove("reweave.json");
    assertEquals(made, again);
  }

  @Test
  void aChangedInputIsConvertedAnew() throws IOException {
    convert(ExistingOutput.REFUSE, Earlier.CONTINUE);
    Map<String, String> made = Fixtures.digests(output);
    trainOn();

    assertEquals(Kind.CONVERTED, convert(ExistingOutput.REFUSE, Earlier.CONTINUE).kind());

    assertEquals(made.keySet(), Fixtures.digests(output).keySet());
    assertNotEquals(made, Fixtures.digests(output));
  }

  @Test
  void otherOptionsDoNotReplaceAResultUnasked() throws IOException {
    convert(ExistingOutput.REFUSE, Earlier.CONTINUE);
    Map<String, String> made = Fixtures.digests(output);

    ReweaveException refused =
        assertThrows(
            ReweaveException.class, () -> convert(200, ExistingOutput.REFUSE, Earlier.CONTINUE));

    assertTrue(refused.getMessage().startsWith("the output is not empty"));
    assertEquals(made, Fixtures.digests(output));
  }

  @Test
  void aChangedInputDoesNotTakeOtherFilesAway() throws IOException {
    convert(ExistingOutput.REFUSE, Earlier.CONTINUE);
    Files.writeString(output.resolve("config.json"), "{}");
    trainOn();

    ReweaveException refused =
        assertThrows(
            ReweaveException.class, () -> convert(ExistingOutput.REFUSE, Earlier.CONTINUE));

    assertTrue(refused.getMessage().contains("config.json"), refused.getMessage());
  }

  @Test
  void noResumeConvertsAgain() {
    convert(ExistingOutput.REFUSE, Earlier.CONTINUE);

    assertThrows(ReweaveException.class, () -> convert(ExistingOutput.REFUSE, Earlier.IGNORE));
    assertEquals(Kind.CONVERTED, convert(ExistingOutput.REPLACE, Earlier.IGNORE).kind());
  }

  @Test
  void twoRunsOnOneOutput() throws IOException {
    OutputLock lock = TestSpark.stores().outputFolder(Locations.of(output)).lock();
    try (OutputLock.Held other = lock.take("the other conversion")) {
      other.check();
      ReweaveException refused =
          assertThrows(
              ReweaveException.class, () -> convert(ExistingOutput.REPLACE, Earlier.CONTINUE));

      assertTrue(
          refused.getMessage().contains("another job is at work on this output"),
          refused.getMessage());
      assertTrue(refused.getMessage().contains("'the other conversion', since 20"));
      assertEquals(1, Fixtures.digests(output).size(), "the lock alone");
    }
    assertEquals(Kind.CONVERTED, convert(ExistingOutput.REFUSE, Earlier.CONTINUE).kind());
  }
}
