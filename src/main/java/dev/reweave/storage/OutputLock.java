package dev.reweave.storage;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.reweave.common.Redacted;
import dev.reweave.common.ReweaveException;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/**
 * Says that a job is at work in a folder: a small file that only one process can create, with its
 * holder's name and a time that the holder renews. A lock whose holder is dead, or has not renewed
 * it for {@link #STALE}, is taken over.
 */
public final class OutputLock {
  static final String NAME = ".reweave.lock";

  /** How long a lock counts after its holder renewed it for the last time. */
  static final Duration STALE = Duration.ofMinutes(3);

  private static final Duration BEAT = Duration.ofSeconds(20);
  private static final int MOST_BYTES = 64 << 10;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The ids of what this process holds. */
  private static final Set<String> HELD_HERE = ConcurrentHashMap.newKeySet();

  /**
   * Who holds a lock.
   *
   * @param id of this holding
   * @param job what it is doing
   * @param host where it runs
   * @param pid its process there
   * @param started when it took the lock, ISO 8601
   * @param renewed when it said so for the last time, ISO 8601
   */
  @JsonIgnoreProperties(ignoreUnknown = true)
  record Holder(String id, String job, String host, long pid, String started, String renewed) {
    Holder {
      Objects.requireNonNull(id, "no id");
      Objects.requireNonNull(host, "no host");
      var unused = Instant.parse(Objects.requireNonNull(renewed, "no time"));
    }

    Holder renewedAt(Instant now) {
      return new Holder(id, job, host, pid, started, now.toString());
    }

    boolean isDead(Instant now) {
      if (host.equals(hostName())) {
        boolean here = pid == ProcessHandle.current().pid();
        // This process may have given a lock up whose file it was not allowed to delete.
        if (here ? !HELD_HERE.contains(id) : ProcessHandle.of(pid).isEmpty()) {
          return true;
        }
      }
      return Instant.parse(renewed).isBefore(now.minus(STALE));
    }
  }

  /** A lock that is held; closing gives it up. */
  public interface Held extends AutoCloseable {
    /**
     * Checks that nobody took the lock over.
     *
     * @throws ReweaveException if somebody did, after this process was silent for too long
     */
    void check();

    @Override
    void close();
  }

  private final Stores stores;
  private final FileSystem fs;
  private final Path path;

  OutputLock(Stores stores, FileSystem fs, Path path) {
    this.stores = stores;
    this.fs = fs;
    this.path = path;
  }

  /**
   * Takes the lock.
   *
   * @param job what the holder does, for others to read
   * @throws ReweaveException if another job holds it
   */
  public Held take(String job) {
    return take(job, Clock.systemUTC());
  }

  Held take(String job, Clock clock) {
    String now = clock.instant().toString();
    Holder holder =
        new Holder(
            UUID.randomUUID().toString(),
            Redacted.text(job),
            hostName(),
            ProcessHandle.current().pid(),
            now,
            now);
    HELD_HERE.add(holder.id());
    try {
      if (!create(path, holder)) {
        takeOver(holder, clock);
      }
      return new Holding(holder, clock);
    } catch (IOException e) {
      HELD_HERE.remove(holder.id());
      throw Stores.unwritable(Stores.location(path), e);
    } catch (RuntimeException e) {
      HELD_HERE.remove(holder.id());
      throw e;
    }
  }

  /**
   * Replaces the lock of a dead holder. Of several that try, a lock on the take-over lets one
   * through; who comes later finds a living holder.
   */
  private void takeOver(Holder holder, Clock clock) throws IOException {
    requireDead(readSettled(path), clock);
    Path takeOver = takeOver();
    if (!create(takeOver, holder)) {
      requireDead(readSettled(takeOver), clock);
      fs.delete(takeOver, false);
      if (!create(takeOver, holder)) {
        throw heldBy(readSettled(takeOver));
      }
    }
    try {
      requireDead(readSettled(path), clock);
      fs.delete(path, false);
      if (!create(path, holder)) {
        throw heldBy(readSettled(path));
      }
    } finally {
      fs.delete(takeOver, false);
    }
  }

  private Path takeOver() {
    return path.suffix(".takeover");
  }

  /**
   * Removes what killed holders left, of the lock and of a lock on its take-over; nothing happens
   * to what a living one holds.
   *
   * @param job what does so, for others to read
   * @throws ReweaveException if another job takes the lock over at this moment
   */
  public void removeDead(String job) {
    try {
      Instant now = Instant.now();
      if (readSettled(path).isDead(now) && fs.exists(path)) {
        take(job).close();
      }
      // Who finds it gone while he takes the lock over looks at the lock itself once more.
      if (readSettled(takeOver()).isDead(now)) {
        fs.delete(takeOver(), false);
      }
    } catch (IOException e) {
      throw Stores.unwritable(Stores.location(path), e);
    }
  }

  private void requireDead(Holder other, Clock clock) {
    if (!other.isDead(clock.instant())) {
      throw heldBy(other);
    }
  }

  private ReweaveException heldBy(Holder other) {
    return StoreFailures.locked(
        other.job(),
        other.started(),
        other.pid(),
        other.host(),
        path.getParent().toString(),
        STALE.toMinutes());
  }

  private boolean create(Path lock, Holder holder) throws IOException {
    byte[] content = JSON.writeValueAsBytes(holder);
    try {
      if (fs instanceof RawLocalFileSystem) {
        // Hadoop's local file system looks first and creates then: two could do so at once.
        java.nio.file.Path local = java.nio.file.Path.of(lock.toUri().getPath());
        Files.createDirectories(local.getParent());
        try (OutputStream out =
            Files.newOutputStream(local, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          out.write(content);
        }
      } else {
        writeNew(lock, content);
      }
      return true;
    } catch (FileAlreadyExistsException | java.nio.file.FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      // Object stores that compare at the end of the write have errors of their own for it; and a
      // request that is sent again, since its answer was lost, finds what it has written itself.
      Optional<Holder> other = read(lock);
      if (other.isEmpty() && (NameNodeRefusal.in(e).isPresent() || !fs.exists(lock))) {
        throw e;
      }
      return other.filter(h -> h.id().equals(holder.id())).isPresent();
    }
  }

  private void writeNew(Path lock, byte[] content) throws IOException {
    FSDataOutputStream out = exclusive(fs, lock);
    try {
      SmallFiles.fill(out, content);
    } catch (IOException e) {
      removeEmpty(lock, e);
      throw e;
    }
  }

  /** Where a file is seen before it is written, as in HDFS, an empty one is this process's own. */
  private void removeEmpty(Path lock, IOException cause) {
    try {
      if (isEmpty(lock)) {
        fs.delete(lock, false);
      }
    } catch (IOException | RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private boolean isEmpty(Path lock) {
    return stores.file(Stores.location(lock)).filter(file -> file.length() == 0).isPresent();
  }

  /** A new file; writing it fails, at the end at the latest, if another has written it before. */
  static FSDataOutputStream exclusive(FileSystem fs, Path lock) throws IOException {
    FSDataOutputStreamBuilder<?, ?> builder = fs.createFile(lock).overwrite(false).recursive();
    builder.opt("fs.option.create.conditional.overwrite", true);
    return builder.build();
  }

  /** Empty if there is none or it cannot be understood: a process died while writing it. */
  private Optional<Holder> read(Path lock) throws IOException {
    // A lock that is renewed meanwhile is as good as the one that was seen: no ETag is asked for.
    Optional<InputFile> file =
        stores
            .file(Stores.location(lock))
            .map(f -> new InputFile(f.location(), f.length(), f.modified()));
    if (file.filter(f -> f.length() <= MOST_BYTES).isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(
          JSON.readValue(stores.readAll(file.get(), MOST_BYTES), Holder.class));
    } catch (JacksonException e) {
      return Optional.empty();
    } catch (ReweaveException e) {
      // It goes or is renewed at this moment.
      if (e.getCause() instanceof FileNotFoundException || e.getCause() instanceof EOFException) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /** A lock that cannot be understood is being written now, or its writer died then. */
  private Holder readSettled(Path lock) throws IOException {
    Optional<InputFile> file = stores.file(Stores.location(lock));
    String written = Instant.ofEpochMilli(file.map(InputFile::modified).orElse(0L)).toString();
    return read(lock).orElse(new Holder("", "unknown", "another host", 0, written, written));
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  /** A lock that this process holds. */
  final class Holding implements Held {
    private final Clock clock;
    private final ScheduledExecutorService beats;
    private Holder holder;
    private boolean emptied;

    Holding(Holder holder, Clock clock) {
      this.holder = holder;
      this.clock = clock;
      this.beats =
          Executors.newSingleThreadScheduledExecutor(
              work -> {
                Thread thread = new Thread(work, "output lock");
                thread.setDaemon(true);
                return thread;
              });
      var unused =
          beats.scheduleWithFixedDelay(
              this::renew, BEAT.toSeconds(), BEAT.toSeconds(), TimeUnit.SECONDS);
    }

    synchronized void renew() {
      try {
        if (isOurs()) {
          holder = holder.renewedAt(clock.instant());
          // Where there is no room for its content, an empty file of this time is left.
          emptied = true;
          SmallFiles.fill(fs.create(path, true), JSON.writeValueAsBytes(holder));
          emptied = false;
        }
      } catch (IOException | RuntimeException e) {
        // The next beat tries again; a lock that stays old is noticed by check().
        return;
      }
    }

    private boolean isOurs() throws IOException {
      return read(path)
          .map(h -> h.id().equals(holder.id()))
          .orElseGet(() -> emptied && isEmpty(path));
    }

    @Override
    public synchronized void check() {
      try {
        Optional<Holder> now = read(path);
        if (now.filter(h -> !h.id().equals(holder.id())).isPresent()) {
          throw heldBy(now.get());
        }
      } catch (IOException e) {
        throw Stores.unreadable(Stores.location(path), e);
      }
    }

    @Override
    public void close() {
      beats.shutdownNow();
      HELD_HERE.remove(holder.id());
      synchronized (this) {
        try {
          if (isOurs()) {
            fs.delete(path, false);
          }
        } catch (IOException e) {
          throw Stores.unwritable(Stores.location(path), e);
        }
      }
    }
  }
}
