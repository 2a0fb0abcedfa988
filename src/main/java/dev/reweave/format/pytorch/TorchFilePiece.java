package dev.reweave.format.pytorch;

/** A piece of a planned {@code torch.save} file. */
public sealed interface TorchFilePiece
    permits TorchFilePiece.Literal, TorchFilePiece.Slot, TorchFileTail {
  /** Position of its first byte in the file. */
  long position();

  /** Length in bytes; 0 for the slot of an empty tensor. */
  long length();

  /** Bytes that follow from names and shapes. */
  final class Literal implements TorchFilePiece {
    private final TorchFileLayout file;
    private final int number;

    Literal(TorchFileLayout file, int number) {
      this.file = file;
      this.number = number;
    }

    @Override
    public long position() {
      return file.literalStart(number);
    }

    @Override
    public long length() {
      return file.literalEnd(number) - position();
    }

    /** The bytes, made when asked for. */
    public byte[] bytes() {
      return file.literal(number);
    }
  }

  /**
   * Room for the elements of a tensor, little-endian and in row-major order.
   *
   * @param tensor index of the tensor in the list that was laid out
   * @param position a multiple of 64
   */
  record Slot(int tensor, long position, long length) implements TorchFilePiece {}
}
