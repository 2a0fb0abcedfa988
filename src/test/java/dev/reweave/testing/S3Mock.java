package dev.reweave.testing;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * Adobe's S3Mock in a JVM of its own, since its Spring Boot would clash with Spark's class path. It
 * checks no signatures, and its files go when it is closed.
 */
final class S3Mock implements S3Server.Store {
  private static final Path JAR = Path.of("target", "s3mock", "s3mock.jar");
  private static final Pattern PORT =
      Pattern.compile("Tomcat started on ports.* (\\d+) \\(http\\)");
  private static final int POLLS = 900;
  private static final int POLL_MILLIS = 100;

  private final HttpClient client = HttpClient.newHttpClient();
  private final Path folder;
  private final Process process;
  private final URI endpoint;

  private S3Mock(Path folder) throws IOException {
    this.folder = folder;
    this.process = start(folder);
    try {
      this.endpoint = URI.create("http://127.0.0.1:" + awaitPort());
      send("GET", "/");
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Starts one on a free port and waits until it answers. */
  static S3Mock start() throws IOException {
    return new S3Mock(Files.createTempDirectory("reweave-s3-"));
  }

  @Override
  public URI endpoint() {
    return endpoint;
  }

  @Override
  public void createBucket(String bucket) throws IOException {
    send("PUT", "/" + bucket);
  }

  @Override
  public List<String> pendingUploads(String bucket) throws IOException {
    byte[] answer = send("GET", "/" + bucket + "?uploads");
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
      NodeList keys =
          factory
              .newDocumentBuilder()
              .parse(new ByteArrayInputStream(answer))
              .getElementsByTagName("Key");
      List<String> names = new ArrayList<>();
      for (int i = 0; i < keys.getLength(); i++) {
        names.add(keys.item(i).getTextContent());
      }
      return names;
    } catch (ParserConfigurationException | SAXException e) {
      throw new IOException(e);
    }
  }

  /** Its process. */
  ProcessHandle handle() {
    return process.toHandle();
  }

  /** Where its files and its log are. */
  Path folder() {
    return folder;
  }

  /** Ends the server at once and deletes its files. */
  @Override
  public void close() {
    try {
      process.destroyForcibly().waitFor();
      try (Stream<Path> paths = Files.walk(folder)) {
        for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Process start(Path folder) throws IOException {
    if (!Files.exists(JAR)) {
      throw new IOException("no " + JAR + ": mvn generate-test-resources puts it there");
    }
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx512m",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Djava.io.tmpdir=" + Files.createDirectory(folder.resolve("tmp")),
            "-jar",
            JAR.toAbsolutePath().toString(),
            // Ports of the system's choice: no other process can take them in between.
            "--server.port=0",
            // A slow link may take longer over an answer than any timeout.
            "--spring.mvc.async.request-timeout=-1",
            "--com.adobe.testing.s3mock.http-port=0",
            "--com.adobe.testing.s3mock.store.region=us-east-1",
            "--com.adobe.testing.s3mock.store.root="
                + Files.createDirectory(folder.resolve("root")));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("log").toFile())
        .start();
  }

  private String awaitPort() throws IOException {
    for (int poll = 0; poll < POLLS; poll++) {
      Matcher port = PORT.matcher(log());
      if (port.find()) {
        return port.group(1);
      }
      if (hasEndedWithin(POLL_MILLIS)) {
        break;
      }
    }
    throw new IOException("the S3 server did not start:\n" + log());
  }

  private boolean hasEndedWithin(long millis) throws IOException {
    try {
      return process.waitFor(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private String log() throws IOException {
    return Files.readString(folder.resolve("log"));
  }

  private byte[] send(String method, String target) throws IOException {
    HttpRequest request =
        HttpRequest.newBuilder(endpoint.resolve(target))
            .method(method, BodyPublishers.noBody())
            .build();
    try {
      HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
      if (response.statusCode() != 200) {
        throw new IOException(method + " " + target + " was answered by " + response.statusCode());
      }
      return response.body();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
