package dev.reweave.format.pytorch;

import static java.lang.Boolean.TRUE;

import dev.reweave.tensor.DType;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The few globals whose calls are understood, each as the plain value that it would give. All
 * others, whatever they are, become a {@link PickleObject}.
 *
 * <p>What stands for malformed arguments is an IllegalArgumentException or ArithmeticException.
 */
final class TorchGlobals {
  /** Stands for what a persistent id names that is no storage. */
  static final PickleGlobal PERSISTENT_ID = new PickleGlobal("persistent", "id");

  private final PickleBudget budget;
  private final Map<String, TorchStorage> storages = new LinkedHashMap<>();
  private final Set<String> calls = new TreeSet<>();

  TorchGlobals(PickleBudget budget) {
    this.budget = budget;
  }

  /** The storages that persistent ids have named so far, by key. */
  Map<String, TorchStorage> storages() {
    return storages;
  }

  /** Names of all that the pickle wanted to be called and that is not understood. */
  Set<String> calls() {
    return Collections.unmodifiableSet(calls);
  }

  /** What calling {@code callable} stands for. */
  Object call(Object callable, PickleSequence arguments) {
    if (callable instanceof PickleGlobal global) {
      Optional<Object> known =
          switch (global.path()) {
            case "collections.OrderedDict" -> ordered(global, arguments);
            case "collections.defaultdict" ->
                Optional.of(new PickleDict(new PickleObject(global, arguments)));
            case "builtins.dict", "__builtin__.dict" ->
                arguments.size() == 0 ? Optional.of(new PickleDict()) : Optional.empty();
            case "builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset" ->
                sequence(arguments, PickleSequence.Kind.SET);
            case "torch.Size" -> sequence(arguments, PickleSequence.Kind.SIZE);
            case "_codecs.encode" -> latin1(arguments);
            case "builtins.bytes", "__builtin__.bytes" ->
                arguments.size() == 0 ? Optional.of(new byte[0]) : Optional.empty();
            case "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar" ->
                NumpyScalar.read(arguments);
            case "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type" ->
                arguments.size() == 4
                        && arguments.item(0) instanceof PickleGlobal rebuild
                        && arguments.item(2) instanceof PickleSequence inner
                    ? rebuild(rebuild, inner).map(made -> labelled(made, arguments.item(3)))
                    : Optional.empty();
            default -> rebuild(global, arguments);
          };
      if (known.isPresent()) {
        return known.get();
      }
      calls.add(global.path());
    }
    return new PickleObject(callable, arguments);
  }

  private Optional<Object> ordered(PickleGlobal type, PickleSequence arguments) {
    PickleDict dict = new PickleDict(new PickleObject(type, PickleSequence.EMPTY_TUPLE));
    if (arguments.size() == 0) {
      return Optional.of(dict);
    }
    if (arguments.size() != 1 || !(arguments.item(0) instanceof PickleSequence pairs)) {
      return Optional.empty();
    }
    budget.spend(pairs.size());
    for (int i = 0; i < pairs.size(); i++) {
      if (!(pairs.item(i) instanceof PickleSequence pair) || pair.size() != 2) {
        throw new IllegalArgumentException("an OrderedDict is made of something but pairs");
      }
      dict.put(pair.item(0), pair.item(1));
    }
    return Optional.of(dict);
  }

  private Optional<Object> sequence(PickleSequence arguments, PickleSequence.Kind kind) {
    if (arguments.size() == 0) {
      return Optional.of(new PickleSequence(kind));
    }
    if (arguments.size() != 1 || !(arguments.item(0) instanceof PickleSequence items)) {
      return Optional.empty();
    }
    // One long list could be made into many.
    budget.spend(items.size() / 8);
    return Optional.of(items.as(kind));
  }

  /** How Python 3 writes bytes in protocol 2. */
  private Optional<Object> latin1(PickleSequence arguments) {
    if (arguments.size() != 2
        || !(arguments.item(0) instanceof String text)
        || !arguments.item(1).equals("latin1")) {
      return Optional.empty();
    }
    budget.spend(1 + text.length() / 32);
    return Optional.of(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private Optional<Object> rebuild(PickleGlobal function, PickleSequence arguments) {
    return switch (function.path()) {
      case "torch._utils._rebuild_tensor" -> tensor(arguments, 4, -1, -1);
      case "torch._utils._rebuild_tensor_v2" -> tensor(arguments, 6, -1, 6);
      case "torch._utils._rebuild_tensor_v3" -> tensor(arguments, 7, 6, 7);
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" ->
          arguments.size() > 0 && arguments.item(0) instanceof TorchTensor
              ? Optional.of(arguments.item(0))
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  /** A tensor with the texts of its state, which is a dict of attributes unless it has slots. */
  private Object labelled(Object made, Object state) {
    if (!(made instanceof TorchTensor tensor) || !(state instanceof PickleDict attributes)) {
      return made;
    }
    budget.spend(attributes.entries().size());
    Map<String, String> texts = new LinkedHashMap<>();
    attributes
        .entries()
        .forEach(
            (key, value) -> {
              if (key instanceof String name && value instanceof String text) {
                texts.put(name, text);
              }
            });
    return tensor.labelled(texts);
  }

  /**
   * A tensor of the arguments storage, offset, size, stride, …; empty if its elements cannot be
   * read as they lie there.
   *
   * @param least fewest arguments
   * @param dtypeAt index of the argument that is the dtype, or -1
   * @param metadataAt index of the argument that may be the conjugate and negative bits, or -1
   */
  private Optional<Object> tensor(
      PickleSequence arguments, int least, int dtypeAt, int metadataAt) {
    if (arguments.size() < least) {
      throw new IllegalArgumentException("a tensor of " + arguments.size() + " arguments");
    }
    boolean altered =
        metadataAt >= 0
            && arguments.size() > metadataAt
            && arguments.item(metadataAt) instanceof PickleDict bits
            && (TRUE.equals(bits.entries().get("conj")) || TRUE.equals(bits.entries().get("neg")));
    if (altered || !(arguments.item(0) instanceof TorchStorage storage)) {
      return Optional.empty();
    }
    Optional<DType> dtype = dtypeAt < 0 ? storage.type().dtype() : dtypeOf(arguments.item(dtypeAt));
    if (dtype.isEmpty()) {
      return Optional.empty();
    }
    List<Long> strides = Dimensions.list(arguments.item(3));
    // Each tensor has a copy of its dimensions, and many can be made of one long tuple.
    budget.spend(4 + strides.size() / 4);
    return Optional.of(
        new TorchTensor(
            storage.key(),
            dtype.get(),
            storage.elementsOf(dtype.get().bytes()),
            Math.addExact(integer(arguments.item(1)), storage.viewOffset()),
            Dimensions.shape(arguments.item(2)),
            strides));
  }

  private static Optional<DType> dtypeOf(Object value) {
    return value instanceof PickleGlobal global && global.module().equals("torch")
        ? DType.ofTorchName(global.name())
        : Optional.empty();
  }

  private static long integer(Object value) {
    if (value instanceof Long number) {
      return number;
    }
    throw new IllegalArgumentException("a number of a tensor or storage is none");
  }

  /**
   * What a persistent id stands for: {@code ('storage', class, key, location, elements[, view])},
   * where the legacy format's view is None or {@code (key, offset, elements)}; or {@code ('module',
   * class, file, source)} in old legacy files, which is the class.
   */
  Object persistent(Object id) {
    if (!(id instanceof PickleSequence parts) || parts.size() < 2) {
      return new PickleObject(PERSISTENT_ID, PickleSequence.EMPTY_TUPLE);
    }
    if (parts.item(0).equals("module")) {
      return parts.item(1);
    }
    Optional<StorageType> type =
        parts.item(1) instanceof PickleGlobal name ? StorageType.of(name) : Optional.empty();
    if (!parts.item(0).equals("storage") || parts.size() < 5 || type.isEmpty()) {
      return new PickleObject(PERSISTENT_ID, parts);
    }
    long viewOffset =
        parts.size() > 5
                && parts.item(5) instanceof PickleSequence view
                && view.kind() == PickleSequence.Kind.TUPLE
                && view.size() == 3
            ? integer(view.item(1))
            : 0;
    if (!(parts.item(2) instanceof String key)) {
      throw new IllegalArgumentException("the key of a storage is no text");
    }
    TorchStorage storage = new TorchStorage(key, type.get(), integer(parts.item(4)), viewOffset);
    storages.putIfAbsent(key, storage);
    return storage;
  }
}
