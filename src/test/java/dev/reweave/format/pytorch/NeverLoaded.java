package dev.reweave.format.pytorch;

/** A class that a pickle names, and that is never loaded. */
final class NeverLoaded {
  /** Knows whether it was. */
  static final class Witness {
    static boolean loaded;

    private Witness() {}
  }

  static {
    Witness.loaded = true;
  }

  private NeverLoaded() {}
}
