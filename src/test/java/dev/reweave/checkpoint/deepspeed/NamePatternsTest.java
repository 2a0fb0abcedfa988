package dev.reweave.checkpoint.deepspeed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.reweave.common.ReweaveException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Names and the expressions that match their start. */
class NamePatternsTest {
  private static final List<String> PATTERNS =
      List.of(
          "^a\\.b$",
          "^a.b$",
          "^a\\-b\\ c$",
          "a\\.b",
          "^a\\.b",
          "^a\\.(b|c)$",
          "^a\\db$",
          "^a+b$",
          "^a\\\\b$",
          "^$",
          "b$",
          "(?P<first>a).b");

  /** Those that spell a name are found in another way than the others, and are the same. */
  @Test
  void allThatMatchAreFound() {
    NamePatterns patterns = new NamePatterns(PATTERNS, "here");
    for (String name :
        List.of("a.b", "a.b.c", "a-b c", "axb", "a7b", "aab", "a\\b", "", "b", "x")) {
      List<String> matching =
          PATTERNS.stream()
              .filter(p -> Pattern.compile(p.replace("(?P<", "(?<")).matcher(name).lookingAt())
              .sorted()
              .toList();
      assertEquals(matching, patterns.matching(name).stream().sorted().toList(), name);
    }
  }

  @Test
  void oneForEachOfManyNamesIsFoundAtOnce() {
    List<String> many =
        IntStream.range(0, 50_000).mapToObj(i -> "^layers\\." + i + "\\.weight$").toList();
    NamePatterns patterns = new NamePatterns(many, "here");
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () ->
            IntStream.range(0, 50_000)
                .forEach(
                    i ->
                        assertEquals(
                            List.of(many.get(i)), patterns.matching("layers." + i + ".weight"))));
  }

  @Test
  void severalAreOneTooMany() {
    NamePatterns patterns = new NamePatterns(List.of("^a$", "a|b", "c("), "there");
    String message =
        assertThrows(ReweaveException.class, () -> patterns.only("b", "list")).getMessage();
    assertEquals(
        "'c(' is not a regular expression here: Unclosed group: there; give a 'tensorParallel' rule"
            + " for it in a file, with --mapping FILE",
        message);
    NamePatterns two = new NamePatterns(List.of("^a$", "a|b"), "there");
    assertEquals(Optional.of("a|b"), two.only("b", "list"));
    assertEquals(Optional.empty(), two.only("c", "list"));
    assertEquals(
        "several patterns of 'list' match a: [^a$, a|b]: there; give a 'tensorParallel' rule for it"
            + " in a file, with --mapping FILE",
        assertThrows(ReweaveException.class, () -> two.only("a", "list")).getMessage());
  }
}
