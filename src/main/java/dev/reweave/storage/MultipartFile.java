package dev.reweave.storage;

import dev.reweave.common.Location;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
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

  /** Starts an upload. */
  static MultipartFile begin(Stores stores, Location target, long length) throws IOException {
    Path path = Stores.path(target);
    try (MultipartUploader uploader = uploader(stores.fileSystem(path), path)) {
      UploadHandle handle = await(uploader.startUpload(path));
      return new MultipartFile(target, StoreToken.of(handle.bytes()).text(), length);
    }
  }

  /** Aborts all uploads to a folder. */
  static void abortUnder(FileSystem fs, Path folder) throws IOException {
    try (MultipartUploader uploader = uploader(fs, folder)) {
      await(uploader.abortUploadsUnderPath(folder));
    }
  }

  static MultipartUploader uploader(FileSystem fs, Path path) throws IOException {
    return fs.createMultipartUploader(path).build();
  }

  UploadHandle handle() {
    return new StoreToken(token);
  }

  static <T> T await(CompletableFuture<T> future) throws IOException {
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
    return new MultipartSink(stores, this, part);
  }

  @Override
  public void assemble(Stores stores, List<PartReceipt> receipts) {
    // The store does it, and shows the object at once: left to publication.
  }

  @Override
  public void publish(Stores stores, List<PartReceipt> receipts, String before) throws IOException {
    Path path = Stores.path(target);
    Map<Integer, PartHandle> parts = new HashMap<>();
    receipts.forEach(r -> parts.put(r.number(), new StoreToken(r.token())));
    try (MultipartUploader uploader = uploader(stores.fileSystem(path), path)) {
      await(uploader.complete(handle(), path, parts));
    } catch (IOException e) {
      // An upload that was completed already (by a killed process, or by a request whose answer was
      // lost) is gone, and its object is there.
      if (stores
          .file(target)
          .filter(f -> f.length() == length && !f.stamp().equals(before))
          .isEmpty()) {
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
}
