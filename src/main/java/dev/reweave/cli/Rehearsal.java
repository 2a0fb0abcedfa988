package dev.reweave.cli;

import dev.reweave.checkpoint.ThreadScanner;
import dev.reweave.job.Conversion;
import dev.reweave.job.Trial;
import dev.reweave.job.gather.ReadLimit;
import dev.reweave.job.prepare.Checks;
import dev.reweave.job.prepare.ConversionRequest;
import dev.reweave.job.prepare.Preparation;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.report.PlanText;
import dev.reweave.report.Summary;
import dev.reweave.report.ValueWarnings;
import dev.reweave.storage.PartRule;
import dev.reweave.storage.Stores;
import java.io.PrintWriter;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;

/** What a conversion would do, without writing anything. */
final class Rehearsal {
  private final ConversionRequest request;
  private final PrintWriter out;
  private final Consumer<Preparation.Prepared> planned;

  Rehearsal(ConversionRequest request, PrintWriter out, Consumer<Preparation.Prepared> planned) {
    this.planned = planned;
    this.request = request;
    this.out = out;
  }

  /** Tells the plan. */
  void plan(Stores stores) {
    Preparation.Prepared prepared =
        new Preparation(stores, new ThreadScanner(stores)).prepare(request);
    planned.accept(prepared);
    ConversionPlan plan = prepared.plan();
    Conversion.requireOutput(stores, request, plan);
    Summary.source(prepared.checkpoint(), prepared.notes()).forEach(out::println);
    PartRule rule = stores.outputFolder(request.output()).partRule();
    PlanText.lines(plan, plan.chunks(rule), Conversion.taskBytes(rule, plan)).forEach(out::println);
  }

  /** Reads, checks and casts a part of the chunks. */
  void tryOut(JavaSparkContext spark, Stores stores, double part, ReadLimit limit) {
    Trial.Result result = new Trial(spark, stores, limit).run(request, part);
    planned.accept(result.prepared());
    Summary.source(result.prepared().checkpoint(), result.prepared().notes()).forEach(out::println);
    Summary.trial(
            result.chunks(),
            result.ofChunks(),
            result.bytesRead(),
            result.bytesMade(),
            result.checked(),
            result.unchecked())
        .forEach(out::println);
    if (request.checks().nonfinite() != Checks.Nonfinite.IGNORE) {
      ValueWarnings.of(result.tensors()).forEach(out::println);
    }
    Summary.differences(result.differences()).ifPresent(out::println);
  }
}
