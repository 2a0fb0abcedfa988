package dev.reweave.look.compare;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.adapter.BaseWeights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.Reading;
import dev.reweave.common.Location;
import dev.reweave.common.Option;
import dev.reweave.common.Options;
import dev.reweave.common.ReweaveException;
import dev.reweave.gather.ProofVerdict;
import dev.reweave.manifest.Manifest;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Measuring;
import dev.reweave.plan.Witness;
import dev.reweave.plan.prepare.AdapterBase;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.plan.prepare.Renaming;
import dev.reweave.plan.prepare.SavedWeights;
import dev.reweave.spark.Cluster;
import dev.reweave.spark.Shared;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Agreement;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Compares the weights of a converted folder with the module's own in a checkpoint. */
public final class Comparison {
  private static final int MOST_MANIFEST_BYTES = 256 << 20;

  /**
   * What was compared.
   *
   * @param tensors number of tensors
   * @param elements of them
   * @param verdict in words
   */
  public record Result(int tensors, long elements, String verdict) {}

  private final Cluster cluster;
  private final Stores stores;

  /** Comparisons on this cluster. */
  public Comparison(Cluster cluster, Stores stores) {
    this.cluster = cluster;
    this.stores = stores;
  }

  /**
   * Compares.
   *
   * @param folder a folder that was converted
   * @param checkpoint the checkpoint that it was converted from
   * @param tag the saved step in it; empty for the one that was converted
   * @param safeguards how far the files of both are followed
   * @throws ReweaveException if they are not the same weights, or cannot be compared, as a mean of
   *     several steps
   */
  public Result run(
      Location folder, Location checkpoint, Optional<String> tag, Safeguards safeguards) {
    Optional<Manifest> manifest =
        stores
            .file(folder.child(Manifest.FILE_NAME))
            .map(f -> Manifest.parse(stores.readAll(f, MOST_MANIFEST_BYTES), f.uri()));
    manifest
        .map(m -> m.options().text(ReadOptions.AVERAGE_TAGS))
        .filter(tags -> !tags.isEmpty())
        .ifPresent(
            tags -> {
              throw CompareFailures.meanOfSteps(tags, folder);
            });
    String component = manifest.flatMap(Manifest::baseUsed).map(BaseUsed::component).orElse("");
    MappingChoice mapping =
        manifest
            .map(
                m ->
                    m.mappingUsed()
                        .map(u -> new MappingChoice(u.name(), Optional.of(u.rules().toString())))
                        .orElse(MappingChoice.NONE))
            .orElse(MappingChoice.AUTO);
    ReadOptions.Names names =
        manifest.isEmpty()
                || manifest
                    .get()
                    .options()
                    .text(ReadOptions.NAMES)
                    .equals(Option.written(ReadOptions.Names.PLAIN))
            ? ReadOptions.Names.PLAIN
            : ReadOptions.Names.AS_SAVED;
    Shared<Stores> shared = cluster.share(stores);
    try {
      MetadataScanner scanner = cluster.scanner(shared);
      CheckpointReader reader = new CheckpointReader(stores, scanner);
      Checkpoint made =
          reader.read(
              component.isEmpty() ? folder : folder.child(component),
              ReadOptions.defaults().withNames(names).withSafeguards(safeguards));
      // The step that was converted, where 'latest' may name another one by now.
      Optional<String> step =
          tag.or(
              () ->
                  manifest
                      .map(m -> m.input().tag())
                      .filter(t -> !t.isEmpty() && stores.isFolder(checkpoint.child(t))));
      ReadOptions reading =
          Renaming.reading(
              stores,
              // What was made of a model with an adapter in it is made of its second copy.
              new ReadOptions(
                      manifest
                          .map(m -> m.options().of(AdapterChoice.OPTIONS))
                          .orElse(Options.NONE)
                          .with(ReadOptions.TAG, step))
                  .withNames(names)
                  .withSafeguards(safeguards),
              mapping);
      Optional<BaseUsed> used = manifest.flatMap(Manifest::baseUsed);
      // Where an adapter was merged that was saved alone, its model is asked for as well.
      BaseWeights base =
          wanted ->
              AdapterBase.of(stores, scanner, used.map(b -> chosen(b, folder)), safeguards)
                  .of(wanted);
      Checkpoint module = module(scanner, checkpoint, reading, base);
      ConversionPlan plan = plan(made, Renaming.of(stores, module, mapping), module.files());
      Map<String, Agreement> outcomes = compare(plan, shared);
      ProofVerdict verdict = new ProofVerdict(outcomes, Witness.Extent.ALL);
      return new Result(outcomes.size(), verdict.elements(), verdict.require(checkpoint.uri()));
    } finally {
      shared.close();
    }
  }

  private BaseChoice chosen(BaseUsed used, Location folder) {
    try {
      return used.choice(stores);
    } catch (IllegalArgumentException e) {
      throw CompareFailures.noBase(folder, e);
    }
  }

  /** The module's own weights, or what was saved of them beside ZeRO-3. */
  private Checkpoint module(
      MetadataScanner scanner, Location address, ReadOptions reading, BaseWeights base) {
    Reading input = new CheckpointReader(stores, scanner).reading(address, reading);
    Checkpoint whole = input.read(reading, base);
    if (whole.source().weights() == Weights.MODEL) {
      return whole;
    }
    if (whole.source().stage() == 3) {
      SavedWeights saved = SavedWeights.beside(input.place(), whole.source());
      return saved.model().orElseThrow(() -> CompareFailures.noCopy(saved.missing(), address));
    }
    return input.read(reading.withWeights(Weights.MODEL), base);
  }

  private static ConversionPlan plan(Checkpoint made, Renaming module, List<InputFile> files) {
    Map<String, NamedTensor> modules = module.byName();
    Map<String, Layout> copies = new HashMap<>();
    for (NamedTensor tensor : made.tensors()) {
      NamedTensor copy = modules.get(tensor.name());
      boolean comparable =
          copy != null
              && tensor.spec().elements() > 0
              && tensor.spec().shape().equals(copy.spec().shape())
              // The mean of numbers in 16 bits is not that of the masters, which are not here.
              && !copy.layout().isComputed()
              && (tensor.spec().dtype() == copy.spec().dtype()
                  || tensor.spec().dtype() == DType.F32);
      if (comparable && copy.spec().dtype().isCastable()) {
        copies.put(tensor.name(), copy.layout());
      }
    }
    if (copies.isEmpty()) {
      throw CompareFailures.noSharedName(files.get(0).uri());
    }
    return WeightsPass.plan(made)
        .provenBy(copies, new Witness(files, Witness.Kind.SECOND_COPY, Witness.Extent.ALL));
  }

  private Map<String, Agreement> compare(ConversionPlan plan, Shared<Stores> shared) {
    Map<String, Agreement> outcomes = new TreeMap<>();
    new WeightsPass(cluster, shared, Measuring.NOTHING)
        .run(
            "compare: " + plan.tensors() + " tensors",
            plan,
            (name, share) -> outcomes.merge(name, share.proof(), Agreement::plus));
    outcomes.values().removeIf(outcome -> outcome.compared() == 0);
    return outcomes;
  }
}
