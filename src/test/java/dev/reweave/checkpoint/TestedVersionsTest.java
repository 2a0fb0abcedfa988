package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Versions as files state them, and as a file may. */
class TestedVersionsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.19.9",
        "0.19.10",
        "0.20.1",
        "1.0",
        "0.19.8.1",
        "0.19.9.dev0",
        "0.19.9+unknown",
        "0.20.0rc1",
        "00.19.9",
        "9999999999.1",
        "0.99999999999999999999.1"
      })
  void newer(String version) {
    Caution caution = TestedVersions.deepSpeed(version, "file:/a").orElseThrow();

    assertEquals(Caution.Kind.NEWER_VERSION, caution.kind());
    assertEquals("DeepSpeed " + version, caution.name());
    assertEquals("written by DeepSpeed " + version + "; tested up to 0.19.8", caution.problem());
    assertEquals("file:/a", caution.place());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0.4.4",
        "0.19",
        "0.19.8",
        "0.19.8+cpu",
        "0.19.8+5f6c1a2",
        "0.19.8.dev3",
        "0.19.8.post1",
        "0.19.8.0",
        "0.019.08",
        "0.9.9",
        "nightly",
        "+1"
      })
  void notNewer(String version) {
    assertEquals(Optional.empty(), TestedVersions.deepSpeed(version, "file:/a"));
  }

  @Test
  void ofAnyLength() {
    String digits = "9".repeat(100_000);

    assertTrue(TestedVersions.isNewer(digits, "0.19.8"));
    assertTrue(TestedVersions.isNewer("1" + ".1".repeat(100_000), "0.19.8"));
    assertFalse(TestedVersions.isNewer("0." + "0".repeat(100_000), "0.19.8"));
    assertTrue(TestedVersions.deepSpeed(digits, "a").orElseThrow().problem().length() < 200);
  }

  @Test
  void formatsOfDistributedCheckpoints() {
    assertEquals(Optional.empty(), TestedVersions.distributedFormat("1.0.0", "a"));
    assertEquals(Optional.empty(), TestedVersions.distributedFormat("", "a"));
    assertEquals(
        "written by distributed checkpoint format 1.1.0; tested up to 1.0.0",
        TestedVersions.distributedFormat("1.1.0", "a").orElseThrow().problem());
  }
}
