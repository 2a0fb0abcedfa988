package dev.reweave.checkpoint.adapter;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.common.Counted;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.AdapterName;
import dev.reweave.tensor.AdapterNames;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.LowRank;
import dev.reweave.tensor.MergedLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Makes one model of a model and an adapter in it, as {@code merge_and_unload} of PEFT does. */
final class Merging {
  private static final String LEFT = "lora_B";
  private static final String RIGHT = "lora_A";
  private static final String EMBEDDING_LEFT = "lora_embedding_B";
  private static final String EMBEDDING_RIGHT = "lora_embedding_A";
  private static final String WEIGHT = "weight";
  private static final String ATTENTION_OUTPUT = ".base_layer.out_proj";

  private final Checkpoint checkpoint;
  private final AdapterNames names;
  private final String adapter;
  private final LoraConfig config;
  private final String place;
  private final Map<String, NamedTensor> byName;

  /** By module, in memory, what the adapter has for it. */
  private final Map<String, Map<String, NamedTensor>> layers = new TreeMap<>();

  /** What takes the place of tensors of these names in the model without adapters. */
  private final Set<String> replaced = new TreeSet<>();

  /** By name in the model without adapters, the tensors in memory that layers can be around. */
  private final NavigableMap<String, String> bases = new TreeMap<>();

  /**
   * @param adapter its name
   * @param config what is said of it
   * @param place of the checkpoint, for messages
   */
  Merging(
      Checkpoint checkpoint,
      AdapterNames names,
      String adapter,
      Optional<LoraConfig> config,
      String place) {
    this.checkpoint = checkpoint;
    this.names = names;
    this.adapter = adapter;
    this.config = config.orElseThrow(() -> AdapterFailures.noScale(place));
    this.place = place;
    this.byName = AdapterParts.byName(checkpoint);
  }

  Checkpoint merged() {
    requirePlain();
    byName.forEach(this::add);
    Map<String, List<String>> modules = new TreeMap<>();
    layers
        .keySet()
        .forEach(
            module ->
                modules.computeIfAbsent(names.inBase(module), m -> new ArrayList<>()).add(module));
    Map<String, LowRank> products = new TreeMap<>();
    modules.forEach((plain, around) -> add(products, plain, around));
    Checkpoint merged = AdapterParts.renamed(with(products), this::nameOf);
    List<InputFile> files = new ArrayList<>(checkpoint.files());
    // What the config says is in the result, and so is its file among those that were read.
    files.add(config.file());
    return new Checkpoint(
        checkpoint.source(),
        files,
        merged.tensors(),
        merged.aliases(),
        checkpoint.metadata(),
        checkpoint.remarks().withNote(note(products)),
        checkpoint.arguments());
  }

  private void requirePlain() {
    if (config.isDora()) {
      throw AdapterFailures.dora(place);
    }
    Optional<String> other = config.otherKind();
    if (other.isPresent()) {
      throw AdapterFailures.otherKind(other.get(), config.file().uri());
    }
  }

  private void add(String name, NamedTensor tensor) {
    Optional<AdapterName> parsed = AdapterName.parse(name);
    if (parsed.isEmpty()) {
      bases.put(names.inBase(name), name);
      return;
    }
    AdapterName part = parsed.get();
    if (!part.adapter().equals(adapter)) {
      return;
    }
    if (part.isOfModule()) {
      replaced.add(names.inBase(part.module() + "." + part.rest()));
    } else if (part.isMagnitude()) {
      throw AdapterFailures.dora(place);
    } else if (!isMatrix(part)) {
      throw AdapterFailures.otherKind(name, place);
    } else {
      layers.computeIfAbsent(part.module(), m -> new TreeMap<>()).put(part.kind(), tensor);
    }
  }

  private static boolean isMatrix(AdapterName part) {
    return switch (part.kind()) {
      case LEFT, RIGHT -> part.rest().equals(WEIGHT);
      case EMBEDDING_LEFT, EMBEDDING_RIGHT -> part.rest().isEmpty();
      default -> false;
    };
  }

  /** The name of a tensor in the merged model; empty for what is not in it. */
  private Optional<String> nameOf(String name) {
    Optional<AdapterName> parsed = AdapterName.parse(name);
    if (parsed.isEmpty()) {
      return Optional.of(names.inBase(name)).filter(n -> !replaced.contains(n));
    }
    return parsed
        .filter(p -> p.isOfModule() && p.adapter().equals(adapter))
        .map(p -> names.inBase(p.module() + "." + p.rest()));
  }

  /**
   * A weight that the matrices of a layer can be multiplied for.
   *
   * @param name in the model without adapters
   */
  private record Target(String name, NamedTensor weight, Matrices.Fit fit) {}

  /** Finds the weights that the layers of one module are around, and what is added to each. */
  private void add(Map<String, LowRank> products, String plain, List<String> around) {
    Map<String, NamedTensor> weights = weights(plain);
    List<String> told = weights.values().stream().map(Merging::told).toList();
    Map<String, List<Target>> found = new TreeMap<>();
    around.forEach(module -> found.put(module, targets(module, weights, told)));
    // Experts that are square could be either way: those beside them are the same way.
    Set<Matrices.Way> ways =
        found.values().stream()
            .filter(targets -> targets.size() == 1)
            .map(targets -> targets.get(0).fit().way())
            .collect(Collectors.toSet());
    for (String module : around) {
      List<Target> targets = found.get(module);
      List<Target> likely =
          targets.size() > 1 && ways.size() == 1
              ? targets.stream().filter(t -> ways.contains(t.fit().way())).toList()
              : targets;
      if (likely.size() != 1) {
        throw AdapterFailures.twoFits(module, told, place);
      }
      Target target = likely.get(0);
      double scale = times(module) * scale(key(plain, target), target.fit().rank());
      LowRank product = target.fit().product(scale);
      if (products.putIfAbsent(target.weight().name(), product) != null) {
        throw AdapterFailures.twoFits(module, told, place);
      }
    }
  }

  /**
   * How often a product is added. PEFT (0.21.2, {@code MultiheadAttention.merge} of {@code
   * peft/tuners/lora/layer.py}) adds that of an attention's output twice: so the model was trained,
   * as its forward pass merges too.
   */
  private int times(String module) {
    int attention = module.length() - ATTENTION_OUTPUT.length();
    return module.endsWith(ATTENTION_OUTPUT) && layers.containsKey(module.substring(0, attention))
        ? 2
        : 1;
  }

  /** What patterns of ranks and scales are matched with: the module, or the parameter it is for. */
  private String key(String plain, Target target) {
    boolean isParameter =
        target.fit().isOfExperts()
            || config.parameters().stream().anyMatch(p -> isIn(target.name(), p));
    return isParameter ? target.name() : plain;
  }

  private List<Target> targets(String module, Map<String, NamedTensor> weights, List<String> told) {
    Map<String, NamedTensor> layer = layers.get(module);
    boolean isEmbedding = layer.containsKey(EMBEDDING_RIGHT);
    NamedTensor left = layer.get(isEmbedding ? EMBEDDING_LEFT : LEFT);
    NamedTensor right = layer.get(isEmbedding ? EMBEDDING_RIGHT : RIGHT);
    if (left == null || right == null) {
      throw AdapterFailures.halfLayer(module, layer.keySet(), place);
    }
    for (NamedTensor matrix : List.of(left, right)) {
      if (!isSummed(matrix)) {
        throw AdapterFailures.otherType(matrix.spec(), place);
      }
    }
    Matrices matrices = new Matrices(left, right, isEmbedding, config.isTransposed());
    List<Target> targets = new ArrayList<>();
    weights.forEach(
        (name, weight) ->
            matrices
                .fits(weight.spec().shape())
                .forEach(fit -> targets.add(new Target(name, weight, fit))));
    if (targets.isEmpty()) {
      throw AdapterFailures.noFit(module, right.spec(), left.spec(), told, place);
    }
    return targets;
  }

  private static String told(NamedTensor weight) {
    return weight.name() + " " + weight.spec().shape();
  }

  /** By name in the model without adapters, the tensors that a module has itself. */
  private Map<String, NamedTensor> weights(String module) {
    String prefix = module.isEmpty() ? "" : module + ".";
    Map<String, NamedTensor> weights = new TreeMap<>();
    for (Map.Entry<String, String> base : bases.tailMap(prefix).entrySet()) {
      String name = base.getKey();
      if (!name.startsWith(prefix)) {
        break;
      }
      if (name.indexOf('.', prefix.length()) < 0) {
        weights.put(name, byName.get(base.getValue()));
      }
    }
    if (weights.containsKey(prefix + WEIGHT)) {
      weights.keySet().retainAll(Set.of(prefix + WEIGHT));
    } else if (!config.parameters().isEmpty()) {
      weights.keySet().removeIf(name -> config.parameters().stream().noneMatch(p -> isIn(name, p)));
    }
    NamedTensor usual = weights.get(prefix + WEIGHT);
    if (usual != null && !isSummed(usual)) {
      throw AdapterFailures.otherType(usual.spec(), place);
    }
    weights.values().removeIf(weight -> !isSummed(weight));
    return weights;
  }

  /** Whether it is of a type that sums in F32 are made of. */
  private static boolean isSummed(NamedTensor tensor) {
    DType type = tensor.spec().dtype();
    return type == DType.F32 || type == DType.BF16 || type == DType.F16;
  }

  private static boolean isIn(String name, String parameter) {
    return name.equals(parameter) || name.endsWith("." + parameter);
  }

  private double scale(String key, int rank) {
    config
        .rank(key)
        .ifPresent(
            stated -> {
              if (stated != rank) {
                throw AdapterFailures.otherRank(key, rank, stated, config.file().uri());
              }
            });
    return config.scale(key, rank).orElseThrow(() -> AdapterFailures.noScale(place));
  }

  private Checkpoint with(Map<String, LowRank> products) {
    List<NamedTensor> tensors =
        checkpoint.tensors().stream()
            .map(
                t ->
                    Optional.ofNullable(products.get(t.name()))
                        .map(product -> merged(t, product))
                        .orElse(t))
            .toList();
    return checkpoint.with(tensors, checkpoint.aliases());
  }

  private static NamedTensor merged(NamedTensor tensor, LowRank product) {
    MergedLayout layout = new MergedLayout(tensor.layout(), product);
    TensorSpec spec = new TensorSpec(tensor.name(), layout.dtype(), tensor.spec().shape());
    return new NamedTensor(spec, layout);
  }

  private String note(Map<String, LowRank> products) {
    long tied = checkpoint.aliases().values().stream().filter(products::containsKey).count();
    return "adapter '"
        + adapter
        + "' merged into "
        + Counted.of(products.size(), "weight")
        + ", each W + scale x B A in float32"
        + (replaced.isEmpty()
            ? ""
            : "; " + Counted.of(replaced.size(), "tensor") + " of modules_to_save taken")
        + "; scales from "
        + config.file().uri()
        + (names.adapters().size() == 1
            ? ""
            : "; of " + names.adapters() + " the others are left out")
        + (tied == 0
            ? ""
            : "; what is tied to one of them is merged with it, though the adapter was not trained"
                + " so: "
                + Counted.of(tied, "name"));
  }
}
