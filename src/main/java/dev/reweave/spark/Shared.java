package dev.reweave.spark;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.ref.Reference;
import java.lang.ref.SoftReference;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * A value that tasks on all machines read, until it is closed. Spark has it from the moment at
 * which the first task that names it is sent.
 *
 * <p>Spark has it as bytes. Values themselves it would make with the class loader of the
 * application, which does not know a jar that a client of Spark Connect brings along, or it would
 * give tasks of one session the classes of another. What is made of the bytes is kept with the
 * classes that it is of, once for all tasks of a process, until memory gets scarce.
 */
public final class Shared<T extends Serializable> implements Serializable, AutoCloseable {
  private static final long serialVersionUID = 1L;

  /** The values that are in this process, by {@link #id}: a task there takes the driver's own. */
  private static final Map<String, Reference<Object>> HERE = new ConcurrentHashMap<>();

  private final String id = UUID.randomUUID().toString();
  private final transient Supplier<JavaSparkContext> spark;
  private transient T own;
  private Broadcast<byte[]> sent;

  Shared(T own, Supplier<JavaSparkContext> spark) {
    this.own = own;
    this.spark = spark;
  }

  /** The value. */
  @SuppressWarnings("unchecked")
  public synchronized T value() {
    if (own == null) {
      own = (T) here(id, sent);
    }
    return own;
  }

  private static Object here(String id, Broadcast<byte[]> sent) {
    HERE.values().removeIf(value -> value.get() == null);
    Object[] found = new Object[1];
    HERE.compute(
        id,
        (key, known) -> {
          found[0] = known == null ? null : known.get();
          if (found[0] != null) {
            return known;
          }
          found[0] = Packed.value(sent.value());
          return new SoftReference<>(found[0]);
        });
    return found[0];
  }

  private synchronized void writeObject(ObjectOutputStream out) throws IOException {
    if (sent == null) {
      sent = spark.get().broadcast(Packed.of(own));
      HERE.put(id, new SoftReference<>(own));
    }
    out.defaultWriteObject();
  }

  /** Takes it from all machines; no task may read it any more. */
  @Override
  public synchronized void close() {
    if (sent != null) {
      HERE.remove(id);
      sent.destroy();
    }
  }
}
