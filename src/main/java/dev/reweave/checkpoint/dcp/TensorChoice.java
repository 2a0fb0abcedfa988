package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.TrainingState;
import dev.reweave.checkpoint.Weights;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which tensors of a distributed checkpoint are the model's, and what their names are there.
 *
 * @param names whole names of the model's tensors that are taken
 * @param stored where the weights of each lie: itself, or its master
 * @param prefix what is cut off each of the names, with its dot; can be empty
 * @param notes what was cut off, or is no tensor
 * @param left tensors that are not taken
 * @param buckets tensors in which the masters are, where these have no names; there need be none
 */
record TensorChoice(
    List<String> names,
    Map<String, String> stored,
    String prefix,
    List<String> notes,
    List<NotTaken> left,
    List<String> buckets) {

  /**
   * @param wanted which copy of the weights
   * @param place the checkpoint, for messages
   */
  static TensorChoice of(DcpMetadata metadata, Weights wanted, String place) {
    MegatronMasters masters = MegatronMasters.of(metadata);
    if (wanted == Weights.MASTER) {
      Set<String> taken = masters.of(Set.copyOf(metadata.names()));
      return masters.instead(ofModel(metadata, taken, place), metadata, place);
    }
    TensorChoice model = ofModel(metadata, Set.of(), place);
    List<String> notes = new ArrayList<>(model.notes);
    notes.addAll(masters.notTaken());
    return new TensorChoice(model.names, model.stored, model.prefix, notes, model.left, List.of());
  }

  static TensorChoice of(
      List<String> names, String prefix, List<String> notes, List<NotTaken> left) {
    Map<String, String> stored = new LinkedHashMap<>();
    names.forEach(name -> stored.put(name, name));
    return new TensorChoice(names, stored, prefix, notes, left, List.of());
  }

  /**
   * @param masters that are taken, and so are not left among the training state
   */
  private static TensorChoice ofModel(DcpMetadata metadata, Set<String> masters, String place) {
    List<String> kept = new ArrayList<>();
    List<String> training = new ArrayList<>();
    Set<String> where = new LinkedHashSet<>();
    for (String name : metadata.names()) {
      List<String> path = metadata.path(name);
      if (masters.contains(name)) {
        continue;
      }
      if (TrainingState.holds(path)) {
        training.add(name);
        where.add("'" + name.split("\\.", 2)[0] + "'");
      } else {
        kept.add(name);
      }
    }
    Set<String> others = new HashSet<>();
    beside(metadata, kept)
        .forEach(
            (key, names) -> {
              if (names.stream().map(metadata::path).anyMatch(TrainingState::isOfOptimizer)) {
                others.addAll(names);
                training.addAll(names);
                where.add("'" + key + "'");
              }
            });
    kept.removeIf(others::contains);
    List<String> notes = new ArrayList<>();
    List<NotTaken> left = new ArrayList<>(withoutAverages(metadata, kept, place));
    if (!training.isEmpty()) {
      left.add(
          new NotTaken(
              "training state below " + String.join(", ", where),
              training.size(),
              "left out: no part of the model",
              place));
    }
    if (metadata.others() > 0) {
      notes.add(metadata.others() + " entries of the checkpoint are no tensors: left out");
    }
    Optional<List<String>> wrapper = wrapper(metadata, kept);
    if (wrapper.isEmpty()) {
      severalPlaces(metadata, kept).ifPresent(notes::add);
      return of(kept, "", notes, left);
    }
    String prefix = String.join(".", wrapper.get()) + ".";
    List<String> wrapped =
        kept.stream().filter(name -> startsWith(metadata.path(name), wrapper.get())).toList();
    if (wrapped.size() < kept.size()) {
      left.add(
          new NotTaken(
              "numbers beside the model, such as '"
                  + kept.stream().filter(n -> !wrapped.contains(n)).findFirst().orElseThrow()
                  + "'",
              kept.size() - wrapped.size(),
              "left out: no part of it",
              place));
    }
    notes.add("all weights lie below '" + prefix + "', which is left off their names");
    return of(wrapped, prefix, notes, left);
  }

  /** Takes averages out that stand beside the model's own dict; gives what to tell of them. */
  private static List<NotTaken> withoutAverages(
      DcpMetadata metadata, List<String> kept, String place) {
    Map<List<String>, List<String>> averages = AverageChoice.among(metadata, kept);
    Set<String> averaged = new HashSet<>();
    averages.values().forEach(averaged::addAll);
    List<String> others = kept.stream().filter(name -> !averaged.contains(name)).toList();
    if (firstWrapper(metadata, others).isEmpty()) {
      return List.of();
    }
    kept.retainAll(new HashSet<>(others));
    List<NotTaken> left = new ArrayList<>();
    averages.forEach((key, names) -> left.add(AverageChoice.left(key, names.size(), place)));
    return left;
  }

  /** Names in dicts that stand beside the model's own, by the keys of these. */
  private static Map<String, List<String>> beside(DcpMetadata metadata, List<String> kept) {
    Map<String, List<String>> beside = new LinkedHashMap<>();
    Optional<List<String>> model = firstWrapper(metadata, kept);
    if (model.isPresent()) {
      int last = model.get().size() - 1;
      for (String name : kept) {
        List<String> path = metadata.path(name);
        if (path.size() > last + 1
            && path.subList(0, last).equals(model.get().subList(0, last))
            && !path.get(last).equals(model.get().get(last))) {
          beside.computeIfAbsent(path.get(last), k -> new ArrayList<>()).add(name);
        }
      }
    }
    return beside;
  }

  /** What to tell of a model's own dict that has others beside it. */
  private static Optional<String> severalPlaces(DcpMetadata metadata, List<String> kept) {
    Set<String> keys = beside(metadata, kept).keySet();
    return firstWrapper(metadata, kept)
        .filter(model -> !keys.isEmpty())
        .map(
            model ->
                "beside '"
                    + String.join(".", model)
                    + "' there are weights below '"
                    + String.join("', '", keys)
                    + "': all are taken, under names that begin with these keys");
  }

  private static Optional<List<String>> firstWrapper(DcpMetadata metadata, List<String> kept) {
    return kept.stream().flatMap(n -> TrainingState.wrapper(metadata.path(n)).stream()).findFirst();
  }

  /** The dict that holds all tensors but counters such as {@code step}. */
  private static Optional<List<String>> wrapper(DcpMetadata metadata, List<String> kept) {
    Optional<List<String>> wrapper = firstWrapper(metadata, kept);
    boolean holdsAll =
        wrapper.isPresent()
            && kept.stream()
                .allMatch(
                    name ->
                        startsWith(metadata.path(name), wrapper.get())
                            || (metadata.path(name).size() == 1
                                && metadata.shape(name).elements() <= 1));
    return holdsAll ? wrapper : Optional.empty();
  }

  private static boolean startsWith(List<String> path, List<String> start) {
    return path.size() > start.size() && path.subList(0, start.size()).equals(start);
  }
}
