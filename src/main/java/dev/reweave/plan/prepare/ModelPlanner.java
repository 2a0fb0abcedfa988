package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.Adapter;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFacts;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.quantized.Dequantization;
import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.Beside;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Planner;
import dev.reweave.plan.ResultModel;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.TargetType;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** From a checkpoint, a mapping and a base to a plan. No byte of the weights is read. */
public final class ModelPlanner {
  private final Stores stores;
  private final Place input;
  private final Safeguards safeguards;

  /** Plans of models that are made of the checkpoint at this place. */
  public ModelPlanner(Stores stores, Place input, Safeguards safeguards) {
    this.stores = stores;
    this.input = input;
    this.safeguards = safeguards;
  }

  /**
   * Plans.
   *
   * @throws ReweaveException if the tensors, the mapping, the base and the options do not go
   *     together
   */
  public PlannedModel plan(
      Checkpoint read, MappingChoice mapping, Optional<BaseChoice> like, PlanOptions planning) {
    Optional<ChosenBase> chosen =
        like.map(c -> new ChosenBase(stores.guarded(c.address(), safeguards), c));
    Quantization quantization = Quantization.of(input.stores(), read);
    Scales scales = scales(quantization, planning.dtype(), chosen, read);
    Checkpoint checkpoint =
        scales == Scales.KEPT ? read : Dequantization.of(quantization, read, input.address().uri());
    Renaming mapped = Renaming.of(stores, checkpoint, mapping, chosen);
    Optional<BaseTemplate> base = chosen.map(c -> BaseTemplate.read(c, mapped, scales));
    Renaming renaming = wanted(base.map(b -> b.fitted(mapped)).orElse(mapped), planning);
    base.ifPresent(b -> b.require(renaming, planning.only(), input.address().uri()));
    requireBaseForLikeness(planning, base);
    ResultModel.Likeness likeness =
        base.map(b -> b.like(renaming)).orElse(ResultModel.Likeness.NONE);
    ResultMetadata metadata = ResultMetadata.of(checkpoint, renaming, planning, likeness);
    Optional<DType> most = mostOf(renaming, likeness, planning);
    OwnConfigs own =
        base.isPresent()
            ? OwnConfigs.NONE
            : AverageConfig.beside(input.stores(), read, renaming)
                .orElseGet(() -> AdapterConfig.of(input.stores(), read, renaming))
                .and(TrainedConfig.of(checkpoint, renaming, planning, most));
    ResultModel design =
        new ResultModel(
            sources(checkpoint, base),
            checkpoint.files().size(),
            renaming.tensors(),
            renaming.aliases(),
            metadata.entries(),
            names(read, renaming, base, own, planning),
            likeness,
            base.map(b -> beside(b, checkpoint, most))
                .orElseGet(() -> Beside.configs(own.copies())));
    ConversionPlan plan = new Planner(planning).plan(design);
    List<String> notes = new ArrayList<>(renaming.notes());
    if (scales == Scales.KEPT) {
      notes.addAll(quantization.notes());
    }
    notes.addAll(metadata.notes());
    notes.addAll(own.notes());
    CheckpointFacts.of(checkpoint).stream()
        .filter(CheckpointFacts.Fact::isDoubt)
        .forEach(f -> notes.add(f.told()));
    base.ifPresent(b -> notes.addAll(b.notes()));
    if (plan.shards().size() > 1
        && (read.adapter().isPresent() || InputName.isAdapter(checkpoint))) {
      notes.add(
          "libraries load adapters from one file: with a larger --max-shard-size this would be one");
    }
    List<InputFile> files = new ArrayList<>();
    own.input().ifPresent(files::add);
    base.ifPresent(b -> files.addAll(b.files()));
    return new PlannedModel(checkpoint, renaming, base, plan, notes, files);
  }

  /** Whether quantized weights stay so: where they are to be as they are, or as those of a base. */
  private static Scales scales(
      Quantization quantization,
      TargetType type,
      Optional<ChosenBase> base,
      Checkpoint checkpoint) {
    if (quantization.isNone() || type instanceof TargetType.Fixed) {
      return Scales.GONE;
    }
    boolean kept =
        type instanceof TargetType.Keep
            || base.map(b -> b.tensors(checkpoint.names()))
                .filter(tensors -> Quantization.of(tensors).isQuantized())
                .isPresent();
    return kept ? Scales.KEPT : Scales.GONE;
  }

  private static void requireBaseForLikeness(PlanOptions planning, Optional<BaseTemplate> base) {
    if (planning.sharding() == Sharding.LIKE_BASE
        && base.filter(b -> !b.component().hasWeights()).isPresent()) {
      throw PrepareFailures.baseWithoutShards();
    }
    boolean like =
        planning.sharding() == Sharding.LIKE_BASE
            || planning.dtype() instanceof TargetType.LikeBase;
    if (like && base.isEmpty()) {
      throw PrepareFailures.noBase();
    }
  }

  /** Without the tensors that {@code --only} leaves out. A tensor has all its names. */
  private static Renaming wanted(Renaming all, PlanOptions planning) {
    if (planning.only().isEmpty()) {
      return all;
    }
    Map<String, List<String>> names = new HashMap<>();
    all.aliases()
        .forEach((alias, kept) -> names.computeIfAbsent(kept, k -> new ArrayList<>()).add(alias));
    List<NamedTensor> tensors =
        all.tensors().stream()
            .filter(
                t ->
                    planning.wants(t.name())
                        || names.getOrDefault(t.name(), List.of()).stream()
                            .anyMatch(planning::wants))
            .toList();
    Map<String, String> aliases = new TreeMap<>(all.aliases());
    List<String> kept = tensors.stream().map(NamedTensor::name).toList();
    aliases.values().retainAll(new HashSet<>(kept));
    List<String> notes = new ArrayList<>(all.notes());
    notes.add(
        "--only: " + tensors.size() + " of " + all.tensors().size() + " tensors are converted");
    return new Renaming(all.mapping(), all.rows(), tensors, aliases, notes);
  }

  /** The files of the checkpoint, then those of the base that are copied. */
  private static List<InputFile> sources(Checkpoint checkpoint, Optional<BaseTemplate> base) {
    List<InputFile> sources = new ArrayList<>(checkpoint.files());
    base.ifPresent(b -> b.copied().forEach(path -> sources.add(b.file(path))));
    return sources;
  }

  private static Beside beside(BaseTemplate base, Checkpoint checkpoint, Optional<DType> most) {
    List<PlannedFile> copies = new ArrayList<>();
    for (String path : base.copied()) {
      copies.add(base.copy(path, checkpoint.files().size() + copies.size()));
    }
    return new Beside(copies, base.configs(most), base.last());
  }

  private static FileNames names(
      Checkpoint checkpoint,
      Renaming renaming,
      Optional<BaseTemplate> base,
      OwnConfigs own,
      PlanOptions planning) {
    Format format = planning.format();
    Optional<String> mapped = renaming.mapping().flatMap(m -> m.weightsName());
    Optional<String> ofBase = base.map(b -> b.component().names().stem());
    boolean knowsBetter = base.filter(b -> b.component().hasWeights()).isPresent();
    String usual =
        (knowsBetter ? ofBase.or(() -> mapped) : mapped.or(() -> ofBase))
            .or(() -> checkpoint.adapter().map(a -> Adapter.WEIGHTS_NAME))
            .or(() -> InputName.kept(checkpoint, AdapterConfig.weightsName(own)))
            .orElse("model");
    Optional<String> variant = base.flatMap(b -> b.component().names().variant());
    return new FileNames(
        base.map(b -> b.component().path("")).orElse(""),
        planning
            .weightsName()
            .map(stem -> format.namesOf(stem, variant))
            .orElseGet(() -> format.names(usual, variant)),
        format);
  }

  /** The floating-point type that most elements of the result have. */
  private static Optional<DType> mostOf(
      Renaming renaming, ResultModel.Likeness like, PlanOptions planning) {
    Map<DType, Long> elements = new EnumMap<>(DType.class);
    for (NamedTensor tensor : renaming.tensors()) {
      Optional<DType> inBase =
          Optional.ofNullable(like.tensors().get(tensor.name())).map(ResultModel.Place::dtype);
      DType type = planning.dtype().of(tensor.keptType(), inBase);
      if (type.isCastable()) {
        elements.merge(type, tensor.spec().elements(), Long::sum);
      }
    }
    return elements.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
  }
}
