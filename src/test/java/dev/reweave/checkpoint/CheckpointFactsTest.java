package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Versions of DeepSpeed as any file may give them. */
class CheckpointFactsTest {
  private static final String DIGITS = "9".repeat(500);

  @ParameterizedTest
  @ValueSource(strings = {"%s", "5.%s", "%s.%s.dev%s", "1%s-%s"})
  void numbersOfManyDigitsAreNotOld(String form) {
    String version = form.replace("%s", DIGITS);

    assertFalse(
        CheckpointFacts.version(version, "x").filter(CheckpointFacts.Fact::isDoubt).isPresent());
  }

  @Test
  void whatEndsTheRangeIsWithinIt() {
    assertEquals(
        "DeepSpeed 0.4.3 is older than any that was tried (0.4.4 to 0.19.8)",
        CheckpointFacts.version("0.4.3", "x").orElseThrow().text());
    assertFalse(CheckpointFacts.version("0.4.4", "x").isPresent());
    assertFalse(CheckpointFacts.version("0.19.8", "x").isPresent());
  }

  @Test
  void theTextThatUsersSee() {
    assertEquals(
        "the files do not say which version of DeepSpeed wrote them (x)",
        CheckpointFacts.version("", "x").orElseThrow().told());
    assertEquals(
        "DeepSpeed 0.4.3 is older than any that was tried (0.4.4 to 0.19.8) (x): compare some"
            + " tensors of the result with those of zero_to_fp32.py",
        CheckpointFacts.version("0.4.3", "x").orElseThrow().told());
  }
}
