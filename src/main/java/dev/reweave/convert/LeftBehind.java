package dev.reweave.convert;

/**
 * What a conversion that failed could not take away again: suppressed by what it failed of, and
 * told beside it.
 */
public final class LeftBehind extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What a clean-up failed of. */
  public LeftBehind(RuntimeException cause) {
    super(cause.getMessage(), cause);
  }
}
