package dev.reweave.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Writes a chunk in place into a local file that has its final length already. */
final class PositionedSink implements ChunkSink {
  private final FileChannel channel;
  private long position;

  PositionedSink(FileChannel channel, long position) {
    this.channel = channel;
    this.position = position;
  }

  @Override
  public void write(byte[] data, int offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(data, offset, length);
    while (buffer.hasRemaining()) {
      position += channel.write(buffer, position);
    }
  }

  @Override
  public void commit() {
    // The file has its final length from the start: bytes count as they are written.
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
