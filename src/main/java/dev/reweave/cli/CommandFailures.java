package dev.reweave.cli;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.nio.file.Path;

/** What can be wrong with what a command is given, in words of the user. */
final class CommandFailures {
  private CommandFailures() {}

  /** The address is misspelt, or the file has gone. */
  static ReweaveException noSide(Location place) {
    return ReweaveException.notFound(
        "there is no such file or folder",
        place.uri(),
        "name a checkpoint, the folder of a model, or a file of weights");
  }

  /** {@code --list} names another place, or a folder. */
  static ReweaveException noList(Location place) {
    return ReweaveException.notFound(
        "no list is there", place.uri(), "name a file with --list, not a folder");
  }

  /** Nobody asked to replace it. */
  static ReweaveException reportIsThere(Path file) {
    return new ReweaveException(
        "there is a file where the report is to be written",
        file.toString(),
        "name another one with --output, or replace it with --overwrite");
  }

  /** The disk is full, or the folder is not there or cannot be written. */
  static ReweaveException reportNotWritten(Path file, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "cannot write the report",
        file.toString(),
        "name a file in a folder that can be written with --output",
        cause);
  }

  /** The folder cannot be written. */
  static ReweaveException demoNotWritten(String folder, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "cannot write the demo's checkpoint",
        folder,
        "name a folder that can be written with --output",
        cause);
  }

  /** Somebody removed the folder meanwhile. */
  static ReweaveException demoNotListed(Path folder, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "cannot list",
        folder.toString(),
        "run the demo again",
        cause);
  }
}
