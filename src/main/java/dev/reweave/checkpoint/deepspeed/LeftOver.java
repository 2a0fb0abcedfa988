package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.NotTaken;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What all files of a checkpoint hold that is not taken, counted over the ranks. */
final class LeftOver {
  /** However many keys ranks make up. */
  private static final int MOST = 100;

  /** Under which what a universal checkpoint has of the optimizer is counted. */
  static final String UNIVERSAL = "zero";

  private static final List<String> OPTIMIZERS =
      List.of("optimizer", "optimizer_state_dict", UNIVERSAL);

  /**
   * The same in several files.
   *
   * @param place the first of them
   */
  private record Counted(LeftTensors tensors, int files, String place) {
    Counted and(Counted other) {
      return new Counted(tensors.and(other.tensors), files + other.files, place);
    }
  }

  private final Map<String, Counted> counted = new LinkedHashMap<>();

  void add(LeftTensors tensors, String place) {
    String key = tensors.kind() + " " + tensors.where();
    if (counted.size() < MOST || counted.containsKey(key)) {
      counted.merge(key, new Counted(tensors, 1, place), Counted::and);
    } else {
      counted.merge("", new Counted(unnamed(tensors), 1, place), Counted::and);
    }
  }

  private static LeftTensors unnamed(LeftTensors tensors) {
    return new LeftTensors(LeftTensors.Kind.UNNAMED, "…", tensors.tensors(), List.of());
  }

  List<NotTaken> notTaken() {
    return counted.values().stream().map(LeftOver::told).toList();
  }

  private static NotTaken told(Counted counted) {
    LeftTensors left = counted.tensors();
    String file = counted.place().substring(counted.place().lastIndexOf('/') + 1);
    String in = counted.files() == 1 ? " in " + file : " in " + counted.files() + " files";
    String names = left.ownNames().isEmpty() ? "" : " (" + left.ownNames() + ")";
    return switch (left.kind()) {
      case TRAINING ->
          told(
              counted,
              (OPTIMIZERS.contains(left.where()) ? "optimizer state" : left.quoted()) + names + in,
              "training state: no part of the model");
      case COPY ->
          left.where().equals(FileTally.OF_OTHER_RANKS)
              ? told(
                  counted,
                  "module of further ranks" + names + in,
                  "the same as in the first one's file")
              : told(
                  counted,
                  "module" + names + in,
                  "its parameters are taken as fp32 masters: --weights model takes these");
      case WEIGHTS ->
          told(
              counted,
              left.quoted() + in,
              "not read: --weights " + left.where() + " takes it in place of the model");
      case PIECES -> told(counted, left.quoted() + in, "not read: each rank has pieces of its own");
      case UNNAMED -> told(counted, left.quoted() + in, left.whyUnnamed());
      case SINGLE -> told(counted, left.quoted() + in, "not read: beside the module");
    };
  }

  private static NotTaken told(Counted counted, String name, String reason) {
    return new NotTaken(name, counted.tensors().tensors(), reason, counted.place());
  }
}
