package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Recall;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.FlatBuffer.StorageRun;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import dev.reweave.tensor.StoredLayout;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One torch.save file: its tree of values and where its storages lie. For one thread at a time.
 *
 * <p>Both formats of {@code torch/serialization.py} are read: the zip, and the legacy one of
 * PyTorch before 1.6. No code of the pickle is run: what is not a plain value or a tensor is
 * remembered by name.
 */
public final class TorchFile {
  /** The directory of a zip of one tensor, which torch.save ends without a comment. */
  public static final int PART_TAIL_BYTES = 4 << 10;

  /** Bytes from the start that are read at once where the pickle of one tensor is looked for. */
  public static final int PART_HEAD_BYTES = BufferedFile.WINDOW_BYTES;

  private final RandomAccess access;
  private final InputFile file;
  private final int fileIndex;
  private final long start;
  private final String prefix;
  private final TorchContents contents;
  private final Recall recall;
  private final Map<String, StorageRef> located = new HashMap<>();
  private final ViewBudget views;

  private TorchFile(
      RandomAccess access,
      int fileIndex,
      long start,
      String prefix,
      TorchContents contents,
      Recall recall) {
    this.access = access;
    this.file = access.file();
    this.fileIndex = fileIndex;
    this.start = start;
    this.prefix = prefix;
    this.contents = contents;
    this.recall = recall;
    this.views = new ViewBudget(file);
  }

  /**
   * Reads the structure with its value, and none of the storages.
   *
   * @param access stays open as long as layouts are asked for
   * @param fileIndex goes into every {@link StorageRef}
   * @throws ReweaveException if this is no torch.save file, or damaged
   * @throws IOException if the store fails
   */
  public static TorchFile read(RandomAccess access, int fileIndex) throws IOException {
    return unpickled(read(access, fileIndex, new Recall()));
  }

  private static TorchFile unpickled(TorchFile file) throws IOException {
    file.contents.root();
    return file;
  }

  /**
   * Reads the structure of one of many files, and the value when it is asked for.
   *
   * @param recall what others of them told
   */
  public static TorchFile read(RandomAccess access, int fileIndex, Recall recall)
      throws IOException {
    return new TorchFile(
        access, fileIndex, 0, "", contents(access, BufferedFile.open(access)), recall);
  }

  /**
   * Reads what torch.save wrote into a part of a file: a stream of its own.
   *
   * @param access the whole file
   * @param name what the part is; goes into messages and names of storages
   * @param start first byte of the part in the file
   * @param length in bytes
   * @throws ReweaveException if this is no torch.save file, or damaged
   * @throws IndexOutOfBoundsException if the part leaves the file
   * @throws IOException if the store fails
   */
  public static TorchFile readPart(
      RandomAccess access, int fileIndex, String name, long start, long length) throws IOException {
    RandomAccess part = access.part(name, start, length);
    TorchContents contents = contents(part, BufferedFile.open(part, PART_TAIL_BYTES));
    return unpickled(new TorchFile(part, fileIndex, start, name + " ", contents, new Recall()));
  }

  private static TorchContents contents(RandomAccess access, BufferedFile buffered)
      throws IOException {
    InputFile file = access.file();
    Optional<ZipDirectory> directory = ZipDirectory.read(buffered);
    if (directory.isPresent()) {
      return ZipContents.read(buffered, directory.get());
    }
    byte[] head = buffered.read(0, (int) Math.min(ForeignFile.HEAD_BYTES, file.length())).array();
    int magicBytes = Math.min(head.length, LegacyContents.MAGIC_BYTES);
    if (LegacyContents.startsWithMagic(Arrays.copyOf(head, magicBytes))) {
      return LegacyContents.read(access);
    }
    throw ForeignFile.describe(file, head);
  }

  /** The file's address, for messages. */
  public String place() {
    return file.uri();
  }

  /**
   * The value that was saved, which is read when it is first asked for.
   *
   * @throws ReweaveException if it is damaged
   * @throws IOException if the store fails
   */
  public TorchValue root() throws IOException {
    return TorchValue.root(file.uri(), contents.root());
  }

  /** Makes something of what the pickle alone tells. */
  @FunctionalInterface
  public interface Making<T> {
    T make(TorchValue root) throws IOException;
  }

  /**
   * What the pickle alone tells, made once for all files that have the same: the pickles of a
   * thousand ranks can be one. They are the same if their lengths and checksums in the zip's
   * directory are; then it is not read.
   *
   * @param what tells apart what is made of one pickle, by {@code equals}
   * @param type of what is made; it must not tell which file it was made of
   */
  public <T> T once(Object what, Class<T> type, Making<T> making) throws IOException {
    Optional<TorchContents.PickleId> pickle = contents.pickle();
    return pickle.isEmpty()
        ? making.make(root())
        : recall.of(new Same(pickle.get(), what), type, () -> making.make(root()));
  }

  private record Same(TorchContents.PickleId pickle, Object what) {}

  /**
   * All storages that the file's value names, whether a tensor of it is asked for or not.
   *
   * @throws ReweaveException if one is missing, or has another length than the pickle states
   * @throws IOException if the store fails
   */
  public List<StorageRef> storages() throws IOException {
    List<StorageRef> storages = new ArrayList<>();
    for (TorchStorage storage : contents.globals().storages().values()) {
      DType dtype = storage.type().dtype().orElse(DType.U8);
      try {
        long elements = storage.elementsOf(dtype.bytes());
        storages.add(
            locate(new TorchTensor(storage.key(), dtype, elements, 0, Shape.of(0), List.of(1L))));
      } catch (ArithmeticException e) {
        throw TorchFileFailures.impossibleLength(storage, file, e);
      }
    }
    return storages;
  }

  /**
   * Dotted names of classes and functions that {@code torch.load} would call for this file, without
   * those that Reweave knows the meaning of. None of them is ever called here.
   */
  public Set<String> calls() throws IOException {
    return contents.globals().calls();
  }

  /**
   * A tensor of this file under a name, with where its bytes are.
   *
   * @throws ReweaveException if they are not where the file says
   */
  public NamedTensor locate(String name, TorchTensor tensor) throws IOException {
    return new NamedTensor(
        TensorSpec.ofTorch(name, tensor.dtype(), tensor.shape()), layout(tensor));
  }

  /**
   * Where a tensor of this file lies. Reads a few bytes the first time that a storage is asked for.
   *
   * @throws ReweaveException if the storage is missing or has another length than the pickle
   *     states, or the tensor leaves it, or is part of far more than the file holds
   * @throws IOException if the store fails
   */
  public StoredLayout layout(TorchTensor tensor) throws IOException {
    StorageRef storage = located.get(tensor.storageKey());
    if (storage == null
        || storage.dtype() != tensor.dtype()
        || storage.elements() != tensor.storageElements()) {
      storage = locate(tensor);
      located.put(tensor.storageKey(), storage);
    }
    views.spend(tensor, storage);
    long[] strides = tensor.strides().stream().mapToLong(Long::longValue).toArray();
    try {
      return new StoredLayout(storage, tensor.offset(), tensor.shape(), strides);
    } catch (IllegalArgumentException e) {
      throw TorchFileFailures.tensorBeyondStorage(tensor, file, e);
    }
  }

  /**
   * The elements of a tensor, which are few, little-endian and in row-major order.
   *
   * @throws ReweaveException if they are not where the file says
   * @throws IOException if the store fails
   */
  byte[] elements(TorchTensor tensor) throws IOException {
    StoredLayout layout = layout(tensor);
    int size = tensor.dtype().bytes();
    byte[] bytes = new byte[Math.toIntExact(Math.multiplyExact(tensor.elements(), (long) size))];
    List<StorageRun> runs = new ArrayList<>();
    layout.runs(0, layout.elements(), (s, offset, n) -> runs.add(new StorageRun(s, offset, n)));
    int at = 0;
    for (StorageRun run : runs) {
      int length = Math.toIntExact(run.elements() * size);
      long position = run.storage().position() - start + run.offset() * size;
      access.readFully(position, bytes, at, length);
      if (run.storage().order() == StorageRef.Endian.BIG) {
        Cast.toLittleEndian(tensor.dtype(), bytes, at, Math.toIntExact(run.elements()));
      }
      at += length;
    }
    return bytes;
  }

  private StorageRef locate(TorchTensor tensor) throws IOException {
    TorchContents.Stored stored = contents.locate(tensor);
    return new StorageRef(
        fileIndex,
        prefix + "data/" + tensor.storageKey(),
        start + stored.position(),
        tensor.dtype(),
        tensor.storageElements(),
        stored.order(),
        stored.crc32());
  }
}
