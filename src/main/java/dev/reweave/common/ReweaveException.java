package dev.reweave.common;

import java.util.Locale;

/**
 * Something that the user can understand and act upon: what is wrong, where, and what to do.
 *
 * <p>Messages never show passwords or queries of addresses, and are shorter than 8 KB: of a text
 * that is longer than that start and end are shown.
 *
 * <p>Every failure that is caused by input, options or the state of a store is reported with this
 * type; anything else that escapes is a defect of Reweave. Serializable, so that it reaches the
 * driver as it was thrown in a task.
 */
public final class ReweaveException extends RuntimeException {
  private static final long serialVersionUID = 2L;

  /**
   * What a failure is about, for people and schedulers: each kind asks for another thing to be
   * done.
   */
  public enum Kind {
    /** What was asked for does not go together, or not with what is there. */
    USAGE,
    /** Nothing is at the address, or nothing of that name. */
    NOT_FOUND,
    /** The input is not whole: files are missing, cut off, mixed, or their bits have changed. */
    DAMAGED_INPUT,
    /** The input is of a kind that is not read. */
    UNSUPPORTED_INPUT,
    /** Tensors do not fit the mapping or the base that they are for. */
    MODEL_MISMATCH,
    /** The numbers themselves are not what they should be. */
    WEIGHTS,
    /** A store refuses access. */
    ACCESS_DENIED,
    /** A store cannot be reached, or fails beyond all retries. */
    STORE_FAILED,
    /** Something else is where the result should go. */
    OUTPUT_OCCUPIED,
    /** Another job is at work there. */
    OUTPUT_LOCKED,
    /** Memory or disk space is too short. */
    SHORTAGE,
    /** Spark, its class path or its machines do not do what is needed of them. */
    ENVIRONMENT,
    /** A defect of Reweave; never of a {@code ReweaveException}. */
    INTERNAL;

    /** As it is written in JSON and in the manual: {@code damaged-input}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Kind kind;
  private final String problem;
  private final String place;
  private final String remedy;

  /**
   * A failure that the input's files cause: {@link Kind#DAMAGED_INPUT}.
   *
   * @param problem what is wrong, in the field's terms, without a full stop
   * @param place the file, tensor, rank or option that it is about
   * @param remedy what the user can do, without a full stop
   */
  public ReweaveException(String problem, String place, String remedy) {
    this(Kind.DAMAGED_INPUT, problem, place, remedy, null);
  }

  /** The same with the error that led to it, which is shown with {@code -v} alone. */
  public ReweaveException(String problem, String place, String remedy, Throwable cause) {
    this(Kind.DAMAGED_INPUT, problem, place, remedy, cause);
  }

  /** A failure of any kind. */
  public ReweaveException(Kind kind, String problem, String place, String remedy) {
    this(kind, problem, place, remedy, null);
  }

  /** A failure of any kind, with the error that led to it. */
  public ReweaveException(Kind kind, String problem, String place, String remedy, Throwable cause) {
    super(Excerpt.of(problem) + ": " + Excerpt.of(place) + "; " + Excerpt.of(remedy), cause);
    this.kind = kind;
    this.problem = Excerpt.of(problem);
    this.place = Excerpt.of(place);
    this.remedy = Excerpt.of(remedy);
  }

  /** One of {@link Kind#USAGE}. */
  public static ReweaveException usage(String problem, String place, String remedy) {
    return new ReweaveException(Kind.USAGE, problem, place, remedy);
  }

  /** One of {@link Kind#NOT_FOUND}. */
  public static ReweaveException notFound(String problem, String place, String remedy) {
    return new ReweaveException(Kind.NOT_FOUND, problem, place, remedy);
  }

  /** One of {@link Kind#UNSUPPORTED_INPUT}. */
  public static ReweaveException unsupported(String problem, String place, String remedy) {
    return new ReweaveException(Kind.UNSUPPORTED_INPUT, problem, place, remedy);
  }

  /** One of {@link Kind#MODEL_MISMATCH}. */
  public static ReweaveException mismatch(String problem, String place, String remedy) {
    return new ReweaveException(Kind.MODEL_MISMATCH, problem, place, remedy);
  }

  /** One of {@link Kind#WEIGHTS}. */
  public static ReweaveException weights(String problem, String place, String remedy) {
    return new ReweaveException(Kind.WEIGHTS, problem, place, remedy);
  }

  /** One of {@link Kind#OUTPUT_OCCUPIED}. */
  public static ReweaveException occupied(String problem, String place, String remedy) {
    return new ReweaveException(Kind.OUTPUT_OCCUPIED, problem, place, remedy);
  }

  /** One of {@link Kind#OUTPUT_LOCKED}. */
  public static ReweaveException locked(String problem, String place, String remedy) {
    return new ReweaveException(Kind.OUTPUT_LOCKED, problem, place, remedy);
  }

  /** One of {@link Kind#SHORTAGE}. */
  public static ReweaveException shortage(String problem, String place, String remedy) {
    return new ReweaveException(Kind.SHORTAGE, problem, place, remedy);
  }

  /**
   * Throws this if a store or a machine failed: then nothing is known of what was to be read. Does
   * nothing otherwise, for who can go on without it.
   */
  public void throwIfOfStore() {
    if (kind == Kind.STORE_FAILED || kind == Kind.ENVIRONMENT) {
      throw this;
    }
  }

  /** What it is about, for schedulers. */
  public Kind kind() {
    return kind;
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
