package dev.reweave.convert;

import dev.reweave.checkpoint.reading.SavedSteps;
import dev.reweave.storage.Stores;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;

/**
 * Makes of what was asked for one request for each step, with the address of its output: all that
 * comes after it, such as the lock and the check for what is done already, sees no placeholder.
 */
public final class StepRequests {
  private static final String ALL = "all";
  private static final String NEW = "new";

  private final Stores stores;
  private final LocalDate date;

  /**
   * Requests for checkpoints in these stores.
   *
   * @param date for {@code {date}}
   */
  public StepRequests(Stores stores, LocalDate date) {
    this.stores = stores;
    this.date = date;
  }

  private SavedSteps steps(ConversionRequest asked) {
    return new SavedSteps(stores.guarded(asked.input(), asked.reading().safeguards()));
  }

  /** Whether steps are asked for that may be several: {@code all} or {@code new}. */
  public static boolean areSeveral(ConversionRequest asked) {
    return asked.reading().tag().filter(tag -> tag.equals(ALL) || tag.equals(NEW)).isPresent();
  }

  /** Whether steps are not asked for that have a finished result. */
  public static boolean areNewAlone(ConversionRequest asked) {
    return asked.reading().tag().filter(NEW::equals).isPresent();
  }

  /**
   * The requests, by tag in natural order.
   *
   * @throws dev.reweave.common.ReweaveException if a tag is needed and there is none
   */
  public List<ConversionRequest> of(ConversionRequest asked) {
    if (!areSeveral(asked)) {
      return List.of(one(asked));
    }
    OutputTemplate output = new OutputTemplate(asked.output());
    return steps(asked).all(asked.input()).stream()
        .map(tag -> asked.ofStep(tag, output.fill(Optional.of(tag), date)))
        .toList();
  }

  /**
   * The request for one step. Where the output has the tag in its name the step is that one,
   * whatever {@code latest} says a moment later.
   */
  public ConversionRequest one(ConversionRequest asked) {
    OutputTemplate output = new OutputTemplate(asked.output());
    if (!output.namesTag()) {
      return asked.to(output.fill(Optional.empty(), date));
    }
    String tag = steps(asked).chosen(asked.input(), asked.reading().tag());
    return asked.ofStep(tag, output.fill(Optional.of(tag), date));
  }
}
