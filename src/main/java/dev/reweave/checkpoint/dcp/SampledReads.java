package dev.reweave.checkpoint.dcp;

import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import dev.reweave.tensor.Cast;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.StorageRef;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Elements of layouts that are read at once, each file in one pass. */
final class SampledReads {
  /** Elements of a layout, little-endian; of no use before they are read. */
  static final class Sample {
    private final byte[] bytes;

    private Sample(int length) {
      bytes = new byte[length];
    }

    byte[] bytes() {
      return bytes;
    }
  }

  /** Where a run goes. */
  private record Run(StorageRef storage, long position, int elements, Sample to, int offset) {}

  private final Map<Integer, List<Run>> byFile = new TreeMap<>();

  /** Asks for elements {@code [from, to)}, which are there after {@link #read}. */
  Sample add(Layout layout, long from, long to) {
    int size = layout.dtype().bytes();
    Sample sample = new Sample(Math.toIntExact((to - from) * size));
    int[] at = {0};
    layout.runs(
        from,
        to,
        (storage, offset, elements) -> {
          byFile
              .computeIfAbsent(storage.file(), f -> new ArrayList<>())
              .add(
                  new Run(
                      storage,
                      storage.position() + offset * size,
                      Math.toIntExact(elements),
                      sample,
                      at[0]));
          at[0] += Math.toIntExact(elements) * size;
        });
    return sample;
  }

  /**
   * Reads all.
   *
   * @param files that the layouts point into
   */
  void read(MetadataScanner scanner, List<InputFile> files) {
    List<MetadataScanner.Request<BucketProbe.Found>> requests = new ArrayList<>();
    byFile.forEach(
        (file, runs) -> {
          runs.sort(Comparator.comparingLong(Run::position));
          List<BucketProbe.Span> spans =
              runs.stream()
                  .map(r -> new BucketProbe.Span(r.position(), r.elements() * bytes(r)))
                  .toList();
          requests.add(
              new MetadataScanner.Request<>(files.get(file), file, new BucketProbe(spans)));
        });
    List<BucketProbe.Found> answers = scanner.scan(requests);
    int answer = 0;
    for (List<Run> runs : byFile.values()) {
      List<byte[]> bytes = answers.get(answer++).bytes();
      for (int r = 0; r < runs.size(); r++) {
        put(runs.get(r), bytes.get(r));
      }
    }
  }

  private static void put(Run run, byte[] bytes) {
    System.arraycopy(bytes, 0, run.to().bytes(), run.offset(), bytes.length);
    if (run.storage().order() == StorageRef.Endian.BIG) {
      Cast.toLittleEndian(run.storage().dtype(), run.to().bytes(), run.offset(), run.elements());
    }
  }

  private static int bytes(Run run) {
    return run.storage().dtype().bytes();
  }
}
