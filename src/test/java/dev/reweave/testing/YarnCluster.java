package dev.reweave.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.yarn.api.records.ApplicationId;
import org.apache.hadoop.yarn.server.MiniYARNCluster;
import org.apache.hadoop.yarn.server.resourcemanager.rmapp.RMApp;

/**
 * A YARN with two nodes in this process, whose containers are processes of their own, and a Spark
 * installation that submits to it.
 */
public final class YarnCluster implements AutoCloseable {
  private static final int NODES = 2;

  private final Path folder;
  private final Path home;
  private final MiniYARNCluster cluster;

  private YarnCluster(Path folder, Path home, MiniYARNCluster cluster) {
    this.folder = folder;
    this.home = home;
    this.cluster = cluster;
  }

  /**
   * Starts one.
   *
   * @param folder for its files
   * @param store settings of the file system that applications are staged in
   */
  public static YarnCluster start(Path folder, Configuration store) throws Exception {
    Path home = SparkHome.make(folder.resolve("home"), ClusterJars.all());
    Configuration conf = new Configuration(store);
    // Of Hadoop's tests: no container has it.
    conf.unset("net.topology.node.switch.mapping.impl");
    conf.set("yarn.scheduler.capacity.root.queues", "default");
    conf.set("yarn.scheduler.capacity.root.default.capacity", "100");
    conf.set("yarn.scheduler.capacity.maximum-am-resource-percent", "1");
    conf.setInt("yarn.scheduler.minimum-allocation-mb", 128);
    conf.setInt("yarn.nodemanager.resource.memory-mb", 4096);
    // Disks of machines that run tests are often nearly full.
    conf.setFloat(
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", 100);
    conf.set("yarn.nodemanager.admin-env", "JAVA_HOME=" + System.getProperty("java.home"));
    MiniYARNCluster cluster = new MiniYARNCluster("reweave-yarn", NODES, 1, 1);
    cluster.init(conf);
    cluster.start();
    if (!cluster.waitForNodeManagersToConnect(60_000)) {
      cluster.stop();
      throw new IllegalStateException("the nodes did not come");
    }
    Path settings = Files.createDirectories(folder.resolve("hadoop"));
    for (String file : List.of("core-site.xml", "yarn-site.xml")) {
      try (OutputStream out = Files.newOutputStream(settings.resolve(file))) {
        cluster.getConfig().writeXml(out);
      }
    }
    return new YarnCluster(folder, home, cluster);
  }

  /** What the product's scripts need to know of it. */
  public Map<String, String> environment() {
    return Map.of(
        "SPARK_HOME",
        home.toString(),
        "HADOOP_CONF_DIR",
        folder.resolve("hadoop").toString(),
        "REWEAVE_JAVA_OPTS",
        Launcher.SHORT_LIVED);
  }

  /** Where containers find the jars of Spark. */
  public String jars() {
    return "local:" + home.resolve("jars") + "/*";
  }

  /** All applications that were submitted, each with how it ended. */
  public Map<ApplicationId, RMApp> applications() {
    return Map.copyOf(cluster.getResourceManager().getRMContext().getRMApps());
  }

  /** What the containers of an application wrote to their logs of this name. */
  public List<String> written(ApplicationId application, String log) throws IOException {
    List<String> texts = new ArrayList<>();
    for (int node = 0; node < NODES; node++) {
      String logs = cluster.getNodeManager(node).getConfig().get("yarn.nodemanager.log-dirs");
      Path own = Path.of(logs, application.toString());
      if (Files.exists(own)) {
        try (Stream<Path> files = Files.walk(own)) {
          for (Path file : files.filter(path -> path.endsWith(log)).toList()) {
            texts.add(Files.readString(file));
          }
        }
      }
    }
    return texts;
  }

  @Override
  public void close() throws IOException {
    cluster.stop();
    ReleaseFolder.deleteLinks(home);
  }
}
