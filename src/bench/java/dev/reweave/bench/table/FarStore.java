package dev.reweave.bench.table;

import dev.reweave.bench.ProcessRun;
import dev.reweave.bench.ProcessRun.Taken;
import dev.reweave.manifest.Manifest;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.HadoopFiles;
import dev.reweave.testing.Link;
import dev.reweave.testing.S3Server;
import dev.reweave.testing.WorkTimes;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;

/** An S3 store whose answers come late, and no connection to which is fast. */
final class FarStore implements Closeable {
  private static final Duration LATENCY = Duration.ofMillis(50);
  private static final long BYTES_PER_SECOND = 4_000_000;
  private static final String CHECKPOINT = "runs/ckpt";

  /**
   * What one way from the checkpoint to the result took.
   *
   * @param workSeconds of the conversion alone, from the first chunk until the last file is
   *     visible; all seconds where that cannot be told
   * @param fetched bytes that came from the store, heads of messages included
   * @param sent bytes that went there
   */
  record Carried(Taken taken, double workSeconds, double fetched, double sent) {
    double bytes() {
      return fetched + sent;
    }
  }

  private final WorkFiles files;
  private final S3Server server;
  private final FaultProxy proxy;
  private final String bucket;
  private final FileSystem near;
  private int runs;

  private FarStore(WorkFiles files, S3Server server) throws IOException {
    this.files = files;
    this.server = server;
    this.proxy = FaultProxy.start(server.endpoint(), Link.far(LATENCY, BYTES_PER_SECOND));
    this.bucket = server.newBucket();
    Configuration conf = new Configuration();
    server.configure(conf);
    this.near = FileSystem.newInstance(URI.create("s3a://" + bucket), conf);
  }

  /** Starts a store, and brings a checkpoint there. */
  static FarStore holding(Path checkpoint, WorkFiles files) throws IOException {
    FarStore store = new FarStore(files, S3Server.start());
    HadoopFiles.copy(checkpoint, store.near, "/" + CHECKPOINT);
    return store;
  }

  /** Converts it with one task at a time, from the store to the store. */
  Carried convert(Product product, String dtype) throws IOException, InterruptedException {
    String output = "models/" + ++runs;
    Path events = Files.createDirectories(files.fresh("events"));
    Map<String, String> settings = new TreeMap<>();
    proxy.signedSettings().forEach((name, value) -> settings.put("spark.hadoop." + name, value));
    settings.put("spark.eventLog.enabled", "true");
    settings.put("spark.eventLog.dir", events.toUri().toString());
    settings.put("spark.eventLog.compress", "false");
    List<String> arguments = new ArrayList<>(List.of("--master", "local[1]"));
    settings.forEach((name, value) -> arguments.addAll(List.of("--conf", name + "=" + value)));
    arguments.addAll(List.of("convert", "-i", uri(CHECKPOINT), "-o", uri(output)));
    arguments.addAll(List.of("--dtype", dtype));
    proxy.clear();
    Taken taken = product.run(Product.HEAP, arguments);
    double fetched = proxy.bytesFetched();
    double sent = proxy.bytesSent();
    double work = WorkTimes.read(events, published(output)).seconds();
    near.delete(new org.apache.hadoop.fs.Path(uri(output)), true);
    return new Carried(taken, work, fetched, sent);
  }

  private String uri(String key) {
    return "s3a://" + bucket + "/" + key;
  }

  /** When the store took the manifest, which comes last. */
  private long published(String output) {
    return proxy.requests().stream()
        .filter(r -> r.request().method().equals("PUT"))
        .filter(r -> r.request().path().endsWith(output + "/" + Manifest.FILE_NAME))
        .mapToLong(FaultProxy.Recorded::millis)
        .max()
        .orElseThrow();
  }

  /** Downloads all of it, lets the peer convert it, and uploads what that gives. */
  Carried around(Peer peer) throws IOException, InterruptedException {
    String output = "models/" + ++runs;
    Path local = files.fresh("downloaded");
    Path made = files.fresh("made");
    proxy.clear();
    Taken taken =
        transfer("download", CHECKPOINT, Files.createDirectories(local))
            .then(peer.convert(local, made))
            .then(transfer("upload", output, made));
    Carried carried = new Carried(taken, taken.seconds(), proxy.bytesFetched(), proxy.bytesSent());
    near.delete(new org.apache.hadoop.fs.Path(uri(output)), true);
    files.delete(local);
    files.delete(made);
    return carried;
  }

  private Taken transfer(String what, String prefix, Path folder)
      throws IOException, InterruptedException {
    return ProcessRun.run(
        Map.of(),
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Transfer.class.getName(),
            what,
            proxy.endpoint().toString(),
            bucket,
            prefix,
            folder.toString()));
  }

  @Override
  public void close() throws IOException {
    near.close();
    proxy.close();
    server.close();
  }
}
