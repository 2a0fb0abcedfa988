package dev.reweave.checkpoint.deepspeed;

import dev.reweave.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A folder that holds one saved step.
 *
 * @param address its full address
 * @param tag its name
 * @param tags names of all steps beside it, itself included
 * @param files the ranks' files, by kind, model rank and data rank as numbers: 10 after 9
 * @param parameters the folders of the parameters, if this is a universal checkpoint
 * @param notes what was decided on the way to it
 */
public record TagFolder(
    String address,
    String tag,
    List<String> tags,
    List<RankFile> files,
    Optional<ParameterFolders> parameters,
    List<String> notes) {
  private static final String LATEST = "latest";

  /** What {@code ds_to_universal.py} writes, so that it can stand beside {@code latest}. */
  private static final String LATEST_UNIVERSAL = "latest_universal";

  private static final int MOST_TAG_BYTES = 4096;

  /**
   * Finds the step that is meant at an address; empty if there is no trace of DeepSpeed.
   *
   * @param root what the address holds
   * @param wanted the tag that the user asks for
   * @throws ReweaveException if the tag is not there, or not clear
   */
  public static Optional<TagFolder> find(
      Stores stores, String address, Stores.Listing root, Optional<String> wanted) {
    List<RankFile> here = rankFiles(stores, root);
    String base = stores.resolve(address);
    Optional<ParameterFolders> parameters = ParameterFolders.in(stores, root);
    if (!here.isEmpty() || parameters.isPresent()) {
      String name = base.substring(base.lastIndexOf('/') + 1);
      if (wanted.filter(tag -> !tag.equals(name)).isPresent()) {
        throw ReweaveException.usage(
            "this is the folder of tag '" + name + "', and --tag asks for " + wanted.get(),
            base,
            "name the folder above it, or leave --tag out");
      }
      return Optional.of(new TagFolder(base, name, List.of(name), here, parameters, List.of()));
    }
    List<String> tags = tags(stores, root);
    Optional<InputFile> latest = named(root, LATEST).or(() -> named(root, LATEST_UNIVERSAL));
    if (latest.isEmpty() && tags.isEmpty()) {
      return Optional.empty();
    }
    List<String> notes = new ArrayList<>();
    String tag = wanted.orElseGet(() -> chosen(stores, base, latest, tags, notes));
    if (tag.isBlank() || tag.contains("/") || tag.equals("..") || tag.equals(".")) {
      throw ReweaveException.usage(
          "'" + tag + "' cannot be a tag", base, "name one of " + tags + " with --tag");
    }
    String folder = base + "/" + tag;
    if (!stores.isFolder(folder)) {
      throw new ReweaveException(
          wanted.isPresent()
              ? ReweaveException.Kind.NOT_FOUND
              : ReweaveException.Kind.DAMAGED_INPUT,
          wanted.isPresent()
              ? "there is no tag '" + tag + "'"
              : "'"
                  + latest.map(InputFile::name).orElse(LATEST)
                  + "' names tag '"
                  + tag
                  + "', which is not there",
          folder,
          tags.isEmpty()
              ? "there are no other tags: the checkpoint was not saved or copied whole"
              : "choose one of " + tags + " with --tag");
    }
    Stores.Listing step = stores.list(folder);
    List<RankFile> files = rankFiles(stores, step);
    parameters = ParameterFolders.in(stores, step);
    if (files.isEmpty() && parameters.isEmpty()) {
      throw new ReweaveException(
          "tag '" + tag + "' holds no *_model_states.pt and no *_optim_states.pt",
          folder,
          "the checkpoint was not saved or copied whole, or is of another kind");
    }
    return Optional.of(new TagFolder(folder, tag, tags, files, parameters, notes));
  }

  private static Optional<InputFile> named(Stores.Listing root, String name) {
    return root.files().stream().filter(f -> f.name().equals(name)).findFirst();
  }

  private static String chosen(
      Stores stores,
      String base,
      Optional<InputFile> latest,
      List<String> tags,
      List<String> notes) {
    if (latest.isPresent()) {
      byte[] content = stores.readAll(latest.get(), MOST_TAG_BYTES);
      return new String(content, StandardCharsets.UTF_8).strip();
    }
    if (tags.size() == 1) {
      notes.add("there is no 'latest' file: took the only tag, '" + tags.get(0) + "'");
      return tags.get(0);
    }
    throw ReweaveException.usage(
        "there is no 'latest' file, and several tags: " + tags, base, "choose one with --tag");
  }

  /** The tags of the steps in a folder; empty if there are none. */
  public static List<String> tags(Stores stores, Stores.Listing root) {
    List<String> tags = new ArrayList<>();
    for (String folder : root.folders()) {
      Stores.Listing step = stores.list(folder);
      if (!rankFiles(step.files()).isEmpty() || ParameterFolders.in(stores, step).isPresent()) {
        tags.add(folder.substring(folder.lastIndexOf('/') + 1));
      }
    }
    return tags;
  }

  private static List<RankFile> rankFiles(Stores stores, Stores.Listing step) {
    List<RankFile> files = new ArrayList<>(rankFiles(step.files()));
    if (!files.isEmpty()) {
      files.addAll(OffloadedMasters.among(stores, step));
    }
    return files;
  }

  private static List<RankFile> rankFiles(List<InputFile> files) {
    return files.stream()
        .flatMap(f -> RankFile.of(f).stream())
        .sorted(
            Comparator.comparing(RankFile::kind)
                .thenComparing(RankFile::modelRank)
                .thenComparing(RankFile::dataRank))
        .toList();
  }

  /** The files of a kind, in rank order. */
  List<RankFile> of(RankFile.Kind kind) {
    return files.stream().filter(f -> f.kind() == kind).toList();
  }
}
