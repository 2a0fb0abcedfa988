package dev.reweave;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The texts that people read, as Markdown. */
final class ManualPages {
  /** The manual, a page a theme. */
  static final Path FOLDER = Path.of("src/site/markdown");

  private static final Pattern HEADING = Pattern.compile("#{1,6} (.+)");
  private static final Pattern LINK = Pattern.compile("\\[[^\\]]*]\\(([^)\\s]+)\\)");
  private static final Pattern ANCHOR = Pattern.compile("<a id=\"([^\"]+)\"></a>");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  private ManualPages() {}

  /** The text of a page of the manual, without anchors in its headings. */
  static String read(String page) throws IOException {
    return ANCHOR.matcher(Files.readString(FOLDER.resolve(page))).replaceAll("");
  }

  /** The pages of the manual, sorted. */
  static List<Path> manual() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }

  /** The manual, and what lies beside it in the sources. */
  static List<Path> all() throws IOException {
    List<Path> all =
        new ArrayList<>(
            List.of(Path.of("README.md"), Path.of("CONTRIBUTING.md"), Path.of("CHANGELOG.md")));
    all.addAll(manual());
    return all;
  }

  /** The lines that are no block of code. */
  private static List<String> prose(Path page) throws IOException {
    List<String> prose = new ArrayList<>();
    boolean code = false;
    for (String line : Files.readAllLines(page)) {
      if (line.startsWith("```")) {
        code = !code;
      } else if (!code) {
        prose.add(line);
      }
    }
    return prose;
  }

  /** The blocks of code in a section of a page, of those of a language, such as {@code sql}. */
  static List<String> blocks(String page, String heading, String language) throws IOException {
    String text = read(page) + "\n## ";
    int start = text.indexOf("\n## " + heading + "\n");
    String section = text.substring(start + 1, text.indexOf("\n## ", start + 1));
    return Pattern.compile("```" + language + "\n(.*?\n)```", Pattern.DOTALL)
        .matcher(section)
        .results()
        .map(block -> block.group(1))
        .toList();
  }

  /** Where the links of a page lead, also such as go on in another line. */
  static List<String> links(Path page) throws IOException {
    String text = CODE.matcher(String.join(" ", prose(page))).replaceAll("code");
    return LINK.matcher(text).results().map(link -> link.group(1)).toList();
  }

  /** What stands between backticks, outside of blocks. */
  static List<String> code(Path page) throws IOException {
    return CODE.matcher(String.join("\n", prose(page))).results().map(c -> c.group(1)).toList();
  }

  /** The anchors that stand in a page, for the site: it calls headings otherwise than GitHub. */
  static Set<String> writtenAnchors(Path page) throws IOException {
    Set<String> anchors = new LinkedHashSet<>();
    ANCHOR
        .matcher(String.join("\n", prose(page)))
        .results()
        .forEach(anchor -> anchors.add(anchor.group(1)));
    return anchors;
  }

  /** The anchors of a page's headings, as GitHub makes them. */
  static Set<String> anchors(Path page) throws IOException {
    Set<String> anchors = new LinkedHashSet<>();
    Map<String, Integer> times = new HashMap<>();
    for (String line : prose(page)) {
      Matcher heading = HEADING.matcher(line);
      if (heading.matches()) {
        String anchor =
            ANCHOR
                .matcher(heading.group(1))
                .replaceAll("")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                .replace(' ', '-');
        int before = times.merge(anchor, 1, Integer::sum) - 1;
        anchors.add(before == 0 ? anchor : anchor + "-" + before);
      }
    }
    return anchors;
  }
}
