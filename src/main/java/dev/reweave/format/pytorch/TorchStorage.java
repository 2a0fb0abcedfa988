package dev.reweave.format.pytorch;

/**
 * A storage as a persistent id describes it.
 *
 * @param key names its bytes in the file
 * @param elements number of elements, each of {@code type.bytes()}
 * @param viewOffset first element that is meant; not 0 in old legacy files alone
 */
record TorchStorage(String key, StorageType type, long elements, long viewOffset) {
  TorchStorage {
    if (elements < 0 || viewOffset < 0) {
      throw new IllegalArgumentException(
          "storage " + key + " of " + elements + " elements, viewed from " + viewOffset);
    }
  }

  /** Number of elements of {@code elementBytes} bytes that fit. */
  long elementsOf(int elementBytes) {
    return elementBytes == type.bytes()
        ? elements
        : Math.multiplyExact(elements, (long) type.bytes()) / elementBytes;
  }
}
