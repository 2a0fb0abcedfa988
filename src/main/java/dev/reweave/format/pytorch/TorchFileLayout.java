package dev.reweave.format.pytorch;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.reweave.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Where all lies in a {@code torch.save} file of an {@code OrderedDict} of tensors, such as {@code
 * pytorch_model.bin}, that is yet to be written. It follows from names, types, shapes and ties
 * alone, so that each range of the file can be written for itself; but for the {@link #tail}, which
 * wants the checksums of all storages.
 *
 * <p>The file is laid out as torch 2.13 does it, to the byte. It says so in {@code
 * .format_version}, and torch then computes where storages lie ({@code _get_offset} in {@code
 * torch/serialization.py}) instead of looking. It differs from torch's in its local headers, which
 * tell lengths, in the data descriptors of storages, which have no checksum, and in {@code
 * .data/serialization_id}, which is made of the pickle alone.
 *
 * <p>It can be loaded with {@code weights_only} and with {@code mmap}.
 */
public final class TorchFileLayout implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final int MAX_NAME_BYTES = 1 << 12;

  private final List<TensorSpec> tensors;
  private final List<SmallEntry> before;
  private final StorageEntries storages;
  private final List<SmallEntry> after;
  private final TorchFileTail tail;

  private TorchFileLayout(String folder, byte[] pickle, List<TensorSpec> tensors) {
    this.tensors = List.copyOf(tensors);
    this.before = new ArrayList<>();
    long at = add(before, 0, folder + "/data.pkl", pickle);
    at = add(before, at, folder + "/.format_version", "1".getBytes(US_ASCII));
    String alignment = Integer.toString(PlannedEntry.ALIGNMENT);
    at = add(before, at, folder + "/.storage_alignment", alignment.getBytes(US_ASCII));
    at = add(before, at, folder + "/byteorder", "little".getBytes(US_ASCII));
    long[] lengths = tensors.stream().mapToLong(TensorSpec::bytes).toArray();
    this.storages = new StorageEntries(folder, at, lengths);
    this.after = new ArrayList<>();
    at = add(after, storages.end(), folder + "/version", "3\n".getBytes(US_ASCII));
    add(after, at, folder + "/.data/serialization_id", serializationId(pickle));
    this.tail = new TorchFileTail(places(before), storages, places(after));
  }

  private static long add(List<SmallEntry> entries, long at, String name, byte[] content) {
    SmallEntry entry = new SmallEntry(name, at, content);
    entries.add(entry);
    return entry.place().end();
  }

  private static List<PlannedEntry> places(List<SmallEntry> entries) {
    return entries.stream().map(SmallEntry::place).toList();
  }

  /** 40 digits, as torch makes them of a hash of the names and a checksum of the bytes. */
  private static byte[] serializationId(byte[] pickle) {
    ByteBuffer digest;
    try {
      digest = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(pickle));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    return (digits(digest.getLong()) + digits(digest.getLong())).getBytes(US_ASCII);
  }

  private static String digits(long number) {
    String digits = Long.toUnsignedString(number);
    return "0".repeat(20 - digits.length()) + digits;
  }

  /**
   * Lays a file out.
   *
   * @param archiveName the folder of all entries, without slash: torch takes the file's name
   *     without extension, such as {@code pytorch_model}
   * @param tensors those with a storage of their own, in the order of the state dict
   * @param ties further name to the tensor whose storage, type and shape it has; they stand in the
   *     state dict behind the others, sorted, each as a tensor of its own
   * @throws dev.reweave.common.ReweaveException if a name cannot be written
   * @throws IllegalArgumentException if a name comes twice, is tied to none of the tensors, or
   *     sizes overflow
   */
  public static TorchFileLayout of(
      String archiveName, List<TensorSpec> tensors, Map<String, String> ties) {
    return of(archiveName, StateDictPickle.of(tensors, new TreeMap<>(ties)), tensors);
  }

  /**
   * Lays out a file of any value.
   *
   * @param archiveName as of a dict of tensors
   * @throws dev.reweave.common.ReweaveException if something in it cannot be written
   * @throws IllegalArgumentException if sizes overflow
   */
  public static TorchFileLayout of(String archiveName, PickledValue value) {
    ValuePickle.Written written = ValuePickle.of(value);
    return of(archiveName, written.pickle(), written.tensors());
  }

  private static TorchFileLayout of(String archiveName, byte[] pickle, List<TensorSpec> tensors) {
    if (archiveName.isEmpty()
        || archiveName.indexOf('/') >= 0
        || archiveName.getBytes(UTF_8).length > MAX_NAME_BYTES) {
      throw new IllegalArgumentException("no name of an archive: '" + archiveName + "'");
    }
    try {
      return new TorchFileLayout(archiveName, pickle, tensors);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("total size overflows", e);
    }
  }

  /** Length of the file in bytes. */
  public long length() {
    return tail.position() + tail.length();
  }

  /** The tensors, by their slots. */
  public List<TensorSpec> tensors() {
    return tensors;
  }

  /** Number of storages, each with a slot. */
  public int storages() {
    return storages.count();
  }

  /** The place of the bytes of a tensor. */
  public TorchFilePiece.Slot slot(int tensor) {
    PlannedEntry entry = storages.entry(tensor);
    return new TorchFilePiece.Slot(tensor, entry.position(), entry.bytes());
  }

  /** The end of the file. */
  public TorchFileTail tail() {
    return tail;
  }

  /**
   * All pieces that have a byte in {@code [from, to)}, whole, in file order: without gaps, a
   * literal before and behind each slot, the tail last. Empty slots are left out.
   *
   * @throws IndexOutOfBoundsException unless {@code 0 <= from <= to <= length()}
   */
  public List<TorchFilePiece> pieces(long from, long to) {
    Objects.checkFromToIndex(from, to, length());
    List<TorchFilePiece> pieces = new ArrayList<>();
    if (from == to) {
      return pieces;
    }
    for (int i = firstLiteralEndingBehind(from); i <= storages() && literalStart(i) < to; i++) {
      if (literalEnd(i) > from) {
        pieces.add(new TorchFilePiece.Literal(this, i));
      }
      if (i < storages()) {
        TorchFilePiece.Slot slot = slot(i);
        if (slot.length() > 0 && slot.position() < to && slot.position() + slot.length() > from) {
          pieces.add(slot);
        }
      }
    }
    if (to > tail.position()) {
      pieces.add(tail);
    }
    return pieces;
  }

  /** Where the literal before the slot of this number starts; that behind the last counts, too. */
  long literalStart(int number) {
    return number == 0 ? 0 : slotEnd(number - 1);
  }

  long literalEnd(int number) {
    return number == storages() ? tail.position() : storages.entry(number).position();
  }

  byte[] literal(int number) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (number == 0) {
      before.forEach(entry -> entry.writeTo(out));
    } else {
      out.writeBytes(storages.entry(number - 1).descriptor());
    }
    if (number == storages()) {
      after.forEach(entry -> entry.writeTo(out));
    } else {
      out.writeBytes(storages.entry(number).localHeader());
    }
    return out.toByteArray();
  }

  private long slotEnd(int tensor) {
    PlannedEntry entry = storages.entry(tensor);
    return entry.position() + entry.bytes();
  }

  /** Number of the first literal that ends, or whose slot ends, behind a position. */
  private int firstLiteralEndingBehind(long position) {
    int low = 0;
    int high = storages();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (slotEnd(middle) > position) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
