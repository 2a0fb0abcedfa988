package dev.reweave.spark;

import java.io.Serializable;
import org.apache.spark.broadcast.Broadcast;

/** A value that tasks on all machines read, until it is closed. */
public final class Shared<T extends Serializable> implements Serializable, AutoCloseable {
  private static final long serialVersionUID = 1L;

  private final Broadcast<T> value;

  Shared(Broadcast<T> value) {
    this.value = value;
  }

  /** The value. */
  public T value() {
    return value.value();
  }

  /** Takes it from all machines; no task may read it any more. */
  @Override
  public void close() {
    value.destroy();
  }
}
