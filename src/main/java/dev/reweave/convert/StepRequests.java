package dev.reweave.convert;

import dev.reweave.checkpoint.StepChoice;
import dev.reweave.checkpoint.reading.SavedSteps;
import dev.reweave.common.Location;
import dev.reweave.storage.Stores;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;

/**
 * Makes of what was asked for one request for each step, with the address of its output: all that
 * comes after it, such as the lock and the check for what is done already, sees no placeholder.
 */
public final class StepRequests {
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

  private SavedSteps steps(AskedConversion asked) {
    return new SavedSteps(stores.guarded(asked.input(), asked.options().reading().safeguards()));
  }

  /**
   * The requests, by tag in natural order.
   *
   * @throws dev.reweave.common.ReweaveException if a tag is needed and there is none
   */
  public List<ConversionRequest> of(AskedConversion asked) {
    if (!asked.isOfSeveral()) {
      return List.of(one(asked));
    }
    return steps(asked).all(asked.input()).stream().map(tag -> ofStep(asked, tag)).toList();
  }

  /**
   * The request for one step. Where the output has the tag in its name the step is that one,
   * whatever {@code latest} says a moment later; so are the last ones of which the mean is taken.
   */
  public ConversionRequest one(AskedConversion asked) {
    Optional<StepChoice> averaged = asked.options().reading().averaged();
    if (averaged.filter(steps -> !steps.isNamed()).isPresent()) {
      StepChoice named = averaged.get().among(steps(asked).all(asked.input()), asked.input().uri());
      return one(new AskedConversion(asked.input(), asked.output(), asked.options().ofMean(named)));
    }
    if (!asked.output().namesTag()) {
      Location output = asked.output().fill(stores, Optional.empty(), date);
      return new ConversionRequest(asked.input(), output, asked.options());
    }
    String tag = steps(asked).chosen(asked.input(), asked.options().reading().tag());
    return ofStep(asked, tag);
  }

  private ConversionRequest ofStep(AskedConversion asked, String tag) {
    return new ConversionRequest(
        asked.input(),
        asked.output().fill(stores, Optional.of(tag), date),
        asked.options().ofStep(tag));
  }
}
