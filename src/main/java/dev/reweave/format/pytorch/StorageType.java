package dev.reweave.format.pytorch;

import dev.reweave.tensor.DType;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A class of storage that a persistent id names, such as {@code torch.FloatStorage}.
 *
 * @param dtype type of the elements; empty if it stands elsewhere or is not supported
 * @param bytes size of one element, as the legacy format counts them
 */
record StorageType(Optional<DType> dtype, int bytes) {
  private static final Set<String> MODULES = Set.of("torch", "torch.cuda", "torch.storage");

  private static final Map<String, StorageType> BY_NAME =
      Map.ofEntries(
          of("Double", DType.F64),
          of("Float", DType.F32),
          of("Half", DType.F16),
          of("BFloat16", DType.BF16),
          of("Long", DType.I64),
          of("Int", DType.I32),
          of("Short", DType.I16),
          of("Char", DType.I8),
          of("Byte", DType.U8),
          of("Bool", DType.BOOL),
          of("ComplexFloat", DType.C64),
          of("ComplexDouble", 16),
          of("QInt8", 1),
          of("QUInt8", 1),
          of("QUInt4x2", 1),
          of("QUInt2x4", 1),
          of("QInt32", 4),
          of("Untyped", 1),
          of("_Untyped", 1));

  private static Map.Entry<String, StorageType> of(String name, DType dtype) {
    return Map.entry(name + "Storage", new StorageType(Optional.of(dtype), dtype.bytes()));
  }

  private static Map.Entry<String, StorageType> of(String name, int bytes) {
    return Map.entry(name + "Storage", new StorageType(Optional.empty(), bytes));
  }

  private static final Map<DType, String> NAMES =
      BY_NAME.entrySet().stream()
          .filter(entry -> entry.getValue().dtype().isPresent())
          .collect(
              Collectors.toUnmodifiableMap(
                  entry -> entry.getValue().dtype().orElseThrow(), Map.Entry::getKey));

  /** The class for elements of this type; empty for types that are younger than torch 2. */
  static Optional<String> nameOf(DType dtype) {
    return Optional.ofNullable(NAMES.get(dtype));
  }

  static Optional<StorageType> of(PickleGlobal name) {
    return MODULES.contains(name.module())
        ? Optional.ofNullable(BY_NAME.get(name.name()))
        : Optional.empty();
  }
}
