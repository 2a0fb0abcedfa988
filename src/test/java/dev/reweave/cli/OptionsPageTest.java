package dev.reweave.cli;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.common.Option;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The manual says of the options of {@code convert} what their declarations say, by theme. */
class OptionsPageTest {
  private static final Path PAGE = Path.of("src/site/markdown/options.md");
  private static final String BEGIN = "## `convert`\n\n";

  /** Of options that every command has, somebody writes. */
  private static final String END = "### " + Option.Theme.GENERAL.title() + "\n";

  private static final Pattern STANDARD = Pattern.compile(" \\(default: ([^)]+)\\)");

  private static String row(Option<?> option) {
    Option.Texts texts = option.texts();
    String written = option.values().written();
    String label = option.values().label();
    Matcher standard = STANDARD.matcher(texts.help().replace("${DEFAULT-VALUE}", written));
    String otherwise = standard.find() ? standard.group(1) : written;
    String said = standard.replaceFirst("").replace("%%", "%").replaceFirst("\\.$", "");
    List<String> cells =
        List.of(
            (texts.letter().isEmpty() ? "" : "`-" + texts.letter() + "`, ")
                + ("`" + option.name() + (option.isFlag() ? "" : " " + one(option)) + "`")
                + (option.isToggle() ? ", `--no-" + option.key() + "`" : ""),
            otherwise.equals(written) && !written.isEmpty() ? "`" + written + "`" : otherwise,
            (label.contains("|") ? "`" + label.replace("|", "`, `") + "`: " : "")
                + said.substring(0, 1).toLowerCase(Locale.ROOT)
                + said.substring(1)
                + texts.more());
    return cells.stream().map(c -> "| " + (c.isEmpty() ? "" : c + " ")).collect(joining()) + "|\n";
  }

  /** What stands for one of several values: the end of the key. */
  private static String one(Option<?> option) {
    String label = option.values().label();
    return label.contains("|")
        ? option.key().replaceFirst(".*-", "").toUpperCase(Locale.ROOT)
        : label;
  }

  /** The options of a theme, under its title. */
  private static String table(Option.Theme theme) {
    String rows =
        ConvertOptions.ALL.stream()
            .filter(option -> option.texts().theme() == theme)
            .map(OptionsPageTest::row)
            .collect(joining());
    String head = "| option | default | what it says |\n|---|---|---|\n";
    return rows.isEmpty() ? "" : "### " + theme.title() + "\n\n" + head + rows + "\n";
  }

  @Test
  void hasARowForEachOption() throws IOException {
    String page = Files.readString(PAGE);
    String tables = Stream.of(Option.Theme.values()).map(OptionsPageTest::table).collect(joining());
    String made =
        page.substring(0, page.indexOf(BEGIN) + BEGIN.length())
            + tables
            + page.substring(page.indexOf(END));
    if (System.getProperty("options", "").equals("record")) {
      Files.writeString(PAGE, made);
    } else {
      assertEquals(made, page, "write the page anew: run this test with -Doptions=record");
    }
  }
}
