package dev.reweave.tensor;

import dev.reweave.common.ReweaveException;

/** What is wrong with tensors and their names, whatever file they are from. */
final class TensorFailures {
  private static final int SHOWN_CHARS = 200;
  private static final String RENAME =
      "rename or drop the tensor where it was saved: this is no name of a parameter";

  private TensorFailures() {}

  /** Two files, or two entries of one, have a tensor of this name. */
  static ReweaveException sameName(String name, String place) {
    return new ReweaveException(
        "two tensors are called " + shown(name), place, "keep one of them where it was saved");
  }

  /** Two tensors whose names look alike. */
  static ReweaveException sameText(String one, String other, String place) {
    return new ReweaveException(
        "the names "
            + spelled(one)
            + " and "
            + spelled(other)
            + " are the same text in two spellings of Unicode",
        place,
        "rename one of them where it was saved");
  }

  /** A damaged or hostile file. */
  static ReweaveException emptyName(String place) {
    return new ReweaveException("a tensor has an empty name", place, RENAME);
  }

  /** A damaged or hostile file. */
  static ReweaveException nameNotUnicode(String name, String place) {
    return new ReweaveException(
        "the name " + shown(name) + " has half a surrogate pair, which UTF-8 cannot write",
        place,
        RENAME);
  }

  /** A damaged or hostile file. */
  static ReweaveException nameTooLong(String name, int bytes, int most, String place) {
    return new ReweaveException(
        "the name " + shown(name) + " has " + bytes + " bytes, more than " + most, place, RENAME);
  }

  /** A name that a safetensors header has another use for. */
  static ReweaveException nameMeansMetadata(String name, String place) {
    return new ReweaveException(
        "the name '" + name + "' means metadata in a safetensors file", place, RENAME);
  }

  /** A rule for tensors of four or six bits. */
  static ReweaveException sharedBytes(TensorSpec tensor, int dim) {
    return ReweaveException.unsupported(
        "elements of "
            + tensor.dtype().torchName()
            + " share bytes, so that a mapping cannot part or join them along dimension "
            + dim,
        "tensor " + tensor.name() + " of shape " + tensor.shape(),
        "leave its rule out of the mapping, or convert with --mapping none");
  }

  private static String shown(String name) {
    return "'" + (name.length() <= SHOWN_CHARS ? name : name.substring(0, SHOWN_CHARS) + "…") + "'";
  }

  /** In ASCII, as the two look the same. */
  private static String spelled(String name) {
    StringBuilder ascii = new StringBuilder();
    for (char c : shown(name).toCharArray()) {
      if (c < 0x80) {
        ascii.append(c);
      } else {
        ascii.append(String.format("\\u%04x", (int) c));
      }
    }
    return ascii.toString();
  }
}
