package dev.reweave.format.safetensors;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import java.util.Arrays;
import java.util.List;

/** What is wrong with a safetensors file or its index, or with what one is to be made of. */
final class SafetensorsFailures {
  /** What to do about a damaged header. */
  static final String COPY_FILE =
      "the file is damaged or no safetensors file, so copy it again from its source";

  /** What to do about a damaged index. */
  static final String COPY_INDEX = "copy the index again from its source, or correct it";

  private SafetensorsFailures() {}

  /** The file is damaged, cut off, or something else. */
  private static ReweaveException damaged(String problem, String place) {
    return new ReweaveException(problem, place, COPY_FILE);
  }

  static ReweaveException tooShort(long bytes, String place) {
    return damaged("file of " + bytes + " bytes is too short for a header", place);
  }

  static ReweaveException headerTooLong(long bytes, String place) {
    return damaged(
        "header of "
            + Long.toUnsignedString(bytes)
            + " bytes is longer than the "
            + SafetensorsHeader.MAX_JSON_BYTES
            + " that readers accept",
        place);
  }

  static ReweaveException headerBeyondEnd(long bytes, long fileBytes, String place) {
    return damaged("header of " + bytes + " bytes ends after the file of " + fileBytes, place);
  }

  static ReweaveException noObject(String place) {
    return damaged("header does not begin with '{'", place);
  }

  static ReweaveException otherLength(long present, long described, String place) {
    return damaged(
        "file has " + present + " bytes of tensors where its header has " + described, place);
  }

  static ReweaveException gapBefore(SafetensorsHeader.Entry entry, long end, String place) {
    return damaged(
        tensor(entry.spec().name())
            + " begins at byte "
            + entry.begin()
            + ", after a gap from byte "
            + end,
        place);
  }

  static ReweaveException overlapping(SafetensorsHeader.Entry entry, String place) {
    return damaged(
        tensor(entry.spec().name())
            + " begins at byte "
            + entry.begin()
            + ", inside the tensor before it",
        place);
  }

  static ReweaveException incomplete(String tensor, String place) {
    return damaged(tensor(tensor) + " has no dtype, no shape or no pair of data_offsets", place);
  }

  static ReweaveException otherBytes(
      TensorSpec spec, String type, long begin, long end, String place) {
    return damaged(
        tensor(spec.name())
            + " of type %s and shape %s takes %d bytes, not those from %d to %d"
                .formatted(type, spec.shape(), spec.bytes(), begin, end),
        place);
  }

  static ReweaveException impossibleShape(String tensor, List<Long> shape, String place) {
    return damaged(tensor(tensor) + " has the impossible shape " + shape, place);
  }

  /** Elements of a type that safetensors has got since, or never had. */
  static ReweaveException unknownType(String tensor, String type, String place) {
    return ReweaveException.unsupported(
        tensor(tensor) + " has the unknown type '" + StrictJson.abbreviated(type) + "'",
        place,
        "convert it to one of " + Arrays.toString(DType.values()));
  }

  /** The repository was cloned without its large files. */
  static ReweaveException lfsPointer(String place) {
    return new ReweaveException(
        "the file is a git-lfs pointer, not the file itself",
        place,
        "run 'git lfs pull' where it was cloned, and copy it again");
  }

  /** The name says another kind. */
  static ReweaveException torchFile(String place) {
    return ReweaveException.unsupported(
        "the file is a torch.save file, not a safetensors file",
        place,
        "give it a name that ends in .pt");
  }

  /** The index is damaged, or is of another kind. */
  static ReweaveException noWeightMap(String place) {
    return new ReweaveException("index has no weight_map", place, COPY_INDEX);
  }

  /** Many tensors of long names in one shard. */
  static ReweaveException writtenHeaderTooLong(int bytes, int tensors) {
    return ReweaveException.usage(
        "header of "
            + bytes
            + " bytes is longer than the "
            + SafetensorsHeader.MAX_JSON_BYTES
            + " that readers accept",
        "shard of " + tensors + " tensors",
        "choose a smaller shard size");
  }

  /** A name that a header has another use for. */
  static ReweaveException nameMeansMetadata(String tensor) {
    return unwritable("name means metadata in a safetensors file", tensor);
  }

  /** A name that is no text. */
  static ReweaveException nameNotUnicode(String tensor) {
    return unwritable("name has half a surrogate pair, which UTF-8 cannot write", tensor);
  }

  private static ReweaveException unwritable(String problem, String tensor) {
    return ReweaveException.mismatch(
        problem, tensor(tensor), "rename or drop the tensor with a mapping");
  }

  /** A name that an index has another use for. */
  static ReweaveException nameMeansTotalSize(String tensor) {
    return ReweaveException.mismatch(
        "name of a dropped tensor means something else in the index",
        "tensor '" + tensor + "'",
        "rename the tensor with a mapping");
  }

  private static String tensor(String name) {
    return "tensor '" + StrictJson.abbreviated(name) + "'";
  }
}
