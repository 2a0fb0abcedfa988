package dev.reweave.soak;

import dev.reweave.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Kills conversions at random moments, and counts what becomes of them. */
public final class Soak {
  private static final Path FOLDER = Path.of("target", "soak");
  private static final int PROGRESS = 50;

  /** Conversions of a kind that are timed before the first is killed. */
  private static final int TIMED = 2;

  private final Arguments arguments;
  private final Path work;
  private final Lengths lengths = new Lengths();
  private final List<Outcome> outcomes = new ArrayList<>();
  private final Instant begun = Instant.now();

  private Soak(Arguments arguments, Path work) {
    this.arguments = arguments;
    this.work = work;
  }

  /** Runs with the arguments of {@code submit/soak} in the root of a built source tree. */
  public static void main(String[] args) throws Exception {
    Arguments arguments = Arguments.of(List.of(args));
    Files.createDirectories(FOLDER);
    Path work = Files.createTempDirectory(FOLDER.toAbsolutePath(), "work-");
    int failures;
    try {
      failures = new Soak(arguments, work).run();
    } finally {
      Fixtures.remove(work);
    }
    System.exit(failures == 0 ? 0 : 1);
  }

  private int run() throws Exception {
    System.err.println("converting undisturbed what is to be expected");
    List<Case> cases = Cases.converted(Files.createDirectories(work.resolve("cases")));
    Map<String, Store> stores = new LinkedHashMap<>();
    try {
      for (String kind : arguments.kinds()) {
        System.err.println("starting " + kind);
        stores.put(kind, open(kind));
      }
      Inputs inputs = new Inputs(cases, List.copyOf(stores.values()));
      for (Store store : stores.values()) {
        time(store, cases.get(1));
      }
      runAll(cases, stores, inputs);
    } finally {
      for (Store store : stores.values()) {
        store.close();
      }
    }
    Report report = report();
    report.write(FOLDER);
    System.out.print(report.markdown());
    return report.failures();
  }

  private Store open(String kind) throws IOException, InterruptedException {
    return switch (kind) {
      case "local" -> FolderStore.local(work.resolve("local"));
      case "hdfs" -> FolderStore.hdfs(work.resolve("hdfs"));
      case "s3" -> S3Store.embedded();
      case "minio" ->
          S3Store.minio(Path.of("target", "s3servers").toAbsolutePath(), work.resolve("minio"));
      default -> throw new IllegalArgumentException("no kind of store is called " + kind);
    };
  }

  private void time(Store store, Case each) throws IOException, InterruptedException {
    for (int i = 0; i < TIMED; i++) {
      try (Site site = store.site("timed-" + i)) {
        List<String> words =
            new ArrayList<>(
                List.of("convert", "-i", each.input().toString(), "-o", site.address() + "/model"));
        words.addAll(each.arguments());
        Command.Ended ended =
            Command.run(Command.reweave(site.settings(), words), work.resolve("timed.log"));
        if (ended.exitCode() != 0) {
          throw new IllegalStateException(store.name() + " fails undisturbed:\n" + ended.said());
        }
        lengths.add(store.name(), ended.seconds());
        site.remove();
      }
    }
    System.err.printf("%s takes %.1f s%n", store.name(), lengths.typical(store.name()));
  }

  private void runAll(List<Case> cases, Map<String, Store> stores, Inputs inputs)
      throws InterruptedException, ExecutionException {
    ExecutorService workers = Executors.newFixedThreadPool(arguments.atOnce());
    try {
      List<Future<Outcome>> running = new ArrayList<>();
      for (int number : arguments.rounds()) {
        Choice choice = Choice.of(arguments.seed(), number, arguments.kinds(), cases);
        running.add(workers.submit(() -> runOne(choice, stores.get(choice.kind()), inputs)));
      }
      for (Future<Outcome> round : running) {
        var unused = round.get();
      }
    } finally {
      workers.shutdownNow();
    }
  }

  private Outcome runOne(Choice choice, Store store, Inputs inputs)
      throws IOException, InterruptedException {
    String name = "round-" + choice.number();
    Path own = Files.createDirectories(work.resolve(name));
    Evidence evidence =
        new Evidence(
            FOLDER.resolve("failures").resolve("seed-" + arguments.seed() + "-" + name),
            own,
            arguments.repeating(choice.number()));
    Outcome outcome;
    try {
      outcome = new Round(choice, store, inputs, lengths, evidence).run();
    } catch (IOException | RuntimeException e) {
      outcome = Outcome.broken(choice, e);
      evidence.write(outcome.failures());
    }
    Fixtures.remove(own);
    add(outcome);
    return outcome;
  }

  private synchronized void add(Outcome outcome) throws IOException {
    outcomes.add(outcome);
    for (String failure : outcome.failures()) {
      System.err.println("round " + outcome.choice().number() + ": " + failure);
    }
    if (outcomes.size() % PROGRESS == 0) {
      Report report = report();
      report.write(FOLDER);
      double each = Duration.between(begun, Instant.now()).toMillis() / 1e3 / outcomes.size();
      System.err.printf(
          "%d of %d rounds, %.1f s each, %d failures, %.0f minutes left%n",
          outcomes.size(),
          arguments.rounds().size(),
          each,
          report.failures(),
          each * (arguments.rounds().size() - outcomes.size()) / 60);
    }
  }

  private synchronized Report report() {
    Map<String, String> surroundings = new LinkedHashMap<>();
    surroundings.put("seed", Long.toString(arguments.seed()));
    surroundings.put("begun", begun.toString());
    surroundings.put("minutes", Long.toString(Duration.between(begun, Instant.now()).toMinutes()));
    surroundings.put(
        "versions",
        "Java "
            + System.getProperty("java.version")
            + ", Spark "
            + org.apache.spark.package$.MODULE$.SPARK_VERSION()
            + ", Hadoop "
            + org.apache.hadoop.util.VersionInfo.getVersion());
    return Report.of(surroundings, arguments.kinds(), outcomes);
  }
}
