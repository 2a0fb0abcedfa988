package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointFormat;
import dev.reweave.checkpoint.Contents;
import dev.reweave.checkpoint.NaturalOrder;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.SideBySide;
import dev.reweave.common.Location;
import dev.reweave.storage.InputFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What {@code DeepSpeedEngine.save_checkpoint} writes, and {@code ds_to_universal.py} of it. */
public final class DeepSpeedFormat implements CheckpointFormat {
  @Override
  public List<Contents> in(Place place) {
    if (place.file().isPresent()) {
      return List.of();
    }
    TagSearch search = new TagSearch(place.stores(), place.address(), place.listing());
    if (!search.findsAnything()) {
      return List.of();
    }
    List<String> tags = search.tags();
    return SideBySide.areModels(tags)
        ? tags.stream().map(tag -> (Contents) new Steps(place, search, Optional.of(tag))).toList()
        : List.of(new Steps(place, search, Optional.empty()));
  }

  /** The steps of one model. */
  private static final class Steps implements Contents {
    private final Place place;
    private final TagSearch search;
    private final Optional<String> model;
    private final Map<Optional<String>, TagFolder> found = new HashMap<>();

    /**
     * @param model its tag, where models lie side by side and none has several steps
     */
    Steps(Place place, TagSearch search, Optional<String> model) {
      this.place = place;
      this.search = search;
      this.model = model;
    }

    @Override
    public String name() {
      return model.orElse(place.name());
    }

    @Override
    public Location address() {
      return model.map(m -> place.address().child(m)).orElse(place.address());
    }

    @Override
    public List<String> steps() {
      return model
          .map(List::of)
          .orElseGet(() -> search.tags().stream().sorted(new NaturalOrder()).toList());
    }

    @Override
    public Optional<String> step(Optional<String> wanted) {
      return Optional.of(folder(wanted).tag());
    }

    @Override
    public List<InputFile> files(Optional<String> wanted) {
      TagFolder step = folder(wanted);
      List<InputFile> files = new ArrayList<>(step.files().stream().map(RankFile::file).toList());
      step.parameters()
          .ifPresent(
              zero ->
                  zero.parameters(place.stores()).values().forEach(p -> files.add(p.weights())));
      return files;
    }

    @Override
    public Optional<Location> keyed(Optional<String> wanted) {
      // Files are in rank order: the trainer's dicts are the same in all, or the first one's.
      return folder(wanted).files().stream()
          .filter(
              f -> f.kind() == RankFile.Kind.MODEL || f.kind() == RankFile.Kind.PARTITIONED_MODEL)
          .findFirst()
          .map(f -> f.file().location());
    }

    @Override
    public Set<Location> claims() {
      return place.listing().files().stream()
          .filter(file -> RankFile.of(file).isPresent())
          .map(InputFile::location)
          .collect(Collectors.toSet());
    }

    @Override
    public Checkpoint read(ReadOptions options) {
      TagFolder step = folder(options.tag());
      options.requireNoKey(step.address().uri());
      return step.parameters()
          .map(
              zero ->
                  UniversalCheckpoint.read(place.stores(), place.scanner(), step, zero, options))
          .orElseGet(() -> DeepSpeedCheckpoint.read(place.scanner(), step, options));
    }

    private TagFolder folder(Optional<String> wanted) {
      Optional<String> tag = model.or(() -> wanted);
      TagFolder known = found.get(tag);
      if (known == null) {
        known = search.find(tag);
        found.put(tag, known);
      }
      return known;
    }
  }
}
