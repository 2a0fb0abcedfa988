package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is given of options, and what they are otherwise. */
class OptionsTest {
  private enum Way {
    SHORT_CUT,
    ROAD
  }

  private static final Option<Way> WAY = Option.choice("way", Way.ROAD);
  private static final Option<Boolean> FAST = Option.flag("fast", false, true);
  private static final Option<Optional<String>> GOAL = Option.text("goal", "NAME");
  private static final Option<Way> BACK = Option.toggle("back", Way.ROAD, Way.ROAD, Way.SHORT_CUT);
  private static final Option<Integer> STEPS =
      Option.of("steps", "NUMBER", "7", Integer::parseInt)
          .checked(
              steps -> {
                if (steps < 1) {
                  throw new IllegalArgumentException(steps + " steps");
                }
                return steps - steps % 2;
              });

  private static void refused(String message, Runnable work) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, work::run).getMessage());
  }

  @Test
  void whatIsNotGivenIsAsByDefault() {
    assertEquals(Way.ROAD, Options.NONE.of(WAY));
    assertEquals(false, Options.NONE.of(FAST));
    assertEquals(Optional.empty(), Options.NONE.of(GOAL));
    assertEquals(6, Options.NONE.of(STEPS), "in order, as what is given");
    assertFalse(Options.NONE.has(STEPS));
  }

  @Test
  void textsAreReadAsTheyAreWritten() {
    Options given =
        Options.NONE.parse(WAY, "Short-Cut").parse(FAST, "true").parse(GOAL, "").parse(STEPS, "9");

    assertEquals(Way.SHORT_CUT, given.of(WAY));
    assertEquals("short-cut", Option.written(given.of(WAY)));
    assertEquals(true, given.of(FAST));
    assertEquals(Optional.of(""), given.of(GOAL));
    assertEquals(8, given.of(STEPS));
    assertEquals(Way.SHORT_CUT, given.parse(BACK, "true").of(BACK));
    assertEquals(Way.ROAD, given.parse(BACK, "false").of(BACK));
  }

  @Test
  void whatIsNoValueIsRefused() {
    refused("'path' is not one of short-cut, road", () -> WAY.parse("path"));
    refused("'perhaps' is neither true nor false", () -> FAST.parse("perhaps"));
    refused("0 steps", () -> STEPS.parse("0"));
    refused("-1 steps", () -> Options.NONE.with(STEPS, -1));
  }

  @Test
  void othersOfTheSameKeyAreTheSame() {
    Options given = Options.NONE.with(STEPS.help("How far."), 4);

    assertEquals(4, given.of(STEPS));
    assertTrue(given.has(STEPS));
    assertFalse(given.only(List.of(WAY)).has(STEPS));
  }

  @Test
  void whatIsAsByDefaultDecidesNothing() {
    Options given =
        Options.NONE
            .with(WAY, Way.ROAD)
            .with(STEPS, 2)
            .with(GOAL.about(Option.Part.COMMAND), Optional.of("x"));

    assertEquals("{steps=2}", given.decisive().toString());
  }
}
