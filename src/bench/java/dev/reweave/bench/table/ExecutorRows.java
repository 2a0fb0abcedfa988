package dev.reweave.bench.table;

import dev.reweave.bench.ScalingBenchmark;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How much faster four executors are than one, on a store that answers late. */
final class ExecutorRows implements Family {
  @Override
  public String name() {
    return "executors";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    Map<String, Samples.Side<Double>> sides = new LinkedHashMap<>();
    sides.put("1 executor", () -> workSeconds(1));
    sides.put("4 executors", () -> workSeconds(4));
    Samples<Double> samples = Samples.inTurn(setting.pairs(), 0, sides);
    return List.of(
        new Row(
            name(),
            "S3 to S3 with 4 executors, times as fast as with one",
            Target.atLeast(3.8),
            samples.ratio("1 executor", "4 executors", Double::doubleValue),
            List.of(
                samples.figure("1 executor", "work", "s", Double::doubleValue),
                samples.figure("4 executors", "work", "s", Double::doubleValue))));
  }

  private static double workSeconds(int executors) throws Exception {
    ScalingBenchmark benchmark = new ScalingBenchmark();
    ScalingBenchmark.Work work = new ScalingBenchmark.Work();
    benchmark.executors = executors;
    benchmark.dtype = "bfloat16";
    benchmark.masterBytes = 480_000_000;
    benchmark.start();
    try {
      benchmark.next();
      benchmark.convert(work);
      benchmark.check();
    } finally {
      benchmark.stop();
    }
    return work.workSeconds;
  }
}
