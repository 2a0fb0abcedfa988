package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;

/** What travels in the packaged jar is what the manual lists, and was looked at. */
class ShadedJarIT {
  private static final String SHADED = "dev/reweave/shaded/";

  private static Set<String> files(Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      return zip.stream()
          .filter(e -> !e.isDirectory())
          .map(ZipEntry::getName)
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** Versions by artifact, as the manual has them. */
  private static Map<String, String> listed() throws IOException {
    String manual = ManualPages.read("trust.md");
    int start = manual.indexOf("\n## What is in the jar\n");
    Matcher row =
        Pattern.compile("\\| `([\\w.-]+:[\\w.-]+)` \\| ([^ |]+) \\|")
            .matcher(manual.substring(start, manual.indexOf("\n## ", start + 1)));
    Map<String, String> listed = new TreeMap<>();
    row.results().forEach(r -> listed.put(r.group(1), r.group(2)));
    return listed;
  }

  /** Versions by artifact, as the build puts them in. */
  private static Map<String, String> shaded() throws IOException {
    String pom = Files.readString(Path.of("pom.xml"));
    int start = pom.indexOf("<artifactId>maven-shade-plugin</artifactId>");
    String shade = pom.substring(start, pom.indexOf("</plugin>", start));
    Map<String, String> shaded = new TreeMap<>();
    Matcher included = Pattern.compile("<include>([^:<]+):([^<]+)</include>").matcher(shade);
    while (included.find()) {
      Matcher version =
          Pattern.compile(
                  "<artifactId>"
                      + Pattern.quote(included.group(2))
                      + "</artifactId>\\s*<version>\\$\\{([^}]+)}</version>")
              .matcher(pom);
      assertTrue(version.find(), included.group());
      String property = version.group(1);
      Matcher value = Pattern.compile("<" + property + ">([^<]+)</" + property + ">").matcher(pom);
      assertTrue(value.find(), property);
      shaded.put(included.group(1) + ":" + included.group(2), value.group(1));
    }
    return shaded;
  }

  @Test
  void theManualListsWhatTheBuildPutsIn() throws IOException {
    assertEquals(shaded(), listed());
  }

  @Test
  void eachFileOfTheJarIsOursOrOfWhatIsListed() throws IOException, URISyntaxException {
    Path own = Path.of("target/classes");
    Set<String> expected = new TreeSet<>();
    try (Stream<Path> files = Files.walk(own)) {
      files.filter(Files::isRegularFile).forEach(f -> expected.add(own.relativize(f).toString()));
    }
    library(picocli.CommandLine.class, "info.picocli:picocli").stream()
        .filter(f -> f.startsWith("picocli/"))
        .forEach(f -> expected.add(SHADED + f));
    library(org.jline.terminal.Terminal.class, "org.jline:jline-terminal").stream()
        .filter(f -> f.startsWith("org/jline/"))
        .forEach(f -> expected.add(SHADED + f.substring("org/".length())));
    Set<String> found = files(Path.of("target/reweave.jar"));

    found.removeIf(
        f -> f.equals("META-INF/MANIFEST.MF") || f.startsWith("META-INF/maven/dev.reweave/"));

    assertEquals(expected, found);
    assertTrue(found.contains(SHADED + "picocli/CommandLine.class"));
    assertTrue(found.contains(SHADED + "jline/utils/Display.class"));
  }

  /** The files of a library, which has to be of the version that is listed. */
  private static Set<String> library(Class<?> known, String artifact)
      throws IOException, URISyntaxException {
    Path jar = Path.of(known.getProtectionDomain().getCodeSource().getLocation().toURI());
    String name = artifact.substring(artifact.indexOf(':') + 1);
    assertEquals(name + "-" + listed().get(artifact) + ".jar", jar.getFileName().toString());
    return files(jar);
  }
}
