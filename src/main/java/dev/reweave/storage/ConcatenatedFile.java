package dev.reweave.storage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Parts that are files of a folder and become one without a copy: HDFS's {@code concat}, which
 * wants all of them in one folder.
 */
record ConcatenatedFile(String parts, String staged, String target) implements StagedFile {
  @Override
  public String token() {
    return "";
  }

  @Override
  public ChunkSink open(Stores stores, Part part) throws IOException {
    return new RenamingSink(stores, nameOf(part.number()).toString(), part.number());
  }

  private Path nameOf(int number) {
    return new Path(Stores.path(parts), String.format("%05d", number));
  }

  @Override
  public void assemble(Stores stores, List<PartReceipt> receipts) throws IOException {
    Path folder = Stores.path(parts);
    FileSystem fs = stores.fileSystem(folder);
    Path first = nameOf(1);
    if (receipts.size() > 1) {
      List<Path> others = new ArrayList<>();
      for (int number = 2; number <= receipts.size(); number++) {
        others.add(nameOf(number));
      }
      fs.concat(first, others.toArray(Path[]::new));
    }
    stores.replace(first.toString(), staged);
    fs.delete(folder, true);
  }

  @Override
  public void publish(Stores stores, List<PartReceipt> receipts) throws IOException {
    stores.rename(staged, target);
  }

  @Override
  public void abort(Stores stores) throws IOException {
    stores.delete(staged);
    Path folder = Stores.path(parts);
    stores.fileSystem(folder).delete(folder, true);
  }
}
