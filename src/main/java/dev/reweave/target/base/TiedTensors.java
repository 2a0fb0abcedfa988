package dev.reweave.target.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.tensor.CombinedLayout;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Tensors that a checkpoint stores for themselves and the base does not, since its model ties them
 * to another: FSDP, and whoever saves state dicts piece by piece, writes a tied head twice. Whether
 * both are the same shows where they are read: each element is compared on its way.
 */
final class TiedTensors {
  /** Where a vocabulary comes in. */
  private static final Pattern EMBEDDING =
      Pattern.compile(
          "(?:.*\\.)?(?:embed_tokens|wte|word_embeddings|tok_embeddings|token_embedding|embed_in"
              + "|shared|embeddings)\\.weight");

  /** Where it goes out. */
  private static final Pattern HEAD =
      Pattern.compile(
          "(?:.*\\.)?(?:lm_head|embed_out|output|output_layer|proj_out|decoder)\\.weight");

  private static final String TIES = "tie_word_embeddings";

  private final Component component;
  private final Optional<Boolean> ties;

  /**
   * @param config of the component, if it has one
   */
  TiedTensors(Component component, Optional<JsonNode> config) {
    this.component = component;
    this.ties = config.flatMap(TiedTensors::stated);
  }

  /** What a config says of the model, or of the language model that it has in it. */
  private static Optional<Boolean> stated(JsonNode config) {
    List<JsonNode> all = new ArrayList<>(List.of(config));
    config.properties().stream()
        .filter(e -> e.getKey().endsWith("_config") && e.getValue().isObject())
        .forEach(e -> all.add(e.getValue()));
    List<Boolean> said =
        all.stream()
            .map(c -> c.path(TIES))
            .filter(JsonNode::isBoolean)
            .map(JsonNode::booleanValue)
            .toList();
    return said.isEmpty() ? Optional.empty() : Optional.of(said.contains(true));
  }

  /**
   * The tensors with those that the base ties to others left out, each as a name of another; and
   * with those by themselves that it does not tie, though the checkpoint stores them once.
   */
  Fitted fit(List<NamedTensor> tensors, Map<String, String> aliases) {
    Fitted fitted = withoutTied(tensors, aliases);
    return ties.isEmpty() ? fitted : ties.get() ? withTiedOfBase(fitted) : apart(fitted);
  }

  /**
   * A head that its base stores beside the embedding, though its config ties them, is not missing
   * where the checkpoint has it once.
   */
  private Fitted withTiedOfBase(Fitted fitted) {
    Map<String, NamedTensor> byName = new LinkedHashMap<>();
    fitted.tensors().forEach(t -> byName.put(t.name(), t));
    Map<String, String> aliases = new LinkedHashMap<>(fitted.aliases());
    List<String> notes = new ArrayList<>(fitted.notes());
    for (TensorSpec ofBase : component.tensors().values()) {
      String name = ofBase.name();
      if (!HEAD.matcher(name).matches() || byName.containsKey(name) || aliases.containsKey(name)) {
        continue;
      }
      component.tensors().values().stream()
          .filter(t -> EMBEDDING.matcher(t.name()).matches() && t.shape().equals(ofBase.shape()))
          .map(TensorSpec::name)
          .filter(byName::containsKey)
          .findFirst()
          .ifPresent(
              kept -> {
                aliases.put(name, kept);
                notes.add(name + " of the base is not missing: its config.json ties it to " + kept);
              });
    }
    return new Fitted(fitted.tensors(), aliases, notes);
  }

  /** Loaders of a model that ties nothing look for a head of its own, and else make one up. */
  private Fitted apart(Fitted fitted) {
    Map<String, NamedTensor> byName = new LinkedHashMap<>();
    fitted.tensors().forEach(t -> byName.put(t.name(), t));
    Map<String, String> aliases = new LinkedHashMap<>();
    List<String> notes = new ArrayList<>(fitted.notes());
    fitted
        .aliases()
        .forEach(
            (name, kept) -> {
              if (areApart(name, kept)) {
                byName.put(name, byName.get(kept).renamed(name));
                notes.add(
                    name
                        + " is written by itself, though it is one with "
                        + kept
                        + ": the config.json of the base does not tie them");
              } else {
                aliases.put(name, kept);
              }
            });
    return new Fitted(List.copyOf(byName.values()), aliases, notes);
  }

  private boolean areApart(String name, String kept) {
    boolean ofVocabulary =
        (HEAD.matcher(name).matches() && EMBEDDING.matcher(kept).matches())
            || (EMBEDDING.matcher(name).matches() && HEAD.matcher(kept).matches());
    return ofVocabulary
        && (!component.hasWeights()
            || (component.tensors().containsKey(name) && component.tensors().containsKey(kept)));
  }

  private Fitted withoutTied(List<NamedTensor> tensors, Map<String, String> aliases) {
    Map<String, NamedTensor> byName = new LinkedHashMap<>();
    tensors.forEach(t -> byName.put(t.name(), t));
    Map<String, String> tied = new LinkedHashMap<>();
    for (NamedTensor tensor : tensors) {
      partner(tensor, byName).ifPresent(kept -> tied.put(tensor.name(), kept));
    }
    // A head that is another's partner stays; else the two would leave each other out.
    tied.keySet().removeAll(List.copyOf(tied.values()));
    if (tied.isEmpty()) {
      return new Fitted(tensors, aliases, List.of());
    }
    Map<String, List<Layout>> copies = new HashMap<>();
    tied.forEach(
        (name, kept) ->
            copies
                .computeIfAbsent(kept, k -> new ArrayList<>(List.of(byName.get(k).layout())))
                .add(byName.get(name).layout()));
    List<NamedTensor> fitted = new ArrayList<>();
    for (NamedTensor tensor : tensors) {
      List<Layout> same = copies.get(tensor.name());
      if (same != null) {
        fitted.add(
            new NamedTensor(tensor.spec(), new CombinedLayout(CombinedLayout.Kind.TIED, same)));
      } else if (!tied.containsKey(tensor.name())) {
        fitted.add(tensor);
      }
    }
    Map<String, String> all = new LinkedHashMap<>();
    aliases.forEach((alias, kept) -> all.put(alias, tied.getOrDefault(kept, kept)));
    all.putAll(tied);
    List<String> notes = new ArrayList<>();
    tied.forEach(
        (name, kept) ->
            notes.add(
                name
                    + " is left out, as the base ties it to "
                    + kept
                    + ": that both are the same is checked while they are read"));
    return new Fitted(fitted, all, notes);
  }

  /** The tensor that the base keeps in the place of one that it does not. */
  private Optional<String> partner(NamedTensor tensor, Map<String, NamedTensor> byName) {
    String name = tensor.name();
    boolean head = HEAD.matcher(name).matches();
    if (component.tensors().containsKey(name)
        || (!head && !EMBEDDING.matcher(name).matches())
        || tensor.layout().width() > 1) {
      return Optional.empty();
    }
    Optional<String> stated =
        Optional.ofNullable(component.droppedNames().get(name))
            .filter(kept -> byName.containsKey(kept) && areAlike(tensor, byName.get(kept)));
    if (stated.isPresent()) {
      return stated;
    }
    // A base without weights, which say it as well, has to say it itself.
    boolean mayTie = component.hasWeights() ? ties.orElse(true) : head && ties.orElse(false);
    return mayTie
        ? byName.values().stream()
            .filter(t -> !t.name().equals(name) && isKept(t.name()) && areAlike(tensor, t))
            .map(NamedTensor::name)
            .min(Comparator.comparing(n -> EMBEDDING.matcher(n).matches() ? 0 : 1))
        : Optional.empty();
  }

  private boolean isKept(String name) {
    boolean embedding = EMBEDDING.matcher(name).matches();
    return component.hasWeights()
        ? component.tensors().containsKey(name) && (embedding || HEAD.matcher(name).matches())
        : embedding;
  }

  private static boolean areAlike(NamedTensor one, NamedTensor other) {
    return one.spec().dtype() == other.spec().dtype()
        && one.spec().shape().equals(other.spec().shape())
        && one.spec().elements() > 0
        && other.layout().width() == 1;
  }
}
