package dev.reweave.storage;

import java.io.IOException;
import java.io.Serializable;
import java.lang.ref.SoftReference;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;

/**
 * What the files of one scan have in common, on one machine: what was made of a content is kept for
 * other files that hold the same. Forgets it where memory gets scarce; then it is made again.
 *
 * <p>Sent to another machine it begins anew there. For all threads at once.
 */
public final class Recall implements Serializable {
  private static final long serialVersionUID = 1L;

  /** However many contents there are: few are had by several files unless many are. */
  private static final int MOST = 64;

  /** Makes what is kept. */
  @FunctionalInterface
  public interface Making<T> {
    T make() throws IOException;
  }

  private record Key(Object content, Class<?> type) {}

  /** What was made of one content; locked while it is being made. */
  private static final class Slot {
    private SoftReference<?> made = new SoftReference<>(null);
  }

  private static final class Slots extends LinkedHashMap<Key, Slot> {
    private static final long serialVersionUID = 1L;

    Slots() {
      super(MOST, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<Key, Slot> eldest) {
      return size() > MOST;
    }
  }

  private final transient Slots slots = new Slots();

  /** To make something takes a core, and memory; more at once would only take more of that. */
  private final transient Semaphore turns =
      new Semaphore(Runtime.getRuntime().availableProcessors());

  private Object readResolve() {
    return new Recall();
  }

  /**
   * What is made of a content, which is done once while others who ask for it wait. Where it fails,
   * each of them tries for itself.
   *
   * @param content tells the same content by {@code equals}
   * @param type of what is made of it
   */
  public <T> T of(Object content, Class<T> type, Making<T> making) throws IOException {
    Slot slot;
    synchronized (slots) {
      slot = slots.computeIfAbsent(new Key(content, type), key -> new Slot());
    }
    synchronized (slot) {
      Object known = slot.made.get();
      if (known != null) {
        return type.cast(known);
      }
      turns.acquireUninterruptibly();
      try {
        T made = making.make();
        slot.made = new SoftReference<>(made);
        return made;
      } finally {
        turns.release();
      }
    }
  }
}
