package dev.reweave.look.report;

import dev.reweave.common.Location;
import dev.reweave.common.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** What to type for a result that no library reads where it is: how it is checked and fetched. */
final class FarAway {
  /** What no shell takes for anything else. */
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:@%+,=-]+");

  private static final Pattern S3 = Pattern.compile("s3[an]?://(.*)");

  private FarAway() {}

  static List<String> lines(Location output) {
    List<String> lines = new ArrayList<>();
    lines.add("next   read it back: reweave verify " + word(output.uri()));
    String here = output.name().isEmpty() ? "model" : output.name();
    lines.add(
        "       fetch it:     "
            + (S3.matcher(output.uri()).matches()
                ? "aws s3 cp --recursive " + word(S3.matcher(output.uri()).replaceFirst("s3://$1"))
                : "hadoop fs -get " + word(output.uri()))
            + " "
            + word(here));
    return lines;
  }

  /** A word for a shell. */
  private static String word(String text) {
    String shown = Printable.text(text);
    if (!shown.equals(text)) {
      return "$'" + Printable.text(text.replace("\\", "\\\\").replace("'", "\\'")) + "'";
    }
    return PLAIN.matcher(text).matches() ? text : "'" + text.replace("'", "'\\''") + "'";
  }
}
