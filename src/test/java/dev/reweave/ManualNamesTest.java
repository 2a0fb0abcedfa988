package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Options, classes, tests and files that the manual names are those of the code. */
class ManualNamesTest {
  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9-]+");
  private static final Pattern CLASS =
      Pattern.compile("\\bdev\\.reweave(?:\\.[a-z]+)+\\.[A-Z]\\w+");
  private static final Pattern TESTS = Pattern.compile("-D(?:it\\.)?test='?([\\w,#*]+)");
  private static final Pattern SOURCE = Pattern.compile("(?:conf|submit|findings|src)/[\\w./-]+");

  /** Of all commands, or of the command line itself. */
  private static final Set<String> COMMON =
      Set.of("--help", "--version", "--verbose", "--report-bug", "--progress", "--quiet");

  private static Map<String, CommandLine> commands() {
    return Main.commandLine(new Main(), CommandLine.defaultFactory()).getSubcommands();
  }

  private static Set<String> options(String command) {
    Set<String> options = new TreeSet<>();
    for (OptionSpec option : commands().get(command).getCommandSpec().options()) {
      if (!COMMON.contains(option.longestName())) {
        options.add(option.longestName());
      }
    }
    return options;
  }

  private static Set<String> named(String text) {
    Set<String> named = new TreeSet<>();
    OPTION.matcher(text).results().forEach(option -> named.add(option.group()));
    return named;
  }

  private static String section(String page, String heading) throws IOException {
    String text = ManualPages.read(page) + "\n## ";
    int start = text.indexOf("\n## " + heading + "\n");
    assertTrue(start >= 0, heading);
    return text.substring(start + 1, text.indexOf("\n## ", start + 1));
  }

  @Test
  void eachOptionOfConvertHasItsRow() throws IOException {
    Set<String> rows = new TreeSet<>();
    section("options.md", "`convert`")
        .lines()
        .filter(line -> line.startsWith("| `"))
        .forEach(row -> rows.addAll(named(row.substring(0, row.indexOf("` |")))));
    rows.removeAll(COMMON);
    // The other half of --verify.
    assertTrue(rows.remove("--no-verify"));

    assertEquals(options("convert"), rows);
  }

  @Test
  void eachOptionOfTheOtherCommandsIsNamed() throws IOException {
    String others =
        section("options.md", "The other commands")
            + section("doctor-and-diff.md", "What differs?");
    for (String command : commands().keySet()) {
      if (!Set.of("convert", "help").contains(command)) {
        Set<String> missing = options(command);
        missing.removeAll(named(others));
        // Told for all of them behind the options of convert.
        missing.remove("--shared-filesystem");
        assertEquals(Set.of(), missing, command);
        assertTrue(others.contains("`" + command), command);
      }
    }
  }

  @Test
  void noPageNamesAnOptionThatIsNot() throws IOException {
    Set<String> known = new TreeSet<>(COMMON);
    commands().keySet().forEach(command -> known.addAll(options(command)));
    // Of the launcher and of Spark, and one that negates.
    known.addAll(Set.of("--master", "--conf", "--properties-file", "--jars", "--no-verify"));
    // Of Megatron-LM, in what an error says to do.
    known.addAll(Set.of("--ckpt-format", "--dist-ckpt-optim-fully-reshardable"));
    for (Path page : ManualPages.all()) {
      for (String code : ManualPages.code(page)) {
        if (code.startsWith("-") || code.startsWith("convert ")) {
          Set<String> strange = named(code);
          strange.removeAll(known);
          assertEquals(Set.of(), strange, page.toString());
        }
      }
    }
  }

  @Test
  void shippedMappingsAreListed() throws IOException {
    Set<String> listed = new TreeSet<>();
    Pattern.compile("\n\\| `([\\w-]+)` \\|")
        .matcher(section("base-and-mapping.md", "Mappings"))
        .results()
        .forEach(row -> listed.add(row.group(1) + ".json"));
    Set<String> shipped = new TreeSet<>();
    try (Stream<Path> files = Files.list(Path.of("conf/mappings"))) {
      files.forEach(file -> shipped.add(file.getFileName().toString()));
    }

    assertEquals(shipped, listed);
  }

  @Test
  void classesAreThere() throws IOException {
    Set<String> missing = new TreeSet<>();
    int found = 0;
    for (Path page : ManualPages.all()) {
      Matcher name = CLASS.matcher(Files.readString(page));
      while (name.find()) {
        try {
          Class.forName(name.group(), false, Main.class.getClassLoader());
          found++;
        } catch (ClassNotFoundException e) {
          missing.add(page + ": " + name.group());
        }
      }
    }
    assertEquals(Set.of(), missing);
    assertTrue(found > 4, "only " + found);
  }

  @Test
  void testsAreThere() throws IOException {
    Set<String> sources = new TreeSet<>();
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      files.forEach(file -> sources.add(file.getFileName().toString()));
    }
    for (Path page : ManualPages.all()) {
      Matcher tests = TESTS.matcher(Files.readString(page));
      while (tests.find()) {
        for (String test : List.of(tests.group(1).replaceAll("#[^,]*", "").split(",", -1))) {
          assertTrue(sources.contains(test + ".java"), page + ": " + test);
        }
      }
    }
  }

  @Test
  void filesAreThere() throws IOException {
    for (Path page : ManualPages.all()) {
      for (String code : ManualPages.code(page)) {
        for (String word : Arrays.asList(code.split(" ", -1))) {
          if (SOURCE.matcher(word).matches()) {
            assertTrue(Files.exists(Path.of(word)), page + ": " + word);
          }
        }
      }
    }
  }
}
