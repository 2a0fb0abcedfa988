package dev.reweave.tensor;

import java.io.Serializable;
import java.util.Objects;

/**
 * What tells whether the elements of a tensor, or of a part of it, are ill. Parts can be put
 * together in any order, and the result is the same. Cheap enough for every conversion: of the
 * bits, without making numbers of them.
 *
 * <p>All but overflows and underflows is of what is written, since that is what is served. Of
 * integers and bools only zeros and {@code uniform} are told. A complex number is what {@link
 * TensorStatistics} says, and never subnormal.
 *
 * @param elements number of elements
 * @param nans how many are NaN
 * @param infinities how many are infinite, of both signs
 * @param subnormals how many are not zero and smaller than the least normal number of their type
 * @param overflows how many were finite and became infinite in the cast
 * @param underflows how many were not zero and became zero in the cast; what became subnormal is
 *     not among them
 * @param firstNonfinite index in the tensor of the first element that is NaN or infinite; {@link
 *     #NOWHERE} if none is
 * @param sameness what tells whether they are all zero, or all the same
 */
public record ValueFacts(
    long elements,
    long nans,
    long infinities,
    long subnormals,
    long overflows,
    long underflows,
    long firstNonfinite,
    Sameness sameness)
    implements Serializable {

  /** No index. */
  public static final long NOWHERE = Long.MAX_VALUE;

  /** Of no elements. */
  public static final ValueFacts NONE =
      new ValueFacts(0, 0, 0, 0, 0, 0, NOWHERE, new Sameness(0, 0, true));

  /**
   * How far elements are the same.
   *
   * @param zeros how many are zero, of both signs; {@code False} too
   * @param bits of each element if all have the same, or 0
   * @param uniform whether all have the same bits; true of no elements
   */
  public record Sameness(long zeros, long bits, boolean uniform) implements Serializable {
    private Sameness plus(Sameness other) {
      boolean same = uniform && other.uniform && bits == other.bits;
      return new Sameness(zeros + other.zeros, same ? bits : 0, same);
    }
  }

  /**
   * Of some elements.
   *
   * @param data holds them, little-endian
   * @param offset first byte of the first one
   * @param elements how many
   * @param index of the first one in the tensor
   * @throws IndexOutOfBoundsException if they do not fit in the array
   */
  public static ValueFacts of(DType type, byte[] data, int offset, int elements, long index) {
    Objects.checkFromIndexSize((long) offset, (long) elements * type.bytes(), data.length);
    FloatLanes.Counts counts = count(type, data, offset, elements);
    boolean finite = counts.nans() + counts.infinities() == 0;
    boolean uniform = BitLanes.isUniform(type.bytes(), data, offset, elements);
    return new ValueFacts(
        elements,
        counts.nans(),
        counts.infinities(),
        counts.subnormals(),
        0,
        0,
        finite ? NOWHERE : index + firstNonfinite(type, data, offset, elements),
        new Sameness(
            counts.zeros(),
            uniform ? BitLanes.first(type.bytes(), data, offset, elements) : 0,
            uniform));
  }

  private static FloatLanes.Counts count(DType type, byte[] data, int offset, int elements) {
    if (type.isCastable()) {
      return FloatLanes.of(type).count(data, offset, elements);
    }
    if (type.isFloat8()) {
      return ByteFloats.count(type, data, offset, elements);
    }
    if (type == DType.C64) {
      TensorStatistics parts = TensorStatistics.of(type, data, offset, elements);
      return new FloatLanes.Counts(parts.nans(), parts.infinities(), parts.zeros(), 0);
    }
    return new FloatLanes.Counts(0, 0, BitLanes.zeros(type.bytes(), data, offset, elements), 0);
  }

  private static int firstNonfinite(DType type, byte[] data, int offset, int elements) {
    if (type.isCastable()) {
      return FloatLanes.of(type).firstNonfinite(data, offset, elements);
    }
    if (type == DType.C64) {
      return FloatLanes.F32.firstNonfinite(data, offset, 2 * elements) / 2;
    }
    return ByteFloats.firstNonfinite(type, data, offset, elements);
  }

  /**
   * Of elements that were cast to another type.
   *
   * @param in what was cast, from byte {@code inOffset} on
   * @param out what that gave, from byte {@code outOffset} on
   * @param index of the first one in the tensor
   */
  public static ValueFacts ofCast(
      Cast cast, byte[] in, int inOffset, byte[] out, int outOffset, int elements, long index) {
    ValueFacts made = of(cast.to(), out, outOffset, elements, index);
    if (made.infinities + made.sameness.zeros == 0) {
      return made;
    }
    // No NaN becomes anything else, no infinity and no zero either.
    long infinities = 0;
    long zeros = 0;
    if (cast.from().isFloat8()) {
      FloatLanes.Counts before = ByteFloats.count(cast.from(), in, inOffset, elements);
      infinities = before.infinities();
      zeros = before.zeros();
    } else {
      FloatLanes before = FloatLanes.of(cast.from());
      infinities = made.infinities == 0 ? 0 : before.infinities(in, inOffset, elements);
      zeros = made.sameness.zeros == 0 ? 0 : before.zeros(in, inOffset, elements);
    }
    return new ValueFacts(
        made.elements,
        made.nans,
        made.infinities,
        made.subnormals,
        made.infinities - infinities,
        made.sameness.zeros - zeros,
        made.firstNonfinite,
        made.sameness);
  }

  /** Of these elements and others. */
  public ValueFacts plus(ValueFacts other) {
    if (elements == 0 || other.elements == 0) {
      return elements == 0 ? other : this;
    }
    return new ValueFacts(
        elements + other.elements,
        nans + other.nans,
        infinities + other.infinities,
        subnormals + other.subnormals,
        overflows + other.overflows,
        underflows + other.underflows,
        Math.min(firstNonfinite, other.firstNonfinite),
        sameness.plus(other.sameness));
  }

  /** Whether all elements are zero; there is at least one. */
  public boolean areZero() {
    return elements > 0 && sameness.zeros == elements;
  }

  /** Whether all elements are the same, bit for bit; there are at least two. */
  public boolean areSame() {
    return elements > 1 && sameness.uniform;
  }
}
