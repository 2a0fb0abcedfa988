package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;

/** What is wrong with the zip of a torch.save file. */
final class ZipFailures {
  private ZipFailures() {}

  /** The file is damaged, or made to show different things to different readers. */
  private static ReweaveException damaged(String problem, String place) {
    return new ReweaveException(
        problem, place, "the file is damaged: copy it again from its source");
  }

  static ReweaveException twoEnds(String place) {
    return damaged("the zip has two end records", place);
  }

  static ReweaveException bytesBehindEnd(long bytes, String place) {
    return damaged(bytes + " bytes follow the end of the zip", place);
  }

  static ReweaveException countsDiffer(String place) {
    return damaged("the end of the zip counts its entries twice, and differently", place);
  }

  static ReweaveException endsDiffer(String place) {
    return damaged("the two end records of the zip differ", place);
  }

  static ReweaveException wideEndOutsideFile(String place) {
    return damaged("the Zip64 end record lies outside the file", place);
  }

  static ReweaveException noWideEnd(String place) {
    return damaged("the Zip64 end record is missing", place);
  }

  static ReweaveException wideEndTooShort(String place) {
    return damaged("the Zip64 end record does not reach up to its locator", place);
  }

  static ReweaveException directoryOutsideFile(String place) {
    return damaged("the zip directory lies outside the file", place);
  }

  static ReweaveException bytesBehindDirectory(String place) {
    return damaged(
        "the zip directory is damaged: other bytes lie between it and the end of the zip", place);
  }

  static ReweaveException damagedDirectory(String place) {
    return damaged("the zip directory is damaged", place);
  }

  static ReweaveException entryTwice(String name, String place) {
    return damaged("the zip directory has two entries '" + name + "'", place);
  }

  static ReweaveException uncountedEntries(String place) {
    return damaged("the zip directory has more than the entries that its end counts", place);
  }

  static ReweaveException overlapsEntry(String name, String next, String place) {
    return damaged("the zip entry '" + name + "' overlaps '" + next + "'", place);
  }

  static ReweaveException overlapsDirectory(String name, String place) {
    return damaged("the zip entry '" + name + "' overlaps the directory", place);
  }

  static ReweaveException entryOutsideFile(String place) {
    return damaged("a zip entry lies outside the file", place);
  }

  static ReweaveException entryInOtherPart(String place) {
    return damaged("a zip entry lies in another part of a split zip", place);
  }

  static ReweaveException noWideSizes(String place) {
    return damaged("a zip entry lacks its Zip64 sizes", place);
  }

  static ReweaveException headersDiffer(String place) {
    return damaged("the zip directory and the entry's own header differ", place);
  }

  static ReweaveException entryTooLong(String place) {
    return damaged("the entry runs into what follows it", place);
  }

  static ReweaveException checksumDiffers(String place) {
    return damaged("the bytes do not match their CRC-32", place);
  }

  /** The file is made to write where nobody wants it to. */
  static ReweaveException leadsOut(String path, String place) {
    return new ReweaveException(
        "the zip entry '" + path + "' has a path that leads out of the zip",
        place,
        "torch.save never writes such a file: copy it again from a source that you trust");
  }

  /** It was packed in parts. */
  static ReweaveException partOfSeveral(String place) {
    return ReweaveException.unsupported(
        "the zip is one part of several",
        place,
        "join the parts (zip -s 0), or save the file anew");
  }

  /** It was packed again. */
  static ReweaveException compressed(String place) {
    return ReweaveException.unsupported(
        "a zip entry is compressed or encrypted, which torch.save never does",
        place,
        "unpack the file and pack it again without compression (zip -0), or save it anew");
  }
}
