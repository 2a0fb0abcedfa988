package dev.reweave.bench.table;

import dev.reweave.bench.PlanBenchmark;
import java.util.List;
import java.util.Map;

/** How long the plan of a very large checkpoint takes, and how much memory. */
final class PlanRows implements Family {
  private record Plan(double seconds, double peakMegabytes) {}

  @Override
  public String name() {
    return "plan";
  }

  @Override
  public List<Row> measure(Setting setting) throws Exception {
    PlanBenchmark benchmark = new PlanBenchmark();
    benchmark.ranks = 1024;
    benchmark.gpus = 8;
    benchmark.layers = 80;
    benchmark.experts = 256;
    benchmark.memory = "2g";
    Samples<Plan> samples;
    benchmark.write();
    try {
      samples = Samples.inTurn(setting.pairs(), 0, Map.of(Setting.NOW, () -> planned(benchmark)));
    } finally {
      benchmark.delete();
    }
    return List.of(
        new Row(
            name(),
            "plan of 62,000 tensors on 1,024 ranks with 2 GB of heap",
            Target.atMost(60).in("s"),
            samples.figure(Setting.NOW, "wall", "s", Plan::seconds),
            List.of(samples.figure(Setting.NOW, "peak", "MB", Plan::peakMegabytes))));
  }

  private static Plan planned(PlanBenchmark benchmark) throws Exception {
    PlanBenchmark.Taken taken = new PlanBenchmark.Taken();
    long start = System.nanoTime();
    benchmark.plan(taken);
    return new Plan((System.nanoTime() - start) / 1e9, taken.peakMegabytes);
  }
}
