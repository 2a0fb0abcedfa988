package dev.reweave.common;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How far the work of a command has come: written by those who do it, on any thread, and looked at
 * by whoever wants to know. Nobody need look.
 */
public final class Progress {
  /** What a step counts. */
  public enum Unit {
    BYTES,
    FILES
  }

  /**
   * The work at one moment.
   *
   * @param subject which of several conversions it is for; can be empty
   * @param number of the step, which tells one from the next
   * @param step what is done, in words; empty between steps
   * @param amount how much of it is done
   * @param tasks who does it
   * @param shards how much of the result is whole
   * @param slowest the input that is read most slowly, once there is one to compare it with
   */
  public record State(
      String subject,
      int number,
      String step,
      Amount amount,
      Tasks tasks,
      Shards shards,
      Optional<SlowInput> slowest) {}

  /**
   * How much of a step is done.
   *
   * @param done from 0 to {@code total}
   * @param total 0 if there is nothing to count
   */
  public record Amount(Unit unit, long done, long total) {
    static final Amount NONE = new Amount(Unit.FILES, 0, 0);
  }

  /**
   * Who does a step.
   *
   * @param running tasks at this moment
   * @param retries attempts that failed and were, or will be, made again
   */
  public record Tasks(int running, int retries) {}

  /** How many of the files of weights are whole; 0 of 0 where none is written. */
  public record Shards(int done, int all) {}

  /** A file, and how many bytes came from it in a second that was waited for it. */
  public record SlowInput(String uri, double bytesPerSecond) {}

  /** Bytes of a file that say something of its speed. */
  private static final long ENOUGH = 1 << 20;

  private static final double NANOS = 1e9;
  private static final Shards NO_SHARDS = new Shards(0, 0);

  private String subject = "";
  private Shards shards = NO_SHARDS;
  private int steps;
  private Step current = new Step("", Amount.NONE, Optional.empty());

  /** Work that has not begun. */
  public Progress() {
    // Nothing is known before the first step.
  }

  /** Says which of several conversions the next steps are for. */
  public synchronized void subject(String name) {
    subject = name;
  }

  /**
   * Begins a step, which lasts until it is closed. One that begins meanwhile is a part of it, and
   * looked at in its place.
   *
   * @param what it is, in words
   * @param total how much there is to do
   */
  public synchronized Step begin(String what, Unit unit, long total) {
    current = new Step(what, new Amount(unit, 0, total), Optional.of(current));
    steps++;
    return current;
  }

  /** Does a step of which nobody can say how far it is. */
  @SuppressWarnings("try") // It lasts as long as the work.
  public <T> T during(String what, Supplier<T> work) {
    try (Step step = begin(what, Unit.FILES, 0)) {
      return work.get();
    }
  }

  /** Tells how many files of weights there will be, none of them whole. */
  public synchronized void shards(int all) {
    shards = new Shards(0, all);
  }

  /** Tells of one more that is whole. */
  public synchronized void shardDone() {
    shards = new Shards(shards.done() + 1, shards.all());
  }

  /** Tells that no more is to come. */
  public synchronized void shardsEnd() {
    shards = NO_SHARDS;
  }

  /**
   * Tells of reads, in the step that is under way.
   *
   * @param uri of the file
   * @param nanos that were waited for them, in nanoseconds
   */
  public synchronized void read(String uri, long bytes, long nanos) {
    long[] sums = current.reads.computeIfAbsent(uri, u -> new long[2]);
    sums[0] += bytes;
    sums[1] += nanos;
  }

  /** The work at this moment. */
  public synchronized State state() {
    Amount amount = current.amount;
    long done = Math.min(amount.total(), current.done + current.underWay);
    return new State(
        subject,
        steps,
        current.what,
        new Amount(amount.unit(), Math.max(0, done), amount.total()),
        new Tasks(current.running, current.retries),
        shards,
        slowest(current.reads));
  }

  private static Optional<SlowInput> slowest(Map<String, long[]> reads) {
    if (reads.size() < 2) {
      return Optional.empty();
    }
    SlowInput slowest = null;
    for (Map.Entry<String, long[]> read : reads.entrySet()) {
      double rate = read.getValue()[0] * NANOS / Math.max(1, read.getValue()[1]);
      boolean tells = read.getValue()[0] >= ENOUGH;
      if (tells && (slowest == null || rate < slowest.bytesPerSecond())) {
        slowest = new SlowInput(read.getKey(), rate);
      }
    }
    return Optional.ofNullable(slowest);
  }

  /** Something that is done, with a beginning and an end. */
  public final class Step implements AutoCloseable {
    private final String what;
    private final Amount amount;
    private final Optional<Step> around;
    private final Map<String, long[]> reads = new HashMap<>();
    private long done;
    private long underWay;
    private int running;
    private int retries;

    private Step(String what, Amount amount, Optional<Step> around) {
      this.what = what;
      this.amount = amount;
      this.around = around;
    }

    /** Adds to what is done for good. */
    public void add(long more) {
      synchronized (Progress.this) {
        done += more;
      }
    }

    /** Tells what running tasks have done so far, all together. */
    public void underWay(int tasks, long amountSoFar) {
      synchronized (Progress.this) {
        running = tasks;
        underWay = amountSoFar;
      }
    }

    /** Tells of an attempt that failed and is made again. */
    public void retried() {
      synchronized (Progress.this) {
        retries++;
      }
    }

    @Override
    public void close() {
      synchronized (Progress.this) {
        if (current == this) {
          current = around.orElseThrow();
        }
      }
    }
  }
}
