package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.hadoop.fs.BBPartHandle;
import org.apache.hadoop.fs.BBUploadHandle;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UploadHandle;

/**
 * A multipart upload of an object store: parts in any order from any host, and no object before
 * they are complete.
 *
 * @param target where the object will be
 * @param token names the upload, in Base64
 * @param length of the object in bytes
 */
record MultipartFile(Location target, String token, long length) implements StagedFile {

  /** How often a part is sent that does not arrive as it was. */
  private static final int MOST_TIMES = 4;

  /** Starts an upload. */
  static MultipartFile begin(Stores stores, Location target, long length) throws IOException {
    Path path = Stores.path(target);
    try (MultipartUploader uploader = uploader(stores.fileSystem(path), path)) {
      UploadHandle handle = await(uploader.startUpload(path));
      return new MultipartFile(target, text(handle.bytes()), length);
    }
  }

  /** Aborts all uploads to a folder. */
  static void abortUnder(FileSystem fs, Path folder) throws IOException {
    try (MultipartUploader uploader = uploader(fs, folder)) {
      await(uploader.abortUploadsUnderPath(folder));
    }
  }

  private static MultipartUploader uploader(FileSystem fs, Path path) throws IOException {
    return fs.createMultipartUploader(path).build();
  }

  private static String text(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return Base64.getEncoder().encodeToString(copy);
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(Base64.getDecoder().decode(text));
  }

  private UploadHandle handle() {
    return BBUploadHandle.from(bytes(token));
  }

  private static <T> T await(CompletableFuture<T> future) throws IOException {
    try {
      return future.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IOException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for the store");
    }
  }

  @Override
  public List<Location> places() {
    // No one can read what was uploaded before the upload is complete, and then all can.
    return List.of(target);
  }

  @Override
  public ChunkSink open(Stores stores, Part part) {
    return new Sink(stores, this, part);
  }

  @Override
  public void assemble(Stores stores, List<PartReceipt> receipts) {
    // The store does it, and shows the object at once: left to publication.
  }

  @Override
  public void publish(Stores stores, List<PartReceipt> receipts) throws IOException {
    Path path = Stores.path(target);
    Map<Integer, PartHandle> parts = new HashMap<>();
    receipts.forEach(r -> parts.put(r.number(), BBPartHandle.from(bytes(r.token()))));
    try (MultipartUploader uploader = uploader(stores.fileSystem(path), path)) {
      await(uploader.complete(handle(), path, parts));
    } catch (IOException e) {
      // An upload that was completed already (by a killed process, or by a request whose answer was
      // lost) is gone, and its object is there: publication removes older ones first.
      if (stores.file(target).filter(f -> f.length() == length).isEmpty()) {
        throw e;
      }
    }
  }

  @Override
  public void abort(Stores stores) throws IOException {
    Path path = Stores.path(target);
    try (MultipartUploader uploader = uploader(stores.fileSystem(path), path)) {
      await(uploader.abort(handle(), path));
    } catch (FileNotFoundException e) {
      // It was completed or aborted before.
      return;
    }
  }

  /** Holds the part, so that it can be sent again when the store asks to slow down. */
  private static final class Sink implements ChunkSink {
    private final Stores stores;
    private final MultipartFile file;
    private final Part part;
    private final byte[] content;
    private int filled;

    Sink(Stores stores, MultipartFile file, Part part) {
      this.stores = stores;
      this.file = file;
      this.part = part;
      this.content = new byte[Math.toIntExact(part.length())];
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      System.arraycopy(data, offset, content, filled, length);
      filled += length;
    }

    @Override
    public PartReceipt commit() throws IOException {
      if (filled != content.length) {
        throw new IllegalStateException(filled + " bytes were written of " + part);
      }
      Path path = Stores.path(file.target());
      try (MultipartUploader uploader = uploader(stores.fileSystem(path), path)) {
        for (int times = 1; ; times++) {
          try {
            return send(uploader, path);
          } catch (IOException e) {
            if (times == MOST_TIMES || !StoreAnswer.tellsOfDamage(e)) {
              throw e;
            }
          }
        }
      }
    }

    private PartReceipt send(MultipartUploader uploader, Path path) throws IOException {
      PartHandle handle =
          await(
              uploader.putPart(
                  file.handle(),
                  part.number(),
                  false,
                  path,
                  new ByteArrayInputStream(content),
                  content.length));
      Optional<UploadChecksums.Told> told = UploadChecksums.of(handle.toByteArray());
      if (told.isPresent() && !told.get().isOf(content, content.length)) {
        throw StoreAnswer.damage(part.number());
      }
      return new PartReceipt(
          part.number(),
          text(handle.bytes()),
          told.isPresent() ? PartReceipt.Arrival.CHECKED : PartReceipt.Arrival.UNCHECKED);
    }

    @Override
    public void close() {
      // Nothing is open between the requests.
    }
  }
}
