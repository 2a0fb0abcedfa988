package dev.reweave.checkpoint.fsdp;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.RankName;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.TorchProbe;
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
import java.util.Set;
import java.util.TreeSet;

/** Reads the files of all ranks, and compares what they say. */
final class FsdpCheckpoint {
  /** Of so many missing files the names are told. */
  private static final int MOST_NAMES = 10;

  private final Place place;
  private final RankSet set;
  private final List<RankContent> contents;

  private FsdpCheckpoint(Place place, RankSet set, List<RankContent> contents) {
    this.place = place;
    this.set = set;
    this.contents = contents;
  }

  /**
   * Reads the structure of a checkpoint.
   *
   * @throws ReweaveException if it is not whole, of a kind that is not read, or cannot give what is
   *     asked for
   */
  static Checkpoint read(Place place, RankSet set, ReadOptions options) {
    String folder = set.files().get(0).file().folder().uri();
    StateDictFile.requireNoChoice(options, folder);
    if (set.worlds().size() > 1) {
      throw FsdpFailures.twoWorlds(set.worlds(), folder);
    }
    for (int i = 1; i < set.files().size(); i++) {
      if (set.files().get(i).name().rank() == set.files().get(i - 1).name().rank()) {
        throw FsdpFailures.twoFilesOfRank(
            set.files().get(i).name().rank(), set.files().get(i).file().uri());
      }
    }
    requireAll(set, set.ranks(), folder);
    List<MetadataScanner.Request<RankContent>> requests = new ArrayList<>();
    for (RankSet.RankFile file : set.files()) {
      requests.add(
          TorchProbe.request(file.file(), requests.size(), new RankProbe(file.name().rank())));
    }
    return new FsdpCheckpoint(place, set, place.scanner().scan(requests)).read(folder);
  }

  private static void requireAll(RankSet set, long ranks, String folder) {
    List<String> missing = set.missing(ranks, MOST_NAMES);
    if (!missing.isEmpty()) {
      throw FsdpFailures.missingRanks(missing, ranks, folder);
    }
  }

  private Checkpoint read(String folder) {
    long said = contents.stream().mapToLong(RankContent::world).max().orElse(0);
    if (set.world() > 0 && said > set.world()) {
      throw FsdpFailures.otherWorld(said, set.world(), folder);
    }
    requireAll(set, said, folder);
    int ranks = contents.size();
    if (ranks > 1 && isWhole() && !set.isOfFsdpAlone()) {
      throw RankName.notCut(ranks, set.files().get(0).file().uri());
    }
    JoinedRanks joined = JoinedRanks.of(set, contents);
    Checkpoint.Source source =
        new Checkpoint.Source(framework(), "", -1, ranks, "", "", List.of(), Weights.MODEL);
    return new Checkpoint(
            source,
            set.files().stream().map(RankSet.RankFile::file).toList(),
            joined.tensors(),
            joined.aliases(),
            List.of())
        .with(new Remarks(notes(joined), List.of(), List.of(), notTaken()));
  }

  /** Whether each file has the whole model, as under {@code NO_SHARD}. */
  private boolean isWhole() {
    return contents.stream().allMatch(RankContent::isWhole);
  }

  private String framework() {
    if (isWhole()) {
      return "PyTorch FSDP rank files";
    }
    boolean first =
        contents.stream()
            .flatMap(c -> c.tensors().values().stream())
            .anyMatch(t -> t.cut().how().startsWith(ShardedTensors.CLASS));
    return first ? "PyTorch FSDP1 rank files" : "PyTorch FSDP2 rank files";
  }

  private List<String> notes(JoinedRanks joined) {
    List<String> notes = new ArrayList<>();
    Set<String> meshes = new TreeSet<>();
    contents.forEach(c -> meshes.addAll(c.meshes()));
    boolean copies = contents.size() > 1 && isWhole();
    notes.add(
        Counted.grouped(joined.tensors().size(), "tensor")
            + (copies ? ", each whole in" : " put together from")
            + " the files of "
            + Counted.of(contents.size(), "rank")
            + (meshes.isEmpty() ? "" : ", on mesh " + String.join(" and on mesh ", meshes)));
    if (joined.copied() > 0 && contents.size() > 1) {
      notes.add(
          Counted.of(joined.copied(), "tensor")
              + " that several ranks have: the first rank's is taken"
              + (copies ? ", and compared with that of each other, as NO_SHARD saves copies" : ""));
    }
    if (joined.staged() > 0) {
      notes.add(
          Counted.of(joined.staged(), "tensor")
              + " of some ranks alone, as the stages of a pipeline have them");
    }
    int others = contents.get(0).others();
    if (others > 0) {
      notes.add(others + " entries of the state dict are no tensors: left out");
    }
    return notes;
  }

  private List<NotTaken> notTaken() {
    List<NotTaken> notTaken = new ArrayList<>();
    Map<String, LeftTensors> left = new LinkedHashMap<>();
    for (RankContent content : contents) {
      for (LeftTensors tensors : content.left()) {
        left.merge(tensors.kind() + " " + tensors.where(), tensors, LeftTensors::and);
      }
    }
    InputFile first = set.files().get(0).file();
    left.values().forEach(tensors -> notTaken.add(StateDictFile.notTaken(tensors, first)));
    Map<String, List<InputFile>> training = new LinkedHashMap<>();
    for (InputFile file : place.listing().files()) {
      RankFileName.of(file.name())
          .filter(name -> name.kind() == RankFileName.Kind.TRAINING)
          .ifPresent(
              name -> training.computeIfAbsent(name.set(), s -> new ArrayList<>()).add(file));
    }
    training
        .values()
        .forEach(
            files ->
                notTaken.add(
                    new NotTaken(
                        files.get(0).name()
                            + (files.size() == 1 ? "" : " and " + (files.size() - 1) + " more"),
                        NotTaken.UNCOUNTED,
                        "training state: no part of the model",
                        files.get(0).uri())));
    return notTaken;
  }
}
