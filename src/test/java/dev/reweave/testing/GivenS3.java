package dev.reweave.testing;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/**
 * A store that the environment names in place of the embedded one: {@code
 * REWEAVE_TEST_S3_ENDPOINT=http://127.0.0.1:9000}, with AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY. It is reached through a proxy that notes which uploads are begun: some
 * stores list those of one key alone. So it has to be one without TLS.
 */
final class GivenS3 implements S3Server.Store {
  private static final String ENDPOINT = "REWEAVE_TEST_S3_ENDPOINT";
  private static final String REGION = "us-east-1";

  private final FaultProxy watch;
  private final S3Client client;

  private GivenS3(URI address) throws IOException {
    this.watch = FaultProxy.start(address, Link.NEAR);
    this.client =
        S3Client.builder()
            .endpointOverride(address)
            .region(Region.of(REGION))
            .forcePathStyle(true)
            .httpClientBuilder(ApacheHttpClient.builder())
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(
                        System.getenv("AWS_ACCESS_KEY_ID"),
                        System.getenv("AWS_SECRET_ACCESS_KEY"))))
            .build();
  }

  /** Whether the environment names one. */
  static boolean isNamed() {
    return address().isPresent();
  }

  private static Optional<URI> address() {
    return Optional.ofNullable(System.getenv(ENDPOINT)).filter(a -> !a.isEmpty()).map(URI::create);
  }

  static GivenS3 open() throws IOException {
    return new GivenS3(address().orElseThrow());
  }

  @Override
  public URI endpoint() {
    return watch.endpoint();
  }

  /** Who asks, in Hadoop's settings; it believes nobody who does not sign. */
  static void addLogin(Map<String, String> settings) {
    settings.put("fs.s3a.access.key", System.getenv("AWS_ACCESS_KEY_ID"));
    settings.put("fs.s3a.secret.key", System.getenv("AWS_SECRET_ACCESS_KEY"));
    settings.remove(S3Server.SIGNING);
  }

  @Override
  public void createBucket(String bucket) {
    client.createBucket(r -> r.bucket(bucket));
  }

  @Override
  public List<String> pendingUploads(String bucket) {
    String folder = "/" + bucket + "/";
    TreeSet<String> begun = new TreeSet<>();
    for (FaultProxy.Recorded recorded : watch.requests()) {
      FaultProxy.Request request = recorded.request();
      if (request.method().equals("POST")
          && request.query().startsWith("uploads")
          && request.path().startsWith(folder)) {
        begun.add(request.path().substring(folder.length()));
      }
    }
    List<String> pending = new ArrayList<>();
    for (String key : begun) {
      client.listMultipartUploads(r -> r.bucket(bucket).prefix(key)).uploads().stream()
          .map(MultipartUpload::key)
          .filter(key::equals)
          .forEach(pending::add);
    }
    return pending;
  }

  @Override
  public void close() {
    client.close();
    watch.close();
  }
}
