package dev.reweave.cli;

import dev.reweave.common.Location;
import dev.reweave.common.Options;
import dev.reweave.convert.Conversion;
import dev.reweave.convert.ConversionSeries;
import dev.reweave.look.report.Summary;
import dev.reweave.plan.Measuring;
import dev.reweave.spark.Cluster;
import dev.reweave.sql.ConversionCatalog;
import dev.reweave.sql.ConvertedModel;
import dev.reweave.sql.LakeRuns;
import dev.reweave.sql.LakeTensors;
import dev.reweave.sql.RunCatalog;
import dev.reweave.sql.TensorCatalog;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.List;

/** The catalogs of a command: each takes what is to be listed of every result. */
final class Catalogs implements ConversionSeries.Recorder {
  private final List<ConversionCatalog> all;
  private final List<String> told = new ArrayList<>();

  private Catalogs(List<ConversionCatalog> all) {
    this.all = all;
  }

  /**
   * Those that were asked for, ready to be written.
   *
   * @throws dev.reweave.common.ReweaveException if one could not be
   */
  static Catalogs of(Cluster machines, Stores stores, Options given) {
    List<ConversionCatalog> all = new ArrayList<>();
    given
        .of(ConvertOptions.CATALOG)
        .ifPresent(uri -> all.add(new TensorCatalog(machines, stores, stores.locate(uri))));
    given
        .of(ConvertOptions.CATALOG_TABLE)
        .ifPresent(name -> all.add(LakeTensors.of(machines, stores, name)));
    // Behind the others: a run that is listed has its tensors listed.
    given
        .of(ConvertOptions.RUNS)
        .ifPresent(uri -> all.add(runs(machines, stores, stores.locate(uri), given)));
    given
        .of(ConvertOptions.RUNS_TABLE)
        .ifPresent(name -> all.add(LakeRuns.of(machines, stores, name)));
    return new Catalogs(all);
  }

  private static RunCatalog runs(Cluster machines, Stores stores, Location uri, Options given) {
    RunCatalog runs = new RunCatalog(machines, stores, uri);
    given.of(ConvertOptions.CATALOG).map(stores::locate).ifPresent(runs::requireBeside);
    return runs;
  }

  /** Refuses one that lies in a folder that is never written to. */
  void requireOutside(String what, Location folder) {
    all.forEach(catalog -> catalog.requireOutside(what, folder));
  }

  /** What must be measured of each conversion for them. */
  Measuring measuring() {
    return all.stream().anyMatch(c -> c.subject() == ConversionCatalog.Subject.TENSORS)
        ? Measuring.TENSORS
        : Measuring.NOTHING;
  }

  @Override
  public void record(Conversion.Outcome outcome, Location output) {
    ConvertedModel converted = new ConvertedModel(output, outcome.manifest(), outcome.digests());
    for (ConversionCatalog catalog : all) {
      String noun = catalog.subject() == ConversionCatalog.Subject.TENSORS ? "tensor" : "run";
      told.add(Summary.listed(catalog.add(converted), noun, catalog.address()));
    }
  }

  /** What there is to say of the conversions since the last call. */
  List<String> told() {
    List<String> lines = List.copyOf(told);
    told.clear();
    return lines;
  }
}
