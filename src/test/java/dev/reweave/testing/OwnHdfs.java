package dev.reweave.testing;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.hdfs.DFSTestUtil;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;
import org.apache.hadoop.hdfs.client.CreateEncryptionZoneFlag;
import org.apache.hadoop.hdfs.client.HdfsAdmin;

/** An HDFS for one test class that wants another one than {@link TestHdfs}. */
public final class OwnHdfs implements AutoCloseable {
  private static final String KEY = "zone-key";

  private final MiniDFSCluster cluster;
  private final Configuration conf;

  private OwnHdfs(MiniDFSCluster cluster, Configuration conf) {
    this.cluster = cluster;
    this.conf = conf;
  }

  /** With so many data nodes. */
  public static OwnHdfs start(int dataNodes) throws IOException {
    MiniDFSCluster cluster = builder(new Configuration()).numDataNodes(dataNodes).build();
    return new OwnHdfs(cluster, cluster.getConfiguration(0));
  }

  /** With keys for encryption zones. */
  public static OwnHdfs withKeys() throws Exception {
    Configuration conf = new Configuration();
    Path keys = Files.createTempDirectory("reweave-keys-").resolve("keys.jks");
    conf.set("hadoop.security.key.provider.path", "jceks://file" + keys);
    MiniDFSCluster cluster = builder(conf).numDataNodes(1).build();
    DFSTestUtil.createKey(KEY, cluster, cluster.getConfiguration(0));
    return new OwnHdfs(cluster, cluster.getConfiguration(0));
  }

  /** With two name nodes, of which the first one is active. */
  public static OwnHdfs withTwoNameNodes() throws IOException {
    MiniDFSCluster cluster =
        builder(new Configuration())
            .nnTopology(MiniDFSNNTopology.simpleHATopology())
            .numDataNodes(1)
            .build();
    cluster.waitActive();
    cluster.transitionToActive(0);
    Configuration conf = new Configuration(cluster.getConfiguration(0));
    conf.set("dfs.nameservices", "pair");
    conf.set("dfs.ha.namenodes.pair", "nn1,nn2");
    for (int i = 0; i < 2; i++) {
      conf.set(
          "dfs.namenode.rpc-address.pair.nn" + (i + 1),
          cluster.getNameNode(i).getNameNodeAddressHostPortString());
    }
    conf.set(
        "dfs.client.failover.proxy.provider.pair",
        "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider");
    conf.setInt("dfs.client.failover.sleep.base.millis", 10);
    conf.setInt("dfs.client.failover.sleep.max.millis", 50);
    conf.set(FileSystem.FS_DEFAULT_NAME_KEY, "hdfs://pair");
    return new OwnHdfs(cluster, conf);
  }

  private static MiniDFSCluster.Builder builder(Configuration conf) throws IOException {
    TestHdfs.impatient(conf);
    Path folder = Files.createTempDirectory("reweave-own-hdfs-");
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, folder.toString());
    return new MiniDFSCluster.Builder(conf);
  }

  /** The Hadoop settings of its clients. */
  public Configuration configuration() {
    return new Configuration(conf);
  }

  /** Its file system. */
  public DistributedFileSystem fileSystem() throws IOException {
    return (DistributedFileSystem) FileSystem.get(conf);
  }

  /** What its administrator can do. */
  public HdfsAdmin admin() throws IOException {
    return new HdfsAdmin(FileSystem.getDefaultUri(conf), conf);
  }

  /** Makes a folder an encryption zone. */
  public void encrypt(org.apache.hadoop.fs.Path folder) throws IOException {
    fileSystem().mkdirs(folder);
    admin().createEncryptionZone(folder, KEY, EnumSet.of(CreateEncryptionZoneFlag.NO_TRASH));
  }

  /** Address of the name node that is not the active one. */
  public URI standby() {
    return cluster.getURI(1 - active());
  }

  private int active() {
    return cluster.getNameNode(0).isActiveState() ? 0 : 1;
  }

  /** Makes the other name node the active one. */
  public void failOver() throws IOException {
    int active = active();
    cluster.transitionToStandby(active);
    cluster.transitionToActive(1 - active);
  }

  @Override
  public void close() {
    cluster.shutdown(true);
  }
}
