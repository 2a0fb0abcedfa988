package dev.reweave.job.prepare;

import dev.reweave.Counted;
import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.CheckpointReader;
import dev.reweave.checkpoint.MetadataScanner;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Weights;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The weights that a checkpoint holds beside its fp32 masters: the module's own, as ZeRO-1 and 2
 * save them, or what was saved beside ZeRO-3. They come by another way, and so catch any wrong
 * order, offset, group or rank.
 *
 * @param copies by tensor of the result
 * @param files that they point into
 * @param notes what is compared, and what is not
 * @param missing why there is nothing to compare; empty if there is
 */
record SecondCopy(
    Map<String, Layout> copies, List<InputFile> files, List<String> notes, String missing) {

  static SecondCopy of(
      Stores stores,
      MetadataScanner scanner,
      ConversionRequest request,
      Checkpoint checkpoint,
      Renaming renaming) {
    Checkpoint.Source source = checkpoint.source();
    if (source.weights() != Weights.MASTER) {
      return none("the module's own weights are converted, and the checkpoint has no others");
    }
    if (source.stage() == 3) {
      SavedWeights saved =
          SavedWeights.beside(
              stores.guarded(request.input(), request.reading().safeguards()),
              scanner,
              request.input(),
              source);
      return saved
          .model()
          .map(model -> matched(checkpoint, renaming, model, stores, request, saved.place()))
          .orElseGet(() -> none(saved.missing()));
    }
    ReadOptions reading = request.reading().withWeights(Weights.MODEL).withSlicing(List.of());
    Checkpoint module =
        new CheckpointReader(stores, scanner)
            .read(request.input(), Renaming.reading(stores, reading, request.mapping()));
    return matched(checkpoint, renaming, module, stores, request, "the module");
  }

  /**
   * Finds the copy of each tensor by its name.
   *
   * @param place where the copies are, for notes
   */
  private static SecondCopy matched(
      Checkpoint checkpoint,
      Renaming renaming,
      Checkpoint second,
      Stores stores,
      ConversionRequest request,
      String place) {
    Map<String, NamedTensor> modules = Renaming.of(stores, second, request.mapping()).byName();
    Set<String> ofSecond =
        second.files().stream().map(InputFile::uri).collect(Collectors.toUnmodifiableSet());
    Map<String, Layout> copies = new HashMap<>();
    List<String> absent = new ArrayList<>();
    List<String> others = new ArrayList<>();
    for (NamedTensor tensor : renaming.tensors()) {
      TensorSpec spec = tensor.spec();
      if (spec.elements() == 0
          || !spec.dtype().isCastable()
          || lies(tensor.layout(), checkpoint.files(), ofSecond)) {
        continue;
      }
      NamedTensor copy = modules.get(tensor.name());
      if (copy == null) {
        absent.add(tensor.name());
      } else if (!copy.spec().shape().equals(spec.shape())
          || !copy.spec().dtype().isCastable()
          || (copy.layout().isComputed() && !tensor.layout().isComputed())) {
        others.add(tensor.name() + " " + spec.shape() + " and " + copy.spec().shape());
      } else {
        copies.put(tensor.name(), copy.layout());
      }
    }
    List<String> notes = new ArrayList<>();
    if (!place.equals("the module")) {
      notes.add("--prove: the masters are compared with the weights in " + place);
    }
    addNote(notes, absent, "have no copy of their name in " + place);
    addNote(notes, others, "have another shape in " + place);
    return copies.isEmpty()
        ? none(place + " holds none of the tensors that have masters" + example(absent, others))
        : new SecondCopy(copies, second.files(), notes, "");
  }

  private static String example(List<String> absent, List<String> others) {
    return others.isEmpty()
        ? absent.stream().findFirst().map(name -> ", such as " + name).orElse("")
        : " in their shapes: " + others.get(0);
  }

  private static void addNote(List<String> notes, List<String> tensors, String what) {
    if (!tensors.isEmpty()) {
      notes.add(
          "--prove: not compared, since they "
              + what
              + ": "
              + Counted.of(tensors.size(), "tensor")
              + ", such as "
              + tensors.get(0));
    }
  }

  /** Whether a tensor's first element is in one of these files: what is no second copy. */
  private static boolean lies(Layout layout, List<InputFile> files, Set<String> addresses) {
    boolean[] found = {false};
    layout.runs(
        0,
        1,
        (storage, offset, elements) ->
            found[0] |= addresses.contains(files.get(storage.file()).uri()));
    return found[0];
  }

  private static SecondCopy none(String why) {
    return new SecondCopy(Map.of(), List.of(), List.of(), why);
  }

  /** The plan with these copies to compare; says so if there are none. */
  ConversionPlan prove(ConversionPlan plan, List<String> said) {
    if (!missing.isEmpty()) {
      said.add("--prove: there is no second copy of the weights to compare with: " + missing);
      return plan;
    }
    said.addAll(notes);
    return plan.provenBy(copies, files);
  }
}
