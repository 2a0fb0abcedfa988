package dev.reweave.cli.progress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.cli.progress.StatusText.Bar;
import dev.reweave.common.Progress.Amount;
import dev.reweave.common.Progress.Shards;
import dev.reweave.common.Progress.SlowInput;
import dev.reweave.common.Progress.State;
import dev.reweave.common.Progress.Tasks;
import dev.reweave.common.Progress.Unit;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person reads of the work. */
class StatusTextTest {
  private static final long GB = 1_000_000_000;

  private static State converting(long done) {
    return new State(
        "to step-500",
        1,
        "convert",
        new Amount(Unit.BYTES, done, 6_400_000_000L),
        new Tasks(4, 1),
        new Shards(3, 12),
        Optional.of(new SlowInput("s3a://bucket/run/rank_03_optim_states.pt", 35e6)));
  }

  /** After two looks, ten seconds apart. */
  private static StatusText text(State before, State now) {
    Rate rate = new Rate();
    rate.take(before, 100);
    rate.take(now, 110);
    return new StatusText(now, rate);
  }

  @Test
  void aLineForALogHasAll() {
    assertEquals(
        "convert: 50 %, 3.2 GB of 6.4 GB, 120 MB/s, 27 s left, to step-500, 3 of 12 shards,"
            + " 4 tasks running, 1 retried, slowest input rank_03_optim_states.pt 35 MB/s",
        text(converting(2 * GB), converting(3_200_000_000L)).line());
  }

  @Test
  void aWideTerminalHasABar() {
    assertEquals(
        List.of(
            "convert  ####################--------------------  50 %  3.2 GB of 6.4 GB  120 MB/s"
                + "  27 s left",
            "to step-500, 3 of 12 shards, 4 tasks running, 1 retried, slowest input"
                + " rank_03_optim_states.pt 35 MB/s"),
        text(converting(2 * GB), converting(3_200_000_000L)).block(199, Bar.ASCII));
  }

  @Test
  void aNarrowOneHasLessOfIt() {
    assertEquals(
        List.of(
            "convert  50 %  3.2 GB of 6.4 GB  120 MB/s  27 s left",
            "to step-500, 3 of 12 shards, 4 tasks running, 1 retried"),
        text(converting(2 * GB), converting(3_200_000_000L)).block(59, Bar.LINES));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 20, 40, 59, 80, 120, 199})
  void noLineIsLongerThanTheTerminal(int width) {
    for (String line : text(converting(GB), converting(2 * GB)).block(width, Bar.LINES)) {
      assertTrue(line.length() <= width, line);
    }
  }

  @Test
  void filesAreCounted() {
    State now =
        new State(
            "",
            1,
            "read the structure of 1024 files",
            new Amount(Unit.FILES, 512, 1024),
            new Tasks(0, 0),
            new Shards(0, 0),
            Optional.empty());
    State before =
        new State(
            "",
            1,
            now.step(),
            new Amount(Unit.FILES, 412, 1024),
            now.tasks(),
            now.shards(),
            Optional.empty());
    assertEquals(
        "read the structure of 1024 files: 50 %, 512 of 1,024 files, 10 files/s, 51 s left",
        text(before, now).line());
  }

  @Test
  void whatCannotBeCountedTellsHowLongItHasLasted() {
    State now =
        new State(
            "",
            1,
            "publish",
            new Amount(Unit.FILES, 0, 0),
            new Tasks(0, 0),
            new Shards(0, 0),
            Optional.empty());
    assertEquals("publish: 10 s", text(now, now).line());
    assertEquals(List.of("publish  10 s"), text(now, now).block(80, Bar.LINES));
  }

  @Test
  void nothingIsSaidOfTheEndBeforeAnythingIsDone() {
    assertEquals(
        "convert: 0 %, 0 B of 6.4 GB, to step-500, 3 of 12 shards, 4 tasks running, 1 retried,"
            + " slowest input rank_03_optim_states.pt 35 MB/s",
        text(converting(0), converting(0)).line());
  }

  @Test
  void itIsNotAllBeforeItIs() {
    assertTrue(text(converting(0), converting(6_399_999_999L)).line().startsWith("convert: 99 %"));
  }

  @ParameterizedTest
  @CsvSource({"0, 0 s", "59.4, 59 s", "60, 1 min 00 s", "3599, 59 min 59 s", "3900, 1 h 05 min"})
  void durationsAreShort(double seconds, String text) {
    assertEquals(text, StatusText.duration(seconds));
  }
}
