package dev.reweave.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/** A sound zip in memory whose fields can be overwritten one by one. Positions are in bytes. */
public final class ZipBytes {
  /** How wide the numbers of a zip are. */
  public enum Form {
    /** As in files of less than 4 GB: no Zip64 anywhere. */
    NARROW,
    /** The end twice, as torch writes it. */
    TORCH,
    /** Sizes and offsets of all entries in Zip64 fields too. */
    WIDE
  }

  /** An entry to be written. */
  public static final class Entry {
    private final String name;
    private final byte[] content;

    /** An entry of these bytes. */
    public Entry(String name, byte[] content) {
      this.name = name;
      this.content = content.clone();
    }
  }

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Map<String, Integer> locals = new LinkedHashMap<>();
  private final Map<String, Integer> centrals = new LinkedHashMap<>();
  private final Form form;
  private int directory;
  private int directoryEnd;
  private byte[] bytes;

  private ZipBytes(Form form) {
    this.form = form;
  }

  /** A zip with these entries, stored as they are. */
  public static ZipBytes of(Form form, List<Entry> entries) {
    ZipBytes zip = new ZipBytes(form);
    List<Integer> headers = new ArrayList<>();
    for (Entry entry : entries) {
      headers.add(zip.out.size());
      zip.locals.put(entry.name, zip.out.size());
      zip.local(entry);
    }
    zip.directory = zip.out.size();
    for (int i = 0; i < entries.size(); i++) {
      zip.centrals.put(entries.get(i).name, zip.out.size());
      zip.central(entries.get(i), headers.get(i));
    }
    zip.directoryEnd = zip.out.size();
    zip.end(entries.size());
    zip.bytes = zip.out.toByteArray();
    return zip;
  }

  /** A torch file: {@code model/data.pkl}, and {@code model/data/0} and so on. */
  public static ZipBytes torch(Form form, byte[] pickle, byte[]... storages) {
    List<Entry> entries = new ArrayList<>();
    entries.add(new Entry("model/data.pkl", pickle));
    for (int i = 0; i < storages.length; i++) {
      entries.add(new Entry("model/data/" + i, storages[i]));
    }
    return of(form, entries);
  }

  private static byte[] utf8(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }

  private static int crc32(byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    return (int) crc.getValue();
  }

  private void local(Entry entry) {
    byte[] name = utf8(entry.name);
    int size = entry.content.length;
    boolean wide = form == Form.WIDE;
    u4(0x04034b50).u2(45).u2(0).u2(0).u4(0).u4(crc32(entry.content));
    u4(wide ? -1 : size).u4(wide ? -1 : size).u2(name.length).u2(wide ? 20 : 0).raw(name);
    if (wide) {
      u2(1).u2(16).u8(size).u8(size);
    }
    raw(entry.content);
  }

  private void central(Entry entry, int header) {
    byte[] name = utf8(entry.name);
    int size = entry.content.length;
    boolean wide = form == Form.WIDE;
    u4(0x02014b50).u2(45).u2(45).u2(0).u2(0).u4(0).u4(crc32(entry.content));
    u4(wide ? -1 : size).u4(wide ? -1 : size).u2(name.length).u2(wide ? 28 : 0).u2(0);
    u2(0).u2(0).u4(0).u4(wide ? -1 : header).raw(name);
    if (wide) {
      u2(1).u2(24).u8(size).u8(size).u8(header);
    }
  }

  private void end(int count) {
    int length = directoryEnd - directory;
    boolean wide = form == Form.WIDE;
    if (form != Form.NARROW) {
      u4(0x06064b50).u8(44).u2(45).u2(45).u4(0).u4(0).u8(count).u8(count).u8(length).u8(directory);
      u4(0x07064b50).u4(0).u8(directoryEnd).u4(1);
    }
    u4(0x06054b50).u2(0).u2(0).u2(wide ? -1 : count).u2(wide ? -1 : count);
    u4(wide ? -1 : length).u4(wide ? -1 : directory).u2(0);
  }

  private ZipBytes u2(int value) {
    return number(value, 2);
  }

  private ZipBytes u4(int value) {
    return number(value, 4);
  }

  private ZipBytes u8(long value) {
    return number(value, 8);
  }

  private ZipBytes raw(byte[] content) {
    out.writeBytes(content);
    return this;
  }

  private ZipBytes number(long value, int length) {
    for (int i = 0; i < length; i++) {
      out.write((int) (value >> (8 * i)));
    }
    return this;
  }

  /** Position of an entry's own header. */
  public int localHeader(String name) {
    return locals.get(name);
  }

  /** Position of an entry in the directory. */
  public int centralHeader(String name) {
    return centrals.get(name);
  }

  /** Position of the Zip64 field of an entry in the directory: bytes, stored bytes, offset. */
  public int centralWide(String name) {
    return centralHeader(name) + 46 + utf8(name).length + 4;
  }

  /** Position of the Zip64 field of an entry's own header: bytes, stored bytes. */
  public int localWide(String name) {
    return localHeader(name) + 30 + utf8(name).length + 4;
  }

  /** Position of the directory. */
  public int directory() {
    return directory;
  }

  /** Position of the Zip64 end record. */
  public int end64() {
    return directoryEnd;
  }

  /** Position of the locator of the Zip64 end record. */
  public int locator() {
    return directoryEnd + 56;
  }

  /** Position of the end record. */
  public int end() {
    return directoryEnd + (form == Form.NARROW ? 0 : 76);
  }

  /** Overwrites 2 bytes. */
  public ZipBytes put2(int at, int value) {
    buffer().putShort(at, (short) value);
    return this;
  }

  /** Overwrites 4 bytes. */
  public ZipBytes put4(int at, long value) {
    buffer().putInt(at, (int) value);
    return this;
  }

  /** Overwrites 8 bytes. */
  public ZipBytes put8(int at, long value) {
    buffer().putLong(at, value);
    return this;
  }

  /** Overwrites text. */
  public ZipBytes put(int at, String latin1) {
    buffer().put(at, latin1.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  /** Adds bytes at the end. */
  public ZipBytes append(byte[] more) {
    int length = bytes.length;
    bytes = Arrays.copyOf(bytes, length + more.length);
    System.arraycopy(more, 0, bytes, length, more.length);
    return this;
  }

  private ByteBuffer buffer() {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The file. */
  public byte[] bytes() {
    return bytes.clone();
  }
}
