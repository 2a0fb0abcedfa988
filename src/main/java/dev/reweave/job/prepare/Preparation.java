package dev.reweave.job.prepare;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Unfamiliar;
import dev.reweave.checkpoint.quantized.Dequantization;
import dev.reweave.checkpoint.quantized.Quantization;
import dev.reweave.doctor.Doctor;
import dev.reweave.doctor.Severity;
import dev.reweave.job.prepare.ConversionRequest.Proving;
import dev.reweave.plan.Beside;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Design;
import dev.reweave.plan.FileNames;
import dev.reweave.plan.Format;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Planner;
import dev.reweave.plan.Sharding;
import dev.reweave.plan.TargetType;
import dev.reweave.report.Manifest;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

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
      Optional<Manifest.MappingUsed> mapping,
      Optional<Manifest.BaseUsed> base,
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
    ReadOptions reading = Renaming.reading(stores, request.reading(), request.mapping());
    Checkpoint read = new CheckpointReader(stores, scanner).read(request.input(), reading);
    if (request.checks().unfamiliar() == Unfamiliar.REFUSE) {
      Caution.requireNone(read.cautions());
    }
    Optional<ChosenBase> chosen =
        request
            .base()
            .map(c -> new ChosenBase(stores.guarded(c.address(), reading.safeguards()), c));
    Quantization quantization =
        Quantization.of(stores.guarded(request.input(), reading.safeguards()), read);
    Scales scales = scales(quantization, request.planning().dtype(), chosen, read);
    Checkpoint checkpoint =
        scales == Scales.KEPT
            ? read
            : Dequantization.of(quantization, read, stores.resolve(request.input()));
    Renaming mapped = Renaming.of(stores, checkpoint, request.mapping(), chosen);
    Optional<BaseDesign> base = chosen.map(c -> BaseDesign.read(c, mapped, scales));
    Renaming renaming = wanted(base.map(b -> b.fitted(mapped)).orElse(mapped), request.planning());
    base.ifPresent(b -> b.require(renaming, request.planning().only(), request.input()));
    requireBaseForLikeness(request, base);
    Design.Likeness like = base.map(b -> b.like(renaming)).orElse(Design.Likeness.NONE);
    ResultMetadata metadata = ResultMetadata.of(checkpoint, renaming, request.planning(), like);
    AdapterConfig adapter = adapterConfig(read, renaming, request);
    Design design =
        new Design(
            sources(checkpoint, base),
            checkpoint.files().size(),
            renaming.tensors(),
            renaming.aliases(),
            metadata.entries(),
            names(read, renaming, base, request.planning()),
            like,
            base.map(b -> beside(b, checkpoint, mostOf(renaming, like, request.planning())))
                .orElseGet(() -> Beside.configs(adapter.copies())));
    List<String> notes = new ArrayList<>(renaming.notes());
    if (scales == Scales.KEPT) {
      notes.addAll(quantization.notes());
    }
    notes.addAll(metadata.notes());
    notes.addAll(adapter.notes());
    Doctor.ofCheckpoint(checkpoint).stream()
        .filter(f -> !f.severity().equals(Severity.INFO))
        .forEach(f -> notes.add(f.text()));
    base.ifPresent(b -> notes.addAll(b.notes()));
    ConversionPlan plan = new Planner(request.planning()).plan(design);
    if (plan.shards().size() > 1 && InputName.isAdapter(checkpoint)) {
      notes.add(
          "libraries load adapters from one file: with a larger --max-shard-size this would be one");
    }
    if (request.proving() == Proving.NONE) {
      notes.add("--no-proof: the weights were compared with nothing");
    } else {
      ConversionRequest named = request.withMapping(renaming.choice(request.mapping()));
      plan = SecondCopy.of(stores, scanner, named, checkpoint, renaming, base).prove(plan, notes);
    }
    stores.outputFolder(request.output()).room().requireNames(plan.paths());
    notes.addAll(EarlierOutput.notes(stores, request, plan));
    Set<InputFile> inputs = new LinkedHashSet<>(checkpoint.files());
    inputs.addAll(plan.witness().files());
    adapter.input().ifPresent(inputs::add);
    base.ifPresent(b -> inputs.addAll(b.files()));
    return new Prepared(
        checkpoint,
        renaming.used(),
        base.map(BaseDesign::used),
        renaming.aliases(),
        notes,
        plan,
        inputs);
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

  private static void requireBaseForLikeness(ConversionRequest request, Optional<BaseDesign> base) {
    if (request.planning().sharding() == Sharding.LIKE_BASE
        && base.filter(b -> !b.component().hasWeights()).isPresent()) {
      throw ReweaveException.usage(
          "the base has no weights, and so no shards to be like",
          "--shards like-base",
          "leave it out");
    }
    boolean like =
        request.planning().sharding() == Sharding.LIKE_BASE
            || request.planning().dtype() instanceof TargetType.LikeBase;
    if (like && request.base().isEmpty()) {
      throw ReweaveException.usage(
          "there is no base to be like",
          "--shards like-base or --dtype like-base",
          "name the base with --base");
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

  private AdapterConfig adapterConfig(
      Checkpoint checkpoint, Renaming renaming, ConversionRequest request) {
    Stores guarded = stores.guarded(request.input(), request.reading().safeguards());
    return request.base().isPresent()
        ? AdapterConfig.NONE
        : AdapterConfig.beside(guarded, checkpoint, renaming);
  }

  /** The files of the checkpoint, then those of the base that are copied. */
  private static List<InputFile> sources(Checkpoint checkpoint, Optional<BaseDesign> base) {
    List<InputFile> sources = new ArrayList<>(checkpoint.files());
    base.ifPresent(b -> b.copied().forEach(path -> sources.add(b.file(path))));
    return sources;
  }

  private static Beside beside(BaseDesign base, Checkpoint checkpoint, Optional<DType> most) {
    List<PlannedFile> copies = new ArrayList<>();
    for (String path : base.copied()) {
      copies.add(base.copy(path, checkpoint.files().size() + copies.size()));
    }
    return new Beside(copies, base.configs(most), base.last());
  }

  private static FileNames names(
      Checkpoint checkpoint, Renaming renaming, Optional<BaseDesign> base, PlanOptions planning) {
    Format format = planning.format();
    Optional<String> mapped = renaming.mapping().flatMap(m -> m.weightsName());
    Optional<String> ofBase = base.map(b -> b.component().names().stem());
    boolean knowsBetter = base.filter(b -> b.component().hasWeights()).isPresent();
    String usual =
        (knowsBetter ? ofBase.or(() -> mapped) : mapped.or(() -> ofBase))
            .or(() -> InputName.kept(checkpoint))
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
      Renaming renaming, Design.Likeness like, PlanOptions planning) {
    Map<DType, Long> elements = new EnumMap<>(DType.class);
    for (NamedTensor tensor : renaming.tensors()) {
      Optional<DType> inBase =
          Optional.ofNullable(like.tensors().get(tensor.name())).map(Design.Place::dtype);
      DType type = planning.dtype().of(tensor.spec().dtype(), inBase);
      if (type.isCastable()) {
        elements.merge(type, tensor.spec().elements(), Long::sum);
      }
    }
    return elements.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
  }
}
