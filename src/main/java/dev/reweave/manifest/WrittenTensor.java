package dev.reweave.manifest;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.PlannedFile;
import dev.reweave.plan.Segment;
import dev.reweave.storage.Checksum;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import dev.reweave.tensor.ValueFacts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One tensor of a result, as the manifest tells of it: what is 0 or false is left out there.
 *
 * @param dtype as torch calls it, such as {@code bfloat16}
 * @param shape lengths of its dimensions, outermost first
 * @param shard path of the file that holds it
 * @param offset its first byte in that file
 * @param crc32c of its bytes, in eight hexadecimal digits
 * @param nans elements that are NaN
 * @param infinities elements that are infinite, of both signs
 * @param subnormals elements that are not zero and smaller than the least normal number
 * @param overflows elements that were finite and became infinite in the cast
 * @param underflows elements that were not zero and became zero in the cast
 * @param zero whether all elements are zero
 * @param constant whether all of several elements are the same, and not zero
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record WrittenTensor(
    String name,
    String dtype,
    List<Long> shape,
    String shard,
    long offset,
    String crc32c,
    @JsonInclude(Include.NON_DEFAULT) long nans,
    @JsonInclude(Include.NON_DEFAULT) long infinities,
    @JsonInclude(Include.NON_DEFAULT) long subnormals,
    @JsonInclude(Include.NON_DEFAULT) long overflows,
    @JsonInclude(Include.NON_DEFAULT) long underflows,
    @JsonInclude(Include.NON_DEFAULT) boolean zero,
    @JsonInclude(Include.NON_DEFAULT) boolean constant) {

  // A manifest can be edited, and Jackson gives null for what is absent.
  public WrittenTensor {
    name = name == null ? "" : name;
    dtype = dtype == null ? "" : dtype;
    shape = shape == null ? List.of() : List.copyOf(shape);
    shard = shard == null ? "" : shard;
    crc32c = crc32c == null ? "" : crc32c;
  }

  /**
   * All tensors of a plan, in the order of their bytes.
   *
   * @param facts by name, of those that have elements; of some elements alone where a plan was
   *     tried in part
   */
  public static List<WrittenTensor> of(ConversionPlan plan, Map<String, TensorFacts> facts) {
    List<WrittenTensor> tensors = new ArrayList<>();
    for (PlannedFile file : plan.shards()) {
      for (int s = 0; s < file.segments().size(); s++) {
        if (file.segments().get(s) instanceof Segment.OfTensor ofTensor && ofTensor.isFirst()) {
          TensorFacts known = facts.getOrDefault(ofTensor.spec().name(), TensorFacts.NONE);
          tensors.add(of(ofTensor.spec(), file.path(), file.position(s), known));
        }
      }
    }
    return tensors;
  }

  private static WrittenTensor of(TensorSpec spec, String shard, long offset, TensorFacts facts) {
    ValueFacts values = facts.values();
    boolean whole = values.elements() == spec.units();
    return new WrittenTensor(
        spec.name(),
        spec.dtype().torchName(),
        Arrays.stream(spec.shape().dims()).boxed().toList(),
        shard,
        offset,
        Checksum.hex(facts.crc32c()),
        values.nans(),
        values.infinities(),
        values.subnormals(),
        values.overflows(),
        values.underflows(),
        whole && values.areZero(),
        whole && values.areSame() && !values.areZero());
  }

  /** Elements that are NaN or infinite. */
  public long nonfinite() {
    return nans + infinities;
  }

  /** Number of elements; empty if the shape is none. */
  public Optional<Long> elements() {
    long elements = 1;
    for (long dim : shape) {
      if (dim < 0 || Math.multiplyHigh(elements, dim) != 0 || elements * dim < 0) {
        return Optional.empty();
      }
      elements *= dim;
    }
    return Optional.of(elements);
  }

  /** Length in the file in bytes; empty if type or shape are none. */
  public Optional<Long> bytes() {
    return DType.ofTorchName(dtype)
        .flatMap(
            type ->
                elements()
                    .filter(n -> n <= Long.MAX_VALUE / type.bits())
                    .map(n -> n * type.bits() / Byte.SIZE));
  }

  /**
   * Whether it is a matrix, or more, of floating-point numbers: no norm, bias, mask or counter.
   * Some models keep a norm or bias as {@code [1, n, 1]}, which is a vector all the same.
   */
  boolean isWeight() {
    return shape.stream().filter(dim -> dim > 1).count() > 1
        && elements().orElse(0L) > 1
        && DType.ofTorchName(dtype).map(DType::isFloatingPoint).orElse(false);
  }
}
