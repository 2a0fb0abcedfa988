package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun;
import dev.reweave.bench.ProcessRun.Taken;
import dev.reweave.testing.SqlApplication;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * Commands that read and change nothing, against the reading of the same files: each further GB, so
 * that no start is in it, and the small input as a whole.
 */
final class LookRows implements Family {
  private static final String READ = "cat FILES > /dev/null";
  private static final String STATISTICS =
      "SELECT sum(nan_count), max(max), min(min), max(mean), max(std), sum(zero_share) FROM t";

  /** A checkpoint, and what was made of it. */
  private record Input(Path checkpoint, Path result) {}

  /** Looks at an input with a build of the product. */
  private interface Look {
    Taken at(Input input, Product product) throws IOException, InterruptedException;
  }

  @Override
  public String name() {
    return "look";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    Input small = input(setting, WorkFiles.SMALL);
    Input large = input(setting, WorkFiles.LARGE);
    List<Row> rows = new ArrayList<>();
    rows.add(
        row(
            setting,
            "`verify`",
            input -> List.of(input.result()),
            (input, product) -> product.run("verify", input.result().toString()),
            List.of(small, large)));
    rows.add(
        row(
            setting,
            "`diff` of checkpoint and result",
            input -> List.of(input.checkpoint(), input.result()),
            (input, product) ->
                product.run("diff", input.checkpoint().toString(), input.result().toString()),
            List.of(small, large)));
    rows.add(
        row(
            setting,
            "`doctor --checksums`",
            input -> List.of(input.checkpoint()),
            (input, product) -> product.run("doctor", "--checksums", input.checkpoint().toString()),
            List.of(small, large)));
    rows.add(
        row(
            setting,
            "statistics in SQL",
            input -> List.of(input.result()),
            (input, product) -> statistics(product, input.result(), setting.files()),
            List.of(small, large)));
    setting.files().delete(small.result());
    setting.files().delete(large.result());
    return rows;
  }

  private static Input input(Setting setting, long masterBytes)
      throws IOException, InterruptedException {
    Path checkpoint = setting.files().checkpoint(masterBytes);
    Path result = setting.files().fresh("result-" + masterBytes);
    Setting.convert(setting.product(), checkpoint, result, "float32");
    Setting.settle();
    return new Input(checkpoint, result);
  }

  /** Which folders a command reads whole. */
  private interface Folders {
    List<Path> of(Input input);
  }

  private Row row(Setting setting, String what, Folders folders, Look look, List<Input> inputs)
      throws Exception {
    Input small = inputs.get(0);
    Input large = inputs.get(1);
    double more = bytes(folders.of(large)) - bytes(folders.of(small));
    Map<String, Samples.Side<Further>> sides = new LinkedHashMap<>();
    setting
        .base()
        .ifPresent(
            base ->
                sides.put(
                    Setting.BASE,
                    () -> Further.between(small, large, more / 1e9, in -> look.at(in, base))));
    sides.put(
        Setting.NOW,
        () -> Further.between(small, large, more / 1e9, in -> look.at(in, setting.product())));
    sides.put(
        READ, () -> Further.between(small, large, more / 1e9, input -> read(folders.of(input))));
    Samples<Further> samples = Samples.inTurn(setting.pairs(), 1, sides);
    return new Row(
        name(),
        what + ", each further GB, of the rate of `cat FILES > /dev/null`",
        Target.atLeast(0.6),
        samples.ratio(READ, Setting.NOW, Further::secondsPerGigabyte),
        Further.figures(samples, sides.keySet()));
  }

  private static double bytes(List<Path> folders) throws IOException {
    double bytes = 0;
    for (Path folder : folders) {
      bytes += WorkFiles.bytes(folder);
    }
    return bytes;
  }

  private static Taken read(List<Path> folders) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("bash", "-c", "cat \"$@\" >/dev/null", "cat"));
    for (Path folder : folders) {
      try (Stream<Path> files = Files.walk(folder)) {
        files.filter(Files::isRegularFile).map(Path::toString).sorted().forEach(command::add);
      }
    }
    return ProcessRun.run(Map.of(), command);
  }

  /** As another application asks: Spark, and the product's jar on its class path. */
  private static Taken statistics(Product product, Path folder, WorkFiles files)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(JavaModuleOptions.defaultModuleOptions().split(" ")));
    command.addAll(
        List.of(
            "-Xmx512m",
            "-Dspark.master=local[*]",
            "-Dspark.app.name=statistics",
            "-Dspark.ui.enabled=false",
            "-Dlog4j2.configurationFile=file:"
                + product.home().resolve("conf/log4j2-quiet.properties"),
            "-cp",
            Path.of("target/test-classes").toAbsolutePath() + ":" + product.classpath(),
            SqlApplication.class.getName(),
            files.folder().resolve("rows").toString(),
            "CREATE TEMPORARY VIEW t USING reweave OPTIONS (path '" + folder + "')",
            STATISTICS));
    return ProcessRun.run(Map.of("SPARK_LOCAL_IP", "127.0.0.1"), command);
  }
}
