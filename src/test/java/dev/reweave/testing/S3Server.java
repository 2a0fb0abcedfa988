package dev.reweave.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;

/**
 * An S3 store on loopback: an embedded one, or that which {@link GivenS3 the environment names}.
 *
 * <p>Hadoop keeps one file system per bucket and user for the whole JVM, whatever the configuration
 * says later: give each test a bucket of its own.
 */
public final class S3Server implements AutoCloseable {
  /** How requests are signed; as on S3 where it is not set. */
  public static final String SIGNING = "fs.s3a.signing-algorithm";

  /** What answers. */
  interface Store extends AutoCloseable {
    URI endpoint();

    void createBucket(String bucket) throws IOException;

    List<String> pendingUploads(String bucket) throws IOException;

    @Override
    void close();
  }

  private final Store store;

  private S3Server(Store store) {
    this.store = store;
  }

  /** Starts an embedded one on a free port and waits until it answers. */
  public static S3Server start() throws IOException {
    return new S3Server(S3Mock.start());
  }

  /** The one server for all tests of this JVM, started at first use; never to be closed by one. */
  public static S3Server shared() {
    return Shared.SERVER;
  }

  private static final class Shared {
    static final S3Server SERVER = startForThisJvm();

    private static S3Server startForThisJvm() {
      try {
        Store store = GivenS3.isNamed() ? GivenS3.open() : S3Mock.start();
        Runtime.getRuntime().addShutdownHook(new Thread(store::close));
        return new S3Server(store);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Where it listens, such as {@code http://127.0.0.1:40123}. */
  public URI endpoint() {
    return store.endpoint();
  }

  /** Makes a bucket. */
  public void createBucket(String bucket) throws IOException {
    store.createBucket(bucket);
  }

  /** Makes a bucket that no other test uses; gives its name. */
  public String newBucket() throws IOException {
    String bucket = "test-" + UUID.randomUUID();
    createBucket(bucket);
    return bucket;
  }

  /** The keys of the multipart uploads that were begun and neither completed nor aborted. */
  public List<String> pendingUploads(String bucket) throws IOException {
    return store.pendingUploads(bucket);
  }

  /** Ends it at once, with its files. */
  @Override
  public void close() {
    store.close();
  }

  /** Makes {@code s3a:} addresses lead here. */
  public void configure(Configuration conf) {
    settings().forEach(conf::set);
  }

  /** The Hadoop settings that make {@code s3a:} addresses lead here. */
  public Map<String, String> settings() {
    return settings(endpoint());
  }

  /**
   * The Hadoop settings for an endpoint without TLS. The SDK's own retries, with their pauses of
   * half a second and more, are off: S3A's are left, a few milliseconds apart. Requests are not
   * signed: the embedded server reads signed uploads byte by byte, and believes everybody.
   */
  static Map<String, String> settings(URI endpoint) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("fs.s3a.endpoint", endpoint.toString());
    settings.put("fs.s3a.endpoint.region", "us-east-1");
    settings.put("fs.s3a.path.style.access", "true");
    settings.put("fs.s3a.connection.ssl.enabled", "false");
    settings.put("fs.s3a.bucket.probe", "0");
    settings.put(
        "fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
    settings.put("fs.s3a.access.key", "test");
    settings.put("fs.s3a.secret.key", "test");
    settings.put("fs.s3a.attempts.maximum", "0");
    settings.put(SIGNING, "NoOpSignerType");
    settings.put("fs.s3a.retry.limit", "5");
    settings.put("fs.s3a.retry.interval", "5ms");
    settings.put("fs.s3a.retry.throttle.limit", "5");
    settings.put("fs.s3a.retry.throttle.interval", "5ms");
    if (GivenS3.isNamed()) {
      GivenS3.addLogin(settings);
    }
    return settings;
  }
}
