package dev.reweave.checkpoint.deepspeed;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Looks for the folders of saved steps at an address. */
final class TagSearch {
  private static final String LATEST = "latest";

  /** What {@code ds_to_universal.py} writes, so that it can stand beside {@code latest}. */
  private static final String LATEST_UNIVERSAL = "latest_universal";

  private static final int MOST_TAG_BYTES = 4096;

  /** A path below the folder: {@code save_checkpoint} takes {@code epoch1/step5} for a tag. */
  private static final Pattern TAG =
      Pattern.compile("(?!\\.{1,2}(/|$))[^/]+(/(?!\\.{1,2}(/|$))[^/]+)*");

  private final Stores stores;
  private final Location base;
  private final Stores.Listing root;
  private final List<RankFile> here;
  private final Optional<ParameterFolders> parameters;
  private final Optional<InputFile> latest;
  private final List<String> tags;

  /**
   * @param base the full address
   * @param root what it holds
   */
  TagSearch(Stores stores, Location base, Stores.Listing root) {
    this.stores = stores;
    this.base = base;
    this.root = root;
    this.here = RankFile.among(stores, root);
    this.parameters = ParameterFolders.in(stores, root);
    this.latest = named(LATEST).or(() -> named(LATEST_UNIVERSAL));
    this.tags = isStep() ? List.of(base.name()) : tagsIn(root);
  }

  private Optional<InputFile> named(String name) {
    return root.files().stream().filter(f -> f.name().equals(name)).findFirst();
  }

  /** Whether the address is that of a step itself. */
  private boolean isStep() {
    return !here.isEmpty() || parameters.isPresent();
  }

  /** Whether there is a trace of DeepSpeed. */
  boolean findsAnything() {
    return isStep() || latest.isPresent() || !tags.isEmpty();
  }

  /** The tags of all steps, the address's own if it is that of a step. */
  List<String> tags() {
    return tags;
  }

  private List<String> tagsIn(Stores.Listing folder) {
    List<String> found = new ArrayList<>();
    for (Location inner : folder.folders()) {
      Stores.Listing step = stores.list(inner);
      if (isStep(step)) {
        found.add(inner.name());
      } else if (latest.isPresent()) {
        // A tag can have a slash; without 'latest' these are folders of other checkpoints.
        step.folders().stream()
            .filter(below -> isStep(stores.list(below)))
            .forEach(below -> found.add(inner.name() + "/" + below.name()));
      }
    }
    return found;
  }

  private boolean isStep(Stores.Listing folder) {
    return RankFile.areAmong(folder.files()) || ParameterFolders.in(stores, folder).isPresent();
  }

  /**
   * The step that is meant.
   *
   * @param wanted the tag that the user asks for
   * @throws ReweaveException if the tag is not there, or not clear
   */
  TagFolder find(Optional<String> wanted) {
    if (isStep()) {
      String name = base.name();
      if (wanted.filter(tag -> !tag.equals(name)).isPresent()) {
        throw TagFailures.anotherTag(name, wanted.get(), base.uri());
      }
      return new TagFolder(base, name, List.of(name), here, parameters, List.of());
    }
    List<String> notes = new ArrayList<>();
    String tag = wanted.orElseGet(() -> chosen(notes));
    if (tag.isBlank() || !TAG.matcher(tag).matches()) {
      throw TagFailures.noName(tag, tags, base.uri());
    }
    Location folder = base.child(tag);
    if (!stores.isFolder(folder)) {
      throw wanted.isPresent()
          ? TagFailures.noTag(tag, tags, folder.uri())
          : TagFailures.latestMissing(
              latest.map(InputFile::name).orElse(LATEST), tag, tags, folder.uri());
    }
    Stores.Listing step = stores.list(folder);
    List<RankFile> files = RankFile.among(stores, step);
    Optional<ParameterFolders> zero = ParameterFolders.in(stores, step);
    if (files.isEmpty() && zero.isEmpty()) {
      throw TagFailures.noStates(tag, folder.uri());
    }
    return new TagFolder(folder, tag, tags, files, zero, notes);
  }

  private String chosen(List<String> notes) {
    if (latest.isPresent()) {
      byte[] content = stores.readAll(latest.get(), MOST_TAG_BYTES);
      return new String(content, StandardCharsets.UTF_8).strip();
    }
    if (tags.size() == 1) {
      notes.add("there is no 'latest' file: took the only tag, '" + tags.get(0) + "'");
      return tags.get(0);
    }
    throw TagFailures.unclear(tags, base.uri());
  }
}
