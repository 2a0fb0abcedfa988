package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.RandomAccess;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StorageRef.Endian;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What torch.save wrote before PyTorch 1.6, and still does if asked to ({@code _legacy_save} in
 * {@code torch/serialization.py}): a magic number, a protocol version, system information, the
 * value, and a list of storage keys, each a pickle; then for each key the number of elements in 8
 * bytes and the elements. All of it is little-endian on every machine ({@code
 * THPStorage_writeFileRaw}).
 */
final class LegacyContents implements TorchContents {
  private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  private static final long PROTOCOL = 1001;

  /** Longest pickle that can be the magic number, in any protocol. */
  static final int MAGIC_BYTES = 32;

  /** Where a storage's count of elements stands, and how many elements should follow. */
  private record Place(long position, TorchStorage storage) {}

  private final RandomAccess access;
  private final Object root;
  private final TorchGlobals globals;
  private final Map<String, Place> places;

  private LegacyContents(
      RandomAccess access, Object root, TorchGlobals globals, Map<String, Place> places) {
    this.access = access;
    this.root = root;
    this.globals = globals;
    this.places = places;
  }

  /** Whether a file that starts with these bytes has this format. */
  static boolean startsWithMagic(byte[] head) throws IOException {
    if (head.length == 0 || (head[0] != (byte) 0x80 && head[0] != 'L')) {
      return false;
    }
    PickleInput input = PickleInput.of(head, "magic number");
    try {
      return MAGIC.equals(load(input, new PickleBudget(input.place())));
    } catch (ReweaveException e) {
      return false;
    }
  }

  private static Object load(PickleInput input, PickleBudget budget) throws IOException {
    return new Unpickler(input, new TorchGlobals(budget), budget).load();
  }

  static LegacyContents read(RandomAccess access) throws IOException {
    PickleInput input = PickleInput.of(access);
    PickleBudget budget = new PickleBudget(input.place());
    load(input, budget);
    if (!load(input, budget).equals(PROTOCOL)) {
      throw PickleFailures.otherVersionOfFile(input);
    }
    load(input, budget);
    TorchGlobals globals = new TorchGlobals(budget);
    Object root = new Unpickler(input, globals, budget).load();
    if (!(load(input, budget) instanceof PickleSequence keys)) {
      throw PickleFailures.noListOfStorages(input);
    }
    return new LegacyContents(
        access,
        root,
        globals,
        places(keys, globals.storages(), input.position(), access.file().length()));
  }

  /** Walks the storages up to the first whose length is not known or is more than the file has. */
  private static Map<String, Place> places(
      PickleSequence keys, Map<String, TorchStorage> storages, long start, long end) {
    Map<String, Place> places = new HashMap<>();
    long position = start;
    for (Object key : keys.items()) {
      TorchStorage storage = key instanceof String ? storages.get(key) : null;
      long left = end - position - Long.BYTES;
      if (storage == null || left < 0 || storage.elements() > left / storage.type().bytes()) {
        break;
      }
      places.put(storage.key(), new Place(position, storage));
      position += Long.BYTES + storage.elements() * storage.type().bytes();
    }
    return places;
  }

  @Override
  public Optional<PickleId> pickle() {
    return Optional.empty();
  }

  @Override
  public Object root() {
    return root;
  }

  @Override
  public TorchGlobals globals() {
    return globals;
  }

  @Override
  public Stored locate(TorchTensor tensor) throws IOException {
    Place place = places.get(tensor.storageKey());
    if (place == null) {
      throw TorchFileFailures.storagesBeyondEnd(tensor, access.file());
    }
    byte[] count = new byte[Long.BYTES];
    access.readFully(place.position(), count, 0, count.length);
    long elements = ByteBuffer.wrap(count).order(ByteOrder.LITTLE_ENDIAN).getLong();
    TorchStorage storage = place.storage();
    if (elements != storage.elements()
        || storage.elementsOf(tensor.dtype().bytes()) != tensor.storageElements()) {
      throw TorchFileFailures.legacyStorageOfOtherLength(tensor, elements, access.file());
    }
    return new Stored(place.position() + Long.BYTES, Endian.LITTLE, StorageRef.NO_CRC);
  }
}
