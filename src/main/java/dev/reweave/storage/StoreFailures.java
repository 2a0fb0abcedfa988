package dev.reweave.storage;

import dev.reweave.common.Location;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.security.AccessControlException;

/** What stores say when something fails, in words of the user. */
final class StoreFailures {
  private static final String CHECK_SPACE =
      "check the free space and the store's configuration, then run the same command again";

  private StoreFailures() {}

  /** {@code s3a://KEY:SECRET@bucket} and the like. */
  private static ReweaveException login(String place) {
    return ReweaveException.usage(
        "the address holds a key or a name, which belong elsewhere",
        place,
        "give keys and names by the environment's variables, by a credentials provider or by the"
            + " store's settings (--conf spark.hadoop.fs.…)");
  }

  /** Refuses an address with a login in it. */
  static void requireNoLogin(String address) {
    if (Redacted.hasLogin(address)) {
      throw login(Redacted.withoutLogin(address));
    }
  }

  /** No file system could have such a path. */
  static ReweaveException unusable(String address, IllegalArgumentException cause) {
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        "not a usable address",
        address,
        "give a path or a URI",
        cause);
  }

  /** A setting of its connector is misspelt, or of another version. */
  static ReweaveException badSetting(
      String address, Optional<String> setting, IllegalArgumentException cause) {
    String name = setting.orElse("fs.…");
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        "the settings of the store cannot be used ("
            + (setting.isPresent() ? name + ": " : "")
            + cause.getMessage()
            + ")",
        address,
        name.equals(UploadChecksums.ALGORITHM)
            ? "set it to CRC32C, or to nothing for none"
            : "correct them (--conf spark.hadoop." + name + "=…)",
        cause);
  }

  /** Nothing in the environment, a profile, a role or the settings says who asks. */
  private static ReweaveException noCredentials(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.ACCESS_DENIED,
        "no credentials for the store were found",
        address,
        "give them by the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), a profile, a"
            + " role or a credentials provider (fs.s3a.aws.credentials.provider)",
        cause);
  }

  private static String right(IOException cause) {
    return S3Rights.refused(cause).map(right -> " (no right to " + right + ")").orElse("");
  }

  /** It is misspelt, or the settings that say what it stands for are missing. */
  static ReweaveException unknownName(String address, IllegalArgumentException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "no machine and no service of this name is known",
        address,
        "check its spelling; what stands for several name nodes of HDFS is in the cluster's"
            + " hdfs-site.xml: set HADOOP_CONF_DIR to the folder of that file",
        cause);
  }

  /** What to say when a file cannot be read. */
  static ReweaveException unreadable(String address, IOException failure) {
    IOException cause = StoreAnswer.unwrapped(failure);
    if (StoreAnswer.tellsOfNoBucket(cause)) {
      return noBucket(address, cause);
    } else if (StoreAnswer.tellsOfNoCredentials(cause)) {
      return noCredentials(address, cause);
    } else if (ObjectStatus.isChanged(cause)) {
      return changed(address, cause);
    } else if (cause instanceof FileNotFoundException) {
      return missing(address, cause);
    }
    return isDenied(cause) ? notToBeRead(address, cause) : notRead(address, cause);
  }

  /** Training or a copy still writes to it. */
  private static ReweaveException changed(String address, IOException cause) {
    return new ReweaveException(
        "a file was changed while it was read: its ETag is another by now",
        address,
        "wait until nobody writes to it, then run the same command again",
        cause);
  }

  /** The address is misspelt, or the file has gone. */
  private static ReweaveException missing(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.NOT_FOUND,
        "no such file or folder",
        address,
        "check the address and its spelling",
        cause);
  }

  /** The credentials are missing, wrong, or of somebody without the right. */
  private static ReweaveException notToBeRead(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.ACCESS_DENIED,
        "not allowed to read" + right(cause),
        address,
        "ask for read access or use other credentials",
        cause);
  }

  /** A disk, network or store fails, or is not set up. */
  private static ReweaveException notRead(String address, IOException cause) {
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
    if (StoreAnswer.tellsOfNoPlace(cause)) {
      return noBucket(address, cause);
    } else if (StoreAnswer.tellsOfNoCredentials(cause)) {
      return noCredentials(address, cause);
    } else if (StoreAnswer.tellsOfNoUpload(cause)) {
      return uploadGone(address, cause);
    } else if (StoreAnswer.tellsOfChecksums(cause)) {
      return checksumRefused(address, cause);
    } else if (isDenied(cause)) {
      return notToBeWritten(address, cause);
    }
    return isFull(cause) ? full(address, cause) : notWritten(address, cause);
  }

  /** The credentials are missing, wrong, or of somebody without the right. */
  private static ReweaveException notToBeWritten(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.ACCESS_DENIED,
        "not allowed to write" + right(cause),
        address,
        "ask for write access or name another output",
        cause);
  }

  /** A rule of the bucket or the store ends old uploads, or somebody has aborted it. */
  private static ReweaveException uploadGone(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "an upload is not in the store any more",
        address,
        "have the store keep uploads for longer than a conversion takes (its lifecycle rules), then"
            + " run the same command again",
        cause);
  }

  /** What was sent was damaged on its way, or the store does not know such checksums. */
  private static ReweaveException checksumRefused(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "cannot write (" + StoreAnswer.text(cause) + ")",
        address,
        "run the same command again; if the store knows no checksums of uploads, send none with"
            + " --conf spark.hadoop.fs.s3a.create.checksum.algorithm= (nothing behind it), and the"
            + " result is read back in their place",
        cause);
  }

  /** The disk or the quota is full. */
  private static ReweaveException full(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.SHORTAGE,
        "cannot write (" + StoreAnswer.text(cause) + ")",
        address,
        CHECK_SPACE,
        cause);
  }

  /** A disk, network or store fails, or is not set up. */
  private static ReweaveException notWritten(String address, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.STORE_FAILED,
        "cannot write (" + StoreAnswer.text(cause) + ")",
        address,
        CHECK_SPACE,
        cause);
  }

  /** The bucket or container is misspelt, of another endpoint, or not made yet. */
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

  static boolean isDenied(IOException e) {
    return e instanceof AccessControlException
        || e instanceof java.nio.file.AccessDeniedException
        || (e.getMessage() != null && e.getMessage().contains("Permission denied"));
  }

  /** The JVM runs in a locale without such letters. */
  static ReweaveException notInEncoding(String name, String folder) {
    return ReweaveException.unsupported(
        "the name of a file is not in the encoding of this machine: " + name,
        folder,
        "rename it, or run with a UTF-8 locale such as LC_ALL=C.UTF-8");
  }

  /** What they led to was moved, or not copied. */
  static ReweaveException looseLinks(List<String> names, String folder) {
    return new ReweaveException(
        "symbolic links lead nowhere: " + String.join(", ", names),
        folder,
        "put copies of what they stand for in their place, or remove them");
  }

  /** To read it could have no end. */
  static ReweaveException noFile(String place) {
    return ReweaveException.unsupported(
        "this is a pipe, a socket, a device or a folder, and no file",
        place,
        "put a file with the content in its place, or remove it");
  }

  /** What it led to was moved. */
  static ReweaveException looseOutput(String place) {
    return ReweaveException.occupied(
        "the output is no folder, but a link that leads nowhere",
        place,
        "remove it, or name another output");
  }

  /** {@code http:} and {@code https:} are no stores. */
  static ReweaveException overHttp(String place) {
    return ReweaveException.unsupported(
        "nothing can be listed, measured or written over HTTP",
        place,
        "download it first, or name its address in a store, such as s3a: or hdfs:");
  }

  /** The scheme is misspelt, or its connector is not there. */
  static ReweaveException unknownScheme(String place, IOException cause) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "no file system is known for this scheme",
        place,
        "put its Hadoop connector on the class path, or use file:, hdfs: or s3a:",
        cause);
  }

  /** A damaged or hostile file, or a small heap. */
  static ReweaveException tooMuchForMemory(String what, long length, String place) {
    return ReweaveException.shortage(
        what + " has " + length + " bytes, more than the memory can take",
        place,
        "give the process more memory if you trust the file");
  }

  /** A damaged or hostile file, or a very large model. */
  static ReweaveException tooMuchMetadata(String what, long length, long most, String place) {
    return ReweaveException.shortage(
        what + " has " + length + " bytes, and --max-metadata-bytes allows " + most,
        place,
        "allow more with --max-metadata-bytes if you trust the file");
  }

  /** A file or folder in it is a link to another place of this machine. */
  static ReweaveException linkLeadsOut(java.nio.file.Path target, java.nio.file.Path link) {
    return ReweaveException.usage(
        "a symbolic link leads out of the folder that is read, to " + target,
        "file:" + link,
        "put a copy in its place, or use --follow-links if you trust who made it");
  }

  /** A file of the base is to be copied there. */
  static ReweaveException colonInName(String name) {
    return ReweaveException.usage(
        "HDFS has no names with a colon, as this file of the base has one",
        name,
        "rename it there, or name an output in another store");
  }

  /**
   * 255 bytes are the most on most file systems, 1024 for a whole key in S3, less what it is called
   * while it is made.
   */
  static ReweaveException nameTooLong(String what, int bytes, int most, String place) {
    return ReweaveException.usage(
        "the "
            + what
            + " of a file is too long: "
            + bytes
            + " bytes, and "
            + most
            + " can be written here",
        place,
        "name the weights with a shorter --weights-name, or the folder with a shorter --output; a"
            + " file of the base is to be renamed there");
  }

  /** The result is larger than what is free. */
  static ReweaveException noSpace(long bytes, long free, String folder) {
    return ReweaveException.shortage(
        "not enough space: " + bytes + " bytes are needed and " + free + " are free",
        folder,
        "free some, or name an output on another disk");
  }

  /** Another process converts to the same folder, or was killed a short while ago. */
  static ReweaveException locked(
      String job, Object started, Object pid, String host, String folder, long minutes) {
    return ReweaveException.locked(
        "another job is at work on this output: '"
            + job
            + "', since "
            + started
            + ", process "
            + pid
            + " on "
            + host,
        folder,
        "wait for its end, or name another output; the lock of a dead job falls after "
            + minutes
            + " minutes");
  }

  /** A link leads back to a folder above it. */
  static ReweaveException endlessFolders(Location folder) {
    return new ReweaveException(
        "folders in folders without an end", folder.uri(), "look for a link that leads back");
  }

  /** Another file has this name. */
  static ReweaveException tooLargeFile(InputFile file, int most) {
    return new ReweaveException(
        "file of " + file.length() + " bytes where at most " + most + " are expected",
        file.uri(),
        "check that this is the file that its name says");
  }

  /** A file has the name of the output. */
  static ReweaveException outputIsFile(Location output) {
    return ReweaveException.occupied(
        "the output is a file", output.uri(), "name a folder that is new or empty");
  }

  /** The process was told to end. */
  static ReweaveException interrupted(InterruptedException cause) {
    return new ReweaveException(
        ReweaveException.Kind.ENVIRONMENT,
        "interrupted",
        "while reading metadata",
        "run it again",
        cause);
  }
}
