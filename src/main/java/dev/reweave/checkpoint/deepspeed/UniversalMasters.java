package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.WrapperNames;
import dev.reweave.common.FirstNames;
import dev.reweave.common.ReweaveException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which folders of a universal checkpoint hold masters. Since DeepSpeed 0.19.8 ({@code
 * ds_to_universal.py}), one that is made from ZeRO-1 or 2 has folders for buffers, frozen
 * parameters and second names of tied ones, too: with what the first rank's module has, as float32,
 * and without moments. The model states have the same with its type and ties.
 */
final class UniversalMasters {
  private final String place;
  private final Map<String, ParameterFolders.Parameter> folders;
  private final List<UniversalParameter> parameters;

  /**
   * @param place the folder of the parameters, for messages
   * @param folders of the parameters, by name
   * @param parameters what their files say
   */
  UniversalMasters(
      String place,
      Map<String, ParameterFolders.Parameter> folders,
      List<UniversalParameter> parameters) {
    this.place = place;
    this.folders = folders;
    this.parameters = parameters;
  }

  /** All that there is, for want of model states that tell what is a master. */
  List<UniversalParameter> all(StateDict dict) {
    List<String> without = withoutMoments();
    if (!without.isEmpty()) {
      dict.note(
          without.size()
              + " folders have no optimizer state: buffers, frozen parameters or second names of"
              + " tied ones, all as float32: "
              + FirstNames.of(without));
    }
    Set<String> second = secondNames(without);
    return parameters.stream().filter(p -> !second.contains(p.tensor().name())).toList();
  }

  /** Of folders without moments, those of parameters that have masters under a wrapped name. */
  private Set<String> secondNames(List<String> without) {
    Set<String> masters =
        folders.keySet().stream()
            .filter(n -> !without.contains(n))
            .map(WrapperNames::without)
            .collect(Collectors.toSet());
    return without.stream()
        .filter(n -> masters.contains(WrapperNames.without(n)))
        .collect(Collectors.toSet());
  }

  /**
   * The masters.
   *
   * @param dict is told what is left to the model states
   * @param ties second names of parameters to the first ones: both may have folders
   * @param trained names of the trained parameters
   * @param inModels names that the model states have
   * @param ranks tensor- and pipeline-parallel ranks
   * @throws ReweaveException if a parameter that was spread over ranks has no master
   */
  List<UniversalParameter> of(
      StateDict dict,
      Map<String, String> ties,
      Set<String> trained,
      Set<String> inModels,
      long ranks) {
    List<String> without = withoutMoments();
    Set<String> plain = inModels.stream().map(WrapperNames::without).collect(Collectors.toSet());
    List<String> untrained =
        without.stream()
            .filter(n -> !trained.contains(n))
            .filter(n -> inModels.contains(n) || plain.contains(WrapperNames.without(n)))
            .toList();
    List<String> noMaster = without.stream().filter(trained::contains).toList();
    if (!noMaster.isEmpty() && ranks > 1) {
      throw UniversalFailures.firstPartsAlone(noMaster, ranks, place);
    }
    if (!untrained.isEmpty()) {
      dict.note(
          untrained.size()
              + " folders without optimizer state are left to the model states, which have their"
              + " types and ties: "
              + FirstNames.of(untrained));
    }
    if (!noMaster.isEmpty()) {
      dict.note(
          noMaster.size()
              + " trained parameters have no optimizer state, and so the module's values for"
              + " masters: "
              + FirstNames.of(noMaster));
    }
    List<UniversalParameter> masters = new ArrayList<>(parameters);
    Set<String> left = new HashSet<>(untrained);
    ties.forEach(
        (alias, kept) -> {
          if (folders.containsKey(kept)) {
            left.add(alias);
          }
        });
    masters.removeIf(p -> left.contains(p.tensor().name()));
    return masters;
  }

  /** None where no folder has moments: then that tells nothing. */
  private List<String> withoutMoments() {
    boolean any = folders.values().stream().anyMatch(ParameterFolders.Parameter::hasMoments);
    return folders.keySet().stream().filter(n -> any && !folders.get(n).hasMoments()).toList();
  }
}
