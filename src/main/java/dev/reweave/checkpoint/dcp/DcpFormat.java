package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.NaturalOrder;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.SideBySide;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What {@code torch.distributed.checkpoint} saves: {@code .metadata} and what it describes. */
public final class DcpFormat implements CheckpointFormat {
  @Override
  public List<Contents> in(Place place) {
    if (place.file().isPresent()) {
      return place.file().filter(f -> DcpFolder.isPart(f.name())).stream()
          .map(file -> (Contents) new PartOfCheckpoint(file))
          .toList();
    }
    if (DcpFolder.isStep(place.address(), place.listing())) {
      return List.of(new Steps(place, Map.of(), Optional.empty()));
    }
    if (DcpFolder.isUnfinished(place.listing())) {
      return List.of(new UnfinishedCheckpoint(place));
    }
    Map<String, Stores.Listing> steps = DcpFolder.steps(place.stores(), place.listing());
    if (steps.isEmpty()) {
      return List.of();
    }
    return SideBySide.areModels(List.copyOf(steps.keySet()))
        ? steps.keySet().stream()
            .map(name -> (Contents) new Steps(place, steps, Optional.of(name)))
            .toList()
        : List.of(new Steps(place, steps, Optional.empty()));
  }

  /**
   * The steps of one model.
   *
   * @param folders in the place, by name; empty if it is a step itself
   * @param model its name, where models lie side by side and none has several steps
   */
  private record Steps(Place place, Map<String, Stores.Listing> folders, Optional<String> model)
      implements Contents {
    @Override
    public String name() {
      List<String> all = steps();
      return all.get(all.size() - 1);
    }

    @Override
    public Location address() {
      return folders.isEmpty() ? place.address() : place.address().child(name());
    }

    @Override
    public List<String> steps() {
      return model
          .map(List::of)
          .orElseGet(
              () ->
                  folders.isEmpty()
                      ? List.of(place.name())
                      : folders.keySet().stream().sorted(new NaturalOrder()).toList());
    }

    @Override
    public Optional<String> step(Optional<String> wanted) {
      return Optional.of(folder(wanted).tag());
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      return List.copyOf(folder(wanted).files().values());
    }

    @Override
    public Set<Location> claims() {
      // The files of steps are in folders of their own.
      return folders.isEmpty() ? Contents.super.claims() : Set.of();
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      return DcpCheckpoint.read(place.stores(), place.scanner(), folder(options.tag()), options);
    }

    private DcpFolder folder(Optional<String> wanted) {
      return DcpFolder.find(
          place.stores(), place.address(), place.listing(), folders, model.or(() -> wanted));
    }
  }
}
