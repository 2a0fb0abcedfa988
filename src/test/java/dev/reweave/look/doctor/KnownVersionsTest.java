package dev.reweave.look.doctor;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Versions as any file may give them. */
class KnownVersionsTest {
  private static final String DIGITS = "9".repeat(500);

  @ParameterizedTest
  @ValueSource(strings = {"%s", "5.%s", "%s.%s.dev%s", "999999999999", "1%s-%s"})
  void numbersOfManyDigits(String form) {
    String version = form.replace("%s", DIGITS);

    KnownVersions.config("diffusers", version, "x");
    assertTrue(KnownVersions.areFarApart(version, "0.1"), version);
    assertFalse(KnownVersions.areFarApart(version, version), version);
  }

  @Test
  void manyNumbers() {
    String version = "1" + ".1".repeat(100_000);

    assertTrue(KnownVersions.config("diffusers", version, "x").isPresent());
    assertFalse(KnownVersions.areFarApart(version, "1.2"));
  }
}
