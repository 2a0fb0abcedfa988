package dev.reweave.format.pytorch;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;

/**
 * Looks for what can hold weights in values that are no tensors: in containers and objects, however
 * deep. One search is for all entries of a dict: what it has looked through it does not look at
 * again, so that all of it takes no longer than reading the pickle.
 */
public final class TensorSearch {
  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Whether there is a tensor, of whatever kind, a storage or an array in it, or it is one. */
  public boolean findsTensors(TorchValue value) {
    return finds(value.value(), false);
  }

  /** The same, or bytes, in which objects of any class can keep what they will. */
  public boolean findsTensorsOrBytes(TorchValue value) {
    return finds(value.value(), true);
  }

  private boolean finds(Object root, boolean orBytes) {
    Deque<Object> rest = new ArrayDeque<>();
    rest.push(root);
    while (!rest.isEmpty()) {
      Object value = rest.pop();
      if (value instanceof TorchTensor
          || value instanceof TorchStorage
          || (orBytes && value instanceof byte[])
          || (value instanceof PickleObject object && object.isTensor())) {
        return true;
      }
      if (isComposite(value) && seen.add(value)) {
        open(value, rest);
      }
    }
    return false;
  }

  private static boolean isComposite(Object value) {
    return value instanceof PickleObject
        || value instanceof PickleSequence
        || value instanceof PickleDict;
  }

  private static void open(Object value, Deque<Object> rest) {
    if (value instanceof PickleObject object) {
      rest.push(object.callable());
      rest.push(object.arguments());
      rest.push(object.state());
      Optional<?> items = object.dict().isPresent() ? object.dict() : object.list();
      items.ifPresent(rest::push);
    } else if (value instanceof PickleSequence sequence) {
      sequence.items().forEach(rest::push);
    } else if (value instanceof PickleDict dict) {
      dict.entries()
          .forEach(
              (key, entry) -> {
                rest.push(key);
                rest.push(entry);
              });
    }
  }
}
