package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * A value in the tree that a file holds, with the path that led to it, for messages.
 *
 * <p>Looks no deeper than it is asked to, so that values that contain themselves do no harm. What
 * is asked of a value of the wrong kind is a {@link ReweaveException} that names file and path.
 */
public final class TorchValue {
  /** What to do about a tensor that is not stored as its elements. */
  public static final String AS_PLAIN =
      "make it one where it was saved (dequantize, to_dense, resolve_conj, resolve_neg,"
          + " full_tensor), of a type that safetensors has, or leave it out if it is no weight";

  private static final Pattern PLAIN_KEY = Pattern.compile("\\w+");

  private final String file;
  private final Optional<TorchValue> parent;
  private final Step kind;
  private final String step;
  private final Object value;

  /** What the last step of the way is, which is put into words when it is told. */
  private enum Step {
    /** A key of a dict. */
    KEY,
    /** As it is told. */
    TEXT
  }

  private TorchValue(
      String file, Optional<TorchValue> parent, Step kind, String step, Object value) {
    this.file = file;
    this.parent = parent;
    this.kind = kind;
    this.step = step;
    this.value = value;
  }

  /**
   * @param file address of the file, for messages
   */
  static TorchValue root(String file, Object value) {
    return new TorchValue(file, Optional.empty(), Step.TEXT, "", value);
  }

  private TorchValue child(String childStep, Object childValue) {
    return new TorchValue(file, Optional.of(this), Step.TEXT, childStep, childValue);
  }

  private TorchValue entry(String key, Object entryValue) {
    return new TorchValue(file, Optional.of(this), Step.KEY, key, entryValue);
  }

  /**
   * The way from the root, such as {@code optimizer_state_dict.fp32_flat_groups[1]} or {@code
   * module['fc.weight']}; empty for the root.
   */
  public String path() {
    Deque<String> steps = new ArrayDeque<>();
    for (TorchValue at = this; at.parent.isPresent(); at = at.parent.get()) {
      steps.addFirst(at.words());
    }
    String path = String.join("", steps);
    return path.startsWith(".") ? path.substring(1) : path;
  }

  private String words() {
    if (kind == Step.TEXT) {
      return step;
    }
    return PLAIN_KEY.matcher(step).matches() ? "." + step : "['" + step + "']";
  }

  /** Whether this is Python's None. */
  public boolean isNone() {
    return value == None.NONE;
  }

  /** Whether this is a dict, or a subclass of it that holds entries. */
  public boolean isDict() {
    return dict().isPresent();
  }

  /** Whether this is a list, tuple, {@code torch.Size} or set, or a subclass that holds items. */
  public boolean isSequence() {
    return sequence().isPresent();
  }

  /** Whether this is a tensor or parameter with plain elements in a storage of the file. */
  public boolean isTensor() {
    return value instanceof TorchTensor;
  }

  /**
   * Whether torch makes something of this that is not known here: an object of some class, such as
   * a tensor that is quantized or sparse.
   */
  public boolean isUnknownObject() {
    return value instanceof PickleObject && !isInteger();
  }

  /** Whether torch makes a tensor of this, and it is none with plain elements in the file. */
  public boolean isUnreadTensor() {
    return value instanceof PickleObject object && object.isTensor();
  }

  /** Whether this is text. */
  public boolean isText() {
    return value instanceof String;
  }

  /** Whether {@link #integer()} answers. */
  public boolean isInteger() {
    return asInteger().isPresent();
  }

  /** Whether {@link #real()} answers. */
  public boolean isReal() {
    return value instanceof Double || isInteger();
  }

  /** Whether this is True or False. */
  public boolean isTruth() {
    return value instanceof Boolean;
  }

  /**
   * The value at a key of a dict. An integer key is found by its decimal text.
   *
   * @return empty if this is no dict, the key is absent or its value None
   */
  public Optional<TorchValue> find(String key) {
    return dict()
        .flatMap(d -> lookUp(d, key))
        .filter(found -> found != None.NONE)
        .map(found -> entry(key, found));
  }

  /**
   * The value at a key of a dict.
   *
   * @throws ReweaveException if {@link #find} is empty
   */
  public TorchValue at(String key) {
    PickleDict dict = dict().orElseThrow(() -> wrong("a dict with '" + key + "'"));
    return find(key)
        .orElseThrow(
            () ->
                lookUp(dict, key).isPresent()
                    ? TorchValueFailures.hasNone(key, this)
                    : TorchValueFailures.lacks(key, this));
  }

  /** The entries of a dict in file order; keys that are no text as Python would print them. */
  public List<Map.Entry<String, TorchValue>> entries() {
    PickleDict dict = dict().orElseThrow(() -> wrong("a dict"));
    List<Map.Entry<String, TorchValue>> entries = new ArrayList<>(dict.entries().size());
    dict.entries()
        .forEach(
            (key, found) -> {
              String name = nameOf(key);
              entries.add(new SimpleImmutableEntry<>(name, entry(name, found)));
            });
    return entries;
  }

  /** The keys and values of a dict in file order, for keys that are no text. */
  public List<Map.Entry<TorchValue, TorchValue>> pairs() {
    PickleDict dict = dict().orElseThrow(() -> wrong("a dict"));
    List<Map.Entry<TorchValue, TorchValue>> pairs = new ArrayList<>(dict.entries().size());
    dict.entries()
        .forEach(
            (key, found) -> {
              String name = nameOf(key);
              pairs.add(
                  new SimpleImmutableEntry<>(child("'s key " + name, key), entry(name, found)));
            });
    return pairs;
  }

  /** The items of a list, tuple, {@code torch.Size} or set. */
  public List<TorchValue> items() {
    PickleSequence sequence = sequence().orElseThrow(() -> wrong("a list"));
    List<TorchValue> items = new ArrayList<>(sequence.size());
    for (int i = 0; i < sequence.size(); i++) {
      items.add(child("[" + i + "]", sequence.item(i)));
    }
    return items;
  }

  /** How many items a list, tuple or {@code torch.Size} has; cheaper than having them. */
  public int size() {
    return sequence().orElseThrow(() -> wrong("a list")).size();
  }

  /** The same object for all values that a pickle has once and names again. */
  public Object identity() {
    return value;
  }

  /** An attribute of an object of some class; empty if this is no object or lacks it. */
  public Optional<TorchValue> attribute(String name) {
    return value instanceof PickleObject object
        ? object.attribute(name).map(found -> entry(name, found))
        : Optional.empty();
  }

  /** What Python would have given to {@code __setstate__}; empty if this is no object. */
  public Optional<TorchValue> state() {
    return value instanceof PickleObject object
        ? Optional.of(child("'s state", object.state()))
        : Optional.empty();
  }

  /**
   * What a class or function would be called with to make this, at most so many; empty if this is
   * no object.
   */
  public List<TorchValue> arguments(int most) {
    List<TorchValue> arguments = new ArrayList<>();
    if (value instanceof PickleObject object) {
      for (int i = 0; i < Math.min(most, object.arguments().size()); i++) {
        arguments.add(child("'s argument " + i, object.arguments().item(i)));
      }
    }
    return arguments;
  }

  /** The class that this would be of, without its module; empty if this is no object. */
  public String className() {
    return value instanceof PickleObject object
        ? object.type().map(PickleGlobal::name).orElse("")
        : "";
  }

  /** A {@code torch.dtype} that safetensors has too. */
  public DType dtype() {
    if (value instanceof PickleGlobal global && global.module().equals("torch")) {
      return DType.ofTorchName(global.name())
          .orElseThrow(() -> TorchValueFailures.typeNotRead(global, this));
    }
    throw wrong("a torch.dtype");
  }

  /** An integer of Python or numpy, or that of an enumeration's constant; not a truth value. */
  public long integer() {
    return asInteger().orElseThrow(() -> wrong("an integer of 64 bits"));
  }

  /** A number of Python or numpy, integer or not. */
  public double real() {
    return value instanceof Double number
        ? number
        : asInteger().orElseThrow(() -> wrong("a number"));
  }

  /** A truth value. */
  public boolean truth() {
    if (value instanceof Boolean truth) {
      return truth;
    }
    throw wrong("True or False");
  }

  /** Text. */
  public String text() {
    if (value instanceof String text) {
      return text;
    }
    throw wrong("text");
  }

  /** A tensor, or the tensor of a parameter. */
  public TorchTensor tensor() {
    if (value instanceof TorchTensor tensor) {
      return tensor;
    }
    throw isUnreadTensor()
        ? TorchValueFailures.notPlain(this)
        : wrong("a tensor with plain elements");
  }

  /** A {@code torch.Size}, or a tuple or list of integers, as a shape. */
  public Shape shape() {
    if (!Dimensions.areIn(value)) {
      throw wrong("a shape");
    }
    try {
      return Dimensions.shape(value);
    } catch (IllegalArgumentException e) {
      throw TorchValueFailures.impossibleShape(this, e);
    }
  }

  private Optional<PickleDict> dict() {
    if (value instanceof PickleObject object) {
      return object.dict();
    }
    return value instanceof PickleDict dict ? Optional.of(dict) : Optional.empty();
  }

  private Optional<PickleSequence> sequence() {
    if (value instanceof PickleObject object) {
      return object.list();
    }
    return value instanceof PickleSequence items ? Optional.of(items) : Optional.empty();
  }

  private OptionalLong asInteger() {
    Object number = value;
    if (value instanceof PickleObject object
        && object.callable() instanceof PickleGlobal
        && object.arguments().size() == 1) {
      number = object.arguments().item(0);
    }
    return number instanceof Long integer ? OptionalLong.of(integer) : OptionalLong.empty();
  }

  private static Optional<Object> lookUp(PickleDict dict, String key) {
    Object found = dict.entries().get(key);
    if (found == null && key.matches("-?[0-9]{1,18}")) {
      found = dict.entries().get(Long.valueOf(key));
    }
    return Optional.ofNullable(found);
  }

  private static String nameOf(Object key) {
    if (key instanceof String || key instanceof Long || key instanceof Double) {
      return key.toString();
    }
    return key instanceof Boolean truth ? (truth ? "True" : "False") : kindOf(key);
  }

  private ReweaveException wrong(String expected) {
    return TorchValueFailures.unexpected(expected, this);
  }

  /** What this is, for messages: {@code a tuple}, {@code a value of numpy.ndarray}. */
  public String kind() {
    return kindOf(value);
  }

  /** The value as it was read. */
  Object value() {
    return value;
  }

  /** The file and the way to this value in it, for messages. */
  public String place() {
    String path = path();
    return path.isEmpty() ? file : file + " at " + path;
  }

  private static String kindOf(Object value) {
    if (value instanceof PickleObject object) {
      return object.type().map(type -> "a value of " + type).orElse("an object");
    }
    if (value instanceof PickleSequence sequence) {
      return switch (sequence.kind()) {
        case LIST -> "a list";
        case TUPLE -> "a tuple";
        case SIZE -> "a torch.Size";
        case SET -> "a set";
      };
    }
    if (value instanceof TorchTensor tensor) {
      return "a tensor of shape " + tensor.shape();
    }
    if (value instanceof PickleGlobal global) {
      return "the class or function " + global;
    }
    if (value instanceof PickleDict || value instanceof String) {
      return value instanceof String ? "text" : "a dict";
    }
    if (value instanceof Boolean) {
      return "True or False";
    }
    if (value instanceof byte[]) {
      return "bytes";
    }
    return value == None.NONE ? "None" : value instanceof Number ? "a number" : "a storage";
  }
}
