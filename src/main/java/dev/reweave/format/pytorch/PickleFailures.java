package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;

/** What is wrong with a pickle. */
final class PickleFailures {
  private PickleFailures() {}

  /** It is damaged, or something else than torch.save wrote it. */
  private static ReweaveException broken(PickleInput input, String problem) {
    return new ReweaveException(
        problem + " (byte " + input.position() + ")",
        input.place(),
        "the file is damaged or not written by torch.save: copy it again from its source");
  }

  static ReweaveException cutOff(PickleInput input) {
    return broken(input, "the pickle is cut off");
  }

  static ReweaveException lengthBeyondEnd(PickleInput input, long length, long left) {
    return broken(
        input,
        "the pickle states a length of "
            + Long.toUnsignedString(length)
            + " bytes where "
            + left
            + " are left");
  }

  static ReweaveException textNotUtf8(PickleInput input) {
    return broken(input, "the pickle holds text that is not UTF-8");
  }

  static ReweaveException otherVersionOfFile(PickleInput input) {
    return broken(input, "the file has another protocol version than 1001");
  }

  static ReweaveException noListOfStorages(PickleInput input) {
    return broken(input, "the file lacks its list of storages");
  }

  static ReweaveException unknownOpcode(PickleInput input, int opcode) {
    return broken(input, String.format("the pickle has an unknown opcode 0x%02x", opcode));
  }

  static ReweaveException newerProtocol(PickleInput input, int protocol) {
    return broken(input, "the pickle has protocol " + protocol + ", newer than any known");
  }

  static ReweaveException emptyStack(PickleInput input) {
    return broken(input, "the pickle takes a value from an empty stack");
  }

  static ReweaveException noMark(PickleInput input) {
    return broken(input, "the pickle lacks a mark");
  }

  static ReweaveException malformedInteger(PickleInput input) {
    return broken(input, "the pickle has a malformed integer");
  }

  static ReweaveException malformedNumber(PickleInput input) {
    return broken(input, "the pickle has a malformed number");
  }

  static ReweaveException malformedMemoIndex(PickleInput input) {
    return broken(input, "the pickle has a malformed memo index");
  }

  static ReweaveException textWithoutQuotes(PickleInput input) {
    return broken(input, "the pickle has text without quotes");
  }

  static ReweaveException textNotUnicode(PickleInput input) {
    return broken(input, "the pickle has text that is not Unicode");
  }

  static ReweaveException appendsToNoList(PickleInput input) {
    return broken(input, "the pickle appends to something but a list");
  }

  static ReweaveException keyWithoutValue(PickleInput input) {
    return broken(input, "the pickle has a key without a value");
  }

  static ReweaveException putsIntoNoDict(PickleInput input) {
    return broken(input, "the pickle puts an entry into something but a dict");
  }

  static ReweaveException farMemoIndex(PickleInput input, long index) {
    return broken(input, "the pickle puts into its memo at the far index " + index);
  }

  static ReweaveException nothingInMemo(PickleInput input, long index) {
    return broken(input, "the pickle's memo has nothing at index " + index);
  }

  static ReweaveException globalNotText(PickleInput input) {
    return broken(input, "the pickle names a global with something but text");
  }

  static ReweaveException objectOfNoClass(PickleInput input) {
    return broken(input, "the pickle makes an object of no class");
  }

  static ReweaveException persistentText(PickleInput input) {
    return broken(input, "the pickle has persistent ids of text, as torch never writes");
  }

  static ReweaveException extensionRegistry(PickleInput input) {
    return broken(input, "the pickle uses the extension registry, which is not supported");
  }

  static ReweaveException outOfBandBuffers(PickleInput input) {
    return broken(input, "the pickle uses out-of-band buffers, which no file holds");
  }

  static ReweaveException argumentsNoTuple(PickleInput input) {
    return broken(input, "the pickle calls with something but a tuple");
  }

  static ReweaveException malformedValue(PickleInput input, RuntimeException cause) {
    return broken(input, "the pickle has a malformed value: " + cause.getMessage());
  }

  static ReweaveException malformedStorage(PickleInput input, RuntimeException cause) {
    return broken(input, "the pickle has a malformed storage: " + cause.getMessage());
  }

  /** A huge or hostile file. */
  static ReweaveException tooManyValues(String place) {
    return ReweaveException.shortage(
        "the pickle holds more values than the memory can take",
        place,
        "give the process more memory if you trust the file");
  }
}
