package dev.reweave.target.mapping;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.SlicingRule;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Rules that lead from one way to name and cut the tensors of a model to another. They are applied
 * to names and layouts; no weights are read.
 */
public final class Mapping {

  /** What a mapping says of itself. */
  record Title(
      String name,
      String description,
      Optional<String> component,
      Optional<String> weightsName,
      Optional<Recognition> recognition) {}

  /** What it does with tensors. */
  record Rules(
      List<Rule> all,
      List<Requirement> requirements,
      List<SlicingRule> slicing,
      Map<String, NamedValue> values) {
    Rules {
      all = List.copyOf(all);
      requirements = List.copyOf(requirements);
      slicing = List.copyOf(slicing);
      values = Map.copyOf(values);
    }
  }

  private final Title title;
  private final String place;
  private final String json;
  private final Rules rules;
  private final Optional<ConfigRecipe> config;

  Mapping(Title title, String place, byte[] json, Rules rules, Optional<ConfigRecipe> config) {
    this.title = title;
    this.place = place;
    this.json = new String(json, UTF_8);
    this.rules = rules;
    this.config = config;
  }

  /**
   * Reads a mapping file.
   *
   * @param place where it comes from, for messages
   * @throws ReweaveException if it is no mapping; the message tells the rule
   */
  public static Mapping parse(byte[] json, String place) {
    return MappingReader.read(json, place);
  }

  /** Its name, such as {@code cogvideox-sat-transformer}. */
  public String name() {
    return title.name();
  }

  /** What it is for, in a sentence. */
  public String description() {
    return title.description();
  }

  /** Which part of a pipeline the tensors are, such as {@code transformer}. */
  public Optional<String> component() {
    return title.component();
  }

  /** What weight files are called, such as {@code pytorch_lora_weights}. */
  public Optional<String> weightsName() {
    return title.weightsName();
  }

  /** How tensor-parallel ranks share tensors, by the names in the checkpoint; may say nothing. */
  public List<SlicingRule> slicing() {
    return rules.slicing();
  }

  /** The file's text, so that a run can be repeated. */
  public String json() {
    return json;
  }

  /**
   * Whether these are names of a model that the mapping is for, as far as the mapping tells. Where
   * no base says what model it is, the trainer's arguments can.
   *
   * @param facts of the model that the result shall look like; asked for only where they can decide
   */
  public boolean recognises(Collection<String> names, Supplier<ModelFacts> facts) {
    return title.recognition().filter(r -> r.fits(names, facts)).isPresent()
        || (awaitsBase(names)
            && facts.get().modelType().isEmpty()
            && config.filter(c -> c.isOf(facts.get().arguments())).isPresent());
  }

  /**
   * The {@code config.json} of a model without a base.
   *
   * @param arguments that the trainer stored
   * @param tensors of the result, by name
   * @return empty if the mapping does not say how it is made
   */
  public Optional<MadeConfig> config(Map<String, JsonNode> arguments, Map<String, Shape> tensors) {
    return config.map(recipe -> recipe.make(arguments, tensors));
  }

  /** Whether these are such names, and a base of the right model is all that is missing. */
  public boolean awaitsBase(Collection<String> names) {
    return title.recognition().filter(r -> r.awaitsBase(names)).isPresent();
  }

  /**
   * Places all tensors of a model of which nothing else is known.
   *
   * @see #apply(List, Map, ModelFacts)
   */
  public Mapped apply(List<NamedTensor> tensors, Map<String, String> aliases) {
    return apply(tensors, aliases, ModelFacts.NONE);
  }

  /**
   * Places all tensors.
   *
   * @param aliases tied names: each name that is not among the tensors to the one that is
   * @param facts what else is known of the model
   * @throws ReweaveException if a tensor has no place, two have the same, one is missing, or a
   *     number that a rule needs is not known
   */
  public Mapped apply(List<NamedTensor> tensors, Map<String, String> aliases, ModelFacts facts) {
    List<Rule> counting = rules.all().stream().filter(rule -> rule.counts(facts.names())).toList();
    Placement placement = new Placement(counting, new Values(rules.values(), facts, place));
    Map<String, NamedTensor> byName = new HashMap<>();
    for (NamedTensor tensor : tensors) {
      byName.put(tensor.name(), tensor);
      placement.place(tensor, tensor.name());
    }
    // Where a tied name stood in the model is not known; most often it is an output layer, last.
    aliases.forEach((alias, kept) -> placement.place(byName.get(kept).renamed(alias), kept));
    return placement.finish(place, rules.requirements());
  }
}
