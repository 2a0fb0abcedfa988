package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.common.Progress.Amount;
import dev.reweave.common.Progress.Shards;
import dev.reweave.common.Progress.SlowInput;
import dev.reweave.common.Progress.Tasks;
import dev.reweave.common.Progress.Unit;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is known of work while it goes on. */
class ProgressTest {
  private final Progress progress = new Progress();

  @Test
  void nothingIsDoneBetweenSteps() {
    assertEquals("", progress.state().step());
    progress.begin("convert", Unit.BYTES, 10).close();
    assertEquals("", progress.state().step());
    assertEquals(new Amount(Unit.FILES, 0, 0), progress.state().amount());
  }

  @Test
  void whatIsDoneAndWhatTasksHaveDoneSoFarAddUp() {
    Progress.Step step = progress.begin("convert", Unit.BYTES, 100);
    step.add(40);
    step.underWay(2, 25);
    assertEquals(new Amount(Unit.BYTES, 65, 100), progress.state().amount());
    assertEquals(new Tasks(2, 0), progress.state().tasks());
    step.underWay(1, 80);
    step.retried();
    assertEquals(new Amount(Unit.BYTES, 100, 100), progress.state().amount());
    assertEquals(new Tasks(1, 1), progress.state().tasks());
  }

  @Test
  void aStepWithinAnotherIsLookedAtInItsPlace() {
    int before = progress.state().number();
    String seen =
        progress.during(
            "plan",
            () -> {
              Progress.Step scan = progress.begin("read", Unit.FILES, 3);
              scan.add(1);
              String step = progress.state().step();
              scan.close();
              return step + ", " + progress.state().step();
            });
    assertEquals("read, plan", seen);
    assertEquals(before + 2, progress.state().number());
  }

  @Test
  void aStepThatWasLeftChangesNothingAnyMore() {
    Progress.Step first = progress.begin("first", Unit.FILES, 3);
    Progress.Step second = progress.begin("second", Unit.FILES, 3);
    first.close();
    assertEquals("second", progress.state().step());
    first.add(2);
    assertEquals(0, progress.state().amount().done());
    second.close();
  }

  @Test
  void shardsCountThroughAllSteps() {
    progress.shards(3);
    progress.shardDone();
    Progress.Step step = progress.begin("convert", Unit.BYTES, 1);
    progress.shardDone();
    assertEquals(new Shards(2, 3), progress.state().shards());
    step.close();
    progress.shardsEnd();
    assertEquals(new Shards(0, 0), progress.state().shards());
  }

  @Test
  void theSlowestInputIsTheOneThatIsWaitedForLongestForAByte() {
    Progress.Step step = progress.begin("convert", Unit.BYTES, 1);
    progress.read("file:/a", 4 << 20, 1_000_000_000);
    assertEquals(Optional.empty(), progress.state().slowest());
    progress.read("file:/b", 1 << 19, 1_000_000_000);
    progress.read("file:/c", 100, 1_000_000_000);
    assertEquals(
        Optional.of(new SlowInput("file:/a", 4 << 20)),
        progress.state().slowest(),
        "of the others too little was read");
    progress.read("file:/b", 1 << 19, 1_000_000_000);
    assertEquals(Optional.of(new SlowInput("file:/b", 1 << 19)), progress.state().slowest());
    step.close();
    progress.begin("verify", Unit.BYTES, 1);
    assertEquals(Optional.empty(), progress.state().slowest());
  }
}
