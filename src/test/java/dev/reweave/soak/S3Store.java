package dev.reweave.soak;

import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.Link;
import dev.reweave.testing.S3Server;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.MultipartUpload;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A bucket of an S3 server. Each site is reached through a proxy of its own, which notes what
 * uploads are begun: some stores list those of one key alone, so each such key is asked for.
 */
final class S3Store implements Store {
  private static final String BUCKET = "soak";

  private final String name;
  private final URI endpoint;
  private final Login login;
  private final Runnable server;
  private final AtomicBoolean ended = new AtomicBoolean();
  private final S3Client client;

  /** Who asks. */
  record Login(String user, String password) {}

  private S3Store(String name, URI endpoint, Login login, Runnable server) {
    this.name = name;
    this.endpoint = endpoint;
    this.login = login;
    this.server = server;
    this.client =
        S3Client.builder()
            .endpointOverride(endpoint)
            .region(Region.US_EAST_1)
            .forcePathStyle(true)
            .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
            .httpClientBuilder(ApacheHttpClient.builder())
            .credentialsProvider(
                StaticCredentialsProvider.create(
                    AwsBasicCredentials.create(login.user(), login.password())))
            .build();
    client.createBucket(r -> r.bucket(BUCKET));
    Runtime.getRuntime().addShutdownHook(new Thread(this::end));
  }

  /** The embedded server of the tests, which believes everybody. */
  static S3Store embedded() throws IOException {
    S3Server server = S3Server.start();
    return embedded(server, server::close);
  }

  /** The same, where it runs already. */
  static S3Store embedded(S3Server server, Runnable end) {
    return new S3Store("s3", server.endpoint(), new Login("test", "test"), end);
  }

  /** A MinIO, installed below a folder. */
  static S3Store minio(java.nio.file.Path installed, java.nio.file.Path data)
      throws IOException, InterruptedException {
    Login login = new Login("reweave", "reweave-tests");
    MinioServer server = MinioServer.start(installed, data, login);
    return new S3Store("minio", server.endpoint(), login, server::close);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Site site(String folder) throws IOException {
    return new Prefix(folder + "/", FaultProxy.start(endpoint, Link.NEAR));
  }

  @Override
  public void close() {
    client.close();
    end();
  }

  /** Also where the soak is ended from outside. */
  private void end() {
    if (!ended.getAndSet(true)) {
      server.run();
    }
  }

  private final class Prefix implements Site {
    private final String prefix;
    private final FaultProxy watch;

    Prefix(String prefix, FaultProxy watch) {
      this.prefix = prefix;
      this.watch = watch;
    }

    @Override
    public String address() {
      return "s3a://" + BUCKET + "/" + prefix.substring(0, prefix.length() - 1);
    }

    @Override
    public List<String> settings() {
      Map<String, String> settings = new TreeMap<>(watch.signedSettings());
      settings.put("fs.s3a.access.key", login.user());
      settings.put("fs.s3a.secret.key", login.password());
      return Command.settings(settings);
    }

    private List<String> keys() {
      return client.listObjectsV2Paginator(r -> r.bucket(BUCKET).prefix(prefix)).contents().stream()
          .map(S3Object::key)
          .toList();
    }

    @Override
    public Map<String, byte[]> files() {
      Map<String, byte[]> files = new TreeMap<>();
      for (String key : keys()) {
        try {
          files.put(
              key.substring(prefix.length()),
              client.getObjectAsBytes(r -> r.bucket(BUCKET).key(key)).asByteArray());
        } catch (NoSuchKeyException e) {
          // What a killed process asked for last can come through now.
        }
      }
      return files;
    }

    @Override
    public void put(Map<String, byte[]> files) {
      files.forEach(
          (path, content) -> {
            var unused =
                client.putObject(
                    r -> r.bucket(BUCKET).key(prefix + path), RequestBody.fromBytes(content));
          });
    }

    @Override
    public List<String> openUploads() {
      String folder = "/" + BUCKET + "/";
      TreeSet<String> asked = new TreeSet<>(List.of(prefix));
      for (FaultProxy.Recorded recorded : watch.requests()) {
        FaultProxy.Request request = recorded.request();
        if (request.method().equals("POST")
            && request.query().startsWith("uploads")
            && request.path().startsWith(folder)) {
          asked.add(request.path().substring(folder.length()));
        }
      }
      TreeSet<String> open = new TreeSet<>();
      for (String key : asked) {
        for (MultipartUpload upload : uploads(key)) {
          if (upload.key().startsWith(prefix)) {
            open.add(upload.key().substring(prefix.length()) + " (" + upload.uploadId() + ")");
          }
        }
      }
      return List.copyOf(open);
    }

    private List<MultipartUpload> uploads(String key) {
      return client.listMultipartUploads(r -> r.bucket(BUCKET).prefix(key)).uploads();
    }

    @Override
    public void remove() {
      List<String> begun = new ArrayList<>();
      for (String open : openUploads()) {
        begun.add(prefix + open.substring(0, open.lastIndexOf(" (")));
      }
      for (String key : begun) {
        for (MultipartUpload upload : uploads(key)) {
          client.abortMultipartUpload(
              r -> r.bucket(BUCKET).key(upload.key()).uploadId(upload.uploadId()));
        }
      }
      keys().forEach(key -> client.deleteObject(r -> r.bucket(BUCKET).key(key)));
    }

    @Override
    public void close() {
      watch.close();
    }
  }
}
