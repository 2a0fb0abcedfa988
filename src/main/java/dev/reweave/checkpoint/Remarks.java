package dev.reweave.checkpoint;

import java.util.ArrayList;
import java.util.List;

/**
 * What is to be told of a checkpoint beside its tensors.
 *
 * @param notes what the user should know: what was decided, and why
 * @param cautions what the files hold that is not known and could change what the weights are
 * @param clientState keys beside the framework's own that are taken for what the trainer keeps
 * @param notTaken what lies there, or in the files that were opened, and is not among the tensors
 * @param order how it is known which weights are whose
 */
public record Remarks(
    List<String> notes,
    List<Caution> cautions,
    List<String> clientState,
    List<NotTaken> notTaken,
    Order order) {

  /** How it is known which weights are whose. */
  public enum Order {
    /** The files say so. */
    STATED,
    /** Their lengths and a sample fit: only a second copy of all weights proves it. */
    INFERRED
  }

  public Remarks {
    notes = List.copyOf(notes);
    cautions = List.copyOf(cautions);
    clientState = List.copyOf(clientState);
    notTaken = List.copyOf(notTaken);
  }

  /** What is to be told of weights whose files say which they are. */
  public Remarks(
      List<String> notes,
      List<Caution> cautions,
      List<String> clientState,
      List<NotTaken> notTaken) {
    this(notes, cautions, clientState, notTaken, Order.STATED);
  }

  /** Notes on a checkpoint of which everything is known and taken. */
  public static Remarks of(List<String> notes) {
    return new Remarks(notes, List.of(), List.of(), List.of());
  }

  /** The same with a further note. */
  public Remarks withNote(String note) {
    List<String> all = new ArrayList<>(notes);
    all.add(note);
    return with(all);
  }

  /** The same with other notes. */
  public Remarks with(List<String> others) {
    return new Remarks(others, cautions, clientState, notTaken, order);
  }
}
