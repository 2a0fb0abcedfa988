package dev.reweave.format.pytorch;

import java.io.ByteArrayOutputStream;
import java.io.Serializable;
import java.util.zip.CRC32;

/** An entry of a planned zip with its bytes. */
final class SmallEntry implements Serializable {
  private static final long serialVersionUID = 1L;

  private final PlannedEntry place;
  private final byte[] content;

  /**
   * @param header position of the local header
   */
  SmallEntry(String name, long header, byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    this.place = new PlannedEntry(name, header, content.length, (int) crc.getValue());
    this.content = content.clone();
  }

  PlannedEntry place() {
    return place;
  }

  /** Writes header, bytes and descriptor. */
  void writeTo(ByteArrayOutputStream out) {
    out.writeBytes(place.localHeader());
    out.writeBytes(content);
    out.writeBytes(place.descriptor());
  }
}
