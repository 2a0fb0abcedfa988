package dev.reweave.format.pytorch;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The end of a planned {@code torch.save} file, which alone depends on the elements: the zip's
 * central directory with the CRC-32 of each storage, and the records that end it, those of Zip64
 * always, as torch writes them.
 */
public final class TorchFileTail implements TorchFilePiece, Serializable {
  private static final long serialVersionUID = 1L;

  private static final int END64_SIGNATURE = 0x06064b50;
  private static final int END64_BYTES = 56;
  private static final int LOCATOR_SIGNATURE = 0x07064b50;
  private static final int LOCATOR_BYTES = 20;
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int MAX_U16 = 0xffff;

  private final List<PlannedEntry> before;
  private final StorageEntries storages;
  private final List<PlannedEntry> after;
  private final long position;
  private final int directoryBytes;

  /**
   * @param before entries before the storages
   * @param after entries behind them, at least one
   */
  TorchFileTail(List<PlannedEntry> before, StorageEntries storages, List<PlannedEntry> after) {
    this.before = List.copyOf(before);
    this.storages = storages;
    this.after = List.copyOf(after);
    this.position = after.get(after.size() - 1).end();
    long sum = 0;
    for (int i = 0; i < count(); i++) {
      sum += entry(i).directoryBytes();
    }
    this.directoryBytes = Math.toIntExact(sum);
    Math.addExact(position, length()); // or it throws
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public long length() {
    return (long) directoryBytes + END64_BYTES + LOCATOR_BYTES + END_BYTES;
  }

  /**
   * The bytes.
   *
   * @param storageCrcs CRC-32 of the bytes of each slot, by {@link TorchFilePiece.Slot#tensor}
   */
  public byte[] bytes(int[] storageCrcs) {
    if (storageCrcs.length != storages.count()) {
      throw new IllegalArgumentException(
          storageCrcs.length + " checksums of " + storages.count() + " storages");
    }
    ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(length())).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count(); i++) {
      PlannedEntry entry = entry(i);
      int storage = i - before.size();
      boolean isStorage = storage >= 0 && storage < storages.count();
      out.put(entry.directoryRecord(isStorage ? storageCrcs[storage] : entry.crc32()));
    }
    putEnd64(out);
    putEnd(out);
    return out.array();
  }

  private int count() {
    return before.size() + storages.count() + after.size();
  }

  private PlannedEntry entry(int index) {
    int storage = index - before.size();
    if (storage < 0) {
      return before.get(index);
    }
    return storage < storages.count()
        ? storages.entry(storage)
        : after.get(storage - storages.count());
  }

  private void putEnd64(ByteBuffer out) {
    out.putInt(END64_SIGNATURE).putLong(END64_BYTES - 12); // what follows the length
    out.putShort((short) 0x031e).putShort((short) 45); // made by 3.0 on Unix, needs 4.5
    out.putInt(0).putInt(0); // disks
    out.putLong(count()).putLong(count());
    out.putLong(directoryBytes).putLong(position);
    out.putInt(LOCATOR_SIGNATURE).putInt(0);
    out.putLong(position + directoryBytes).putInt(1);
  }

  private void putEnd(ByteBuffer out) {
    short count = (short) Math.min(MAX_U16, count());
    out.putInt(END_SIGNATURE).putShort((short) 0).putShort((short) 0); // disks
    out.putShort(count).putShort(count);
    out.putInt(directoryBytes).putInt((int) Math.min(PlannedEntry.MAX_U32, position));
    out.putShort((short) 0); // comment
  }
}
