package dev.reweave.convert;

import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.Reading;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.convert.ConversionRequest.Proving;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Format;
import dev.reweave.plan.prepare.AdapterBase;
import dev.reweave.plan.prepare.BaseChoice;
import dev.reweave.plan.prepare.BaseTemplate;
import dev.reweave.plan.prepare.BaseUsed;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.plan.prepare.MappingUsed;
import dev.reweave.plan.prepare.ModelPlanner;
import dev.reweave.plan.prepare.PlannedModel;
import dev.reweave.plan.prepare.Renaming;
import dev.reweave.plan.prepare.UniversalPlanner;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Stores;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Everything of a conversion that comes before a byte of weights is read. */
public final class Preparation {
  /**
   * A conversion that is ready to run.
   *
   * @param aliases tied names of the result: each that is left out to the one that is kept
   * @param notes what the user should know
   * @param inputs all files that the plan or the result is made of, of the checkpoint and the base,
   *     as they were first listed
   */
  public record Prepared(
      Checkpoint checkpoint,
      Optional<MappingUsed> mapping,
      Optional<BaseUsed> base,
      Map<String, String> aliases,
      List<String> notes,
      ConversionPlan plan,
      Set<InputFile> inputs) {}

  private final Stores stores;
  private final MetadataScanner scanner;

  /** Preparations of conversions between these stores. */
  public Preparation(Stores stores, MetadataScanner scanner) {
    this.stores = stores;
    this.scanner = scanner;
  }

  /**
   * Reads the metadata of all that takes part, and plans.
   *
   * @throws ReweaveException if the request cannot be fulfilled
   */
  public Prepared prepare(ConversionRequest request) {
    ConversionOptions options = request.options();
    boolean universal = options.planning().format() == Format.UNIVERSAL;
    ReadOptions asked =
        universal
            ? UniversalPlanner.reading(options.reading(), options.planning(), options.base())
            : options.reading();
    ReadOptions reading = Renaming.reading(stores, asked, options.mapping());
    Reading input = new CheckpointReader(stores, scanner).reading(request.input(), reading);
    Checkpoint read =
        input.read(reading, AdapterBase.of(stores, scanner, options.base(), reading.safeguards()));
    if (options.checks().unfamiliar() == Unfamiliar.REFUSE) {
      Caution.requireNone(read.cautions());
    }
    if (reading.adapter().isOf(AdapterChoice.Part.ADAPTER) && options.base().isEmpty()) {
      read.adapter().ifPresent(adapter -> adapter.requireConfig(request.input().uri()));
    }
    ModelPlanner planner = new ModelPlanner(stores, input.place(), reading.safeguards());
    Optional<Location> configs =
        options.base().isPresent() || universal
            ? Optional.empty()
            : input.taken().configs(reading.tag());
    List<String> notes = new ArrayList<>();
    PlannedModel model =
        universal
            ? UniversalPlanner.plan(stores, read, options.mapping(), options.planning())
            : configs
                .flatMap(folder -> withConfigs(planner, read, options, folder, notes))
                .orElseGet(
                    () ->
                        planner.plan(read, options.mapping(), options.base(), options.planning()));
    notes.addAll(model.notes());
    ConversionPlan plan = model.plan();
    if (options.proving() == Proving.NONE) {
      notes.add("--no-proof: the weights were compared with nothing");
    } else {
      MappingChoice taken = model.renaming().choice(options.mapping());
      ConversionOptions weights = options.with(asked.ofWeights(), taken);
      plan = SecondCopy.of(input, weights, model).prove(plan, notes);
    }
    stores.outputFolder(request.output()).room().requireNames(plan.paths());
    notes.addAll(EarlierOutput.notes(stores, request, plan));
    Set<InputFile> inputs = new LinkedHashSet<>(model.checkpoint().files());
    inputs.addAll(plan.witness().files());
    inputs.addAll(model.beside());
    return new Prepared(
        model.checkpoint(),
        model.renaming().used(),
        model.base().map(BaseTemplate::used),
        model.renaming().aliases(),
        notes,
        plan,
        inputs);
  }

  /**
   * The model with the configs that the trainer has put beside its weights; empty, with a note, if
   * they do not fit. Nobody has asked for them, so that they are no reason to convert nothing.
   */
  private static Optional<PlannedModel> withConfigs(
      ModelPlanner planner,
      Checkpoint read,
      ConversionOptions options,
      Location folder,
      List<String> notes) {
    String what = "what lies in " + folder.name() + "/ beside the weights ";
    try {
      PlannedModel model =
          planner.plan(
              read,
              options.mapping(),
              Optional.of(BaseChoice.besideWeights(folder)),
              options.planning());
      if (model.base().filter(BaseTemplate::hasWeights).isEmpty()) {
        notes.add(what + "comes along: --base takes another folder's");
        return Optional.of(model);
      }
      notes.add(
          what + "has weights, and does not come along: name it with --base to have the rest");
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      notes.add(what + "does not come along: " + e.problem());
    }
    return Optional.empty();
  }
}
