package dev.reweave.gather;

import dev.reweave.tensor.StorageRef;

/** A contiguous piece of a storage and where it goes in its slice's buffer; in bytes. */
record StoredRange(Gather.Slice slice, StorageRef storage, long position, int length, int target) {
  int file() {
    return storage.file();
  }

  long filePosition() {
    return storage.position() + position;
  }

  long fileEnd() {
    return filePosition() + length;
  }
}
