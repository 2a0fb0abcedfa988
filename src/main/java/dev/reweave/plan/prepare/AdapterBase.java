package dev.reweave.plan.prepare;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.adapter.BaseWeights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.storage.Safeguards;
import dev.reweave.storage.Stores;
import dev.reweave.target.base.Component;
import java.util.Collection;
import java.util.Optional;

/** The weights of a base, for an adapter that was trained on them and saved alone. */
public final class AdapterBase implements BaseWeights {
  private final Stores stores;
  private final MetadataScanner scanner;
  private final BaseChoice choice;
  private final Safeguards safeguards;

  private AdapterBase(
      Stores stores, MetadataScanner scanner, BaseChoice choice, Safeguards safeguards) {
    this.stores = stores;
    this.scanner = scanner;
    this.choice = choice;
    this.safeguards = safeguards;
  }

  /**
   * Those of the base that was named, if one was.
   *
   * @param safeguards how far its files are followed
   */
  public static BaseWeights of(
      Stores stores, MetadataScanner scanner, Optional<BaseChoice> base, Safeguards safeguards) {
    return base.<BaseWeights>map(choice -> new AdapterBase(stores, scanner, choice, safeguards))
        .orElse(BaseWeights.NONE);
  }

  @Override
  public Optional<Checkpoint> of(Collection<String> names) {
    ChosenBase chosen = new ChosenBase(stores.guarded(choice.address(), safeguards), choice);
    Component component = chosen.component(Optional.empty(), names);
    if (!component.hasWeights()) {
      throw PrepareFailures.baseWithoutWeights(component.address().uri());
    }
    // The files that the result is compared with, and no others beside them.
    String file = component.index().orElseGet(() -> component.files().get(0));
    ReadOptions reading =
        ReadOptions.defaults().withNames(ReadOptions.Names.AS_SAVED).withSafeguards(safeguards);
    return Optional.of(
        new CheckpointReader(stores, scanner).read(component.address().child(file), reading));
  }
}
