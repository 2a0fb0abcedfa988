package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;

/**
 * One file of the output that is put together out of readers' sight. Made by the driver, sent to
 * tasks, which write its parts; every part may be written more than once.
 */
public sealed interface StagedFile extends Serializable
    permits InPlaceFile, ConcatenatedFile, MultipartFile, WholeFile {

  /** Its full address when it is published. */
  Location target();

  /** What finds the file again in a later process, beside its name; empty if the name is enough. */
  String token();

  /**
   * Where the assembled file can be read, before or after it is published: the first address at
   * which there is a file.
   */
  List<Location> places();

  /** A sink for one part; for any process. */
  ChunkSink open(Stores stores, Part part) throws IOException;

  /** Makes one file of the parts, still out of sight. */
  void assemble(Stores stores, List<PartReceipt> receipts) throws IOException;

  /**
   * Makes the assembled file visible, whole; nothing happens if it is already.
   *
   * @param before {@link InputFile#stamp()} of the file that it takes the place of; empty if there
   *     was none
   */
  void publish(Stores stores, List<PartReceipt> receipts, String before) throws IOException;

  /** Throws away what was written, unless it was published. */
  void abort(Stores stores) throws IOException;
}
