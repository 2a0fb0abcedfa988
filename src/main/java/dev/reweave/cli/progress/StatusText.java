package dev.reweave.cli.progress;

import dev.reweave.common.Counted;
import dev.reweave.common.Printable;
import dev.reweave.common.Progress;
import dev.reweave.common.Redacted;
import dev.reweave.storage.ByteSize;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The work at a moment, in words. */
final class StatusText {
  private static final int LEAST_BAR = 10;
  private static final int MOST_BAR = 40;
  private static final String GAP = "  ";
  private static final String BETWEEN = ", ";
  private static final int MINUTE = 60;
  private static final int HOUR = 3600;

  /** What a bar is made of. */
  enum Bar {
    LINES('━', '┄'),
    ASCII('#', '-');

    private final char done;
    private final char left;

    Bar(char done, char left) {
      this.done = done;
      this.left = left;
    }

    private String of(int width, Progress.Amount amount) {
      int full = (int) Math.round((double) width * amount.done() / amount.total());
      return String.valueOf(done).repeat(full) + String.valueOf(left).repeat(width - full);
    }
  }

  private final Progress.State state;
  private final Rate rate;

  StatusText(Progress.State state, Rate rate) {
    this.state = state;
    this.rate = rate;
  }

  /** One line, for a log. */
  String line() {
    return Stream.of(List.of(title() + ":"), amounts(), details())
        .flatMap(List::stream)
        .collect(Collectors.joining(BETWEEN))
        .replace(":" + BETWEEN, ": ");
  }

  /**
   * A few lines, for a terminal.
   *
   * @param width most characters of each
   */
  List<String> block(int width, Bar bar) {
    List<String> lines = new ArrayList<>();
    List<String> first = new ArrayList<>(amounts());
    String title = title();
    if (state.amount().total() > 0) {
      int room = width - title.length() - GAP.length() * 2 - fitting(first, GAP, width).length();
      int length = Math.min(MOST_BAR, room);
      if (length >= LEAST_BAR) {
        first.add(0, bar.of(length, state.amount()));
      }
    }
    first.add(0, title);
    lines.add(fitting(first, GAP, width));
    List<String> details = details();
    if (!details.isEmpty()) {
      lines.add(fitting(details, BETWEEN, width));
    }
    return lines;
  }

  /** As many of the texts as there is room for; the first one in part if there is none for it. */
  private static String fitting(List<String> texts, String between, int width) {
    StringBuilder line = new StringBuilder();
    for (String text : texts) {
      int length = line.length() + (line.isEmpty() ? 0 : between.length()) + text.length();
      if (length > width) {
        break;
      }
      line.append(line.isEmpty() ? "" : between).append(text);
    }
    if (line.isEmpty() && !texts.isEmpty()) {
      return texts.get(0).substring(0, Math.max(0, width));
    }
    return line.toString();
  }

  private String title() {
    return Printable.text(state.step());
  }

  /** How much is done, the surest first. */
  private List<String> amounts() {
    List<String> amounts = new ArrayList<>();
    Progress.Amount amount = state.amount();
    if (amount.total() == 0) {
      amounts.add(duration(rate.seconds()));
      return amounts;
    }
    amounts.add(String.format(Locale.ROOT, "%d %%", percent(amount)));
    boolean bytes = amount.unit() == Progress.Unit.BYTES;
    amounts.add(
        bytes
            ? ByteSize.format(amount.done()) + " of " + ByteSize.format(amount.total())
            : Counted.grouped(amount.done(), "file").replaceFirst(" .*", "")
                + " of "
                + Counted.grouped(amount.total(), "file"));
    rate.perSecond()
        .ifPresent(
            perSecond ->
                amounts.add(
                    bytes
                        ? ByteSize.format((long) perSecond) + "/s"
                        : String.format(Locale.ROOT, "%.0f files/s", perSecond)));
    rate.secondsLeft(amount).ifPresent(seconds -> amounts.add(duration(seconds) + " left"));
    return amounts;
  }

  /** Never all before it is all. */
  private static int percent(Progress.Amount amount) {
    return (int) (amount.done() * 100.0 / amount.total());
  }

  private List<String> details() {
    List<String> details = new ArrayList<>();
    if (!state.subject().isEmpty()) {
      details.add(Printable.text(state.subject()));
    }
    Progress.Shards shards = state.shards();
    if (shards.all() > 0) {
      details.add(shards.done() + " of " + Counted.of(shards.all(), "shard"));
    }
    Progress.Tasks tasks = state.tasks();
    if (tasks.running() > 0) {
      details.add(Counted.of(tasks.running(), "task") + " running");
    }
    if (tasks.retries() > 0) {
      details.add(tasks.retries() + " retried");
    }
    state
        .slowest()
        .ifPresent(
            slow ->
                details.add(
                    "slowest input "
                        + name(slow.uri())
                        + " "
                        + ByteSize.format((long) slow.bytesPerSecond())
                        + "/s"));
    return details;
  }

  private static String name(String uri) {
    return Printable.text(Redacted.text(uri.substring(uri.lastIndexOf('/') + 1)));
  }

  /** Such as {@code 1 h 05 min}. */
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    if (whole >= HOUR) {
      return String.format(Locale.ROOT, "%d h %02d min", whole / HOUR, whole % HOUR / MINUTE);
    }
    return whole >= MINUTE
        ? String.format(Locale.ROOT, "%d min %02d s", whole / MINUTE, whole % MINUTE)
        : whole + " s";
  }
}
