package dev.reweave.storage;

import java.nio.ByteBuffer;
import java.util.Base64;
import org.apache.hadoop.fs.PartHandle;
import org.apache.hadoop.fs.UploadHandle;

/**
 * How a store calls an upload, or a part of one that it has.
 *
 * @param text its bytes in Base64
 */
record StoreToken(String text) implements UploadHandle, PartHandle {
  private static final long serialVersionUID = 1;

  /** The token in an answer of the store. */
  static StoreToken of(ByteBuffer answer) {
    byte[] copy = new byte[answer.remaining()];
    answer.duplicate().get(copy);
    return new StoreToken(Base64.getEncoder().encodeToString(copy));
  }

  @Override
  public ByteBuffer bytes() {
    return ByteBuffer.wrap(toByteArray());
  }

  @Override
  public byte[] toByteArray() {
    return Base64.getDecoder().decode(text);
  }
}
