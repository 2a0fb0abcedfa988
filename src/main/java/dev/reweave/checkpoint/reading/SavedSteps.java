package dev.reweave.checkpoint.reading;

import dev.reweave.checkpoint.NaturalOrder;
import dev.reweave.checkpoint.Place;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.Stores;
import dev.reweave.storage.ThreadScanner;
import java.util.List;
import java.util.Optional;

/** The steps that training has saved at an address, by their tags; reads names of files alone. */
public final class SavedSteps {
  private final Stores stores;

  /** Of checkpoints in these stores. */
  public SavedSteps(Stores stores) {
    this.stores = stores;
  }

  /**
   * The tags of all steps in a folder, in natural order.
   *
   * @throws ReweaveException if there are none
   */
  public List<String> all(Location address) {
    Place place = place(address);
    List<String> steps =
        Reading.lying(place, CheckpointFormats.ALL).stream()
            .flatMap(List::stream)
            .flatMap(c -> c.steps().stream())
            // The folder of one step has none in it.
            .filter(step -> isIn(place, step))
            .sorted(new NaturalOrder())
            .toList();
    if (steps.isEmpty()) {
      throw ReadingFailures.noSteps(address.uri());
    }
    return steps;
  }

  /**
   * The tag of the step that would be read.
   *
   * @param wanted the tag that the user asks for; empty for the one that {@code latest} names
   * @throws ReweaveException if there is no such step, or it is not clear which is meant
   */
  public String chosen(Location address, Optional<String> wanted) {
    Place place = place(address);
    if (Reading.lying(place, CheckpointFormats.ALL).isEmpty()) {
      throw ReadingFailures.noSteps(address.uri());
    }
    return Reading.of(place, CheckpointFormats.ALL, wanted)
        .taken()
        .step(wanted)
        .orElseThrow(() -> ReadingFailures.noSteps(address.uri()));
  }

  private static boolean isIn(Place place, String step) {
    return place.listing().folders().contains(place.address().child(step.split("/", 2)[0]));
  }

  private Place place(Location address) {
    return Place.at(stores, new ThreadScanner(stores), address);
  }
}
