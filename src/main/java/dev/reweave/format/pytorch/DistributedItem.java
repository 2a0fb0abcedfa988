package dev.reweave.format.pytorch;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.io.Serializable;

/**
 * What a {@code .distcp} file has of a tensor, or of a box of it: the whole {@code torch.save} of
 * one tensor, among others ({@code _write_item} in {@code torch/distributed/checkpoint/
 * filesystem.py}). Its elements are in one piece, with a head before and an end behind them. Small,
 * since there are many: bytes are made when they are asked for.
 *
 * @param dtype type of the elements
 * @param sizes lengths of its dimensions, as torch counts them
 */
public record DistributedItem(DType dtype, Shape sizes) implements Serializable {
  /** What torch calls the folder of entries where it writes to no file of its own. */
  private static final String ARCHIVE = "archive";

  /** More bytes than an item has beside its elements. */
  public static final int MOST_BESIDE = 1 << 12;

  private TorchFileLayout layout() {
    TensorSpec spec = TensorSpec.ofTorch("", dtype, sizes);
    return TorchFileLayout.of(ARCHIVE, PickledValue.tensor(spec));
  }

  /** Bytes before the elements. */
  public byte[] head() {
    TorchFileLayout layout = layout();
    return layout.slot(0).length() == 0 ? new byte[0] : layout.literal(0);
  }

  /**
   * Bytes behind the elements.
   *
   * @param crc32 CRC-32 of the elements
   */
  public byte[] end(int crc32) {
    TorchFileLayout layout = layout();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (layout.slot(0).length() == 0) {
      out.writeBytes(layout.literal(0));
    }
    out.writeBytes(layout.literal(1));
    out.writeBytes(layout.tail().bytes(new int[] {crc32}));
    return out.toByteArray();
  }

  /** Length of the item in bytes. */
  public long length() {
    return layout().length();
  }
}
