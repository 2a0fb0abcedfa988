package dev.reweave.storage;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * Reaches every store through Hadoop's {@code FileSystem}: {@code file:}, {@code hdfs:}, {@code
 * s3a:} and what else is configured. Addresses without a scheme belong to the default file system,
 * which is the local one unless {@code fs.defaultFS} says otherwise.
 *
 * <p>Local files are reached without Hadoop's {@code .crc} side files: the checksums of the torch
 * archives and of the manifest do that work. Serializable, with its Hadoop configuration.
 */
public final class Stores implements Serializable {
  private static final long serialVersionUID = 1L;

  private final MetadataLimit limit;
  private final SentConfiguration conf;
  private transient Looking looking;

  /** What the one who lists folders keeps to: no task does. */
  private record Looking(Optional<LinkBoundary> boundary, KnownFolders known) {
    static final Looking FREE = new Looking(Optional.empty(), KnownFolders.NONE);
  }

  /** Stores that are configured as {@code conf} says. */
  public Stores(Configuration conf) {
    this(new SentConfiguration(ConnectorSettings.in(conf)), MetadataLimit.DEFAULT, Looking.FREE);
  }

  private Stores(SentConfiguration conf, MetadataLimit limit, Looking looking) {
    this.conf = conf;
    this.limit = limit;
    this.looking = looking;
  }

  /**
   * The same stores for reading once what somebody else wrote: files that are opened are limited,
   * what is listed refuses links that lead out of {@code address}, and far stores are asked once
   * for what a folder holds.
   *
   * @param address a folder, or a file, which stands for the folder that it is in
   */
  public Stores guarded(Location address, Safeguards safeguards) {
    Path path = path(address);
    Looking once = new Looking(Optional.empty(), KnownFolders.begin());
    boolean bounded = safeguards.links() == Safeguards.Links.INSIDE;
    try {
      if (fileSystem(path) instanceof RawLocalFileSystem local) {
        once =
            bounded
                ? new Looking(LinkBoundary.of(local.pathToFile(path)), KnownFolders.NONE)
                : Looking.FREE;
      }
      return new Stores(conf, safeguards.limit(), once);
    } catch (IOException e) {
      throw unreadable(address, e);
    }
  }

  /** The same stores for reading what Reweave itself wrote, and somebody may have changed. */
  public Stores limited(MetadataLimit most) {
    return new Stores(conf, most, Looking.FREE);
  }

  /**
   * What a folder holds directly, by name.
   *
   * @param folders their addresses
   * @param lost names of links that lead nowhere, and of what has no name in this machine's
   *     encoding
   */
  public record Listing(List<InputFile> files, List<Location> folders, List<String> lost) {
    /** Of a folder with all that is in it. */
    public Listing(List<InputFile> files, List<Location> folders) {
      this(files, folders, List.of());
    }
  }

  /**
   * The place that an address of a user names: with scheme, absolute, without {@code .} and {@code
   * ..} parts.
   *
   * @throws ReweaveException if it is no address, or a login is in it
   */
  public Location locate(String address) {
    StoreFailures.requireNoLogin(address);
    try {
      if (address.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("a path ends at its first NUL");
      }
      Path path = new Path(address);
      // Of a store that is named nothing is needed yet, least of all a connection to it.
      boolean isFull = path.toUri().getScheme() != null && path.toUri().getAuthority() != null;
      return location(isFull ? path : fileSystem(path).makeQualified(path));
    } catch (IllegalArgumentException e) {
      throw StoreFailures.unusable(address, e);
    }
  }

  static Location location(Path qualified) {
    return new Location(qualified.toString());
  }

  /** Whether an address is a path on a disk or a mount of this machine. */
  public boolean isOnThisMachine(Location address) {
    return fileSystem(path(address)) instanceof RawLocalFileSystem;
  }

  /** The file at an address, or empty if there is nothing or a folder. */
  public Optional<InputFile> file(Location address) {
    KnownFolders known = looking.known();
    if (known.isFolder(address)) {
      return Optional.empty();
    }
    return known
        .file(address)
        .or(() -> status(address).filter(FileStatus::isFile).map(Stores::inputFile));
  }

  /** Whether there is a folder at an address. */
  public boolean isFolder(Location address) {
    return looking.known().isFolder(address)
        || status(address).filter(FileStatus::isDirectory).isPresent();
  }

  /**
   * Lists a folder, by name.
   *
   * @throws ReweaveException if it is missing or may not be read
   */
  public Listing list(Location address) {
    return looking.known().list(address, this::ask);
  }

  private Listing ask(Location address) {
    Path path = path(address);
    try {
      LocalFolder.Content content = LocalFolder.list(fileSystem(path), path);
      List<InputFile> files = new ArrayList<>();
      List<Location> folders = new ArrayList<>();
      for (FileStatus status : content.statuses()) {
        requireInside(status.getPath());
        if (status.isFile()) {
          files.add(inputFile(status));
        } else {
          folders.add(location(status.getPath()));
        }
      }
      files.sort(Comparator.comparing(InputFile::location));
      folders.sort(Comparator.naturalOrder());
      return new Listing(files, folders, content.lost());
    } catch (IOException e) {
      throw unreadable(address, e);
    }
  }

  private void requireInside(Path listed) throws IOException {
    if (looking.boundary().isPresent() && fileSystem(listed) instanceof RawLocalFileSystem local) {
      looking.boundary().get().require(local.pathToFile(listed));
    }
  }

  /**
   * Which files there are at these addresses, by address; one request for each of their folders.
   */
  public Map<Location, InputFile> present(Collection<Location> addresses) {
    Set<Location> folders = new TreeSet<>();
    addresses.forEach(a -> folders.add(a.parent()));
    Set<Location> wanted = new HashSet<>(addresses);
    Map<Location, InputFile> found = new HashMap<>();
    for (List<InputFile> files : ParallelCalls.answers(folders, this::filesIn)) {
      files.stream()
          .filter(f -> wanted.contains(f.location()))
          .forEach(f -> found.put(f.location(), f));
    }
    return found;
  }

  private List<InputFile> filesIn(Location folder) {
    try {
      return list(folder).files();
    } catch (ReweaveException e) {
      if (e.getCause() instanceof FileNotFoundException) {
        return List.of();
      }
      throw e;
    }
  }

  /**
   * All files in a folder and in the folders below it, by their paths in it, with {@code /} between
   * names.
   *
   * @throws ReweaveException if it is missing or may not be read, or some of it is lost
   */
  public SortedMap<String, InputFile> tree(Location address) {
    return FolderTree.of(this, address);
  }

  /**
   * Which machines have which part of a file, in the order of its bytes; empty if the store has no
   * machines of its own, as object stores and local disks have none, or does not tell.
   */
  public List<BlockHosts> blocks(InputFile file) {
    Path path = path(file.location());
    try {
      return BlockHosts.of(fileSystem(path), path, file);
    } catch (IOException e) {
      // It would only be of use: what cannot be read is told when it is read.
      return List.of();
    }
  }

  /** Opens a file for positioned reads; nothing is read yet. */
  public RandomAccess open(InputFile file) {
    Path path = path(file.location());
    try {
      requireRegular(file);
      return HadoopRandomAccess.open(fileSystem(path), path, file).limitedTo(limit);
    } catch (IOException e) {
      throw unreadable(file.location(), e);
    }
  }

  /** Refuses what a read could hang on, or never end. */
  void requireRegular(InputFile file) {
    Path path = path(file.location());
    if (fileSystem(path) instanceof RawLocalFileSystem local) {
      LocalFolder.requireRegular(local, path);
    }
  }

  /**
   * Reads a small file whole.
   *
   * @param most the most bytes that are believed
   */
  public byte[] readAll(InputFile file, int most) {
    if (file.length() > most) {
      throw StoreFailures.tooLargeFile(file, most);
    }
    limit.require(file.length(), "the file", file.uri());
    byte[] content = new byte[(int) file.length()];
    try (RandomAccess access = open(file)) {
      access.readFully(0, content, 0, content.length);
    } catch (IOException e) {
      throw unreadable(file.location(), e);
    }
    return content;
  }

  /**
   * The folder at an address, there or not, as a place for results.
   *
   * @throws ReweaveException if there is a link that leads nowhere, or nothing could be written
   *     with the checksums that are set for uploads
   */
  public OutputFolder outputFolder(Location address) {
    Path path = path(address);
    FileSystem fs = fileSystem(path);
    if (fs instanceof RawLocalFileSystem local) {
      LocalFolder.requireNoLooseLink(local, path);
    }
    UploadChecksums.require(fs, path);
    return new OutputFolder(this, fs, path);
  }

  /**
   * Refuses an address with a login in it: it would go into manifests, logs and messages of others.
   *
   * @throws ReweaveException if it holds a key, a password or the name of a user
   */
  public static void requireNoLogin(String address) {
    StoreFailures.requireNoLogin(address);
  }

  /** What to say when a file cannot be read. */
  public static ReweaveException unreadable(Location address, IOException cause) {
    return NameNodeRefusal.told(address.uri(), cause)
        .orElseGet(() -> StoreFailures.unreadable(address.uri(), cause));
  }

  /** What to say when a file cannot be written. */
  public static ReweaveException unwritable(Location address, IOException cause) {
    return NameNodeRefusal.told(address.uri(), cause)
        .orElseGet(() -> StoreFailures.unwritable(address.uri(), cause));
  }

  /** Gives a finished file its visible name; nothing happens if it has that already. */
  void rename(Location staged, Location target) throws IOException {
    Path from = path(staged);
    FileSystem fs = fileSystem(from);
    if (fs.exists(from) || !fs.exists(path(target))) {
      replace(staged, target);
    }
  }

  /** Renames a file over another one. */
  void replace(Location from, Location to) throws IOException {
    Path target = path(to);
    FileSystem fs = fileSystem(target);
    fs.delete(target, false);
    if (!fs.rename(path(from), target)) {
      throw new IOException("the store refused to rename " + from + " to " + to);
    }
  }

  /**
   * Moves a file to where readers look for it: they see all of it or nothing, also in object
   * stores, where it is copied. Folders are made as needed.
   *
   * @throws ReweaveException if it cannot be done
   */
  public void moveIn(InputFile file, Location target) {
    try {
      Path to = path(target);
      fileSystem(to).mkdirs(to.getParent());
      replace(file.location(), target);
    } catch (IOException e) {
      throw unwritable(target, e);
    }
  }

  /**
   * Deletes a folder with all that is in it; nothing happens if there is none.
   *
   * @throws ReweaveException if it cannot be done
   */
  public void deleteTree(Location folder) {
    Path path = path(folder);
    try {
      fileSystem(path).delete(path, true);
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
  }

  /** Deletes a file; nothing happens if there is none. */
  void delete(Location file) throws IOException {
    fileSystem(path(file)).delete(path(file), false);
  }

  /** The file system that holds a path, without checksum side files. */
  FileSystem fileSystem(Path path) {
    return FileSystems.of(path, conf.get());
  }

  static Path path(Location address) {
    return new Path(address.uri());
  }

  private Optional<FileStatus> status(Location address) {
    Path path = path(address);
    try {
      return Optional.of(fileSystem(path).getFileStatus(path));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw unreadable(address, e);
    }
  }

  private static InputFile inputFile(FileStatus status) {
    return new InputFile(
        location(status.getPath()),
        status.getLen(),
        status.getModificationTime(),
        ObjectStatus.etag(status));
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    looking = Looking.FREE;
  }
}
