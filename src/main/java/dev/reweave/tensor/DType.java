package dev.reweave.tensor;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Element type of a tensor.
 *
 * <p>The constants stand in the order of the {@code Dtype} enumeration of the safetensors reference
 * implementation ({@code safetensors/src/tensor.rs}): a shard holds its tensors by descending
 * ordinal, then by name. {@link #name()} is the name in a safetensors header. Types narrower than a
 * byte (F4, F6) are not supported.
 */
public enum DType {
  BOOL(1, "bool", Kind.OTHER),
  U8(1, "uint8", Kind.OTHER),
  I8(1, "int8", Kind.OTHER),
  F8_E5M2(1, "float8_e5m2", Kind.FLOAT8),
  F8_E4M3(1, "float8_e4m3fn", Kind.FLOAT8),
  F8_E8M0(1, "float8_e8m0fnu", Kind.FLOAT8),
  F8_E4M3FNUZ(1, "float8_e4m3fnuz", Kind.FLOAT8),
  F8_E5M2FNUZ(1, "float8_e5m2fnuz", Kind.FLOAT8),
  I16(2, "int16", Kind.OTHER),
  U16(2, "uint16", Kind.OTHER),
  F16(2, "float16", Kind.FLOAT),
  BF16(2, "bfloat16", Kind.FLOAT),
  I32(4, "int32", Kind.OTHER),
  U32(4, "uint32", Kind.OTHER),
  F32(4, "float32", Kind.FLOAT),
  C64(8, "complex64", Kind.OTHER),
  F64(8, "float64", Kind.FLOAT),
  I64(8, "int64", Kind.OTHER),
  U64(8, "uint64", Kind.OTHER);

  private enum Kind {
    FLOAT,
    FLOAT8,
    OTHER
  }

  private final int bytes;
  private final String torchName;
  private final Kind kind;

  DType(int bytes, String torchName, Kind kind) {
    this.bytes = bytes;
    this.torchName = torchName;
    this.kind = kind;
  }

  /** Size of one element in bytes: 1, 2, 4 or 8. */
  public int bytes() {
    return bytes;
  }

  /** The name without its module, as in {@code torch.float16}. */
  public String torchName() {
    return torchName;
  }

  /** Whether a change of {@code --dtype} applies: 16, 32 and 64 bit floating point. */
  public boolean isCastable() {
    return kind == Kind.FLOAT;
  }

  /** Whether it is floating point of 8 bits. */
  boolean isFloat8() {
    return kind == Kind.FLOAT8;
  }

  /** Whether it is floating point of any width. */
  public boolean isFloatingPoint() {
    return kind != Kind.OTHER;
  }

  /** The type with this name in a safetensors header, such as {@code BF16}. */
  public static Optional<DType> ofSafetensorsName(String name) {
    return Arrays.stream(values()).filter(t -> t.name().equals(name)).findFirst();
  }

  /** The type with this torch name, without module: {@code bfloat16}, {@code half}, … */
  public static Optional<DType> ofTorchName(String name) {
    String canonical =
        switch (name.toLowerCase(Locale.ROOT)) {
          case "half" -> "float16";
          case "float" -> "float32";
          case "double" -> "float64";
          case "short" -> "int16";
          case "int" -> "int32";
          case "long" -> "int64";
          case "cfloat" -> "complex64";
          default -> name;
        };
    return Arrays.stream(values()).filter(t -> t.torchName.equals(canonical)).findFirst();
  }

  /** All torch names, for messages. */
  public static String torchNames() {
    return Arrays.stream(values()).map(DType::torchName).collect(Collectors.joining(", "));
  }
}
