package dev.reweave.storage;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Writes the parts of a staged file as Spark's tasks do: from threads, by serialized copies. */
final class PartWriter {
  private static final int THREADS = 4;

  private final Stores stores;
  private final StagedFile file;
  private final byte[] content;

  /** Writes {@code content} to {@code file}. */
  PartWriter(Stores stores, StagedFile file, byte[] content) {
    this.stores = stores;
    this.file = file;
    this.content = content;
  }

  /** The parts of a content under a rule: short ones, and as many as the rule lets it have. */
  static List<Part> parts(PartRule rule, byte[] content) {
    long step = rule.partBytes(content.length, 4096, 8);
    List<Part> parts = new ArrayList<>();
    for (long from = 0; from < content.length; from += step) {
      parts.add(new Part(parts.size() + 1, from, Math.min(step, content.length - from)));
    }
    return parts;
  }

  /** Writes parts, some of them more than once, and gives one receipt of each, by number. */
  List<PartReceipt> write(List<Part> parts) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<List<PartReceipt>>> written = new ArrayList<>();
      for (Part part : parts) {
        written.add(threads.submit(() -> write(part)));
      }
      return onePerPart(written);
    } finally {
      threads.shutdownNow();
    }
  }

  /** Writes a part twice, both sinks committing at once, and gives the two receipts. */
  List<PartReceipt> writeTwins(Part part) throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<List<PartReceipt>>> written = new ArrayList<>();
      for (int twin = 0; twin < 2; twin++) {
        written.add(
            threads.submit(
                () -> {
                  try (ChunkSink sink = copy(file).open(copy(stores), part)) {
                    fill(sink, part);
                    barrier.await();
                    return sink.commit();
                  }
                }));
      }
      return List.of(written.get(0).get().get(0), written.get(1).get().get(0));
    } finally {
      threads.shutdownNow();
    }
  }

  /** Writes half of a part, wrongly, and gives up. */
  void writeInVain(Part part) throws IOException {
    try (ChunkSink sink = file.open(stores, part)) {
      sink.write(new byte[(int) part.length()], 0, (int) part.length() / 2);
    }
  }

  private List<PartReceipt> write(Part part) throws Exception {
    try (ChunkSink sink = copy(file).open(copy(stores), part)) {
      fill(sink, part);
      return List.copyOf(copy(new ArrayList<>(sink.commit())));
    }
  }

  private void fill(ChunkSink sink, Part part) throws IOException {
    int from = (int) part.position();
    int half = (int) part.length() / 2;
    sink.write(content, from, half);
    sink.write(content, from + half, (int) part.length() - half);
  }

  private static List<PartReceipt> onePerPart(Collection<Future<List<PartReceipt>>> written)
      throws Exception {
    Map<Integer, PartReceipt> receipts = new TreeMap<>();
    for (Future<List<PartReceipt>> part : written) {
      part.get().forEach(receipt -> receipts.putIfAbsent(receipt.number(), receipt));
    }
    return List.copyOf(receipts.values());
  }

  /** What arrives in another process. */
  @SuppressWarnings("unchecked")
  private static <T extends Serializable> T copy(T original)
      throws IOException, ClassNotFoundException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(original);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (T) in.readObject();
    }
  }
}
