package dev.reweave.look.page;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.TensorStatistics;
import dev.reweave.tensor.ValueHistogram;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How large the data of a report is in its file: packed, and in base64. */
class ReportSizeTest {
  /** Counts as of a normal distribution: halved with each power of two, and a little off. */
  private static ValueHistogram histogram(Random random, long elements) {
    long[] counts = new long[ValueHistogram.BINS];
    int top = 16 + random.nextInt(4);
    for (int e = top; e >= 0; e--) {
      double expected = 0.25 * elements / Math.pow(2, top - e);
      counts[32 + e] =
          Math.max(0, Math.round(expected + random.nextGaussian() * Math.sqrt(expected)));
      counts[31 - e] =
          Math.max(0, Math.round(expected + random.nextGaussian() * Math.sqrt(expected)));
    }
    return new ValueHistogram(counts);
  }

  private static ReportContent content(int tensors) {
    Random random = new Random(7);
    List<ReportContent.Tensor> all = new ArrayList<>();
    for (int i = 0; i < tensors; i++) {
      long elements = 4096 * 4096;
      TensorStatistics.Finite finite =
          new TensorStatistics.Finite(
              elements,
              -random.nextFloat(),
              random.nextFloat(),
              random.nextGaussian() * 1e-4,
              random.nextDouble() * elements);
      all.add(
          new ReportContent.Tensor(
              new ReportContent.Form(
                  "model.layers."
                      + i / 300
                      + ".mlp.experts."
                      + i % 100
                      + "."
                      + i % 3
                      + "_proj.weight",
                  "bfloat16",
                  List.of(4096L, 4096L),
                  "model-" + i / 100,
                  2 * elements,
                  elements),
              0,
              0,
              Optional.of(new TensorStatistics(elements, 0, 0, random.nextInt(1000), finite)),
              histogram(random, elements),
              Optional.of(new ReportContent.Change(random.nextDouble(), random.nextInt(1 << 24)))));
    }
    List<ReportContent.File> files = new ArrayList<>();
    for (int i = 0; i <= tensors / 100; i++) {
      files.add(new ReportContent.File("model-" + i, 100L << 25));
    }
    return new ReportContent(
        new ReportContent.Subject("model", "file:/m", Optional.of("file:/b"), ReportData.now()),
        new ReportContent.Told(List.of(), List.of(), List.of()),
        files,
        all,
        ReportContent.Unpaired.NONE,
        List.of());
  }

  @ParameterizedTest
  @CsvSource({"1000, 2000000", "100000, 20000000"})
  void staysSmall(int tensors, long most) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(ReportJson.of(content(tensors)));
    }
    long inFile = packed.size() * 4L / 3;

    assertTrue(inFile < most, tensors + " tensors take " + inFile);
    assertTrue(inFile > 100L * tensors, tensors + " tensors take but " + inFile);
  }
}
