package dev.reweave.checkpoint.statedict;

import dev.reweave.checkpoint.AveragedEntries;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.FileCensus;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.NotTaken;
import dev.reweave.checkpoint.Place;
import dev.reweave.checkpoint.RankName;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.TensorEntries;
import dev.reweave.checkpoint.TorchDicts;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.deepspeed.LoneFile;
import dev.reweave.common.Printable;
import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchTensor;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.StoredLayout;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A torch file that holds a state dict: {@code pytorch_model.bin}, a {@code .pt} file, or the
 * {@code mp_rank_00_model_states.pt} of a run without ZeRO.
 */
public final class StateDictFile {
  /** What is known of the writer of a state dict. */
  public static final Checkpoint.Source SOURCE =
      new Checkpoint.Source("PyTorch", "", -1, 1, "", "", List.of(), Weights.MODEL);

  /**
   * The tensors of a state dict.
   *
   * @param tensors each name once per stored view, in file order
   * @param aliases names whose tensor is the same view of the same storage as an earlier one's
   * @param skipped entries that are no tensors
   * @param place keys that lead to the dict in the file, with dots between them; empty where
   *     trainers put the model
   * @param left what else the file holds
   * @param notes what was decided of the names
   */
  public record Content(
      List<NamedTensor> tensors,
      Map<String, String> aliases,
      int skipped,
      String place,
      List<LeftTensors> left,
      List<String> notes)
      implements Serializable {
    /** Of several files, or one with nothing beside the model. */
    public Content(List<NamedTensor> tensors, Map<String, String> aliases, int skipped) {
      this(tensors, aliases, skipped, "", List.of(), List.of());
    }
  }

  private StateDictFile() {}

  /**
   * Reads the structure of one file.
   *
   * @throws ReweaveException if it holds no state dict, one rank's part of a model, or several
   *     models and no word of which is meant
   */
  public static Checkpoint read(Place place, InputFile file, ReadOptions options) {
    requireNoOtherChoice(options, file.uri());
    LoneFile lone = LoneFile.of(place.stores(), file);
    lone.requireWholeByName();
    MegatronRank.requireOnly(place.stores(), file);
    String remedy = lone.remedy();
    String named = options.weightsNamed().orElse("");
    Content content =
        place
            .scanner()
            .scan(
                List.of(
                    TorchProbe.request(file, 0, torchFile -> stateDict(torchFile, named, remedy))))
            .get(0);
    if (!lone.isOfRank()) {
      RankName.requireOnly(place.stores(), file);
    }
    List<String> notes = new ArrayList<>();
    if (!content.place().isEmpty()) {
      notes.add("the tensors are those of '" + Printable.text(content.place()) + "' in the file");
    }
    notes.addAll(content.notes());
    notes.addAll(notes(content));
    List<NotTaken> notTaken =
        new ArrayList<>(content.left().stream().map(left -> notTaken(left, file)).toList());
    notTaken.addAll(lone.beside());
    return new Checkpoint(SOURCE, List.of(file), content.tensors(), content.aliases(), notes)
        .with(new Remarks(notes, List.of(), List.of(), notTaken));
  }

  /** What to tell of tensors that a file holds beside the model. */
  public static NotTaken notTaken(LeftTensors left, InputFile file) {
    String in = left.quoted() + " in " + file.name();
    String reason =
        switch (left.kind()) {
          case TRAINING -> "training state: no part of the model";
          case WEIGHTS -> "not read: --weights " + left.where() + " takes it in place of the model";
          case UNNAMED -> left.whyUnnamed();
          case SINGLE -> "not read: beside the dict of the model";
          case PIECES -> "not read: pieces of tensors";
          case COPY -> "not read: a copy of the weights";
        };
    String names =
        left.kind() == LeftTensors.Kind.TRAINING && !left.where().isEmpty() ? left.ownNames() : "";
    return new NotTaken(
        in + (names.isEmpty() ? "" : " (" + names + ")"), left.tensors(), reason, file.uri());
  }

  /**
   * Refuses options that choose among what a state dict does not have.
   *
   * @param place what is read, for messages
   */
  public static void requireNoChoice(ReadOptions options, String place) {
    options.requireNoKey(place);
    requireNoOtherChoice(options, place);
  }

  private static void requireNoOtherChoice(ReadOptions options, String place) {
    if (options.weights().filter(Weights.MASTER::equals).isPresent()) {
      throw StateDictFailures.noMasters(place);
    }
    if (options.frozen() == ReadOptions.Frozen.EXCLUDE) {
      throw StateDictFailures.frozenNotTold(place);
    }
    if (options.tag().isPresent()) {
      throw StateDictFailures.noTags(place);
    }
  }

  /** What to tell about entries that are no tensors. */
  public static List<String> notes(Content content) {
    return content.skipped() == 0
        ? List.of()
        : List.of(content.skipped() + " entries of the state dict are no tensors: left out");
  }

  /**
   * Finds the state dict in what was saved, and its tensors.
   *
   * @throws ReweaveException if there is none, or it has a tensor of a kind that is not read
   */
  public static Content stateDict(TorchFile file) throws IOException {
    return stateDict(file, "", StateDictFailures.LONE);
  }

  /**
   * @param asks the copy of the weights that is asked for: {@code model}, or keys; can be empty
   * @param remedy what to do if the file is a part of a model
   */
  private static Content stateDict(TorchFile file, String asks, String remedy) throws IOException {
    TorchValue root = file.root();
    TorchDicts dicts = new TorchDicts(root);
    MegatronRank.requireOnly(root);
    Optional<TorchDicts.Chosen> asked =
        Optional.of(asks).filter(n -> !n.isEmpty()).flatMap(dicts::asked);
    LoneFile.requireWhole(root, asked.map(TorchDicts.Chosen::dict), remedy);
    TorchDicts.Chosen chosen = asked.orElseGet(dicts::ofModel);
    AveragedEntries named = AveragedEntries.of(root, chosen);
    String place = dicts.isUsual(chosen) ? "" : String.join(".", chosen.path());
    List<LeftTensors> left = new ArrayList<>(left(root, chosen));
    left.addAll(named.left());
    return content(file, named, place, left);
  }

  private static List<LeftTensors> left(TorchValue root, TorchDicts.Chosen chosen) {
    List<LeftTensors> left = new ArrayList<>();
    if (!chosen.path().isEmpty()) {
      left.addAll(FileCensus.of(root, List.of(chosen.dict())));
    }
    if (chosen.dict().isDict()) {
      left.addAll(FileCensus.within(chosen.dict(), chosen.path()));
    }
    return left;
  }

  private static Content content(
      TorchFile file, AveragedEntries named, String place, List<LeftTensors> left)
      throws IOException {
    List<NamedTensor> tensors = new ArrayList<>();
    Map<StoredLayout, String> first = new LinkedHashMap<>();
    Map<String, String> aliases = new LinkedHashMap<>();
    TensorEntries entries = named.entries();
    for (Map.Entry<String, TorchTensor> entry : entries.requireRead().tensors().entrySet()) {
      NamedTensor tensor = file.locate(entry.getKey(), entry.getValue());
      String same =
          tensor.spec().elements() == 0
              ? null
              : first.putIfAbsent((StoredLayout) tensor.layout(), tensor.name());
      if (same == null) {
        tensors.add(tensor);
      } else {
        aliases.put(tensor.name(), same);
      }
    }
    requireContent(tensors, file.root().place());
    return new Content(tensors, aliases, entries.others().size(), place, left, named.notes());
  }

  /** A model whose every tensor is empty is none: ZeRO-3 leaves such in each rank. */
  private static void requireContent(List<NamedTensor> tensors, String place) {
    if (tensors.size() > 1 && tensors.stream().allMatch(t -> t.spec().elements() == 0)) {
      throw StateDictFailures.placeholders(tensors.size(), place);
    }
  }
}
