package dev.reweave.format.pytorch;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.testing.Locations;

/** A planned file of any size that is not there: its storages are zeros. */
final class PlannedAccess implements RandomAccess {
  private final TorchFileLayout layout;

  PlannedAccess(TorchFileLayout layout) {
    this.layout = layout;
  }

  @Override
  public InputFile file() {
    return new InputFile(Locations.of("planned:/model.bin"), layout.length(), 0);
  }

  @Override
  public void readFully(long position, byte[] buffer, int offset, int length) {
    long end = position + length;
    for (TorchFilePiece piece : layout.pieces(position, end)) {
      long from = Math.max(position, piece.position());
      long to = Math.min(end, piece.position() + piece.length());
      byte[] source;
      int start = (int) (from - piece.position());
      if (piece instanceof TorchFilePiece.Literal literal) {
        source = literal.bytes();
      } else if (piece instanceof TorchFileTail tail) {
        source = tail.bytes(new int[layout.storages()]);
      } else {
        source = new byte[(int) (to - from)];
        start = 0;
      }
      System.arraycopy(source, start, buffer, offset + (int) (from - position), (int) (to - from));
    }
  }

  @Override
  public void close() {}
}
