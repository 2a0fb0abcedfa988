package dev.reweave.bench.table;

import dev.reweave.bench.ScalingBenchmark;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How much faster four executors are than one, on a store that answers late. */
final class ExecutorRows implements Family {
  private static final String ONE = "1 executor";
  private static final String FOUR = "4 executors";

  @Override
  public String name() {
    return "executors";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    Map<String, Samples.Side<ScalingBenchmark.Work>> sides = new LinkedHashMap<>();
    sides.put(ONE, () -> work(1));
    sides.put(FOUR, () -> work(4));
    Samples<ScalingBenchmark.Work> samples = Samples.inTurn(setting.pairs(), 0, sides);
    return List.of(
        new Row(
            name(),
            "S3 to S3 with 4 executors, 50 ms late and 1 MB/s a connection: tasks, times as fast as"
                + " with one",
            Target.atLeast(3.8),
            samples.ratio(ONE, FOUR, work -> work.taskSeconds),
            List.of(
                samples.figure(ONE, "tasks", "s", work -> work.taskSeconds),
                samples.figure(ONE, "until it is visible", "s", work -> work.workSeconds),
                samples.figure(FOUR, "tasks", "s", work -> work.taskSeconds),
                samples.figure(FOUR, "until it is visible", "s", work -> work.workSeconds))));
  }

  private static ScalingBenchmark.Work work(int executors) throws Exception {
    ScalingBenchmark benchmark = new ScalingBenchmark();
    ScalingBenchmark.Work work = new ScalingBenchmark.Work();
    benchmark.executors = executors;
    benchmark.dtype = "bfloat16";
    benchmark.masterBytes = 1_920_000_000;
    benchmark.start();
    try {
      benchmark.next();
      benchmark.convert(work);
      benchmark.check();
    } finally {
      benchmark.stop();
    }
    return work;
  }
}
