package dev.reweave.storage;

import java.io.IOException;
import java.io.InputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.CompletableFuture;
import org.apache.hadoop.fs.MultipartUploader;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UploadHandle;

/**
 * Sends a part of an upload. Hadoop 3.4.2 added a parameter to its method, so that a call that is
 * compiled against one version has no method in the other.
 */
final class PutPart {
  /** With the Hadoop at hand. */
  static final PutPart OF_THIS_HADOOP = find();

  private static final String NAME = "putPart";

  private final MethodHandle method;

  private PutPart(MethodHandle method) {
    this.method = method;
  }

  private static PutPart find() {
    MethodHandles.Lookup lookup = MethodHandles.publicLookup();
    try {
      try {
        MethodHandle method = lookup.findVirtual(MultipartUploader.class, NAME, type(false));
        return new PutPart(method);
      } catch (NoSuchMethodException e) {
        MethodHandle method = lookup.findVirtual(MultipartUploader.class, NAME, type(true));
        // Whether it is the last part matters to encryption on this side alone, which has no
        // uploads of parts in any order.
        return new PutPart(MethodHandles.insertArguments(method, 3, false));
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Hadoop has no " + NAME + " that is known", e);
    }
  }

  private static MethodType type(boolean toldOfLast) {
    MethodType type =
        MethodType.methodType(
            CompletableFuture.class,
            UploadHandle.class,
            int.class,
            Path.class,
            InputStream.class,
            long.class);
    return toldOfLast ? type.insertParameterTypes(2, boolean.class) : type;
  }

  /** Begins to send. */
  @SuppressWarnings("unchecked")
  CompletableFuture<PartHandle> put(
      MultipartUploader uploader,
      UploadHandle upload,
      int number,
      Path path,
      InputStream body,
      long length)
      throws IOException {
    try {
      return (CompletableFuture<PartHandle>)
          method.invokeExact(uploader, upload, number, path, body, length);
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
