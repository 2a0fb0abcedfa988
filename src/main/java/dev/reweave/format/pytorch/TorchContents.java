package dev.reweave.format.pytorch;

import dev.reweave.tensor.StorageRef.Endian;
import java.io.IOException;
import java.util.Optional;

/** What a reader of one of the two torch.save formats gives. */
sealed interface TorchContents permits ZipContents, LegacyContents {
  /**
   * The bytes of a storage.
   *
   * @param position of the first byte in the file
   * @param crc32 of all bytes, or why there is none: {@link dev.reweave.tensor.StorageRef#NO_CRC},
   *     {@link dev.reweave.tensor.StorageRef#CRC_LEFT_OUT}
   */
  record Stored(long position, Endian order, long crc32) {}

  /**
   * Tells a pickle from others.
   *
   * @param bytes its length
   * @param crc32 as the file states it
   */
  record PickleId(long bytes, long crc32) {}

  /** The same for two files only if their pickles are; empty if the file does not tell. */
  Optional<PickleId> pickle() throws IOException;

  /** The pickled value, which is read when it is first asked for. */
  Object root() throws IOException;

  /** What the pickle has named: storages, and what it would have called. */
  TorchGlobals globals() throws IOException;

  /**
   * Finds a storage and checks that it has exactly the length that the tensor states.
   *
   * @throws dev.reweave.common.ReweaveException if it is missing, or has another length
   */
  Stored locate(TorchTensor tensor) throws IOException;
}
