package dev.reweave.testing;

import dev.reweave.cli.ShellFiles;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine;

/** What a release is unpacked to: launcher, jar, and the jars of Spark. */
public final class ReleaseFolder {
  private ReleaseFolder() {}

  /**
   * Lays out what {@code src/assembly/bin.xml} describes; what no script looks for is linked.
   *
   * @param jars of Spark and Hadoop
   */
  public static Path of(Path folder, Collection<Path> jars) throws IOException {
    Path all = Files.createDirectories(folder.resolve("jars"));
    for (Path jar : jars) {
      Files.createSymbolicLink(all.resolve(jar.getFileName()), jar.toAbsolutePath());
    }
    for (String file : List.of("conf", "LICENSE", "README.md", "target/reweave.jar")) {
      Path there = Path.of(file).toAbsolutePath();
      Files.createSymbolicLink(folder.resolve(there.getFileName()), there);
    }
    for (String script :
        List.of("bin/reweave", "submit/reweave", "submit/common.sh", "submit/entrypoint.sh")) {
      Path copy = folder.resolve(script);
      Files.createDirectories(copy.getParent());
      Files.copy(
          Path.of("submit").resolve(copy.getFileName()), copy, StandardCopyOption.COPY_ATTRIBUTES);
    }
    writeShellFiles(folder.resolve("share"));
    return folder;
  }

  /** As the build does: in a process that has the classes as they were compiled. */
  private static void writeShellFiles(Path share) throws IOException {
    try {
      String picocli =
          Path.of(CommandLine.class.getProtectionDomain().getCodeSource().getLocation().toURI())
              .toString();
      String classes =
          String.join(
              ":",
              "target/classes",
              "target/test-classes",
              picocli,
              Files.readString(Path.of("target", "classpath")).strip());
      Launcher.Result made =
          Launcher.begin(
                  Map.of(),
                  List.of(
                      Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                      "-cp",
                      classes,
                      ShellFiles.class.getName(),
                      share.toString(),
                      "unreleased"))
              .await();
      if (made.exitCode() != 0) {
        throw new IOException("no files for shells: " + made);
      }
    } catch (URISyntaxException | InterruptedException e) {
      throw new IOException(e);
    }
  }

  /** The jars that an embedded run of this build has beside Reweave's own. */
  public static List<Path> embeddedJars() throws IOException {
    String jars = Files.readString(Path.of("target", "classpath")).strip();
    return Stream.of(jars.split(":", -1)).map(Path::of).toList();
  }

  /** JUnit tells of each link that leads out of a temporary folder. */
  public static void deleteLinks(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path link : all.filter(Files::isSymbolicLink).toList()) {
        Files.delete(link);
      }
    }
  }
}
