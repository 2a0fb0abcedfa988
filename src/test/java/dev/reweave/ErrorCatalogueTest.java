package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.common.ReweaveException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The manual's catalogue of errors is that of the code. */
class ErrorCatalogueTest {
  private static final Pattern HEADING = Pattern.compile("## `([a-z-]+)`: .+");
  private static final Pattern ROW = Pattern.compile("\\| (`.+?`) \\| [^|]+ \\| [^|]+ \\|");
  private static final Pattern MESSAGE = Pattern.compile("`([^`]+)`");
  private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\\n]|\\\\.)*+)\"");

  /** Where an exception is made: the kind that is named there, and all texts of it. */
  private record Site(String kind, String text) {}

  private static final Pattern MADE =
      Pattern.compile("(?:new ReweaveException|ReweaveException\\.([a-z]\\w+)|new Failure)\\(");

  private static Map<String, List<String>> catalogue() throws IOException {
    Map<String, List<String>> messages = new TreeMap<>();
    String kind = "";
    String page = ManualPages.read("errors.md");
    for (String line : page.substring(0, page.indexOf("\n## Bug reports\n")).lines().toList()) {
      Matcher heading = HEADING.matcher(line);
      Matcher row = ROW.matcher(line);
      if (heading.matches()) {
        kind = heading.group(1);
        assertEquals(null, messages.put(kind, new ArrayList<>()), kind);
      } else if (row.matches()) {
        Matcher message = MESSAGE.matcher(row.group(1));
        while (message.find()) {
          messages.get(kind).add(message.group(1));
        }
      } else {
        assertTrue(!line.startsWith("| `") && !line.startsWith("##"), line);
      }
    }
    return messages;
  }

  private static List<String> sources() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      List<String> sources = new ArrayList<>();
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
        sources.add(Files.readString(file));
      }
      return sources;
    }
  }

  /** The arguments behind an open parenthesis. */
  private static String arguments(String source, int from) {
    int depth = 1;
    int at = from;
    boolean quoted = false;
    while (depth > 0) {
      char c = source.charAt(at);
      if (c == '\\') {
        at++;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (!quoted) {
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      }
      at++;
    }
    return source.substring(from, at - 1);
  }

  private static String literals(String code) {
    Matcher literal = LITERAL.matcher(code.replaceAll("\"\\s*\\+\\s*\"", ""));
    StringBuilder text = new StringBuilder();
    while (literal.find()) {
      text.append(literal.group(1)).append('\n');
    }
    return text.toString();
  }

  private static List<Site> sites() throws IOException {
    List<Site> sites = new ArrayList<>();
    for (String source : sources()) {
      Matcher made = MADE.matcher(source);
      while (made.find()) {
        String arguments = arguments(source, made.end());
        Matcher named = Pattern.compile("\\bKind\\.([A-Z_]+)").matcher(arguments);
        String kinds =
            made.group(1) == null
                ? named.results().map(n -> spelled(n.group(1))).collect(Collectors.joining(" "))
                : ofFactory(made.group(1));
        sites.add(new Site(kinds.isEmpty() ? "damaged-input" : kinds, literals(arguments)));
      }
    }
    return sites;
  }

  private static String spelled(String constant) {
    return constant.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What the factories of {@link ReweaveException} give. */
  private static String ofFactory(String name) {
    try {
      ReweaveException made =
          (ReweaveException)
              ReweaveException.class
                  .getMethod(name, String.class, String.class, String.class)
                  .invoke(null, "a", "b", "c");
      return made.kind().toString();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean holds(String text, String message) {
    int at = 0;
    for (String part : message.split("…", -1)) {
      at = text.indexOf(part.strip(), at);
      if (at < 0) {
        return false;
      }
    }
    return true;
  }

  @Test
  void eachKindHasItsPlace() throws IOException {
    assertEquals(
        Stream.of(Kind.values()).map(Kind::toString).sorted().toList(),
        List.copyOf(catalogue().keySet()));
    catalogue().forEach((kind, messages) -> assertTrue(!messages.isEmpty(), kind));
  }

  @Test
  void eachMessageIsOneOfTheCodeAndOfThatKind() throws IOException {
    List<Site> sites = sites();
    assertTrue(sites.size() > 150, "only " + sites.size());
    String all = literals(String.join("\n", sources()));
    List<String> wrong = new ArrayList<>();
    catalogue()
        .forEach(
            (kind, messages) -> {
              for (String message : messages) {
                List<String> kinds =
                    sites.stream().filter(s -> holds(s.text(), message)).map(Site::kind).toList();
                boolean known =
                    kinds.isEmpty()
                        // Where a method of its own makes the exception, the kind stands there.
                        ? all.lines().anyMatch(text -> holds(text, message))
                        : kinds.stream().anyMatch(k -> List.of(k.split(" ", -1)).contains(kind));
                if (!known) {
                  wrong.add(kind + ": " + message + " is " + kinds);
                }
              }
            });
    assertEquals(List.of(), wrong);
  }

  @Test
  void noOtherPartOfTheManualNamesKindsThatAreNot() throws IOException {
    Pattern kind = Pattern.compile("\"kind\":\"([^\"]+)\"");
    List<String> named = new ArrayList<>();
    for (Path page : ManualPages.all()) {
      kind.matcher(Files.readString(page)).results().forEach(k -> named.add(k.group(1)));
    }
    assertTrue(!named.isEmpty());
    assertTrue(catalogue().keySet().containsAll(named), named.toString());
  }
}
