package dev.reweave.soak;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A MinIO as a process of its own. */
final class MinioServer implements AutoCloseable {
  private static final int POLLS = 600;
  private static final int POLL_MILLIS = 100;

  private final Process process;
  private final URI endpoint;

  private MinioServer(Process process, URI endpoint) {
    this.process = process;
    this.endpoint = endpoint;
  }

  /**
   * Starts one and waits until it answers.
   *
   * @param installed where {@code s3servers.sh} installs it, if it is not there
   * @param data an empty folder
   */
  static MinioServer start(Path installed, Path data, S3Store.Login login)
      throws IOException, InterruptedException {
    install(installed);
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Path log = Files.createDirectories(data).resolve("log");
    Path disk = Files.createDirectories(data.resolve("disk"));
    ProcessBuilder builder =
        new ProcessBuilder(
                installed.resolve("bin/minio").toString(),
                "server",
                "--address",
                "127.0.0.1:" + port,
                disk.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("MINIO_ROOT_USER", login.user());
    builder.environment().put("MINIO_ROOT_PASSWORD", login.password());
    MinioServer server = new MinioServer(builder.start(), URI.create("http://127.0.0.1:" + port));
    server.await(log);
    return server;
  }

  private static void install(Path folder) throws IOException, InterruptedException {
    Command.Ended ended =
        Command.run(
            Map.of("S3SERVERS_ONLY", "minio"),
            List.of("src/test/interop/s3servers.sh", folder.toString(), "install"),
            Files.createTempFile("soak-minio-", ".log"));
    if (ended.exitCode() != 0) {
      throw new IOException("no MinIO, leave it out with --kinds:\n" + ended.said());
    }
  }

  private void await(Path log) throws IOException, InterruptedException {
    HttpRequest ready = HttpRequest.newBuilder(endpoint.resolve("/minio/health/ready")).build();
    HttpClient client = HttpClient.newHttpClient();
    for (int poll = 0; poll < POLLS; poll++) {
      try {
        if (client.send(ready, BodyHandlers.discarding()).statusCode() == 200) {
          return;
        }
      } catch (IOException e) {
        // Not yet.
      }
      if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        break;
      }
    }
    close();
    throw new IOException("MinIO did not start:\n" + Files.readString(log));
  }

  URI endpoint() {
    return endpoint;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
