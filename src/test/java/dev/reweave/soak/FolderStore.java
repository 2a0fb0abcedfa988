package dev.reweave.soak;

import dev.reweave.testing.TestHdfs;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/**
 * A store with real folders: the local disk, or an HDFS in this process.
 *
 * @param root where the folders of rounds are
 * @param settings by name, what a command needs to reach it
 * @param end ends what serves it
 */
record FolderStore(
    String name, FileSystem fs, Path root, Map<String, String> settings, Runnable end)
    implements Store {

  /** A folder of the local disk, without the checksum files that Hadoop hides there. */
  static FolderStore local(java.nio.file.Path folder) throws IOException {
    FileSystem raw = FileSystem.getLocal(new Configuration()).getRawFileSystem();
    return new FolderStore(
        "local", raw, new Path(folder.toAbsolutePath().toString()), Map.of(), () -> {});
  }

  /** An HDFS with one data node, whose files are in this folder. */
  static FolderStore hdfs(java.nio.file.Path folder) throws IOException {
    Configuration conf = TestHdfs.impatient(new Configuration());
    conf.set("dfs.replication", "1");
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.toString());
    MiniDFSCluster cluster = new MiniDFSCluster.Builder(conf).numDataNodes(1).build();
    Configuration reading = new Configuration(cluster.getConfiguration(0));
    // A killed writer leaves files whose last block has no length yet: they are told, not waited
    // for.
    reading.set("dfs.client.retry.times.get-last-block-length", "1");
    reading.set("dfs.client.retry.interval-ms.get-last-block-length", "10");
    return hdfs(FileSystem.newInstance(cluster.getURI(), reading), cluster::shutdown);
  }

  /** The same, where it runs already. */
  static FolderStore hdfs(FileSystem fs, Runnable end) {
    return new FolderStore(
        "hdfs",
        fs,
        new Path(fs.getUri() + "/soak"),
        Map.of(
            "dfs.replication",
            "1",
            "dfs.client.block.write.locateFollowingBlock.initial.delay.ms",
            "5"),
        end);
  }

  @Override
  public Site site(String name) {
    return new Folder(this, new Path(root, name));
  }

  @Override
  public void close() throws IOException {
    fs.delete(root, true);
    fs.close();
    end.run();
  }

  private record Folder(FolderStore store, Path folder) implements Site {
    @Override
    public String address() {
      return folder.toString();
    }

    @Override
    public List<String> settings() {
      return Command.settings(store.settings());
    }

    @Override
    public Map<String, byte[]> files() throws IOException {
      Map<String, byte[]> files = new TreeMap<>();
      add(folder, "", files);
      return files;
    }

    private void add(Path within, String prefix, Map<String, byte[]> files) throws IOException {
      FileStatus[] there;
      try {
        there = store.fs().listStatus(within);
      } catch (FileNotFoundException e) {
        return;
      }
      if (there.length == 0 && !prefix.isEmpty()) {
        files.put(prefix, new byte[0]);
      }
      for (FileStatus status : there) {
        String path = prefix + status.getPath().getName();
        if (status.isDirectory()) {
          add(status.getPath(), path + "/", files);
        } else {
          files.put(path, read(status.getPath()));
        }
      }
    }

    private byte[] read(Path file) {
      try (InputStream in = store.fs().open(file)) {
        return in.readAllBytes();
      } catch (IOException e) {
        // So are files of HDFS whose writer was killed.
        return ("cannot be read: " + e).getBytes(StandardCharsets.UTF_8);
      }
    }

    @Override
    public void put(Map<String, byte[]> files) throws IOException {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        try (OutputStream out = store.fs().create(new Path(folder, file.getKey()), true)) {
          out.write(file.getValue());
        }
      }
    }

    @Override
    public List<String> openUploads() {
      return List.of();
    }

    @Override
    public void remove() throws IOException {
      store.fs().delete(folder, true);
    }

    @Override
    public void close() {
      // The file system is the store's.
    }
  }
}
