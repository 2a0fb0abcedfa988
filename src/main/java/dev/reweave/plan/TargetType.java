package dev.reweave.plan;

import dev.reweave.tensor.DType;
import java.util.Optional;

/** Which type the floating-point tensors of a result get. Others keep theirs. */
public sealed interface TargetType {
  /** The name of {@link Keep} on the command line and in manifests. */
  String KEEP = "keep";

  /** The name of {@link LikeBase} on the command line and in manifests. */
  String LIKE_BASE = "like-base";

  /** One type for all. */
  record Fixed(DType type) implements TargetType {
    /** Checks that weights can be cast to it. */
    public Fixed {
      if (!type.isCastable() || type == DType.F64) {
        throw new IllegalArgumentException("no weights are cast to " + type.torchName());
      }
    }

    @Override
    public DType of(DType stored, Optional<DType> base) {
      return stored.isRetyped() ? type : stored;
    }

    @Override
    public String toString() {
      return type.torchName();
    }
  }

  /** The stored type. */
  record Keep() implements TargetType {
    @Override
    public DType of(DType stored, Optional<DType> base) {
      return stored;
    }

    @Override
    public String toString() {
      return KEEP;
    }
  }

  /** The type that the base has the tensor in. */
  record LikeBase() implements TargetType {
    @Override
    public DType of(DType stored, Optional<DType> base) {
      return stored.isRetyped() ? base.filter(DType::isCastable).orElse(stored) : stored;
    }

    @Override
    public String toString() {
      return LIKE_BASE;
    }
  }

  /**
   * The type of a tensor in the result.
   *
   * @param stored its type in the checkpoint
   * @param base its type in the base, if there is one
   */
  DType of(DType stored, Optional<DType> base);

  /**
   * What {@code --dtype} says: a torch name, {@code keep} or {@code like-base}.
   *
   * @throws IllegalArgumentException if it is none of them
   */
  static TargetType parse(String text) {
    return switch (text) {
      case KEEP -> new Keep();
      case LIKE_BASE -> new LikeBase();
      default ->
          DType.ofTorchName(text)
              .filter(t -> t == DType.F32 || t == DType.BF16 || t == DType.F16)
              .map(Fixed::new)
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "--dtype "
                              + text
                              + " is not one of float32, bfloat16, float16, keep, like-base"));
    };
  }
}
