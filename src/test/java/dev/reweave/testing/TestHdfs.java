package dev.reweave.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/** One HDFS for all tests of this JVM, with one data node, started at first use. */
public final class TestHdfs {
  /** Not started by who only asks for settings. */
  private static final class Running {
    private static final MiniDFSCluster CLUSTER = start();
  }

  private TestHdfs() {}

  private static MiniDFSCluster start() {
    try {
      Path folder = Files.createTempDirectory("reweave-hdfs-");
      Configuration conf = impatient(new Configuration());
      conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.toString());
      MiniDFSCluster cluster = new MiniDFSCluster.Builder(conf).numDataNodes(1).build();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> cluster.shutdown(true)));
      return cluster;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lets clients wait 5 ms, not 400, for the first time before they close a file. */
  public static Configuration impatient(Configuration conf) {
    conf.set("dfs.client.block.write.locateFollowingBlock.initial.delay.ms", "5");
    return conf;
  }

  /** Its file system; never to be closed by a test. */
  public static FileSystem fileSystem() {
    try {
      return Running.CLUSTER.getFileSystem();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The Hadoop settings of its clients. */
  public static Configuration configuration() {
    return new Configuration(Running.CLUSTER.getConfiguration(0));
  }
}
