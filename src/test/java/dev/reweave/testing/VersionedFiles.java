package dev.reweave.testing;

import static dev.reweave.testing.PickleWriter.dict;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.PickleWriter.OrderedDict;
import dev.reweave.testing.PickleWriter.TensorWithAttributes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The files of a bf16 run on GPUs as a version of DeepSpeed from 0.4 to 0.19 writes them, with
 * ZeRO-1, 2 or 3. What changed when follows from {@code engine.py}, {@code stage2.py}, {@code
 * stage_1_and_2.py} and {@code stage3.py} of the releases.
 */
public final class VersionedFiles {
  /** A buffer that every model here has, of type I64. */
  public static final String BUFFER = "position_ids";

  private final Path folder;
  private final String version;
  private final int stage;
  private final int world;
  private final List<List<Floats>> groups = new ArrayList<>();
  private final List<Floats> frozen = new ArrayList<>();
  private final Map<Object, Object> tied = dict();
  private final Map<Object, Object> config = dict();
  private Consumer<Map<Object, Object>> model = root -> {};
  private Consumer<Map<Object, Object>> optimizer = state -> {};
  private Offload offload = Offload.NONE;
  private DType fragments = DType.BF16;
  private DType masters = DType.F32;
  private boolean keepsPadding;
  private int alignment = 1;

  /** Where the masters of ZeRO-3 are. */
  public enum Offload {
    /** In the optimizer states files. */
    NONE,
    /** Every other sub-group in a file of its rank, as since 0.18. */
    FOLDER_PER_RANK,
    /** Every other sub-group in a file of one folder, as from 0.13 to 0.17. */
    ONE_FOLDER
  }

  /**
   * Files of one checkpoint.
   *
   * @param root its folder
   * @param version such as {@code 0.6.0}
   * @param stage of ZeRO
   * @param world data-parallel ranks
   */
  public VersionedFiles(Path root, String version, int stage, int world) throws IOException {
    this.folder = Files.createDirectories(root.resolve("global_step1"));
    this.version = version;
    this.stage = stage;
    this.world = world;
    Files.writeString(root.resolve("latest"), "global_step1");
  }

  /** With these trained parameters in one more group, or sub-group of ZeRO-3. */
  public VersionedFiles group(Floats... params) {
    groups.add(List.of(params));
    return this;
  }

  /** With parameters that are not trained. */
  public VersionedFiles frozen(Floats... params) {
    frozen.addAll(List.of(params));
    return this;
  }

  /** With a second name of a trained parameter. */
  public VersionedFiles tied(String alias, String name) {
    tied.put(alias, name);
    return this;
  }

  /** With an entry of {@code zero_optimization} in the configuration. */
  public VersionedFiles config(String key, Object value) {
    config.put(key, value);
    return this;
  }

  /** With a change to all model states. */
  public VersionedFiles model(Consumer<Map<Object, Object>> change) {
    model = model.andThen(change);
    return this;
  }

  /** With a change to what all optimizer states have under {@code optimizer_state_dict}. */
  public VersionedFiles optimizer(Consumer<Map<Object, Object>> change) {
    optimizer = optimizer.andThen(change);
    return this;
  }

  /** With each parameter of ZeRO-1 and 2 at a multiple of so many elements, and zeros between. */
  public VersionedFiles aligned(int elements) {
    alignment = elements;
    return this;
  }

  /** With masters on NVMe. */
  public VersionedFiles offload(Offload where) {
    offload = where;
    return this;
  }

  /** With masters of this type instead of F32. */
  public VersionedFiles masters(DType type) {
    masters = type;
    return this;
  }

  /** As {@code BF16_Optimizer} writes ZeRO-1, which until 0.18.4 serves stage 0 as well. */
  public VersionedFiles bf16Optimizer() {
    keepsPadding = true;
    return optimizer(
        state -> {
          state.remove("zero_stage");
          state.remove("loss_scaler");
        });
  }

  /** With frozen parameters quantized, as ZeRO++ does. */
  public VersionedFiles quantizedFragments() {
    fragments = DType.I8;
    return this;
  }

  /** Where the ranks' files are. */
  public Path folder() {
    return folder;
  }

  /** Where the file of a rank's optimizer states is. */
  public Path optimizerFile(int rank) {
    return folder.resolve(
        (since("0.6.2") ? "bf16_" : "") + "zero_pp_rank_" + rank + "_mp_rank_00_optim_states.pt");
  }

  /** The bytes of the buffer. */
  public static byte[] bufferBytes() {
    return ByteBuffer.allocate(24)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(1L << 60)
        .putLong(-1)
        .putLong(2)
        .array();
  }

  /** Writes all files. */
  public void write() throws IOException {
    for (int rank = 0; rank < world; rank++) {
      if (stage == 3) {
        writeModel(folder.resolve("zero_pp_rank_" + rank + "_mp_rank_00_model_states.pt"), rank);
      }
      writeOptimizer(rank);
    }
    if (stage != 3) {
      writeModel(folder.resolve("mp_rank_00_model_states.pt"), 0);
    }
  }

  private boolean since(String other) {
    return Arrays.compare(numbers(version), numbers(other)) >= 0;
  }

  private static int[] numbers(String text) {
    return Arrays.stream(text.split("\\.")).mapToInt(Integer::parseInt).toArray();
  }

  private void writeModel(Path path, int rank) throws IOException {
    TorchFile file = new TorchFile();
    Map<Object, Object> root = dict("module", new OrderedDict(module(file, rank)));
    if (since("0.4.2")) {
      root.put("buffer_names", List.of(BUFFER));
    }
    root.put("optimizer", null);
    if (since("0.6.0")) {
      root.put("param_shapes", shapes());
    }
    if (since("0.9.1")) {
      root.put("frozen_param_shapes", stage > 1 ? frozenShapes() : null);
      root.put("frozen_param_fragments", stage > 1 ? fragments(file, rank) : null);
    }
    if (since("0.9.2")) {
      // At first only ZeRO-3 knew its parameters again.
      root.put("shared_params", stage == 3 || since("0.10.1") ? tied : dict());
    }
    root.put("lr_scheduler", null);
    root.put(since("0.5.5") ? "sparse_tensor_module_names" : "csr_tensor_module_names", List.of());
    root.put("global_steps", 1);
    root.put("dp_world_size", world);
    root.put("mp_world_size", 1);
    if (since("0.4.0")) {
      root.put("ds_config", config());
      root.put("ds_version", version);
    }
    model.accept(root);
    file.write(path, root);
  }

  private Map<Object, Object> config() {
    Map<Object, Object> zero = dict("stage", stage);
    zero.putAll(config);
    return dict("zero_optimization", zero, "bf16", dict("enabled", true));
  }

  private Map<Object, Object> module(TorchFile file, int rank) {
    Map<Object, Object> module = dict();
    List<Floats> params = new ArrayList<>();
    groups.forEach(params::addAll);
    params.addAll(frozen);
    for (Floats param : params) {
      module.put(
          param.name(),
          stage == 3
              ? placeholder(file, rank)
              : file.add(param.moduleStorage()).view(0, param.shape()).on("cuda:0"));
    }
    tied.forEach(
        (alias, name) ->
            module.put(alias, stage == 3 ? placeholder(file, rank) : module.get(name)));
    TensorValue buffer = file.vector(StorageContent.of(DType.I64, bufferBytes()));
    module.put(BUFFER, buffer.on("cuda:" + rank));
    return module;
  }

  /** What is left of a partitioned parameter: nothing, or one element before 0.6. */
  private TensorValue placeholder(TorchFile file, int rank) {
    byte[] one = {(byte) 0x80, 0x3f};
    return file.vector(StorageContent.of(DType.BF16, since("0.6.0") ? new byte[0] : one))
        .on("cuda:" + rank);
  }

  private Object shapes() {
    List<Object> list = new ArrayList<>();
    Map<Object, Object> all = dict();
    for (List<Floats> group : groups) {
      Map<Object, Object> shapes = dict();
      group.forEach(p -> shapes.put(p.name(), PickleWriter.size(p.shape())));
      list.add(new OrderedDict(shapes));
      all.putAll(shapes);
    }
    return since("0.5.4") ? list : new OrderedDict(all);
  }

  private OrderedDict frozenShapes() {
    Map<Object, Object> shapes = dict();
    frozen.forEach(p -> shapes.put(p.name(), PickleWriter.size(p.shape())));
    return new OrderedDict(shapes);
  }

  private OrderedDict fragments(TorchFile file, int rank) {
    Map<Object, Object> pieces = dict();
    for (Floats param : frozen) {
      if (fragments != DType.BF16) {
        int length = (int) (param.shape().elements() + world - 1) / world;
        pieces.put(param.name(), file.vector(StorageContent.of(fragments, new byte[length])));
      } else if (stage == 3) {
        Floats slice = Floats.of("", slice(param, rank));
        pieces.put(param.name(), file.vector(slice.moduleStorage()));
      } else {
        pieces.put(param.name(), file.add(param.moduleStorage()).view(0, param.shape()));
      }
    }
    return new OrderedDict(pieces);
  }

  private void writeOptimizer(int rank) throws IOException {
    TorchFile file = new TorchFile();
    Map<Object, Object> state = stage == 3 ? partitioned(file, rank) : flat(file, rank);
    optimizer.accept(state);
    Map<Object, Object> root = dict("optimizer_state_dict", state);
    if (!since("0.6.0")) {
      root.put("param_shapes", shapes());
    }
    if (since("0.4.0")) {
      root.put("ds_config", config());
      root.put("ds_version", version);
    }
    file.write(optimizerFile(rank), root);
  }

  private Map<Object, Object> flat(TorchFile file, int rank) {
    List<Object> partitions = new ArrayList<>();
    List<Object> paddings = new ArrayList<>();
    List<Object> mappings = new ArrayList<>();
    List<Object> lean = new ArrayList<>();
    List<Object> gaps = new ArrayList<>();
    for (List<Floats> group : groups) {
      AlignedGroup aligned = new AlignedGroup(group, alignment);
      float[] whole = Floats.flat(aligned.laid(), 2 * world);
      int length = whole.length / world;
      int elements = Floats.flat(aligned.laid(), 1).length;
      int padding = rank == world - 1 ? whole.length - elements : 0;
      TorchFile.Storage storage = file.add(storage(whole, rank * length, (rank + 1) * length));
      Shape shape = Shape.of(keepsPadding ? length : Math.max(0, length - padding));
      partitions.add(storage.view(0, shape).on("cuda:" + rank).trained());
      TensorValue moment = file.add(Floats.storage(new float[length], 0, length)).view(0, shape);
      lean.add(dict("step", 1, "exp_avg", moment, "exp_avg_sq", moment));
      paddings.add(padding);
      gaps.add(aligned.gaps());
      mappings.add(new OrderedDict(aligned.addresses(rank * length, length)));
    }
    Map<Object, Object> state = dict("loss_scaler", DeepSpeedTrees.lossScaler());
    boolean elastic = !since("0.5.10") || Boolean.TRUE.equals(config.get("elastic_checkpoint"));
    state.put("base_optimizer_state", elastic ? lean : adam(lean));
    state.put("single_partition_of_fp32_groups", partitions);
    // The class was that of ZeRO-2 at first, whatever the stage.
    state.put("zero_stage", since("0.7.0") ? PickleWriter.zeroStage(stage) : 2);
    if (since("0.7.0")) {
      state.put("group_paddings", paddings);
    }
    boolean counted = since("0.5.0");
    state.put("partition_count", counted ? groups.stream().map(g -> world).toList() : world);
    if (since("0.7.4")) {
      state.put("param_slice_mappings", mappings);
    }
    if (since("0.19.7")) {
      state.put("param_alignment_paddings", gaps);
    }
    return state;
  }

  private StorageContent storage(float[] values, int from, int to) {
    return masters == DType.F32
        ? Floats.storage(values, from, to)
        : Floats.of("", Arrays.copyOfRange(values, from, to)).moduleStorage();
  }

  private static Map<Object, Object> adam(List<Object> states) {
    Map<Object, Object> state = dict();
    for (int g = 0; g < states.size(); g++) {
      state.put(g, states.get(g));
    }
    return dict("state", state, "param_groups", List.of(dict("lr", 0.01, "params", List.of(0))));
  }

  private Map<Object, Object> partitioned(TorchFile file, int rank) throws IOException {
    List<Object> flat = new ArrayList<>();
    int first = 0;
    for (int g = 0; g < groups.size(); g++) {
      List<Floats> slices = groups.get(g).stream().map(p -> Floats.of("", slice(p, rank))).toList();
      float[] values = Floats.flat(slices, 1);
      String id = id(first, first + slices.size() - 1);
      boolean swapped = offload != Offload.NONE && g % 2 == 0;
      if (swapped) {
        SwapFile.write(swapFolder(rank), id, values);
      }
      int kept = swapped ? 0 : values.length;
      TensorValue tensor = file.vector(storage(values, 0, kept)).on("cuda:" + rank);
      flat.add(
          since("0.13.0")
              ? new TensorWithAttributes(tensor.trained(), dict("ds_id", id))
              : tensor.trained());
      first += slices.size();
    }
    return dict(
        "zero_stage",
        since("0.7.0") ? PickleWriter.zeroStage(3) : 3,
        "loss_scaler",
        DeepSpeedTrees.lossScaler(),
        "partition_count",
        world,
        "optimizer_state_dict",
        adam(List.of()),
        "fp32_flat_groups",
        flat);
  }

  /** Numbers of a sub-group's parameters: all at first, then the ends. */
  private String id(int first, int last) {
    return since("0.13.3")
        ? first + "_" + last
        : IntStream.rangeClosed(first, last)
            .mapToObj(String::valueOf)
            .collect(Collectors.joining("_"));
  }

  private Path swapFolder(int rank) {
    Path all = folder.resolve("offloaded_tensors");
    return offload == Offload.FOLDER_PER_RANK ? all.resolve("rank0" + rank) : all;
  }

  private float[] slice(Floats param, int rank) {
    float[] all = Floats.flat(List.of(param), world);
    int length = all.length / world;
    return Arrays.copyOfRange(all, rank * length, (rank + 1) * length);
  }
}
