package dev.reweave.plan;

import java.util.List;

/**
 * What comes along with the weights of a result.
 *
 * @param copied files that are copied
 * @param configs small files that become visible before the index
 * @param last small files that become visible behind the index
 */
public record Beside(List<PlannedFile> copied, List<SmallFile> configs, List<SmallFile> last) {
  /** Of weights alone. */
  public static final Beside NOTHING = new Beside(List.of(), List.of(), List.of());

  public Beside {
    copied = List.copyOf(copied);
    configs = List.copyOf(configs);
    last = List.copyOf(last);
  }

  /** Small files alone, which become visible before the index. */
  public static Beside configs(List<SmallFile> configs) {
    return new Beside(List.of(), configs, List.of());
  }
}
