package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Parts that are files of a folder and become one without a copy: HDFS's {@code concat}, which
 * wants all of them in one folder.
 */
record ConcatenatedFile(Location parts, Location staged, Location target) implements StagedFile {
  @Override
  public String token() {
    return "";
  }

  @Override
  public List<Location> places() {
    return List.of(staged, target);
  }

  @Override
  public ChunkSink open(Stores stores, Part part) throws IOException {
    return AttemptSink.createIn(stores, parts, part.number());
  }

  @Override
  public void assemble(Stores stores, List<PartReceipt> receipts) throws IOException {
    Path folder = Stores.path(parts);
    FileSystem fs = stores.fileSystem(folder);
    List<Path> files =
        receipts.stream()
            .sorted(Comparator.comparingInt(PartReceipt::number))
            .map(receipt -> new Path(folder, receipt.token()))
            .toList();
    Path first = files.get(0);
    new PartJoin(fs).join(first, files.subList(1, files.size()));
    stores.replace(Stores.location(first), staged);
    fs.delete(folder, true);
  }

  @Override
  public void publish(Stores stores, List<PartReceipt> receipts, String before) throws IOException {
    stores.rename(staged, target);
  }

  @Override
  public void abort(Stores stores) throws IOException {
    stores.delete(staged);
    Path folder = Stores.path(parts);
    stores.fileSystem(folder).delete(folder, true);
  }
}
