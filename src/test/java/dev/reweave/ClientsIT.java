package dev.reweave;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.ConnectServer;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Launcher;
import dev.reweave.testing.PySpark;
import dev.reweave.testing.ReleaseFolder;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The SQL source and the catalog of the packaged jar in Spark's own clients, by the lines that the
 * manual has, with PySpark that pip installs: {@code mvn -P clients verify}.
 */
@Tag("clients")
class ClientsIT {
  private static final String PAGE = "sql.md";
  private static final String SECTION = "From Spark's own clients";

  /** No step of the checkpoint is of this name. */
  private static final String NO_STEP = "global_step9";

  private static final String REFUSAL = "no one step is version " + NO_STEP;

  @TempDir Path temp;

  static Stream<PySpark> clients() {
    return PySpark.wanted();
  }

  /** What the manual's lines find where they run: the jar, and the checkpoint. */
  @BeforeEach
  void folder() throws Exception {
    Files.createDirectory(temp.resolve("target"));
    Files.createSymbolicLink(
        temp.resolve("target/reweave.jar"), Path.of("target/reweave.jar").toAbsolutePath());
    Fixtures.copy(Fixtures.folder("z2_bf16_w2_tags/ckpt"), temp.resolve("run-17"));
  }

  @AfterEach
  void deleteLinks() throws Exception {
    ReleaseFolder.deleteLinks(temp);
  }

  /** One of the manual's blocks of a language, with the checkpoint of the test. */
  private String manual(String language, int index) throws Exception {
    return ManualPages.blocks(PAGE, SECTION, language)
        .get(index)
        .replace("/data/run-17", temp.resolve("run-17").toString());
  }

  private Path environment(PySpark client) throws Exception {
    return client.environment(manual("bash", 0).replaceAll("==[0-9.]+", "==" + client.version()));
  }

  private Launcher.Result run(Path environment, String line) throws Exception {
    return Launcher.begin(PySpark.variables(), PySpark.command(environment, temp, line)).await();
  }

  private static int freePort() throws Exception {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @ParameterizedTest
  @MethodSource("clients")
  void shell(PySpark client) throws Exception {
    Path environment = environment(client);
    Files.writeString(temp.resolve("questions.sql"), manual("sql", 0));

    Launcher.Result answers = run(environment, manual("bash", 1));

    assertEquals(0, answers.exitCode(), answers::toString);
    List<String> lines = answers.out().lines().map(String::strip).toList();
    assertTrue(
        lines.stream().anyMatch(l -> l.matches("\\S+weight\t\\w+\t\\[[0-9,]+]")),
        answers::toString);
    assertTrue(lines.contains("8\t0\ttrue"), answers::toString);
    assertTrue(lines.contains("global_step1"), answers::toString);
    assertTrue(lines.stream().anyMatch(l -> l.startsWith("crc32c")), answers::toString);

    Files.writeString(
        temp.resolve("questions.sql"), manual("sql", 0).replace("global_step1", NO_STEP));
    Launcher.Result refused = run(environment, manual("bash", 1));

    assertFalse(refused.exitCode() == 0, refused::toString);
    assertTrue((refused.err() + refused.out()).contains(REFUSAL), refused::toString);
  }

  /** Runs Python with a session, the manual's questions, and one that is refused. */
  private void asks(PySpark client, String session) throws Exception {
    Files.writeString(
        temp.resolve("questions.py"),
        session
            + manual("python", 0)
            + """
            try:
                spark.sql("SELECT * FROM reweave.`%s` VERSION AS OF '%s'").show()
            except Exception as refusal:
                print("refused", refusal)
            spark.stop()
            """
                .formatted(temp.resolve("run-17"), NO_STEP));

    Launcher.Result answers = run(environment(client), "python questions.py");

    assertEquals(0, answers.exitCode(), answers::toString);
    List<String> lines =
        answers.out().lines().map(l -> l.replaceAll("[|\\s]+", " ").strip()).toList();
    assertTrue(
        lines.stream().anyMatch(l -> l.matches("\\S+weight \\w+ \\[[0-9, ]+]")), answers::toString);
    assertTrue(lines.contains("8 0 true"), answers::toString);
    assertTrue(lines.contains("global_step1"), answers::toString);
    assertTrue(lines.stream().anyMatch(l -> l.startsWith("crc32c ")), answers::toString);
    assertTrue(answers.out().split("\nrefused ", 2)[1].contains(REFUSAL), answers::toString);
  }

  @ParameterizedTest
  @MethodSource("clients")
  void python(PySpark client) throws Exception {
    asks(client, manual("python", 1));
  }

  @ParameterizedTest
  @MethodSource("clients")
  void connectToAServerWithTheJar(PySpark client) throws Exception {
    connect(client, 2, "local[2]");
  }

  @ParameterizedTest
  @MethodSource("clients")
  void connectAndBringTheJarAlong(PySpark client) throws Exception {
    connect(client, 3, "local[2]");
  }

  /** As the one before, with executors that are processes. */
  @ParameterizedTest
  @MethodSource("clients")
  void connectToAClusterAndBringTheJarAlong(PySpark client) throws Exception {
    connect(client, 3, "local-cluster[1,2,1024]");
  }

  private void connect(PySpark client, int index, String master) throws Exception {
    int port = freePort();
    String server =
        manual("bash", index).strip()
            + " --master '"
            + master
            + "' --conf spark.connect.grpc.binding.address=127.0.0.1"
            + " --conf spark.connect.grpc.binding.port="
            + port
            + " --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1";
    try (ConnectServer running = ConnectServer.start(environment(client), temp, server)) {
      asks(client, manual("python", index).replace("localhost:15002", "127.0.0.1:" + port));
      assertFalse(running.log().contains("ClassCastException"), running::log);
    }
  }
}
