package dev.reweave.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/** Checkpoints that real DeepSpeed wrote, from the test resources. */
public final class Fixtures {
  private Fixtures() {}

  /** The folder of a fixture, such as {@code z2_bf16_w2} or {@code corrupt/z2_flipped_byte}. */
  public static Path folder(String name) {
    return resource("fixtures").resolve(name);
  }

  /** The folder of a model with an adapter in it, such as {@code patterns}. */
  public static Path adapter(String name) {
    return resource("adapters").resolve(name);
  }

  /** A file or folder of the test resources. */
  public static Path resource(String name) {
    try {
      return Path.of(Fixtures.class.getResource("/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Copies a folder with all that is in it. */
  public static Path copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectories(to.resolve(from.relativize(dir)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(file, to.resolve(from.relativize(file)));
            return FileVisitResult.CONTINUE;
          }
        });
    return to;
  }

  /** Deletes a folder with all that is in it. */
  public static void remove(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** {@link #digest} of every file under a folder, by relative path; none if there is no folder. */
  public static Map<String, String> digests(Path folder) throws IOException {
    return digests(folder, Fixtures::digest);
  }

  /** The same with a digest of the caller's. */
  public static Map<String, String> digests(Path folder, Function<byte[], String> digest)
      throws IOException {
    Map<String, String> digests = new TreeMap<>();
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          digests.put(folder.relativize(file).toString(), digest.apply(Files.readAllBytes(file)));
        }
      }
    }
    return digests;
  }

  /**
   * Length and two checksums, which tell files of tests from each other, and for which every
   * compiler of a JVM has instructions of the processor; not so for SHA-256.
   */
  public static String digest(byte[] content) {
    CRC32 crc32 = new CRC32();
    crc32.update(content);
    CRC32C crc32c = new CRC32C();
    crc32c.update(content);
    return String.format("%d %08x %08x", content.length, crc32.getValue(), crc32c.getValue());
  }

  /** SHA-256 in lower-case hexadecimal digits. */
  public static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new UncheckedIOException(new IOException(e));
    }
  }
}
