package dev.reweave.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;

/**
 * A standalone Spark cluster on loopback: a master and workers of one core each, every one a JVM of
 * its own, made of the jars that an embedded run has on its class path. Each worker has an address
 * of its own, since Spark starts no twin of a task on the host of the first one.
 */
public final class SparkCluster implements AutoCloseable {
  private static final Pattern MASTER = Pattern.compile("Starting Spark master at (spark://\\S+)");
  private static final Pattern PAGE = Pattern.compile("MasterWebUI.* started at \\S+:(\\d+)");
  private static final int MOST_POLLS = 60_000;

  private final Path folder;
  private final Path home;
  private final Process master;
  private final List<Process> workers = new ArrayList<>();
  private final String url;

  private SparkCluster(Path folder, int size) throws IOException {
    this.folder = folder;
    this.home = SparkHome.make(folder.resolve("home"), ReleaseFolder.embeddedJars());
    this.master =
        start(
            "master",
            "127.0.0.1",
            "org.apache.spark.deploy.master.Master",
            List.of("--host", "127.0.0.1", "--port", "0", "--webui-port", "0"));
    try {
      this.url = awaitInLog(MASTER);
      for (int worker = 0; worker < size; worker++) {
        workers.add(startWorker(worker));
      }
      URI page = URI.create("http://127.0.0.1:" + awaitInLog(PAGE) + "/json/");
      await("the workers", () -> aliveWorkers(page) == size);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Starts a cluster and waits until all workers are at work.
   *
   * @param folder for its files and logs
   */
  public static SparkCluster start(Path folder, int workers) throws IOException {
    SparkCluster cluster = new SparkCluster(Files.createDirectories(folder), workers);
    // For tests that are ended from outside.
    Runtime.getRuntime().addShutdownHook(new Thread(cluster::kill));
    return cluster;
  }

  /** The master's address, such as {@code spark://127.0.0.1:40123}. */
  public String url() {
    return url;
  }

  /** What the product's scripts need to know of this installation. */
  public Map<String, String> environment() {
    return Map.of(
        "SPARK_HOME",
        home.toString(),
        "SPARK_LOCAL_IP",
        "127.0.0.1",
        "REWEAVE_JAVA_OPTS",
        Launcher.SHORT_LIVED);
  }

  /** The executor of a worker; waits until there is one. */
  public ProcessHandle executor(int worker) {
    ProcessHandle parent = workers.get(worker).toHandle();
    await("an executor", () -> parent.children().findAny().isPresent());
    return parent.children().findAny().orElseThrow();
  }

  /** Lets a process stand still, in the middle of whatever it does. */
  public static void freeze(ProcessHandle process) throws IOException {
    signal("-STOP", process);
  }

  /** Lets a process that stood still go on. */
  public static void thaw(ProcessHandle process) throws IOException {
    signal("-CONT", process);
  }

  private static void signal(String signal, ProcessHandle process) throws IOException {
    try {
      new ProcessBuilder("kill", signal, Long.toString(process.pid()))
          .inheritIO()
          .start()
          .waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for a moment that must come while the cluster lives. */
  public void await(String what, BooleanSupplier moment) {
    try {
      for (int poll = 0; !moment.getAsBoolean(); poll++) {
        if (poll > MOST_POLLS || master.waitFor(2, TimeUnit.MILLISECONDS)) {
          throw new IllegalStateException("waited for in vain: " + what + "\n" + log());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Ends all processes at once. */
  @Override
  public void close() {
    kill();
    deleteLinks();
  }

  private void kill() {
    List<Process> processes = new ArrayList<>(workers);
    processes.add(master);
    for (Process process : processes) {
      List<ProcessHandle> executors = process.descendants().toList();
      process.destroyForcibly();
      executors.forEach(ProcessHandle::destroyForcibly);
      process.onExit().join();
      executors.forEach(executor -> executor.onExit().join());
    }
  }

  private void deleteLinks() {
    try {
      ReleaseFolder.deleteLinks(home);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Process startWorker(int worker) throws IOException {
    String host = "127.0.0." + (worker + 1);
    return start(
        "worker" + worker,
        host,
        "org.apache.spark.deploy.worker.Worker",
        List.of(
            "--host",
            host,
            "--webui-port",
            "0",
            "--cores",
            "1",
            "--memory",
            "1g",
            "--work-dir",
            folder.resolve("work" + worker).toString(),
            url));
  }

  private Process start(String name, String host, String mainClass, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(home.resolve("bin/spark-class").toString()));
    command.add(mainClass);
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(name + ".log").toFile());
    builder.environment().putAll(environment());
    builder.environment().put("SPARK_LOCAL_IP", host);
    return builder.start();
  }

  private String awaitInLog(Pattern line) {
    await(line.pattern(), () -> line.matcher(log()).find());
    return line.matcher(log()).results().findFirst().orElseThrow().group(1);
  }

  private String log() {
    try {
      return Files.readString(folder.resolve("master.log"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int aliveWorkers(URI page) {
    try (InputStream in = page.toURL().openStream()) {
      JsonNode state = new ObjectMapper().readTree(in);
      return state.get("aliveworkers").asInt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
