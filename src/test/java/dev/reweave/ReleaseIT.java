package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Launcher;
import dev.reweave.testing.ReleaseFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A release on a machine that has a shell and Java, and no more: no Maven, no way to the network,
 * nothing in the home folder. {@code mvn -P release verify} tests the archive that it makes; other
 * builds test the launcher, in a folder of the same form.
 */
class ReleaseIT {
  /** What the launcher, and Hadoop's local file system, need beside Java. */
  private static final List<String> PROGRAMS =
      List.of("env", "bash", "dirname", "readlink", "chmod");

  @TempDir static Path temp;
  private static Path release;

  @BeforeAll
  static void unpack() throws Exception {
    String archive = System.getProperty("reweave.release", "");
    if (archive.isEmpty()) {
      release = ReleaseFolder.of(temp.resolve("reweave"), ReleaseFolder.embeddedJars());
      return;
    }
    Path folder = Files.createDirectories(temp.resolve("unpacked"));
    Launcher.Result unpacked =
        Launcher.begin(Map.of(), List.of("tar", "-xzf", archive, "-C", folder.toString())).await();
    assertEquals(new Launcher.Result(0, "", ""), unpacked);
    String name = name(Path.of(archive)).replaceFirst("-bin\\.tar\\.gz$", "");
    assertEquals(Set.of(name), names(folder));
    release = folder.resolve(name);
  }

  @AfterAll
  static void deleteLinks() throws IOException {
    ReleaseFolder.deleteLinks(temp);
  }

  private static String name(Path path) {
    return path.getFileName().toString();
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(ReleaseIT::name).collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** Runs a command where nothing else is; it says nothing of errors and leaves nothing behind. */
  private static Launcher.Result alone(Path script, String... arguments) throws Exception {
    Path home = Files.createDirectories(temp.resolve("home"));
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    Path out = Files.createTempFile(temp, "run", ".out");
    Path err = Files.createTempFile(temp, "run", ".err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(home.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", programs().toString());
    builder.environment().put("HOME", home.toString());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    // Nobody listens there: what asks for a file of the network fails.
    String nowhere =
        "-Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=9 -Dhttps.proxyHost=127.0.0.1"
            + " -Dhttps.proxyPort=9 -Duser.home=";
    builder.environment().put("REWEAVE_JAVA_OPTS", nowhere + home);
    Launcher.Result result = new Launcher.Running(builder.start(), out, err).await();
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals("", result.err());
    assertEquals(Set.of(), names(home));
    return result;
  }

  /** A folder that is the whole path: Java, and what every machine with a shell has. */
  private static Path programs() throws IOException {
    Path programs = temp.resolve("programs");
    if (!Files.exists(programs)) {
      Files.createDirectory(programs);
      for (String program : PROGRAMS) {
        Path place =
            Stream.of(System.getenv("PATH").split(":", -1))
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("not on the path: " + program));
        Files.createSymbolicLink(programs.resolve(program), place);
      }
      Files.createSymbolicLink(
          programs.resolve("java"), Path.of(System.getProperty("java.home"), "bin", "java"));
    }
    return programs;
  }

  @Test
  void theDemoConvertsAndVerifies() throws Exception {
    Path output = temp.resolve("demo");
    Launcher.Result demo =
        alone(release.resolve("bin/reweave"), "demo", "--output", output.toString());

    assertTrue(demo.out().contains("ZeRO-3, 2 ranks"), demo::toString);
    assertTrue(demo.out().contains("checksums are those that were written"), demo::toString);
    assertEquals(
        Set.of(
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json",
            "reweave.json"),
        names(output.resolve("model")));
  }

  @Test
  void theLauncherIsFoundThroughALink() throws Exception {
    Path link = Files.createSymbolicLink(temp.resolve("link"), release.resolve("bin/reweave"));
    String version = Launcher.run("--version").out();

    assertEquals(version, alone(link, "--version").out());
    assertEquals(version, alone(release.resolve("submit/reweave"), "--version").out());
  }

  @Test
  void aPodRunsCommandsAndDrivers() throws Exception {
    Path entrypoint = release.resolve("submit/entrypoint.sh");
    String version = Launcher.run("--version").out();
    assertEquals(version, alone(entrypoint, "--version").out());

    Map<String, String> environment =
        Map.of("SPARK_DRIVER_BIND_ADDRESS", "127.0.0.1", "SPARK_LOCAL_IP", "127.0.0.1");
    List<String> command =
        List.of(
            entrypoint.toString(),
            "driver",
            "--master",
            "local[1]",
            "--class",
            "dev.reweave.cli.Main",
            "local://" + release.resolve("reweave.jar"),
            "--version");
    Launcher.Result driver = Launcher.begin(environment, command).await();
    assertEquals(0, driver.exitCode(), driver::toString);
    assertEquals(version, driver.out());
  }

  @Test
  void nothingIsMissing() throws Exception {
    Set<String> jars =
        ReleaseFolder.embeddedJars().stream()
            .map(ReleaseIT::name)
            .collect(Collectors.toCollection(TreeSet::new));

    assertEquals(jars, names(release.resolve("jars")));
    assertEquals(
        Set.of("LICENSE", "README.md", "bin", "conf", "jars", "reweave.jar", "share", "submit"),
        names(release).stream()
            .filter(name -> !name.startsWith("classes-"))
            .collect(Collectors.toSet()));
    assertTrue(Files.exists(release.resolve("conf/s3.conf")));
    assertTrue(Files.exists(release.resolve("share/man/man1/reweave-convert.1")));
    assertEquals(
        Files.readString(release.resolve("share/bash-completion/completions/reweave")),
        Launcher.run("completion").out());
  }

  /** A run as users do it; it says nothing of errors. */
  private static void version(Path home, String options) throws Exception {
    Launcher.Result result =
        Launcher.begin(
                Map.of("REWEAVE_JAVA_OPTS", options),
                List.of(home.resolve("bin/reweave").toString(), "--version"))
            .await();
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals("", result.err());
    assertTrue(result.out().startsWith("reweave "), result::toString);
  }

  /** Endings of the files that speak of an archive of classes. */
  private static List<String> archives(Path home) throws IOException {
    return names(home).stream()
        .filter(name -> name.startsWith("classes-"))
        .map(name -> name.substring(name.indexOf(".jsa")))
        .toList();
  }

  @Test
  void theSecondRunKeepsTheClassesForLaterOnes() throws Exception {
    Path home = ReleaseFolder.of(temp.resolve("kept"), ReleaseFolder.embeddedJars());
    Path jar = home.resolve("reweave.jar");
    Files.copy(jar, temp.resolve("copy.jar"));
    Files.move(temp.resolve("copy.jar"), jar, StandardCopyOption.REPLACE_EXISTING);

    version(home, "");
    assertEquals(List.of(".jsa.wanted"), archives(home));
    version(home, "");
    assertEquals(List.of(".jsa"), archives(home));
    Path loaded = temp.resolve("loaded");
    version(home, "-Xlog:class+load:file=" + loaded);
    assertTrue(
        Files.readString(loaded).contains("dev.reweave.cli.Main source: shared objects file (top)"),
        "its classes are read from the jar");

    // Another jar: all begins anew.
    Files.setLastModifiedTime(jar, FileTime.from(Instant.now()));
    version(home, "");
    assertEquals(List.of(".jsa", ".jsa.wanted"), archives(home));
    version(home, "");
    assertEquals(List.of(".jsa"), archives(home));
    version(home, "-Xlog:class+load:file=" + loaded);
    assertTrue(
        Files.readString(loaded).contains("dev.reweave.cli.Main source: shared objects file (top)"),
        "the classes of the new jar are not kept");
  }
}
