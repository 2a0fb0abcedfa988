package dev.reweave.gather;

import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.Witness;
import dev.reweave.tensor.Agreement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Tells what the differences between two copies of the weights mean. */
public final class ProofVerdict {
  /** What a tensor of the step before or after is off at most, as a part of its magnitude. */
  private static final double NEIGHBOURING_STEP = 0.1;

  private static final String SAME = "cast to the type of the module, they are bit for bit its own";

  private final Map<String, Agreement> outcomes;
  private final Witness.Extent extent;
  private final List<String> differing = new ArrayList<>();

  /** A verdict on what was found out of each tensor, of which so much was compared. */
  public ProofVerdict(Map<String, Agreement> outcomes, Witness.Extent extent) {
    this.outcomes = outcomes;
    this.extent = extent;
    outcomes.forEach(
        (name, outcome) -> {
          if (outcome.differing() > 0) {
            differing.add(
                name + " (" + outcome.differing() + " of " + outcome.compared() + " elements)");
          }
        });
  }

  /** Elements that were compared. */
  public long elements() {
    return outcomes.values().stream().mapToLong(Agreement::compared).sum();
  }

  /**
   * The verdict, in words.
   *
   * @throws ReweaveException if the copies differ in a way that nothing harmless explains
   */
  public String require(String place) {
    boolean all = extent == Witness.Extent.ALL;
    if (differing.isEmpty()) {
      return SAME;
    }
    boolean most = 2 * differing.size() > outcomes.size();
    // A small step moves few of a sample over a border of rounding, and two swapped tensors are
    // two.
    boolean many = most || (!all && differing.size() > 2 && 4 * differing.size() > outcomes.size());
    boolean rounded = outcomes.values().stream().allMatch(o -> o.beyond() == 0);
    if (many && rounded) {
      return "in "
          + Counted.of(differing.size(), "tensor")
          + " the module has neighbouring numbers, as stochastic rounding gives";
    }
    if (all ? areAllClose() && differing.size() == outcomes.size() : areSamplesClose() && most) {
      return "the module is close to them in every tensor, but of another step: it was not updated"
          + " after the last one";
    }
    throw GatherFailures.notProven(differing, outcomes.size(), extent, place);
  }

  /**
   * The verdict where the second copy alone tells whose the numbers are.
   *
   * @throws ReweaveException if any element differs
   */
  String requireAll(String place) {
    if (differing.isEmpty()) {
      return SAME;
    }
    throw GatherFailures.orderNotProven(differing, outcomes.size(), place);
  }

  private boolean areAllClose() {
    return outcomes.values().stream().allMatch(ProofVerdict::isClose);
  }

  private static boolean isClose(Agreement outcome) {
    return outcome.relative() < NEIGHBOURING_STEP;
  }

  /**
   * Of a sample, a few elements of a tensor may be next to nothing in one of both steps. That
   * excuses some tensors, where others show that the steps are near each other.
   */
  private boolean areSamplesClose() {
    long close = outcomes.values().stream().filter(ProofVerdict::isClose).count();
    double[] sizes =
        outcomes.values().stream()
            .mapToDouble(o -> Math.sqrt(o.magnitude() / o.compared()))
            .sorted()
            .toArray();
    double usual = sizes[sizes.length / 2];
    return 2 * close > outcomes.size()
        && outcomes.values().stream()
            .allMatch(
                o ->
                    isClose(o)
                        || Math.sqrt(o.difference() / o.compared()) < NEIGHBOURING_STEP * usual);
  }
}
