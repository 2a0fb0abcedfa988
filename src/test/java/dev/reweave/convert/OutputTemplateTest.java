package dev.reweave.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.Location;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.time.LocalDate;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutputTemplateTest {
  private static final LocalDate DAY = LocalDate.of(2026, 1, 31);

  private static Location filled(String template, Optional<String> tag) {
    return new OutputTemplate(template).fill(TestSpark.stores(), tag, DAY);
  }

  @ParameterizedTest
  @CsvSource({
    "s3a://models/run-17/{tag}, s3a://models/run-17/global_step9",
    "models/{date}/{tag}-of-{date}, models/2026-01-31/global_step9-of-2026-01-31",
    "models/{tag}{tag}, models/global_step9global_step9",
    "models/plain$1\\2, models/plain$1\\2",
  })
  void placeholdersAreFilledIn(String template, String address) {
    assertEquals(Locations.of(address), filled(template, Optional.of("global_step9")));
  }

  @Test
  void aTagIsTakenAsItIs() {
    assertEquals(Locations.of("a/{date} $1"), filled("a/{tag}", Optional.of("{date} $1")));
  }

  @Test
  void aDateNeedsNoTag() {
    assertFalse(new OutputTemplate("a/{date}").namesTag());
    assertEquals(Locations.of("a/2026-01-31"), filled("a/{date}", Optional.empty()));
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
