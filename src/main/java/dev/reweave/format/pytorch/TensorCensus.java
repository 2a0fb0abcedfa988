package dev.reweave.format.pytorch;

import dev.reweave.tensor.DType;
import java.io.Serializable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Counts the tensors in a value, wherever they are, by what holds them. Looks at each container and
 * object once, so that it takes no longer than reading the pickle.
 */
public final class TensorCensus {
  /** What lies deeper is counted where the way to it is so long. */
  private static final int MOST_DEPTH = 8;

  private static final int MOST_KEYS = 10;
  private static final int MOST_CHARS = 100;

  /**
   * A dict, list or object that has tensors of its own.
   *
   * @param path keys, or numbers in a list, that lead to it
   * @param kind what it is
   * @param tensors how many it has, those apart that its own dicts and lists have
   * @param elements of all that are plain
   * @param bytes of all that are plain
   * @param keys the first keys of tensors, each once
   * @param dtypes the types of those that are plain
   */
  public record Holder(
      List<String> path,
      Kind kind,
      long tensors,
      long elements,
      long bytes,
      List<String> keys,
      Set<DType> dtypes)
      implements Serializable {}

  /** What a holder is. */
  public enum Kind {
    /** Tensors have names. */
    DICT,
    /** Tensors have numbers. */
    OTHER
  }

  /** The way to a container, and what was counted in it. */
  private static final class Node {
    private final List<String> path;
    private final Kind kind;
    private final Set<DType> dtypes = new LinkedHashSet<>();
    private final Set<String> keys = new LinkedHashSet<>();
    private long tensors;
    private long elements;
    private long bytes;

    Node(List<String> path, Kind kind) {
      this.path = path;
      this.kind = kind;
    }

    Node inner(String key, Kind innerKind) {
      if (path.size() >= MOST_DEPTH) {
        return this;
      }
      List<String> longer = new ArrayList<>(path);
      longer.add(key);
      return new Node(longer, innerKind);
    }

    Holder holder() {
      return new Holder(
          path, kind, tensors, elements, bytes, List.copyOf(keys), Set.copyOf(dtypes));
    }
  }

  private record Rest(Object value, Node node) {}

  private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Node> holders = new LinkedHashSet<>();
  private final Deque<Rest> rest = new ArrayDeque<>();

  private TensorCensus() {}

  /**
   * All that holds tensors, in the order in which it is found, outer before inner.
   *
   * @param except what is counted elsewhere, with all that is in it
   */
  public static List<Holder> of(TorchValue root, Collection<TorchValue> except) {
    TensorCensus census = new TensorCensus();
    except.forEach(value -> census.seen.add(value.value()));
    census.look(root.value());
    return census.holders.stream().map(Node::holder).toList();
  }

  private void look(Object root) {
    Node top = new Node(List.of(), kindOf(root));
    take("", root, top);
    while (!rest.isEmpty()) {
      Rest next = rest.poll();
      open(next.value(), next.node());
    }
  }

  private static Kind kindOf(Object value) {
    boolean dict =
        value instanceof PickleDict
            || (value instanceof PickleObject object && object.dict().isPresent());
    return dict ? Kind.DICT : Kind.OTHER;
  }

  private void open(Object value, Node node) {
    if (value instanceof PickleObject object) {
      object.dict().ifPresent(dict -> openDict(dict, node));
      object.list().ifPresent(list -> openList(list, node));
      if (object.state() instanceof PickleDict state) {
        openDict(state, node);
      } else {
        into("state", object.state(), node);
      }
      openList(object.arguments(), node);
    } else if (value instanceof PickleSequence sequence) {
      openList(sequence, node);
    } else if (value instanceof PickleDict dict) {
      openDict(dict, node);
    }
  }

  private void openDict(PickleDict dict, Node node) {
    dict.entries().forEach((key, entry) -> into(keyOf(key), entry, node));
  }

  private void openList(PickleSequence list, Node node) {
    for (int i = 0; i < list.size(); i++) {
      into(String.valueOf(i), list.item(i), node);
    }
  }

  private static String keyOf(Object key) {
    String text = key instanceof String || key instanceof Number ? key.toString() : "…";
    return text.length() > MOST_CHARS ? text.substring(0, MOST_CHARS) + "…" : text;
  }

  private void into(String key, Object value, Node node) {
    boolean tensor =
        value instanceof TorchTensor
            || value instanceof TorchStorage
            || (value instanceof PickleObject object && object.isTensor());
    if (tensor) {
      count(key, value, node);
    } else {
      take(key, value, node);
    }
  }

  private void take(String key, Object value, Node node) {
    boolean composite =
        value instanceof PickleObject
            || value instanceof PickleSequence
            || value instanceof PickleDict;
    if (composite && seen.add(value)) {
      rest.add(new Rest(value, key.isEmpty() ? node : node.inner(key, kindOf(value))));
    }
  }

  private void count(String key, Object value, Node node) {
    holders.add(node);
    node.tensors++;
    if (node.keys.size() < MOST_KEYS) {
      node.keys.add(key);
    }
    if (value instanceof TorchTensor tensor) {
      node.elements += tensor.elements();
      node.bytes += tensor.elements() * tensor.dtype().bytes();
      node.dtypes.add(tensor.dtype());
    }
  }
}
