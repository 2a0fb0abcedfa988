package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.TensorEntries;
import dev.reweave.checkpoint.WrapperNames;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * One parameter under two names. {@code state_dict()} leaves the names of some wrappers out (the
 * hooks of torch's {@code checkpoint_wrapper}), and {@code named_parameters()}, by which DeepSpeed
 * calls shapes, buffers, frozen parameters and ties ({@code DeepSpeedEngine._get_zero_param_shapes}
 * and its kind), does not.
 */
final class ModuleNames {
  private ModuleNames() {}

  /**
   * The entries of a module under the names that the rest of their file has for them.
   *
   * @param others names of parameters and buffers elsewhere in the file
   */
  static TensorEntries alike(TensorEntries module, Set<String> others) {
    Set<String> own = new HashSet<>(module.tensors().keySet());
    own.addAll(module.unread().keySet());
    own.addAll(module.others().keySet());
    Map<String, String> elsewhere = byPlainName(others, own);
    Map<String, String> here = byPlainName(own, others);
    Map<String, String> renamed = new HashMap<>();
    here.forEach(
        (plain, name) -> {
          if (!name.isEmpty() && !elsewhere.getOrDefault(plain, "").isEmpty()) {
            renamed.put(name, elsewhere.get(plain));
          }
        });
    return renamed.isEmpty() ? module : module.renamed(name -> renamed.getOrDefault(name, name));
  }

  /** Those that the other side lacks; empty text where two are plainly called the same. */
  private static Map<String, String> byPlainName(Set<String> names, Set<String> otherSide) {
    Map<String, String> byPlain = new HashMap<>();
    for (String name : names) {
      if (!otherSide.contains(name)) {
        byPlain.merge(WrapperNames.without(name), name, (one, two) -> "");
      }
    }
    return byPlain;
  }
}
