package dev.reweave.storage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.fs.BlockLocation;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A stretch of a file and the machines that have it.
 *
 * @param end byte behind its last one; it begins where the one before it ends
 * @param hosts names of machines; empty if they are not known
 */
public record BlockHosts(long end, List<String> hosts) {
  public BlockHosts {
    hosts = List.copyOf(hosts);
  }

  /** Which machines have which part of a file; empty if none are known. */
  static List<BlockHosts> of(FileSystem fs, Path path, InputFile file) throws IOException {
    FileStatus status = new FileStatus(file.length(), false, 1, 1, file.modified(), path);
    List<BlockHosts> blocks = new ArrayList<>();
    // Where nothing is known, Hadoop says that all is on the local host.
    boolean known = false;
    for (BlockLocation block : fs.getFileBlockLocations(status, 0, file.length())) {
      List<String> hosts = Stream.of(block.getHosts()).filter(h -> !h.equals("localhost")).toList();
      known |= !hosts.isEmpty();
      blocks.add(new BlockHosts(block.getOffset() + block.getLength(), hosts));
    }
    return known ? blocks : List.of();
  }
}
