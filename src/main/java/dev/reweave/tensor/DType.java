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
 * ordinal, then by name. {@link #name()} is the name in a safetensors header.
 *
 * <p>Elements of the types narrower than a byte (F4 and F6, of the OCP's "Microscaling Formats")
 * are packed without gaps: they share bytes, and are never taken apart here. What is addressed of
 * them, by layouts, runs and storages, is a <i>unit</i>: one byte. Of all other types a unit is an
 * element.
 */
public enum DType {
  BOOL(1, "bool", Kind.OTHER),
  F4("float4_e2m1fn", 4),
  F6_E2M3("float6_e2m3fn", 6),
  F6_E3M2("float6_e3m2fn", 6),
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
    PACKED,
    OTHER
  }

  /** What torch calls the type of two F4 in one byte, which it counts as one element. */
  public static final String TORCH_PAIR = "float4_e2m1fn_x2";

  private final int bits;
  private final int bytes;
  private final String torchName;
  private final Kind kind;

  DType(int bytes, String torchName, Kind kind) {
    this.bits = bytes * Byte.SIZE;
    this.bytes = bytes;
    this.torchName = torchName;
    this.kind = kind;
  }

  DType(String torchName, int bits) {
    this.bits = bits;
    this.bytes = 1;
    this.torchName = torchName;
    this.kind = Kind.PACKED;
  }

  /** Size of one element in bits: 4, 6, 8, 16, 32 or 64. */
  public int bits() {
    return bits;
  }

  /** Size in bytes of one unit, which is an element unless the type {@link #isPacked}. */
  public int bytes() {
    return bytes;
  }

  /** Whether elements are narrower than a byte, and share bytes. */
  public boolean isPacked() {
    return kind == Kind.PACKED;
  }

  /**
   * The name without its module, as in {@code torch.float16}. Torch has no F6, and of F4 the {@code
   * float4_e2m1fn_x2} of two; one element is called as {@code ml_dtypes} does.
   */
  public String torchName() {
    return torchName;
  }

  /** Whether a cast takes and gives it: 16, 32 and 64 bit floating point. */
  public boolean isCastable() {
    return kind == Kind.FLOAT;
  }

  /** Whether a change of {@code --dtype} applies: floating point of 8 bits and more. */
  public boolean isRetyped() {
    return kind == Kind.FLOAT || kind == Kind.FLOAT8;
  }

  /** Whether it is floating point of 8 bits: a cast widens it, and none gives it. */
  public boolean isFloat8() {
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
          case TORCH_PAIR -> F4.torchName;
          default -> name;
        };
    return Arrays.stream(values()).filter(t -> t.torchName.equals(canonical)).findFirst();
  }

  /** All torch names, for messages. */
  public static String torchNames() {
    return Arrays.stream(values()).map(DType::torchName).collect(Collectors.joining(", "));
  }
}
