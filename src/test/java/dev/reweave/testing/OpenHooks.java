package dev.reweave.testing;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.hadoop.fs.Path;

/** What tests want to happen when a file is opened or moved, by whichever thread does it first. */
public final class OpenHooks {
  /** Something that is done to a file. */
  public interface Action {
    void run(Path file) throws IOException;
  }

  private record Hook(String end, Action action, AtomicInteger openings) {}

  private static final List<Hook> HOOKS = new CopyOnWriteArrayList<>();

  private static final List<Hook> MOVES = new CopyOnWriteArrayList<>();

  private OpenHooks() {}

  /** Forgets all. */
  public static void clear() {
    HOOKS.clear();
    MOVES.clear();
  }

  /**
   * Does something the first time that a file gets another name or is joined of others, before it
   * is.
   *
   * @param end how its new path ends, or that of the folder in which files are joined
   */
  public static void whenMoved(String end, Action action) {
    MOVES.add(new Hook(end, action, new AtomicInteger(1)));
  }

  /**
   * Does something the first time that a file is opened, before any of its bytes are read.
   *
   * @param end how the path of the file ends
   */
  public static void whenOpened(String end, Action action) {
    whenOpened(end, 1, action);
  }

  /**
   * Does something when a file is opened for the time of this number.
   *
   * @param end how the path of the file ends
   * @param number from 1 on
   */
  public static void whenOpened(String end, int number, Action action) {
    HOOKS.add(new Hook(end, action, new AtomicInteger(number)));
  }

  /** Number of hooks that nothing has called. */
  public static long waiting() {
    return Stream.of(HOOKS, MOVES)
        .flatMap(List::stream)
        .filter(hook -> hook.openings().get() > 0)
        .count();
  }

  static void opened(Path path) throws IOException {
    call(HOOKS, path);
  }

  static void moved(Path path) throws IOException {
    call(MOVES, path);
  }

  private static void call(List<Hook> hooks, Path path) throws IOException {
    for (Hook hook : hooks) {
      if (path.toString().endsWith(hook.end()) && hook.openings().decrementAndGet() == 0) {
        hook.action().run(path);
      }
    }
  }
}
