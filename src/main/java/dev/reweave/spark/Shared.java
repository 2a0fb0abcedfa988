package dev.reweave.spark;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.function.Supplier;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * A value that tasks on all machines read, until it is closed. Spark has it from the moment at
 * which the first task that names it is sent.
 */
public final class Shared<T extends Serializable> implements Serializable, AutoCloseable {
  private static final long serialVersionUID = 1L;

  private final transient T own;
  private final transient Supplier<JavaSparkContext> spark;
  private Broadcast<T> sent;

  Shared(T own, Supplier<JavaSparkContext> spark) {
    this.own = own;
    this.spark = spark;
  }

  /** The value. */
  public T value() {
    return own == null ? sent.value() : own;
  }

  private synchronized void writeObject(ObjectOutputStream out) throws IOException {
    if (sent == null) {
      sent = spark.get().broadcast(own);
    }
    out.defaultWriteObject();
  }

  /** Takes it from all machines; no task may read it any more. */
  @Override
  public synchronized void close() {
    if (sent != null) {
      sent.destroy();
    }
  }
}
