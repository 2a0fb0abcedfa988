package dev.reweave.storage;

import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import java.io.FileNotFoundException;
import java.io.IOException;
import org.apache.hadoop.security.AccessControlException;

/** What stores say when something fails, in words of the user. */
final class StoreFailures {
  private StoreFailures() {}

  /** Refuses an address with a login in it. */
  static void requireNoLogin(String address) {
    if (Redacted.hasLogin(address)) {
      throw ReweaveException.usage(
          "the address holds a key or a name, which belong elsewhere",
          Redacted.withoutLogin(address),
          "give keys and names by the environment's variables, by a credentials provider or by the"
              + " store's settings (--conf spark.hadoop.fs.…)");
    }
  }

  /** What to say of an address that no store can have. */
  static ReweaveException unusable(String address, IllegalArgumentException cause) {
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        "not a usable address",
        address,
        "give a path or a URI",
        cause);
  }

  /** What to say when a file cannot be read. */
  static ReweaveException unreadable(String address, IOException failure) {
    IOException cause = StoreAnswer.unwrapped(failure);
    if (StoreAnswer.tellsOfNoBucket(cause)) {
      return noBucket(address, cause);
    }
    if (ObjectStatus.isChanged(cause)) {
      return new ReweaveException(
          "a file was changed while it was read: its ETag is another by now",
          address,
          "wait until nobody writes to it, then run the same command again",
          cause);
    }
    if (cause instanceof FileNotFoundException) {
      return new ReweaveException(
          ReweaveException.Kind.NOT_FOUND,
          "no such file or folder",
          address,
          "check the address and its spelling",
          cause);
    }
    if (isDenied(cause)) {
      return new ReweaveException(
          ReweaveException.Kind.ACCESS_DENIED,
          "not allowed to read",
          address,
          "ask for read access or use other credentials",
          cause);
    }
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "cannot read (" + StoreAnswer.text(cause) + ")",
        address,
        "check the store and its configuration, then run the same command again",
        cause);
  }

  /** What to say when a file cannot be written. */
  static ReweaveException unwritable(String address, IOException failure) {
    IOException cause = StoreAnswer.unwrapped(failure);
    if (StoreAnswer.tellsOfNoBucket(cause)) {
      return noBucket(address, cause);
    }
    if (isDenied(cause)) {
      return new ReweaveException(
          ReweaveException.Kind.ACCESS_DENIED,
          "not allowed to write",
          address,
          "ask for write access or name another output",
          cause);
    }
    return new ReweaveException(
        isFull(cause) ? ReweaveException.Kind.SHORTAGE : ReweaveException.Kind.STORE_FAILED,
        "cannot write (" + StoreAnswer.text(cause) + ")",
        address,
        "check the free space and the store's configuration, then run the same command again",
        cause);
  }

  private static ReweaveException noBucket(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.NOT_FOUND,
        "no such bucket",
        address,
        "check the address and its spelling, and the store's endpoint, or make the bucket",
        cause);
  }

  private static boolean isFull(IOException e) {
    String text = String.valueOf(e.getMessage());
    return text.contains("No space left on device") || text.contains("quota");
  }

  private static boolean isDenied(IOException e) {
    return e instanceof AccessControlException
        || e instanceof java.nio.file.AccessDeniedException
        || (e.getMessage() != null && e.getMessage().contains("Permission denied"));
  }
}
