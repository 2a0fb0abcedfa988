package dev.reweave.gather;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.ReadLimit;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Layout;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/**
 * Reads tensors whole, a window of a few megabytes after another, and tells what they hold. Takes
 * the same memory for every tensor.
 *
 * <p>The checksums that torch archives keep of their storages are not looked at, since a tensor
 * need not be the whole of one.
 */
public final class TensorDigests implements Closeable {
  private static final int BUFFER = 8 << 20;

  private final OpenFiles files;
  private final Gather gather;
  private byte[] buffer = new byte[0];

  /**
   * For the tensors of one checkpoint.
   *
   * @param files that their layouts point into
   */
  public TensorDigests(Stores stores, List<InputFile> files) {
    this.files = new OpenFiles(stores, files, ReadLimit.NONE.bucket());
    this.gather = new Gather(this.files, new ReadTally());
  }

  /**
   * Reads a tensor.
   *
   * @throws dev.reweave.common.ReweaveException if it cannot be read
   */
  public TensorDigest of(Layout layout) {
    int size = layout.dtype().bytes();
    long most = Math.min(BUFFER / size, Gather.mostElements(layout));
    long step = Math.max(1, Math.min(most, Gather.mostBeside(layout, Gather.MOST_BESIDE)));
    int needed = (int) Math.min(step, layout.elements()) * size;
    if (buffer.length < needed) {
      buffer = new byte[needed];
    }
    TensorDigest digest = TensorDigest.NONE;
    for (long at = 0; at < layout.elements(); at += step) {
      int elements = (int) Math.min(step, layout.elements() - at);
      gather.read(List.of(new Gather.Slice(layout, at, at + elements, buffer, 0)));
      long behind = (layout.elements() - at - elements) * size;
      digest = digest.plus(TensorDigest.of(layout.dtype(), buffer, 0, elements, behind));
    }
    return digest;
  }

  @Override
  public void close() throws IOException {
    files.close();
  }
}
