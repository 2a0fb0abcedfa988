package dev.reweave.bench.table;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.transfer.s3.S3TransferManager;
import software.amazon.awssdk.transfer.s3.model.FailedFileDownload;
import software.amazon.awssdk.transfer.s3.model.FailedFileUpload;

/** Brings a folder from a bucket, or into one, as the SDK's transfer manager does it. */
final class Transfer {
  /** A slow link is no reason to give up. */
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private Transfer() {}

  /** Runs {@code download|upload ENDPOINT BUCKET PREFIX FOLDER}. */
  public static void main(String[] args) {
    try (S3AsyncClient client =
            S3AsyncClient.builder()
                .endpointOverride(URI.create(args[1]))
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .multipartEnabled(true)
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().readTimeout(PATIENCE))
                .credentialsProvider(
                    StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")))
                .build();
        S3TransferManager manager = S3TransferManager.builder().s3Client(client).build()) {
      List<?> failed = args[0].equals("download") ? download(manager, args) : upload(manager, args);
      if (!failed.isEmpty()) {
        throw new IllegalStateException(failed.toString());
      }
    }
  }

  private static List<FailedFileDownload> download(S3TransferManager manager, String[] args) {
    return manager
        .downloadDirectory(
            request ->
                request
                    .bucket(args[2])
                    .listObjectsV2RequestTransformer(list -> list.prefix(args[3]))
                    .destination(Path.of(args[4])))
        .completionFuture()
        .join()
        .failedTransfers();
  }

  private static List<FailedFileUpload> upload(S3TransferManager manager, String[] args) {
    return manager
        .uploadDirectory(
            request -> request.bucket(args[2]).s3Prefix(args[3]).source(Path.of(args[4])))
        .completionFuture()
        .join()
        .failedTransfers();
  }
}
