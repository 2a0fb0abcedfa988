package dev.reweave.fuzz;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PositionedReadable;
import org.apache.hadoop.fs.Seekable;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/** Files in memory, in folders, at addresses {@code memory:/...}: for Hadoop, which makes it. */
public final class MemoryFolders extends FileSystem {
  private static final URI ADDRESS = URI.create("memory:/");

  /** Contents by path from the root. */
  private static final SortedMap<String, byte[]> FILES = new TreeMap<>();

  /** The settings that make the scheme known. */
  static Configuration configuration() {
    Configuration conf = new Configuration(false);
    conf.set("fs.memory.impl", MemoryFolders.class.getName());
    return conf;
  }

  /** Takes in all files of a folder on disk. */
  static void add(String name, java.nio.file.Path folder) throws IOException {
    try (Stream<java.nio.file.Path> files = Files.walk(folder)) {
      for (java.nio.file.Path file : files.filter(Files::isRegularFile).toList()) {
        put("/" + name + "/" + folder.relativize(file), Files.readAllBytes(file));
      }
    }
  }

  /** Paths of all files, in order. */
  static List<String> paths() {
    synchronized (FILES) {
      return List.copyOf(FILES.keySet());
    }
  }

  static byte[] content(String path) {
    synchronized (FILES) {
      return FILES.get(path);
    }
  }

  static void put(String path, byte[] content) {
    synchronized (FILES) {
      FILES.put(path, content);
    }
  }

  @Override
  public URI getUri() {
    return ADDRESS;
  }

  @Override
  public String getScheme() {
    return ADDRESS.getScheme();
  }

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    byte[] content = content(path.toUri().getPath());
    if (content == null) {
      throw new FileNotFoundException(path.toString());
    }
    return new FSDataInputStream(new Content(content));
  }

  @Override
  public FileStatus[] listStatus(Path path) throws IOException {
    FileStatus status = getFileStatus(path);
    if (status.isFile()) {
      return new FileStatus[] {status};
    }
    String prefix = path.isRoot() ? "/" : path.toUri().getPath() + "/";
    SortedMap<String, FileStatus> found = new TreeMap<>();
    for (String file : paths()) {
      if (file.startsWith(prefix)) {
        String name = file.substring(prefix.length()).split("/", 2)[0];
        found.computeIfAbsent(name, n -> status(new Path(path, n)));
      }
    }
    return found.values().toArray(FileStatus[]::new);
  }

  @Override
  public FileStatus getFileStatus(Path path) throws FileNotFoundException {
    String prefix = path.toUri().getPath() + "/";
    if (content(path.toUri().getPath()) == null
        && !path.isRoot()
        && paths().stream().noneMatch(p -> p.startsWith(prefix))) {
      throw new FileNotFoundException(path.toString());
    }
    return status(path);
  }

  private FileStatus status(Path path) {
    byte[] content = content(path.toUri().getPath());
    return new FileStatus(
        content == null ? 0 : content.length, content == null, 1, 1, 0, makeQualified(path));
  }

  @Override
  public FSDataOutputStream create(
      Path path,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress) {
    throw new UnsupportedOperationException("create");
  }

  @Override
  public FSDataOutputStream append(Path path, int bufferSize, Progressable progress) {
    throw new UnsupportedOperationException("append");
  }

  @Override
  public boolean rename(Path from, Path to) {
    throw new UnsupportedOperationException("rename");
  }

  @Override
  public boolean delete(Path path, boolean recursive) {
    throw new UnsupportedOperationException("delete");
  }

  @Override
  public boolean mkdirs(Path path, FsPermission permission) {
    throw new UnsupportedOperationException("mkdirs");
  }

  @Override
  public void setWorkingDirectory(Path path) {
    throw new UnsupportedOperationException("setWorkingDirectory");
  }

  @Override
  public Path getWorkingDirectory() {
    return new Path(ADDRESS);
  }

  /** What an open file gives. */
  private static final class Content extends ByteArrayInputStream
      implements Seekable, PositionedReadable {
    Content(byte[] content) {
      super(content);
    }

    @Override
    public synchronized void seek(long position) throws EOFException {
      if (position < 0 || position > count) {
        throw new EOFException("position " + position + " of " + count);
      }
      pos = (int) position;
    }

    @Override
    public synchronized long getPos() {
      return pos;
    }

    @Override
    public boolean seekToNewSource(long position) {
      return false;
    }

    @Override
    public int read(long position, byte[] buffer, int offset, int length) {
      if (position < 0 || position >= count) {
        return -1;
      }
      int read = (int) Math.min(length, count - position);
      System.arraycopy(buf, (int) position, buffer, offset, read);
      return read;
    }

    @Override
    public void readFully(long position, byte[] buffer, int offset, int length)
        throws EOFException {
      if (read(position, buffer, offset, length) < length) {
        throw new EOFException("position " + position + " of " + count);
      }
    }

    @Override
    public void readFully(long position, byte[] buffer) throws EOFException {
      readFully(position, buffer, 0, buffer.length);
    }
  }
}
