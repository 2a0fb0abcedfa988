package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.TensorSpec;
import java.util.HexFormat;

/** What is wrong with a file that torch.save should have written, or is to look like it. */
final class TorchFileFailures {
  private static final String COPY = "the file is damaged: copy it again from its source";

  private TorchFileFailures() {}

  /** A copy broke off, or is none. */
  static ReweaveException empty(InputFile file) {
    return new ReweaveException("the file is empty", file.uri(), "copy it again from its source");
  }

  /** The repository was cloned without its large files. */
  static ReweaveException lfsPointer(InputFile file) {
    return new ReweaveException(
        "the file is a git-lfs pointer, not the file itself",
        file.uri(),
        "run 'git lfs pull' where it was cloned, and copy it again");
  }

  /** A copy broke off. */
  static ReweaveException truncated(InputFile file) {
    return new ReweaveException(
        "the file is truncated: a zip without its end",
        file.uri(),
        "copy it again from its source; if it is as long there, the run died while saving it");
  }

  /** The name says another kind. */
  static ReweaveException safetensors(InputFile file) {
    return ReweaveException.unsupported(
        "the file is a safetensors file, not a torch.save file",
        file.uri(),
        "give it a name that ends in .safetensors");
  }

  /** An old file. */
  static ReweaveException tar(InputFile file) {
    return ReweaveException.unsupported(
        "the file is a tar, as torch.save wrote before PyTorch 0.1.10, or another",
        file.uri(),
        "load it with that PyTorch and save it again");
  }

  /** It was saved with {@code pickle}, or is damaged. */
  static ReweaveException plainPickle(InputFile file) {
    return ReweaveException.unsupported(
        "the file is a plain pickle, or its start is damaged, and not a torch.save file",
        file.uri(),
        "save it again with torch.save");
  }

  /**
   * The file is something else.
   *
   * @param start its first bytes
   */
  static ReweaveException somethingElse(InputFile file, byte[] start) {
    String shown = HexFormat.ofDelimiter(" ").formatHex(start, 0, Math.min(8, start.length));
    return ReweaveException.unsupported(
        "not a torch.save file: it starts with " + shown,
        file.uri(),
        "name a file that torch.save wrote");
  }

  /** The zip is something else. */
  static ReweaveException notOnePickle(int pickles, InputFile file) {
    return ReweaveException.unsupported(
        "a zip with " + pickles + " entries NAME/data.pkl is not a torch.save file",
        file.uri(),
        "name a file that torch.save wrote");
  }

  /** The model was scripted. */
  static ReweaveException torchScript(InputFile file) {
    return ReweaveException.unsupported(
        "a TorchScript program is not a torch.save file",
        file.uri(),
        "save the state dict of the model with torch.save");
  }

  /** The file is damaged. */
  static ReweaveException noByteOrder(String place) {
    return new ReweaveException("the byte order is neither little nor big", place, COPY);
  }

  /** The file is damaged. */
  static ReweaveException missingStorage(String key, String pickle) {
    return new ReweaveException("a storage is missing", pickle + " storage " + key, COPY);
  }

  /** The file is damaged. */
  static ReweaveException storageOfOtherLength(TorchTensor tensor, long bytes, String place) {
    return new ReweaveException(
        "sizes do not add up: the pickle states "
            + tensor.storageElements()
            + " elements of "
            + tensor.dtype().torchName()
            + " and the storage has "
            + bytes
            + " bytes",
        place,
        COPY);
  }

  /** The file is damaged or cut off. */
  static ReweaveException legacyStorageOfOtherLength(
      TorchTensor tensor, long elements, InputFile file) {
    return new ReweaveException(
        "sizes do not add up: the pickle states "
            + tensor.storageElements()
            + " elements of "
            + tensor.dtype().torchName()
            + " and the storage has "
            + elements,
        storage(file, tensor.storageKey()),
        "the file is damaged or cut off: copy it again from its source");
  }

  /** The file is damaged or cut off. */
  static ReweaveException storagesBeyondEnd(TorchTensor tensor, InputFile file) {
    return new ReweaveException(
        "sizes do not add up: the storages are longer than the file",
        storage(file, tensor.storageKey()),
        "the file is damaged or cut off: copy it again from its source");
  }

  /** The file is damaged. */
  static ReweaveException impossibleLength(
      TorchStorage storage, InputFile file, ArithmeticException cause) {
    return new ReweaveException(
        "a storage of impossible length", storage(file, storage.key()), COPY, cause);
  }

  /** The file is damaged. */
  static ReweaveException tensorBeyondStorage(
      TorchTensor tensor, InputFile file, IllegalArgumentException cause) {
    return new ReweaveException(
        "a tensor does not lie in its storage: " + cause.getMessage(),
        storage(file, tensor.storageKey()),
        COPY,
        cause);
  }

  /** Views of a few bytes as huge tensors, beyond 1 GiB and four times the file. */
  static ReweaveException repeatedElements(TorchTensor tensor, long bytes, InputFile file) {
    return ReweaveException.unsupported(
        "tensors repeat their elements: " + bytes + " bytes more than the file holds of them",
        storage(file, tensor.storageKey()),
        "save the tensors as they are, without expand() and as_strided()");
  }

  private static String storage(InputFile file, String key) {
    return file.uri() + " storage " + key;
  }

  /**
   * Elements of six bits, or an odd number of four bits in a row, and a {@code --format} of torch.
   */
  static ReweaveException noTypeOfTorch(TensorSpec tensor) {
    return ReweaveException.unsupported(
        "torch has no type for "
            + tensor.dtype().torchName()
            + " elements of shape "
            + tensor.shape(),
        "tensor " + tensor.name(),
        "write safetensors: leave --format out");
  }

  /** A name that is no text. */
  static ReweaveException nameNotUnicode(String name) {
    return ReweaveException.mismatch(
        "name has half a surrogate pair, which UTF-8 cannot write",
        "tensor '" + name + "'",
        "rename or drop the tensor with a mapping");
  }

  /** A class of a program that was written in another script. */
  static ReweaveException nameNotAscii(String name) {
    return ReweaveException.unsupported(
        "a class or function has a name that torch.save does not write",
        name,
        "leave values of it out of what is saved");
  }
}
