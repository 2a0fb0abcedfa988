package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.testing.Locations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutputLockTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  @TempDir Path folder;

  private OutputLock lock() {
    return new Stores(new Configuration(false)).outputFolder(Locations.of(folder)).lock();
  }

  private static Clock at(Instant time) {
    return Clock.fixed(time, ZoneOffset.UTC);
  }

  private Path file() {
    return folder.resolve(OutputLock.NAME);
  }

  private void write(String host, long pid, Instant renewed) throws IOException {
    Files.writeString(
        file(),
        """
        {"id":"x","job":"reweave convert s3a://models/run","host":"%s","pid":%d,
         "started":"2026-01-01T11:00:00Z","renewed":"%s"}"""
            .formatted(host, pid, renewed));
  }

  @Test
  void isGivenBack() {
    lock().take("one", at(NOON)).close();
    lock().take("two", at(NOON)).close();

    assertFalse(Files.exists(file()));
  }

  @Test
  void isRefusedWhileAnotherHostRenewsIt() throws IOException {
    write("far.example", 1, NOON.minus(OutputLock.STALE).plusSeconds(1));

    ReweaveException refused =
        assertThrows(ReweaveException.class, () -> lock().take("mine", at(NOON)));

    assertTrue(
        refused
            .getMessage()
            .contains(
                "'reweave convert s3a://models/run', since 2026-01-01T11:00:00Z, process 1 on"
                    + " far.example"),
        refused.getMessage());
    assertTrue(Files.exists(file()));
  }

  @Test
  void isTakenOverFromAHolderThatIsSilent() throws IOException {
    write("far.example", 1, NOON.minus(OutputLock.STALE).minusSeconds(1));

    try (OutputLock.Held held = lock().take("mine", at(NOON))) {
      assertDoesNotThrow(held::check);
    }
  }

  @Test
  void isTakenOverFromADeadProcessAtOnce() throws Exception {
    Process process = new ProcessBuilder("true").start();
    process.waitFor();
    write(java.net.InetAddress.getLocalHost().getHostName(), process.pid(), NOON);

    lock().take("mine", at(NOON)).close();
  }

  @Test
  void aHalfWrittenOneCountsByItsTime() throws IOException {
    Files.writeString(file(), "{\"id\":");
    Files.setLastModifiedTime(file(), FileTime.from(NOON.minus(Duration.ofMinutes(1))));
    assertThrows(ReweaveException.class, () -> lock().take("mine", at(NOON)));

    Files.setLastModifiedTime(file(), FileTime.from(NOON.minus(Duration.ofMinutes(9))));
    lock().take("mine", at(NOON)).close();
  }

  /** What nobody who holds a lock writes counts by its time, as one that is half written. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "{}",
        "[]",
        "7",
        "{\"id\":\"x\",\"host\":\"far\"}",
        "{\"id\":\"x\",\"host\":null,\"renewed\":\"2026-01-01T12:00:00Z\"}",
        "{\"id\":\"x\",\"host\":\"far\",\"renewed\":\"yesterday\"}",
        "{\"id\":\"x\",\"host\":\"far\",\"pid\":{},\"renewed\":\"2026-01-01T12:00:00Z\"}",
        "long",
      })
  void aStrangeOneCountsByItsTime(String content) throws IOException {
    Files.writeString(file(), content.equals("long") ? "x".repeat(100_000) : content);
    Files.setLastModifiedTime(file(), FileTime.from(NOON));
    assertThrows(ReweaveException.class, () -> lock().take("mine", at(NOON)));

    Instant later = NOON.plus(OutputLock.STALE).plusSeconds(1);
    assertDoesNotThrow(() -> lock().take("mine", at(later)).close());
  }

  @Test
  void aHolderOfTheFarFuture() throws IOException {
    write("far.example", 1, Instant.MAX);

    assertThrows(ReweaveException.class, () -> lock().take("mine", at(NOON)));
  }

  @Test
  void aHolderNoticesThatItWasTakenOver() throws IOException {
    try (OutputLock.Held held = lock().take("mine", at(NOON))) {
      write("far.example", 1, NOON);

      ReweaveException lost = assertThrows(ReweaveException.class, held::check);
      assertTrue(lost.getMessage().contains("far.example"), lost.getMessage());
    }
    assertTrue(Files.exists(file()), "somebody else's lock was removed");
  }
}
