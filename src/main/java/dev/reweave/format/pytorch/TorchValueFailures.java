package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;

/** What is wrong with a value of a torch.save file, for what it was asked for. */
final class TorchValueFailures {
  private static final String NOT_WRITTEN =
      "leave it out of what is saved; for the weights, leave --format out";

  private static final String CHECK =
      "check that the file is what its name says, and that its framework's version is supported";

  private TorchValueFailures() {}

  /** The file is another than its name says, or of a version that is not known. */
  static ReweaveException lacks(String key, TorchValue dict) {
    return new ReweaveException("the dict lacks '" + key + "'", dict.place(), CHECK);
  }

  /** The file is another than its name says, or of a version that is not known. */
  static ReweaveException hasNone(String key, TorchValue dict) {
    return new ReweaveException("the dict has None at '" + key + "'", dict.place(), CHECK);
  }

  /** The file is another than its name says, or of a version that is not known. */
  static ReweaveException unexpected(String expected, TorchValue found) {
    return new ReweaveException(
        "expected " + expected + " but found " + found.kind(), found.place(), CHECK);
  }

  /** A quantized or complex type in a distributed checkpoint. */
  static ReweaveException typeNotRead(PickleGlobal type, TorchValue found) {
    return ReweaveException.unsupported(
        "elements of type " + type + ", which is not read", found.place(), TorchValue.AS_PLAIN);
  }

  /** A tensor that is quantized, sparse, nested, conjugated or of a wrapping class. */
  static ReweaveException notPlain(TorchValue found) {
    return ReweaveException.unsupported(
        "this is " + found.kind() + ", not a plain tensor", found.place(), TorchValue.AS_PLAIN);
  }

  /** The file is damaged. */
  static ReweaveException impossibleShape(TorchValue found, IllegalArgumentException cause) {
    return new ReweaveException("a shape is impossible", found.place(), cause.getMessage(), cause);
  }

  /** A value that could be read, and not be written again. */
  static ReweaveException holdsItself(TorchValue value) {
    return ReweaveException.unsupported(
        "a value that holds itself cannot be written", value.place(), NOT_WRITTEN);
  }

  /** Python would not write it either. */
  static ReweaveException tooDeep(TorchValue value, int deepest) {
    return ReweaveException.unsupported(
        "values in each other, more than " + deepest + " deep, cannot be written",
        value.place(),
        NOT_WRITTEN);
  }

  /** A storage without a tensor. */
  static ReweaveException cannotBeWritten(TorchValue value) {
    return ReweaveException.unsupported(
        "it holds a storage without a tensor, which cannot be written", value.place(), NOT_WRITTEN);
  }

  /** An object that is made with keywords, or that its framework keeps elsewhere. */
  static ReweaveException cannotBeMade(PickleObject object, TorchValue value) {
    return ReweaveException.unsupported(
        "it holds an object of "
            + object.type().map(PickleGlobal::path).orElse("no class")
            + " that cannot be written: it is made with more than is read",
        value.place(),
        NOT_WRITTEN);
  }

  /** What should be numbers has tensors in it. */
  static ReweaveException tensorsTooBig(TorchValue value, long most) {
    return ReweaveException.unsupported(
        "it holds tensors of more than " + most + " bytes, where numbers are expected",
        value.place(),
        NOT_WRITTEN);
  }
}
