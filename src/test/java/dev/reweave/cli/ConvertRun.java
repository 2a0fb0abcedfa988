package dev.reweave.cli;

import dev.reweave.testing.TestSpark;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;

/**
 * A run of {@code convert} from its arguments to its exit code, in the Spark that the tests share.
 */
record ConvertRun(int exitCode, List<String> out, List<String> err) {
  private record Factory(SparkUse spark) implements CommandLine.IFactory {
    @Override
    public <K> K create(Class<K> type) throws Exception {
      return type == ConvertCommand.class
          ? type.cast(new ConvertCommand(spark))
          : CommandLine.defaultFactory().create(type);
    }
  }

  static ConvertRun of(Object... args) {
    return with((name, work) -> work.accept(TestSpark.cluster()), args);
  }

  static ConvertRun with(SparkUse spark, Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] command =
        Stream.concat(Stream.of("convert"), Stream.of(args).map(Object::toString))
            .toArray(String[]::new);
    int exitCode =
        Main.run(
            new PrintWriter(out, true), new PrintWriter(err, true), new Factory(spark), command);
    return new ConvertRun(
        exitCode, out.toString().lines().toList(), err.toString().lines().toList());
  }

  /** The lines of the table at the end, with single spaces and without the one above them. */
  List<String> table() {
    List<String> lines =
        Stream.concat(out.stream(), err.stream()).map(l -> l.replaceAll(" +", " ")).toList();
    int first = 0;
    while (!lines.get(first).matches("\\d+ conversions?: .*")) {
      first++;
    }
    return lines.stream()
        .skip(first + 1L)
        .takeWhile(l -> l.matches("(converted|up to date|failed) .*"))
        .toList();
  }
}
