package dev.reweave.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A server of Spark Connect, as a process. */
public final class ConnectServer implements AutoCloseable {
  private static final String STARTED = "Spark Connect server started at";

  private final Process process;
  private final Queue<String> log = new ConcurrentLinkedQueue<>();

  private ConnectServer(Process process) {
    this.process = process;
  }

  /**
   * Starts one, and waits until it answers.
   *
   * @param environment of {@link PySpark}
   * @param folder where it works
   * @param line of a shell that becomes the server
   */
  public static ConnectServer start(Path environment, Path folder, String line) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(PySpark.command(environment, folder, "exec " + line))
            .redirectErrorStream(true);
    builder.environment().putAll(PySpark.variables());
    ConnectServer server = new ConnectServer(builder.start());
    Runtime.getRuntime().addShutdownHook(new Thread(server::kill));
    BufferedReader out = server.process.inputReader();
    String said = out.readLine();
    while (said != null && !said.contains(STARTED)) {
      server.log.add(said);
      said = out.readLine();
    }
    if (said == null) {
      throw new IOException("the server ended:\n" + server.log());
    }
    Thread rest = new Thread(() -> out.lines().forEach(server.log::add));
    rest.setDaemon(true);
    rest.start();
    return server;
  }

  /** What it has said. */
  public String log() {
    return String.join("\n", log);
  }

  private void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  @Override
  public void close() throws IOException {
    kill();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }
}
