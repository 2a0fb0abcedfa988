package dev.reweave.look.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.look.report.DiffCriterion;
import dev.reweave.look.report.DiffReport;
import dev.reweave.plan.PlanOptions;
import dev.reweave.plan.prepare.MappingChoice;
import dev.reweave.tensor.Deviation;
import dev.reweave.testing.Fixtures;
import dev.reweave.testing.Locations;
import dev.reweave.testing.TestSpark;
import java.nio.file.Path;
import java.util.Optional;

/** Comparisons as a test asks for them. */
final class Diffs {
  private Diffs() {}

  static DiffRequest.Side side(Object address) {
    return DiffRequest.Side.of(Locations.of(address));
  }

  static DiffRequest.Side side(
      Object address, Optional<String> tag, Optional<Weights> weights, String mapping) {
    return new DiffRequest.Side(
        Locations.of(address),
        new ReadOptions(tag, weights, ReadOptions.Frozen.INCLUDE),
        MappingChoice.of(mapping));
  }

  static DiffReport diff(DiffRequest.Side first, DiffRequest.Side second) {
    return diff(first, second, PlanOptions.DEFAULTS, DiffCriterion.STRICT);
  }

  static DiffReport diff(
      DiffRequest.Side first,
      DiffRequest.Side second,
      PlanOptions planning,
      DiffCriterion criterion) {
    return new Diff(TestSpark.cluster(), TestSpark.stores())
        .run(new DiffRequest(first, second, planning, criterion));
  }

  static Path fixture(String path) {
    return Fixtures.folder(path);
  }

  static DiffReport.Row row(DiffReport report, String name) {
    return report.rows().stream().filter(r -> r.names().contains(name)).findFirst().orElseThrow();
  }

  /** What a plain loop over all numbers gives. */
  static void assertStraight(float[] x, float[] y, Deviation found) {
    long differing = 0;
    double absolute = 0;
    double relative = 0;
    double xx = 0;
    double yy = 0;
    double xy = 0;
    double dd = 0;
    for (int i = 0; i < x.length; i++) {
      double apart = Math.abs((double) x[i] - (double) y[i]);
      differing += x[i] == y[i] ? 0 : 1;
      absolute = Math.max(absolute, apart);
      relative =
          apart == 0
              ? relative
              : Math.max(relative, apart / Math.max(Math.abs((double) x[i]), Math.abs(y[i])));
      xx += (double) x[i] * x[i];
      yy += (double) y[i] * y[i];
      xy += (double) x[i] * y[i];
      dd += apart * apart;
    }
    assertEquals(x.length, found.numbers());
    assertEquals(differing, found.differing());
    assertEquals(differing, found.unequal());
    assertEquals(absolute, found.absolute());
    assertEquals(relative, found.relative());
    assertEquals(xy / Math.sqrt(xx * yy), found.cosine(), 1e-12);
    assertEquals(Math.sqrt(dd / Math.max(xx, yy)), found.distance(), 1e-12);
  }
}
