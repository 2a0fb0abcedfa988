package dev.reweave.cli.progress;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.exec.ExecTerminalProvider;
import org.jline.terminal.spi.SystemStream;
import org.jline.utils.AttributedString;
import org.jline.utils.Display;

/** A block of lines at the end of a terminal, which changes in its place. */
final class Screen implements AutoCloseable {
  private static final String DUMB = "dumb";
  private static final int USUAL_COLUMNS = 80;

  private final Terminal terminal;
  private final Display display;
  private volatile Size size;

  private Screen(Terminal terminal) {
    this.terminal = terminal;
    this.display = new Display(terminal, false);
    this.size = terminal.getSize();
    // Asking for the size starts a process: only when it has changed.
    terminal.handle(Terminal.Signal.WINCH, signal -> size = terminal.getSize());
  }

  /** The terminal of the error stream; empty if that, or the input, is none. */
  static Optional<Screen> open() {
    String type = Optional.ofNullable(System.getenv("TERM")).orElse(DUMB);
    // Its builder finds this class by a name that is another one in the packaged jar.
    ExecTerminalProvider provider = new ExecTerminalProvider();
    if (type.equals(DUMB)
        || !provider.isSystemStream(SystemStream.Input)
        || !provider.isSystemStream(SystemStream.Error)) {
      return Optional.empty();
    }
    try {
      // Its own handlers of signals would end the process without a word.
      return Optional.of(
          new Screen(
              provider.sysTerminal(
                  "reweave",
                  type,
                  false,
                  StandardCharsets.UTF_8,
                  false,
                  Terminal.SignalHandler.SIG_DFL,
                  false,
                  SystemStream.Error)));
    } catch (IOException | IllegalStateException e) {
      return Optional.empty();
    }
  }

  /** Columns that can be written to. */
  int width() {
    // Some terminals go to the next line as soon as the last column is written.
    return Math.max(1, columns() - 1);
  }

  /** Terminals that programs make have none at first. */
  private int columns() {
    return size.getColumns() > 0 ? size.getColumns() : USUAL_COLUMNS;
  }

  void show(List<String> lines) {
    display.resize(Math.max(lines.size() + 1, size.getRows()), columns());
    display.update(lines.stream().map(AttributedString::new).toList(), 0);
  }

  /** Takes the block away: what others write comes in its place. */
  void clear() {
    show(List.of());
    display.reset();
  }

  @Override
  public void close() {
    clear();
    try {
      terminal.close();
    } catch (IOException e) {
      // Nothing was changed that would have to be put back.
    }
  }
}
