package dev.reweave.plan;

import dev.reweave.checkpoint.Checkpoint;
import dev.reweave.checkpoint.OptimizerState;
import dev.reweave.format.pytorch.PickledValue;
import dev.reweave.format.pytorch.TorchFileLayout;
import dev.reweave.storage.InputFile;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.MovedLayout;
import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The files of a universal checkpoint of DeepSpeed, which a run of any number of ranks goes on
 * from: a folder for each parameter, with a file for its fp32 master and one for each state that
 * the optimizer keeps of it, and beside these the model states of the checkpoint that it is made of
 * ({@code deepspeed/checkpoint/ds_to_universal.py}).
 *
 * <p>The file that all loaders open first becomes visible behind those of the parameters, and that
 * which names the step last.
 */
public final class UniversalFiles {
  /** What names the step to DeepSpeed. */
  public static final String LATEST = "latest_universal";

  /** Where a loader looks for what is the same for all parameters, in the folder of a step. */
  static final String OPENED_FIRST = "/zero/optimizer_state.pt";

  private static final String FOLDER = "zero/";
  private static final String MASTER = "fp32";
  private static final String STEP = "step";
  private static final String COMMON = "optimizer_state";
  private static final String PARAMETER = "param";
  private static final String SUFFIX = ".pt";
  private static final Pattern FOLDER_NAME = Pattern.compile("[^/\\\\:\\p{Cntrl}]+");

  private final Checkpoint checkpoint;
  private final OptimizerState state;
  private final String tag;
  private final List<PlannedFile> files = new ArrayList<>();
  private final List<SmallFile> steps = new ArrayList<>();

  private UniversalFiles(Checkpoint checkpoint, OptimizerState state) {
    this.checkpoint = checkpoint;
    this.state = state;
    this.tag = checkpoint.source().tag() + "_universal";
  }

  /**
   * Plans them.
   *
   * @param checkpoint read with what its training goes on from
   */
  public static ConversionPlan plan(Checkpoint checkpoint, PlanOptions options) {
    OptimizerState state = checkpoint.optimizer().orElseThrow();
    return new UniversalFiles(checkpoint, state).plan(options);
  }

  private ConversionPlan plan(PlanOptions options) {
    List<PlannedFile> copied = new ArrayList<>();
    for (OptimizerState.WholeFile known : state.whole()) {
      InputFile whole = checkpoint.files().get(known.file());
      copied.add(
          PlannedFile.copy(
              tag + "/" + whole.name(), known.file(), whole.length(), known.storages()));
    }
    Map<String, OptimizerState.Parameter> trained = new LinkedHashMap<>();
    state.parameters().forEach(p -> trained.put(p.master().name(), p));
    Map<String, NamedTensor> others = new LinkedHashMap<>();
    checkpoint.tensors().stream()
        .filter(t -> !trained.containsKey(t.name()))
        .forEach(t -> others.put(t.name(), t));
    trained.forEach(this::addTrained);
    others.forEach(this::addOther);
    checkpoint
        .aliases()
        .forEach(
            (alias, kept) -> {
              if (trained.containsKey(kept)) {
                addTrained(alias, again(trained.get(kept)));
              } else {
                addOther(alias, again(others.get(kept)));
              }
            });
    List<PlannedFile> all = new ArrayList<>(copied);
    all.addAll(files);
    SmallFile common = new SmallFile(zero(COMMON + SUFFIX), state.common().file(COMMON));
    SmallFile latest = new SmallFile(LATEST, tag.getBytes(StandardCharsets.UTF_8));
    return new ConversionPlan(
        checkpoint.files(),
        checkpoint.files().size(),
        all,
        steps,
        Optional.empty(),
        List.of(common, latest),
        options.chunkBytes(),
        Witness.NONE);
  }

  private static OptimizerState.Parameter again(OptimizerState.Parameter parameter) {
    Map<String, NamedTensor> states = new LinkedHashMap<>();
    parameter.states().forEach((key, tensor) -> states.put(key, again(tensor)));
    return new OptimizerState.Parameter(
        again(parameter.master()), states, parameter.step(), parameter.cut());
  }

  private static NamedTensor again(NamedTensor tensor) {
    return new NamedTensor(tensor.spec(), MovedLayout.again(tensor.layout()));
  }

  private String zero(String path) {
    return tag + "/" + FOLDER + path;
  }

  private void addTrained(String name, OptimizerState.Parameter parameter) {
    add(name, MASTER, parameter.master(), parameter.cut());
    parameter.states().forEach((key, tensor) -> add(name, key, tensor, parameter.cut()));
    parameter
        .step()
        .ifPresent(
            step -> steps.add(new SmallFile(zero(name + "/" + STEP + SUFFIX), step.file(STEP))));
  }

  /** What is not trained has the type that DeepSpeed's own tool gives it. */
  private void addOther(String name, NamedTensor tensor) {
    add(name, MASTER, tensor, Map.of());
  }

  private void add(String name, String key, NamedTensor tensor, Map<String, PickledValue> beside) {
    DType dtype =
        key.equals(MASTER) && tensor.spec().dtype().isCastable()
            ? DType.F32
            : tensor.spec().dtype();
    // DeepSpeed takes each apart along its first dimension, also what has none.
    Shape shape = tensor.spec().shape().rank() == 0 ? Shape.of(1) : tensor.spec().shape();
    TensorSpec spec = new TensorSpec(label(name, key), dtype, shape);
    Map<PickledValue, PickledValue> dict = new LinkedHashMap<>();
    beside.forEach((k, value) -> dict.put(PickledValue.text(k), value));
    dict.put(PickledValue.text(PARAMETER), PickledValue.tensor(spec));
    TorchFileLayout file = TorchFileLayout.of(key, PickledValue.dict(dict));
    String path = zero(folderName(name) + "/" + folderName(key) + SUFFIX);
    files.add(TorchFilePlan.of(path, file, s -> tensor.layout()));
  }

  /** Names come from the checkpoint, and must lead to no other place. */
  private String folderName(String name) {
    if (name.isEmpty() || name.startsWith(".") || !FOLDER_NAME.matcher(name).matches()) {
      throw PlanFailures.noFolderName(name, checkpoint.files().get(0).uri());
    }
    return name;
  }

  /** What a tensor is called in the manifest: masters as their parameters, states behind them. */
  private static String label(String name, String key) {
    return key.equals(MASTER) ? name : name + "/" + key;
  }
}
