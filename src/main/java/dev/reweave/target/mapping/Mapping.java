package dev.reweave.target.mapping;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.NamedTensor;
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

  private final Title title;
  private final String place;
  private final String json;
  private final List<Rule> rules;
  private final List<Requirement> requirements;
  private final List<SlicingRule> slicing;

  Mapping(
      Title title,
      String place,
      byte[] json,
      List<Rule> rules,
      List<Requirement> requirements,
      List<SlicingRule> slicing) {
    this.title = title;
    this.place = place;
    this.json = new String(json, UTF_8);
    this.rules = List.copyOf(rules);
    this.requirements = List.copyOf(requirements);
    this.slicing = List.copyOf(slicing);
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
    return slicing;
  }

  /** The file's text, so that a run can be repeated. */
  public String json() {
    return json;
  }

  /**
   * Whether these are names of a model that the mapping is for, as far as the mapping tells.
   *
   * @param base names of the model that the result shall look like, of which there are none without
   *     one; asked for only where they can decide
   */
  public boolean recognises(Collection<String> names, Supplier<? extends Collection<String>> base) {
    return title.recognition().filter(r -> r.fits(names, base)).isPresent();
  }

  /**
   * Places all tensors.
   *
   * @param aliases tied names: each name that is not among the tensors to the one that is
   * @throws ReweaveException if a tensor has no place, two have the same, or one is missing
   */
  public Mapped apply(List<NamedTensor> tensors, Map<String, String> aliases) {
    Placement placement = new Placement(rules);
    Map<String, NamedTensor> byName = new HashMap<>();
    for (NamedTensor tensor : tensors) {
      byName.put(tensor.name(), tensor);
      placement.place(tensor, tensor.name());
    }
    // Where a tied name stood in the model is not known; most often it is an output layer, last.
    aliases.forEach((alias, kept) -> placement.place(byName.get(kept).renamed(alias), kept));
    return placement.finish(place, requirements);
  }
}
