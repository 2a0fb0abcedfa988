package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.testing.Fault;
import dev.reweave.testing.FaultProxy;
import dev.reweave.testing.FaultProxy.Request;
import dev.reweave.testing.S3Server;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A part of ours goes to S3 in pieces, while more of it is made. */
class MultipartSinkTest {
  private static final int PART = 12 << 20;
  private static final int PIECES = 5;
  private static final int WINDOW = 1 << 20;

  private final byte[] content = new byte[2 * PART + (2 << 20)];
  private FaultProxy proxy;
  private Stores stores;
  private OutputFolder output;
  private String bucket;
  private StagedFile file;

  @BeforeEach
  void start() throws IOException {
    new Random(1).nextBytes(content);
    proxy = FaultProxy.start(S3Server.shared());
    Configuration conf = new Configuration();
    proxy.configure(conf);
    bucket = S3Server.shared().newBucket();
    stores = new Stores(conf);
    output = stores.outputFolder(stores.locate("s3a://" + bucket + "/out"));
    file = output.stage("weights", content.length);
  }

  @AfterEach
  void stop() throws IOException {
    stores.fileSystem(Stores.path(output.address())).close();
    proxy.close();
  }

  private static boolean isPiece(Request request) {
    return request.method().equals("PUT") && request.query().startsWith("partNumber=");
  }

  private List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    for (int from = 0; from < content.length; from += PART) {
      parts.add(new Part(parts.size() + 1, from, Math.min(PART, content.length - from)));
    }
    return parts;
  }

  private void fill(ChunkSink sink, Part part, long bytes) throws IOException {
    for (long done = 0; done < bytes; done += WINDOW) {
      int length = (int) Math.min(WINDOW, bytes - done);
      sink.write(content, (int) (part.position() + done), length);
    }
  }

  private List<PartReceipt> write(Part part) throws IOException {
    try (ChunkSink sink = file.open(stores, part)) {
      fill(sink, part, part.length());
      return sink.commit();
    }
  }

  @Test
  void piecesAreNumberedThroughTheFile() throws IOException {
    List<PartReceipt> receipts = new ArrayList<>();
    // The last part first: in any order, from any host.
    for (int part = parts().size() - 1; part >= 0; part--) {
      receipts.addAll(0, write(parts().get(part)));
    }
    output.assemble(file, receipts);
    output.publish(file, receipts);

    assertEquals(
        IntStream.rangeClosed(1, PIECES).boxed().toList(),
        receipts.stream().map(PartReceipt::number).toList());
    InputFile published = stores.file(file.target()).orElseThrow();
    assertArrayEquals(content, stores.readAll(published, content.length));
  }

  @Test
  void aPieceThatIsRefusedIsToldWhileMoreIsMade() throws IOException {
    proxy.inject(MultipartSinkTest::isPiece, Integer.MAX_VALUE, Fault.status(403));
    Part all = new Part(1, 0, content.length);

    try (ChunkSink sink = file.open(stores, all)) {
      assertThrows(
          IOException.class,
          () -> {
            fill(sink, all, all.length());
            sink.commit();
          });
    }

    PublishingContract.clear(output);
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @Test
  void nothingIsUnderWayBehindAPartThatIsGivenUp() throws IOException {
    Part all = new Part(1, 0, content.length);

    try (ChunkSink sink = file.open(stores, all)) {
      fill(sink, all, 20 << 20);
    }
    PublishingContract.clear(output);

    // An upload that is gone takes no piece: a late one would have been answered by 404.
    assertTrue(
        proxy.requests().stream()
            .filter(r -> isPiece(r.request()))
            .allMatch(r -> r.status() == 200),
        () -> proxy.requests().toString());
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @Test
  void whoIsInterruptedGivesUp() throws IOException {
    Part all = new Part(1, 0, content.length);
    proxy.inject(MultipartSinkTest::isPiece, 1, Fault.meanwhile(Thread.currentThread()::interrupt));

    try (ChunkSink sink = file.open(stores, all)) {
      assertThrows(
          InterruptedIOException.class,
          () -> {
            fill(sink, all, all.length());
            sink.commit();
          });
    }

    assertTrue(Thread.interrupted(), "nobody behind it would know");
    PublishingContract.clear(output);
    assertEquals(List.of(), S3Server.shared().pendingUploads(bucket));
  }

  @Test
  void aPartThatIsNotWholeIsNotCommitted() throws IOException {
    Part part = parts().get(0);
    try (ChunkSink sink = file.open(stores, part)) {
      fill(sink, part, PART - WINDOW);
      assertThrows(IllegalStateException.class, sink::commit);
    }
    PublishingContract.clear(output);
  }
}
