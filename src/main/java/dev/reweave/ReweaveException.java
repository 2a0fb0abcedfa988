package dev.reweave;

/**
 * Something that the user can understand and act upon: what is wrong, where, and what to do.
 *
 * <p>Messages never show passwords or queries of addresses.
 *
 * <p>Every failure that is caused by input, options or the state of a store is reported with this
 * type; anything else that escapes is a defect of Reweave. Serializable, so that it reaches the
 * driver as it was thrown in a task.
 */
public final class ReweaveException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String problem;
  private final String place;
  private final String remedy;

  /**
   * @param problem what is wrong, in the field's terms, without a full stop
   * @param place the file, tensor, rank or option that it is about
   * @param remedy what the user can do, without a full stop
   */
  public ReweaveException(String problem, String place, String remedy) {
    this(problem, place, remedy, null);
  }

  /** The same with the error that led to it, which is shown with {@code -v} alone. */
  public ReweaveException(String problem, String place, String remedy, Throwable cause) {
    super(shown(problem + ": " + place + "; " + remedy), cause);
    this.problem = shown(problem);
    this.place = shown(place);
    this.remedy = shown(remedy);
  }

  /** What files bring into a message must not drive the terminal that shows it. */
  private static String shown(String text) {
    return Printable.text(Redacted.text(text));
  }

  /** What is wrong. */
  public String problem() {
    return problem;
  }

  /** What it is about. */
  public String place() {
    return place;
  }

  /** What the user can do. */
  public String remedy() {
    return remedy;
  }
}
