package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.TrainingState;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which tensors of a distributed checkpoint are the model's, and what their names are there.
 *
 * @param names whole names of the tensors that are taken
 * @param prefix what is cut off each of them, with its dot; can be empty
 * @param notes what was cut off, or is no tensor
 * @param left tensors that are not taken
 */
record TensorChoice(List<String> names, String prefix, List<String> notes, List<NotTaken> left) {
  private static final String MEGATRON_MASTERS = "optimizer.state.fp32_param.";

  /**
   * @param place the checkpoint, for messages
   */
  static TensorChoice of(DcpMetadata metadata, String place) {
    List<String> kept = new ArrayList<>();
    List<String> training = new ArrayList<>();
    Set<String> where = new LinkedHashSet<>();
    for (String name : metadata.names()) {
      List<String> path = metadata.path(name);
      if (TrainingState.holds(path)) {
        training.add(name);
        where.add("'" + name.split("\\.", 2)[0] + "'");
      } else {
        kept.add(name);
      }
    }
    List<String> notes = new ArrayList<>();
    List<NotTaken> left = new ArrayList<>();
    if (!training.isEmpty()) {
      left.add(
          new NotTaken(
              "training state below " + String.join(", ", where),
              training.size(),
              "left out: no part of the model",
              place));
    }
    if (training.stream().anyMatch(name -> name.startsWith(MEGATRON_MASTERS))) {
      notes.add("among the training state are fp32 masters: the weights are the model's own");
    }
    if (metadata.others() > 0) {
      notes.add(metadata.others() + " entries of the checkpoint are no tensors: left out");
    }
    Optional<List<String>> wrapper = wrapper(metadata, kept);
    if (wrapper.isEmpty()) {
      return new TensorChoice(kept, "", notes, left);
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
    return new TensorChoice(wrapped, prefix, notes, left);
  }

  /** The dict that holds all tensors but counters such as {@code step}. */
  private static Optional<List<String>> wrapper(DcpMetadata metadata, List<String> kept) {
    Optional<List<String>> wrapper =
        kept.stream().flatMap(n -> TrainingState.wrapper(metadata.path(n)).stream()).findFirst();
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
