package dev.reweave.plan.prepare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.BaseFolder;
import dev.reweave.target.base.Component;
import dev.reweave.target.mapping.ModelFacts;
import dev.reweave.tensor.TensorSpec;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The base of a conversion, read when something of it is asked for, and once. */
public final class ChosenBase {
  private final Stores stores;
  private final BaseChoice choice;
  private Optional<BaseFolder> folder = Optional.empty();
  private Optional<Component> looked = Optional.empty();

  public ChosenBase(Stores stores, BaseChoice choice) {
    this.stores = stores;
    this.choice = choice;
  }

  BaseChoice choice() {
    return choice;
  }

  BaseFolder folder() {
    if (folder.isEmpty()) {
      folder = Optional.of(BaseFolder.read(stores, choice.address()));
    }
    return folder.get();
  }

  /**
   * What it tells of the model that a checkpoint with these names is of.
   *
   * @param arguments what the trainer stored of it
   */
  ModelFacts facts(Map<String, JsonNode> arguments, Collection<String> ofCheckpoint) {
    return ModelFacts.of(arguments, folder().config(), () -> names(ofCheckpoint));
  }

  /** What its tensors are called, where a checkpoint with these names would take their place. */
  Set<String> names(Collection<String> ofCheckpoint) {
    if (looked.isEmpty()) {
      looked = Optional.of(component(Optional.empty(), ofCheckpoint));
    }
    return looked.get().tensorNames();
  }

  /** The tensors of the component that ones of these names would take the place of. */
  public Collection<TensorSpec> tensors(Collection<String> names) {
    return component(Optional.empty(), names).tensors().values();
  }

  /**
   * The component that the tensors take the place of: the one whose names have led to the mapping,
   * if the mapping does not say another.
   *
   * @param mapped the one that the mapping is made for
   */
  Component component(Optional<String> mapped, Collection<String> names) {
    return looked
        .filter(c -> mapped.isEmpty() || !folder().isPipeline())
        .orElseGet(() -> folder().component(choice.component(), mapped, names, choice.variant()));
  }
}
