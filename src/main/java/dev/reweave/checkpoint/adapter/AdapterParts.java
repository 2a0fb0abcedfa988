package dev.reweave.checkpoint.adapter;

import dev.reweave.checkpoint.Adapter;
import dev.reweave.checkpoint.AdapterChoice;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.Counted;
import dev.reweave.common.FirstNames;
import dev.reweave.tensor.AdapterName;
import dev.reweave.tensor.AdapterNames;
import dev.reweave.tensor.NamedTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A model with adapters of PEFT in it, and what is wanted of it. An adapter that was saved alone
 * gets the names of its file without being asked for.
 */
public final class AdapterParts {
  private static final String USUAL = "default";

  /** Layers whose weights PEFT saves with an adapter for them ({@code EMBEDDING_LAYER_NAMES}). */
  private static final Set<String> EMBEDDINGS = Set.of("embed_tokens", "lm_head");

  private final Place place;
  private final Checkpoint checkpoint;
  private final ReadOptions options;
  private final BaseWeights weights;
  private final AdapterNames names;

  private AdapterParts(
      Place place, Checkpoint checkpoint, ReadOptions options, BaseWeights weights) {
    this.place = place;
    this.checkpoint = checkpoint;
    this.options = options;
    this.weights = weights;
    this.names = AdapterNames.among(checkpoint.names());
  }

  /**
   * What is wanted of a checkpoint; the checkpoint itself, if that is all of it, or if it is no
   * such model and nothing of one is asked for.
   *
   * @param place that it was read at
   * @param weights of the model that an adapter was trained on which was saved alone
   * @throws dev.reweave.common.ReweaveException if what is asked for is not there
   */
  public static Checkpoint of(
      Place place, Checkpoint checkpoint, ReadOptions options, BaseWeights weights) {
    AdapterParts parts = new AdapterParts(place, checkpoint, options, weights);
    return options.adapter().isMade() ? parts.asked() : parts.found();
  }

  private String address() {
    return place.address().uri();
  }

  private Checkpoint found() {
    boolean asSaved =
        options.names() == ReadOptions.Names.AS_SAVED
            || options.adapters() == ReadOptions.AdapterNaming.BY_MAPPING;
    if (asSaved || !names.areAlone() || !names.arePrefixed()) {
      return AdapterNames.inModel(checkpoint.names()).map(this::told).orElse(checkpoint);
    }
    NavigableSet<String> adapters = names.adapters();
    if (options.adapter().name().isEmpty() && adapters.size() > 1 && !adapters.contains(USUAL)) {
      return told(
          "there are several adapters here, under the names that PEFT has in memory: --adapter"
              + " takes one of "
              + FirstNames.of(List.copyOf(adapters)));
    }
    return adapter(chosen());
  }

  private Checkpoint told(String note) {
    return checkpoint.with(checkpoint.remarks().withNote(note));
  }

  private Checkpoint asked() {
    AdapterChoice choice = options.adapter();
    boolean wantsAdapter = choice.isOf(AdapterChoice.Part.ADAPTER);
    boolean isFile = names.count() == 0 && AdapterNames.anyInFile(checkpoint.names());
    if (isFile && wantsAdapter) {
      return inFile();
    }
    if (choice.isMerged() && (isFile || names.areAlone())) {
      return onBase(isFile ? USUAL : chosen());
    }
    if (names.count() == 0 && !isFile) {
      throw AdapterFailures.noAdapter(choice.text(), address());
    }
    if (isFile || (!wantsAdapter && names.areAlone())) {
      throw AdapterFailures.noBase(choice.text(), address());
    }
    String adapter = chosen();
    if (wantsAdapter) {
      return adapter(adapter);
    }
    Optional<LoraConfig> config = LoraConfig.find(place, checkpoint, options, adapter);
    return choice.isMerged()
        ? new Merging(checkpoint, names, adapter, config, address()).merged()
        : base(config);
  }

  /** What PEFT, or a converter, has made an adapter's file of. */
  private Checkpoint inFile() {
    Optional<LoraConfig> config = LoraConfig.find(place, checkpoint, options, USUAL);
    return checkpoint.with(new InferredConfig(checkpoint.tensors()).with(config));
  }

  /** Merges an adapter that was saved alone into the model that was named beside it. */
  private Checkpoint onBase(String adapter) {
    Optional<LoraConfig> config = LoraConfig.find(place, checkpoint, options, adapter);
    LoneAdapter alone =
        new LoneAdapter(
            checkpoint, adapter, name -> config.filter(c -> c.isOfSavedModule(name)).isPresent());
    Checkpoint base =
        weights.of(alone.wanted()).orElseThrow(() -> AdapterFailures.baseNotNamed(address()));
    List<String> missing = alone.missingIn(base);
    if (!missing.isEmpty()) {
      throw AdapterFailures.otherBase(
          missing, config.flatMap(LoraConfig::model), base.files().get(0).folder().uri());
    }
    Checkpoint both = alone.in(base);
    AdapterNames all = AdapterNames.among(both.names());
    return new Merging(both, all, adapter, config, address()).merged();
  }

  private String chosen() {
    NavigableSet<String> adapters = names.adapters();
    Optional<String> asked = options.adapter().name();
    if (asked.isPresent()) {
      return asked
          .filter(adapters::contains)
          .orElseThrow(() -> AdapterFailures.noSuchAdapter(asked.get(), adapters, address()));
    }
    if (adapters.size() > 1 && !adapters.contains(USUAL)) {
      throw AdapterFailures.severalAdapters(adapters, address());
    }
    return adapters.size() == 1 ? adapters.first() : USUAL;
  }

  private Checkpoint base(Optional<LoraConfig> config) {
    Checkpoint base =
        renamed(
            checkpoint,
            name ->
                AdapterName.parse(name).isPresent()
                    ? Optional.empty()
                    : Optional.of(names.inBase(name)));
    List<String> notes = new ArrayList<>();
    notes.add(
        "--part base: the model without its adapter, of which "
            + Counted.of(names.count(), "tensor")
            + " of "
            + checkpoint.names().size()
            + " are left out");
    config
        .flatMap(LoraConfig::change)
        .ifPresent(
            init ->
                notes.add(
                    "the weights are not those of before the training: init_lora_weights="
                        + init
                        + " has changed them, and the adapter is made for what they are now"));
    config
        .map(LoraConfig::bias)
        .filter(bias -> !bias.equals("none"))
        .ifPresent(
            bias ->
                notes.add(
                    "the biases are those of after the training: bias="
                        + bias
                        + " has trained them"));
    return with(base, notes);
  }

  private Checkpoint adapter(String adapter) {
    Optional<LoraConfig> config = LoraConfig.find(place, checkpoint, options, adapter);
    String bias = config.map(LoraConfig::bias).orElse(names.areAlone() ? "all" : "none");
    List<NamedTensor> tensors = new ArrayList<>();
    List<String> left = new ArrayList<>();
    Map<String, NamedTensor> byName = byName(checkpoint);
    for (String name : checkpoint.names()) {
      Optional<AdapterName> parsed = AdapterName.parse(name);
      Optional<String> named =
          parsed.isPresent()
              ? parsed.filter(p -> p.adapter().equals(adapter)).flatMap(AdapterName::inFile)
              : Optional.of(name).filter(n -> isSavedWith(n, bias)).map(AdapterNames::inFile);
      // PEFT saves what is tied to another tensor as one of its own.
      named.ifPresentOrElse(n -> tensors.add(byName.get(name).renamed(n)), () -> left.add(name));
    }
    List<String> notes = new ArrayList<>();
    notes.add(
        "an adapter of PEFT, under the names that it loads: "
            + Counted.of(tensors.size(), "tensor")
            + " of '"
            + adapter
            + "'; --names as-saved keeps those that it has in memory"
            + (names.adapters().size() > 1
                ? ", and --adapter takes another of " + names.adapters()
                : ""));
    if (!left.isEmpty()) {
      notes.add(
          "not the adapter's, and left out: "
              + Counted.of(left.size(), "tensor")
              + ": "
              + FirstNames.of(left));
    }
    if (!names.arePrefixed()) {
      notes.add("names begin with base_model.model., as save_pretrained of a PeftModel makes them");
    }
    Adapter known = new InferredConfig(tensors).with(config);
    return with(checkpoint.with(tensors, Map.of()), notes).with(known);
  }

  /** Whether a tensor that is no adapter's is saved with one: {@code get_peft_model_state_dict}. */
  private boolean isSavedWith(String name, String bias) {
    int dot = name.lastIndexOf('.');
    String module = dot < 0 ? "" : name.substring(0, dot);
    int layer = module.lastIndexOf(".base_layer");
    String around = layer < 0 ? "" : module.substring(0, layer);
    boolean ofLayer = layer > 0 && names.isModule(around) && module.endsWith(".base_layer");
    if (AdapterNames.isBias(name)) {
      return bias.equals("all") || (bias.equals("lora_only") && ofLayer);
    }
    return ofLayer
        && EMBEDDINGS.contains(around.substring(around.lastIndexOf('.') + 1))
        && !names.hasTokens();
  }

  private static Checkpoint with(Checkpoint made, List<String> notes) {
    Checkpoint all = made;
    for (String note : notes) {
      all = all.with(all.remarks().withNote(note));
    }
    return all;
  }

  /** The tensors by each of their names, tied ones too. */
  static Map<String, NamedTensor> byName(Checkpoint checkpoint) {
    Map<String, NamedTensor> all = new LinkedHashMap<>();
    checkpoint.tensors().forEach(t -> all.put(t.name(), t));
    checkpoint.aliases().forEach((alias, kept) -> all.putIfAbsent(alias, all.get(kept)));
    return all;
  }

  /**
   * The checkpoint under other names.
   *
   * @param naming gives the name for one, or nothing for what is left out; a tensor with several
   *     keeps its first one that is not
   */
  static Checkpoint renamed(Checkpoint checkpoint, Function<String, Optional<String>> naming) {
    Map<String, List<String>> tied = new LinkedHashMap<>();
    checkpoint
        .aliases()
        .forEach((alias, kept) -> tied.computeIfAbsent(kept, k -> new ArrayList<>()).add(alias));
    List<NamedTensor> tensors = new ArrayList<>();
    Map<String, String> aliases = new LinkedHashMap<>();
    for (NamedTensor tensor : checkpoint.tensors()) {
      List<String> all = new ArrayList<>(List.of(tensor.name()));
      all.addAll(tied.getOrDefault(tensor.name(), List.of()));
      List<String> others = all.stream().map(naming).flatMap(Optional::stream).distinct().toList();
      if (!others.isEmpty()) {
        tensors.add(tensor.renamed(others.get(0)));
        others.subList(1, others.size()).forEach(alias -> aliases.put(alias, others.get(0)));
      }
    }
    return checkpoint.with(tensors, aliases);
  }
}
