package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.fs.Path;

/** A file of a store that knows only whole files: one stream, then a rename. */
record WholeFile(Location parts, Location staged, Location target) implements StagedFile {
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
    if (part.number() != 1 || part.position() != 0) {
      throw new IllegalArgumentException("a whole file has one part, not " + part);
    }
    return AttemptSink.create(stores, parts, 1);
  }

  @Override
  public void assemble(Stores stores, List<PartReceipt> receipts) throws IOException {
    Path folder = Stores.path(parts);
    stores.replace(Stores.location(new Path(folder, receipts.get(0).token())), staged);
    stores.fileSystem(folder).delete(folder, true);
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
