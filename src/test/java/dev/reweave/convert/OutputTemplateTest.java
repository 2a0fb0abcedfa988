package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.LocalDate;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutputTemplateTest {
  private static final LocalDate DAY = LocalDate.of(2026, 1, 31);

  @ParameterizedTest
  @CsvSource({
    "s3a://models/run-17/{tag}, s3a://models/run-17/global_step9",
    "models/{date}/{tag}-of-{date}, models/2026-01-31/global_step9-of-2026-01-31",
    "models/{tag}{tag}, models/global_step9global_step9",
    "models/plain$1\\2, models/plain$1\\2",
  })
  void placeholdersAreFilledIn(String template, String address) {
    assertEquals(address, new OutputTemplate(template).fill(Optional.of("global_step9"), DAY));
  }

  @Test
  void aTagIsTakenAsItIs() {
    assertEquals("a/{date} $1", new OutputTemplate("a/{tag}").fill(Optional.of("{date} $1"), DAY));
  }

  @Test
  void aDateNeedsNoTag() {
    OutputTemplate template = new OutputTemplate("a/{date}");

    assertFalse(template.namesTag());
    assertEquals("a/2026-01-31", template.fill(Optional.empty(), DAY));
  }

  @ParameterizedTest
  @ValueSource(strings = {"{step}", "{}", "{Tag}", "{", "}"})
  void nothingElseStandsInBraces(String part) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> new OutputTemplate("a/" + part + "/{tag}"))
            .getMessage();

    assertEquals("'" + part + "' in --output is no placeholder: {tag} and {date} are", message);
  }
}
