package dev.reweave.checkpoint;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The versions of other people's software whose files were converted and compared, and of libraries
 * whose configs were looked at. This is the only place that says so.
 *
 * <p>No file of a checkpoint tells which torch wrote it: a {@code torch.save} archive states the
 * version of its own format, and {@code .metadata} that of the distributed checkpoint format, which
 * is {@value #DISTRIBUTED_FORMAT} in all that torch 2.13 to {@value #TORCH} wrote.
 */
public final class TestedVersions {
  /** The oldest DeepSpeed of which all kinds of files are read. */
  public static final String OLDEST_DEEPSPEED = "0.4.4";

  public static final String DEEPSPEED = "0.19.8";
  public static final String TORCH = "2.15";
  public static final String DISTRIBUTED_FORMAT = "1.0.0";
  public static final String DIFFUSERS = "0.40";
  public static final String TRANSFORMERS = "5";

  /** Numbers of a release; what follows says how it was built: {@code .dev0}, {@code +cpu}. */
  private static final Pattern RELEASE =
      Pattern.compile("(\\d+(?:\\.\\d+){0,9}).*", Pattern.DOTALL);

  private static final int MOST_CHARS = 100;

  private TestedVersions() {}

  /**
   * What to say of a file that this version of DeepSpeed wrote; nothing where it is none, or not
   * newer.
   *
   * @param place the file
   */
  public static Optional<Caution> deepSpeed(String version, String place) {
    return newer("DeepSpeed", version, DEEPSPEED, place);
  }

  /** What to say of a distributed checkpoint of PyTorch whose format has this version. */
  public static Optional<Caution> distributedFormat(String version, String place) {
    return newer("distributed checkpoint format", version, DISTRIBUTED_FORMAT, place);
  }

  private static Optional<Caution> newer(
      String program, String version, String tested, String place) {
    if (!isNewer(version, tested)) {
      return Optional.empty();
    }
    String name =
        program
            + " "
            + (version.length() > MOST_CHARS ? version.substring(0, MOST_CHARS) + "…" : version);
    return Optional.of(
        new Caution(
            Caution.Kind.NEWER_VERSION,
            name,
            "written by " + name + "; tested up to " + tested,
            place));
  }

  /**
   * Whether a release is later than another. Builds of one release are the same: {@code 0.19.8+cpu}
   * is not newer than {@code 0.19.8}, and {@code 0.19.9.dev0} is, since it has what comes behind.
   *
   * @param version any text; one that does not begin with a number is newer than none
   */
  static boolean isNewer(String version, String tested) {
    Matcher own = RELEASE.matcher(version);
    Matcher known = RELEASE.matcher(tested);
    if (!own.matches() || !known.matches()) {
      return false;
    }
    String[] numbers = own.group(1).split("\\.", -1);
    String[] others = known.group(1).split("\\.", -1);
    for (int i = 0; i < Math.max(numbers.length, others.length); i++) {
      int order = compare(number(numbers, i), number(others, i));
      if (order != 0) {
        return order > 0;
      }
    }
    return false;
  }

  private static String number(String[] numbers, int i) {
    return i < numbers.length ? numbers[i].replaceFirst("^0+", "") : "";
  }

  /** Of digits without leading zeros, however many. */
  private static int compare(String left, String right) {
    int order = Integer.compare(left.length(), right.length());
    return order != 0 ? order : left.compareTo(right);
  }
}
