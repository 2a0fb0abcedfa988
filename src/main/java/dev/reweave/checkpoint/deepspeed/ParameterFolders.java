package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.ParallelCalls;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The folder {@code zero} of a universal checkpoint, in which each parameter has a folder under its
 * name, with {@code fp32.pt} and the optimizer's moments ({@code
 * deepspeed/checkpoint/ds_to_universal.py}).
 *
 * @param address of the folder
 * @param folders addresses of the parameters' folders
 */
record ParameterFolders(Location address, List<Location> folders) {
  private static final String ZERO = "zero";
  private static final String WEIGHTS = "fp32.pt";

  /** What is beside the parameters' folders. */
  private static final String OPTIMIZER = "optimizer_state.pt";

  private static final Set<String> MOMENTS = Set.of("exp_avg.pt", "exp_avg_sq.pt", "step.pt");

  /** What a converter would save, or a piece of it; checksums and hidden files are none. */
  private static final Pattern SAVED =
      Pattern.compile("[^._].*\\.(pt|bin|safetensors)([-.]\\d.*)?");

  public ParameterFolders {
    folders = List.copyOf(folders);
  }

  /**
   * Those in a tag folder; empty if it is none of a universal checkpoint.
   *
   * @param step what the tag folder holds
   */
  static Optional<ParameterFolders> in(Stores stores, Stores.Listing step) {
    boolean begun = UniversalProgress.isBegun(stores, step);
    for (Location folder : step.folders()) {
      if (folder.name().equals(ZERO)) {
        Stores.Listing zero = stores.list(folder);
        if (begun
            || zero.files().stream().anyMatch(f -> f.name().equals(OPTIMIZER))
            || isParameter(stores, zero)) {
          return Optional.of(new ParameterFolders(folder, zero.folders()));
        }
      }
    }
    return begun
        ? step.folders().stream()
            .findFirst()
            .map(f -> f.sibling(ZERO))
            .map(folder -> new ParameterFolders(folder, List.of()))
        : Optional.empty();
  }

  private static boolean isParameter(Stores stores, Stores.Listing zero) {
    return zero.folders().stream()
        .limit(1)
        .flatMap(folder -> stores.list(folder).files().stream())
        .anyMatch(file -> file.name().equals(WEIGHTS) || MOMENTS.contains(file.name()));
  }

  /**
   * What a parameter's folder has.
   *
   * @param weights the file with its weights
   * @param hasMoments whether the optimizer's moments lie beside them: where they do not, the
   *     weights are no master but what the module has, as float32
   */
  public record Parameter(InputFile weights, boolean hasMoments) {}

  /**
   * The parameters, by name.
   *
   * @throws ReweaveException if one has no weights
   */
  public Map<String, Parameter> parameters(Stores stores) {
    return parameters(stores, new Survey());
  }

  /** The same, and a survey of the files beside them. */
  Map<String, Parameter> parameters(Stores stores, Survey survey) {
    Map<String, Parameter> parameters = new TreeMap<>();
    List<Stores.Listing> listings = ParallelCalls.answers(folders, stores::list);
    for (int i = 0; i < folders.size(); i++) {
      Location folder = folders.get(i);
      List<InputFile> files = listings.get(i).files();
      InputFile weights =
          files.stream()
              .filter(f -> f.name().equals(WEIGHTS))
              .findFirst()
              .orElseThrow(() -> UniversalFailures.noWeights(WEIGHTS, folder.uri()));
      boolean hasMoments = files.stream().anyMatch(f -> MOMENTS.contains(f.name()));
      parameters.put(folder.name(), new Parameter(weights, hasMoments));
      files.stream()
          .filter(f -> MOMENTS.contains(f.name()))
          .forEach(f -> survey.add(moment(f), address.uri()));
      files.stream()
          .filter(f -> SAVED.matcher(f.name()).matches())
          .filter(f -> !f.name().equals(WEIGHTS) && !MOMENTS.contains(f.name()))
          .forEach(f -> survey.add(unknown(f)));
    }
    return parameters;
  }

  private static LeftTensors moment(InputFile file) {
    String name = file.name().substring(0, file.name().lastIndexOf('.'));
    return new LeftTensors(LeftTensors.Kind.TRAINING, LeftOver.UNIVERSAL, 1, List.of(name));
  }

  private static Caution unknown(InputFile file) {
    String name = KnownKeys.shown(file.name());
    return new Caution(
        Caution.Kind.UNKNOWN_FILE,
        name,
        "unknown file " + name + " beside the weights of a parameter, which may be a part of them",
        file.uri());
  }
}
