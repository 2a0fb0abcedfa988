package dev.reweave.format.pytorch;

import dev.reweave.format.pytorch.PickleSequence.Kind;
import dev.reweave.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * A value with the elements of its tensors, which are few: what can be written as a whole.
 *
 * @param value with its tensors
 * @param storages the bytes of each tensor in it, little-endian, in the order in which {@link
 *     PickledValue.Tensor} come in it
 */
public record StoredValue(PickledValue value, List<byte[]> storages) implements Serializable {
  /** Most bytes of tensors in a value that is held whole. */
  private static final long MOST_BYTES = 1 << 20;

  /** How deep values may lie in each other: deeper ones would not be written by Python either. */
  private static final int DEEPEST = 200;

  public StoredValue {
    storages = List.copyOf(storages);
  }

  /** A value without tensors. */
  public static StoredValue of(PickledValue value) {
    return new StoredValue(value, List.of());
  }

  /**
   * A value of a file, so that it can be written again.
   *
   * @throws dev.reweave.common.ReweaveException if it holds what cannot be written: itself, a
   *     storage without a tensor, or tensors of more than a megabyte
   * @throws IOException if the store fails
   */
  public static StoredValue of(TorchFile file, TorchValue value) throws IOException {
    Copy copy = new Copy(file, value);
    return new StoredValue(copy.of(value.value(), 0), copy.storages);
  }

  /** Copies what an unpickler read. */
  private static final class Copy {
    private final TorchFile file;
    private final TorchValue root;
    private final IdentityHashMap<Object, Optional<PickledValue>> copied = new IdentityHashMap<>();
    private final List<byte[]> storages = new ArrayList<>();
    private long bytes;

    Copy(TorchFile file, TorchValue root) {
      this.file = file;
      this.root = root;
    }

    PickledValue of(Object value, int depth) throws IOException {
      Optional<PickledValue> known = copied.get(value);
      if (known != null) {
        return known.orElseThrow(() -> TorchValueFailures.holdsItself(root));
      }
      if (depth > DEEPEST) {
        throw TorchValueFailures.tooDeep(root, DEEPEST);
      }
      copied.put(value, Optional.empty());
      PickledValue copy = made(value, depth + 1);
      copied.put(value, Optional.of(copy));
      return copy;
    }

    private PickledValue made(Object value, int depth) throws IOException {
      if (value instanceof PickleSequence items) {
        return items(items, depth);
      }
      if (value instanceof PickleDict dict) {
        PickledValue.Entries entries = entries(dict, depth);
        return dict.made().isPresent() ? object(dict.made().get(), entries, depth) : entries;
      }
      if (value instanceof PickleGlobal global) {
        return PickledValue.global(global.module(), global.name());
      }
      if (value instanceof TorchTensor tensor) {
        return tensor(tensor);
      }
      if (value instanceof PickleObject object) {
        return object(object, entries(object.dict().orElseGet(PickleDict::new), depth), depth);
      }
      if (value instanceof TorchStorage || !(value instanceof Serializable plain)) {
        throw TorchValueFailures.cannotBeWritten(root);
      }
      return new PickledValue.Plain(plain);
    }

    private PickledValue object(PickleObject object, PickledValue.Entries entries, int depth)
        throws IOException {
      if (!object.isWhole()) {
        throw TorchValueFailures.cannotBeMade(object, root);
      }
      return new PickledValue.Made(
          object.isNew() ? PickledValue.Made.By.NEW : PickledValue.Made.By.CALL,
          of(object.callable(), depth),
          items(object.arguments(), depth),
          entries,
          items(object.list().orElseGet(() -> new PickleSequence(Kind.LIST)), depth),
          of(object.state(), depth));
    }

    private PickledValue.Items items(PickleSequence sequence, int depth) throws IOException {
      List<PickledValue> items = new ArrayList<>(sequence.size());
      for (int i = 0; i < sequence.size(); i++) {
        items.add(of(sequence.item(i), depth));
      }
      return new PickledValue.Items(sequence.kind(), items);
    }

    private PickledValue.Entries entries(PickleDict dict, int depth) throws IOException {
      List<PickledValue> keys = new ArrayList<>();
      List<PickledValue> values = new ArrayList<>();
      for (Map.Entry<Object, Object> entry : dict.entries().entrySet()) {
        keys.add(of(entry.getKey(), depth));
        values.add(of(entry.getValue(), depth));
      }
      return new PickledValue.Entries(keys, values);
    }

    private PickledValue tensor(TorchTensor tensor) throws IOException {
      TensorSpec spec = TensorSpec.ofTorch("", tensor.dtype(), tensor.shape());
      bytes += spec.bytes();
      if (bytes > MOST_BYTES) {
        throw TorchValueFailures.tensorsTooBig(root, MOST_BYTES);
      }
      storages.add(file.elements(tensor));
      return PickledValue.tensor(spec);
    }
  }

  /** A list that is put together of values. */
  public static final class Items {
    private final List<PickledValue> items = new ArrayList<>();
    private final List<byte[]> storages = new ArrayList<>();

    /** Adds a value behind those that are there. */
    public Items add(StoredValue value) {
      items.add(value.value());
      storages.addAll(value.storages());
      return this;
    }

    /** The list. */
    public StoredValue value() {
      return new StoredValue(PickledValue.list(items), storages);
    }
  }

  /** A dict with text for keys that is put together of values. */
  public static final class Dict {
    private final Map<PickledValue, PickledValue> entries = new LinkedHashMap<>();
    private final List<byte[]> storages = new ArrayList<>();

    /** Puts a value behind those that are there. */
    public Dict put(String key, StoredValue value) {
      return put(PickledValue.text(key), value);
    }

    /** Puts a value behind those that are there. */
    public Dict put(PickledValue key, StoredValue value) {
      if (entries.put(key, value.value()) != null) {
        throw new IllegalArgumentException("twice in a dict: " + key);
      }
      storages.addAll(value.storages());
      return this;
    }

    /** The dict. */
    public StoredValue value() {
      return new StoredValue(PickledValue.dict(entries), storages);
    }
  }

  /** Whether it is written as another one is. */
  public boolean isSameAs(StoredValue other) {
    return Arrays.equals(file("same"), other.file("same"));
  }

  /**
   * The file that {@code torch.save} would make of it.
   *
   * @param archiveName the file's name without its last suffix
   */
  public byte[] file(String archiveName) {
    TorchFileLayout layout = TorchFileLayout.of(archiveName, value);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int[] crcs = new int[layout.storages()];
    for (int s = 0; s < crcs.length; s++) {
      CRC32 crc = new CRC32();
      crc.update(storages.get(s));
      crcs[s] = (int) crc.getValue();
    }
    for (TorchFilePiece piece : layout.pieces(0, layout.length())) {
      if (piece instanceof TorchFilePiece.Literal literal) {
        out.writeBytes(literal.bytes());
      } else if (piece instanceof TorchFilePiece.Slot slot) {
        out.writeBytes(storages.get(slot.tensor()));
      } else if (piece instanceof TorchFileTail tail) {
        out.writeBytes(tail.bytes(crcs));
      }
    }
    return out.toByteArray();
  }
}
