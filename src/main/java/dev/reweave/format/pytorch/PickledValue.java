package dev.reweave.format.pytorch;

import dev.reweave.tensor.TensorSpec;
import java.io.Serializable;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/**
 * A value that is to be written as {@code torch.save} pickles it: plain values of Python, names of
 * classes and functions, what these are to be called with, and tensors. Nothing of it is ever
 * called here.
 *
 * <p>What is one object here is one object when it is loaded; text and names are so wherever they
 * are equal.
 */
public sealed interface PickledValue extends Serializable {
  /** Python's {@code None}, {@code True}, {@code False}, an integer, a float, text or bytes. */
  record Plain(Serializable value) implements PickledValue {}

  /** A list, tuple, set or {@code torch.Size}. */
  final class Items implements PickledValue {
    private static final long serialVersionUID = 1L;

    private final PickleSequence.Kind kind;
    private final List<PickledValue> items;

    Items(PickleSequence.Kind kind, List<PickledValue> items) {
      this.kind = kind;
      this.items = List.copyOf(items);
    }

    PickleSequence.Kind kind() {
      return kind;
    }

    List<PickledValue> items() {
      return items;
    }
  }

  /** A dict. */
  final class Entries implements PickledValue {
    private static final long serialVersionUID = 1L;

    private final List<PickledValue> keys;
    private final List<PickledValue> values;

    Entries(List<PickledValue> keys, List<PickledValue> values) {
      this.keys = List.copyOf(keys);
      this.values = List.copyOf(values);
    }

    int size() {
      return keys.size();
    }

    PickledValue key(int entry) {
      return keys.get(entry);
    }

    PickledValue value(int entry) {
      return values.get(entry);
    }
  }

  /** The name of a class or function. */
  record Name(String module, String name) implements PickledValue {}

  /** What a class or function makes. */
  final class Made implements PickledValue {
    private static final long serialVersionUID = 1L;

    /** What makes it. */
    enum By {
      /** Calling the class or function. */
      CALL,
      /** {@code __new__} of the class, which does not initialise it. */
      NEW
    }

    private final By by;
    private final PickledValue callable;
    private final Items arguments;
    private final Entries entries;
    private final Items appended;
    private final PickledValue state;

    /**
     * @param entries that a dict gets, if any
     * @param appended what a list gets, if anything
     * @param state what {@code __setstate__} is given, or attributes are set to; {@code None} for
     *     nothing
     */
    Made(
        By by,
        PickledValue callable,
        Items arguments,
        Entries entries,
        Items appended,
        PickledValue state) {
      this.by = by;
      this.callable = callable;
      this.arguments = arguments;
      this.entries = entries;
      this.appended = appended;
      this.state = state;
    }

    private static Made of(By by, PickledValue callable, List<PickledValue> arguments) {
      Items tuple = new Items(PickleSequence.Kind.TUPLE, arguments);
      Items none = new Items(PickleSequence.Kind.LIST, List.of());
      return new Made(by, callable, tuple, new Entries(List.of(), List.of()), none, none());
    }

    By by() {
      return by;
    }

    PickledValue callable() {
      return callable;
    }

    Items arguments() {
      return arguments;
    }

    Entries entries() {
      return entries;
    }

    Items appended() {
      return appended;
    }

    PickledValue state() {
      return state;
    }

    private Made withEntries(Entries all) {
      return new Made(by, callable, arguments, all, appended, state);
    }

    /** The same with what {@code __setstate__} is given, or what the attributes are set to. */
    public Made withState(PickledValue attributes) {
      return new Made(by, callable, arguments, entries, appended, attributes);
    }
  }

  /**
   * A tensor with a storage of its own in the file, whole and in row-major order; its name is of no
   * account.
   */
  record Tensor(TensorSpec spec) implements PickledValue {}

  /** Python's {@code None}. */
  static PickledValue none() {
    return new Plain(None.NONE);
  }

  /** {@code True} or {@code False}. */
  static PickledValue truth(boolean value) {
    return new Plain(value);
  }

  /** An integer. */
  static PickledValue integer(long value) {
    return new Plain(value);
  }

  /** An integer of any size. */
  static PickledValue integer(BigInteger value) {
    return new Plain(value);
  }

  /** A float. */
  static PickledValue real(double value) {
    return new Plain(value);
  }

  /** Text. */
  static PickledValue text(String value) {
    return new Plain(value);
  }

  /** A tuple. */
  static PickledValue tuple(List<PickledValue> items) {
    return new Items(PickleSequence.Kind.TUPLE, items);
  }

  /** A list. */
  static PickledValue list(List<PickledValue> items) {
    return new Items(PickleSequence.Kind.LIST, items);
  }

  /** Bytes. */
  static PickledValue bytes(byte[] value) {
    return new Plain(value.clone());
  }

  /** A set. */
  static PickledValue set(List<PickledValue> items) {
    return new Items(PickleSequence.Kind.SET, items);
  }

  /** A {@code torch.Size}. */
  static PickledValue size(List<PickledValue> items) {
    return new Items(PickleSequence.Kind.SIZE, items);
  }

  /** A dict with its entries in their order. */
  static PickledValue dict(Map<PickledValue, PickledValue> entries) {
    return new Entries(keys(entries), values(entries));
  }

  /** An {@code OrderedDict} with its entries in their order. */
  static PickledValue ordered(Map<PickledValue, PickledValue> entries) {
    Made empty = call(global("collections", "OrderedDict"), List.of());
    return empty.withEntries(new Entries(keys(entries), values(entries)));
  }

  private static List<PickledValue> keys(Map<PickledValue, PickledValue> entries) {
    return List.copyOf(entries.keySet());
  }

  private static List<PickledValue> values(Map<PickledValue, PickledValue> entries) {
    return List.copyOf(entries.values());
  }

  /** A class or function. */
  static PickledValue global(String module, String name) {
    return new Name(module, name);
  }

  /** What calling a class or function gives. */
  static Made call(PickledValue callable, List<PickledValue> arguments) {
    return Made.of(Made.By.CALL, callable, arguments);
  }

  /** An object of a class, which {@code __init__} is not called for. */
  static Made instance(PickledValue type, List<PickledValue> arguments) {
    return Made.of(Made.By.NEW, type, arguments);
  }

  /** A tensor with a storage of its own: the next of the file. */
  static PickledValue tensor(TensorSpec spec) {
    return new Tensor(spec);
  }
}
