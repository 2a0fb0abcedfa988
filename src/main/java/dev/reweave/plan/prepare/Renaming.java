package dev.reweave.plan.prepare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.target.mapping.Mapped;
import dev.reweave.target.mapping.Mapping;
import dev.reweave.target.mapping.Mappings;
import dev.reweave.target.mapping.ModelFacts;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorNames;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The tensors of a checkpoint under the names of the result.
 *
 * @param mapping what gave them their names; empty where they keep them
 * @param rows what became of each tensor
 * @param aliases tied names: each that is not among the tensors to the one that is
 * @param notes what the user should know
 */
public record Renaming(
    Optional<Mapping> mapping,
    List<Mapped.Row> rows,
    List<NamedTensor> tensors,
    Map<String, String> aliases,
    List<String> notes) {
  private static final int MOST_BYTES = 4 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * The rules that are chosen by name or address; empty where the tensors' names decide.
   *
   * @throws ReweaveException if they are not there, or are none
   */
  private static Optional<Mapping> named(Stores stores, MappingChoice choice) {
    if (choice.rules().isPresent()) {
      byte[] rules = choice.rules().get().getBytes(StandardCharsets.UTF_8);
      return Optional.of(Mapping.parse(rules, "mapping " + choice.name()));
    }
    if (choice.equals(MappingChoice.NONE) || choice.equals(MappingChoice.AUTO)) {
      return Optional.empty();
    }
    Optional<Mapping> shipped = Mappings.find(choice.name());
    if (shipped.isPresent()) {
      return shipped;
    }
    Optional<InputFile> file = stores.file(stores.locate(choice.name()));
    if (file.isEmpty()) {
      throw PrepareFailures.noMapping(choice.name());
    }
    return Optional.of(Mapping.parse(stores.readAll(file.get(), MOST_BYTES), file.get().uri()));
  }

  /**
   * Options for reading a checkpoint that is then given names: a mapping can say how its
   * tensor-parallel ranks share tensors, and has rules for the names of adapters in memory.
   *
   * @throws ReweaveException if the mapping is not there, or is none
   */
  public static ReadOptions reading(Stores stores, ReadOptions options, MappingChoice choice) {
    return named(stores, choice)
        .map(mapping -> options.withSlicing(mapping.slicing()).mapped())
        .orElse(options);
  }

  /**
   * Gives a checkpoint's tensors their names, which no base has a say in.
   *
   * @throws ReweaveException if the mapping is not there, is none, or does not fit the tensors
   */
  public static Renaming of(Stores stores, Checkpoint checkpoint, MappingChoice choice) {
    return of(stores, checkpoint, choice, Optional.empty());
  }

  /**
   * Gives a checkpoint's tensors their names.
   *
   * @param base whose names can decide which mapping is recognised
   * @throws ReweaveException if the mapping is not there, is none, or does not fit the tensors
   */
  public static Renaming of(
      Stores stores, Checkpoint checkpoint, MappingChoice choice, Optional<ChosenBase> base) {
    List<String> of = checkpoint.names();
    StoredArguments stored = new StoredArguments(stores, checkpoint);
    Supplier<ModelFacts> facts =
        () ->
            base.map(b -> b.facts(checkpoint.arguments().values(), of))
                .orElseGet(() -> ModelFacts.of(stored.values(), Optional.empty(), Set::of));
    Optional<Mapping> mapping =
        choice.equals(MappingChoice.AUTO) ? recognised(of, facts) : named(stores, choice);
    List<String> notes = new ArrayList<>(checkpoint.notes());
    if (mapping.isEmpty()) {
      if (choice.equals(MappingChoice.AUTO)) {
        boolean said = base.isEmpty() && !checkpoint.arguments().values().isEmpty();
        String besides = said ? ", as the trainer's own arguments are of none of these" : "";
        awaitingBase(of).ifPresent(note -> notes.add(note + besides));
      }
      List<Mapped.Row> rows =
          checkpoint.tensors().stream()
              .map(t -> new Mapped.Row(t.name(), t.name(), t.spec().shape()))
              .toList();
      return new Renaming(mapping, rows, checkpoint.tensors(), checkpoint.aliases(), notes);
    }
    notes.add(
        "names "
            + (choice.equals(MappingChoice.AUTO) ? "recognised, mapped" : "mapped")
            + " by "
            + mapping.get().name()
            + ": "
            + mapping.get().description());
    Mapped mapped = mapping.get().apply(checkpoint.tensors(), checkpoint.aliases(), facts.get());
    List<String> names = new ArrayList<>(mapped.tensors().stream().map(NamedTensor::name).toList());
    names.addAll(mapped.aliases().keySet());
    TensorNames.require(names, "mapping " + mapping.get().name());
    notes.addAll(mapped.notes());
    return new Renaming(mapping, mapped.rows(), mapped.tensors(), mapped.aliases(), notes);
  }

  /** What to say of names that a mapping is for, if only a base told which. */
  private static Optional<String> awaitingBase(List<String> names) {
    List<String> awaiting =
        Mappings.all().stream().filter(m -> m.awaitsBase(names)).map(Mapping::name).toList();
    return awaiting.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "names as they are stored: "
                + String.join(", ", awaiting)
                + " would give those of transformers; a --base with the model's config.json tells"
                + " which");
  }

  private static Optional<Mapping> recognised(List<String> names, Supplier<ModelFacts> facts) {
    List<Mapping> fitting = Mappings.recognise(names, facts);
    if (fitting.size() > 1) {
      throw PrepareFailures.severalMappings(fitting);
    }
    return fitting.stream().findFirst();
  }

  /** The tensors by each of their names, tied ones too. */
  public Map<String, NamedTensor> byName() {
    Map<String, NamedTensor> all = new HashMap<>();
    tensors.forEach(t -> all.put(t.name(), t));
    aliases.forEach((alias, kept) -> all.putIfAbsent(alias, all.get(kept)));
    return all;
  }

  /** What gives another reading of the checkpoint the same names, where this came of a choice. */
  public MappingChoice choice(MappingChoice made) {
    return made.equals(MappingChoice.AUTO)
        ? mapping.map(m -> new MappingChoice(m.name(), Optional.of(m.json()))).orElse(made)
        : made;
  }

  /** What a manifest keeps of the mapping. */
  public Optional<MappingUsed> used() {
    return mapping.map(
        m -> {
          try {
            return new MappingUsed(m.name(), JSON.readTree(m.json()));
          } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
          }
        });
  }
}
