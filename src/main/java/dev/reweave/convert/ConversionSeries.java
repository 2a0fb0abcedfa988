package dev.reweave.convert;

import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.common.Location;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.ConversionEnd;
import dev.reweave.manifest.ConversionEnd.Status;
import dev.reweave.manifest.Manifest;
import dev.reweave.manifest.ValueWarnings;
import dev.reweave.plan.Measuring;
import dev.reweave.spark.Cluster;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Conversions one after the other in one application: each has all executors to itself, and none
 * ends the others.
 */
public final class ConversionSeries {
  private final Cluster cluster;
  private final Stores stores;
  private final StepRequests steps;
  private final ReadLimit limit;
  private final Measuring measuring;
  private final Recorder recorder;
  private final Consumer<Preparation.Prepared> planned;
  private final Set<Location> outputs = new HashSet<>();

  /** Keeps a record of results elsewhere; what goes wrong there is a failure of the conversion. */
  public interface Recorder {
    /** Records a result, made now or found. */
    void record(Conversion.Outcome outcome, Location output);

    /** What lies beside the manifest of a result that was made now, if anything. */
    default Optional<byte[]> report(Conversion.Outcome outcome, Location output) {
      return Optional.empty();
    }
  }

  /**
   * A series on this cluster, between these stores.
   *
   * @param limit of each task's reads
   * @param measuring what is measured of the tensors for the record
   * @param planned takes each plan as it is made
   */
  public ConversionSeries(
      Cluster cluster,
      Stores stores,
      StepRequests steps,
      ReadLimit limit,
      Measuring measuring,
      Recorder recorder,
      Consumer<Preparation.Prepared> planned) {
    this.planned = planned;
    this.limit = limit;
    this.measuring = measuring;
    this.recorder = recorder;
    this.cluster = cluster;
    this.stores = stores;
    this.steps = steps;
  }

  /**
   * Converts each step that is asked for.
   *
   * @param asked with placeholders in the address of its output, or without
   * @param ended takes the end of each conversion as it comes; a failure is one of them
   */
  public void run(AskedConversion asked, Consumer<ConversionEnd> ended) {
    long start = System.nanoTime();
    List<ConversionRequest> requests;
    try {
      requests = steps.of(asked);
    } catch (Exception | Error e) {
      ended.accept(failed(asked, start, e));
      return;
    }
    for (ConversionRequest request : requests) {
      if (requests.size() > 1 || !outputs.isEmpty()) {
        cluster.progress().subject("to " + request.output().name());
      }
      ended.accept(convert(request, asked.isOfNewAlone()));
    }
  }

  private ConversionEnd convert(ConversionRequest request, boolean newAlone) {
    long start = System.nanoTime();
    try {
      requireOwnOutput(request);
      Optional<Manifest> finished =
          newAlone
              ? new OutputCheck(stores, request).finished().filter(m -> !isRefused(m, request))
              : Optional.empty();
      if (finished.isPresent()) {
        new FiniteWeights(request.options().checks().nonfinite())
            .require(finished.get(), request.output());
        recorder.record(Conversion.Outcome.upToDate(finished.get()), request.output());
        return ended(Status.UP_TO_DATE, request, finished.get(), start);
      }
      Conversion.Outcome outcome =
          new Conversion(cluster, stores, limit, planned).run(request, measuring, recorder::report);
      recorder.record(outcome, request.output());
      Status status =
          outcome.kind() == Conversion.Outcome.Kind.UP_TO_DATE
              ? Status.UP_TO_DATE
              : Status.CONVERTED;
      return ended(status, request, outcome.manifest(), start);
    } catch (Exception | Error e) { // Spark throws checked ones without saying so.
      return failed(request, start, e);
    }
  }

  /** Made when nobody minded what was not known; to be looked at again, and refused. */
  private static boolean isRefused(Manifest finished, ConversionRequest request) {
    return request.options().checks().unfamiliar() == Unfamiliar.REFUSE
        && !finished.cautions().isEmpty();
  }

  /** With {@code --overwrite} the later of two would silently take the earlier one's place. */
  private void requireOwnOutput(ConversionRequest request) {
    if (!outputs.add(request.output())) {
      throw ConversionFailures.sameOutput(request.output());
    }
  }

  private ConversionEnd ended(
      Status status, ConversionRequest request, Manifest manifest, long start) {
    return new ConversionEnd(
        status,
        Redacted.text(request.input().uri()),
        Redacted.text(request.output().uri()),
        manifest.input().tag(),
        Optional.of(manifest),
        request.options().checks().nonfinite() == Checks.Nonfinite.IGNORE
            ? List.of()
            : ValueWarnings.of(manifest.result().weights()),
        seconds(start),
        Optional.empty());
  }

  private ConversionEnd failed(AskedConversion asked, long start, Throwable failure) {
    return ConversionEnd.failed(
        Redacted.text(asked.input().uri()),
        Redacted.text(address(asked.output())),
        asked.isOfSeveral() ? "" : asked.options().reading().tag().orElse(""),
        seconds(start),
        failure);
  }

  private static ConversionEnd failed(ConversionRequest request, long start, Throwable failure) {
    return ConversionEnd.failed(
        Redacted.text(request.input().uri()),
        Redacted.text(request.output().uri()),
        request.options().reading().tag().orElse(""),
        seconds(start),
        failure);
  }

  /** In full; as it was given if no store has it. */
  private String address(OutputTemplate output) {
    try {
      return stores.locate(output.text()).uri();
    } catch (ReweaveException e) {
      return output.text();
    }
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
