package dev.reweave.cli;

import dev.reweave.common.Location;
import dev.reweave.common.Options;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionSeries;
import dev.reweave.look.page.ReportData;
import dev.reweave.look.page.ReportPage;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.Measuring;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.TaskTimeline;
import dev.reweave.storage.Stores;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a command keeps of its conversions: reports beside them, and rows in catalogs. */
final class Reports implements ConversionSeries.Recorder, AutoCloseable {
  private final Catalogs catalogs;
  private final Stores stores;
  private final Optional<TaskTimeline> timeline;
  private final List<String> told = new ArrayList<>();

  private Reports(Catalogs catalogs, Stores stores, Optional<TaskTimeline> timeline) {
    this.catalogs = catalogs;
    this.stores = stores;
    this.timeline = timeline;
  }

  /** What was asked for; of a report the tasks are noted from now on. */
  static Reports of(Cluster machines, Stores stores, Options given, Catalogs catalogs) {
    return new Reports(
        catalogs,
        stores,
        given.of(ConvertOptions.REPORT) ? Optional.of(machines.timeline()) : Optional.empty());
  }

  /** What must be measured of each conversion. */
  Measuring measuring() {
    return timeline.isPresent() ? Measuring.VALUES : catalogs.measuring();
  }

  @Override
  public Optional<byte[]> report(Conversion.Outcome outcome, Location output) {
    return timeline.map(
        tasks ->
            page(
                ReportData.of(
                    outcome.manifest(),
                    output.uri(),
                    outcome.digests(),
                    outcome.changes(),
                    tasks.take())));
  }

  private static byte[] page(byte[] json) {
    ByteArrayOutputStream page = new ByteArrayOutputStream();
    try {
      ReportPage.write(page, json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return page.toByteArray();
  }

  @Override
  public void record(Conversion.Outcome outcome, Location output) {
    catalogs.record(outcome, output);
    if (timeline.isPresent()) {
      Location file = output.child(FileNames.REPORT);
      told.add(
          stores.file(file).isPresent()
              ? "report " + file.uri()
              : "no report: nothing was converted now; 'reweave report' reads what is there");
    }
  }

  /** What there is to say of the conversions since the last call. */
  List<String> told() {
    List<String> lines = new ArrayList<>(catalogs.told());
    lines.addAll(told);
    told.clear();
    return lines;
  }

  @Override
  public void close() {
    timeline.ifPresent(TaskTimeline::close);
  }
}
