package dev.reweave.storage;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;

/**
 * Sends a part of ours in pieces, which are parts of the store's own: each is under way while the
 * next ones are filled. A piece is held until the store has it, so that it can be sent again when
 * the store asks to slow down. The store's connector has the threads.
 */
final class MultipartSink implements ChunkSink {
  /** How often a piece is sent that does not arrive as it was. */
  private static final int MOST_TIMES = 4;

  /** A piece on its way. */
  private record Sent(int number, PieceBody body, CompletableFuture<PartHandle> answer) {}

  private final Stores stores;
  private final MultipartFile file;
  private final Part part;
  private final Path path;
  private final int pieceBytes;
  private final Deque<Sent> underWay = new ArrayDeque<>();
  private final List<PartReceipt> receipts = new ArrayList<>();
  private Optional<MultipartUploader> uploader = Optional.empty();
  private byte[] piece = new byte[0];
  private int filled;
  private long sent;

  MultipartSink(Stores stores, MultipartFile file, Part part) {
    this.stores = stores;
    this.file = file;
    this.part = part;
    this.path = Stores.path(file.target());
    // All parts of a file but the last are alike.
    long partBytes = part.number() == 1 ? part.length() : part.position() / (part.number() - 1);
    this.pieceBytes = PartRule.MULTIPART.pieceBytes(partBytes, file.length());
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    int at = offset;
    while (at < offset + length) {
      if (piece.length == 0) {
        piece = room((int) Math.min(pieceBytes, part.length() - sent));
      }
      int count = Math.min(offset + length - at, nextLength() - filled);
      System.arraycopy(data, at, piece, filled, count);
      filled += count;
      at += count;
      if (filled == nextLength()) {
        send();
      }
    }
  }

  /** Bytes of the piece that is filled. */
  private int nextLength() {
    return (int) Math.min(pieceBytes, part.length() - sent);
  }

  /** A buffer: that of the first piece that has arrived, if there are as many as may be. */
  private byte[] room(int bytes) throws IOException {
    if (underWay.size() < PartRule.PIECES_HELD - 1) {
      return new byte[bytes];
    }
    CompletableFuture<?>[] answers =
        underWay.stream().map(Sent::answer).toArray(CompletableFuture<?>[]::new);
    awaitAny(answers);
    Sent arrived = underWay.stream().filter(s -> s.answer().isDone()).findFirst().orElseThrow();
    settle(arrived);
    return arrived.body().data();
  }

  private static void awaitAny(CompletableFuture<?>... answers) throws IOException {
    try {
      CompletableFuture.anyOf(answers).get();
    } catch (ExecutionException e) {
      // Whose it is, and whether to send it again, is told when that one is settled.
      return;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for the store");
    }
  }

  private void send() throws IOException {
    int number = Math.toIntExact((part.position() + sent) / pieceBytes) + 1;
    PieceBody body = new PieceBody(piece, filled);
    sent += filled;
    piece = new byte[0];
    filled = 0;
    underWay.add(new Sent(number, body, put(number, body)));
  }

  private CompletableFuture<PartHandle> put(int number, PieceBody body) throws IOException {
    if (uploader.isEmpty()) {
      uploader = Optional.of(MultipartFile.uploader(stores.fileSystem(path), path));
    }
    return PutPart.OF_THIS_HADOOP.put(
        uploader.get(), file.handle(), number, path, body.stream(), body.length());
  }

  /** Takes the store's answer for a piece; sends it again if it did not arrive as it was. */
  private void settle(Sent piece) throws IOException {
    Sent last = piece;
    for (int times = 1; ; times++) {
      try {
        receipts.add(receipt(last, MultipartFile.await(last.answer())));
        underWay.remove(last);
        return;
      } catch (IOException e) {
        if (times == MOST_TIMES || !StoreAnswer.tellsOfDamage(e)) {
          throw e;
        }
        underWay.remove(last);
        last = new Sent(last.number(), last.body(), put(last.number(), last.body()));
        underWay.add(last);
      }
    }
  }

  private static PartReceipt receipt(Sent piece, PartHandle handle) throws IOException {
    Optional<UploadChecksums.Told> told = UploadChecksums.of(handle.toByteArray());
    if (told.isPresent() && !told.get().isOf(piece.body().data(), piece.body().length())) {
      throw StoreAnswer.damage(piece.number());
    }
    return new PartReceipt(
        piece.number(),
        StoreToken.of(handle.bytes()).text(),
        told.isPresent() ? PartReceipt.Arrival.CHECKED : PartReceipt.Arrival.UNCHECKED);
  }

  @Override
  public List<PartReceipt> commit() throws IOException {
    if (sent != part.length()) {
      throw new IllegalStateException((sent + filled) + " bytes were written of " + part);
    }
    while (!underWay.isEmpty()) {
      settle(underWay.getFirst());
    }
    receipts.sort(Comparator.comparingInt(PartReceipt::number));
    return List.copyOf(receipts);
  }

  @Override
  public void close() throws IOException {
    // What is given up must not arrive behind a clean-up.
    underWay.forEach(piece -> piece.body().giveUp());
    boolean interrupted = false;
    while (!underWay.isEmpty()) {
      try {
        underWay.getFirst().answer().get();
        underWay.removeFirst();
      } catch (ExecutionException e) {
        underWay.removeFirst();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (uploader.isPresent()) {
      uploader.get().close();
    }
  }
}
