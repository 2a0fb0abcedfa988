package dev.reweave.soak;

import java.io.IOException;

/** Where conversions write to. */
interface Store extends AutoCloseable {
  /** As {@code --kinds} names it. */
  String name();

  /** A folder of this name, of whoever asks alone; it need not be there. */
  Site site(String name) throws IOException;

  /** Ends it, with all that is in it. */
  @Override
  void close() throws IOException;
}
