package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.NotTaken;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is not known in all files of a checkpoint, each thing once, with the file that had it first:
 * every rank writes the same keys.
 */
final class Survey {
  /** However many ranks make up keys of their own. */
  private static final int MOST = 100;

  private final Map<String, Caution> cautions = new LinkedHashMap<>();
  private final Set<String> clientState = new LinkedHashSet<>();
  private final LeftOver left = new LeftOver();

  /** Takes what files hold, in their order; gives the facts. */
  <T extends Serializable> List<T> take(List<Surveyed<T>> files) {
    List<T> facts = new ArrayList<>();
    for (Surveyed<T> file : files) {
      facts.add(file.facts());
      file.cautions().forEach(this::add);
      file.left().forEach(tensors -> left.add(tensors, file.place()));
      if (clientState.size() < MOST) {
        clientState.addAll(file.clientState());
      }
    }
    return facts;
  }

  void add(Caution caution) {
    if (cautions.size() < MOST) {
      // Problems name no files.
      cautions.putIfAbsent(caution.problem(), caution);
    }
  }

  void add(LeftTensors tensors, String place) {
    left.add(tensors, place);
  }

  /** What the files hold that is not taken. */
  List<NotTaken> notTaken() {
    return left.notTaken();
  }

  List<Caution> cautions() {
    return List.copyOf(cautions.values());
  }

  List<String> clientState() {
    return List.copyOf(clientState);
  }
}
