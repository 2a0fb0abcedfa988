package dev.reweave.cli.progress;

import dev.reweave.common.Progress;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Shows how far the work has come, as long as it lasts. What is written through {@link #beside}
 * comes above it.
 */
public final class ProgressView implements AutoCloseable {
  /** What is done sooner needs no view, and does not pay for one. */
  private static final long PATIENCE_MILLIS = 1_000;

  private static final long SCREEN_MILLIS = 250;
  private static final long JSON_MILLIS = 100;
  private static final double JSON_SECONDS = 1;
  private static final long LINE_MILLIS = 10_000;
  private static final double NANOS = 1e9;

  private final Progress progress;
  private final Rate rate = new Rate();
  private final long start = System.nanoTime();
  private Optional<Screen> screen = Optional.empty();
  private boolean closed;

  /** A view that is not shown yet. */
  public ProgressView(Progress progress) {
    this.progress = progress;
  }

  /**
   * Begins to show the work.
   *
   * @param out takes the lines, where there is no terminal
   */
  public void start(ProgressForm form, PrintWriter out) {
    if (form == ProgressForm.NONE) {
      return;
    }
    Thread thread = new Thread(() -> run(form, out), "progress");
    thread.setDaemon(true);
    thread.start();
  }

  private void run(ProgressForm form, PrintWriter out) {
    if (form == ProgressForm.AUTO) {
      pause(PATIENCE_MILLIS);
      openScreen();
    }
    if (hasScreen()) {
      do {
        show(look());
      } while (pause(SCREEN_MILLIS));
    } else if (form == ProgressForm.JSON) {
      tellPrograms(out);
    } else {
      while (pause(LINE_MILLIS)) {
        Progress.State state = look();
        if (!state.step().isEmpty()) {
          out.println(new StatusText(state, rate).line());
        }
      }
    }
  }

  private Progress.State look() {
    Progress.State state = progress.state();
    rate.take(state, seconds());
    return state;
  }

  private double seconds() {
    return (System.nanoTime() - start) / NANOS;
  }

  /** Every second, and when another step is seen. */
  private void tellPrograms(PrintWriter out) {
    int step = 0;
    double told = 0;
    do {
      Progress.State state = look();
      boolean isDue = state.number() != step || seconds() - told >= JSON_SECONDS;
      if (isDue && !state.step().isEmpty()) {
        out.println(JsonLine.of(state, rate));
        step = state.number();
        told = seconds();
      }
    } while (pause(JSON_MILLIS));
  }

  private synchronized void openScreen() {
    if (!closed) {
      screen = Screen.open();
    }
  }

  private synchronized boolean hasScreen() {
    return screen.isPresent();
  }

  private synchronized void show(Progress.State state) {
    if (!closed && screen.isPresent() && !state.step().isEmpty()) {
      StatusText text = new StatusText(state, rate);
      screen.get().show(text.block(screen.get().width(), bar()));
    }
  }

  /** Terminals of other encodings would show signs that nobody can read. */
  private static StatusText.Bar bar() {
    Charset native_ =
        Charset.forName(System.getProperty("native.encoding", StandardCharsets.UTF_8.name()));
    return native_.equals(StandardCharsets.UTF_8) ? StatusText.Bar.LINES : StatusText.Bar.ASCII;
  }

  /** Waits, and tells whether the view is still open. */
  private synchronized boolean pause(long millis) {
    long end = System.nanoTime() + millis * 1_000_000;
    try {
      while (!closed) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          return true;
        }
        wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  /** A writer whose lines come above what is shown. */
  public PrintWriter beside(PrintStream stream) {
    Writer whole =
        new Writer() {
          private final StringBuilder text = new StringBuilder();

          @Override
          public void write(char[] chars, int offset, int length) {
            text.append(chars, offset, length);
          }

          @Override
          public void flush() {
            String all = text.toString();
            text.setLength(0);
            aside(all, stream);
          }

          @Override
          public void close() {
            flush();
          }
        };
    return new PrintWriter(whole, true);
  }

  /** The same as a stream of bytes, for what writes logs. */
  public PrintStream streamBeside(PrintStream stream) {
    OutputStream lines =
        new OutputStream() {
          @Override
          public void write(int single) {
            write(new byte[] {(byte) single}, 0, 1);
          }

          @Override
          public void write(byte[] bytes, int offset, int length) {
            synchronized (ProgressView.this) {
              screen.ifPresent(Screen::clear);
              stream.write(bytes, offset, length);
              stream.flush();
            }
          }
        };
    return new PrintStream(lines, true, StandardCharsets.UTF_8);
  }

  private synchronized void aside(String text, PrintStream stream) {
    if (!text.isEmpty()) {
      screen.ifPresent(Screen::clear);
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      stream.write(bytes, 0, bytes.length);
      stream.flush();
    }
  }

  /** Takes away what is shown. */
  @Override
  public synchronized void close() {
    closed = true;
    screen.ifPresent(Screen::close);
    screen = Optional.empty();
    notifyAll();
  }
}
