package dev.reweave.storage;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIsNotEmptyDirectoryException;

/**
 * The folder that a conversion fills. Files are staged where no reader looks (in a hidden folder
 * inside it, or as uploads that are not complete) and become visible one by one, whole.
 */
public final class OutputFolder {
  /** Name of the hidden folder; without a running conversion, it is what a killed one left. */
  static final String STAGING = ".reweave";

  /** Name of the folder of staged files in it. */
  private static final String FILES = "files";

  private static final int MOST_STATE_BYTES = 256 << 20;

  private final Stores stores;
  private final FileSystem fs;
  private final Path folder;
  private final Path staging;
  private final StagingMeans means;
  private final SmallFiles small;
  private final OpenUploads uploads;
  private final Joining joining;

  OutputFolder(Stores stores, FileSystem fs, Path folder) {
    this.stores = stores;
    this.fs = fs;
    this.folder = folder;
    this.staging = new Path(folder, STAGING);
    this.means = StagingMeans.of(fs, folder);
    this.small = new SmallFiles(stores, fs, staging, means);
    this.uploads = new OpenUploads(stores, fs, folder);
    this.joining = new Joining(fs, folder);
  }

  /** Full address of the folder. */
  public Location address() {
    return Stores.location(folder);
  }

  /**
   * How files can be put together from parts here: as far as it is known, which after {@link
   * #prepare} and {@link #tryMeans} is for certain.
   */
  public PartRule partRule() {
    try {
      return means == StagingMeans.CONCATENATION && !joining.isPossible()
          ? PartRule.WHOLE
          : means.partRule();
    } catch (IOException e) {
      throw Stores.unreadable(address(), e);
    }
  }

  /**
   * Whether the folder is in an object store, whose answers come over a network from disks that
   * nobody here sees.
   */
  public boolean isObjectStore() {
    try {
      return means == StagingMeans.MULTIPART_UPLOAD
          || fs.hasPathCapability(folder, CommonPathCapabilities.ETAGS_AVAILABLE);
    } catch (IOException e) {
      throw Stores.unreadable(address(), e);
    }
  }

  /** Whether a staged file can be read before it is published. */
  public boolean showsStaged() {
    return means != StagingMeans.MULTIPART_UPLOAD;
  }

  /** The lock of the folder. */
  public OutputLock lock() {
    return new OutputLock(stores, fs, new Path(folder, OutputLock.NAME));
  }

  /**
   * What is in it now.
   *
   * @throws ReweaveException if the address is a file, or may not be looked at
   */
  public OutputContent content() {
    return OutputContent.of(fs, folder);
  }

  /**
   * Paths of the files that the folder and those below it hold for readers; none if it does not
   * exist.
   */
  public List<String> names() {
    return content().names();
  }

  /**
   * A visible file of the folder.
   *
   * @param name its path in the folder, with {@code /} between names
   */
  public Optional<InputFile> file(String name) {
    return stores.file(Stores.location(within(folder, name)));
  }

  /** What has room in it. */
  public OutputRoom room() {
    return new OutputRoom(fs, folder);
  }

  /** Whether there is anything at the address. */
  public boolean exists() {
    return stores.isFolder(address());
  }

  /**
   * Makes the staging folder.
   *
   * @param bytes that will be staged
   * @throws ReweaveException if a local disk has too little room
   */
  public void prepare(long bytes) {
    try {
      // Object stores have no folders that would be missed.
      if (means != StagingMeans.MULTIPART_UPLOAD && !fs.mkdirs(new Path(staging, FILES))) {
        throw new IOException("cannot create " + staging);
      }
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
    room().requireSpace(bytes);
    tryMeans();
  }

  /** Finds out, in the staging folder, whether the store does all that it says it can do. */
  public void tryMeans() {
    try {
      if (means == StagingMeans.CONCATENATION) {
        joining.tryIn(staging);
      }
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
  }

  /**
   * Begins to put a file together.
   *
   * @param name its path in the folder when it is published, with {@code /} between names
   * @param length its final length in bytes
   */
  public StagedFile stage(String name, long length) {
    Location target = Stores.location(within(folder, name));
    try {
      return switch (means) {
        case IN_PLACE -> {
          makeParent(Stores.path(staged(name)), new Path(staging, FILES));
          yield InPlaceFile.reserve(staged(name), target, length);
        }
        case MULTIPART_UPLOAD -> uploads.begin(target, length);
        case CONCATENATION -> {
          fs.mkdirs(Stores.path(parts(name)));
          yield stagedBefore(name, length, "");
        }
        case WHOLE_FILES -> stagedBefore(name, length, "");
      };
    } catch (IOException e) {
      throw Stores.unwritable(target, e);
    }
  }

  /**
   * Finds a file again that an earlier process staged.
   *
   * @param token what {@link StagedFile#token()} said of it
   */
  public StagedFile stagedBefore(String name, long length, String token) {
    Location target = Stores.location(within(folder, name));
    Location staged = staged(name);
    return switch (means) {
      case IN_PLACE -> new InPlaceFile(staged, target);
      case MULTIPART_UPLOAD -> new MultipartFile(target, token, length);
      case CONCATENATION -> new ConcatenatedFile(parts(name), staged, target);
      case WHOLE_FILES -> new WholeFile(parts(name), staged, target);
    };
  }

  private Path within(Path parent, String name) {
    return room().within(parent, name);
  }

  /**
   * Whether a file that an earlier process put together is there, out of sight or published, in its
   * whole length. An upload that is open is taken for it: a store ends one that is old, or that
   * somebody aborts, and says nothing.
   */
  public boolean hasStaged(String name, long length, String token) {
    StagedFile file = stagedBefore(name, length, token);
    return file instanceof MultipartFile upload
        ? uploads.isOpen(upload)
        : file.places().stream()
            .flatMap(place -> stores.file(place).stream())
            .findFirst()
            .filter(there -> there.length() == length)
            .isPresent();
  }

  /** Staged files have a folder of their own, since they can have any name. */
  private Location staged(String name) {
    return Stores.location(within(new Path(staging, FILES), name));
  }

  private Location parts(String name) {
    return new Location(staged(name) + ".parts");
  }

  private void makeParent(Path file, Path root) throws IOException {
    if (means != StagingMeans.MULTIPART_UPLOAD && !file.getParent().equals(root)) {
      fs.mkdirs(file.getParent());
    }
  }

  /** Makes one file of its parts. */
  public void assemble(StagedFile file, List<PartReceipt> receipts) {
    try {
      file.assemble(stores, receipts);
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
  }

  /** Makes an assembled file visible, whole. */
  public void publish(StagedFile file, List<PartReceipt> receipts) {
    publish(file, receipts, "");
  }

  /** The same in the place of a file whose {@link InputFile#stamp()} was this. */
  public void publish(StagedFile file, List<PartReceipt> receipts, String before) {
    try {
      makeParent(Stores.path(file.target()), folder);
      file.publish(stores, receipts, before);
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
  }

  /** Makes a small file visible, whole. */
  public void publish(String name, byte[] content) {
    Path target = within(folder, name);
    if (small.areWrittenInPlace()) {
      small.write(target, content);
      return;
    }
    small.write(Stores.path(staged(name)), content);
    try {
      makeParent(target, folder);
      stores.replace(staged(name), Stores.location(target));
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(target), e);
    }
  }

  /**
   * Removes a visible file, and the folders below this one that are empty without it; nothing
   * happens if there is none.
   */
  public void remove(String name) {
    Path target = within(folder, name);
    try {
      fs.delete(target, false);
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(target), e);
    }
    removeEmptyParents(name);
  }

  /** Removes the folders around a file, below this one, that nothing is in. */
  public void removeEmptyParents(String name) {
    Path parent = within(folder, name).getParent();
    try {
      while (!parent.equals(folder) && removeIfEmpty(parent)) {
        parent = parent.getParent();
      }
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(parent), e);
    }
  }

  /** Keeps a small file out of sight, for a later process. */
  public void writeState(String name, byte[] content) {
    small.write(new Path(staging, name), content);
  }

  /** What a process kept; empty if there is none. */
  public Optional<byte[]> readState(String name) {
    return read(new Path(staging, name));
  }

  /** What stands in a small visible file; empty if there is none. */
  public Optional<byte[]> read(String name) {
    return read(within(folder, name));
  }

  private Optional<byte[]> read(Path file) {
    return stores.file(Stores.location(file)).map(there -> stores.readAll(there, MOST_STATE_BYTES));
  }

  /**
   * Removes the hidden folder after all that was staged is published. Uploads are left alone: none
   * is open but, at worst, one without parts whose start was asked for twice.
   */
  public void finish() {
    try {
      fs.delete(staging, true);
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(staging), e);
    }
  }

  /**
   * Gives up the uploads that were begun here, by their ids, and what else the store lists of them.
   *
   * @param earlier files that an earlier process staged, whose uploads nothing else may find
   * @return what the store would not give up
   */
  public OpenUploads.Kept abortUploads(Collection<StagedFile> earlier) {
    return means == StagingMeans.MULTIPART_UPLOAD ? uploads.abort(earlier) : OpenUploads.Kept.NONE;
  }

  /**
   * Gives up all uploads to files of these paths, whoever began them: some stores list uploads of
   * one key only, and a process may have died before it noted their ids.
   */
  public void abortUploadsTo(Collection<String> paths) {
    if (means == StagingMeans.MULTIPART_UPLOAD) {
      uploads.abortTo(paths.stream().map(p -> Stores.location(within(folder, p))).toList());
    }
  }

  /** Throws away all that was kept out of sight but one state. */
  public void clearStateBut(String name) {
    try {
      for (FileStatus status : fs.listStatus(staging)) {
        if (!status.getPath().getName().equals(name)) {
          fs.delete(status.getPath(), true);
        }
      }
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(staging), e);
    }
  }

  /** Removes the folder if nothing is in it. */
  public void removeIfEmpty() {
    try {
      removeIfEmpty(folder);
    } catch (IOException e) {
      throw Stores.unwritable(address(), e);
    }
  }

  private boolean removeIfEmpty(Path path) throws IOException {
    try {
      return fs.listStatus(path).length == 0 && fs.delete(path, false);
    } catch (PathIsNotEmptyDirectoryException e) {
      // Another thread has removed a folder in it, for which S3A leaves a mark here for a moment;
      // it will look here itself.
      return false;
    } catch (IOException e) {
      // Another thread may have removed it between two looks, for which disks have no exception of
      // their own; and stores without real folders have none when nothing is in them.
      if (fs.exists(path)) {
        throw e;
      }
      return true;
    }
  }
}
