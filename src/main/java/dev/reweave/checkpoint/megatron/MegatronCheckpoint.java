package dev.reweave.checkpoint.megatron;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.checkpoint.TrainerArguments;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.statedict.StateDictFile;
import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.MetadataScanner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the files of all ranks, and compares what they say. */
final class MegatronCheckpoint {
  /** From this version on, each head's queries, keys and values lie beside each other. */
  private static final double FIRST_VERSION = 2.0;

  private final RankFolders folders;
  private final List<InputFile> files;

  /** What else lies in the folders of ranks, such as {@code distrib_optim.pt}. */
  private final List<InputFile> besides;

  private final List<RankStates> states;
  private final String place;

  private MegatronCheckpoint(
      RankFolders folders,
      List<InputFile> files,
      List<InputFile> besides,
      List<RankStates> states) {
    this.folders = folders;
    this.files = files;
    this.besides = besides;
    this.states = states;
    this.place = folders.address().uri();
  }

  /**
   * Reads the structure of a checkpoint.
   *
   * @throws ReweaveException if it is not whole, of a kind that is not read, or cannot give what is
   *     asked for
   */
  static Checkpoint read(RankFolders folders, ReadOptions options) {
    refuse(folders, options);
    List<List<InputFile>> listed = folders.listed();
    List<InputFile> files = models(folders, listed);
    List<MetadataScanner.Request<RankStates>> requests = new ArrayList<>();
    for (InputFile file : files) {
      int index = requests.size();
      requests.add(TorchProbe.request(file, index, new RankProbe(index)));
    }
    List<RankStates> states = folders.place().scanner().scan(requests);
    List<InputFile> besides =
        listed.stream().flatMap(List::stream).filter(f -> !RankFolders.isModel(f)).toList();
    return new MegatronCheckpoint(folders, files, besides, states).read(options);
  }

  /** The file of each rank. */
  private static List<InputFile> models(RankFolders folders, List<List<InputFile>> listed) {
    List<InputFile> files = new ArrayList<>();
    for (int i = 0; i < listed.size(); i++) {
      String folder = folders.folders().get(i).folder().name();
      files.add(
          listed.get(i).stream()
              .filter(RankFolders::isModel)
              .findFirst()
              .orElseThrow(
                  () ->
                      MegatronFailures.missingRanks(
                          List.of(folder + "/" + RankFolders.MODEL), folders.address().uri())));
    }
    return files;
  }

  private static void refuse(RankFolders folders, ReadOptions options) {
    String place = folders.address().uri();
    options.requireNoKey(place);
    if (options.weights().filter(Weights.MASTER::equals).isPresent()) {
      throw MegatronFailures.noMasters(place);
    }
    if (options.frozen() == ReadOptions.Frozen.EXCLUDE) {
      throw MegatronFailures.frozenNotTold(place);
    }
    options
        .tag()
        .filter(tag -> !tag.equals(folders.name()))
        .ifPresent(
            tag -> {
              throw MegatronFailures.anotherStep(folders.name(), tag, place);
            });
  }

  private Checkpoint read(ReadOptions options) {
    TrainerArguments arguments = states.get(0).arguments();
    requireOneStep();
    RankGrid grid = RankGrid.of(folders.folders(), arguments, place);
    JoinedRanks joined =
        new JoinedRanks(
                grid, states, arguments, TensorShares.of(arguments, options.slicing()), place)
            .join();
    Checkpoint.Source source =
        new Checkpoint.Source(
            "Megatron-LM ranks (checkpoint version " + version(states.get(0)) + ")",
            "",
            -1,
            1,
            precision(arguments),
            folders.name(),
            List.of(folders.name()),
            Weights.MODEL);
    return new Checkpoint(
        source,
        files,
        joined.tensors(),
        Map.of(),
        Map.of(),
        new Remarks(notes(grid, joined), List.of(), List.of(), notTaken(joined)),
        arguments);
  }

  private static String precision(TrainerArguments arguments) {
    if (arguments.isTrue("bf16")) {
      return "bf16";
    }
    return arguments.isTrue("fp16") ? "fp16" : "";
  }

  private static String version(RankStates states) {
    return String.valueOf(states.version());
  }

  private void requireOneStep() {
    RankStates first = states.get(0);
    if (first.version() < FIRST_VERSION) {
      throw MegatronFailures.oldVersion(version(first), files.get(0).uri());
    }
    for (int i = 1; i < states.size(); i++) {
      RankStates other = states.get(i);
      if (other.version() != first.version() || other.iteration() != first.iteration()) {
        throw MegatronFailures.otherStep(step(first), step(other), files.get(i).uri());
      }
    }
  }

  private static String step(RankStates states) {
    return "iteration " + states.iteration() + " and version " + version(states);
  }

  private List<String> notes(RankGrid grid, JoinedRanks joined) {
    List<String> notes = new ArrayList<>();
    notes.add(
        Counted.grouped(joined.tensors().size(), "tensor")
            + " put together from the files of "
            + Counted.of(files.size(), "rank")
            + ": "
            + grid.tensor()
            + " tensor-parallel x "
            + Counted.of(grid.pipeline(), "stage")
            + " x "
            + grid.expert()
            + " expert-parallel");
    int others = states.get(0).others();
    if (others > 0) {
      notes.add(others + " entries of the first rank's model are no tensors: left out");
    }
    return notes;
  }

  private List<NotTaken> notTaken(JoinedRanks joined) {
    Map<String, LeftTensors> left = new LinkedHashMap<>();
    for (RankStates rank : states) {
      for (LeftTensors tensors : rank.left()) {
        left.merge(tensors.kind() + " " + tensors.where(), tensors, LeftTensors::and);
      }
    }
    List<NotTaken> notTaken = new ArrayList<>();
    left.values().forEach(tensors -> notTaken.add(StateDictFile.notTaken(tensors, files.get(0))));
    joined
        .tied()
        .ifPresent(
            head ->
                notTaken.add(
                    new NotTaken(
                        head,
                        1,
                        "the last stage's copy of the embedding, which it is tied to: compared"
                            + " with it",
                        place)));
    if (!besides.isEmpty()) {
      notTaken.add(
          new NotTaken(
              besides.get(0).name()
                  + (besides.size() == 1 ? "" : " and " + (besides.size() - 1) + " more"),
              NotTaken.UNCOUNTED,
              "training state: no part of the model",
              besides.get(0).uri()));
    }
    return notTaken;
  }
}
