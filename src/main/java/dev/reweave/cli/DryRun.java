package dev.reweave.cli;

import dev.reweave.common.Progress;
import dev.reweave.convert.Checks;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionRequest;
import dev.reweave.convert.Preparation;
import dev.reweave.convert.SampleRun;
import dev.reweave.look.report.PlanText;
import dev.reweave.look.report.Summary;
import dev.reweave.manifest.ValueWarnings;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import java.io.PrintWriter;
import java.util.function.Consumer;

/** What a conversion would do, without writing anything. */
final class DryRun {
  private final ConversionRequest request;
  private final PrintWriter out;
  private final Consumer<Preparation.Prepared> planned;
  private final Progress progress;

  DryRun(
      ConversionRequest request,
      PrintWriter out,
      Consumer<Preparation.Prepared> planned,
      Progress progress) {
    this.progress = progress;
    this.planned = planned;
    this.request = request;
    this.out = out;
  }

  /** Tells the plan. */
  void plan(Stores stores) {
    Preparation.Prepared prepared =
        new Preparation(stores, new ThreadScanner(stores, progress)).prepare(request);
    planned.accept(prepared);
    ConversionPlan plan = prepared.plan();
    Conversion.requireOutput(stores, request, plan);
    Summary.source(prepared.checkpoint(), prepared.notes()).forEach(out::println);
    PartRule rule = stores.outputFolder(request.output()).partRule();
    PlanText.lines(plan, plan.chunks(rule), Conversion.taskBytes(stores, rule, plan))
        .forEach(out::println);
  }

  /** Reads, checks and casts a part of the chunks. */
  void tryOut(Cluster cluster, Stores stores, double part, ReadLimit limit) {
    SampleRun.Result result = new SampleRun(cluster, stores, limit).run(request, part);
    planned.accept(result.prepared());
    Summary.source(result.prepared().checkpoint(), result.prepared().notes()).forEach(out::println);
    SampleRun.Sample sample = result.sample();
    Summary.trial(
            sample.chunks(),
            sample.ofChunks(),
            sample.bytesRead(),
            sample.bytesMade(),
            sample.checked(),
            sample.unchecked())
        .forEach(out::println);
    if (request.options().checks().nonfinite() != Checks.Nonfinite.IGNORE) {
      ValueWarnings.of(result.tensors()).forEach(out::println);
    }
    Summary.differences(result.differences()).ifPresent(out::println);
  }
}
