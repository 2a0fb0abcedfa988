package dev.reweave.convert;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.ReadOptions;
import dev.reweave.checkpoint.Remarks;
import dev.reweave.checkpoint.Weights;
import dev.reweave.checkpoint.reading.CheckpointReader;
import dev.reweave.checkpoint.reading.Reading;
import dev.reweave.common.Counted;
import dev.reweave.common.ReweaveException;
import dev.reweave.plan.ConversionPlan;
import dev.reweave.plan.Witness;
import dev.reweave.plan.prepare.AdapterBase;
import dev.reweave.plan.prepare.BaseTemplate;
import dev.reweave.plan.prepare.ChosenBase;
import dev.reweave.plan.prepare.PlannedModel;
import dev.reweave.plan.prepare.Renaming;
import dev.reweave.plan.prepare.SavedWeights;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.Layout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the weights can be compared with: the weights that a checkpoint holds beside its fp32
 * masters, the module's own as ZeRO-1 and 2 save them, or what was saved beside ZeRO-3. They come
 * by another way, and so catch any wrong order, offset, group or rank. Where there are none, the
 * base shows at least what is far from it.
 *
 * @param copies by tensor of the result
 * @param witness whose files they point into
 * @param notes what is compared, what is not, and why
 */
record SecondCopy(Map<String, Layout> copies, Witness witness, List<String> notes) {
  /** What may be wrong with weights that nobody asked for: not that a store fails. */
  private static final Set<ReweaveException.Kind> SPARED =
      Set.of(
          ReweaveException.Kind.USAGE,
          ReweaveException.Kind.NOT_FOUND,
          ReweaveException.Kind.SHORTAGE,
          ReweaveException.Kind.DAMAGED_INPUT,
          ReweaveException.Kind.UNSUPPORTED_INPUT,
          ReweaveException.Kind.MODEL_MISMATCH);

  private static final String NO_COPY_IN_STAGE_3 =
      "ZeRO-3 keeps the fp32 masters alone; a --base would show what is far from it, and --prove"
          + " looks for weights of 16 bits that were saved beside it";

  /**
   * Looks for one.
   *
   * @param input what the checkpoint was read from
   * @param model whose base, if there is one, is what training began with
   */
  static SecondCopy of(Reading input, ConversionOptions options, PlannedModel model) {
    Checkpoint checkpoint = model.checkpoint();
    Checkpoint.Source source = checkpoint.source();
    Finder finder = new Finder(input, options, checkpoint, model.renaming());
    boolean whole = finder.isWhole();
    if (finder.isOnlyProof() && options.reading().averaged().isPresent()) {
      throw ConversionFailures.orderOfMean(input.place().address().uri());
    }
    if (options.reading().averaged().isPresent()) {
      return finder.none("it would be that of one step, and the mean is no step's");
    }
    if (source.weights() != Weights.MASTER) {
      return whole
          ? finder.none("the module's own weights are converted, and the checkpoint has no others")
          : new SecondCopy(Map.of(), Witness.NONE, List.of());
    }
    if (source.stage() == 3) {
      return whole
          ? finder.saved()
          : model
              .base()
              .filter(BaseTemplate::hasWeights)
              .map(finder::ofBase)
              .orElseGet(() -> finder.none(NO_COPY_IN_STAGE_3));
    }
    try {
      return finder.module();
    } catch (ReweaveException e) {
      if (whole || finder.isOnlyProof() || !SPARED.contains(e.kind())) {
        throw e;
      }
      // Nobody asked for the module's weights: what is wrong with them harms no masters.
      return finder.none("the module's weights cannot be read: " + e.problem());
    }
  }

  /** Looks where the weights may be once more. */
  private record Finder(
      Reading input, ConversionOptions options, Checkpoint checkpoint, Renaming renaming) {
    boolean isWhole() {
      return options.proving() == ConversionRequest.Proving.SECOND_COPY;
    }

    /** Whether nothing else tells whose the masters are. */
    boolean isOnlyProof() {
      return checkpoint.remarks().order() == Remarks.Order.INFERRED;
    }

    /** What the notes begin with. */
    String label() {
      return isWhole() ? "--prove: " : "proof: ";
    }

    SecondCopy none(String why) {
      String note = label() + "there is no second copy of the weights to compare with: " + why;
      return new SecondCopy(Map.of(), Witness.NONE, List.of(note));
    }

    SecondCopy saved() {
      SavedWeights saved = SavedWeights.beside(input.place(), checkpoint.source());
      return saved
          .model()
          .map(model -> matched(this, model, Witness.Kind.SECOND_COPY, saved.place()))
          .orElseGet(() -> none(saved.missing()));
    }

    SecondCopy module() {
      ReadOptions reading = options.reading().withWeights(Weights.MODEL).withSlicing(List.of());
      Checkpoint module =
          input.read(
              Renaming.reading(input.place().stores(), reading, options.mapping()),
              AdapterBase.of(
                  input.place().stores(),
                  input.place().scanner(),
                  options.base(),
                  reading.safeguards()));
      return matched(
          this,
          module,
          isOnlyProof() ? Witness.Kind.ONLY_PROOF : Witness.Kind.SECOND_COPY,
          "the module");
    }

    /** The copy's tensors under the names of the result. */
    Renaming renamed(Checkpoint copy) {
      Optional<ChosenBase> base =
          options
              .base()
              .map(
                  choice ->
                      new ChosenBase(
                          input
                              .place()
                              .stores()
                              .guarded(choice.address(), options.reading().safeguards()),
                          choice));
      return Renaming.of(input.place().stores(), copy, options.mapping(), base);
    }

    SecondCopy ofBase(BaseTemplate base) {
      try {
        // As the base's names were compared with those of the result.
        ReadOptions reading =
            ReadOptions.defaults()
                .withNames(ReadOptions.Names.AS_SAVED)
                .withSafeguards(options.reading().safeguards());
        Checkpoint model =
            new CheckpointReader(input.place().stores(), input.place().scanner())
                .read(base.weightsAddress(), reading);
        return matched(this, model, Witness.Kind.BASE, "the base");
      } catch (ReweaveException e) {
        if (!SPARED.contains(e.kind())) {
          throw e;
        }
        return none(NO_COPY_IN_STAGE_3 + "; the base's weights cannot be read: " + e.problem());
      }
    }
  }

  /**
   * Finds the copy of each tensor by its name.
   *
   * @param place where the copies are, for notes
   */
  private static SecondCopy matched(
      Finder finder, Checkpoint second, Witness.Kind kind, String place) {
    boolean isBase = kind == Witness.Kind.BASE;
    Map<String, NamedTensor> modules =
        isBase
            ? second.tensors().stream()
                .collect(Collectors.toUnmodifiableMap(NamedTensor::name, t -> t))
            : finder.renamed(second).byName();
    Map<String, Layout> copies = new HashMap<>();
    List<String> absent = new ArrayList<>();
    List<String> others = new ArrayList<>();
    List<String> merged = new ArrayList<>();
    for (NamedTensor tensor : finder.renaming().tensors()) {
      TensorSpec spec = tensor.spec();
      if (spec.elements() == 0 || !spec.dtype().isCastable()) {
        continue;
      }
      if (!isBase && tensor.layout().summedOn().isPresent()) {
        merged.add(tensor.name());
        continue;
      }
      NamedTensor copy = modules.get(tensor.name());
      if (copy != null
          && copy.spec().elements() > 0
          && firstOf(copy, second.files()).equals(firstOf(tensor, finder.checkpoint().files()))) {
        continue;
      }
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
    boolean whole = finder.isWhole();
    List<String> notes = new ArrayList<>();
    if (whole && !place.equals("the module")) {
      notes.add(finder.label() + "the masters are compared with the weights in " + place);
    }
    if (!isBase) {
      addNote(finder, notes, absent, "have no copy of their name in " + place);
      addNote(finder, notes, others, "have another shape in " + place);
      addNote(finder, notes, merged, "are sums that only this result holds");
    }
    if (kind == Witness.Kind.ONLY_PROOF && !(absent.isEmpty() && others.isEmpty())) {
      absent.addAll(others);
      throw ConversionFailures.orderNotProvable(absent, finder.input().place().address().uri());
    }
    Witness.Extent extent =
        whole || kind == Witness.Kind.ONLY_PROOF ? Witness.Extent.ALL : Witness.Extent.SAMPLE;
    return copies.isEmpty()
        ? finder.none(
            merged.isEmpty()
                ? place + " holds none of the tensors that have masters" + example(absent, others)
                : "no tensor but merged ones is made of masters")
        : new SecondCopy(copies, new Witness(second.files(), kind, extent), notes);
  }

  private static String example(List<String> absent, List<String> others) {
    return others.isEmpty()
        ? absent.stream().findFirst().map(name -> ", such as " + name).orElse("")
        : " in their shapes: " + others.get(0);
  }

  private static void addNote(
      Finder finder, List<String> notes, List<String> tensors, String what) {
    if (!tensors.isEmpty()) {
      notes.add(
          finder.label()
              + "not compared, since they "
              + what
              + ": "
              + Counted.of(tensors.size(), "tensor")
              + ", such as "
              + tensors.get(0));
    }
  }

  /** Where a tensor's first element lies: two that begin in one place are no copies. */
  private static List<Object> firstOf(NamedTensor tensor, List<InputFile> files) {
    List<Object> place = new ArrayList<>();
    tensor
        .layout()
        .runs(
            0,
            1,
            (storage, offset, elements) ->
                place.addAll(List.of(files.get(storage.file()).uri(), storage.position(), offset)));
    return place;
  }

  /** The plan with these copies to compare; says so if there are none. */
  ConversionPlan prove(ConversionPlan plan, List<String> said) {
    said.addAll(notes);
    return copies.isEmpty() ? plan : plan.provenBy(copies, witness);
  }
}
