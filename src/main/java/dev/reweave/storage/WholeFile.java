package dev.reweave.storage;

import java.io.IOException;
import java.util.List;

/** A file of a store that knows only whole files: one stream, then a rename. */
record WholeFile(String staged, String target) implements StagedFile {
  @Override
  public String token() {
    return "";
  }

  @Override
  public ChunkSink open(Stores stores, Part part) throws IOException {
    if (part.number() != 1 || part.position() != 0) {
      throw new IllegalArgumentException("a whole file has one part, not " + part);
    }
    return new RenamingSink(stores, staged, 1);
  }

  @Override
  public void assemble(Stores stores, List<PartReceipt> receipts) {
    // The one part is the file.
  }

  @Override
  public void publish(Stores stores, List<PartReceipt> receipts) throws IOException {
    stores.rename(staged, target);
  }

  @Override
  public void abort(Stores stores) throws IOException {
    stores.delete(staged);
  }
}
