package dev.reweave.bench.table;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Measures the table of targets, prints it, and writes it as JSON and Markdown. */
public final class Bench {
  private static final List<Family> FAMILIES =
      List.of(
          new StartRows(),
          new WholeRows(),
          new FurtherRows(),
          new TrainerRows(),
          new ProgressRows(),
          new StoreRows(),
          new ExecutorRows(),
          new PlanRows(),
          new LookRows(),
          new MemoryRows());

  private static final Path FOLDER = Path.of("target", "bench");

  private final Setting setting;
  private final Set<String> only;

  private Bench(Setting setting, Set<String> only) {
    this.setting = setting;
    this.only = only;
  }

  /** Runs {@code [--pairs N] [--only ROWS]... [--list]} in the root of a built source tree. */
  public static void main(String[] args) throws Exception {
    int pairs = 5;
    Set<String> only = new TreeSet<>();
    for (int i = 0; i < args.length; i++) {
      switch (args[i]) {
        case "--pairs" -> pairs = Integer.parseInt(args[++i]);
        case "--only" -> only.addAll(List.of(args[++i].split(",", -1)));
        case "--list" -> {
          FAMILIES.forEach(family -> System.out.println(family.name()));
          return;
        }
        default -> throw new IllegalArgumentException("unknown: " + args[i]);
      }
    }
    for (String name : only) {
      if (FAMILIES.stream().noneMatch(family -> family.name().equals(name))) {
        throw new IllegalArgumentException("no rows are called " + name + ": see --list");
      }
    }
    Path work = Files.createDirectories(folder("REWEAVE_BENCH_FOLDER").orElse(FOLDER));
    WorkFiles files = new WorkFiles(Files.createTempDirectory(work.toAbsolutePath(), "files-"));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> clean(files)));
    Setting setting =
        new Setting(
            new Product(Path.of("").toAbsolutePath()),
            folder("REWEAVE_BENCH_BASE").map(Product::new),
            folder("REWEAVE_BENCH_PYTHON").map(Peer::new),
            pairs,
            files);
    new Bench(setting, only).run();
  }

  private static Optional<Path> folder(String variable) {
    return Optional.ofNullable(System.getenv(variable)).filter(v -> !v.isEmpty()).map(Path::of);
  }

  private static void clean(WorkFiles files) {
    try {
      files.delete(files.folder());
    } catch (java.io.IOException e) {
      System.err.println("left behind: " + files.folder() + " (" + e + ")");
    }
  }

  private void run() throws Exception {
    List<Row> rows = new ArrayList<>();
    Map<String, String> surroundings = surroundings();
    for (Family family : FAMILIES) {
      if (only.isEmpty() || only.contains(family.name())) {
        System.err.println("measuring: " + family.name());
        for (Row row : family.measure(setting)) {
          System.err.println(Report.line(row));
          rows.add(row);
        }
        // After each, so that a run that is ended leaves what it has.
        new Report(surroundings, rows).write(FOLDER);
      }
    }
    System.out.print(new Report(surroundings, rows).markdown());
  }

  private Map<String, String> surroundings() throws Exception {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("date", LocalDate.now(ZoneOffset.UTC).toString());
    all.put("machine", Machine.text());
    all.put(
        "versions",
        "Java "
            + System.getProperty("java.version")
            + ", Spark "
            + org.apache.spark.package$.MODULE$.SPARK_VERSION()
            + ", Hadoop "
            + org.apache.hadoop.util.VersionInfo.getVersion());
    all.put("commit", setting.product().commit());
    if (setting.base().isPresent()) {
      all.put("base", "commit " + setting.base().get().commit());
    }
    if (setting.peer().isPresent()) {
      all.put("peer", setting.peer().get().versions());
    }
    all.put("pairs", Integer.toString(setting.pairs()));
    return all;
  }
}
