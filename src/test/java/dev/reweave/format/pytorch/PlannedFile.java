package dev.reweave.format.pytorch;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * A planned file with bytes filled in, put together of ranges as independent tasks would write
 * them.
 */
final class PlannedFile {
  private final TorchFileLayout layout;
  private final List<byte[]> storages = new ArrayList<>();

  private PlannedFile(TorchFileLayout layout, List<TensorSpec> tensors) {
    this.layout = layout;
    for (int t = 0; t < tensors.size(); t++) {
      byte[] bytes = new byte[(int) tensors.get(t).bytes()];
      int mask = tensors.get(t).dtype() == DType.BOOL ? 1 : 0xff;
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) ((i * 31 + 7 + t) & mask);
      }
      storages.add(bytes);
    }
  }

  static PlannedFile of(List<TensorSpec> tensors, Map<String, String> ties) {
    return new PlannedFile(TorchFileLayout.of("model", tensors, ties), tensors);
  }

  TorchFileLayout layout() {
    return layout;
  }

  /** The bytes of a tensor. */
  byte[] storage(int tensor) {
    return storages.get(tensor).clone();
  }

  int crc(int tensor) {
    CRC32 crc = new CRC32();
    crc.update(storages.get(tensor));
    return (int) crc.getValue();
  }

  /**
   * The whole file.
   *
   * @param step length of the ranges
   */
  byte[] bytes(int step) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (long from = 0; from < layout.length(); from += step) {
      write(from, Math.min(layout.length(), from + step), out);
    }
    return out.toByteArray();
  }

  private void write(long from, long to, ByteArrayOutputStream out) {
    for (TorchFilePiece piece : layout.pieces(from, to)) {
      int start = (int) Math.max(0, from - piece.position());
      int end = (int) Math.min(piece.length(), to - piece.position());
      out.write(content(piece), start, end - start);
    }
  }

  private byte[] content(TorchFilePiece piece) {
    if (piece instanceof TorchFilePiece.Literal literal) {
      return literal.bytes();
    }
    if (piece instanceof TorchFilePiece.Slot slot) {
      return storages.get(slot.tensor());
    }
    int[] crcs = new int[storages.size()];
    for (int t = 0; t < crcs.length; t++) {
      crcs[t] = crc(t);
    }
    return layout.tail().bytes(crcs);
  }
}
