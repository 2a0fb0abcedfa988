package dev.reweave.checkpoint.fsdp;

import dev.reweave.format.pytorch.TorchValue;
import java.util.Optional;

/**
 * What one dimension of a mesh does to a tensor ({@code
 * torch/distributed/tensor/placement_types.py}).
 *
 * @param dim of the tensor, which is cut; -1 if each rank has all of it
 * @param factor into how many parts dimensions of the mesh to the right cut it before; 1 if none do
 */
record Placement(int dim, long factor) {
  private static final Placement REPLICATE = new Placement(-1, 1);

  /**
   * Reads one.
   *
   * @param name of the tensor
   * @param rank number of the tensor's dimensions
   * @throws dev.reweave.common.ReweaveException if it is none, or not of this tensor
   */
  static Placement of(String name, TorchValue value, int rank) {
    return switch (value.className()) {
      case "Replicate" -> REPLICATE;
      case "Shard" -> new Placement(dim(name, value, rank), 1);
      case "_StridedShard" -> new Placement(dim(name, value, rank), factor(name, value));
      case "Partial", "_Partial", "_NormPartial", "_MaskPartial" ->
          throw FsdpFailures.partial(name, value.place());
      default -> throw FsdpFailures.unknownPlacement(name, value.kind(), value.place());
    };
  }

  /** Classes of C++ are pickled with their arguments, those of Python with attributes. */
  private static Optional<Long> number(TorchValue value, String attribute, int argument) {
    return value
        .attribute(attribute)
        .or(() -> value.arguments(argument + 1).stream().skip(argument).findFirst())
        .filter(TorchValue::isInteger)
        .map(TorchValue::integer);
  }

  private static int dim(String name, TorchValue value, int rank) {
    long dim =
        number(value, "dim", 0)
            .orElseThrow(() -> FsdpFailures.unknownPlacement(name, value.kind(), value.place()));
    if (dim < -rank || dim >= rank) {
      throw FsdpFailures.noDimension(name, dim, rank, value.place());
    }
    return (int) (dim < 0 ? dim + rank : dim);
  }

  private static long factor(String name, TorchValue value) {
    return number(value, "split_factor", 1)
        .or(() -> number(value, "_symbolic_split_factor", 1))
        .filter(factor -> factor >= 1)
        .orElseThrow(() -> FsdpFailures.unknownPlacement(name, value.kind(), value.place()));
  }

  boolean isShard() {
    return dim >= 0;
  }

  /** As torch prints it. */
  @Override
  public String toString() {
    if (!isShard()) {
      return "Replicate()";
    }
    return factor == 1 ? "Shard(" + dim + ")" : "_StridedShard(" + dim + ", " + factor + ")";
  }
}
