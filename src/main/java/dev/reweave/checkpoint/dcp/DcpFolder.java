package dev.reweave.checkpoint.dcp;

import dev.reweave.checkpoint.TrainingState;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A folder that {@code torch.distributed.checkpoint} wrote: {@code .metadata} and what it
 * describes.
 *
 * @param address its full address
 * @param tag its name
 * @param tags names of all saved steps beside it, itself included
 * @param metadata what describes the tensors
 * @param files all files by name
 * @param notes what was decided on the way to it
 */
record DcpFolder(
    Location address,
    String tag,
    List<String> tags,
    InputFile metadata,
    Map<String, InputFile> files,
    List<String> notes) {
  /** The pickle that describes the tensors, as {@code FileSystemWriter} names it. */
  static final String METADATA = ".metadata";

  /** What ranks write their chunks into. */
  private static final String CHUNKS = ".distcp";

  /** What {@code save(use_collectives=False)} writes. */
  private static final Pattern METADATA_OF_RANK = Pattern.compile("__[0-9]+\\.metadata");

  /** Where Megatron-Core writes the number of the newest step. */
  private static final String TRACKER = "latest_checkpointed_iteration.txt";

  private static final int MOST_TRACKER_BYTES = 4096;
  private static final Pattern LAST_NUMBER = Pattern.compile("([0-9]{1,18})[^0-9]*$");

  /**
   * The saved step that is meant.
   *
   * @param base full address of the folder
   * @param root what it holds
   * @param steps in it, by name; empty if it is a step itself
   * @param wanted the tag that the user asks for
   * @throws ReweaveException if the tag is not there, or not clear
   */
  static DcpFolder find(
      Stores stores,
      Location base,
      Stores.Listing root,
      Map<String, Stores.Listing> steps,
      Optional<String> wanted) {
    if (steps.isEmpty()) {
      String name = base.name();
      if (wanted.filter(tag -> !tag.equals(name)).isPresent()) {
        throw DcpFailures.anotherStep(name, wanted.get(), base.uri());
      }
      return of(base, List.of(name), root, List.of());
    }
    List<String> notes = new ArrayList<>(unfinished(stores, root));
    String tag = wanted.orElseGet(() -> newest(stores, base, root, steps, notes));
    if (!steps.containsKey(tag)) {
      throw DcpFailures.noStep(tag, steps.keySet(), base.uri());
    }
    return of(base.child(tag), List.copyOf(steps.keySet()), steps.get(tag), notes);
  }

  /** The saved steps in a folder, by name; empty if there are none. */
  static Map<String, Stores.Listing> steps(Stores stores, Stores.Listing root) {
    Map<String, Stores.Listing> steps = new LinkedHashMap<>();
    for (Location folder : root.folders()) {
      String name = folder.name();
      // Accelerate keeps the optimizer in a checkpoint of its own beside the model's.
      if (!TrainingState.isStateName(name)) {
        Stores.Listing listing = stores.list(folder);
        if (isStep(folder, listing)) {
          steps.put(name, listing);
        }
      }
    }
    return steps;
  }

  /** What to tell of steps whose save did not come to its end: the newest may be one. */
  private static List<String> unfinished(Stores stores, Stores.Listing root) {
    List<String> notes = new ArrayList<>();
    for (Location folder : root.folders()) {
      String name = folder.name();
      if (!TrainingState.isStateName(name) && isUnfinished(stores.list(folder))) {
        notes.add("passed over '" + name + "', which has no " + METADATA + ": not finished");
      }
    }
    return notes;
  }

  /** Whether a file of this name is a part of a distributed checkpoint. */
  static boolean isPart(String name) {
    return name.equals(METADATA) || holdsChunks(name) || METADATA_OF_RANK.matcher(name).matches();
  }

  static boolean holdsChunks(String name) {
    return name.endsWith(CHUNKS);
  }

  /** Whether there are chunks, and no word of what they are. */
  static boolean isUnfinished(Stores.Listing folder) {
    return folder.files().stream().anyMatch(f -> holdsChunks(f.name()))
        && folder.files().stream().noneMatch(f -> f.name().equals(METADATA));
  }

  /** Whether files are those of a distributed checkpoint. */
  static boolean isStep(Location address, Stores.Listing folder) {
    boolean found = folder.files().stream().anyMatch(f -> f.name().equals(METADATA));
    if (!found
        && folder.files().stream().anyMatch(f -> METADATA_OF_RANK.matcher(f.name()).matches())) {
      throw DcpFailures.metadataOfRanks(address.uri());
    }
    return found;
  }

  private static DcpFolder of(
      Location address, List<String> tags, Stores.Listing folder, List<String> notes) {
    Map<String, InputFile> files = new LinkedHashMap<>();
    folder.files().forEach(file -> files.put(file.name(), file));
    String tag = address.name();
    return new DcpFolder(address, tag, tags, files.get(METADATA), files, notes);
  }

  private static String newest(
      Stores stores,
      Location base,
      Stores.Listing root,
      Map<String, Stores.Listing> steps,
      List<String> notes) {
    List<String> names = List.copyOf(steps.keySet());
    if (names.size() == 1) {
      notes.add("took the only saved step, '" + names.get(0) + "'");
      return names.get(0);
    }
    Optional<InputFile> tracker =
        root.files().stream().filter(f -> f.name().equals(TRACKER)).findFirst();
    if (tracker.isPresent()) {
      return tracked(stores, tracker.get(), names);
    }
    String newest = names.stream().max(Comparator.comparingLong(DcpFolder::number)).orElseThrow();
    if (names.stream().filter(name -> number(name) == number(newest)).count() > 1) {
      throw DcpFailures.unclearStep(names, base.uri());
    }
    notes.add(
        "took '"
            + newest
            + "', the newest of "
            + names.size()
            + " saved steps: --tag takes another");
    return newest;
  }

  private static String tracked(Stores stores, InputFile tracker, List<String> names) {
    String content =
        new String(stores.readAll(tracker, MOST_TRACKER_BYTES), StandardCharsets.UTF_8).strip();
    return names.stream()
        .filter(
            name ->
                name.equals(content)
                    || (content.matches("[0-9]{1,18}") && number(name) == Long.parseLong(content)))
        .findFirst()
        .orElseThrow(() -> DcpFailures.newestMissing(content, names, tracker.uri()));
  }

  /** The last number in a name; -1 if there is none. */
  private static long number(String name) {
    Matcher matcher = LAST_NUMBER.matcher(name);
    return matcher.find() ? Long.parseLong(matcher.group(1)) : -1;
  }
}
