package dev.reweave.format.pytorch;

import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a pickle wants to be made by calling something: remembered, never made.
 *
 * <p>A subclass of dict or list keeps the items that the pickle puts into it.
 */
final class PickleObject {
  private static final Pattern REBUILDS = Pattern.compile("torch\\._(utils|tensor)\\._rebuild_.*");
  private static final Set<String> ARRAYS =
      Set.of("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct");
  private static final String REBUILT_AS_CLASS = "torch._tensor._rebuild_from_type_v2";
  private static final Set<String> PLAIN_CLASSES =
      Set.of("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter");

  private final Object callable;
  private final PickleSequence arguments;
  private boolean isNew;
  private boolean isWhole = true;
  private Object state = None.NONE;
  private Object items = None.NONE;

  PickleObject(Object callable, PickleSequence arguments) {
    this.callable = callable;
    this.arguments = arguments;
  }

  /** The function or class that would have been called. */
  Object callable() {
    return callable;
  }

  PickleSequence arguments() {
    return arguments;
  }

  /** Says that {@code __new__} of the class makes it, and {@code __init__} is not called. */
  void makeNew() {
    isNew = true;
  }

  /** Whether {@code __new__} of the class makes it alone. */
  boolean isNew() {
    return isNew;
  }

  /** Says that more is needed to make it than is remembered. */
  void leaveOut() {
    isWhole = false;
  }

  /** Whether all that is needed to make it again is here. */
  boolean isWhole() {
    return isWhole && callable != TorchGlobals.PERSISTENT_ID;
  }

  /** What Python would have given to {@code __setstate__}. */
  Object state() {
    return state;
  }

  void build(Object newState) {
    state = newState;
  }

  /** The class that it would be of, or the function that would make it; the more telling one. */
  Optional<PickleGlobal> type() {
    if (callable instanceof PickleGlobal rebuild
        && rebuild.path().equals(REBUILT_AS_CLASS)
        && arguments.size() > 1
        && arguments.item(0) instanceof PickleGlobal function
        && arguments.item(1) instanceof PickleGlobal type) {
      return Optional.of(PLAIN_CLASSES.contains(type.path()) ? function : type);
    }
    return callable instanceof PickleGlobal type ? Optional.of(type) : Optional.empty();
  }

  /** Whether it is of the functions with which torch makes tensors, or numpy arrays. */
  boolean isTensor() {
    return callable instanceof PickleGlobal function
        && (REBUILDS.matcher(function.path()).matches() || ARRAYS.contains(function.path()));
  }

  /** The entries, where this is a subclass of dict. */
  Optional<PickleDict> dict() {
    return items instanceof PickleDict dict ? Optional.of(dict) : Optional.empty();
  }

  /** The items, where this is a subclass of list or set. */
  Optional<PickleSequence> list() {
    return items instanceof PickleSequence list ? Optional.of(list) : Optional.empty();
  }

  void put(Object key, Object value) {
    PickleDict dict = dict().orElseGet(PickleDict::new);
    dict.put(key, value);
    items = dict;
  }

  void add(Object item) {
    PickleSequence list = list().orElseGet(() -> new PickleSequence(PickleSequence.Kind.LIST));
    list.add(item);
    items = list;
  }

  /** An attribute in the state, which is a dict, or a tuple of a dict and the slots. */
  Optional<Object> attribute(String name) {
    if (state instanceof PickleSequence both) {
      return both.items().stream()
          .filter(PickleDict.class::isInstance)
          .map(part -> ((PickleDict) part).entries().get(name))
          .filter(Objects::nonNull)
          .findFirst();
    }
    return state instanceof PickleDict dict
        ? Optional.ofNullable(dict.entries().get(name))
        : Optional.empty();
  }
}
